"""Registering an official journey abroad: its report is asked for at once, due three months after the return."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Forbidden, Misfit
from webapp.extensions import db
from webapp.models import Case, Journey, Unit
from webapp.moments import taipei_day
from webapp.permissions import PERMISSIONS, Actor
from webapp.services import internal_cases
from webapp.sheets import narrow

SERVICE = "KM07"
#: how far from today the return may lie
MOST_TIME = timedelta(days=366)
LONGEST_NAME, LONGEST_PLACE, LONGEST_PURPOSE = 200, 100, 500


@dataclass(frozen=True)
class Trip:
    traveller: str
    destination: str
    purpose: str
    left_on: date
    returned_on: date


def units_of(actor: Actor) -> list[int]:
    """Units for which the actor registers journeys: where they report."""
    return sorted(
        {m.unit_id for m in actor.mandates if f"function:{m.function}" in PERMISSIONS["report_plans"]}
    )


def require(actor: Actor) -> None:
    if not units_of(actor):
        raise Forbidden(
            Text(
                zh="只有單位的承辦人員與主管可以登記出國。",
                en="Officers and heads of units register journeys.",
            )
        )


def register(actor: Actor, unit_id: int, trip: Trip, now: datetime) -> Journey:
    """Misfit names the field that cannot be."""
    require(actor)
    if unit_id not in units_of(actor):
        raise Misfit("unit", Text(zh="請選擇自己的單位。", en="Choose a unit of your own."))
    _check(trip, taipei_day(now))
    _is_new(unit_id, trip)
    case = internal_cases.open_case(
        actor,
        SERVICE,
        {
            "traveller": trip.traveller,
            "destination": trip.destination,
            "purpose": trip.purpose,
            "left_on": trip.left_on.isoformat(),
            "returned_on": trip.returned_on.isoformat(),
        },
        unit_id,
        trip.returned_on,
        now,
    )
    made = Journey(
        case_id=case.id,
        unit_id=unit_id,
        traveller=trip.traveller,
        destination=trip.destination,
        purpose=trip.purpose,
        left_on=trip.left_on,
        returned_on=trip.returned_on,
        registered_by_id=actor.account_id,
        registered_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made


def _is_new(unit_id: int, trip: Trip) -> None:
    """A form that is sent twice registers one journey. Who travels is encrypted, so it is read and compared here."""
    db.session.execute(select(Unit.id).where(Unit.id == unit_id).with_for_update(key_share=True))
    same = (
        select(Journey, Case.number)
        .outerjoin(Case, Case.id == Journey.case_id)
        .where(
            Journey.unit_id == unit_id,
            Journey.left_on == trip.left_on,
            Journey.returned_on == trip.returned_on,
            Journey.state != "cancelled",
        )
        .order_by(Journey.id)
    )
    for journey, number in db.session.execute(same):
        if narrow(journey.traveller) == narrow(trip.traveller):
            raise Misfit(
                "traveller",
                Text(
                    zh=f"這趟出國已經登記過了{f'（{number}）' if number else ''}。",
                    en=f"This journey is registered already{f' ({number})' if number else ''}.",
                ),
            )


def wrong_words(traveller: str, destination: str, purpose: str) -> list[Misfit]:
    """What cannot be said of who, where and why."""
    asked = (
        ("traveller", traveller, LONGEST_NAME, "出國人員", "who travels"),
        ("destination", destination, LONGEST_PLACE, "前往國家及地點", "where to"),
        ("purpose", purpose, LONGEST_PURPOSE, "出國目的", "the purpose"),
    )
    return [
        Misfit(name, Text(zh=f"請填寫{zh}，最多 {most} 字。", en=f"Say {en}, in up to {most} characters."))
        for name, said, most, zh, en in asked
        if not 0 < len(said) <= most
    ]


def _check(trip: Trip, today: date) -> None:
    if wrong := wrong_words(trip.traveller, trip.destination, trip.purpose):
        raise wrong[0]
    if trip.returned_on < trip.left_on:
        raise Misfit(
            "returned_on", Text(zh="返國日期不能早於出國日期。", en="The return is not before the departure.")
        )
    if abs(trip.returned_on - today) > MOST_TIME:
        raise Misfit(
            "returned_on",
            Text(zh="返國日期須在今天前後一年內。", en="The return lies within a year from today."),
        )
