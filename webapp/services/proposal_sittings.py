"""審查會議: its agenda, and what it decides of many proposals at once, each by its own case.

What cannot be done to one proposal is said of that one; nothing of the others is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select

from rules.values import Text, format_day
from webapp.errors import DomainError, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.models import Case, Proposal, ProposalCall, ProposalSitting, Task
from webapp.models.proposals import MODES
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import proposals
from webapp.services import cases
from webapp.services.proposal_calls import audit, require
from webapp.services.steps import Given
from workflows.engine import WorkflowError

LONGEST_WORDS = 2000
ALL_OF_IT = Text(
    zh="「納入」照提報的經費；經費有變更請選「修正後納入」，沒有變更請清空這一格。",
    en="“Keep” keeps what was asked for: choose “Keep when amended” for another amount, or empty this box.",
)
NONE_OF_IT = Text(
    zh="沒有納入的計畫不填經費，請清空這一格。", en="What is left out keeps no money: empty this box."
)
#: what a meeting may decide, and the transition that it takes
DECISIONS = {"kept": "keep", "amended": "amend", "dropped": "drop"}


@dataclass(frozen=True)
class Chosen:
    """A ticked row of the page: its case as the page showed it."""

    case: str
    version: int
    #: what is left of the money, where somebody said so
    amount: Decimal | None = None


@dataclass
class Done:
    """What became of a batch: titles of those that went through, and why others did not."""

    done: list[str] = field(default_factory=list)
    failed: list[tuple[str, Text]] = field(default_factory=list)


def plan(
    actor: Actor, of: ProposalCall, mode: str, held_on: date, place: str, chair: str, now: datetime
) -> ProposalSitting:
    """The next sitting of a call."""
    require(actor)
    if mode not in MODES:
        raise Misfit("mode", Text(zh="請選擇會議的種類。", en="Choose the kind of sitting."))
    for name, text, longest in (("place", place, 120), ("chair", chair, 80)):
        if not 0 < len(text) <= longest:
            raise Misfit(
                name, Text(zh=f"請填寫，最多 {longest} 字。", en=f"Required, at most {longest} characters.")
            )
    if held_on < of.opens_on:
        raise Misfit(
            "held_on", Text(zh="會議不能早於先期作業開始日。", en="It is not held before the call opens.")
        )
    # numbered one after the other
    db.session.refresh(of, with_for_update=True)
    number = db.session.scalars(
        select(func.coalesce(func.max(ProposalSitting.number), 0)).where(ProposalSitting.call_id == of.id)
    ).one()
    made = ProposalSitting(
        call_id=of.id, number=number + 1, mode=mode, held_on=held_on, place=place, chair=chair
    )
    db.session.add(made)
    db.session.flush()
    audit(actor, "sitting_planned", f"{of.public_id} {made.number}", now)
    return made


def assign(actor: Actor, of: ProposalSitting, chosen: Sequence[Chosen], now: datetime) -> Done:
    """Puts proposals that passed the first review on the agenda."""
    require(actor)
    asked_for(chosen)

    def put(case: Case, row: Chosen) -> None:
        cases.hold(case, row.version)
        proposal = _of(case)
        if proposal.call_id != of.call_id or case.state != "meeting" or proposal.sitting_id is not None:
            raise Refused(
                Text(
                    zh="不是等候審查會議的提報，或已排入別的場次。",
                    en="It does not wait for a sitting of this call.",
                )
            )
        if proposals.decided_in(of, proposal):
            raise Refused(
                Text(
                    zh="這一場已經決議過這件，再議請排入另一場。",
                    en="This sitting has decided it already: put it before another one.",
                )
            )
        proposal.sitting_id = of.id

    found = _each(actor, chosen, put)
    audit(actor, "agenda_set", f"{of.public_id} +{len(found.done)}", now)
    return found


def unassign(actor: Actor, of: ProposalSitting, chosen: Sequence[Chosen], now: datetime) -> Done:
    """Takes undecided proposals off the agenda."""
    require(actor)
    asked_for(chosen)

    def take_off(case: Case, row: Chosen) -> None:
        cases.hold(case, row.version)
        proposal = _of(case)
        if proposal.sitting_id != of.id or proposal.decision is not None:
            raise Refused(
                Text(zh="已經決議，不能移出議程。", en="It is decided already and stays on the agenda.")
            )
        proposal.sitting_id = None

    found = _each(actor, chosen, take_off)
    audit(actor, "agenda_set", f"{of.public_id} -{len(found.done)}", now)
    return found


def decide(
    actor: Actor, of: ProposalSitting, decision: str, chosen: Sequence[Chosen], words: str, now: datetime
) -> Done:
    """納入、修正後納入、不納入, or what the ministry approved: all ticked ones in one act."""
    require(actor)
    asked_for(chosen)
    if decision not in DECISIONS:
        raise Misfit("decision", Text(zh="請選擇決議。", en="Choose a decision."))
    if len(words) > LONGEST_WORDS:
        raise Misfit(
            "words", Text(zh=f"最多 {LONGEST_WORDS} 字。", en=f"{LONGEST_WORDS} characters at most.")
        )
    if decision != "kept" and not words:
        raise Misfit(
            "words",
            Text(
                zh="請寫明要修正的內容，或不納入的理由。",
                en="Say what has to be amended, or why it is left out.",
            ),
        )
    changes = decision == "amended" or (decision == "kept" and of.mode == "central")
    for row in chosen:
        if row.amount is not None and not changes:
            raise Misfit(f"amount-{row.case}", ALL_OF_IT if decision == "kept" else NONE_OF_IT)
    if taipei_day(now) < of.held_on:
        raise Refused(
            Text(
                zh=f"會議在{format_day(of.held_on, 'zh')}召開，還不能登錄決議。",
                en=f"The sitting is on {format_day(of.held_on, 'en')}: nothing is decided yet.",
            )
        )

    def take(case: Case, row: Chosen) -> None:
        proposal = _of(case)
        if proposal.sitting_id != of.id:
            raise Refused(Text(zh="不在這一場的議程上。", en="It is not on the agenda of this sitting."))
        name, said = DECISIONS[decision], words
        amount = row.amount
        if amount is not None and amount != proposal.budget:
            if not 0 < amount < (proposal.budget or 0):
                raise Refused(
                    Text(
                        zh=f"金額須大於 0，且不超過提報的 {proposal.budget:,} 元。",
                        en=f"The amount lies above 0 and not above the NT$ {proposal.budget:,} that were asked for.",
                    )
                )
            proposal.kept_amount = amount
            if decision == "kept":
                # less than was asked for: the unit brings its budget and curve to what is left
                name = DECISIONS["amended"]
                said = f"中央核定 {amount:,} 元，請依核定金額修正經費與預定進度。{words}"
        _take(actor, case, name, row.version, said, now)

    found = _each(actor, chosen, take)
    audit(actor, f"proposals_{decision}", f"{of.public_id} {len(found.done)}", now)
    return found


def approve(actor: Actor, of: ProposalCall, chosen: Sequence[Chosen], now: datetime) -> Done:
    """核定: by whoever holds the function that the workflow names; what is approved is controlled from then on."""
    require_approver(actor)
    asked_for(chosen)

    def take(case: Case, row: Chosen) -> None:
        if _of(case).call_id != of.id:
            raise Refused(Text(zh="不是這次先期作業的提報。", en="It is no proposal of this call."))
        _take(actor, case, "approve", row.version, "", now)

    found = _each(actor, chosen, take)
    audit(actor, "proposals_approved", f"{of.public_id} {len(found.done)}", now)
    return found


def require_approver(actor: Actor) -> None:
    if not actor.may("approve_plans"):
        raise Forbidden(Text(zh="只有秘書長可以核定計畫。", en="Only the secretary general approves plans."))


def asked_for(chosen: Sequence[Chosen]) -> None:
    if not chosen:
        raise Misfit("cases", Text(zh="請至少勾選一件。", en="Tick at least one."))


def _take(actor: Actor, case: Case, name: str, version: int, words: str, now: datetime) -> None:
    """On the open task of the case, whoever of those who may act holds it."""
    task_id = db.session.scalars(
        select(Task.id).where(Task.case_id == case.id, Task.state == "open").order_by(Task.id).limit(1)
    ).first()
    cases.take_transition(actor, case, name, now, version=version, task_id=task_id or 0, given=Given(words))


def _each(actor: Actor, chosen: Sequence[Chosen], take: Callable[[Case, Chosen], None]) -> Done:
    """One by one: what is refused leaves nothing behind."""
    found = Done()
    rows = db.session.execute(
        select(Case, Proposal.title)
        .join(Proposal, Proposal.case_id == Case.id)
        .where(Case.public_id.in_([row.case for row in chosen]), visible_to(actor))
    )
    known = {case.public_id: (case, title) for case, title in rows}
    for row in {each.case: each for each in chosen}.values():
        if row.case not in known:
            found.failed.append((row.case, Text(zh="找不到這件提報。", en="There is no such proposal.")))
            continue
        case, title = known[row.case]
        name = f"{case.number} {title}"
        try:
            with db.session.begin_nested():
                take(case, row)
                db.session.flush()
        except (DomainError, WorkflowError) as refusal:
            found.failed.append((name, refusal.text))
        else:
            found.done.append(name)
    return found


def _of(case: Case) -> Proposal:
    return db.session.scalars(select(Proposal).where(Proposal.case_id == case.id).with_for_update()).one()
