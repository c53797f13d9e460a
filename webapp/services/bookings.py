"""Appointments: free slots, holding and confirming one, the queue for a full one, and what became of it.

Who changes a booking holds the case first and then its slot; the database counts the seats and refuses one too many.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Conflict, Forbidden, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import Booking, Case, Resource, Slot, Task
from webapp.models.bookings import ACTIVE, SEATED
from webapp.moments import TAIPEI, taipei
from webapp.permissions import Actor
from webapp.queries import bookings as queries
from webapp.queries.org import calendar, chart
from webapp.services import effects, events, notices
from workflows.calendar import WorkingCalendar

STATES = {
    "waiting": Text(zh="候補中", en="On the waiting list"),
    "held": Text(zh="已保留，等候確認", en="Held, to be confirmed"),
    "confirmed": Text(zh="已確認", en="Confirmed"),
    "cancelled": Text(zh="已取消", en="Cancelled"),
    "attended": Text(zh="已到場", en="Attended"),
    "no_show": Text(zh="未到場", en="Did not come"),
}
#: what a transition may ask for
EFFECTS = frozenset(
    {"hold_slot", "confirm_slot", "move_slot", "release_slot", "slot_attended", "slot_missed"}
)
#: a list of slots that nobody can read any more was mistyped
MOST_NEW_SLOTS = 1000
#: a reminder that the worker missed is still sent up to the slot; bookings are handled in portions
BATCH = 200


@dataclass(frozen=True)
class Pattern:
    """Which slots to make: on these weekdays (Monday is 0) of a period, one after the other between two times."""

    first: date
    last: date
    weekdays: frozenset[int]
    opens: time
    closes: time
    minutes: int
    capacity: int


def create_resource(
    actor: Actor,
    unit_id: int,
    name: Text,
    capacity: int,
    service_codes: Collection[str],
    *,
    cancel_hours: int = 24,
    remind_hours: int = 24,
) -> Resource:
    require_manager(actor, unit_id)
    check_numbers(capacity, cancel_hours, remind_hours)
    resource = Resource(
        unit_id=unit_id,
        name_zh=name.zh,
        name_en=name.in_("en"),
        capacity=capacity,
        service_codes=sorted(set(service_codes)),
        cancel_hours=cancel_hours,
        remind_hours=remind_hours,
    )
    db.session.add(resource)
    db.session.flush()
    return resource


def check_numbers(capacity: int, cancel_hours: int, remind_hours: int) -> None:
    if capacity < 1 or cancel_hours < 0 or remind_hours < 0:
        raise Refused(
            Text(
                zh="容量至少 1，時數不能是負數。",
                en="The capacity is at least 1 and hours are never negative.",
            )
        )


def create_slots(actor: Actor, resource: Resource, pattern: Pattern, now: datetime) -> tuple[int, int]:
    """(made, left out because another slot is there). Days off in the unit's calendar have none."""
    require_manager(actor, resource.unit_id)
    db.session.refresh(resource, with_for_update=True)
    if not resource.active:
        raise Refused(
            Text(zh="這個資源已關閉，請先重新開放。", en="This resource is closed; open it again first.")
        )
    wanted = [(starts, ends) for starts, ends in _times(pattern, calendar(resource.unit_id)) if starts > now]
    if not wanted:
        raise Refused(
            Text(
                zh="這段期間沒有可以開放的時段，請檢查日期、星期與時間。",
                en="Nothing can be opened in this period; check the days, weekdays and times.",
            )
        )
    taken = db.session.execute(
        select(Slot.starts_at, Slot.ends_at).where(
            Slot.resource_id == resource.id, Slot.ends_at > wanted[0][0], Slot.starts_at < wanted[-1][1]
        )
    ).all()
    free = [
        (starts, ends)
        for starts, ends in wanted
        if not any(starts < other_end and other_start < ends for other_start, other_end in taken)
    ]
    db.session.add_all(
        Slot(resource_id=resource.id, starts_at=starts, ends_at=ends, capacity=pattern.capacity)
        for starts, ends in free
    )
    db.session.flush()
    return len(free), len(wanted) - len(free)


