"""What rules may know of a plan's report: the facts plan.* of rules.facts, for many reports at once."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import (
    Baseline,
    BaselinePoint,
    Milestone,
    Plan,
    PlanBudget,
    ProgressReport,
    Register,
    RegisterEntry,
)
from webapp.periods import last_day
from webapp.rows import among

#: the last part of the period in which a curve may not rise too steeply
LAST_PART = Decimal("0.2")
FULL = Decimal(100)


@dataclass(frozen=True)
class Point:
    month: date
    planned: Decimal
    budget: Decimal | None


@dataclass(frozen=True)
class Version:
    """An approved curve; reports from its month on are measured against it."""

    number: int
    effective_month: date
    points: list[Point]


def of_reports(
    reports: Sequence[ProgressReport],
    missing: frozenset[int] = frozenset(),
    concerns: frozenset[int] = frozenset(),
) -> dict[int, dict[str, Any]]:
    """By id of the report. `missing` are those that nobody sent in time; `concerns`, entries of public concern."""
    entries = sorted({report.entry_id for report in reports})
    plans = {
        entry: (level, ends_on)
        for entry, level, ends_on in db.session.execute(
            select(RegisterEntry.id, Plan.level, Plan.ends_on)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .where(among(RegisterEntry.id, entries))
        )
    }
    budgets = _budgets(entries)
    lags = _lags(entries)
    approved = versions(entries)
    due = _milestones(entries)
    return {
        report.id: {
            "plan.planned": report.planned,
            "plan.actual": report.actual,
            "plan.lag": report.lag,
            "plan.months_behind": months_behind(lags[report.entry_id], report.month),
            "plan.report_missing": report.id in missing,
            "plan.checkpoint_late": checkpoint_late(due.get(report.entry_id, ()), report.month),
            "plan.budget": budgets.get(report.entry_id),
            "plan.budget_execution": report.budget_execution,
            "plan.planned_curve_step": curve_step(in_force(approved.get(report.entry_id, []), report.month)),
            "plan.level": plans[report.entry_id][0],
            "plan.public_concern": report.entry_id in concerns,
            "plan.days_to_completion": _days(report.month, plans[report.entry_id][1]),
        }
        for report in reports
    }


def _days(month: date, ends_on: date | None) -> int | None:
    """From the end of the month to the day on which the plan is to be complete."""
    return (ends_on - last_day(month)).days if ends_on is not None else None


def months_behind(lags: Mapping[date, Decimal | None], month: date) -> int:
    """Reports in a row, the one of the month the last, whose actual progress is below the planned one."""
    count = 0
    for _month, lag in sorted(((m, lag) for m, lag in lags.items() if m <= month), reverse=True):
        if lag is None or lag <= 0:
            break
        count += 1
    return count


def checkpoint_late(due: Sequence[tuple[date, date | None]], month: date) -> bool | None:
    """Whether a milestone (its month, the day on which it was reached) that was due by the end of the month was not
    reached by then; None of a plan that has none.
    """
    if not due:
        return None
    end = last_day(month)
    return any(of <= month and (reached is None or reached > end) for of, reached in due)


def curve_step(points: Sequence[Point]) -> Decimal | None:
    """How much of the planned progress lies in the last fifth of the months."""
    if len(points) < 2:
        return None
    late = len(points) - int(len(points) * LAST_PART) - 1
    return points[-1].planned - points[late].planned


def versions(entries: Sequence[int]) -> dict[int, list[Version]]:
    """The approved curves of each entry, the oldest first."""
    found: dict[int, list[Version]] = defaultdict(list)
    rows = db.session.execute(
        select(
            Baseline.entry_id,
            Baseline.number,
            Baseline.effective_month,
            BaselinePoint.month,
            BaselinePoint.planned,
            BaselinePoint.budget,
        )
        .join(BaselinePoint, BaselinePoint.baseline_id == Baseline.id)
        .where(among(Baseline.entry_id, entries), Baseline.approved_at.is_not(None))
        .order_by(Baseline.entry_id, Baseline.number, BaselinePoint.month)
    )
    for entry, number, effective, *point in rows:
        of_entry = found[entry]
        if not of_entry or of_entry[-1].number != number:
            of_entry.append(Version(number, effective, []))
        of_entry[-1].points.append(Point(*point))
    return dict(found)


def in_force(of_entry: Sequence[Version], month: date) -> list[Point]:
    """The curve that the reports of a month are measured against: the last approved one that had taken effect."""
    taken = [version for version in of_entry if version.effective_month <= month]
    return (taken[-1:] or of_entry[:1] or [Version(0, month, [])])[0].points


def planned_at(points: Sequence[Point], month: date) -> Point | None:
    """The point of the month, or the last before it."""
    return next((point for point in reversed(points) if point.month <= month), None)


def curves(entries: Sequence[int]) -> dict[int, list[Point]]:
    """The curve of each entry that was approved last."""
    return {entry: of_entry[-1].points for entry, of_entry in versions(entries).items()}


def forerunners(entries: Sequence[int]) -> dict[int, list[int]]:
    """By entry that was carried over: the entries of the same plan in the registers of that kind before."""
    own, of_own = aliased(RegisterEntry), aliased(Register)
    earlier, of_earlier = aliased(RegisterEntry), aliased(Register)
    rows = db.session.execute(
        select(own.id, earlier.id)
        .join(of_own, of_own.id == own.register_id)
        .join(earlier, earlier.plan_id == own.plan_id)
        .join(of_earlier, of_earlier.id == earlier.register_id)
        .where(
            among(own.id, entries),
            own.carried_over_from.is_not(None),
            of_earlier.kind == of_own.kind,
            of_earlier.roc_year < of_own.roc_year,
            earlier.released_as == "carried_over",
        )
        .order_by(own.id, of_earlier.roc_year.desc())
    )
    found: dict[int, list[int]] = defaultdict(list)
    for entry, before in rows:
        found[entry].append(before)
    return dict(found)


def money_counted() -> ColumnElement[bool]:
    """A sum that was published counts only where its parts are not known: all sources where none is named for the year,
    the whole plan where no year is.
    """
    other = aliased(PlanBudget)
    years = and_(PlanBudget.roc_year.is_(None), other.roc_year.is_not(None))
    sources = and_(
        PlanBudget.source == "all",
        other.source != "all",
        other.roc_year.is_not_distinct_from(PlanBudget.roc_year),
    )
    return ~exists().where(other.plan_id == PlanBudget.plan_id, or_(years, sources))


def _budgets(entries: Sequence[int]) -> dict[int, Decimal]:
    rows = db.session.execute(
        select(RegisterEntry.id, func.sum(PlanBudget.amount))
        .join(PlanBudget, PlanBudget.plan_id == RegisterEntry.plan_id)
        .where(among(RegisterEntry.id, entries), money_counted())
        .group_by(RegisterEntry.id)
    )
    return dict(rows.all())


def money_of(entry_id: int) -> Decimal | None:
    """The most that an entry may spend: the whole money of its plan, or what its curves foresee; None: not known."""
    foreseen = [p.budget for version in versions([entry_id]).get(entry_id, []) for p in version.points]
    known = [each for each in (_budgets([entry_id]).get(entry_id), *foreseen) if each is not None]
    return max(known, default=None)


def _milestones(entries: Sequence[int]) -> dict[int, list[tuple[date, date | None]]]:
    """Of the plan of each entry: the month in which it is due, and the day on which it was reached."""
    found: dict[int, list[tuple[date, date | None]]] = defaultdict(list)
    rows = db.session.execute(
        select(RegisterEntry.id, Milestone.due_month, Milestone.reached_on)
        .join(Milestone, Milestone.plan_id == RegisterEntry.plan_id)
        .where(among(RegisterEntry.id, entries))
    )
    for entry, due, reached in rows:
        found[entry].append((due, reached))
    return dict(found)


def _lags(entries: Sequence[int]) -> dict[int, dict[date, Decimal | None]]:
    """By month; of a plan that was carried over, those of the former years too."""
    before = forerunners(entries)
    rows = db.session.execute(
        select(ProgressReport.entry_id, ProgressReport.month, ProgressReport.lag).where(
            among(ProgressReport.entry_id, [*entries, *itertools.chain(*before.values())]),
            ProgressReport.state != "open",
        )
    )
    found: dict[int, dict[date, Decimal | None]] = defaultdict(dict)
    for entry, month, lag in rows:
        found[entry][month] = lag
    for entry, earlier in before.items():
        for each in earlier:
            found[entry] = found[each] | found[entry]
    return found
