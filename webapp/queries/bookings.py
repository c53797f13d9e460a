"""Resources, their slots and bookings: what is free, what a unit manages, and the appointment of a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from rules.values import format_day
from webapp.extensions import db
from webapp.models import Booking, Case, Party, Resource, Slot
from webapp.models.bookings import ACTIVE
from webapp.moments import taipei
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries.org import chart

MOST_LISTED = 400


@dataclass(frozen=True)
class Appointment:
    """A booking with the names that the desk needs."""

    booking: Booking
    number: str
    case_key: str
    applicant: str


def offers_slots(case: Case) -> bool:
    """Whether the case can book anything, or has: what became of an appointment stays to be seen."""
    found = select(Resource.id).where(Resource.active, Resource.service_codes.contains([case.service_code]))
    return db.session.scalars(found.limit(1)).first() is not None or newest(case.id) is not None


def words(booking: Booking, lang: str) -> str:
    """When and where, and for how many."""
    if lang == "en":
        return f"{place(booking, lang)}, {when(booking, lang)}, {booking.seats} seat(s)"
    return f"{place(booking, lang)}，{when(booking, lang)}，{booking.seats} 個名額"


def when(booking: Booking, lang: str) -> str:
    """115年12月3日 14:00至15:00; both days where it ends on another."""
    starts, ends = booking.slot.starts_at, booking.slot.ends_at
    same_day = taipei(starts).date() == taipei(ends).date()
    until = f"{taipei(ends):%H:%M}" if same_day else moment(ends, lang)
    return f"{moment(starts, lang)}{'–' if lang == 'en' else '至'}{until}"


def place(booking: Booking, lang: str) -> str:
    resource = booking.slot.resource
    return resource.name_en if lang == "en" else resource.name_zh


def moment(at: datetime, lang: str) -> str:
    local = taipei(at)
    return f"{format_day(local.date(), lang)} {local:%H:%M}"


def current(case_id: int) -> Booking | None:
    """The appointment that the case has or waits for."""
    return db.session.scalars(
        select(Booking)
        .where(Booking.case_id == case_id, Booking.state.in_(ACTIVE))
        .execution_options(populate_existing=True)
    ).one_or_none()


def states(case_ids: Collection[int]) -> dict[int, str]:
    """How the appointments of several cases stand."""
    rows = select(Booking.case_id, Booking.state).where(
        Booking.case_id.in_(case_ids), Booking.state.in_(ACTIVE)
    )
    return dict(db.session.execute(rows).all())


def newest(case_id: int) -> Booking | None:
    """The last appointment, also one that is over."""
    return db.session.scalars(
        select(Booking).where(Booking.case_id == case_id).order_by(Booking.id.desc()).limit(1)
    ).first()


def ahead_of(booking: Booking) -> int:
    """How many wait before this one."""
    earlier = select(Booking.id).where(
        Booking.slot_id == booking.slot_id, Booking.state == "waiting", Booking.position < booking.position
    )
    return len(db.session.scalars(earlier).all())


def choices(case: Case, now: datetime) -> Sequence[Slot]:
    """The slots to come for a case, full ones too: the applicant may wait for one."""
    return _coming(case.service_code, now)


def _coming(service_code: str, now: datetime) -> Sequence[Slot]:
    return db.session.scalars(
        select(Slot)
        .join(Resource, Resource.id == Slot.resource_id)
        .where(Resource.active, Resource.service_codes.contains([service_code]), Slot.starts_at > now)
        .options(joinedload(Slot.resource))
        .order_by(Slot.starts_at, Slot.id)
        .limit(MOST_LISTED)
    ).all()


def free(case: Case, now: datetime) -> list[Slot]:
    return free_slots(case.service_code, now)


def free_slots(service_code: str, now: datetime) -> list[Slot]:
    return [slot for slot in _coming(service_code, now) if slot.taken < slot.capacity]


def managed_units(actor: Actor) -> frozenset[int]:
    """The units whose resources the actor looks after."""
    managing = [m for m in actor.mandates if f"function:{m.function}" in PERMISSIONS["manage_slots"]]
    tree = chart()
    return frozenset(unit for m in managing for unit in tree.within(m.unit_id))


def manages(actor: Actor, resource: Resource) -> bool:
    return resource.unit_id in managed_units(actor)


def resources(actor: Actor) -> Sequence[Resource]:
    units = managed_units(actor)
    return db.session.scalars(
        select(Resource).where(Resource.unit_id.in_(units)).order_by(Resource.unit_id, Resource.id)
    ).all()


def resource(actor: Actor, public_id: str) -> Resource | None:
    found = db.session.scalars(select(Resource).where(Resource.public_id == public_id)).one_or_none()
    return found if found is not None and manages(actor, found) else None


def to_come(resource: Resource, now: datetime) -> list[Appointment]:
    """Everybody who has, or waits for, a seat in a slot that has not begun; by slot and place in the queue."""
    rows = db.session.execute(
        _APPOINTMENTS.join(Slot, Slot.id == Booking.slot_id)
        .where(Slot.resource_id == resource.id, Slot.starts_at > now, Booking.state.in_(ACTIVE))
        .order_by(Slot.starts_at, Booking.position.nulls_first(), Booking.id)
    )
    return list(_appointments(rows).values())


def _appointments(rows: Iterable[Any]) -> dict[int, Appointment]:
    """By booking; of several parties of a case the first."""
    found: dict[int, Appointment] = {}
    for booking, number, key, name in rows:
        found.setdefault(booking.id, Appointment(booking, number or "", key, name or ""))
    return found


_APPOINTMENTS = (
    select(Booking, Case.number, Case.public_id, Party.name)
    .join(Case, Case.id == Booking.case_id)
    .outerjoin(Party, (Party.case_id == Case.id) & (Party.role != "representative"))
)


def calendar_of(resource: Resource, first: datetime, last: datetime) -> list[tuple[Slot, list[Appointment]]]:
    """The slots of a period with everybody who has or waits for a seat."""
    slots = db.session.scalars(
        select(Slot)
        .where(Slot.resource_id == resource.id, Slot.starts_at >= first, Slot.starts_at < last)
        .order_by(Slot.starts_at)
        .limit(MOST_LISTED)
    ).all()
    rows = db.session.execute(
        _APPOINTMENTS.where(
            Booking.slot_id.in_([slot.id for slot in slots]), Booking.state != "cancelled"
        ).order_by(Booking.position.nulls_first(), Booking.id)
    )
    people = list(_appointments(rows).values())
    return [(slot, [each for each in people if each.booking.slot_id == slot.id]) for slot in slots]
