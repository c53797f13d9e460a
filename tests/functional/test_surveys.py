"""滿意度調查 after an answered petition: asked once by a link, answered once, counted for the unit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import at, case_of, made, signed_in
from tests.patterns import serve
from tests.visitor import Visitor, in_process
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Effect, Message, Survey
from webapp.services import surveys
from webapp.uow import unit_of_work

DONE = NOW + timedelta(hours=2)
LAST_DAY = NOW + timedelta(days=7)


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, DONE)
    yield


def answered(workflow: str = "petition") -> Case:
    """A petition to which the officer replied on NOW."""
    serve(workflow, level=4)
    case = submitted("EC09")
    if workflow == "petition":
        take(case, "assign", "hong.shuhui")
    take(case, "decide_approval", "lin.yahan")
    return case


def links(case: Case) -> list[str]:
    """Out of the messages that the worker has written."""
    orders = (
        select(Effect.id)
        .where(Effect.case_id == case.id, Effect.kind == "notice", Effect.state == "pending")
        .order_by(Effect.id)
    )
    for order in db.session.scalars(orders.order_by(Effect.id)).all():
        perform_effect(order)
    bodies = db.session.scalars(select(Message.body).where(Message.case_id == case.id).order_by(Message.id))
    return [found[0] for body in bodies if (found := re.search(r"/survey/\S+", body))]


def asked(app: Flask, when: datetime = DONE) -> tuple[str, str]:
    def prepare() -> tuple[str, str]:
        case = answered()
        run_deadlines(when)
        run_deadlines(when + timedelta(minutes=5))
        (link,) = links(case)
        return link, case.public_id

    return made(app, prepare)


def anybody(app: Flask) -> Visitor:
    return in_process(app.test_client())


def test_the_petitioner_answers_once_without_signing_in_and_the_unit_counts(app: Flask) -> None:
    link, pid = asked(app)
    reader = anybody(app)
    page = reader.get(link)
    assert page.heading == "滿意度調查" and "10月2日" in page.text
    for typed, mistake in (
        ({}, "請選擇滿意程度。"),
        ({"grade": "9"}, "請選擇滿意程度。"),
        ({"grade": "x"}, "請選擇滿意程度。"),
        ({"grade": "4", "comment": "長" * 1001}, "意見最多 1000 個字。"),
    ):
        page = reader.post(link, typed)
        assert page.status == 422 and page.mistakes == [mistake]
    reader.get(link)
    page = reader.press("送出", {"grade": "4", "comment": "回復很快。"})
    assert "我們已收到您的意見" in page.text and not page.offers("送出")
    assert reader.post(link, {"grade": "1"}).status == 409
    row = made(app, lambda: db.session.scalars(select(Survey)).one())
    assert (row.grade, row.comment, row.answered_at) == (4, "回復很快。", DONE)
    page = signed_in(app, "lin.yahan").get("/staff/surveys")
    numbers, comment = (
        [cell.get_text(strip=True) for cell in tr.select("td")] for tr in page.soup.select("tbody tr")
    )
    assert numbers == ["動植物防疫所", "1", "1", "0", "1", "0", "0", "0"]
    assert (
        comment[1:] == ["動植物防疫所", "滿意", "回復很快。"]
        and made(app, lambda: case_of(pid).number) not in page.text
    )


def test_other_units_see_nothing_of_it_and_the_research_office_all(app: Flask) -> None:
    asked(app)
    assert "還沒有調查" in signed_in(app, "zhang.jianguo").get("/staff/surveys").text
    assert "動植物防疫所" in signed_in(app, "guo.shiming").get("/staff/surveys").text
    assert signed_in(app, "huang.meilan").get("/staff/surveys").status == 403


def test_it_is_open_for_seven_days_after_the_reply(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    link, pid = asked(app)
    at(app, monkeypatch, LAST_DAY)
    assert anybody(app).get(link).offers("送出")
    assert "填寫滿意度調查" in signed_in(app, "chen.meiling").get(f"/applications/{pid}").text
    at(app, monkeypatch, LAST_DAY + timedelta(days=1))
    late = anybody(app)
    assert "問卷已經截止" in late.get(link).text
    assert late.post(link, {"grade": "5"}).status == 422
    assert "填寫滿意度調查" not in signed_in(app, "chen.meiling").get(f"/applications/{pid}").text
    assert late.get("/survey/nonsense").status == 404


@pytest.mark.parametrize(
    ("workflow", "later"), [("single_review", timedelta(0)), ("petition", timedelta(days=8))]
)
def test_nobody_else_is_asked_and_nobody_too_late(app: Flask, workflow: str, later: timedelta) -> None:
    def look() -> list[str]:
        case = answered(workflow)
        assert open_tasks(case) == []
        run_deadlines(DONE + later)
        return links(case)

    assert made(app, look) == []


def test_the_database_takes_five_grades_and_one_question_a_case(app: Flask) -> None:
    def look() -> None:
        case = answered()
        for n in range(2):
            with unit_of_work():
                surveys.ask(case.id, DONE + timedelta(minutes=n))
        row = db.session.scalars(select(Survey)).one()
        for values in ({"grade": 6, "answered_at": DONE}, {"grade": 3}, {"comment": "?"}):
            with pytest.raises(IntegrityError), unit_of_work():
                for name, value in values.items():
                    setattr(db.session.get_one(Survey, row.id), name, value)

    made(app, look)
