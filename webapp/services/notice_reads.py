"""Marking notices as read, for oneself alone: a deputy who has read one leaves it unread for whom it was sent to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, literal, select
from sqlalchemy.dialects.postgresql import insert

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Message, NoticeRead
from webapp.permissions import Actor
from webapp.queries import notices


def mark(actor: Actor, public_id: str, now: datetime, *, and_older: bool = False) -> None:
    """A notice, or also all before it: what came after the page was opened stays unread. Twice changes nothing."""
    newest = db.session.scalars(
        select(Message.id).where(notices.addressed_to(actor), Message.public_id == public_id)
    ).one_or_none()
    if newest is None:
        raise NotFound()
    chosen = Message.id <= newest if and_older else Message.id == newest
    reads = select(literal(actor.account_id), Message.id, literal(now, DateTime(timezone=True))).where(
        notices.to(actor), notices.not_read(actor), chosen
    )
    statement = insert(NoticeRead).from_select(["account_id", "message_id", "at"], reads)
    db.session.execute(statement.on_conflict_do_nothing())
