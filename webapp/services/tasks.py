"""Claiming a task, giving it back, giving it to somebody else, and reminding of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text

from rules.values import Text
from webapp.errors import Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Task
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, visible_to
from webapp.queries.org import chart
from webapp.services import duties, events, notices
from webapp.services.cases import require_mandate
from webapp.services.steps import Context


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
    duties.require_stranger(case, actor.account_id, acting_for_id)
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


@dataclass(frozen=True)
class Desk:
    """Somebody to whom a task may be given."""

    unit_id: int
    account_id: int

    @property
    def key(self) -> str:
        return f"{self.unit_id}-{self.account_id}"


def desks(actor: Actor, ctx: Context, task: Task, day: date) -> list[Desk]:
    """To whom a head may give it: holders of its function below them who are there and may act on the case.

    Those of its own unit first. Other departments get the case by 移轉, not somebody of theirs a task.
    """
    tree, separation = chart(), duties.of(ctx)
    head = duties.head_over(actor, task.unit_id, task.function)
    reach = tree.within(head.unit_id) if head is not None else frozenset()
    near = {unit.id for unit in tree.upwards(task.unit_id)}
    found = {
        # who covers the unit of the task works on it there; anybody else takes it to their own
        Desk(task.unit_id if seat.unit_id in near else seat.unit_id, seat.account_id)
        for seat in tree.seats
        if seat.function == task.function
        and seat.unit_id in reach
        and seat.held_on(day)
        and seat.account_id != task.assignee_id
        and not tree.is_absent(seat.account_id, day)
        and not separation.bars(seat.account_id, ctx.case.state)
    }
    return sorted(found, key=lambda d: (d.unit_id != task.unit_id, d.unit_id, d.account_id))


def reassign(
    actor: Actor, ctx: Context, task: Task, desk: str, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """改分: gives an open task to another holder of its function, here or in another unit. Both are told."""
    case, tree, before = ctx.case, chart(), task.assignee_id
    to = next((d for d in desks(actor, ctx, task, taipei_day(now)) if d.key == desk), None)
    if to is None:
        raise Refused(
            Text(
                zh="這位人員現在不能承接，請另選一位。",
                en="This person cannot take the task now; choose somebody else.",
            )
        )
    task.unit_id, task.assignee_id, task.claimed_at = to.unit_id, to.account_id, None
    db.session.flush()
    was = tree.names.get(before or 0)
    name, unit = tree.names[to.account_id], tree.units[to.unit_id]
    events.record(
        actor,
        case,
        "reassigned",
        now,
        task_id=task.id,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={
            "comment": reason,
            "note": {
                "zh": f"由{was or '待分派'}改分給{unit.zh}{name}",
                "en": f"From {was or 'the pool'} to {name}, {unit.en}",
            },
        },
    )
    notices.tell_staff(
        {to.account_id, before} - {None, actor.account_id},
        f"reassigned:{task.public_id}:{task.version}",
        Text(zh=f"{case.number} 已改分給{name}", en=f"{case.number} was given to {name}"),
        Text(
            zh=f"{actor.name}將這件待辦改分給{unit.zh}{name}。理由：{reason}",
            en=f"{actor.name} gave this task to {name}, {unit.en}. Reason: {reason}",
        ),
        now,
        case.id,
    )


def ask_head(
    actor: Actor, ctx: Context, task: Task, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """The officer asks the head to give the task to somebody else, or the case to another unit."""
    case = ctx.case
    events.record(
        actor,
        case,
        "head_asked",
        now,
        task_id=task.id,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"comment": reason},
    )
    notices.tell_staff(
        duties.heads_of(task.unit_id, task.function, taipei_day(now)),
        f"head_asked:{task.public_id}:{now.isoformat()}",
        Text(zh=f"{case.number} 請求改分或移轉", en=f"{case.number}: please give it to somebody else"),
        Text(zh=f"{actor.name}：{reason}", en=f"{actor.name}: {reason}"),
        now,
        case.id,
    )


def remind(
    actor: Actor, ctx: Context, task: Task, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """催辦: tells whoever holds an open task, or the pool where it waits. Once a day a task."""
    case, today = ctx.case, taipei_day(now)
    last = db.session.scalars(
        select(CaseEvent.at)
        .where(CaseEvent.task_id == task.id, CaseEvent.kind == "reminded")
        .order_by(CaseEvent.seq.desc())
        .limit(1)
    ).first()
    if last is not None and taipei_day(last) == today:
        raise Refused(
            Text(
                zh="這件待辦今天已經催辦過，明天才能再催。",
                en="A reminder was sent today; the next one can go tomorrow.",
            )
        )
    people = {task.assignee_id, *chart().deputies(task.assignee_id or 0, today)} - {None}
    if task.assignee_id is None:
        people = {person for person, _for in duties.hands(task.unit_id, task.function, today)}
    if not people:
        raise Refused(
            Text(
                zh="目前沒有人擔任這個職務，請改分。",
                en="Nobody holds this function now; give the task to somebody.",
            )
        )
    events.record(
        actor,
        case,
        "reminded",
        now,
        task_id=task.id,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={
            "comment": reason,
            "note": {
                "zh": "、".join(chart().names.get(p or 0, "") for p in sorted(people, key=lambda p: p or 0)),
                "en": ", ".join(chart().names.get(p or 0, "") for p in sorted(people, key=lambda p: p or 0)),
            },
        },
    )
    notices.tell_staff(
        {person for person in people if person is not None},
        f"reminded:{task.public_id}:{today}",
        Text(zh=f"催辦：{case.number}", en=f"Reminder: {case.number}"),
        Text(zh=f"{actor.name}請您儘快辦理。{reason}", en=f"{actor.name} asks you to act soon. {reason}"),
        now,
        case.id,
    )


def return_to_pools(now: datetime) -> int:
    """Open tasks of people who no longer hold the function go back to their unit, where somebody can take them."""
    returned = 0
    for task_id in db.session.scalars(_ORPHANS, {"today": taipei_day(now)}).all():
        task = db.session.get_one(Task, task_id)
        case = _hold(task)
        if task.state != "open" or task.assignee_id is None or _is_held(task, now):
            continue  # somebody took it, or came back, since the database was asked
        task.assignee_id, task.claimed_at = None, None
        db.session.flush()
        events.record(SYSTEM, case, "released", now, task_id=task.id, from_state=case.state)
        returned += 1
    return returned


#: as `Chart.holds`: nobody's seat with the function covers the unit of the task, or a unit above it
_ORPHANS = text(
    """
    with recursive above(unit_id, covering_id, parent_id) as (
        select id, id, parent_id from unit
        union all
        select above.unit_id, unit.id, unit.parent_id from above join unit on unit.id = above.parent_id
    ), held as (
        select distinct holder.account_id, position.function, above.unit_id
        from holder join position on position.id = holder.position_id
        join above on above.covering_id = position.unit_id
        where holder.starts_on <= :today and (holder.ends_on is null or holder.ends_on >= :today)
    )
    select task.id from task
    where task.state = 'open' and task.assignee_id is not null and not exists (
        select from held
        where held.account_id = task.assignee_id and held.function = task.function and held.unit_id = task.unit_id
    )
    order by task.id
    """
)


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
