"""片語: reasons that the officers of a unit keep and use again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select

from rules.values import Text
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.letters import fonts
from webapp.models import Case, Phrase
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries.org import chart

LONGEST_TITLE = 40
LONGEST_TEXT = 1000
MOST = 100


def units_of(actor: Actor) -> list[int]:
    """The units whose phrases an actor keeps: those in which they work on cases, for nobody but themselves."""
    return sorted(
        {
            m.unit_id
            for m in actor.mandates
            if m.acting_for_id is None and f"function:{m.function}" in PERMISSIONS["see_cases_of_unit"]
        }
    )


def kept(actor: Actor) -> Sequence[Phrase]:
    """What the actor's units keep, by unit and title."""
    return db.session.scalars(
        select(Phrase)
        .where(Phrase.unit_id.in_(units_of(actor)), Phrase.withdrawn_at.is_(None))
        .order_by(Phrase.unit_id, Phrase.title, Phrase.id)
    ).all()


def of_case(case: Case) -> Sequence[Phrase]:
    """What may be used in a case: phrases of its unit and those above it, for its service or for all."""
    above = [unit.id for unit in chart().upwards(case.handling_unit_id)]
    return db.session.scalars(
        select(Phrase)
        .where(
            Phrase.unit_id.in_(above),
            Phrase.withdrawn_at.is_(None),
            or_(Phrase.service_code.is_(None), Phrase.service_code == case.service_code),
        )
        .order_by(Phrase.title, Phrase.id)
    ).all()


def add(actor: Actor, unit_id: int, title: str, text: str, service_code: str, now: datetime) -> Phrase:
    """Refused where it is empty, too long, not printable, or the unit keeps too many to find one again."""
    title, text = title.strip(), text.strip()
    if unit_id not in units_of(actor):
        raise NotFound()
    if not title or not text or len(title) > LONGEST_TITLE or len(text) > LONGEST_TEXT:
        raise Refused(
            Text(
                zh=f"請填寫名稱（最多 {LONGEST_TITLE} 字）與內容（最多 {LONGEST_TEXT} 字）。",
                en=f"Give a name (at most {LONGEST_TITLE} characters) and a text (at most {LONGEST_TEXT}).",
            )
        )
    if missing := fonts.missing(text):
        which = "、".join(map(fonts.code_point, missing))
        raise Refused(
            Text(
                zh=f"公文無法印出這些字元：{which}。", en=f"A letter cannot print these characters: {which}."
            )
        )
    if len([phrase for phrase in kept(actor) if phrase.unit_id == unit_id]) >= MOST:
        raise Refused(
            Text(
                zh=f"每個單位最多 {MOST} 則片語，請先停用不用的。",
                en=f"A unit keeps at most {MOST} phrases. Withdraw one first.",
            )
        )
    phrase = Phrase(
        unit_id=unit_id,
        service_code=service_code or None,
        title=title,
        text=text,
        written_by_id=actor.account_id,
        at=now,
    )
    db.session.add(phrase)
    db.session.flush()
    return phrase


def withdraw(actor: Actor, public_id: str, now: datetime) -> None:
    """It is offered no more; letters that used it stay as they are."""
    phrase = db.session.scalars(
        select(Phrase).where(Phrase.public_id == public_id, Phrase.unit_id.in_(units_of(actor)))
    ).one_or_none()
    if phrase is None:
        raise NotFound()
    phrase.withdrawn_at = phrase.withdrawn_at or now
    db.session.flush()
