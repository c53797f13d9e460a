"""The clock of a case and of a parallel task, stored as movements; all arithmetic is in workflows.clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from sqlalchemy import and_, select, update
from sqlalchemy.orm.attributes import set_committed_value

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock, ClockMovement, Suspension, Task
from webapp.moments import TAIPEI, taipei, taipei_day
from webapp.permissions import Actor
from webapp.queries.org import calendar
from workflows import clock as arithmetic
from workflows.calendar import WorkingCalendar
from workflows.service import Extension

#: why the system moves a clock; a reason that somebody wrote stays as it was written
CORRECTION = Text(zh="補正", en="correction")
WAITING = Text(zh="等待申請人", en="waiting for the applicant")
#: of internal work, which its unit has sent on
REVIEWED = Text(zh="已送出，等候覆核與審查", en="sent on, under review")
#: a report that came too late, and is taken after all
UNLOCKED = Text(zh="研考單位解鎖", en="unlocked by the plan-control office")
SUSPENSION = Text(zh="不可歸責之事由", en="a cause beyond control")
ENDED = Text(zh="案件決定或終結", en="the case is decided or ends")
_BY_SYSTEM = {reason.zh: reason for reason in (CORRECTION, WAITING, REVIEWED, UNLOCKED, SUSPENSION, ENDED)}


def start_of(kind: str, on: date, received: datetime) -> date:
    """The day from which a limit counts; for hours the moment of receipt, or the end of an earlier day of receipt."""
    if kind != "HOUR":
        return on
    return taipei(received) if taipei_day(received) == on else _end_of(on)


def due_on(kind: str, period: int, start: date, unit_id: int) -> date:
    """The day a clock that starts now will end on, if nothing moves it."""
    return _unmoved(kind, period, start, calendar(unit_id))


@lru_cache(maxsize=4096)
def _unmoved(kind: str, period: int, start: date, days: WorkingCalendar) -> date:
    """Most applications of a day have the same answer."""
    return _day(arithmetic.run(kind, period, start, (), calendar=days, today=start).due)


def started(
    case_id: int, kind: str, period: int, start: date, due: date, *, task_id: int | None = None
) -> Clock:
    """The clock of a case or of one task, not yet written; `due` comes from `due_on`, `start` from `start_of`."""
    moments = (start, start + timedelta(hours=period)) if isinstance(start, datetime) else (None, None)
    return Clock(
        case_id=case_id,
        task_id=task_id,
        kind=kind,
        period=period,
        started_on=_day(start),
        due_on=due,
        started_at=moments[0],
        due_at=moments[1],
    )


def of_case(case_id: int) -> Clock:
    return db.session.scalars(select(Clock).where(Clock.case_id == case_id, Clock.task_id.is_(None))).one()


def ledger(
    clock: Clock,
    case: Case,
    until: date,
    *,
    days: WorkingCalendar | None = None,
    more: tuple[arithmetic.Movement, ...] = (),
    without: str = "",
) -> arithmetic.Ledger:
    """The due date with every line that explains it. `more` movements, or none of a kind: what would be if."""
    return arithmetic.run(
        clock.kind,
        clock.period,
        _start(clock),
        _movements(clock, without) + more,
        # a case that is closed stays explained by what was known then
        calendar=days or calendar(unit_of(clock, case), known_at=case.closed_at),
        today=_horizon(clock, case, until),
    )


def _movements(clock: Clock, without: str = "") -> tuple[arithmetic.Movement, ...]:
    return tuple(
        arithmetic.Movement(kind=m.kind, on=_moment_of(clock, m), days=m.days, reason=_reason(m.reason))
        for m in clock.movements
        if m.kind not in ("override", without)
    )


def _start(clock: Clock) -> date:
    return taipei(clock.started_at) if clock.started_at is not None else clock.started_on


def _moment_of(clock: Clock, movement: ClockMovement) -> date:
    """A limit in hours is moved at the moment, unless the movement is of another day than its entry."""
    if clock.kind != "HOUR":
        return movement.on_date
    same = taipei_day(movement.at) == movement.on_date
    return taipei(movement.at) if same else _end_of(movement.on_date - timedelta(days=1))


def _horizon(clock: Clock, case: Case, until: date) -> date:
    """Up to when an open pause lasts and days are used: a stopped clock counts no further."""
    if clock.kind != "HOUR":
        return max(clock.stopped_on or _day(until), clock.started_on)
    if clock.stopped_on is not None:
        until = case.closed_at or clock.stopped_on
    return max(taipei(until) if isinstance(until, datetime) else _end_of(until), _start(clock))


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=TAIPEI)


def move(
    actor: Actor,
    case: Case,
    clock: Clock,
    kind: str,
    now: datetime,
    *,
    on: date | None = None,
    days: int | None = None,
    reason: str = "",
) -> None:
    """Pauses, resumes, restarts or extends a clock and writes the new due date beside the old one.

    `on`: the day from which it holds, where that is not the day of the entry.
    """
    if clock.state == "stopped":
        return
    day, before = on or taipei_day(now), clock.due_on
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
    result = ledger(clock, case, now)
    clock.due_on = movement.due_after = _day(result.due)
    clock.due_at = result.due if isinstance(result.due, datetime) else None
    clock.period_number = result.period_number
    clock.state = _state(result)
    _follow(clock, case, before)
    if kind == "restart" and _is_suspended(case.id):
        # counted anew, and still standing still: the cause has not ended
        move(actor, case, clock, "pause", now, reason=SUSPENSION.zh)


def _state(result: arithmetic.Ledger) -> str:
    """A clock that is paused when it is late runs on: asking the applicant then hides no delay (稽催)."""
    return "paused" if result.paused and not result.late else "running"


def open_clocks(case_id: int) -> list[Clock]:
    """The clock of the case, then those of its branches."""
    of_case = select(Clock).where(Clock.case_id == case_id, Clock.state != "stopped")
    return list(db.session.scalars(of_case.order_by(Clock.task_id.nulls_first())))


def stand_still(actor: Actor, case: Case, started: Sequence[int], now: datetime) -> None:
    """What starts while a case is suspended stands still with it."""
    if started and _is_suspended(case.id):
        for clock in db.session.scalars(select(Clock).where(Clock.id.in_(started)).order_by(Clock.id)):
            move(actor, case, clock, "pause", now, reason=SUSPENSION.zh)


def start_again(actor: Actor, case: Case, clock: Clock, now: datetime) -> None:
    """A clock that was stopped too early runs on, or stands still with its case."""
    clock.stopped_on, clock.state = None, "running"
    db.session.flush()
    present = ledger(clock, case, now)
    clock.state = _state(present)
    if present.paused and not _is_suspended(case.id):
        move(actor, case, clock, "resume", now, reason=SUSPENSION.zh)


def _is_suspended(case_id: int) -> bool:
    still = select(Suspension.id).where(Suspension.case_id == case_id, Suspension.ended_at.is_(None))
    return db.session.scalars(still).first() is not None


def _follow(clock: Clock, case: Case, before: date) -> None:
    """What is due by this clock becomes due when it is; past the version counters of the tasks."""
    if clock.due_on == before:
        return
    tasks = Task.__table__
    if clock.task_id is not None:
        moved = tasks.c.id == clock.task_id
    else:
        case.due_on = clock.due_on
        # a task without a limit of its own is due with its case; one with an agreed day keeps it
        own = select(Clock.task_id).where(Clock.case_id == case.id, Clock.task_id.is_not(None))
        moved = and_(
            tasks.c.case_id == case.id,
            tasks.c.state == "open",
            tasks.c.due_on == before,
            tasks.c.id.not_in(own),
        )
    db.session.execute(update(tasks).where(moved).values(due_on=clock.due_on))


def stop(clock: Clock, on: date) -> None:
    if clock.state != "stopped":
        clock.state, clock.stopped_on = "stopped", on


def end(actor: Actor, case: Case, now: datetime) -> None:
    """The case is decided, or ends: the cause that held its time does not hold it any more, and the ledger says so."""
    suspension = db.session.scalars(
        select(Suspension).where(Suspension.case_id == case.id, Suspension.ended_at.is_(None))
    ).one_or_none()
    if suspension is not None:
        suspension.ended_at, suspension.ended_by_id = now, actor.account_id
        for clock in open_clocks(case.id):
            move(actor, case, clock, "resume", now, reason=ENDED.zh)
    stop(of_case(case.id), taipei_day(now))


def recompute(actor: Actor, clock: Clock, case: Case, now: datetime, reason: str) -> bool:
    """After a change of the calendar: writes the moved due date as a movement. True if it moved.

    Past the version counters: nobody's open page is out of date by it. The caller holds the case.
    """
    if clock.kind == "HOUR":
        return False
    before, result = clock.due_on, _by_calendar(clock, case, calendar(unit_of(clock, case)), now)
    due = _day(result.due)
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
    clock.due_on, clock.state = due, _state(result)
    if clock.task_id is None:
        cases = Case.__table__
        db.session.execute(update(cases).where(cases.c.id == case.id).values(due_on=due))
        set_committed_value(case, "due_on", due)
    _follow(clock, case, before)
    return True


def set_period(
    actor: Actor, clock: Clock, case: Case, start: date, period: int, now: datetime, reason: str
) -> bool:
    """Another limit from another day, where an office sets it. The caller holds the case."""
    clock.started_on, clock.period = start, period
    db.session.flush()
    return recompute(actor, clock, case, now, reason)


def due_by(clock: Clock, case: Case, days: WorkingCalendar, now: datetime) -> date:
    """The due date of an open clock by these working days; hours know no days off."""
    return clock.due_on if clock.kind == "HOUR" else _day(_by_calendar(clock, case, days, now).due)


def _by_calendar(clock: Clock, case: Case, days: WorkingCalendar, now: datetime) -> arithmetic.Ledger:
    return ledger(clock, case, _reckoned_to(clock, taipei_day(now)), days=days)


def _reckoned_to(clock: Clock, today: date) -> date:
    """A paused clock says what it said when it was last moved: the days since are added by its resumption."""
    if clock.state != "paused":
        return today
    return next(max(m.on_date, taipei_day(m.at)) for m in reversed(clock.movements) if m.kind != "override")


def _reason(stored: str) -> str | Text:
    return _BY_SYSTEM.get(stored, stored)


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


@dataclass(frozen=True)
class Longer:
    """What an extension would make of a clock."""

    due: date
    #: of all its extensions, this one included
    working_days: int
    #: how the new due date comes about, line by line
    ledger: arithmetic.Ledger


def if_extended(clock: Clock, case: Case, days: int, now: datetime, reason: str = "") -> Longer:
    on = taipei(now) if clock.kind == "HOUR" else taipei_day(now)
    more = (arithmetic.Movement("extend", on, days=days, reason=reason),)
    longer = ledger(clock, case, now, more=more)
    due, never = _day(longer.due), _day(ledger(clock, case, now, without="extend").due)
    return Longer(due, calendar(unit_of(clock, case)).working_days_between(never, due), longer)


def extension_problems(
    clock: Clock, case: Case, limit: Extension, days: int, reason: str, now: datetime
) -> tuple[Text, ...]:
    """Why the clock of a case may not be extended (行政程序法 51 III, IV)."""
    return arithmetic.extension_problems(
        clock.kind,
        clock.period,
        _start(clock),
        _movements(clock),
        days=days,
        reason=reason,
        on=taipei(now) if clock.kind == "HOUR" else taipei_day(now),
        calendar=calendar(unit_of(clock, case)),
        times=limit.times,
        at_most=limit.at_most,
    )
