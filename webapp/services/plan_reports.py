"""A monthly report as its case brings it: explained as the rules ask, kept, checked by the head, unlocked.

What has to be explained stands in the ruleset progress_lag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from rules.values import Text
from webapp.errors import AnswersInvalid, Misfit
from webapp.extensions import db
from webapp.models import Case, ProgressReport, RegisterEntry
from webapp.periods import last_day
from webapp.permissions import Actor
from webapp.queries import submissions
from webapp.services import evaluation, plan_progress
from webapp.services.plan_progress import Figures

FORM = "progress_report"

#: what has to be explained, in words that say how
ASKED = {
    "reason_class": Text(
        zh="計畫落後，請選擇原因類別。", en="The plan is behind: choose the class of the reason."
    ),
    "reason": Text(zh="計畫落後，請寫明原因。", en="The plan is behind: give the reason."),
    "countermeasure": Text(
        zh="計畫落後，請寫明因應對策。", en="The plan is behind: say what is done about it."
    ),
    "catch_up_date": Text(
        zh="計畫落後，請填寫預定趕上日期。", en="The plan is behind: say by when it will have caught up."
    ),
}


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit reported. AnswersInvalid names what the rules want explained and what cannot be."""
    report = _of(case)
    sent = submissions.newest(case.id, FORM)
    assert sent is not None, "the transition requires the form"
    figures = _figures(report, sent.all_answers)
    missing = [part for part in _to_explain(report, figures) if not getattr(figures, part)]
    if missing:
        raise AnswersInvalid({part: [ASKED[part].in_(actor.language)] for part in missing})
    entry = db.session.get_one(RegisterEntry, report.entry_id)
    try:
        plan_progress.record(entry, report.month, figures, now, origin="entered", version=report.version)
    except Misfit as misfit:
        raise AnswersInvalid({misfit.field: [misfit.text.in_(actor.language)]}) from None


def check(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The head found it correct."""
    report = _of(case)
    report.state, report.version = "checked", report.version + 1


def unlock(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The plan-control office takes it after all, until a day."""
    _of(case).open_until = on_date


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


def _to_explain(report: ProgressReport, figures: Figures) -> Iterator[str]:
    """What the rules of the month ask of a report with these figures."""
    facts: dict[str, object] = {"plan.planned": figures.planned, "plan.actual": figures.actual}
    if figures.planned is not None and figures.actual is not None:
        facts["plan.lag"] = figures.planned - figures.actual
    decision, _revision = evaluation.decide(plan_progress.RULESET, facts, last_day(report.month))
    asked = {
        part
        for outcome in decision.outcomes
        if outcome.action == "require_explanation"
        for part in outcome.params["parts"]
    }
    yield from (part for part in ASKED if part in asked)
