"""收回: whoever sent a case on may take it back until the next person acts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Clock, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import history
from webapp.services import cases, clocks, events, steps

NOT_ANY_MORE = Text(
    zh="這個動作不能收回：下一位已經處理，或申請人已經收到通知。",
    en="This cannot be taken back: the next person has acted, or the applicant has been told.",
)


def recallable(actor: Actor, case: Case, now: datetime) -> CaseEvent | None:
    """The actor's own last action on the case, while nobody has acted on it and nothing has left the office."""
    if case.status == "closed" or actor.account_id is None:
        return None
    sent, *later = _since_the_last_act(case)
    task = db.session.get(Task, sent.task_id) if sent.task_id is not None else None
    if sent.actor_id != actor.account_id or task is None or task.state != "done":
        return None
    if any(event.from_state != event.to_state for event in later) or not _is_held_here(sent, case, task):
        return None
    taken = steps.context(case).workflow.state(sent.from_state or "").transition(sent.kind)
    if taken is None or taken.effects or not _may_act(actor, task, now):
        return None
    return sent


def recall(actor: Actor, case: Case, now: datetime, *, version: int) -> None:
    """The case comes back to the actor's task. One of two wins: who acted first; the other is told who."""
    cases.hold(case, version)
    sent = recallable(actor, case, now)
    if sent is None:
        last = _since_the_last_act(case)[0]
        raise cases.overtaken(case) if last.actor_id != actor.account_id else Refused(NOT_ANY_MORE)
    task = db.session.get_one(Task, sent.task_id)
    present = case.state
    if sent.from_state != sent.to_state:
        _leave(case, now)
        case.state, case.visit = sent.from_state or "", case.visit + 1
        _bring_back(actor, case, task, now)
    acting_for_id, task.acting_for_id = task.acting_for_id, None
    _open_again(actor, case, task, now)
    db.session.flush()
    events.record(
        actor, case, history.RECALLED, now, task_id=task.id, acting_for_id=acting_for_id, from_state=present
    )
    _stand_as_before(case)


def _stand_as_before(case: Case) -> None:
    """The proposal that is before the present state again, and its proposer; none where nothing is proposed."""
    workflow = steps.context(case).workflow
    proposal = history.proposal_before(case, workflow, case.state)
    case.proposed_by_id = proposal.actor_id if proposal is not None else None
    case.proposed_for_id = proposal.acting_for_id if proposal is not None else None
    case.proposal = history.proposes(proposal, case, workflow) if proposal is not None else None


def _may_act(actor: Actor, task: Task, now: datetime) -> bool:
    try:
        cases.require_mandate(actor, task, now)
    except Forbidden:
        return False
    return True


def _since_the_last_act(case: Case) -> list[CaseEvent]:
    """The newest event that somebody caused, and those that only the system wrote after it."""
    found = []
    for event in db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq.desc())
    ):
        found.append(event)
        if event.actor_id is not None:
            break
    return found[::-1]


def _is_held_here(sent: CaseEvent, case: Case, task: Task) -> bool:
    """Whether the case still stands where that action brought it, untouched."""
    visits = 1 if sent.from_state != sent.to_state else 0
    return case.state == sent.to_state and task.visit == case.visit - visits


def _leave(case: Case, now: datetime) -> None:
    """What the action opened is cancelled: nobody has begun on it."""
    for task in steps.tasks_of_visit(case):
        if task.state == "open":
            task.state = "cancelled"
            clocks.stop_of_task(task.id, taipei_day(now))


def _bring_back(actor: Actor, case: Case, task: Task, now: datetime) -> None:
    """The tasks of the state that was left stand in the new visit of it: finished branches stay finished."""
    visit = task.visit
    db.session.flush()
    for sibling in db.session.scalars(select(Task).where(Task.case_id == case.id, Task.visit == visit)):
        sibling.visit = case.visit
        if sibling.state == "cancelled":
            _open_again(actor, case, sibling, now)


def _open_again(actor: Actor, case: Case, task: Task, now: datetime) -> None:
    task.state, task.outcome, task.done_at, task.done_by_id = "open", None, None, None
    for clock in db.session.scalars(select(Clock).where(Clock.task_id == task.id)):
        clocks.start_again(actor, case, clock, now)
