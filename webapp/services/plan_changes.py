"""計畫修正: what a unit proposes is checked row by row; once approved it is a version of the planned curve.

Who approves it, and which letter comes with it, stands in the ruleset plan_reporting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select

from rules.values import Text, format_roc_date
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.models import (
    Baseline,
    Case,
    Edition,
    Plan,
    PlanRequest,
    ProgressReport,
    RegisterEntry,
    Submission,
    Task,
)
from webapp.moments import taipei_day
from webapp.periods import month_label, parse_month
from webapp.permissions import Actor
from webapp.queries import plan_facts, plan_lists, plan_requests, submissions
from webapp.queries.org import chart
from webapp.queries.plan_facts import Point
from webapp.services import alarms, plan_audit, plan_curves, plan_progress
from webapp.services import plan_requests as asking

FORM = "plan_change"
ASKED = {"plan.schedule_change": True}


@dataclass(frozen=True)
class Change:
    reason: str
    effective_month: date
    ends_on: date | None
    curve: Sequence[Point]


def known(case: Case) -> dict[str, Any]:
    """The form begins with the curve in force and the end of the plan."""
    entry = _entry(case)
    plan = db.session.get_one(Plan, entry.plan_id)
    return {
        "ends_on": plan.ends_on.isoformat() if plan.ends_on else None,
        "curve": [
            {
                "month": plan_curves.month_key(point.month),
                "planned": f"{point.planned.normalize():f}",
                "budget": None if point.budget is None else f"{point.budget:f}",
            }
            for point in plan_facts.curves([entry.id]).get(entry.id, [])
        ],
    }


def propose(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit sends: checked as it stands, and judged by the rules of the day."""
    request, entry = of(case), _entry(case)
    asking.require_live(entry)
    plan = db.session.get_one(Plan, entry.plan_id)
    sent = _sent(case)
    change, errors = _read(entry, plan, sent)
    decision = asking.decide({**facts(plan, now), **ASKED}, now)
    for needed in (o for o in decision.outcomes if o.action == "require_document"):
        if _was_attached(case, needed.params["document"]):
            continue
        why = Text(**asking.label_of(needed.rule, decision))
        errors.setdefault(needed.params["document"], []).append(
            Text(
                zh=f"依規則「{why.zh}」，請附上中央同意函。",
                en=f"The rule “{why.in_('en')}” asks for the ministry's letter.",
            )
        )
    if errors or change is None:
        raise AnswersInvalid(
            {key: [each.in_(actor.language) for each in said] for key, said in errors.items()}
        )
    request.approver = asking.named(decision)
    db.session.flush()