def _times(pattern: Pattern, working: WorkingCalendar) -> list[tuple[datetime, datetime]]:
    """Start and end of every slot of the pattern, in order."""
    step, found = timedelta(minutes=pattern.minutes), []
    fits = pattern.minutes > 0 and pattern.capacity > 0 and pattern.opens < pattern.closes
    if not fits or pattern.last < pattern.first or (pattern.last - pattern.first).days > 366:
        raise Refused(
            Text(
                zh="期間最長一年，結束須晚於開始，每個時段至少一分鐘、一個名額。",
                en="At most one year, ending after it begins; a slot has at least a minute and a seat.",
            )
        )
    day = pattern.first
    while day <= pattern.last:
        if day.weekday() in pattern.weekdays and working.is_working_day(day):
            starts = datetime.combine(day, pattern.opens, TAIPEI)
            while starts + step <= datetime.combine(day, pattern.closes, TAIPEI):
                found.append((starts, starts + step))
                starts += step
        day += timedelta(days=1)
    if len(found) > MOST_NEW_SLOTS:
        raise Refused(
            Text(
                zh=f"一次最多開放 {MOST_NEW_SLOTS} 個時段，這次有 {len(found)} 個，請分段開放。",
                en=f"At most {MOST_NEW_SLOTS} slots at once; these are {len(found)}.",
            )
        )
    return found


# --- the applicant ------------------------------------------------------------------------------------------


def choose(
    actor: Actor,
    case: Case,
    slot_id: str,
    now: datetime,
    *,
    seats: int = 1,
    may_wait: bool = False,
    quietly: bool = False,
) -> Booking:
    """Holds seats in a slot for a case, or a place in its queue when it is full and the applicant wants to wait.

    `quietly` where another message follows that says the same and more.
    """
    _hold_case(case)
    slot = _bookable(case, slot_id)
    if queries.current(case.id) is not None:
        raise Conflict(
            Text(
                zh="這個案件已經有預約，要改時段請先取消。",
                en="This case has a booking already; cancel it before you choose another.",
            )
        )
    _hold_slot(slot)
    if slot.starts_at <= now:
        raise Refused(Text(zh="這個時段已經開始，請選別的時段。", en="This slot has begun; choose another."))
    if not 1 <= seats <= slot.capacity:
        raise Misfit(
            "seats",
            Text(
                zh=f"名額須在 1 到 {slot.capacity} 之間。", en=f"Between 1 and {slot.capacity} seats, please."
            ),
        )
    had_one = queries.newest(case.id) is not None
    full = slot.taken + seats > slot.capacity or _first_in_queue(slot) is not None
    if full and not may_wait:
        raise Conflict(
            Text(
                zh="這個時段剛剛額滿，您的選擇沒有送出。請選別的時段，或登記候補。",
                en="This slot has just been filled; nothing was booked. Choose another, or join its waiting list.",
            )
        )
    booking = Booking(
        slot_id=slot.id,
        case_id=case.id,
        seats=seats,
        state="waiting" if full else "held",
        position=_last_position(slot) + 1 if full else None,
        created_at=now,
        changed_at=now,
    )
    db.session.add(booking)
    db.session.flush()
    _record(actor, booking, "slot_waited" if full else "slot_held", now)
    if not quietly:
        _tell(booking, "slot_waiting" if full else "slot_held", now)
    if had_one and not actor.is_staff:
        said = Text(
            zh=f"{case.number} 申請人改選了預約時段", en=f"{case.number}: the applicant chose another time"
        )
        _tell_desk(booking, "slot_chosen_again", said, now)
    return booking


