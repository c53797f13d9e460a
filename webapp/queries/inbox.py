"""The inbox: what stands on an officer's desk, nearest deadline first, in keyset pages with their counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    BigInteger,
    Row,
    Select,
    and_,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import aliased

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock, CorrectionRequest, Party, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.queries.org import UnitInfo, calendar, chart
from workflows.functions import RANKS

Tab = Literal["mine", "pool", "co_review", "correction", "deputy", "due", "overdue", "done"]
TABS: tuple[Tab, ...] = get_args(Tab)

#: the task of a unit that the officer of a case asks for its opinion
ASKED_OPINION = Text(zh="提供會辦意見", en="Give an opinion")

#: whoever does the work of a unit
WORKING = ("officer", "section_head")
PAGE = 50
#: counting stops here: nobody needs to know how many thousand tasks they have done
MOST_COUNTED = 1000

#: written into the statement: with a bound value PostgreSQL would forget the partial indexes
OPEN = Task.state == literal("open", literal_execute=True)
DONE = Task.state == literal("done", literal_execute=True)


@dataclass(frozen=True)
class Filters:
    service: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Item:
    """One line of the inbox: a task, or a case that waits for its applicant."""

    cursor: str
    case_id: str
    number: str
    service: Text
    applicant: str
    state: str
    step: Text
    #: of a parallel branch
    unit: UnitInfo | None
    due_on: date | None
    days_left: int | None
    paused: bool
    channel: str
    language: str
    risk: str | None
    corrected: bool
    task_id: str | None = None
    assignee: str = ""
    mine: bool = False
    in_pool: bool = False
    #: nobody holds its function in the unit: its head gives it to somebody
    vacant: bool = False
    claimed: bool = False
    done_at: datetime | None = None
    outcome: Text | None = None
    acted_for: str = ""


@dataclass(frozen=True)
class Page:
    items: tuple[Item, ...]
    #: the cursor of the next page
    after: str | None


@dataclass(frozen=True)
class _Branch:
    """One source of lines: its query and what orders it. Columns: task_id, case_id, due_on, rank, id."""

    query: Select[Any]
    rank: Any
    id: Any
    cursor: Any
    newest_first: bool = False

    def limited(self, after: str, most: int) -> Select[Any]:
        query = self.query
        if after:
            here = tuple_(self.rank, self.id)
            query = query.where(here < self.cursor(after) if self.newest_first else here > self.cursor(after))
        order = (self.rank.desc(), self.id.desc()) if self.newest_first else (self.rank, self.id)
        return query.order_by(*order).limit(most)


def page(actor: Actor, tab: Tab, now: datetime, filters: Filters, after: str = "") -> Page:
    """One page of a tab; one more line is read to know whether another page follows."""
    branches = [_filtered(branch, filters) for branch in _branches(actor, tab, taipei_day(now))]
    if not branches:
        return Page((), None)
    picked = union_all(*(b.limited(after, PAGE + 1) for b in branches)).subquery("picked")
    order = (picked.c.rank, picked.c.id)
    if branches[0].newest_first:
        order = (picked.c.rank.desc(), picked.c.id.desc())
    rows = db.session.execute(_lines(picked).order_by(*order).limit(PAGE + 1)).all()
    items = tuple(_items(actor, rows[:PAGE], taipei_day(now)))
    return Page(items, items[-1].cursor if len(rows) > PAGE else None)


def counts(actor: Actor, now: datetime) -> dict[Tab, int]:
    """How many lines each tab has, up to MOST_COUNTED of each source, in one statement."""
    totals = []
    for tab in TABS:
        total: Any = literal(0)
        for branch in _branches(actor, tab, taipei_day(now)):
            counted = branch.query.limit(MOST_COUNTED).subquery()
            total = total + select(func.count()).select_from(counted).scalar_subquery()
        totals.append(total.label(tab))
    row = db.session.execute(select(*totals)).one()
    return dict(zip(TABS, row, strict=True))


def next_case(actor: Actor, besides: int) -> str | None:
    """The public id of the case that stands first on the actor's own desk, another one than `besides`."""
    return db.session.scalars(
        select(Case.public_id)
        .join(Task, Task.case_id == Case.id)
        .where(OPEN, Task.assignee_id == actor.account_id, Case.id != besides)
        .order_by(Task.due_on, Task.id)
        .limit(1)
    ).first()


# --- where the lines come from ----------------------------------------------------------------------------


