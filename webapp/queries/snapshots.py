"""The facts of past decisions, as they were kept with their firings, for a dry run and for examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from sqlalchemy import Select, Subquery, func, literal, select, type_coerce, union_all
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, aggregate_order_by, distinct_on

from rules.facts import FACTS
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Firing, Plan, ProgressReport, RegisterEntry, Revision
from webapp.periods import month_label
from webapp.permissions import Actor, open_to_rules, visible_to

_AT_ONCE = 1000
_MOST_OF_CASE = 50


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
        yield _typed_all(facts), times


@dataclass(frozen=True)
class Subject:
    """Whom a decision was about: a case on a day, or a plan with the month of its report."""

    name: str
    #: of its page
    public_id: str
    day: date | None
    kind: Literal["case", "plan"] = "case"


@dataclass(frozen=True)
class Group:
    """Equal facts of past decisions: how often they were decided, and for whom, the newest first."""

    facts: dict[str, object]
    times: int
    subjects: tuple[Subject, ...]


def groups(actor: Actor, key: str, since: date, until: date, most: int) -> Iterator[Group]:
    """What the ruleset decided in the period, as far as an editor may read of it, the most frequent facts first."""
    row = _decided(actor, key)
    subject = func.jsonb_build_array(row.c.name, row.c.page, row.c.day, row.c.kind)
    named = func.array_agg(aggregate_order_by(subject, row.c.day.desc(), row.c.name, row.c.id))
    found = db.session.execute(
        select(row.c.facts, func.count(), type_coerce(named, ARRAY(JSONB))[1:most])
        .where(row.c.day.between(since, until))
        .group_by(row.c.facts)
        .order_by(func.count().desc(), func.min(row.c.id))
    )
    for facts, times, subjects in found:
        of = [Subject(name or "", page, date.fromisoformat(day), kind) for name, page, day, kind in subjects]
        yield Group(_typed_all(facts), times, tuple(of))


def count(actor: Actor, key: str, since: date, until: date) -> int:
    row = _decided(actor, key)
    statement = select(func.count()).select_from(row).where(row.c.day.between(since, until))
    return db.session.scalars(statement).one()


def latest(actor: Actor, key: str) -> Iterator[tuple[Subject, dict[str, object]]]:
    """Of each open case, and of each plan under control, the newest facts that the ruleset decided."""
    row = _decided(actor, key)
    found = db.session.execute(
        select(row.c.name, row.c.page, row.c.day, row.c.kind, row.c.facts)
        .where(row.c.open)
        .ext(distinct_on(row.c.kind, row.c.subject))
        .order_by(row.c.kind, row.c.subject, row.c.day.desc(), row.c.id.desc())
        .execution_options(yield_per=_AT_ONCE)
    )
    for name, page, day, kind, facts in found:
        yield Subject(name or "", page, day, kind), _typed_all(facts)


def _decided(actor: Actor, key: str) -> Subquery:
    """Decisions about cases that the actor may read of, and the newest one about each report of a plan."""
    of_key = Firing.ruleset_revision_id.in_(
        select(Revision.id).where(Revision.kind == "ruleset", Revision.key == key)
    )
    of_cases = (
        select(
            Firing.id,
            Firing.facts,
            Firing.as_of.label("day"),
            Case.number.label("name"),
            Case.public_id.label("page"),
            literal("case").label("kind"),
            (Case.status == "open").label("open"),
            Case.id.label("subject"),
        )
        .join(Case, Case.id == Firing.case_id)
        .where(of_key, open_to_rules(actor))
    )
    newest = (
        select(func.max(Firing.id))
        .where(of_key, Firing.progress_report_id.is_not(None))
        .group_by(Firing.progress_report_id)
    )
    of_reports = (
        select(
            Firing.id,
            Firing.facts,
            ProgressReport.month,
            func.coalesce(RegisterEntry.title, Plan.title),
            Plan.public_id,
            literal("plan"),
            RegisterEntry.released_on.is_(None),
            RegisterEntry.id,
        )
        .join(ProgressReport, ProgressReport.id == Firing.progress_report_id)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(Firing.id.in_(newest))
    )
    return union_all(of_cases, of_reports).subquery()


def pages(actor: Actor, public_ids: Sequence[str]) -> frozenset[str]:
    """Those of the cases whose pages the actor may open."""
    return frozenset(
        db.session.scalars(select(Case.public_id).where(Case.public_id.in_(public_ids), visible_to(actor)))
    )


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
    facts = _typed_all(row.facts)
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