def _bookable(case: Case, slot_id: str) -> Slot:
    if case.status == "closed":
        raise Refused(Text(zh="案件已結案，不能再選時段。", en="The case is closed; no slot can be chosen."))
    slot = db.session.scalars(select(Slot).where(Slot.public_id == slot_id)).one_or_none()
    if slot is None or case.service_code not in slot.resource.service_codes or not slot.resource.active:
        raise NotFound()
    return slot


def cancel(actor: Actor, case: Case, now: datetime) -> None:
    """The applicant gives the appointment up, up to the limit of the resource; the next in the queue moves up."""
    _hold_case(case)
    booking = _required(case)
    _require_in_time(booking, now)
    _release(actor, booking, now)
    said = Text(zh=f"{case.number} 申請人取消了預約", en=f"{case.number}: the applicant has cancelled")
    _tell_desk(booking, "slot_given_up", said, now)


def exchange(actor: Actor, case: Case, slot_id: str, now: datetime, *, seats: int = 1) -> Booking:
    """The applicant moves to another free slot in one step, up to the same limit; the desk confirms it anew."""
    _hold_case(case)
    old, wanted = _required(case), _bookable(case, slot_id)
    _require_in_time(old, now)
    if old.slot_id == wanted.id and old.seats == seats:
        raise Misfit("slot", Text(zh="您已經預約這個時段。", en="This is the time that you have already."))
    hold_slots({old.slot_id, wanted.id})
    _give_up(actor, old, now)
    return choose(actor, case, slot_id, now, seats=seats)


def _require_in_time(booking: Booking, now: datetime) -> None:
    limit = cancel_until(booking)
    if booking.state != "waiting" and now > limit:
        raise Refused(
            Text(
                zh=f"線上取消的期限是{queries.moment(limit, 'zh')}，改期也是，已經過了。不能前來時請打電話給承辦單位。",
                en=f"It could be moved or cancelled online until {queries.moment(limit, 'en')}. "
                "Please call the office instead.",
            )
        )


def _tell_desk(booking: Booking, occasion: str, said: Text, now: datetime) -> None:
    """Whoever has the case before them; where nobody took it yet, everybody who may."""
    case, today = booking.case, taipei(now).date()
    people: set[int] = set()
    for task in db.session.scalars(select(Task).where(Task.case_id == case.id, Task.state == "open")):
        seats = chart().holders(task.unit_id, task.function, today)[1]
        people |= {task.assignee_id} if task.assignee_id else {seat.account_id for seat in seats}
    notices.tell_staff(
        people,
        f"{occasion}:{booking.public_id}",
        said,
        Text(zh=queries.words(booking, "zh"), en=queries.words(booking, "en")),
        now,
        case.id,
    )


def cancel_until(booking: Booking) -> datetime:
    return booking.slot.starts_at - timedelta(hours=booking.slot.resource.cancel_hours)


# --- effects of a workflow ----------------------------------------------------------------------------------


def carry_out(
    actor: Actor,
    case: Case,
    effect: str,
    now: datetime,
    *,
    on_date: date | None = None,
    comment: str = "",
) -> None:
    """One of EFFECTS; who carries out a step holds the case already."""
    booking = queries.current(case.id)
    if effect == "hold_slot":
        if booking is None:
            _hold_first_free(actor, case, on_date, now)
    elif effect == "confirm_slot":
        confirm(actor, _required(case), now)
    elif effect == "move_slot":
        _move(actor, case, on_date, comment, now)
    elif effect == "release_slot":
        release(actor, case, now)
    elif booking is not None:
        _mark(actor, booking, "attended" if effect == "slot_attended" else "no_show", now)


def _hold_first_free(
    actor: Actor, case: Case, day: date | None, now: datetime, *, quietly: bool = False, seats: int = 1
) -> None:
    free = [slot for slot in queries.free(case, now) if day in (None, taipei(slot.starts_at).date())]
    free = [slot for slot in free if slot.taken + seats <= slot.capacity]
    if day is None or not free:
        raise Refused(
            Text(
                zh="所填日期沒有空的時段，請看時段表後另選日期。" if day else "申請人還沒有選時段。",
                en="No slot is free on this day; look at the calendar and choose another."
                if day
                else "The applicant has chosen no slot yet.",
            )
        )
    choose(actor, case, free[0].public_id, now, seats=seats, quietly=quietly)


