"""The history of a case: an append-only chain of digests, with erasable payloads beside it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, CaseEvent, EventPayload
from webapp.permissions import Actor
from webapp.rows import write


def record(
    actor: Actor,
    case: Case,
    kind: str,
    now: datetime,
    *,
    task_id: int | None = None,
    acting_for_id: int | None = None,
    from_state: str | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Appends one event. `payload` may hold personal data; empty values are left out, an empty payload has no row."""
    last = _last(case.id)
    event = CaseEvent(
        case_id=case.id,
        seq=last.seq + 1,
        at=now,
        kind=kind,
        actor_kind=actor.kind,
        actor_id=actor.account_id,
        acting_for_id=acting_for_id,
        task_id=task_id,
        from_state=from_state,
        to_state=case.state,
    )
    content = {name: value for name, value in (payload or {}).items() if value not in (None, "", [], {})}
    salt = secrets.token_hex(16)
    if content:
        event.payload_digest = payload_digest(salt, content)
    event.digest = chained(last.digest, event)
    event_id = write(event)
    if content:
        write(EventPayload(event_id=event_id, salt=salt, body=content))


def first(actor: Actor, case: Case, kind: str, now: datetime) -> CaseEvent:
    """The event that begins the chain of a case, not yet written."""
    event = CaseEvent(
        case_id=case.id,
        seq=1,
        at=now,
        kind=kind,
        actor_kind=actor.kind,
        actor_id=actor.account_id,
        to_state=case.state,
    )
    event.digest = chained("", event)
    return event


def payload_digest(salt: str, content: dict[str, Any]) -> str:
    return hashlib.sha256((salt + _canonical(content)).encode()).hexdigest()


def chained(previous: str, event: CaseEvent) -> str:
    """The digest of an event over its own columns and the digest before it."""
    fields = [
        event.case_id,
        event.seq,
        event.at.isoformat(timespec="microseconds"),
        event.kind,
        event.actor_id,
        event.acting_for_id,
        event.task_id,
        event.from_state,
        event.to_state,
        event.payload_digest,
    ]
    return hashlib.sha256((previous + _canonical(fields)).encode()).hexdigest()


def broken_links(case_id: int) -> list[int]:
    """The sequence numbers at which the chain of a case does not hold; an erased payload is no break."""
    previous, broken = "", []
    events = db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)
    ).all()
    for expected, event in enumerate(events, start=1):
        payload = event.payload
        intact = payload is None or payload_digest(payload.salt, payload.body) == event.payload_digest
        if event.seq != expected or event.digest != chained(previous, event) or not intact:
            broken.append(event.seq)
        previous = event.digest
    return broken


def verify_all(say: Callable[[str], None]) -> Counter[str]:
    """Checks the chain of every case; `say` hears of each one that is broken, and where."""
    result: Counter[str] = Counter()
    for case_id, number in db.session.execute(select(Case.id, Case.number).order_by(Case.id)).all():
        broken = broken_links(case_id)
        result["broken" if broken else "intact"] += 1
        if broken:
            say(f"{number}: {', '.join(map(str, broken))}")
    return result


def erase_payloads(case_id: int) -> int:
    """Forgets the content of a case's history, for example after its retention period. The chain still holds."""
    events = db.session.scalars(select(CaseEvent).where(CaseEvent.case_id == case_id)).all()
    erased = [event.payload for event in events if event.payload is not None]
    for payload in erased:
        db.session.delete(payload)
    db.session.flush()
    return len(erased)


def _last(case_id: int) -> CaseEvent:
    db.session.flush()
    return db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq.desc()).limit(1)
    ).one()


def _canonical(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
