"""From a function to a person: the org chart, and the routing rule's way to choose among several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Case, Task
from webapp.queries.org import Chart, Seat, UnitInfo, chart
from workflows.service import ServiceDefinition


def handling_unit(service: ServiceDefinition, assigned: str = "handling") -> UnitInfo:
    """The unit that works on a service: a unit code, its owner, or the handling unit that it names itself."""
    tree = chart()
    if assigned in tree.by_code:
        return tree.by_code[assigned]
    owner = tree.by_code[service.owner]
    return owner if assigned == "owner" else tree.by_name.get(service.handling_unit.zh, owner)


def unit_for(name: str, case: Case) -> int:
    """The unit that a task template names: handling, owner, or a unit code."""
    if name == "handling":
        return case.handling_unit_id
    if name == "owner":
        return case.owner_unit_id
    return chart().by_code[name].id


def choose(seats: Sequence[Seat], by: str | None, township: str | None, day: date) -> int | None:
    """The officer for a new task, or None to leave it in the unit's pool. Absent officers are passed over."""
    tree = chart()
    present = [seat for seat in seats if not tree.is_absent(seat.account_id, day)]
    if by is None or not present:
        return None
    if by == "township":
        local = [seat for seat in present if township in seat.townships]
        present = local or present
    officers = sorted({seat.account_id for seat in present})
    if len(officers) == 1:
        return officers[0]
    # turn: whoever was given a task the longest ago; load: whoever has the fewest open ones
    measure = _last_task(officers) if by == "turn" else _open_tasks(officers)
    return min(officers, key=lambda officer: (measure.get(officer, 0), officer))


def sole_holder(tree: Chart, unit_id: int, function: str, day: date) -> tuple[int, int | None]:
    """The unit where the function is held, and its holder where there is exactly one."""
    unit, seats = tree.holders(unit_id, function, day)
    holders = {seat.account_id for seat in seats}
    return unit, holders.pop() if len(holders) == 1 else None


def _last_task(officers: Sequence[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Task.assignee_id, func.max(Task.id))
        .where(Task.assignee_id.in_(officers))
        .group_by(Task.assignee_id)
    )
    return {officer: last for officer, last in rows if officer is not None}


def _open_tasks(officers: Sequence[int]) -> dict[int, int]:
    rows = db.session.execute(
        select(Task.assignee_id, func.count())
        .where(Task.assignee_id.in_(officers), Task.state == "open")
        .group_by(Task.assignee_id)
    )
    return {officer: count for officer, count in rows if officer is not None}
