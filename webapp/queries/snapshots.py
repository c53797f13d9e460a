"""The facts of past decisions, as they were kept with their firings, for a dry run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, select

from rules.facts import FACTS
from webapp.extensions import db
from webapp.models import Case, Firing, Revision

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


def _typed(name: str, value: object) -> object:
    """A decimal was kept as its text."""
    fact = FACTS.get(name)
    if fact is not None and fact.type == "number" and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value
