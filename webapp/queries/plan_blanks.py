"""The tables that the plan-control office fills in: a row for every month of a plan that has no curve or no report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import exists, func, select

from webapp.extensions import db
from webapp.models import Baseline, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import last_day, month_of
from webapp.queries.plans import STEPS
from webapp.sheets import PAGES

Blank = list[list[str]]


def baselines(of: Register, now: datetime) -> Blank:
    """The months of the register's year, of each plan without an approved curve."""
    months = [date(of.roc_year + 1911, number, 1) for number in range(1, 13)]
    found = db.session.execute(_entries(of).where(~_has_curve())).all()
    rows = [[number, title, month_of(month).key] for _id, number, title in found for month in months]
    return rows[: PAGES.rows - 1]


def reports(of: Register, now: datetime) -> Blank:
    """The months of the year that have ended and of which nothing is reported, of each plan with a curve."""
    step, today = STEPS[of.cycle], taipei_day(now)
    months = [date(of.roc_year + 1911, number, 1) for number in range(step, 13, step)]
    ended = [month for month in months if last_day(month) < today]
    reported = select(ProgressReport.entry_id, ProgressReport.month).where(
        ProgressReport.register_id == of.id
    )
    there = {(entry_id, month) for entry_id, month in db.session.execute(reported)}
    found = db.session.execute(_entries(of).where(_has_curve())).all()
    rows = [
        [number, title, month_of(month).key]
        for entry_id, number, title in found
        for month in ended
        if (entry_id, month) not in there
    ]
    return rows[: PAGES.rows - 1]


BLANKS: Mapping[str, Callable[[Register, datetime], Blank]] = {"baselines": baselines, "reports": reports}


def _entries(of: Register) -> Any:
    return (
        select(
            RegisterEntry.id,
            func.coalesce(RegisterEntry.case_no, ""),
            func.coalesce(RegisterEntry.title, Plan.title),
        )
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(RegisterEntry.register_id == of.id, RegisterEntry.released_on.is_(None))
        .order_by(RegisterEntry.id)
    )


def _has_curve() -> Any:
    return exists().where(Baseline.entry_id == RegisterEntry.id, Baseline.approved_at.is_not(None))
