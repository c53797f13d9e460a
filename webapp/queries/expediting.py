"""The page 稽催: what the last sweep did, and which cases are late, at which step and in whose hands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock, Escalation, SweepRun, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import definitions, holding
from webapp.queries.org import calendar, chart
from webapp.queries.standing import RUNNING

PAGE = 50
#: cases that are named for one rung; the count says how many there are
MOST_NAMED = 20
MOST_COUNTED = 1000


@dataclass(frozen=True)
class Named:
    """A case as a link."""

    public_id: str
    number: str


@dataclass(frozen=True)
class Rung:
    label: Text
    count: int
    cases: tuple[Named, ...]


@dataclass(frozen=True)
class Holder:
    step: Text
    unit: Text
    #: empty while nobody has taken it
    name: str
    #: working days since the step was received
    days: int


@dataclass(frozen=True)
class Overdue:
    """A time limit that has passed: of a case, or of one branch of a parallel review."""

    cursor: str
    case_id: int
    unit_id: int
    case: Named
    service: Text
    due_on: date
    days_left: int
    unit: Text
    branch: bool
    holders: tuple[Holder, ...]
    #: the step that held the case longest so far; asked for by lists that are printed
    longest: Holder | None = None


@dataclass(frozen=True)
class Page:
    items: tuple[Overdue, ...]
    after: str | None


def last_run() -> SweepRun | None:
    return db.session.scalars(select(SweepRun).order_by(SweepRun.id.desc()).limit(1)).first()


def rungs_of(run: SweepRun, actor: Actor) -> list[Rung]:
    """What a sweep reached, by rung, of the cases that the actor may see; one statement."""
    place = func.row_number().over(partition_by=Escalation.rung, order_by=Escalation.id)
    found = (
        select(
            Escalation.rung,
            Case.public_id,
            Case.number,
            func.count().over(partition_by=Escalation.rung).label("total"),
            place.label("place"),
        )
        .join(Clock, Clock.id == Escalation.clock_id)
        .join(Case, Case.id == Clock.case_id)
        .where(Escalation.sweep_run_id == run.id, visible_to(actor))
        .subquery()
    )
    cases: dict[str, list[Named]] = defaultdict(list)
    totals: dict[str, int] = {}
    rows = db.session.execute(select(found).where(found.c.place <= MOST_NAMED).order_by(found.c.place))
    for rung, public_id, number, total, _place in rows:
        cases[rung].append(Named(public_id, number or ""))
        totals[rung] = total
    return in_order(cases, totals, taipei_day(run.started_at))


def in_order(cases: Mapping[str, Sequence[Named]], totals: Mapping[str, int], on: date) -> list[Rung]:
    """By the order of the ladder, each rung by the name that its rule gives it."""
    labels = _labels(on)
    known = [rung for rung in labels if rung in cases]
    other = sorted(cases.keys() - labels.keys())
    return [
        Rung(labels.get(rung, Text(zh=rung)), totals[rung], tuple(cases[rung][:MOST_NAMED]))
        for rung in [*known, *other]
    ]


def overdue(actor: Actor, now: datetime, unit_id: int | None = None, after: str = "") -> Page:
    """A keyset page of what is late, the longest first: two statements, however long it is."""
    today = taipei_day(now)
    query = _late(actor, today, unit_id)
    place = _place(after)
    if place is not None:
        query = query.where(tuple_(Clock.due_on, Clock.id) > tuple_(*place))
    rows = db.session.execute(query.order_by(Clock.due_on, Clock.id).limit(PAGE + 1)).all()
    shown = rows[:PAGE]
    holders = _holders(shown, today)
    items = tuple(_overdue(row, holders, today) for row in shown)
    return Page(items, items[-1].cursor if len(rows) > PAGE else None)


def count_overdue(actor: Actor, now: datetime, unit_id: int | None = None) -> int:
    """Up to MOST_COUNTED."""
    counted = _late(actor, taipei_day(now), unit_id).limit(MOST_COUNTED).subquery()
    return db.session.scalars(select(func.count()).select_from(counted)).one()


def every_overdue(actor: Actor, now: datetime, unit_id: int | None = None) -> list[Overdue]:
    """The whole list, page by page, with the step that held each case longest (調卷分析)."""
    found: list[Overdue] = []
    after: str | None = ""
    while after is not None:
        page = overdue(actor, now, unit_id, after)
        spans = holding.longest([item.case_id for item in page.items], now)
        found += [replace(item, longest=_longest(spans.get(item.case_id))) for item in page.items]
        after = page.after
    return found


def _longest(span: holding.Span | None) -> Holder | None:
    return Holder(span.step, span.unit, span.holder, span.days) if span is not None else None


def _late(actor: Actor, today: date, unit_id: int | None) -> Select[Any]:
    owner = func.coalesce(Task.unit_id, Case.handling_unit_id)
    within: list[ColumnElement[bool]] = []
    if unit_id is not None:
        within.append(owner.in_(sorted(chart().within(unit_id))))
    return (
        select(
            Clock.id,
            Clock.due_on,
            Clock.task_id,
            Case.id.label("case_id"),
            Case.public_id,
            Case.number,
            Case.service_revision_id,
            Case.workflow_revision_id,
            owner.label("unit_id"),
        )
        .join(Case, Case.id == Clock.case_id)
        .outerjoin(Task, Task.id == Clock.task_id)
        .where(RUNNING, Clock.due_on < today, Case.status == "open", visible_to(actor), *within)
    )


def _place(after: str) -> tuple[date, int] | None:
    """A cursor is 2025-10-20.17; what is none is the first page."""
    day, _, key = after.partition(".")
    try:
        return date.fromisoformat(day), int(key)
    except ValueError:
        return None


def _holders(rows: Sequence[Any], today: date) -> dict[tuple[int, int | None], list[Holder]]:
    """The open steps of each line: of a case all of them, of a branch its own."""
    if not rows:
        return {}
    workflows = {row.case_id: (row.workflow_revision_id, row.service_revision_id) for row in rows}
    whole = [row.case_id for row in rows if row.task_id is None]
    branches = [row.task_id for row in rows if row.task_id is not None]
    tasks = db.session.execute(
        select(Task.id, Task.case_id, Task.key, Task.function, Task.unit_id, Task.assignee_id, Task.opened_at)
        .where(
            Task.state == db.literal("open", literal_execute=True),
            or_(Task.case_id.in_(whole), Task.id.in_(branches)),
        )
        .order_by(Task.id)
    ).all()
    tree, found = chart(), defaultdict(list)
    for task in tasks:
        unit = tree.units[task.unit_id]
        holder = Holder(
            step=holding.label(workflows[task.case_id], task.key, task.function),
            unit=Text(zh=unit.zh, en=unit.en),
            name=tree.names.get(task.assignee_id or 0, ""),
            days=calendar(task.unit_id).working_days_between(taipei_day(task.opened_at), today),
        )
        found[task.case_id, None].append(holder)
        found[task.case_id, task.id].append(holder)
    return found


def _overdue(row: Any, holders: Mapping[tuple[int, int | None], list[Holder]], today: date) -> Overdue:
    unit = chart().units[row.unit_id]
    return Overdue(
        cursor=f"{row.due_on}.{row.id}",
        case_id=row.case_id,
        unit_id=row.unit_id,
        case=Named(row.public_id, row.number or ""),
        service=definitions.service(row.service_revision_id).title,
        due_on=row.due_on,
        days_left=calendar(row.unit_id).working_days_between(today, row.due_on),
        unit=Text(zh=unit.zh, en=unit.en),
        branch=row.task_id is not None,
        holders=tuple(holders.get((row.case_id, row.task_id), ())),
    )


def _labels(on: date) -> dict[str, Text]:
    ruleset = definitions.ruleset(definitions.revision_id("ruleset", "case_deadlines", on)).ruleset
    return {
        outcome.params["rung"]: rule.label
        for rule in ruleset.rules
        for outcome in rule.then
        if outcome.action == "escalate"
    }
