"""Running clocks as the rules of 稽催 see them, many in one statement."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select

from webapp.extensions import db
from webapp.models import Case, Clock, ClockMovement, Escalation, Task
from webapp.rows import among

#: written into the statement: with a bound value PostgreSQL would forget the partial index
RUNNING = Clock.state == db.literal("running", literal_execute=True)


@dataclass(frozen=True)
class Standing:
    """One running clock: of a case, or of one branch of a parallel review."""

    clock_id: int
    case_id: int
    task_id: int | None
    public_id: str
    number: str
    service_code: str
    service_revision_id: int
    channel: str
    state: str
    due_on: date
    started_on: date
    period: int
    period_number: int
    #: whose time it is, and whose working days count
    unit_id: int
    #: of a branch: what it takes to hold it, and who does
    function: str | None
    assignee_id: int | None
    confidential: bool
    #: the rungs of the present period that were reached before; the database refuses a second one
    known: frozenset[str]


def read(*where: ColumnElement[bool], most: int | None = None) -> list[Standing]:
    """Running clocks of open cases, the nearest limit first."""
    known = (
        select(func.array_agg(Escalation.rung))
        .where(Escalation.clock_id == Clock.id, Escalation.period_number == Clock.period_number)
        .correlate(Clock)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Clock.id,
            Clock.case_id,
            Clock.task_id,
            Case.public_id,
            func.coalesce(Case.number, ""),
            Case.service_code,
            Case.service_revision_id,
            Case.channel,
            Case.state,
            Clock.due_on,
            Clock.started_on,
            Clock.period,
            Clock.period_number,
            func.coalesce(Task.unit_id, Case.handling_unit_id),
            Task.function,
            Task.assignee_id,
            Case.confidential,
            known,
        )
        .join(Case, Case.id == Clock.case_id)
        .outerjoin(Task, Task.id == Clock.task_id)
        .where(RUNNING, Case.status == "open", *where)
        .order_by(Clock.due_on, Clock.id)
        .limit(most)
    )
    return [Standing(*row[:-1], frozenset(row[-1] or ())) for row in rows]


def of_case(case_id: int) -> list[Standing]:
    return read(Clock.case_id == case_id)


def pauses(clock_ids: Iterable[int]) -> dict[int, list[tuple[date, date]]]:
    """The finished pauses of running clocks: from the day of the notice to that of the answer, or of a new start."""
    rows: Any = db.session.execute(
        select(ClockMovement.clock_id, ClockMovement.kind, ClockMovement.on_date)
        .where(among(ClockMovement.clock_id, list(clock_ids)), ClockMovement.kind.in_(_PAUSING))
        .order_by(ClockMovement.id)
    )
    found: dict[int, list[tuple[date, date]]] = defaultdict(list)
    begun: dict[int, list[date]] = defaultdict(list)
    for clock_id, kind, on in rows:
        if kind == "pause":
            begun[clock_id].append(on)
        elif begun[clock_id]:
            # pauses may overlap: the clock ran again when all had ended
            first = begun[clock_id][0]
            begun[clock_id] = [] if kind == "restart" else begun[clock_id][:-1]
            if not begun[clock_id]:
                found[clock_id].append((first, on))
    return found


_PAUSING = ("pause", "resume", "restart")
