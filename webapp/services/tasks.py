"""Claiming and giving back a task."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import Case, Task
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, visible_to
from webapp.queries.org import chart
from webapp.services import events
from webapp.services.cases import require_mandate


def visible(actor: Actor, public_id: str) -> Task:
    task = db.session.scalars(
        select(Task).join(Case, Case.id == Task.case_id).where(Task.public_id == public_id, visible_to(actor))
    ).one_or_none()
    if task is None:
        raise NotFound()
    return task


def claim(actor: Actor, task: Task, now: datetime) -> None:
    """受理: takes a task from the pool, or accepts one that was assigned. The first one wins; the other is told who."""
    case = _hold(task)
    if task.state != "open":
        raise _taken(task)
    mine = task.assignee_id == actor.account_id
    if mine and task.claimed_at is not None:
        return
    if task.assignee_id is not None and not mine and task.claimed_at is not None and _is_held(task, now):
        raise _taken(task)
    acting_for_id = require_mandate(actor, task, now)
    if task.assignee_id is None or not _is_held(task, now):
        task.assignee_id = acting_for_id or actor.account_id
    task.claimed_at = now
    db.session.flush()
    events.record(
        actor, case, "claimed", now, task_id=task.id, acting_for_id=acting_for_id, from_state=case.state
    )


def release(actor: Actor, task: Task, now: datetime) -> None:
    """Gives a claimed task back to the unit's pool."""
    case = _hold(task)
    acting_for_id = require_mandate(actor, task, now)
    if task.state != "open":
        raise _taken(task)
    task.assignee_id, task.claimed_at = None, None
    db.session.flush()
    events.record(
        actor, case, "released", now, task_id=task.id, acting_for_id=acting_for_id, from_state=case.state
    )


def return_to_pools(now: datetime) -> int:
    """Open tasks of people who no longer hold the function go back to their unit, where somebody can take them."""
    orphans = [
        task
        for task in db.session.scalars(
            select(Task).where(Task.state == "open", Task.assignee_id.is_not(None))
        )
        if not _is_held(task, now)
    ]
    for task in orphans:
        case = _hold(task)
        task.assignee_id, task.claimed_at = None, None
        db.session.flush()
        events.record(SYSTEM, case, "released", now, task_id=task.id, from_state=case.state)
    return len(orphans)


def _hold(task: Task) -> Case:
    """One action on a case at a time: sibling branches write the next event of the same case."""
    case = db.session.get_one(Case, task.case_id, with_for_update={"key_share": True}, populate_existing=True)
    db.session.refresh(task)
    return case


def _is_held(task: Task, now: datetime) -> bool:
    return chart().holds(task.assignee_id or 0, task.function, task.unit_id, taipei_day(now))


def _taken(task: Task) -> Conflict:
    holder = chart().names.get(task.done_by_id or task.assignee_id or 0, "")
    return Conflict(
        Text(
            zh=f"這件待辦已由{holder}受理。" if holder else "這件待辦已被處理。",
            en=f"This task was already taken by {holder}." if holder else "This task was already handled.",
        )
    )
