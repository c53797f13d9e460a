"""From a function to a person: the org chart, and the routing rule's way to choose among several."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from webapp.models import Case
from webapp.queries.org import Seat, UnitInfo, chart
from workflows.service import COUNTY_UNIT, ServiceDefinition


def handling_unit(service: ServiceDefinition, assigned: str = "handling") -> UnitInfo:
    """The unit that works on a service: a unit code, its owner, or the handling unit that it names itself."""
    tree = chart()
    if assigned in tree.by_code:
        return tree.by_code[assigned]
    owner = tree.by_code[service.owner]
    return owner if assigned == "owner" else tree.by_name.get(service.handling_unit.zh, owner)


def unit_for(name: str, case: Case, service: ServiceDefinition, township: str | None = None) -> int:
    """The unit that a task template names: handling, owner, township, county, or a unit code.

    A case from outside the county has no township office; the handling unit does its part. Where a township answers
    for the service, it says which unit of the county looks at it; else that is the handling unit.
    """
    if name == "county":
        return (
            chart().by_code[service.parameters[COUNTY_UNIT]].id
            if has_county(service)
            else case.handling_unit_id
        )
    if name == "township" and township in chart().by_code:
        return chart().by_code[township].id
    if name in ("handling", "township"):
        return case.handling_unit_id
    if name == "owner":
        return case.owner_unit_id
    return chart().by_code[name].id


def has_county(service: ServiceDefinition) -> bool:
    """Whether another unit than the handling one looks at what the township has reviewed."""
    return service.parameters.get(COUNTY_UNIT) in chart().by_code


def candidates(seats: Sequence[Seat], by: str, township: str | None, day: date) -> list[int]:
    """The officers among whom the rule's choice falls. Absent ones are passed over."""
    tree = chart()
    present = [seat for seat in seats if not tree.is_absent(seat.account_id, day)]
    if by == "township":
        local = [seat for seat in present if township in seat.townships]
        present = local or present
    return sorted({seat.account_id for seat in present})


#: a desk with so many open tasks counts as full, whatever lies on it beyond: looking at them all would cost every
#: submission as much as the pile is high
FULL_DESK = 100

#: the choice, within the statement that writes the tasks. Its parameters: `pick_function` and `pick_by` of the rule,
#: and the candidates as two lists of one length, `pick_units` and `pick_officers`. Who is a party by their own address
#: (`party_addresses`) or number (`party_numbers`) is passed over (行政程序法 32).
#: turn: whoever was given a task the longest ago; load: whoever has the fewest open ones, among equals by turn.
DESKS = (
    "desk",
    f"""
    select unit_id, officer,
        (select count(*) from (
            select from task where assignee_id = officer and state = 'open' limit {FULL_DESK}
        ) as pile) as open,
        coalesce((select max(id) from task where assignee_id = officer), 0) as last
    from unnest(cast(%(pick_units)s as bigint[]), cast(%(pick_officers)s as bigint[])) as seat (unit_id, officer)
    join account on account.id = officer
    where (
        email_hash = any(cast(%(party_addresses)s as text[])) or mobile_hash = any(cast(%(party_numbers)s as text[]))
    ) is not true
    """,  # noqa: S608  a number of our own
)
ASSIGNEE = (
    "task",
    "assignee_id",
    """
    coalesce(record.assignee_id, (
        select officer from desk where desk.unit_id = record.unit_id and record.function = %(pick_function)s
        order by case when %(pick_by)s <> 'turn' then open end, last, officer limit 1
    ))
    """,
)
