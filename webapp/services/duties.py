"""Separation of duties: who may not act on a case (行政程序法 32), and who stands above whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from rules.values import Text
from webapp import crypto
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Account, Case, Party, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import history
from webapp.queries.org import Mandate, chart
from webapp.services import hearings, parties
from webapp.services.hearings import Heard
from workflows.functions import RANKS
from workflows.model import DECIDES, State, Step, Transition, WorkflowDefinition

if TYPE_CHECKING:
    from webapp.services.steps import Context

HELPED = Text(
    zh="這份申請由您協助申請人填寫，不能由您決行，請由其他同仁決行。",
    en="You helped the applicant to fill in this application, so somebody else must decide it.",
)
OWN_CASE = Text(
    zh="當事人或其代理人是您本人或您代理的同仁，依法應自行迴避。",
    en="You, or the colleague for whom you stand in, are a party or its agent and may not act on this case.",
)


@dataclass(frozen=True)
class Duties:
    """Who may not do what in a case as it stands."""

    workflow: WorkflowDefinition
    state: str
    #: staff who are the applicant, or a party or its agent by their own address or number
    parties: frozenset[int]
    proposers: frozenset[int]
    #: the clerk to whom the applicant handed the draft; who only enters what is on paper is none
    helpers: frozenset[int]
    #: (state, people) of the present round of approval: the proposal and every level since
    acted: tuple[tuple[str, frozenset[int]], ...]

    def refusal(self, people: Collection[int], transition: Transition) -> Text | None:
        """Why these people, an officer and whomever they stand in for, may not take the transition."""
        if self.is_party(people):
            return OWN_CASE
        if not approves(self.workflow, self.state, transition):
            return None
        return self._second_level(people) if self.helpers.isdisjoint(people) else HELPED

    def is_party(self, people: Collection[int]) -> bool:
        return not self.parties.isdisjoint(people)

    def bars(self, person: int, state: str, for_id: int | None = None) -> bool:
        """Whether somebody, for themselves or as a deputy, may not approve in a state."""
        people = {person} | ({for_id} if for_id is not None else set())
        if self.is_party(people):
            return True
        return state in approval_states(self.workflow) and (
            not self.helpers.isdisjoint(people) or self._elsewhere(people, state) is not None
        )

    def _second_level(self, people: Collection[int]) -> Text | None:
        if not self.proposers.isdisjoint(people):
            return Text(
                zh="這個案件由您擬辦，不能再由您決行，請由其他主管決行。",
                en="You proposed this decision, so somebody else must approve it.",
            )
        before = self._elsewhere(people, self.state)
        if before is None:
            return None
        label = self.workflow.state(before).label
        return Text(
            zh=f"您在「{label}」已經核過這個案件，不能再核另一個層級，請由其他主管辦理。",
            en=f"You already acted on this case at “{label.in_('en')}”; another head must act at this level.",
        )

    def _elsewhere(self, people: Collection[int], state: str) -> str | None:
        levels = (level for level, who in self.acted if level != state and not who.isdisjoint(people))
        return next(levels, None)


def of(ctx: Context) -> Duties:
    case = ctx.case
    proposers = _proposers(case)
    acted = tuple(_acted(case, ctx.workflow)) if proposers else ()
    return Duties(ctx.workflow, case.state, party_of(case), proposers, _helpers(case), acted)


def after(ctx: Context, step: Step, people: frozenset[int]) -> Duties:
    """As they are once a step is taken that the history does not yet have."""
    case = ctx.case
    proposers = _proposers(case)
    before = tuple(_acted(case, ctx.workflow)) if proposers and not step.proposal else ()
    acted = ((step.from_state or "", people), *before)
    return Duties(ctx.workflow, step.to_state, party_of(case), proposers, _helpers(case), acted)


def strangers(ctx: Context, step: Step) -> Duties:
    """Where a step leads to no level of approval: only the parties must stay away."""
    return Duties(ctx.workflow, step.to_state, party_of(ctx.case), frozenset(), frozenset(), ())


def _proposers(case: Case) -> frozenset[int]:
    return frozenset(p for p in (case.proposed_by_id, case.proposed_for_id) if p is not None)


def _helpers(case: Case) -> frozenset[int]:
    intake = case.intake or {}
    return frozenset({intake["clerk"]}) if intake.get("handed_over") else frozenset()


def approval_states(workflow: WorkflowDefinition) -> frozenset[str]:
    """The levels of approval: from here a case can be granted without being proposed anew."""
    found: set[str] = set()
    while True:
        more = {
            key
            for key, state in workflow.states.items()
            if key not in found and any(_grants(state, t, found) for t in state.transitions.values())
        }
        if not more:
            return frozenset(found)
        found |= more


def _grants(state: State, transition: Transition, levels: set[str]) -> bool:
    if transition.by != "task" or transition.proposes:
        return False
    return "issue_decision" in _effects(state, transition) or not levels.isdisjoint(
        _targets(state, transition)
    )


def approves(workflow: WorkflowDefinition, at: str, transition: Transition) -> bool:
    """Whether a transition decides, or passes the case on from one level of approval to another."""
    state = workflow.state(at)
    if not DECIDES.isdisjoint(_effects(state, transition)):
        return True
    levels = approval_states(workflow)
    return (
        at in levels and not transition.proposes and not levels.isdisjoint(_targets(state, transition) - {at})
    )


def decides(effects: Iterable[str]) -> bool:
    return not DECIDES.isdisjoint(effect.partition(":")[0] for effect in effects)


def _effects(state: State, transition: Transition) -> set[str]:
    joined = (effect for way in state.joined for effect in way.effects) if transition.completes else ()
    return {effect.partition(":")[0] for effect in (*transition.effects, *joined)}


def _targets(state: State, transition: Transition) -> set[str]:
    if transition.completes:
        return {way.to for way in state.joined}
    return {transition.to} if transition.to else set()


def party_of(case: Case) -> frozenset[int]:
    """The account that applied, and the officers whose own address or number stands in the application.

    As the applicant's, the agent's or the other side's: all must stay away (行政程序法 32 ①③).
    """
    return parties_of([case])[case.id]


def parties_of(cases: Sequence[Case]) -> dict[int, frozenset[int]]:
    """The same for many cases, in four statements."""
    rows, heard = parties.of_cases([case.id for case in cases]), hearings.heard_of(cases)
    people = {
        case.id: [*rows[case.id], *(each for each in heard[case.id] if not each.is_applicant)]
        for case in cases
    }
    return _staff_among(people, {case.id: case.account_id for case in cases})


def staff_among(people: Iterable[Party | Heard], applied_by: int | None) -> frozenset[int]:
    """The account that applied, and the officers among these people."""
    return _staff_among({0: people}, {0: applied_by})[0]


def _staff_among(
    people: Mapping[int, Iterable[Party | Heard]], applied_by: Mapping[int, int | None]
) -> dict[int, frozenset[int]]:
    known = {key: known_by(rows) for key, rows in people.items()}
    addresses = {each for found, _numbers in known.values() for each in found}
    numbers = {each for _addresses, found in known.values() for each in found}
    staff: Sequence[Any] = ()
    if addresses or numbers:
        staff = db.session.execute(
            select(Account.id, Account.email_hash, Account.mobile_hash).where(
                Account.kind == "staff",
                or_(Account.email_hash.in_(addresses), Account.mobile_hash.in_(numbers)),
            )
        ).all()
    return {
        key: frozenset(
            {row.id for row in staff if row.email_hash in theirs[0] or row.mobile_hash in theirs[1]}
            | ({applied_by[key]} - {None})
        )
        for key, theirs in known.items()
    }


def known_by(rows: Iterable[Party | Heard]) -> tuple[set[str], set[str]]:
    """The keyed hashes of their addresses and of their numbers."""
    known = [(row.email or "", "".join(c for c in row.phone or "" if c.isdigit())) for row in rows]
    return (
        {crypto.keyed_hash(email.strip().casefold(), "email") for email, _number in known if email},
        {crypto.keyed_hash(number, "mobile") for _email, number in known if number},
    )


def is_party_of_any(cases: Collection[Case], *people: int | None) -> bool:
    """The same rule for the many cases of a list, in two statements."""
    if any(case.account_id is not None and case.account_id in people for case in cases):
        return True
    rows = db.session.scalars(select(Party).where(Party.case_id.in_([case.id for case in cases])))
    addresses, numbers = known_by(rows)
    theirs = select(Account.email_hash, Account.mobile_hash).where(Account.id.in_(people))
    return any(
        address in addresses or number in numbers for address, number in db.session.execute(theirs).all()
    )


def is_party(case: Case, *people: int | None) -> bool:
    """Whether one of them, an officer or whomever they stand in for, is a party of the case."""
    return not party_of(case).isdisjoint(people)


def require_stranger(case: Case, *people: int | None) -> None:
    """The one rule of 迴避 outside of the workflow: every action on a case and every decision about its money asks it."""
    if is_party(case, *people):
        raise Refused(OWN_CASE)


def _acted(case: Case, workflow: WorkflowDefinition) -> Iterable[tuple[str, frozenset[int]]]:
    """Newest first, back to the proposal; what was recalled is as if it had not been."""
    for event in reversed(history.that_stand(case.id)):
        state = workflow.states.get(event.from_state or "")
        transition = state.transition(event.kind) if state else None
        if transition is None or state is None or event.task_id is None or event.actor_id is None:
            continue
        yield state.key, frozenset({event.actor_id, event.acting_for_id} - {None})
        if transition.proposes:
            return


# --- who could act, and who stands above --------------------------------------------------------------------


def hands(unit_id: int, function: str, day: date) -> list[tuple[int, int | None]]:
    """Who may act in a function for a unit today: (person, whom they stand in for)."""
    tree = chart()
    above = {unit.id for unit in tree.upwards(unit_id)}
    seats = {
        seat.account_id
        for seat in tree.seats
        if seat.function == function and seat.unit_id in above and seat.held_on(day)
    }
    own: list[tuple[int, int | None]] = [(person, None) for person in sorted(seats)]
    return own + [(deputy, person) for person in sorted(seats) for deputy in tree.deputies(person, day)]


def nobody_left(duties: Duties, unit_id: int, function: str, state: str, day: date) -> bool:
    """Whether everybody who holds a function for a unit must stay away from the case."""
    people = hands(unit_id, function, day)
    return bool(people) and all(duties.bars(person, state, for_id) for person, for_id in people)


def others(duties: Duties, task: Task, state: str, day: date) -> list[int]:
    """Holders of the function in other units to whom the task could be given."""
    near = {person for person, _for in hands(task.unit_id, task.function, day)}
    far = {s.account_id for s in chart().seats if s.function == task.function and s.held_on(day)} - near
    return sorted(person for person in far if not duties.bars(person, state))


def who_may_pass_on(duties: Duties, task: Task, state: str, day: date) -> tuple[list[int], list[int]]:
    """When nobody is left for a task: the nearest heads above whom somebody else could take it, and who that is."""
    tree, far = chart(), others(duties, task, state, day)
    for head in sorted(RANKS, key=lambda name: RANKS[name]):
        if RANKS[head] <= RANKS.get(task.function, 0):
            continue
        unit_id, seats = tree.holders(task.unit_id, head, day)
        heads = {seat.account_id for seat in seats} - duties.parties
        below = {
            seat.account_id
            for seat in tree.seats
            if seat.function == task.function and seat.held_on(day) and seat.unit_id in tree.within(unit_id)
        }
        if heads and below & set(far):
            return sorted(heads), sorted(below & set(far))
    return [], []


def mandate_over(actor: Actor, functions: Collection[str], unit_id: int) -> Mandate | None:
    """The mandate by which the actor holds one of the functions for a unit; their own right comes first."""
    tree = chart()
    held = [m for m in actor.mandates if m.function in functions and unit_id in tree.within(m.unit_id)]
    return min(held, key=lambda m: m.acting_for_id is not None, default=None)


def head_over(actor: Actor, unit_id: int, function: str = "officer") -> Mandate | None:
    """The mandate by which the actor heads the holders of a function of a unit."""
    rank = RANKS.get(function, 0)
    return mandate_over(actor, [name for name in RANKS if RANKS[name] > rank], unit_id)


def heads_of(unit_id: int, function: str, day: date) -> set[int]:
    """The nearest level of heads above the holders of a function, with who stands in for them."""
    for head in sorted(RANKS, key=lambda name: RANKS[name]):
        people = hands(unit_id, head, day) if RANKS[head] > RANKS.get(function, 0) else []
        if people:
            return {person for person, _for in people}
    return set()


def holders(case: Case, now: datetime) -> set[int]:
    """Whoever has an open task of the case, or could take it; of a closed case who finished the last one."""
    tasks = db.session.scalars(select(Task).where(Task.case_id == case.id).order_by(Task.id.desc())).all()
    waiting = [task for task in tasks if task.state == "open"]
    found = {task.assignee_id for task in waiting if task.assignee_id is not None}
    for task in waiting if not found else []:
        found |= {person for person, _for in hands(task.unit_id, task.function, taipei_day(now))}
    last = next((task.done_by_id for task in tasks if task.done_by_id is not None), None)
    return found or ({last} if last is not None else set())