def confirm(actor: Actor, booking: Booking, now: datetime) -> None:
    _hold_slot(booking.slot)
    db.session.refresh(booking)
    if booking.state == "confirmed":
        return
    if booking.state != "held":
        raise Refused(
            Text(
                zh="申請人還在候補，遞補到名額之後才能確認。",
                en="The applicant is on the waiting list; confirm when a seat is free.",
            )
        )
    _set(booking, "confirmed", now)
    _record(actor, booking, "slot_confirmed", now)
    _tell(booking, "slot_confirmed", now)


def _move(actor: Actor, case: Case, day: date | None, reason: str, now: datetime) -> None:
    """To the first free slot of another day, confirmed; one message tells it. The old slot stays if none is free."""
    old = queries.current(case.id)
    if old is not None:
        _give_up(actor, old, now)
    _hold_first_free(actor, case, day, now, quietly=True, seats=old.seats if old is not None else 1)
    booking = _required(case)
    _set(booking, "confirmed", now)
    _record(actor, booking, "slot_confirmed", now)
    _tell(booking, "slot_moved", now, reason)


def release(actor: Actor, case: Case, now: datetime) -> None:
    booking = queries.current(case.id)
    if booking is not None:
        _release(actor, booking, now)


def withdraw(actor: Actor, booking: Booking, reason: str, now: datetime) -> None:
    """The office takes the slot away and says why; who calls this holds the case."""
    _give_up(actor, booking, now, "slot_withdrawn", reason)
    _tell(booking, "slot_withdrawn", now, reason)


def hold_slots(slot_ids: Collection[int]) -> None:
    """Several, always in the same order."""
    held = select(Slot.id).where(Slot.id.in_(slot_ids)).order_by(Slot.id).with_for_update()
    db.session.execute(held).all()


def _release(actor: Actor, booking: Booking, now: datetime) -> None:
    _give_up(actor, booking, now)
    _tell(booking, "slot_released", now)


def _give_up(
    actor: Actor, booking: Booking, now: datetime, kind: str = "slot_released", reason: str = ""
) -> None:
    _hold_slot(booking.slot)
    db.session.refresh(booking)
    if booking.state not in ACTIVE:
        raise Conflict(Text(zh="這個預約已經取消或結束。", en="This booking is over already."))
    _set(booking, "cancelled", now)
    _record(actor, booking, kind, now, reason)
    _move_up(booking.slot, now)


def _move_up(slot: Slot, now: datetime) -> None:
    """Whoever waits longest gets the seats that are free, in order: nobody is overtaken by a smaller party.

    The case of the other applicant is not held here, since theirs may be waiting for this slot; they are told by a
    message, which the page of their case shows.
    """
    while slot.starts_at > now:
        db.session.refresh(slot)
        waiting = _first_in_queue(slot)
        if waiting is None or slot.taken + waiting.seats > slot.capacity:
            return
        _set(waiting, "held", now)
        _tell(waiting, "slot_moved_up", now)


# --- the unit -----------------------------------------------------------------------------------------------


def mark(actor: Actor, booking: Booking, outcome: str, now: datetime) -> None:
    """Whether the applicant came: attended or no_show, from the start of the slot on. It may be put right."""
    _hold_case(booking.case)
    _mark(actor, booking, outcome, now)


def _mark(actor: Actor, booking: Booking, outcome: str, now: datetime) -> None:
    _hold_slot(booking.slot)
    db.session.refresh(booking)
    if booking.state not in SEATED:
        raise Conflict(
            Text(zh="這個預約已經取消或還在候補。", en="This booking is cancelled or still waiting.")
        )
    if now < booking.slot.starts_at:
        raise Refused(Text(zh="時段還沒有開始。", en="The slot has not begun yet."))
    if booking.state != outcome:
        _set(booking, outcome, now)
        _record(actor, booking, f"slot_{outcome}", now)


