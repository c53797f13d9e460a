"""From a function to a person: the org chart, and the routing rule's way to choose among several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import TextClause, text

from webapp.extensions import db
from webapp.models import Case
from webapp.queries.org import Seat, UnitInfo, chart
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
    measure = _measure(_LAST_TASK if by == "turn" else _OPEN_TASKS, officers)
    return min(officers, key=lambda officer: (measure.get(officer, 0), officer))


_LAST_TASK = text(
    "select assignee_id, max(id) from task where assignee_id = any(:officers) group by assignee_id"
)
_OPEN_TASKS = text(
    "select assignee_id, count(*) from task where assignee_id = any(:officers) and state = 'open' group by assignee_id"
)


def _measure(statement: TextClause, officers: Sequence[int]) -> dict[int, int]:
    return dict(db.session.execute(statement, {"officers": officers}).all())  # type: ignore[arg-type]  # rows of two
