"""The demonstration county: whoever a case of any service can come to is there, and can be found."""

from __future__ import annotations

from collections import Counter

import pytest

import workflows.loader
import workflows.service
from webapp import demo
from webapp.demo.people import county, people, units

SERVICES = workflows.service.read_all()
WORKFLOWS = {
    key: workflows.loader.load(body, published=True) for key, body in workflows.loader.read_all().items()
}
HELD = {(seat["unit"], seat["function"]) for person in people() for seat in person["seats"]}
PARENTS = {unit["code"]: unit.get("parent") for unit in units()}
TOWNSHIPS = ("JC", "JH", "JS", "JN", "LY")


def test_every_function_is_printed_once_with_a_label_of_its_own() -> None:
    shown = {person["login"]: person["role"] for person in county()["shown"]}
    seats = {person["login"]: {seat["function"] for seat in person["seats"]} for person in people()}
    printed = {function for login in shown for function in seats.get(login, ())}
    assert {function for functions in seats.values() for function in functions} - printed == set()
    assert set(shown) <= {*seats, *(citizen["login"] for citizen in county()["citizens"])}
    assert [role for role, count in Counter(shown.values()).items() if count > 1] == []


def test_everybody_is_in_the_directory_under_a_login_and_a_name_of_their_own() -> None:
    listed = demo.directory()
    assert len(listed) == len(people()) + len(county()["citizens"])
    for column in (0, 1):
        assert [x for x, count in Counter(row[column] for row in listed).items() if count > 1] == []


@pytest.mark.parametrize("code", SERVICES)
def test_whoever_a_case_can_come_to_is_there(code: str) -> None:
    service = SERVICES[code]
    handling = next(unit["code"] for unit in units() if unit["zh"] == service["handling_unit"]["zh"])
    assert service["owner"] in upwards(handling)
    states = WORKFLOWS[service["workflow"]].states.values()
    for task in (task for state in states for task in state.tasks):
        county = service.get("parameters", {}).get("county_unit", handling)
        places = {
            "handling": [handling],
            "owner": [service["owner"]],
            "township": TOWNSHIPS,
            "county": [county],
        }
        where = places.get(task.unit, [task.unit])
        if task.each:
            where = service["parameters"][task.each]
        for unit in where:
            assert any((above, task.function) in HELD for above in upwards(unit)), (
                task.key,
                task.function,
                unit,
            )


@pytest.mark.parametrize(
    ("kind", "workflow_keys", "stage"),
    [("committees", {"committee_review", "remedy"}, "committee"), ("rooms", {"appointment"}, "booking")],
)
def test_every_service_that_needs_one_has_a_committee_or_a_room(
    kind: str, workflow_keys: set[str], stage: str
) -> None:
    """One that exists for a service that is not open yet does no harm."""
    needing = {
        code: service
        for code, service in SERVICES.items()
        if service["workflow"] in workflow_keys or stage in service.get("parameters", {}).get("stages", ())
    }
    taken = {code: row["unit"] for row in county()[kind] for code in row["services"]}
    assert sorted(needing.keys() - taken.keys()) == []
    for code, service in needing.items():
        assert taken[code] == "KM" or service["owner"] in upwards(taken[code])


def upwards(unit: str | None) -> list[str]:
    return [unit, *upwards(PARENTS[unit])] if unit else []
