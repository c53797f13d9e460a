"""A monthly report as its case brings it: explained as the rules ask, kept, checked by the head, unlocked.

What has to be explained stands in the ruleset progress_lag.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from rules.values import Text
from webapp.errors import AnswersInvalid, Misfit, Refused
from webapp.extensions import db
from webapp.models import Case, ProgressReport, RegisterEntry
from webapp.periods import month_label
from webapp.permissions import Actor
from webapp.queries import milestones, plans, submissions
from webapp.services import clocks, later, plan_milestones, plan_progress
from webapp.services.plan_progress import Figures

FORM = "progress_report"
CHECKPOINTS = milestones.FIELD

#: what has to be explained, in the order of the form
PARTS = {
    "reason_class": Text(zh="請選擇原因類別", en="Choose the class of the reason"),
    "reason": Text(zh="請寫明原因", en="Give the reason"),
    "countermeasure": Text(zh="請寫明因應對策", en="Say what is done about it"),
    "catch_up_date": Text(zh="請填寫預定趕上日期", en="Say by when it will have caught up"),
}


def starting(case: Case) -> dict[str, Any]:
    """The form begins with what stands, where a report is sent back or corrected, and with the milestones."""
    report = _of(case)
    asked = {CHECKPOINTS: plan_milestones.starting(report)}
    if report.state == "open":
        return asked
    assert report.actual is not None, "what was published alone is not corrected"
    return {
        "actual": f"{report.actual.normalize():f}",
        "budget_spent": None if report.budget_spent is None else f"{report.budget_spent:f}",
        "phase": report.phase,
        "situation": report.note,
        "reason_class": report.reason_class,
        "reason": report.reason,
        "countermeasure": report.countermeasure,
        "catch_up_date": report.catch_up_date.isoformat() if report.catch_up_date else None,
        **asked,
    }


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit reported. AnswersInvalid names what cannot be, and what the rules want explained."""
    report = _of(case)
    sent = submissions.newest(case.id, FORM)
    assert sent is not None, "the transition requires the form"
    figures = _figures(report, sent.all_answers)
    entry = db.session.get_one(RegisterEntry, report.entry_id)
    plan_progress.hold_registers_of(entry.plan_id)
    reached = plan_milestones.keep(actor, report, sent.all_answers.get(CHECKPOINTS) or ())
    try:
        _held, fresh = plan_progress.record(
            entry, report.month, figures, now, origin="entered", version=report.version
        )
    except Misfit as misfit:
        raise AnswersInvalid({misfit.field: [misfit.text.in_(actor.language)]}) from None
    if reached:
        plan_progress.decide_again(entry.plan_id, now, besides=report.id if fresh else None)
    if missing := unexplained(report):
        raise AnswersInvalid({part: [why.in_(actor.language)] for part, why in missing.items()})


def check(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The head found it correct."""
    report = _of(case)
    report.state, report.version = "checked", report.version + 1


def unlock(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The plan-control office takes it after all, until a day; not once the month is closed."""
    report = _of(case)
    if plan_progress.is_closed(report.register_id, report.month):
        month = month_label(report.month)
        raise Refused(
            Text(
                zh=f"{month.zh}已經結算，不再受理填報；請以未填報結案。",
                en=f"{month.en} is closed and takes no report: close it as not reported.",
            )
        )
    report.open_until = on_date
    if on_date is not None:
        later.until(actor, case, on_date, now, clocks.UNLOCKED.zh)


#: effects of workflows that this room carries out
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_progress": keep,
    "check_progress": check,
    "unlock_progress": unlock,
}


def _of(case: Case) -> ProgressReport:
    return db.session.scalars(select(ProgressReport).where(ProgressReport.case_id == case.id)).one()


def _figures(report: ProgressReport, answers: Mapping[str, Any]) -> Figures:
    spent = answers.get("budget_spent")
    catch_up = answers.get("catch_up_date")
    return Figures(
        planned=report.planned,
        actual=Decimal(answers["actual"]),
        budget_due=report.budget_due,
        budget_spent=None if spent in (None, "") else Decimal(spent),
        phase=str(answers.get("phase") or ""),
        reason_class=answers.get("reason_class") or None,
        reason=str(answers.get("reason") or ""),
        countermeasure=str(answers.get("countermeasure") or ""),
        catch_up_date=date.fromisoformat(catch_up) if catch_up else None,
        note=str(answers.get("situation") or ""),
    )


def unexplained(report: ProgressReport) -> dict[str, Text]:
    """What the rules that decided the report want explained and it does not say, each with the rules that ask."""
    fired = plans.fired(report.id)
    assert fired is not None, "a report that was sent is decided"
    why = {entry["rule"]: entry for entry in fired.explanation}
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for outcome in fired.outcomes:
        if outcome["action"] == "require_explanation":
            for part in outcome["params"]["parts"]:
                asked.setdefault(part, []).append(why[outcome["rule"]])
    return {
        part: _because(part, asked[part]) for part in PARTS if part in asked and not getattr(report, part)
    }


def _because(part: str, rules: Sequence[Mapping[str, Any]]) -> Text:
    """請寫明原因：落後者填報原因、對策與趕上日期，進度落後 9.45 個百分點 > 落後門檻 0 個百分點。"""
    said = [(Text(**rule["label"]), Text(**rule["sentence"])) for rule in rules]
    return Text(
        zh=f"{PARTS[part].zh}：{'；'.join(f'{label.zh}，{why.zh}' for label, why in said)}。",
        en=f"{PARTS[part].en}: {'; '.join(f'{label.en}, {why.en}' for label, why in said)}.",
    )
