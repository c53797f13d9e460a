"""The facts of past decisions, as they were kept with their firings, for a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import ColumnElement, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by, distinct_on

from rules.facts import FACTS
from webapp.extensions import db
from webapp.models import Case, Firing, Revision
from webapp.permissions import Actor, open_to_rules, visible_to

_AT_ONCE = 1000


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


def distinct(key: str, since: date) -> Iterator[tuple[dict[str, object], int]]:
    """Every different set of facts that the ruleset decided from that day on, and how often."""
    rows = db.session.execute(
        select(Firing.facts, func.count())
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Revision.kind == "ruleset", Revision.key == key, Firing.as_of >= since)
        .group_by(Firing.facts)
        .order_by(func.count().desc(), func.min(Firing.id))
    )
    for facts, times in rows:
        yield {name: _typed(name, value) for name, value in facts.items()}, times


@dataclass(frozen=True)
class Group:
    """Equal facts of past decisions: how often they were decided, and for whom, the newest first."""

    facts: dict[str, object]
    times: int
    #: (case number, public id, day)
    cases: tuple[tuple[str, str, date], ...]


def groups(actor: Actor, key: str, since: date, until: date, most: int) -> Iterator[Group]:
    """What the ruleset decided in the period, as far as an editor of rules reads of it; frequent facts first."""
    case = func.jsonb_build_array(Case.number, Case.public_id, Firing.as_of)
    named = func.array_agg(aggregate_order_by(case, Firing.as_of.desc(), Case.number, Firing.id))
    rows = db.session.execute(
        select(Firing.facts, func.count(), type_coerce(named, ARRAY(JSONB))[1:most])
        .join(Case, Case.id == Firing.case_id)
        .where(*_in_period(actor, key, since, until))
        .group_by(Firing.facts)
        .order_by(func.count().desc(), func.min(Firing.id))
    )
    for facts, times, cases in rows:
        yield Group(
            {name: _typed(name, value) for name, value in facts.items()},
            times,
            tuple((number or "", public_id, date.fromisoformat(day)) for number, public_id, day in cases),
        )


def count(actor: Actor, key: str, since: date, until: date) -> int:
    statement = select(func.count()).select_from(Firing).join(Case, Case.id == Firing.case_id)
    return db.session.scalars(statement.where(*_in_period(actor, key, since, until))).one()


def _in_period(actor: Actor, key: str, since: date, until: date) -> list[ColumnElement[bool]]:
    of_key = select(Revision.id).where(Revision.kind == "ruleset", Revision.key == key)
    return [
        Firing.ruleset_revision_id.in_(of_key),
        Firing.as_of.between(since, until),
        open_to_rules(actor),
    ]


def latest(actor: Actor, key: str) -> Iterator[tuple[str, str, date, dict[str, object]]]:
    """Of each open case, the newest facts that the ruleset decided: number, public id, day."""
    of_key = select(Revision.id).where(Revision.kind == "ruleset", Revision.key == key)
    rows = db.session.execute(
        select(Case.number, Case.public_id, Firing.as_of, Firing.facts)
        .join(Firing, Firing.case_id == Case.id)
        .where(Firing.ruleset_revision_id.in_(of_key), Case.status == "open", open_to_rules(actor))
        .ext(distinct_on(Case.id))
        .order_by(Case.id, Firing.as_of.desc(), Firing.id.desc())
        .execution_options(yield_per=_AT_ONCE)
    )
    for number, public_id, as_of, facts in rows:
        yield number or "", public_id, as_of, {name: _typed(name, value) for name, value in facts.items()}


def pages(actor: Actor, public_ids: Sequence[str]) -> frozenset[str]:
    """Those of the cases whose pages the actor may open."""
    return frozenset(
        db.session.scalars(select(Case.public_id).where(Case.public_id.in_(public_ids), visible_to(actor)))
    )


def _typed(name: str, value: object) -> object:
    """A decimal was kept as its text."""
    fact = FACTS.get(name)
    if fact is not None and fact.type == "number" and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value
