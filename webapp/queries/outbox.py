"""Messages as they were sent: what the demonstration shows instead of a mailbox."""

from __future__ import annotations

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Message

PAGE = 30
#: how the key of a message begins that carries a one-time code
CODE = "login-code:"


def messages(before: int | None = None, *, codes: bool) -> tuple[list[Message], int | None]:
    """A page of messages, the newest first, and the cursor of the next page.

    `codes`: with the one-time codes of sign-ins, which open the accounts of others.
    """
    query = select(Message).order_by(Message.id.desc()).limit(PAGE + 1)
    if not codes:
        query = query.where(Message.idempotency_key.not_like(f"{CODE}%"))
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None
