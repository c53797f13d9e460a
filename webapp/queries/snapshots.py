"""The facts of past decisions, as they were kept with their firings, for a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from rules.facts import FACTS
from webapp.extensions import db
from webapp.models import Case, Firing, Plan, ProgressReport, RegisterEntry, Revision
from webapp.periods import month_label

_AT_ONCE = 1000


def of_ruleset(key: str, since: date) -> Iterator[tuple[str, dict[str, object]]]:
    """Each decision of the ruleset from that day on, and its facts: of cases, by number and day, then the newest of
    each report of a plan, by title and month."""
    of_cases = (
        select(Case.number, Firing.as_of, Firing.facts)
        .join(Firing, Firing.case_id == Case.id)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Revision.kind == "ruleset", Revision.key == key, Firing.as_of >= since)
        .order_by(Firing.as_of, Case.number, Firing.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for number, as_of, facts in db.session.execute(of_cases):
        yield f"{number} {as_of}", _typed_all(facts)
    of_reports = (
        select(func.coalesce(RegisterEntry.title, Plan.title), ProgressReport.month, Firing.facts)
        .ext(distinct_on(ProgressReport.month, ProgressReport.id))
        .join(ProgressReport, ProgressReport.id == Firing.progress_report_id)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Revision.kind == "ruleset", Revision.key == key, Firing.as_of >= since)
        .order_by(ProgressReport.month, ProgressReport.id, Firing.id.desc())
        .execution_options(yield_per=_AT_ONCE)
    )
    for title, month, facts in db.session.execute(of_reports):
        yield f"{title} {month_label(month).zh}", _typed_all(facts)


def _typed_all(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: _typed(name, value) for name, value in facts.items()}


def _typed(name: str, value: object) -> object:
    """A decimal was kept as its text."""
    fact = FACTS.get(name)
    if fact is not None and fact.type == "number" and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value
