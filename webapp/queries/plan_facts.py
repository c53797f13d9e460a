"""What rules may know of a plan's report: the facts plan.* of rules.facts, for many reports at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from webapp.extensions import db
from webapp.models import Baseline, BaselinePoint, Plan, PlanBudget, ProgressReport, RegisterEntry
from webapp.rows import among

#: the last part of the period in which a curve may not rise too steeply
LAST_PART = Decimal("0.2")
FULL = Decimal(100)


@dataclass(frozen=True)
class Point:
    month: date
    planned: Decimal
    budget: Decimal | None


def of_reports(
    reports: Sequence[ProgressReport], missing: frozenset[int] = frozenset()
) -> dict[int, dict[str, Any]]:
    """By id of the report. `missing` are those that nobody sent in time."""
    entries = sorted({report.entry_id for report in reports})
    plans = dict(
        db.session.execute(
            select(RegisterEntry.id, Plan.level)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .where(among(RegisterEntry.id, entries))
        ).all()
    )
    budgets = _budgets(entries)
    lags = _lags(entries)
    steps = {entry: curve_step(points) for entry, points in curves(entries).items()}
    return {
        report.id: {
            "plan.planned": report.planned,
            "plan.actual": report.actual,
            "plan.lag": report.lag,
            "plan.months_behind": months_behind(lags[report.entry_id], report.month),
            "plan.report_missing": report.id in missing,
            "plan.budget": budgets.get(report.entry_id),
            "plan.budget_execution": report.budget_execution,
            "plan.planned_curve_step": steps.get(report.entry_id),
            "plan.level": plans[report.entry_id],
        }
        for report in reports
    }


def months_behind(lags: Mapping[date, Decimal | None], month: date) -> int:
    """Reports in a row, the one of the month the last, whose actual progress is below the planned one."""
    count = 0
    for _month, lag in sorted(((m, lag) for m, lag in lags.items() if m <= month), reverse=True):
        if lag is None or lag <= 0:
            break
        count += 1
    return count


def curve_step(points: Sequence[Point]) -> Decimal | None:
    """How much of the planned progress lies in the last fifth of the months."""
    if len(points) < 2:
        return None
    late = len(points) - int(len(points) * LAST_PART) - 1
    return points[-1].planned - points[late].planned


def curves(entries: Sequence[int]) -> dict[int, list[Point]]:
    """The approved curve of each entry that took effect last."""
    newest = (
        select(Baseline.id, Baseline.entry_id)
        .ext(distinct_on(Baseline.entry_id))
        .where(among(Baseline.entry_id, entries), Baseline.approved_at.is_not(None))
        .order_by(Baseline.entry_id, Baseline.effective_month.desc(), Baseline.number.desc())
        .subquery()
    )
    rows = db.session.execute(
        select(newest.c.entry_id, BaselinePoint.month, BaselinePoint.planned, BaselinePoint.budget)
        .join(newest, newest.c.id == BaselinePoint.baseline_id)
        .order_by(newest.c.entry_id, BaselinePoint.month)
    )
    found: dict[int, list[Point]] = defaultdict(list)
    for entry, month, planned, budget in rows:
        found[entry].append(Point(month, planned, budget))
    return found


def planned_at(points: Sequence[Point], month: date) -> Point | None:
    """The point of the month, or the last before it."""
    return next((point for point in reversed(points) if point.month <= month), None)


def _budgets(entries: Sequence[int]) -> dict[int, Decimal]:
    rows = db.session.execute(
        select(RegisterEntry.id, func.sum(PlanBudget.amount))
        .join(PlanBudget, PlanBudget.plan_id == RegisterEntry.plan_id)
        .where(among(RegisterEntry.id, entries))
        .group_by(RegisterEntry.id)
    )
    return dict(rows.all())


def _lags(entries: Sequence[int]) -> dict[int, dict[date, Decimal | None]]:
    rows = db.session.execute(
        select(ProgressReport.entry_id, ProgressReport.month, ProgressReport.lag).where(
            among(ProgressReport.entry_id, entries), ProgressReport.state != "open"
        )
    )
    found: dict[int, dict[date, Decimal | None]] = defaultdict(dict)
    for entry, month, lag in rows:
        found[entry][month] = lag
    return found
