"""Claiming and giving back a task."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from rules.values import Text
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import Case, Task
from webapp.permissions import Actor, visible_to
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
    if task.state != "open" or (
        task.assignee_id not in (None, actor.account_id) and task.claimed_at is not None
    ):
        raise _taken(task)
    acting_for_id = require_mandate(actor, task, now)
    if task.assignee_id is None:
        task.assignee_id = actor.account_id
    task.claimed_at = now
    try:
        db.session.flush()
    except StaleDataError:
        db.session.rollback()
        raise _taken(visible(actor, task.public_id)) from None
    case = db.session.get_one(Case, task.case_id)
    events.record(
        actor, case, "claimed", now, task_id=task.id, acting_for_id=acting_for_id, from_state=case.state
    )


def release(actor: Actor, task: Task, now: datetime) -> None:
    """Gives a claimed task back to the unit's pool."""
    acting_for_id = require_mandate(actor, task, now)
    if task.state != "open":
        raise _taken(task)
    task.assignee_id, task.claimed_at = None, None
    db.session.flush()
    case = db.session.get_one(Case, task.case_id)
    events.record(
        actor, case, "released", now, task_id=task.id, acting_for_id=acting_for_id, from_state=case.state
    )


def _taken(task: Task) -> Conflict:
    holder = chart().names.get(task.done_by_id or task.assignee_id or 0, "")
    return Conflict(
        Text(
            zh=f"這件待辦已由{holder}受理。" if holder else "這件待辦已被處理。",
            en=f"This task was already taken by {holder}." if holder else "This task was already handled.",
        )
    )
