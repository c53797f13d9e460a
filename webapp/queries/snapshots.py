"""The facts of past decisions, as they were kept with their firings, for a dry run and for examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Select, select

from rules.facts import FACTS
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Firing, Revision
from webapp.permissions import Actor, visible_to

_AT_ONCE = 1000
_MOST_OF_CASE = 50


def of_ruleset(key: str, since: date) -> Iterator[tuple[str, dict[str, object]]]:
    """Each decision of the ruleset from that day on: the case and the day, and its facts."""
    rows = db.session.execute(
        select(Case.number, Firing.as_of, Firing.facts)
        .join(Firing, Firing.case_id == Case.id)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Revision.kind == "ruleset", Revision.key == key, Firing.as_of >= since)
        .order_by(Firing.as_of, Case.number, Firing.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for number, as_of, facts in rows:
        yield f"{number} {as_of}", {name: _typed(name, value) for name, value in facts.items()}


@dataclass(frozen=True)
class Stored:
    """One decision as it was kept; whose case it was is not told."""

    id: int
    as_of: date
    facts: dict[str, object]
    outcomes: list[dict[str, Any]]


def of_case(actor: Actor, number: str, key: str) -> list[Stored]:
    """The decisions of the ruleset about a case that the actor may see, the newest first."""
    newest = _visible(actor, key).where(Case.number == number).order_by(Firing.id.desc()).limit(_MOST_OF_CASE)
    return [_stored(row) for row in db.session.execute(newest)]


def decision(actor: Actor, firing_id: int, key: str) -> Stored:
    row = db.session.execute(_visible(actor, key).where(Firing.id == firing_id)).one_or_none()
    if row is None:
        raise NotFound()
    return _stored(row)


def _visible(actor: Actor, key: str) -> Select[Any]:
    return (
        select(Firing.id, Firing.as_of, Firing.facts, Firing.outcomes)
        .join(Case, Case.id == Firing.case_id)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Revision.kind == "ruleset", Revision.key == key, visible_to(actor))
    )


def _stored(row: Any) -> Stored:
    facts = {name: _typed(name, value) for name, value in row.facts.items()}
    return Stored(row.id, row.as_of, facts, row.outcomes)


def _typed(name: str, value: object) -> object:
    """A decimal was kept as its text."""
    fact = FACTS.get(name)
    if fact is not None and fact.type == "number" and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value