def close_slot(actor: Actor, slot_id: str, now: datetime) -> None:
    """Takes a slot out of the calendar that nobody has booked."""
    slot = db.session.scalars(select(Slot).where(Slot.public_id == slot_id)).one_or_none()
    if slot is None or not queries.manages(actor, slot.resource):
        raise NotFound()
    _hold_slot(slot)
    if db.session.scalars(select(Booking.id).where(Booking.slot_id == slot.id).limit(1)).first() is not None:
        raise Refused(
            Text(zh="這個時段有預約紀錄，不能刪除。", en="This slot has bookings and cannot be removed.")
        )
    db.session.delete(slot)
    db.session.flush()


def require_manager(actor: Actor, unit_id: int) -> None:
    if unit_id not in queries.managed_units(actor):
        raise Forbidden(
            Text(
                zh="只有這個單位的承辦人或主管可以管理時段。",
                en="Only officers and heads of this unit manage its slots.",
            )
        )


# --- the sweep ----------------------------------------------------------------------------------------------


def remind(now: datetime) -> int:
    """Tells everybody whose slot comes within the hours of its resource, once."""
    hours = func.make_interval(0, 0, 0, 0, Resource.remind_hours)
    due = db.session.scalars(
        select(Booking)
        .join(Slot, Slot.id == Booking.slot_id)
        .join(Resource, Resource.id == Slot.resource_id)
        .where(
            Booking.state == "confirmed",
            Booking.reminded_at.is_(None),
            Slot.starts_at > now,
            Slot.starts_at - hours <= now,
        )
        .order_by(Booking.id)
        .limit(BATCH)
        .with_for_update(of=Booking, skip_locked=True)
    ).all()
    for booking in due:
        booking.reminded_at = now
        _tell(booking, "slot_reminder", now)
    db.session.flush()
    return len(due)


# --- what all of them need ----------------------------------------------------------------------------------


def _hold_case(case: Case) -> None:
    db.session.flush()
    db.session.refresh(case, with_for_update={"key_share": True})


def _hold_slot(slot: Slot) -> None:
    db.session.flush()
    db.session.get_one(Slot, slot.id, with_for_update=True, populate_existing=True)


def _required(case: Case) -> Booking:
    booking = queries.current(case.id)
    if booking is None:
        raise Refused(Text(zh="這個案件目前沒有預約。", en="This case has no booking now."))
    return booking


def _set(booking: Booking, state: str, now: datetime) -> None:
    booking.state, booking.position, booking.changed_at = state, None, now
    db.session.flush()


def _first_in_queue(slot: Slot) -> Booking | None:
    waiting = select(Booking).where(Booking.slot_id == slot.id, Booking.state == "waiting")
    return db.session.scalars(
        waiting.order_by(Booking.position).limit(1).execution_options(populate_existing=True)
    ).first()


def _last_position(slot: Slot) -> int:
    return db.session.scalars(select(func.max(Booking.position)).where(Booking.slot_id == slot.id)).one() or 0


def _record(actor: Actor, booking: Booking, kind: str, now: datetime, reason: str = "") -> None:
    case, said = booking.case, _with_reason(booking, "zh", reason)
    events.record(actor, case, kind, now, from_state=case.state, payload={"comment": said})


def _with_reason(booking: Booking, lang: str, reason: str) -> str:
    return "\n".join(filter(None, (queries.words(booking, lang), reason)))


def _tell(booking: Booking, template: str, now: datetime, reason: str = "") -> None:
    """Once for every change: the moment of the change is part of the key."""
    key = f"{booking.public_id}:{template}:{booking.changed_at.timestamp():.6f}"
    case = booking.case
    effects.enqueue(
        effects.effect(
            "notice",
            key,
            now,
            case_id=case.id,
            template=template,
            comment=_with_reason(booking, case.language, reason),
            date="",
        )
    )
