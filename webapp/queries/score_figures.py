"""Figures of this system that an indicator can be fed from, of a unit (and what is below it) and a ROC year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import Date, Select, cast, func, select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Survey
from webapp.moments import TAIPEI
from webapp.queries.org import chart


@dataclass(frozen=True)
class Counted:
    """A figure with what it was counted from; none where nothing was to be counted."""

    value: Decimal | None
    zh: str


@dataclass(frozen=True)
class Figure:
    label: Text
    unit: str
    count: Callable[[int, int], Counted]


def _closed(unit_id: int, year: int) -> tuple[Any, ...]:
    """Applications of the unit that were closed within the year, in Taipei; what it reports to itself is none."""
    begin, end = (datetime.combine(date(y + 1911, 1, 1), time(), TAIPEI) for y in (year, year + 1))
    units = sorted(chart().within(unit_id))
    own = (Case.handling_unit_id.in_(units), Case.channel != "internal")
    return (*own, Case.closed_at >= begin, Case.closed_at < end)


def _share(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part * 100) / whole).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _on_time(unit_id: int, year: int) -> Counted:
    """Of the cases with a time limit, those closed by its last day."""
    day = cast(func.timezone(str(TAIPEI), Case.closed_at), Date)
    counts: Select[Any] = select(func.count(), func.count().filter(day <= Case.due_on)).where(
        *_closed(unit_id, year), Case.due_on.is_not(None)
    )
    whole, part = db.session.execute(counts).one()
    return Counted(_share(part, whole), f"依限辦結 {part} 件／應辦結 {whole} 件")


def _satisfied(unit_id: int, year: int) -> Counted:
    """Of the answered surveys, those with 4 or 5."""
    counts: Select[Any] = (
        select(func.count(), func.count().filter(Survey.grade >= 4))
        .join(Case, Case.id == Survey.case_id)
        .where(*_closed(unit_id, year), Survey.grade.is_not(None))
    )
    whole, part = db.session.execute(counts).one()
    return Counted(_share(part, whole), f"滿意與非常滿意 {part} 份／有效問卷 {whole} 份")


FIGURES = {
    "cases_on_time": Figure(Text(zh="人民申請案件依限辦結率", en="Cases closed in time"), "%", _on_time),
    "survey_satisfied": Figure(Text(zh="申辦滿意度", en="Satisfied applicants"), "%", _satisfied),
}
