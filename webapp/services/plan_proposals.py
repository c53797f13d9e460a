"""A proposal as its case brings it: checked when it is sent, decided in a sitting, entered as a plan once approved.

Who controls the plan follows from the ruleset plan_selection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from rules.decision import Decision
from rules.values import Text
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.models import (
    Baseline,
    Case,
    CaseEvent,
    EventPayload,
    Plan,
    PlanBudget,
    PlanSite,
    PlanUnit,
    Proposal,
    ProposalCall,
    ProposalDecision,
    Register,
    RegisterEntry,
    Task,
)
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import proposals, submissions
from webapp.queries.org import chart
from webapp.queries.plan_facts import Point
from webapp.services import (
    evaluation,
    notices,
    plan_curves,
    plan_imports,
    plan_milestones,
    plan_progress,
    proposal_figures,
)
from webapp.services.proposal_figures import Figures
from workflows.functions import FUNCTION_LABELS

FORM = "plan_proposal"
RULESET = "plan_selection"
REASON = "先期作業核定"


# --- sent by the unit -----------------------------------------------------------------------------------------


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit asks for. Sent once while its call is open; corrected as often as it is sent back."""
    of = _of(case)
    # two of one title, one after the other
    call = db.session.get_one(ProposalCall, of.call_id, with_for_update=True)
    if of.handed_in_at is None:
        proposals.require_open(call, of.unit_id, taipei_day(now))
    answers = _answers(case)
    found = proposal_figures.read(answers, _year(of))
    if not isinstance(found, Figures):
        raise AnswersInvalid(proposal_figures.in_language(found, actor.language))
    other = proposals.of_same_title(of.call_id, of.unit_id, answers["title"], besides=of.id)
    if other is not None:
        raise AnswersInvalid({"title": [taken(other).in_(actor.language)]})
    of.title = answers["title"]
    if of.decision is None:
        of.budget, of.handed_in_at = found.total, of.handed_in_at or now
    elif found.total != (left := of.kept_amount or of.budget):
        said = Text(
            zh=f"審查決議的金額是 {left:,} 元，各列合計是 {found.total:,} 元，兩者須相同。",
            en=f"NT$ {left:,} was decided; your rows add up to NT$ {found.total:,}. They have to agree.",
        )
        raise AnswersInvalid({"budget": [said.in_(actor.language)]})
    db.session.flush()


def taken(number: str) -> Text:
    return Text(
        zh=f"貴單位在這次先期作業已經提報同名的計畫（{number}），請改用不同名稱，或到那一件繼續辦理。",
        en=f"Your unit has proposed a plan of this title in this call already ({number}): choose another title, or "
        f"go on with that one.",
    )


# --- decided in a sitting ---------------------------------------------------------------------------------------


