"""What must happen outside the transaction: written as rows in it, and handed to the worker in the same commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rules.values import Text
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.jobs.app import perform
from webapp.models import AuditEntry, Effect
from webapp.permissions import Actor
from webapp.rows import write_together


def enqueue(*effects: Effect) -> None:
    """Adds the effects and defers one job each on the session's own connection: rolled-back work never runs."""
    if not effects:
        return
    hand_over(write_together(effects))


def hand_over(effect_ids: list[int]) -> None:
    connection = db.session.connection().connection.dbapi_connection
    perform.configure(connection=connection).batch_defer(
        *({"effect_id": effect_id} for effect_id in effect_ids)
    )


def resend(actor: Actor, effect_id: int, now: datetime) -> Effect:
    """Once more for one that was given up, with all its tries. Raises Conflict when it is not given up (any more)."""
    row = db.session.get(Effect, effect_id, with_for_update=True)
    if row is None:
        raise NotFound()
    if row.state != "dead":
        raise Conflict(
            Text(zh="這一項已經重新送出或已完成。", en="This one was already sent again, or is done.")
        )
    row.state, row.attempts, row.last_error = "pending", 0, None
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action="effect_resent", subject=row.idempotency_key)
    )
    db.session.flush()
    hand_over([row.id])
    return row


def effect(kind: str, key: str, now: datetime, *, case_id: int | None = None, **payload: Any) -> Effect:
    """`key` makes the effect happen once: the same key a second time is refused by the database."""
    return Effect(
        kind=kind, case_id=case_id, payload=payload, idempotency_key=f"{kind}:{key}", created_at=now
    )
