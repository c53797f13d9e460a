"""The month of plan control: reports are asked for on the first day after it, and locked after the cut-off.

When a report is closed stands in the ruleset plan_reporting.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import exists, or_, select

from webapp.extensions import db
from webapp.models import Baseline, Case, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import last_day, month_before, month_label
from webapp.permissions import SYSTEM, Actor
from webapp.queries import plan_control, plan_facts, plan_lists
from webapp.queries.plan_facts import Point
from webapp.services import cases, evaluation, internal_cases, plan_progress

SERVICE = "KM01"
#: how many months lie between two reports
EVERY = {"monthly": 1, "quarterly": 3, "half_yearly": 6}


def to_open(now: datetime) -> list[int]:
    """Entries that owe a report for the month that has ended, and have not been asked for it."""
    month = _ended(now)
    cycles = [cycle for cycle, months in EVERY.items() if month.month % months == 0]
    asked = exists().where(
        ProgressReport.entry_id == RegisterEntry.id,
        ProgressReport.month == month,
        or_(ProgressReport.case_id.is_not(None), ProgressReport.state != "open"),
    )
    planned = exists().where(Baseline.entry_id == RegisterEntry.id, Baseline.approved_at.is_not(None))
    return list(
        db.session.scalars(
            select(RegisterEntry.id)
            .join(Register, Register.id == RegisterEntry.register_id)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .where(
                Register.cycle.in_(cycles),
                Register.roc_year == month.year - 1911,
                or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > last_day(month)),
                RegisterEntry.since <= last_day(month),
                RegisterEntry.origin != "published",
                planned,
                ~asked,
            )
            .order_by(RegisterEntry.id)
        )
    )


def _ended(now: datetime) -> date:
    """The first day of the month before this one."""
    return month_before(taipei_day(now).replace(day=1))


def open_report(entry_id: int, now: datetime) -> Case | None:
    """Asks the unit that leads the plan for the report of the month that ended; once, however often it is tried."""
    month = _ended(now)
    entry = plan_progress.hold_entry(entry_id)
    report = db.session.scalars(
        select(ProgressReport).where(ProgressReport.entry_id == entry_id, ProgressReport.month == month)
    ).one_or_none()
    if report is not None and (report.case_id is not None or report.state != "open"):
        return None
    register = db.session.get_one(Register, entry.register_id)
    if report is None:
        point = _planned(entry_id, month)
        report = ProgressReport(
            entry_id=entry_id,
            register_id=register.id,
            month=month,
            state="open",
            origin="entered",
            planned=point.planned if point else Decimal(0),
            budget_due=point.budget if point else None,
        )
        db.session.add(report)
        db.session.flush()
    return ask(SYSTEM, entry, report, plan_progress.cut_off(register, month), now)


def ask(
    actor: Actor,
    entry: RegisterEntry,
    report: ProgressReport,
    until: date,
    now: datetime,
    correction: str = "",
) -> Case:
    """The case by which the leading unit reports until a day; `correction`: why what it reported is to be corrected."""
    plan, register = db.session.get_one(Plan, entry.plan_id), db.session.get_one(Register, entry.register_id)
    before = _before(entry.id, report.month)
    case = internal_cases.open_case(
        actor,
        SERVICE,
        {
            "plan": entry.title or plan.title,
            "register": register.name_zh,
            "case_no": entry.case_no or "",
            "month": month_label(report.month).zh,
            "planned": plan_lists.written(report.planned) or None,
            "budget_due": plan_lists.written(report.budget_due) or None,
            "actual_before": plan_lists.written(before.actual if before else None) or None,
            "spent_before": plan_lists.written(before.budget_spent if before else None) or None,
            "correction": correction or None,
        },
        plan_control.works_on(plan),
        month_before(until.replace(day=1)),
        now,
        period=until.day,
    )
    report.case_id = case.id
    db.session.flush()
    return case


def _planned(entry_id: int, month: date) -> Point | None:
    """Of the curve in force: the point of the month, or the last before it."""
    curve = plan_facts.in_force(plan_facts.versions([entry_id]).get(entry_id, []), month)
    return plan_facts.planned_at(curve, month)


def _before(entry_id: int, month: date) -> ProgressReport | None:
    return db.session.scalars(
        select(ProgressReport)
        .where(
            ProgressReport.entry_id.in_([entry_id, *plan_facts.forerunners([entry_id]).get(entry_id, ())]),
            ProgressReport.month < month,
            ProgressReport.actual.is_not(None),
        )
        .order_by(ProgressReport.month.desc())
        .limit(1)
    ).first()


def to_lock(now: datetime) -> list[int]:
    """Cases whose report is late by what the rules allow; one that was unlocked has until its day."""
    today = taipei_day(now)
    rows = db.session.execute(
        select(Case.id, Case.due_on, ProgressReport.open_until, ProgressReport.month)
        .join(ProgressReport, ProgressReport.case_id == Case.id)
        .where(Case.status == "open", Case.state == "fill", Case.due_on < today)
        .order_by(Case.id)
    )
    return [
        case_id
        for case_id, due_on, open_until, month in rows
        if _is_closed(month, (today - max(due_on, open_until or due_on)).days)
    ]


def _is_closed(month: date, days: int) -> bool:
    if days <= 0:
        return False
    facts = {"plan.report_missing": True, "plan.days_after_cutoff": days, "plan.completed": False}
    decision, _revision = evaluation.decide("plan_reporting", facts, last_day(month))
    return any(outcome.action == "lock_report" for outcome in decision.outcomes)


def lock(case_id: int, now: datetime) -> None:
    """The unit is late: the plan-control office says whether it may still report."""
    case = db.session.get_one(Case, case_id, with_for_update=True)
    if case.status == "open" and case.state == "fill":
        cases.take_as_system(case, "lock", now)


def to_release(now: datetime) -> list[int]:
    """Cases that ask for the report of a month at whose end the plan stood in the register no more."""
    rows = db.session.execute(
        select(Case.id, RegisterEntry.released_on, ProgressReport.month)
        .join(ProgressReport, ProgressReport.case_id == Case.id)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(Case.status == "open", RegisterEntry.released_on.is_not(None))
        .order_by(Case.id)
    )
    return [case_id for case_id, released_on, month in rows if released_on <= last_day(month)]


def release(case_id: int, now: datetime) -> None:
    """Nothing is to be reported any more."""
    case = db.session.get_one(Case, case_id, with_for_update=True)
    cases.take_if_waited_for(case, "release", now)
