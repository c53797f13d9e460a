"""Orders to the worker: those that were given up, and what became of the papers of a case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, Effect, Letter

MOST_LISTED = 200


@dataclass(frozen=True)
class GivenUp:
    id: int
    kind: str
    #: None for what belongs to no case
    number: str | None
    attempts: int
    #: the class of the last error; its words may quote the applicant
    error: str
    at: datetime


def given_up() -> list[GivenUp]:
    """What will not happen unless somebody has it tried again, the oldest first."""
    rows = db.session.execute(
        select(Effect.id, Effect.kind, Case.number, Effect.attempts, Effect.last_error, Effect.created_at)
        .outerjoin(Case, Case.id == Effect.case_id)
        .where(Effect.state == "dead")
        .order_by(Effect.id)
        .limit(MOST_LISTED)
    )
    return [
        GivenUp(key, kind, number, tries, error or "", at) for key, kind, number, tries, error, at in rows
    ]


def letters_given_up(letters: Sequence[Letter]) -> frozenset[int]:
    """The ids of those letters whose printing was given up."""
    keys = {f"letter:{letter.public_id}": letter.id for letter in letters if letter.document_id is None}
    if not keys:
        return frozenset()
    dead = select(Effect.idempotency_key).where(Effect.idempotency_key.in_(keys), Effect.state == "dead")
    return frozenset(keys[key] for key in db.session.scalars(dead))


def is_done(key: str) -> bool:
    """Whether the order with this key was carried out."""
    done = select(Effect.id).where(Effect.idempotency_key == key, Effect.state == "done")
    return db.session.scalars(done).first() is not None


def states_of(case_id: int, kind: str) -> frozenset[str]:
    """In which states the orders of one kind for a case are."""
    return frozenset(
        db.session.scalars(select(Effect.state).where(Effect.case_id == case_id, Effect.kind == kind))
    )
