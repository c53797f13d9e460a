"""The clock of a case and of a parallel task, stored as movements; all arithmetic is in workflows.clock."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import and_, select, update
from sqlalchemy.orm.attributes import set_committed_value

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock, ClockMovement, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import calendar
from workflows import clock as arithmetic
from workflows.calendar import WorkingCalendar

#: why the system moves a clock; a reason that somebody wrote stays as it was written
CORRECTION = Text(zh="補正", en="correction")
WAITING = Text(zh="等待申請人", en="waiting for the applicant")


def due_on(kind: str, period: int, on: date, unit_id: int) -> date:
    """The day a clock that starts now will end on, if nothing moves it."""
    return _unmoved(kind, period, on, calendar(unit_id))


@lru_cache(maxsize=4096)
def _unmoved(kind: str, period: int, on: date, days: WorkingCalendar) -> date:
    """Most applications of a day have the same answer."""
    return _day(arithmetic.run(kind, period, on, (), calendar=days, today=on).due)


def started(
    case_id: int, kind: str, period: int, on: date, due: date, *, task_id: int | None = None
) -> Clock:
    """The clock of a case or of one task, not yet written; `due` comes from `due_on`."""
    return Clock(case_id=case_id, task_id=task_id, kind=kind, period=period, started_on=on, due_on=due)


def of_case(case_id: int) -> Clock:
    return db.session.scalars(select(Clock).where(Clock.case_id == case_id, Clock.task_id.is_(None))).one()


def ledger(clock: Clock, case: Case, today: date) -> arithmetic.Ledger:
    """The due date with every line that explains it."""
    movements = tuple(
        arithmetic.Movement(kind=m.kind, on=m.on_date, days=m.days, reason=_reason(m.reason))
        for m in clock.movements
        if m.kind != "override"
    )
    horizon = clock.stopped_on or today
    return arithmetic.run(
        clock.kind,
        clock.period,
        clock.started_on,
        movements,
        # a case that is closed stays explained by what was known then
        calendar=calendar(unit_of(clock, case), known_at=case.closed_at),
        today=max(horizon, clock.started_on),
    )


def move(
    actor: Actor,
    case: Case,
    clock: Clock,
    kind: str,
    now: datetime,
    *,
    days: int | None = None,
    reason: str = "",
) -> None:
    """Pauses, resumes, restarts or extends a clock and writes the new due date beside the old one."""
    if clock.state == "stopped":
        return
    day, before = taipei_day(now), clock.due_on
    movement = ClockMovement(
        clock_id=clock.id,
        kind=kind,
        on_date=day,
        days=days,
        reason=reason,
        due_before=before,
        due_after=before,
        actor_id=actor.account_id,
        at=now,
    )
    clock.movements.append(movement)
    result = ledger(clock, case, day)
    clock.due_on = movement.due_after = _day(result.due)
    clock.period_number = result.period_number
    clock.state = "paused" if result.paused else "running"
    if clock.task_id is None:
        case.due_on = clock.due_on


def stop(clock: Clock, on: date) -> None:
    if clock.state != "stopped":
        clock.state, clock.stopped_on = "stopped", on


def recompute(actor: Actor, clock: Clock, case: Case, now: datetime, reason: str) -> bool:
    """After a change of the calendar: writes the moved due date as a movement. True if it moved.

    Past the version counters: nobody's open page is out of date by it. The caller holds the case.
    """
    before = clock.due_on
    due = _day(ledger(clock, case, _reckoned_to(clock, taipei_day(now))).due)
    if due == before:
        return False
    clock.movements.append(
        ClockMovement(
            clock_id=clock.id,
            kind="override",
            on_date=taipei_day(now),
            reason=reason,
            due_before=before,
            due_after=due,
            actor_id=actor.account_id,
            at=now,
        )
    )
    clock.due_on = due
    tasks, cases = Task.__table__, Case.__table__
    if clock.task_id is not None:
        moved = tasks.c.id == clock.task_id
    else:
        db.session.execute(update(cases).where(cases.c.id == case.id).values(due_on=due))
        set_committed_value(case, "due_on", due)
        # a task without a limit of its own is due with its case; one with an agreed day keeps it
        own = select(Clock.task_id).where(Clock.case_id == case.id, Clock.task_id.is_not(None))
        moved = and_(
            tasks.c.case_id == case.id,
            tasks.c.state == "open",
            tasks.c.due_on == before,
            tasks.c.id.not_in(own),
        )
    db.session.execute(update(tasks).where(moved).values(due_on=due))
    return True


def _reckoned_to(clock: Clock, today: date) -> date:
    """A paused clock says what it said when it was paused: the days since are added by its resumption."""
    if clock.state != "paused":
        return today
    return next(m.on_date for m in reversed(clock.movements) if m.kind == "pause")


def _reason(stored: str) -> str | Text:
    return next((own for own in (CORRECTION, WAITING) if own.zh == stored), stored)


def unit_of(clock: Clock, case: Case) -> int:
    """Whose time it is, and whose working days count."""
    if clock.task_id is None:
        return case.handling_unit_id
    return db.session.get_one(Task, clock.task_id).unit_id


def _day(due: date | datetime) -> date:
    return taipei_day(due) if isinstance(due, datetime) else due


def stop_of_task(task_id: int, on: date) -> None:
    clock = db.session.scalars(select(Clock).where(Clock.task_id == task_id)).one_or_none()
    if clock is not None:
        stop(clock, on)