def kept(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    # reopened after it had been amended: what was amended is what is kept
    of, total = _of(case), _figures(case).total
    of.kept_amount = total if total != of.budget else None
    _decided(actor, case, "kept", now)


def amended(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    _decided(actor, case, "amended", now)


def dropped(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The unit reads why, in its notices and on the case."""
    of = _decided(actor, case, "dropped", now)
    _tell(
        case,
        now,
        Text(zh=f"審查會議決議不納入：{of.title}", en=f"The meeting left it out: {of.title}"),
        Text(zh=f"理由：{of.words}", en=f"Reason: {of.words}"),
    )


def reopened(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """Back before a meeting, of whichever sitting; what was decided stays in the minutes of its own."""
    put_back(_of(case))


def put_back(of: Proposal) -> None:
    """On no agenda, and undecided."""
    of.decision = of.decided_at = of.decided_by_id = of.kept_amount = of.sitting_id = None
    of.words = ""
    db.session.flush()


def _decided(actor: Actor, case: Case, decision: str, now: datetime) -> Proposal:
    of = _of(case)
    if of.sitting_id is None:
        raise Refused(
            Text(
                zh="這件提報還沒有排入審查會議，請先在場次的頁面排入議程，再登錄決議。",
                en="This proposal stands on no agenda yet: put it before a sitting first, then record its decision.",
            )
        )
    of.decision, of.decided_at, of.decided_by_id, of.words = decision, now, actor.account_id, _comment(case)
    db.session.add(
        ProposalDecision(
            proposal_id=of.id,
            sitting_id=of.sitting_id,
            title=of.title,
            decision=decision,
            amount=(of.kept_amount or of.budget) if decision != "dropped" else None,
            words=of.words,
            by_id=actor.account_id,
            at=now,
        )
    )
    db.session.flush()
    return of


def _comment(case: Case) -> str:
    """Of the event that is being carried out, the newest of the case; one without words has no payload."""
    body = db.session.scalars(
        select(EventPayload.body)
        .select_from(CaseEvent)
        .outerjoin(EventPayload, EventPayload.event_id == CaseEvent.id)
        .where(CaseEvent.case_id == case.id)
        .order_by(CaseEvent.seq.desc())
        .limit(1)
    ).first()
    return str((body or {}).get("comment", ""))


# --- approved ---------------------------------------------------------------------------------------------------


def enter(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """The plan, its place in the register of the call, and its first planned curve."""
    of = _of(case)
    call, answers, figures = db.session.get_one(ProposalCall, of.call_id), _answers(case), _figures(case)
    register = db.session.get_one(Register, call.register_id)
    decision = _controlled(case, register, answers, figures, now)
    level = _outcome(decision, "select_for_control", "level")
    if level is None:
        raise Refused(
            Text(
                zh="規則「計畫選項列管」沒有判定這個計畫由誰列管，請先檢查規則，再核定。",
                en="The ruleset “Selecting plans for control” does not say who controls this plan: look at it first.",
            )
        )
    plan = Plan(
        code=plan_imports.next_code(register.roc_year),
        title=of.title,
        kind="subsidy" if call.subsidy else "yearly",
        roc_year=register.roc_year,
        level=level,
        lead_unit_id=of.unit_id,
        starts_on=figures.starts_on,
        ends_on=figures.ends_on,
        origin="entered",
        case_id=case.id,
    )
    db.session.add(plan)
    db.session.flush()
    _describe(plan, answers, figures)
    supervisors = _outcome(decision, "assign_supervisor", "to") or ()
    # one after the other, for the number in the register
    plan_progress.hold(register.id, alone=True)
    entry = RegisterEntry(
        register_id=register.id,
        plan_id=plan.id,
        case_no=_next_number(register.id),
        supervisor="、".join(FUNCTION_LABELS[name].zh for name in supervisors),
        since=max(taipei_day(now), date(register.roc_year + 1911, 1, 1)),
        origin="entered",
    )
    db.session.add(entry)
    db.session.flush()
    _first_curve(actor, case, entry, figures.curve, now)
    _tell(
        case,
        now,
        Text(zh=f"計畫已核定列管：{of.title}", en=f"Approved: {of.title}"),
        Text(
            zh=f"列入{register.name_zh}，案號 {entry.case_no}，每期依預定進度填報。",
            en=f"It is number {entry.case_no} in {register.name_en}, and reports against its planned progress.",
        ),
    )


def _controlled(
    case: Case, register: Register, answers: Mapping[str, Any], figures: Figures, now: datetime
) -> Decision:
    """What the rules say of the plan; kept with the case, and why."""
    today = taipei_day(now)
    facts = {
        "plan.budget": figures.total,
        "plan.origins": tuple(answers.get("origins") or ()),
        "plan.newly_approved": today >= date(register.roc_year + 1911, 1, 1),
    }
    decision, revision = evaluation.decide(RULESET, facts, today)
    db.session.add(evaluation.firing(case.id, decision, revision, now))
    db.session.flush()
    evaluation.report([(decision, revision)], now)
    return decision


def _outcome(decision: Decision, action: str, param: str) -> Any:
    return next((each.params[param] for each in decision.outcomes if each.action == action), None)


def _describe(plan: Plan, answers: Mapping[str, Any], figures: Figures) -> None:
    tree = chart()
    further = [tree.by_code.get(each["value"]) for each in answers.get("co_units") or ()]
    units = [unit.id for unit in further if unit is not None and unit.id != plan.lead_unit_id]
    db.session.add_all(
        [
            *(PlanUnit(plan_id=plan.id, unit_id=unit, position=n) for n, unit in enumerate(units, start=1)),
            *(
                PlanSite(plan_id=plan.id, position=n, name=row["name"])
                for n, row in enumerate(answers.get("sites") or (), start=1)
            ),
            *(
                PlanBudget(plan_id=plan.id, roc_year=row.year, source=row.source, amount=row.amount)
                for row in figures.budget
            ),
        ]
    )
    db.session.flush()
    # one that was proposed twice is one
    plan_milestones.put(plan, list(dict.fromkeys((each.what, each.month) for each in figures.milestones)))


def _next_number(register_id: int) -> str:
    numbers = db.session.scalars(
        select(RegisterEntry.case_no).where(
            RegisterEntry.register_id == register_id, RegisterEntry.case_no.regexp_match("^[0-9]+$")
        )
    )
    return str(max(map(int, filter(None, numbers)), default=0) + 1)


def _first_curve(
    actor: Actor, case: Case, entry: RegisterEntry, curve: Sequence[Point], now: datetime
) -> None:
    baseline = Baseline(
        entry_id=entry.id,
        number=1,
        reason=REASON,
        effective_month=curve[0].month,
        approved_by_id=actor.account_id,
        approved_at=now,
        origin="entered",
        case_id=case.id,
    )
    plan_curves.approve(baseline, curve)


#: effects of the workflow of a proposal
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_proposal": keep,
    "proposal_kept": kept,
    "proposal_amended": amended,
    "proposal_dropped": dropped,
    "proposal_reopened": reopened,
    "enter_plan": enter,
}


# --- parts ------------------------------------------------------------------------------------------------------


def starting(case: Case) -> dict[str, Any]:
    """What the form of a new proposal begins with: the months of the year that it is for."""
    of = _of(case)
    year = _year(of)
    return {
        "title": of.title,
        "starts_on": f"{year + 1911}-01-01",
        "ends_on": f"{year + 1911}-12-31",
        "budget": [{"year": year}],
        "curve": [{"month": f"{year}/{month}"} for month in range(1, 13)],
    }


def _year(of: Proposal) -> int:
    """For which it is proposed."""
    return proposals.register_of(db.session.get_one(ProposalCall, of.call_id)).roc_year


def _of(case: Case) -> Proposal:
    return db.session.scalars(select(Proposal).where(Proposal.case_id == case.id)).one()


def _answers(case: Case) -> dict[str, Any]:
    sent = submissions.newest(case.id, FORM)
    assert sent is not None, "the transition requires the form"
    return sent.all_answers


def _figures(case: Case) -> Figures:
    found = proposal_figures.read(_answers(case), _year(_of(case)))
    assert isinstance(found, Figures), "it was checked when it was sent"
    return found


def _tell(case: Case, now: datetime, subject: Text, body: Text) -> None:
    """Whoever wrote it and whoever checked it."""
    people = set(
        db.session.scalars(
            select(Task.done_by_id)
            .where(
                Task.case_id == case.id,
                Task.key.in_(("fill", "check", "amend")),
                Task.done_by_id.is_not(None),
            )
            .order_by(Task.id)
        )
    )
    notices.tell_staff(people, f"proposal:{case.public_id}:{case.visit}", subject, body, now, case.id)
