"""What must happen outside the transaction: rows written in it, which the database hands to the worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from rules.values import Text
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import AuditEntry, Effect
from webapp.permissions import Actor
from webapp.rows import write_together


def enqueue(*effects: Effect) -> None:
    """Writes the effects; the database hands each to the worker with them: rolled-back work never runs."""
    write_together(effects)


def hand_over(effect_ids: Sequence[int]) -> None:
    """Once more, for effects that are there already and whose job is gone."""
    db.session.execute(
        text("select hand_over(id) from unnest(cast(:ids as bigint[])) as id"), {"ids": effect_ids}
    )


def again(key: str) -> None:
    """What was printed is printed anew, since what it says has changed."""
    row = db.session.scalars(
        select(Effect).where(Effect.idempotency_key == key).with_for_update()
    ).one_or_none()
    if row is not None and row.state == "done":
        row.state, row.attempts = "pending", 0
        db.session.flush()
        hand_over([row.id])


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


def order(kind: str, key: str, digest: str, now: datetime, failed: Text, **payload: Any) -> None:
    """One order a paper that is kept. One that was carried out, or given up for other contents, is given again."""
    wanted = effect(kind, key, now, digest=digest, **payload)
    of_this_paper = Effect.idempotency_key == wanted.idempotency_key
    if db.session.scalars(select(Effect.id).where(of_this_paper)).first() is None:
        row = {name: getattr(wanted, name) for name in ("kind", "payload", "idempotency_key", "created_at")}
        db.session.execute(insert(Effect).values(**row, state="pending", attempts=0).on_conflict_do_nothing())
        return
    # locked: the worker is printing it, or somebody else is ordering it
    standing = db.session.scalars(
        select(Effect).where(of_this_paper).with_for_update(skip_locked=True)
    ).one_or_none()
    if standing is None or standing.state == "pending":
        return
    if standing.state == "dead" and standing.payload["digest"] == digest:
        raise NotFound(failed)
    standing.state, standing.attempts, standing.last_error = "pending", 0, None
    standing.payload, standing.created_at = wanted.payload, now
    db.session.flush()
    hand_over([standing.id])
