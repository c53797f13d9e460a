"""Who did something outside a case."""

from __future__ import annotations

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.queries.org import chart


def last_hand(subject: str) -> str:
    """The name of whoever changed a thing last, for the page of somebody who comes too late."""
    newest = select(AuditEntry.actor_id).where(AuditEntry.subject == subject).order_by(AuditEntry.id.desc())
    return chart().names.get(db.session.scalars(newest.limit(1)).first() or 0, "")