def _branches(actor: Actor, tab: Tab, today: date) -> list[_Branch]:
    absent = sorted({m.acting_for_id for m in actor.mandates if m.acting_for_id is not None})
    own = _pools(actor, lent=False)
    lent = [pool for pool in _pools(actor, lent=True) if pool not in own]
    if tab == "mine":
        return [_held_by(actor.account_id)]
    if tab == "pool":
        return [*(_pool(*pool) for pool in own), *_vacant(actor, today)]
    if tab == "deputy":
        return [*map(_held_by, absent), *(_pool(*pool) for pool in lent)]
    if tab in ("due", "overdue"):
        reachable = [
            _held_by(actor.account_id),
            *map(_held_by, absent),
            *(_pool(*pool) for pool in own + lent),
            *_vacant(actor, today),
        ]
        wanted = Task.due_on == today if tab == "due" else Task.due_on < today
        return [_tasks(branch.query.where(wanted)) for branch in reachable]
    if tab == "co_review":
        return [_with_others(actor)]
    if tab == "correction":
        return [_awaiting_applicants(actor)]
    return [_done_by(actor)]


def _pools(actor: Actor, *, lent: bool) -> list[tuple[int, str]]:
    """(unit, function) of the pools that the actor may take from, for themselves or for somebody absent."""
    tree = chart()
    return sorted(
        {
            (unit, m.function)
            for m in actor.mandates
            if (m.acting_for_id is not None) == lent
            for unit in tree.within(m.unit_id)
        }
    )


def _tasks(query: Select[Any]) -> _Branch:
    return _Branch(query, Task.due_on, Task.id, lambda after: _place_of_task(after, "due_on"))


def _task_columns(rank: Any) -> Select[Any]:
    return select(Task.id.label("task_id"), Task.case_id, Task.due_on, rank.label("rank"), Task.id)


def _held_by(account_id: int | None) -> _Branch:
    return _tasks(_task_columns(Task.due_on).where(OPEN, Task.assignee_id == account_id))


def _pool(unit_id: int, function: str) -> _Branch:
    unclaimed = (OPEN, Task.assignee_id.is_(None), Task.unit_id == unit_id, Task.function == function)
    return _tasks(_task_columns(Task.due_on).where(*unclaimed))


def _unheld(actor: Actor, today: date) -> frozenset[tuple[int, str]]:
    """(unit, function) below a head for which the unit has nobody: the head moves or reassigns what waits there."""
    heads = [m for m in actor.mandates if m.function in RANKS]
    if not heads:
        return frozenset()
    tree = chart()
    vacant = tree.vacancies(WORKING, today)
    return frozenset(
        (unit, function)
        for m in heads
        for unit in tree.within(m.unit_id)
        for function in WORKING
        if RANKS.get(function, 0) < RANKS[m.function] and (unit, function) in vacant
    )


def _vacant(actor: Actor, today: date) -> list[_Branch]:
    unheld = _unheld(actor, today)
    if not unheld:
        return []
    waiting = tuple_(Task.unit_id, Task.function).in_(sorted(unheld))
    return [_tasks(_task_columns(Task.due_on).where(OPEN, Task.assignee_id.is_(None), waiting))]


def _with_others(actor: Actor) -> _Branch:
    """Branches that other units still hold, of cases that the actor works on."""
    query = _task_columns(Task.due_on).where(
        OPEN,
        Task.branch != literal("", literal_execute=True),
        Task.assignee_id.is_distinct_from(actor.account_id),
        _worked_on(actor, Task.case_id),
    )
    return _tasks(query)


def _awaiting_applicants(actor: Actor) -> _Branch:
    """Cases of the actor whose applicants were asked for a correction and have not answered."""
    request = CorrectionRequest
    unanswered = request.closed_at.is_(None)
    query = select(
        cast(null(), BigInteger).label("task_id"),
        request.case_id,
        request.due_on,
        request.due_on.label("rank"),
        request.id,
    ).where(unanswered, _worked_on(actor, request.case_id))
    return _Branch(query, request.due_on, request.id, _place_of_request)


def _done_by(actor: Actor) -> _Branch:
    query = _task_columns(Task.done_at).where(DONE, Task.done_by_id == actor.account_id)
    return _Branch(
        query, Task.done_at, Task.id, lambda after: _place_of_task(after, "done_at"), newest_first=True
    )


def _worked_on(actor: Actor, case_id: Any) -> Any:
    own = aliased(Task)
    return exists().where(
        own.case_id == case_id,
        own.assignee_id == actor.account_id,
        own.branch == literal("", literal_execute=True),
    )