def apply(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The plan-control office takes it in: the next version of the curve, and reports of open months decided anew."""
    request = of(case)
    entry = plan_progress.hold_entry(request.entry_id)
    asking.require_live(entry)
    # before its reports, as whoever reports a milestone holds them
    lock = {"key_share": True}
    plan = db.session.get_one(Plan, entry.plan_id, with_for_update=lock, populate_existing=True)
    change, errors = _read(entry, plan, _sent(case))
    if errors or change is None:
        said = [each for texts in errors.values() for each in texts]
        raise Refused(
            Text(
                zh="送件後情況有變，不能照原申請核定，請退回單位補充：" + " ".join(each.zh for each in said),
                en="Things changed since it was sent; send it back: "
                + " ".join(each.in_("en") for each in said),
            )
        )
    newest = db.session.execute(
        select(func.coalesce(func.max(Baseline.number), 0)).where(Baseline.entry_id == entry.id)
    ).scalar_one()
    made = Baseline(
        entry_id=entry.id,
        number=newest + 1,
        reason=change.reason,
        effective_month=change.effective_month,
        approved_by_id=actor.account_id,
        approved_at=now,
        origin="entered",
        case_id=case.id,
    )
    plan_curves.approve(made, change.curve)
    asking.keep(case, {**facts(plan, now), **ASKED}, now)
    if change.ends_on is not None and change.ends_on != plan.ends_on:
        plan_audit.write(
            actor, "plan_changed", plan, {"ends_on": plan.ends_on}, {"ends_on": change.ends_on}, now
        )
        plan.ends_on = change.ends_on
    plan_audit.write(actor, "curve_changed", entry, {"curve": newest or None}, {"curve": made.number}, now)
    request.state = "granted"
    db.session.flush()
    measure(entry, change.effective_month, now)
    _say_anew(actor, entry, now)


def measure(entry: RegisterEntry, since: date, now: datetime) -> int:
    """Reports of a month from `since` on that is not closed are held against the curve in force, and decided anew."""
    of_entry = plan_facts.versions([entry.id]).get(entry.id, [])
    reports = db.session.scalars(
        select(ProgressReport)
        .where(
            ProgressReport.entry_id == entry.id,
            ProgressReport.month >= since,
            ProgressReport.published_class.is_(None),
            ProgressReport.origin != "published",
            ~plan_progress.in_closed_month(),
        )
        .order_by(ProgressReport.month)
        .with_for_update()
    ).all()
    for report in reports:
        point = plan_facts.planned_at(plan_facts.in_force(of_entry, report.month), report.month)
        if point is None:
            continue  # before the first month of the curve
        report.planned, report.budget_due = point.planned, point.budget
        report.version += 1
    db.session.flush()
    for report in reports:
        db.session.refresh(report)  # the database computes lag and execution
    # who has not reported yet is decided when the report comes, or when its day has passed
    plan_progress.evaluate([report for report in reports if report.state != "open" or report.light], now)
    return len(reports)


def _say_anew(actor: Actor, entry: RegisterEntry, now: datetime) -> None:
    """Cases that ask for a report say what it is measured against now."""
    for report in db.session.scalars(
        select(ProgressReport)
        .join(Case, Case.id == ProgressReport.case_id)
        .where(ProgressReport.entry_id == entry.id, Case.status == "open")
        .order_by(ProgressReport.id)
    ):
        assert report.case_id is not None
        before = submissions.application(report.case_id)
        said = {
            **before.answers,
            "planned": plan_lists.written(report.planned) or None,
            "budget_due": plan_lists.written(report.budget_due) or None,
        }
        if said != before.answers:
            db.session.add(
                Submission(
                    case_id=report.case_id,
                    number=before.number + 1,
                    form_revision_id=before.form_revision_id,
                    answers=said,
                    personal=before.personal,
                    created_by_id=actor.account_id,
                    created_at=now,
                )
            )
    db.session.flush()


def ask_approver(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The task of approval goes to the function that the rules name, of the unit or above it."""
    function = of(case).approver or plan_requests.RESEARCH
    today, tree = taipei_day(now), chart()
    for task in db.session.scalars(
        select(Task)
        .where(Task.case_id == case.id, Task.visit == case.visit, Task.state == "open")
        .order_by(Task.id)
    ):
        if task.function == function:
            continue
        unit_id, seats = tree.holders(case.handling_unit_id, function, today)
        holders = {seat.account_id for seat in seats}
        task.function, task.unit_id = function, unit_id
        task.assignee_id = holders.pop() if len(holders) == 1 else None
        if not seats:
            alarms.vacant(tree.units[unit_id], function, now)
    db.session.flush()


def end(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """Refused or taken back: everything stays as it was."""
    of(case).state = "ended"
    db.session.flush()


def of(case: Case) -> PlanRequest:
    found = plan_requests.of_case(case)
    assert found is not None, case.number
    return found


def facts(plan: Plan, now: datetime) -> dict[str, object]:
    """What plan_reporting may know of a plan."""
    today = taipei_day(now)
    return {
        "plan.origins": tuple(plan.origins),
        "plan.level": plan.level,
        "plan.completed": plan.completed_on is not None and plan.completed_on <= today,
        "plan.accepted": plan.accepted_on is not None and plan.accepted_on <= today,
    }


def _entry(case: Case) -> RegisterEntry:
    return db.session.get_one(RegisterEntry, of(case).entry_id)


def _sent(case: Case) -> Mapping[str, Any]:
    found = submissions.newest(case.id, FORM)
    assert found is not None, "the transition requires the form"
    return found.all_answers


def _was_attached(case: Case, field: str) -> bool:
    """With this sending or an earlier one: what was sent back keeps its papers."""
    sent = db.session.scalars(
        select(Submission)
        .where(Submission.case_id == case.id, Submission.kind == FORM)
        .order_by(Submission.number)
    )
    return any(each.all_answers.get(field) for each in sent)


def _read(
    entry: RegisterEntry, plan: Plan, answers: Mapping[str, Any]
) -> tuple[Change | None, dict[str, list[Text]]]:
    """What was proposed, or every mistake by the field that has it."""
    errors: dict[str, list[Text]] = {}
    rows = [
        plan_curves.Row(
            number, str(row.get("month", "")), str(row.get("planned", "")), str(row.get("budget") or "")
        )
        for number, row in enumerate(answers.get("curve") or (), start=1)
    ]
    curve, mistakes = plan_curves.read(rows)
    month = _month(entry, str(answers.get("effective_month", "")), errors)
    if not mistakes and month is not None and not errors:
        mistakes = _touches_the_past(entry, curve, month)
    if mistakes:
        errors["curve"] = mistakes
    ends_on = date.fromisoformat(answers["ends_on"]) if answers.get("ends_on") else None
    if ends_on is not None and plan.starts_on is not None and ends_on < plan.starts_on:
        errors["ends_on"] = [
            Text(
                zh=f"完成日期不能早於計畫開始的 {plan.starts_on}。",
                en=f"The plan cannot end before it starts on {plan.starts_on}.",
            )
        ]
    end = ends_on or plan.ends_on
    if not mistakes and end is not None and curve[-1].month > end:
        label = month_label(curve[-1].month)
        errors.setdefault("ends_on", []).append(
            Text(
                zh=f"預定進度到{label.zh}才完成，晚於計畫的完成日 {format_roc_date(end)}，請填寫新的完成日期。",
                en=f"The curve ends in {label.en}, after the plan ends on {end}: give the new end.",
            )
        )
    if errors or month is None:
        return None, errors
    return Change(str(answers["reason"]), month, ends_on, curve), {}


def _month(entry: RegisterEntry, typed: str, errors: dict[str, list[Text]]) -> date | None:
    try:
        month = parse_month(typed)
    except ValueError:
        errors["effective_month"] = [Text(zh="月份例如 115-08。", en="A month is 115-08.")]
        return None
    since = entry.since.replace(day=1)
    closed = db.session.execute(
        select(func.max(Edition.last_month)).where(Edition.register_id == entry.register_id)
    ).scalar_one()
    if month < since:
        label = month_label(since)
        errors["effective_month"] = [
            Text(zh=f"不能早於列管的 {label.zh}。", en=f"Not before {label.en}, when the entry begins.")
        ]
    elif closed is not None and month <= closed:
        label = month_label(closed)
        errors["effective_month"] = [
            Text(
                zh=f"{label.zh}以前已經結算，請從之後的月份起修正。",
                en=f"Everything up to {label.en} is closed: choose a later month.",
            )
        ]
    return month


def _touches_the_past(entry: RegisterEntry, curve: Sequence[Point], month: date) -> list[Text]:
    """Months before the change stand as they were approved, none more and none less; from it on there is a plan."""
    approved = {p.month: p for p in plan_facts.curves([entry.id]).get(entry.id, []) if p.month < month}
    proposed = {p.month: p for p in curve if p.month < month}
    mistakes = [
        _stands(month_label(each), approved.get(each))
        for each in sorted(approved.keys() | proposed.keys())
        if approved.get(each) != proposed.get(each)
    ]
    if not mistakes and plan_facts.planned_at(curve, month) is None:
        label = month_label(month)
        mistakes.append(
            Text(
                zh=f"請填寫生效月份（{label.zh}）的累計預定進度。",
                en=f"Give the share of {label.en}, when the change takes effect.",
            )
        )
    return mistakes


def _stands(label: Text, approved: Point | None) -> Text:
    if approved is None:
        return Text(
            zh=f"{label.zh}在修正生效以前，原核定沒有這個月，請刪除這一列。",
            en=f"{label.en} lies before the change and was not approved: take the row out.",
        )
    money = approved.budget
    zh = f"{approved.planned.normalize():f}%" + ("" if money is None else f"、{money:,f} 元")
    en = f"{approved.planned.normalize():f} %" + ("" if money is None else f" and NT$ {money:,f}")
    return Text(
        zh=f"{label.zh}在修正生效以前，須照原核定的 {zh}。",
        en=f"{label.en} lies before the change and stays at {en}.",
    )
