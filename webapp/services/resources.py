"""A bookable resource after it was made: changed, closed over nobody's head, opened again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Booking, Case, Resource
from webapp.permissions import Actor
from webapp.queries import bookings as queries
from webapp.queries.audit import last_hand
from webapp.services import bookings

LONGEST_REASON = 200


@dataclass(frozen=True)
class Settings:
    name: Text
    #: seats of slots that are opened from now on
    capacity: int
    service_codes: Collection[str]
    cancel_hours: int
    remind_hours: int


def edit(actor: Actor, resource: Resource, settings: Settings, now: datetime, *, version: int) -> None:
    """Slots that are there keep their seats; the hours hold for every booking at once."""
    _hold(actor, resource, version)
    bookings.check_numbers(settings.capacity, settings.cancel_hours, settings.remind_hours)
    resource.name_zh, resource.name_en = settings.name.zh, settings.name.in_("en")
    resource.capacity, resource.service_codes = settings.capacity, sorted(set(settings.service_codes))
    resource.cancel_hours, resource.remind_hours = settings.cancel_hours, settings.remind_hours
    db.session.flush()
    _audit(actor, "resource_changed", resource, now)


def close(
    actor: Actor, resource: Resource, reason: str, seen: Collection[str], now: datetime, *, version: int
) -> int:
    """Nobody books it any more. Whoever has a booking to come loses it and is told why; `seen` are the public ids of
    these bookings, as the page listed them. Returns how many people were told."""
    bookings.require_manager(actor, resource.unit_id)
    there = queries.to_come(resource, now)
    # first the cases, then the slots, then the resource: the order of whoever chooses a slot meanwhile
    cases = sorted({each.booking.case_id for each in there})
    db.session.execute(
        select(Case.id).where(Case.id.in_(cases)).order_by(Case.id).with_for_update(key_share=True)
    ).all()
    bookings.hold_slots({each.booking.slot_id for each in there})
    _hold(actor, resource, version)
    if not resource.active:
        raise Refused(Text(zh="這個資源已經關閉。", en="This resource is closed already."))
    db.session.expire_all()
    there = queries.to_come(resource, now)
    if {each.booking.public_id for each in there} != set(seen):
        raise Conflict(
            Text(
                zh="預約名單剛剛有變動，沒有關閉。請看過新的名單再決定。",
                en="The list of bookings has just changed and nothing was closed. Look at the new list first.",
            )
        )
    if there and not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"請寫明要告訴預約人的原因，最多 {LONGEST_REASON} 字。",
                en=f"Say what the people are told, in at most {LONGEST_REASON} characters.",
            )
        )
    # the end of the queue first, so that nobody moves up into a slot that goes
    for booking in sorted((each.booking for each in there), key=_last_first):
        bookings.withdraw(actor, booking, reason.strip(), now)
    resource.active = False
    db.session.flush()
    _audit(actor, "resource_closed", resource, now)
    return len(there)


def _last_first(booking: Booking) -> tuple[bool, int, int]:
    return booking.state != "waiting", -(booking.position or 0), booking.id


def reopen(actor: Actor, resource: Resource, now: datetime, *, version: int) -> None:
    """Its slots to come can be booked again."""
    _hold(actor, resource, version)
    resource.active = True
    db.session.flush()
    _audit(actor, "resource_reopened", resource, now)


def _hold(actor: Actor, resource: Resource, version: int) -> None:
    bookings.require_manager(actor, resource.unit_id)
    db.session.flush()
    db.session.refresh(resource, with_for_update=True)
    if resource.version != version:
        who = last_hand(resource.public_id)
        raise Conflict(
            Text(
                zh=f"這個資源剛剛由{who or '別人'}修改，您的輸入沒有送出，請重新載入。",
                en=f"{who or 'Somebody else'} has just changed this resource. Nothing was sent; reload.",
            )
        )


def _audit(actor: Actor, action: str, resource: Resource, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=resource.public_id))
    db.session.flush()
