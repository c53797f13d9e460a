"""Messages as they were sent: what the demonstration shows instead of a mailbox."""

from __future__ import annotations

from sqlalchemy import or_, select

from webapp.extensions import db
from webapp.models import Case, Message
from webapp.permissions import open_to_others

PAGE = 30
#: how the key of a message begins that carries a one-time code
CODE = "login-code:"


def messages(before: int | None = None, *, everything: bool) -> tuple[list[Message], int | None]:
    """A page of messages, the newest first, and the cursor of the next page.

    `everything`: with the one-time codes of sign-ins, which open the accounts of others, and confidential cases.
    """
    query = select(Message).order_by(Message.id.desc()).limit(PAGE + 1)
    if not everything:
        secret = select(Case.id).where(~open_to_others())
        query = query.where(
            Message.idempotency_key.not_like(f"{CODE}%"),
            or_(Message.case_id.is_(None), Message.case_id.not_in(secret)),
        )
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query))
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None
