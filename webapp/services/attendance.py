"""Who came to an appointment, told at the calendar of the desk: the case goes on where it waited for that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.models import Booking
from webapp.permissions import Actor
from webapp.queries import bookings as queries
from webapp.services import bookings, cases, duties, steps
from webapp.services.steps import Given

EFFECT = {"attended": "slot_attended", "no_show": "slot_missed"}
MISSED = Text(zh="申請人未到場。", en="The applicant did not come.")


def mark(actor: Actor, booking_id: str, outcome: str, now: datetime) -> Booking:
    """`outcome` is attended or no_show. Where the case is in other hands, only the appointment is marked."""
    booking = db.session.scalars(select(Booking).where(Booking.public_id == booking_id)).one_or_none()
    if booking is None or not queries.manages(actor, booking.slot.resource):
        raise NotFound()
    if outcome not in EFFECT:
        raise Refused(Text(zh="請選擇「已到」或「未到」。", en="Choose attended or did not come."))
    case = booking.case
    duties.require_stranger(case, actor.account_id)
    for offer in cases.offers(actor, steps.context(case), now):
        if EFFECT[outcome] in offer.transition.effects and offer.task is not None:
            given = Given(comment=MISSED.zh if "comment" in offer.transition.requires else "")
            name, task_id = offer.transition.name, offer.task.id
            cases.take_transition(actor, case, name, now, version=case.version, task_id=task_id, given=given)
            return booking
    bookings.mark(actor, booking, outcome, now)
    return booking
