"""What must happen outside the transaction: written as rows in it, and handed to the worker in the same commit."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from webapp.extensions import db
from webapp.jobs.app import perform
from webapp.models import Effect
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


def effect(kind: str, key: str, now: datetime, *, case_id: int | None = None, **payload: Any) -> Effect:
    """`key` makes the effect happen once: the same key a second time is refused by the database."""
    return Effect(
        kind=kind, case_id=case_id, payload=payload, idempotency_key=f"{kind}:{key}", created_at=now
    )
