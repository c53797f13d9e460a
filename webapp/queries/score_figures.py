"""Figures of this system that an indicator can be fed from, of a unit (and what is below it) and a ROC year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, cast, func, select
from sqlalchemy.orm import aliased

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Plan, ProgressReport, Register, RegisterEntry, Survey
from webapp.moments import TAIPEI
from webapp.periods import last_day
from webapp.queries.org import chart
from webapp.queries.plan_averages import mean, rounded

#: plans that a figure names as missing
MOST_NAMED = 10
#: of a report; what nobody reported stands nowhere
IN_TIME, BEHIND = ("on_track", "ahead"), ("severe", "behind")


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


def _reported(
    kind: str, unit_id: int, year: int, is_known: Callable[[Any], ColumnElement[bool]]
) -> list[Any]:
    """Plans of the unit in the registers of a kind and year, with the report of December; of one that was completed
    and released by then, its newest report that is known. What was released uncompleted is not counted."""
    december = date(year + 1911, 12, 1)
    newest = aliased(ProgressReport)
    last = (
        select(newest.id)
        .where(newest.entry_id == RegisterEntry.id, newest.month <= december, is_known(newest))
        .order_by(newest.month.desc())
        .limit(1)
        .correlate(RegisterEntry)
        .scalar_subquery()
    )
    is_released = RegisterEntry.released_on <= last_day(december)
    return list(
        db.session.execute(
            select(
                func.coalesce(RegisterEntry.title, Plan.title).label("title"),
                ProgressReport.actual,
                ProgressReport.standing,
            )
            .select_from(RegisterEntry)
            .join(Register, Register.id == RegisterEntry.register_id)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .outerjoin(
                ProgressReport,
                (ProgressReport.id == last) & ((ProgressReport.month == december) | is_released),
            )
            .where(
                Register.kind == kind,
                Register.roc_year == year,
                RegisterEntry.since <= last_day(december),
                RegisterEntry.released_on.is_(None) | ~is_released | Plan.completed_on.is_not(None),
                Plan.lead_unit_id.in_(sorted(chart().within(unit_id))),
            )
            .order_by(Plan.code, RegisterEntry.id)
        )
    )


def _without(missing: Sequence[str]) -> str:
    """The plans of which nothing is known at the end of the year, by name."""
    if not missing:
        return ""
    more = f"等 {len(missing)} 件" if len(missing) > MOST_NAMED else ""
    return f"；年底未填報不計：{'、'.join(missing[:MOST_NAMED])}{more}"


def _island_fund_average(unit_id: int, year: int) -> Counted:
    """離島基金補助計畫年度列管計畫實際進度平均數 (施政績效報告): at the end of the year, of what was reported."""
    rows = _reported("island_fund", unit_id, year, lambda report: report.actual.is_not(None))
    average = mean(row.actual for row in rows)
    missing = [row.title for row in rows if row.actual is None]
    known = len(rows) - len(missing)
    value = rounded(average, date(year + 1911, 12, 31)) if average is not None else None
    return Counted(value, f"離島建設基金補助計畫 {known} 件年底實際進度平均{_without(missing)}")


def _plans_on_time(unit_id: int, year: int) -> Counted:
    """Of the selected plans, those not behind at the end of the year; a published class says so too."""
    rows = _reported("selected", unit_id, year, lambda report: report.standing.in_(IN_TIME + BEHIND))
    known = [row for row in rows if row.standing is not None]
    missing = [row.title for row in rows if row.standing is None]
    part = sum(row.standing in IN_TIME for row in known)
    said = f"選項列管計畫年底未落後 {part} 件／已填報 {len(known)} 件{_without(missing)}"
    return Counted(_share(part, len(known)), said)


FIGURES = {
    "cases_on_time": Figure(Text(zh="人民申請案件依限辦結率", en="Cases closed in time"), "%", _on_time),
    "survey_satisfied": Figure(Text(zh="申辦滿意度", en="Satisfied applicants"), "%", _satisfied),
    "island_fund_average": Figure(
        Text(zh="離島建設基金補助計畫實際進度平均數", en="Mean actual progress of the islands fund plans"),
        "%",
        _island_fund_average,
    ),
    "plans_on_time": Figure(
        Text(zh="選項列管計畫年底未落後比率", en="Selected plans not behind at the end of the year"),
        "%",
        _plans_on_time,
    ),
}
