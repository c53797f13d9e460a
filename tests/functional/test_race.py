"""Two people at the same moment, through the real web server: one wins, the other is told who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import delete, update

from tests import journeys, walks
from tests.functional.conftest import Record
from tests.programs import Counter
from tests.visitor import Page, Visitor, over_http
from webapp.extensions import db
from webapp.models import Absence, Task
from webapp.moments import taipei_day, utc_now
from webapp.queries.generations import bump
from webapp.uow import unit_of_work

ROUNDS = 10
NAMES = {"lin.yahan": "林雅涵", "xu.mingde": "許明德"}


@pytest.fixture
def officers(counter: Counter) -> dict[str, Visitor]:
    """Both veterinary officers, each at a browser."""
    found = {login: over_http(counter.address) for login in NAMES}
    for login, officer in found.items():
        walks.sign_in(officer, login)
    return found


@pytest.fixture
def on_leave(office: Flask) -> Iterator[None]:
    """林雅涵 is away today and 許明德 stands in for her; she may still work from home."""
    today = taipei_day(utc_now())
    with office.app_context(), unit_of_work():
        absence = Absence(
            account_id=journeys.account("lin.yahan").id,
            deputy_id=journeys.account("xu.mingde").id,
            starts_on=today,
            ends_on=today + timedelta(days=1),
        )
        db.session.add(absence)
        bump("org")
    yield
    with office.app_context(), unit_of_work():
        db.session.execute(delete(Absence))
        bump("org")


@pytest.fixture
def new_cases(office: Flask) -> Callable[[str, str | None], list[str]]:
    """Numbers of fresh subsidy cases, on the desk of one officer or in the pool."""

    def make(code: str, login: str | None) -> list[str]:
        numbers = []
        with office.app_context():
            for _round in range(ROUNDS):
                case = journeys.submitted(code, utc_now())
                assignee = journeys.account(login).id if login else None
                with unit_of_work():
                    db.session.execute(
                        update(Task)
                        .where(Task.case_id == case.id)
                        .values(assignee_id=assignee, version=Task.version + 1)
                    )
                numbers.append(str(case.number))
        return numbers

    return make


def test_officer_and_deputy_decide_the_same_task(
    officers, new_cases, on_leave: None, record: Callable[[str], Record]
) -> None:
    officer, deputy = officers["lin.yahan"], officers["xu.mingde"]
    for number in new_cases("EC09", "lin.yahan"):
        _stands_before(officer, "mine", number, "擬予核准，送主管決行")
        _stands_before(deputy, "deputy", number, "退件")
        assert "代 林雅涵" in deputy.page.text
        decide = {
            "lin.yahan": partial(
                officer.press, "send", {"comment": "文件齊備，擬予補助。", "amount-subsidy": "2000"}
            ),
            "xu.mingde": partial(deputy.press, "send", {"comment": "非本縣飼主，予以退件。"}),
        }
        winner, loser = _at_once(decide, officers)
        page = officers[loser].page
        assert page.status == 409 and f"已由{NAMES[winner]}處理" in page.text, page
        typed = {"lin.yahan": "文件齊備，擬予補助。", "xu.mingde": "非本縣飼主，予以退件。"}
        assert typed[loser] in page.text, "what the loser typed stays in sight"
        after = record(number)
        decided = {"lin.yahan": "propose_approval", "xu.mingde": "return_application"}[winner]
        assert after.history == ["submitted", decided]
        assert after.broken_links == []
        assert after.status == ("open" if winner == "lin.yahan" else "closed")


def test_two_officers_claim_the_same_task(officers, new_cases, record: Callable[[str], Record]) -> None:
    for number in new_cases("EC09", None):
        row = f'tr:has(a:-soup-contains("{number}"))'
        for officer in officers.values():
            officer.get("/staff/inbox?tab=pool")
            walks.turn_to(officer, number)
        claim = {login: partial(officer.press, "受理", within=row) for login, officer in officers.items()}
        winner, loser = _at_once(claim, officers)
        page = officers[loser].page
        assert page.status == 409 and f"已由{NAMES[winner]}受理" in page.text, page
        after = record(number)
        assert after.history == ["submitted", "claimed"] and after.broken_links == []
        officers[winner].get("/staff/inbox?tab=mine")
        walks.turn_to(officers[winner], number)


def test_two_units_answer_at_the_same_moment(
    counter: Counter, office: Flask, record: Callable[[str], Record]
) -> None:
    units = {login: over_http(counter.address) for login in ("dong.weilun", "lv.xinyi")}
    for login, unit in units.items():
        walks.sign_in(unit, login)
    for _round in range(3):
        with office.app_context():
            case = journeys.submitted("PW01", utc_now())
            journeys.take(case, "split", now=utc_now())
            number = str(case.number)
        for unit in units.values():
            _stands_before(unit, "mine", number, "送出會辦意見")
        answer = {login: partial(unit.press, "send", {"opinion": "agree"}) for login, unit in units.items()}
        _together(answer)
        assert [unit.trail[0].status for unit in units.values()] == [302, 302], "both are heard"
        after = record(number)
        assert after.history == ["submitted", "split", "give_opinion", "give_opinion"]
        assert after.state == "consolidate" and after.broken_links == []


def test_the_same_draft_is_sent_from_two_browsers(counter: Counter, office: Flask) -> None:
    browsers = {n: over_http(counter.address) for n in range(2)}
    for browser in browsers.values():
        walks.sign_in(browser, "chen.meiling")
    for _round in range(3):
        with office.app_context(), unit_of_work():
            key = journeys.draft("EC09", journeys.citizen("chen.meiling"), utc_now()).public_id
        for browser in browsers.values():
            browser.get(f"/apply/{key}/review")
        pages = _together({n: partial(b.press, "送出申請") for n, b in browsers.items()})
        assert {page.path for page in pages.values()} == {browsers[0].page.path}
        assert len({walks.number_on(page) for page in pages.values()}) == 1


def _stands_before(officer: Visitor, tab: str, number: str, action: str) -> None:
    officer.get(f"/staff/inbox?tab={tab}")
    walks.turn_to(officer, number)
    officer.follow(number)
    officer.follow(action)


def _at_once(actions: dict[str, Callable[[], Page]], people: dict[str, Visitor]) -> tuple[str, str]:
    """Who won and who lost."""
    _together(actions)
    first = {login: people[login].trail[0].status for login in actions}
    assert sorted(first.values()) == [302, 409], first
    return min(first, key=first.__getitem__), max(first, key=first.__getitem__)


def _together(actions: dict) -> dict:
    """All of them at the same moment, each in a thread of its own."""
    start = Barrier(len(actions))

    def run(action: Callable[[], Page]) -> Page:
        start.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        running = {name: pool.submit(run, action) for name, action in actions.items()}
        return {name: future.result() for name, future in running.items()}
