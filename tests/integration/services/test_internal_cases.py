"""A case that no citizen filed goes the way of all others: inbox, head, plan-control office, a lock that is lifted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask

from tests.journeys import NOW, citizen, login_of, officer, open_tasks, take
from webapp.errors import NotFound
from webapp.models import Case
from webapp.permissions import SYSTEM
from webapp.queries import definitions, inbox
from webapp.queries.org import chart
from webapp.services import cases, drafts, internal_cases
from webapp.uow import unit_of_work

AUGUST, OCTOBER = date(2025, 8, 1), datetime(2025, 10, 9, 2, tzinfo=UTC)
PLAN = {"plan": "金門大橋建設計畫", "register": "重大政策", "month": "114 年 8 月", "planned": "89.05"}
#: unit of the officers 翁國樑 and 歐怡君 and of the head 蔡文雄
UNIT, OFFICER, HEAD, CONTROL = "EC-AFF", "ou.yijun", "cai.wenxiong", "guo.shiming"
REPORTED = {"actual": ["87.08"], "phase": ["works"], "situation": ["橋面鋪設中"]}


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def opened() -> Case:
    with unit_of_work():
        return internal_cases.open_case(SYSTEM, "KM01", PLAN, chart().by_code[UNIT].id, AUGUST, NOW)


def test_a_report_is_filled_in_checked_and_taken_in() -> None:
    case = opened()
    assert (case.number, case.due_on) == ("KM01-114-000001", date(2025, 9, 8)), "the 7th is a Sunday"
    take(case, "send", OFFICER, raw=REPORTED)
    assert [login_of(task.assignee_id) for task in open_tasks(case) if task.assignee_id] == [HEAD]
    take(case, "send_back", comment="請補照片")
    assert login_of(open_tasks(case)[0].assignee_id or 0) == OFFICER, "it comes back to whoever reported"
    take(case, "send", raw=REPORTED)
    take(case, "confirm")
    take(case, "accept", CONTROL)
    assert (case.status, case.outcome) == ("closed", "recorded")


def test_it_stands_in_the_inbox_of_its_unit_alone() -> None:
    number = opened().number
    seen = {
        login: [item.number for item in inbox.page(officer(login), "pool", NOW, inbox.Filters()).items]
        for login in (OFFICER, "lin.yahan")
    }
    assert number in seen[OFFICER] and number not in seen["lin.yahan"]


def test_a_locked_report_waits_for_the_plan_control_office() -> None:
    case = opened()
    with unit_of_work():
        cases.take_as_system(case, "lock", OCTOBER)
    [task] = open_tasks(case)
    assert (task.key, login_of(task.assignee_id or 0)) == ("unlock", CONTROL)
    take(case, "unlock", CONTROL, OCTOBER, comment="颱風停班，補填")
    assert open_tasks(case)[0].key == "fill"
    with unit_of_work():
        cases.take_as_system(case, "lock", OCTOBER)
    take(case, "close_missing", CONTROL, OCTOBER, comment="逾期未補")
    assert (case.status, case.outcome) == ("closed", "missing")


def test_nobody_applies_for_it() -> None:
    with pytest.raises(NotFound):
        drafts.start(citizen(), "KM01", NOW)
    assert all(service.code != "KM01" for service in definitions.current_services(date(2025, 9, 25)))
