"""The facts of past decisions, as they were kept with their firings, for a dry run and for examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from psycopg.errors import QueryCanceled
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    any_,
    exists,
    func,
    literal,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import aliased

from rules.facts import FACTS
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Edition, Firing, Plan, ProgressReport, RegisterEntry, Revision
from webapp.periods import month_label
from webapp.permissions import Actor, open_to_rules, visible_to

_AT_ONCE = 1000
_MOST_OF_SUBJECT = 50


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


def distinct(key: str, since: date, newest: int) -> Iterator[tuple[dict[str, object], int]]:
    """Every different set of facts among the newest decisions of the ruleset from that day on, and how often."""
    looked_at = (
        select(Firing.id, Firing.facts)
        .where(_of_key(key), Firing.as_of >= since)
        .order_by(Firing.as_of.desc(), Firing.id.desc())
        .limit(newest)
        .subquery()
    )
    rows = db.session.execute(
        select(looked_at.c.facts, func.count())
        .group_by(looked_at.c.facts)
        .order_by(func.count().desc(), func.min(looked_at.c.id))
    )
    for facts, times in rows:
        yield _typed_all(facts), times


class TooSlow(Exception):
    """The database was given so long, and needed longer."""


@contextmanager
def in_time(seconds: float) -> Iterator[None]:
    """No statement within it takes longer; what was done before stands."""
    waits = text("select set_config('statement_timeout', :ms, true)")
    try:
        with db.session.begin_nested():
            before = db.session.scalar(text("show statement_timeout"))
            db.session.execute(waits, {"ms": str(max(int(seconds * 1000), 1))})
            db.session.execute(text("set local work_mem = '64MB'"))
            yield
            db.session.execute(waits, {"ms": before})
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != QueryCanceled.sqlstate:
            raise
        raise TooSlow from None


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
    """Equal facts of past decisions: how often they were decided. `first`: the oldest of them."""

    facts: dict[str, object]
    times: int
    first: int


class Past:
    """What the ruleset decided in a period, as far as an editor may read of it: all of it, or the newest of it."""

    def __init__(self, actor: Actor, key: str, since: date, until: date, newest: int | None = None) -> None:
        row = _decided(actor, key)
        asked = row.c.day.between(since, until)
        if newest is not None:
            ids = _newest(actor, key, since, until, newest)
            asked = row.c.id == any_(literal(ids, ARRAY(BigInteger)))
        self._rows = select(row).where(asked).subquery()

    def groups(self, most: int) -> tuple[int, list[Group]]:
        """How many decisions there are, and so many different sets of facts, the most frequent first."""
        row = self._rows
        counted = (
            select(
                func.min(row.c.id).label("first"),
                func.count().label("times"),
                func.sum(func.count()).over().label("all"),
            )
            .group_by(row.c.facts)
            .order_by(func.count().desc(), func.min(row.c.id))
            .limit(most)
            .subquery()
        )
        found = db.session.execute(
            select(counted, Firing.facts)
            .join(Firing, Firing.id == counted.c.first)
            .order_by(counted.c.times.desc(), counted.c.first)
        ).all()
        groups = [Group(_typed_all(facts), times, first) for first, times, _, facts in found]
        return (int(found[0].all) if found else 0), groups

    def subjects(self, groups: Sequence[Group], most: int) -> dict[int, list[Subject]]:
        """Of each of the groups, by its `first`, whom it was decided for: at most so many, the newest first."""
        row, one = self._rows, aliased(Firing)
        rank = func.row_number().over(partition_by=one.id, order_by=(row.c.day.desc(), row.c.name, row.c.id))
        ranked = (
            select(one.id.label("first"), row.c.name, row.c.page, row.c.day, row.c.kind, rank.label("rank"))
            .join(row, row.c.facts == one.facts)
            .where(one.id.in_([group.first for group in groups]))
            .subquery()
        )
        found: dict[int, list[Subject]] = {group.first: [] for group in groups}
        for each in db.session.execute(
            select(ranked).where(ranked.c.rank <= most).order_by(ranked.c.first, ranked.c.rank)
        ):
            found[each.first].append(Subject(each.name or "", each.page, each.day, each.kind))
        return found


def _newest(actor: Actor, key: str, since: date, until: date, most: int) -> list[int]:
    """The newest decisions of the period; each revision is read from the end of its index."""
    revision = select(Revision.id).where(Revision.kind == "ruleset", Revision.key == key).subquery()
    of_cases = (
        select(Firing.as_of, Firing.id)
        .join(Case, Case.id == Firing.case_id)
        .where(
            Firing.ruleset_revision_id == revision.c.id,
            Firing.as_of.between(since, until),
            open_to_rules(actor),
        )
        .order_by(Firing.as_of.desc(), Firing.id.desc())
        .limit(most)
        .lateral()
    )
    row = _decided(actor, key)
    found = [
        *db.session.execute(select(of_cases).select_from(revision.join(of_cases, true()))),
        *db.session.execute(
            select(row.c.day, row.c.id)
            .where(row.c.kind == "plan", row.c.day.between(since, until))
            .order_by(row.c.day.desc(), row.c.id.desc())
            .limit(most)
        ),
    ]
    return [id for _, id in sorted(map(tuple, found), reverse=True)[:most]]


def latest(actor: Actor, key: str, most: int) -> list[tuple[Subject, dict[str, object]]]:
    """Of open cases, and of plans under control, the newest facts that the ruleset decided: of so many, the newest.

    What was decided of a period that is closed since stands for ever.
    """
    row = _decided(actor, key)
    of_cases = select(func.max(row.c.id)).where(row.c.kind == "case", row.c.open).group_by(row.c.subject)
    of_plans = (
        select(row.c.id, row.c.closed)
        .where(row.c.kind == "plan", row.c.open)
        .ext(distinct_on(row.c.subject))
        .order_by(row.c.subject, row.c.day.desc(), row.c.id.desc())
        .subquery()
    )
    running = select(of_plans.c.id).where(~of_plans.c.closed)
    ids = db.session.scalars(union_all(of_cases, running)).all()
    newest = (
        select(row.c.id, row.c.name, row.c.page, row.c.day, row.c.kind)
        .where(row.c.id == any_(literal(ids, ARRAY(BigInteger))))
        .subquery()
    )
    found = db.session.execute(
        select(newest, Firing.facts)
        .join(Firing, Firing.id == newest.c.id)
        .order_by(newest.c.day.desc(), newest.c.id.desc())
        .limit(most)
    )
    return [
        (Subject(name or "", page, day, kind), _typed_all(facts)) for _, name, page, day, kind, facts in found
    ]


def _of_key(key: str) -> ColumnElement[bool]:
    return Firing.ruleset_revision_id.in_(
        select(Revision.id).where(Revision.kind == "ruleset", Revision.key == key)
    )


def _decided(actor: Actor, key: str) -> Subquery:
    """Decisions about cases that the actor may read of, and the newest one about each report of a plan."""
    of_key = _of_key(key)
    of_cases = (
        select(
            Firing.id,
            Firing.facts,
            Firing.as_of.label("day"),
            Case.number.label("name"),
            Case.public_id.label("page"),
            literal("case").label("kind"),
            (Case.status == "open").label("open"),
            literal(False).label("closed"),
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
    closed = exists().where(
        Edition.register_id == ProgressReport.register_id,
        ProgressReport.month.between(Edition.first_month, Edition.last_month),
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
            closed.label("closed"),
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


def of_subject(actor: Actor, name: str, key: str) -> list[Stored]:
    """The decisions of the ruleset about a case, by its number, or a plan, by its title; the newest first."""
    row = _decided(actor, key)
    newest = _kept(row).where(row.c.name == name).order_by(Firing.id.desc()).limit(_MOST_OF_SUBJECT)
    return [_stored(found) for found in db.session.execute(newest)]


def decision(actor: Actor, firing_id: int, key: str) -> Stored:
    row = _decided(actor, key)
    found = db.session.execute(_kept(row).where(Firing.id == firing_id)).one_or_none()
    if found is None:
        raise NotFound()
    return _stored(found)


def _kept(row: Subquery) -> Select[Any]:
    return select(Firing.id, Firing.as_of, Firing.facts, Firing.outcomes).join(row, row.c.id == Firing.id)


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
