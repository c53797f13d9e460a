"""Milestones (查核點) of plans: all of one, those that a report asks about, and where they stand on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, Milestone, ProgressReport, RegisterEntry
from webapp.periods import last_day, month_before

#: where the form of a report asks about them
FORM, FIELD = "progress_report", "checkpoints"
#: months after that of the report in which a milestone is asked about already
AHEAD = 3


def of_plan(plan_id: int) -> Sequence[Milestone]:
    return db.session.scalars(
        select(Milestone).where(Milestone.plan_id == plan_id).order_by(Milestone.ordinal)
    ).all()


def of_case(case: Case) -> list[Milestone]:
    """What the case of a report asks about."""
    report = db.session.scalars(select(ProgressReport).where(ProgressReport.case_id == case.id)).one_or_none()
    return asked_by(report) if report is not None else []


def asked_by(report: ProgressReport) -> list[Milestone]:
    """Those that are due soon and not reached, and those that this report said were."""
    entry = db.session.get_one(RegisterEntry, report.entry_id)
    until = month_before(report.month, -AHEAD)
    found = [
        each
        for each in of_plan(entry.plan_id)
        if each.report_id == report.id or (each.reached_on is None and each.due_month <= until)
    ]
    return sorted(found, key=lambda each: (each.due_month, each.ordinal))


def standing(of: Milestone, today: date) -> str:
    """reached, late or due."""
    if of.reached_on is not None:
        return "reached"
    return "late" if today > last_day(of.due_month) else "due"
