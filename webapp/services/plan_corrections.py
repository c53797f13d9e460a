"""開放更正: the plan-control office lets a unit correct a report of a month that is not closed.

Another case asks for it, by the same way; the figures stay as they are until the unit sends.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, Misfit, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import month_label
from webapp.permissions import Actor
from webapp.queries import plans
from webapp.services import plan_months, plan_progress
from webapp.services.plan_control import require

LONGEST_REASON = 400
#: a later day is a slip of the year
LONGEST = timedelta(days=366)


def correctable(entry: RegisterEntry) -> list[date]:
    """Months whose report can be opened for correction, the newest first."""
    under_way = select(Case.id).where(Case.id == ProgressReport.case_id, Case.status == "open").exists()
    return list(
        db.session.scalars(
            select(ProgressReport.month)
            .where(
                ProgressReport.entry_id == entry.id,
                ProgressReport.state != "open",
                ProgressReport.origin != "published",
                ~plan_progress.in_closed_month(),
                ~under_way,
            )
            .order_by(ProgressReport.month.desc())
        )
    )


def open_again(actor: Actor, pid: str, month: date | None, reason: str, until: date, now: datetime) -> Case:
    """The case by which the unit that leads the plan corrects its report of a month until a day."""
    require(actor)
    today = taipei_day(now)
    if not reason or len(reason) > LONGEST_REASON:
        raise Misfit(
            "reason",
            Text(
                zh=f"請寫明為什麼開放更正，{LONGEST_REASON} 字以內。",
                en=f"Say why it is to be corrected, in {LONGEST_REASON} characters at most.",
            ),
        )
    if not today <= until <= today + LONGEST:
        raise Misfit(
            "until", Text(zh="期限須在今天以後、一年以內。", en="The day lies within a year from today.")
        )
    entry = plans.entry(pid)
    report = _held(entry, month)
    label = month_label(report.month)
    if report.origin == "published":
        raise Refused(
            Text(
                zh=f"{label.zh}是照公布資料匯入的，以公布為準，不能更正。",
                en=f"{label.en} stands as it was published; it is not corrected here.",
            )
        )
    plan_progress.hold(entry.register_id)
    if plan_progress.is_closed(entry.register_id, report.month):
        raise Refused(
            Text(
                zh=f"{label.zh}已經結算，不能再更正。",
                en=f"{label.en} is closed; it is not corrected any more.",
            )
        )
    asked = db.session.get(Case, report.case_id, populate_existing=True) if report.case_id else None
    if asked is not None and asked.status == "open":
        raise Conflict(
            Text(
                zh=f"{label.zh}的填報 {asked.number} 還在辦理中，請在該案退回補充。",
                en=f"{asked.number} about {label.en} is still open: send it back there.",
            )
        )
    if report.first_reported_at is None:
        report.first_case_id, report.first_reported_at = report.case_id, report.reported_at or now
        report.case_id = None
    report.open_until = until
    case = plan_months.ask(actor, entry, report, until, now, correction=reason)
    register, plan = db.session.get_one(Register, entry.register_id), db.session.get_one(Plan, entry.plan_id)
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action="report_opened_for_correction",
            subject=f"entry {register.key} {plan.code}",
            detail=f"month: {report.month:%Y-%m}\ncase: {case.number}\nuntil: {until}\nreason: {reason}",
        )
    )
    db.session.flush()
    return case


def _held(entry: RegisterEntry, month: date | None) -> ProgressReport:
    report = db.session.scalars(
        select(ProgressReport)
        .where(ProgressReport.entry_id == entry.id, ProgressReport.month == month)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if report is None or report.state == "open":
        raise Misfit(
            "month",
            Text(zh="請選擇已經填報的月份。", en="Choose a month that was reported."),
        )
    return report
