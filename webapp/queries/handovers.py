"""Who helps with a draft, and who did."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, false, or_, select

from webapp.extensions import db
from webapp.models import Handover
from webapp.permissions import Actor


def live(draft_key: str) -> Handover | None:
    """The code that may still be used, or whoever helps now."""
    return live_of([draft_key]).get(draft_key)


def live_of(draft_keys: Collection[str]) -> dict[str, Handover]:
    rows = db.session.scalars(
        select(Handover).where(Handover.draft_key.in_(draft_keys), Handover.ended_at.is_(None))
    )
    return {row.draft_key: row for row in rows}


def helps(actor: Actor, draft_key: str) -> bool:
    """Whether the actor may write a draft of somebody else at present."""
    mine = (Handover.draft_key == draft_key, helped_by(actor), Handover.ended_at.is_(None))
    return db.session.scalars(select(Handover.id).where(*mine)).first() is not None


def helpers(draft_key: str) -> Sequence[Handover]:
    """Everybody who took part, in their order."""
    return db.session.scalars(
        select(Handover)
        .where(Handover.draft_key == draft_key, Handover.used_at.is_not(None))
        .order_by(Handover.used_at, Handover.id)
    ).all()


def asked(actor: Actor, draft_key: str) -> bool:
    """Whether the actor is the applicant who made a code for a draft."""
    wanted = (Handover.draft_key == draft_key, made_by(actor))
    return db.session.scalars(select(Handover.id).where(*wanted)).first() is not None


def last_part(actor: Actor, draft_key: str) -> Handover | None:
    """The last handover in which the actor had a part, as whoever made the code or whoever used it."""
    return db.session.scalars(
        select(Handover)
        .where(Handover.draft_key == draft_key, or_(helped_by(actor), made_by(actor)))
        .order_by(Handover.id.desc())
        .limit(1)
    ).first()


def helped_by(actor: Actor) -> ColumnElement[bool]:
    if actor.account_id is not None:
        return Handover.helper_id == actor.account_id
    return Handover.helper_device == actor.device_hash if actor.device_hash is not None else false()


def made_by(actor: Actor) -> ColumnElement[bool]:
    if actor.account_id is not None:
        return Handover.made_by_id == actor.account_id
    return Handover.made_by_device == actor.device_hash if actor.device_hash is not None else false()
