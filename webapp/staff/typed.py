"""What officers type into the small forms of their pages: days in three boxes, and the version of what they saw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from datetime import time as clock_time

from flask import request
from flask_babel import gettext as _

from forms.model import FormDefinition
from rules.values import parse_roc_date
from webapp.moments import TAIPEI
from webapp.presentation import in_language
from webapp.sheets import number

LAST_YEAR = 999
DATE_PARTS = ("year", "month", "day")

Mistakes = dict[str, list[str]]


def posted_day(name: str) -> dict[str, str]:
    return {part: request.form.get(f"{name}-{part}", "").strip() for part in DATE_PARTS}


def boxes(day: date) -> dict[str, str]:
    return {"year": str(day.year - 1911), "month": str(day.month), "day": str(day.day)}


def day_in(typed: dict[str, str]) -> date | None:
    """The day in three boxes; None where there is no such day."""
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(typed))
    except ValueError:
        return None


def read_day(name: str, typed: dict[str, str], mistakes: Mistakes) -> date | None:
    day = day_in(typed)
    if day is None:
        mistakes[name] = [_("請填寫真實存在的日期，例如 115 年 12 月 3 日。")]
    return day


def year_in(typed: str) -> int | None:
    """A ROC year as people write it, full-width digits too; None for what is none."""
    found = number(typed)
    return int(found) if found is not None and 1 <= found <= LAST_YEAR and found == int(found) else None


def read_year(name: str, mistakes: Mistakes) -> int | None:
    year = year_in(request.form.get(name, ""))
    if year is None:
        mistakes[name] = [_("請填民國年度，例如 116。")]
    return year


def moment(day: str, time: str, now: datetime, mistakes: Mistakes) -> datetime | None:
    """A day in three boxes and an hour, to come."""
    on = read_day(day, posted_day(day), mistakes)
    try:
        begins = clock_time.fromisoformat(request.form.get(time, "").strip()).replace(tzinfo=None)
    except ValueError:
        mistakes[time] = [_("請填寫時間，例如 09:00。")]
        return None
    found = datetime.combine(on, begins, TAIPEI) if on else None
    if found is not None and found <= now:
        mistakes[day] = [_("會議時間須在現在之後。")]
    return found


def version() -> int:
    """Of the page that was sent; what is no number is no version."""
    typed = request.form.get("version", "")
    return int(typed) if re.fullmatch(r"[0-9]{1,9}", typed) else -1


def summary(mistakes: Mistakes, days: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """The lines of the error summary, each leading to its input."""
    return [
        (f"#{name}-year" if name in days else f"#{name}", text)
        for name, texts in mistakes.items()
        for text in texts
    ]


def written(form: FormDefinition, raw: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """What stood in the inputs of a task's own form, whether or not it can be an answer; files stay with the task."""
    found = []
    for asked in form.fields:
        parts = [
            value
            for name, values in raw.items()
            if asked.type != "file" and (name == asked.key or name.startswith(f"{asked.key}-"))
            for value in values
            if value.strip()
        ]
        options = asked.kind.choices(asked)
        said = [in_language(options[part]) if part in options else part for part in parts]
        if said:
            found.append((in_language(asked.label), " ".join(said)))
    return found
