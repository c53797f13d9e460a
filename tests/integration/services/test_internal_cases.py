"""A case that no citizen filed has a number, a limit and a place in an inbox; and no citizen finds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from flask import Flask

from tests.journeys import NOW, citizen, officer
from webapp.errors import NotFound
from webapp.models import Case
from webapp.permissions import SYSTEM
from webapp.queries import definitions, inbox
from webapp.queries.org import chart
from webapp.services import drafts, internal_cases
from webapp.uow import unit_of_work

AUGUST = date(2025, 8, 1)
PLAN = {"plan": "金門大橋建設計畫", "register": "重大政策", "month": "114 年 8 月", "planned": "89.05"}
UNIT, OFFICER = "EC-AFF", "ou.yijun"


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def opened() -> Case:
    with unit_of_work():
        return internal_cases.open_case(SYSTEM, "KM01", PLAN, chart().by_code[UNIT].id, AUGUST, NOW)


def test_it_has_a_number_and_a_limit_as_all_cases_have() -> None:
    case = opened()
    assert (case.number, case.due_on) == ("KM01-114-000001", date(2025, 9, 8)), "the 7th is a Sunday"


def test_it_stands_in_the_inbox_of_its_unit_alone() -> None:
    number = opened().number
    seen = {
        login: [item.number for item in inbox.page(officer(login), "pool", NOW, inbox.Filters()).items]
        for login in (OFFICER, "lin.yahan")
    }
    assert number in seen[OFFICER] and number not in seen["lin.yahan"]


def test_nobody_applies_for_it() -> None:
    with pytest.raises(NotFound):
        drafts.start(citizen(), "KM01", NOW)
    assert all(service.code != "KM01" for service in definitions.current_services(date(2025, 9, 25)))