def _place_of_task(public_id: str, rank: str) -> Any:
    last = aliased(Task)
    found = last.public_id == public_id
    return tuple_(
        select(getattr(last, rank)).where(found).scalar_subquery(),
        select(last.id).where(found).scalar_subquery(),
    )


def _place_of_request(case_id: str) -> Any:
    last = aliased(CorrectionRequest)
    found = (
        last.case_id == select(Case.id).where(Case.public_id == case_id).scalar_subquery(),
        last.closed_at.is_(None),
    )
    return tuple_(
        select(last.due_on).where(*found).scalar_subquery(), select(last.id).where(*found).scalar_subquery()
    )


def _filtered(branch: _Branch, filters: Filters) -> _Branch:
    wanted = []
    if filters.service:
        wanted.append(Case.service_code == filters.service)
    if filters.channel:
        wanted.append(Case.channel == filters.channel)
    if not wanted:
        return branch
    of_case = branch.query.selected_columns.case_id
    query = branch.query.join(Case, Case.id == of_case).where(*wanted)
    return _Branch(query, branch.rank, branch.id, branch.cursor, branch.newest_first)


# --- from rows to lines -----------------------------------------------------------------------------------


def _lines(picked: Any) -> Select[Any]:
    answered = exists().where(
        CorrectionRequest.case_id == Case.id, CorrectionRequest.closed_reason == "answered"
    )
    applicant = and_(Party.case_id == Case.id, Party.role != "representative")
    return (
        select(
            picked.c.due_on,
            Case.public_id.label("case_id"),
            Case.number,
            Case.service_revision_id,
            Case.workflow_revision_id,
            Case.handling_unit_id,
            Case.state,
            Case.channel,
            Case.language,
            Case.risk,
            Party.name.label("applicant"),
            Clock.state.label("clock"),
            answered.label("corrected"),
            Task.public_id.label("task_id"),
            Task.key,
            Task.visit,
            Task.branch,
            Task.unit_id,
            Task.function,
            Task.assignee_id,
            Task.state.label("task_state"),
            Task.claimed_at,
            Task.done_at,
            Task.outcome,
            Task.acting_for_id,
        )
        .select_from(picked)
        .join(Case, Case.id == picked.c.case_id)
        .outerjoin(Task, Task.id == picked.c.task_id)
        .outerjoin(Party, applicant)
        .outerjoin(Clock, and_(Clock.case_id == Case.id, Clock.task_id.is_(None)))
    )


def _items(actor: Actor, rows: Any, today: date) -> Iterator[Item]:
    tree, unheld = chart(), _unheld(actor, today)
    calendars = {unit: calendar(unit) for unit in {row.unit_id or row.handling_unit_id for row in rows}}
    for row in rows:
        open_task = row.task_state == "open"
        days = calendars[row.unit_id or row.handling_unit_id]
        unclaimed, vacant = open_task and row.assignee_id is None, (row.unit_id, row.function) in unheld
        step, outcome = _words(row)
        yield Item(
            cursor=row.task_id or row.case_id,
            case_id=row.case_id,
            number=row.number or "",
            service=definitions.service(row.service_revision_id).title,
            applicant=row.applicant or "",
            state=row.state,
            step=step,
            unit=tree.units[row.unit_id] if row.branch else None,
            due_on=row.due_on,
            days_left=None if row.due_on is None else days.working_days_between(today, row.due_on),
            paused=open_task and not row.branch and row.clock == "paused",
            channel=row.channel,
            language=row.language,
            risk=row.risk,
            corrected=row.corrected,
            task_id=row.task_id,
            assignee=tree.names.get(row.assignee_id, ""),
            mine=row.assignee_id is not None and row.assignee_id == actor.account_id,
            in_pool=unclaimed and not vacant,
            vacant=unclaimed and vacant,
            claimed=row.claimed_at is not None,
            done_at=row.done_at,
            outcome=outcome,
            acted_for=tree.names.get(row.acting_for_id, ""),
        )


def _words(row: Row[Any]) -> tuple[Text, Text | None]:
    """The name of the step where the line stands, and of the action that finished it."""
    if row.visit == 0:
        return ASKED_OPINION, Text(zh="已回復", en="Given") if row.task_state == "done" else None
    workflow = definitions.worded(row.workflow_revision_id, row.service_revision_id)
    for state in workflow.states.values():
        task = state.task(row.key) if row.key else None
        if task is not None:
            done = state.transition(row.outcome) if row.outcome else None
            return task.label, done.label if done else None
    return workflow.state(row.state).label, None
