"""抽查 where one officer decides alone: drawn by the case number, checked once by a head who had no part in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.journeys import NOW, account, submitted, take
from tests.officers import at, made, signed_in
from tests.patterns import serve
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, CaseEvent, Message, SampleAudit
from webapp.services import events, sample_audits
from webapp.uow import unit_of_work

DONE = NOW + timedelta(hours=2)


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, DONE)
    yield


def issued(percent: int = 100, workflow: str = "counter_issue") -> Case:
    serve(workflow, level=4, parameters={"sample_audit_percent": percent})
    case = submitted("EC09")
    take(case, "issue" if workflow == "counter_issue" else "decide_approval")
    return case


def drawn(app: Flask) -> str:
    def prepare() -> str:
        issued()
        for n in range(2):
            run_deadlines(DONE + timedelta(minutes=5 * n))
        return db.session.scalars(select(SampleAudit)).one().public_id

    return made(app, prepare)


def test_the_number_decides_and_the_percentage_how_many(app: Flask) -> None:
    numbers = [f"EC09-114-{n:06}" for n in range(2000)]

    def draw(percent: int) -> list[str]:
        return [number for number in numbers if sample_audits.is_drawn(number, percent)]

    few, more = made(app, lambda: draw(10)), made(app, lambda: draw(30))
    assert 150 <= len(few) <= 250 and 530 <= len(more) <= 670
    assert set(few) < set(more) and few == made(app, lambda: draw(10)), "no dice"
    assert made(app, lambda: draw(100)) == numbers and made(app, lambda: draw(0)) == []


def test_the_head_is_told_and_checks_it_once(app: Flask) -> None:
    pid = drawn(app)

    def told() -> list[str]:
        key = Message.idempotency_key.like("sample_audit:%")
        return [m.recipient.split("@")[0] for m in db.session.scalars(select(Message).where(key))]

    assert made(app, told) == ["chen.shufen"]
    head = signed_in(app, "chen.shufen")
    head.get("/staff/inbox")
    assert "待抽查" in head.follow("抽查").text
    page = head.get(f"/staff/audits/{pid}")
    for typed, mistake in (
        ({}, "請選擇抽查結果。"),
        ({"result": "irregular", "comment": " "}, "請說明疏失。"),
        ({"result": "passed", "comment": "長" * 1001}, "說明最多 1000 個字。"),
    ):
        page = head.press("記錄結果", typed)
        assert page.status == 422 and page.mistakes == [mistake]
    page = head.press("記錄結果", {"result": "irregular", "comment": "收據未附。"})
    assert "有疏失" in page.text
    again = head.post(f"/staff/audits/{pid}", {"result": "passed"})
    assert again.status == 409 and "陳淑芬" in again.text
    assert "收據未附。" in head.get(f"/staff/audits/{pid}").text and not head.page.offers("記錄結果")

    def look() -> tuple[str, int | None, list[int]]:
        last = db.session.scalars(select(CaseEvent).order_by(CaseEvent.seq.desc())).first()
        return last.kind, last.actor_id, events.broken_links(last.case_id)

    assert made(app, look) == ("sample_checked", made(app, lambda: account("chen.shufen").id), [])


def test_neither_officers_nor_other_units_nor_whoever_had_a_part(app: Flask) -> None:
    pid = drawn(app)
    address = f"/staff/audits/{pid}"
    assert signed_in(app, "lin.yahan").get(address).status == 403
    assert signed_in(app, "zhang.jianguo").get(address).status == 404
    assert "沒有抽中的案件" in signed_in(app, "zhang.jianguo").get("/staff/audits").text

    def takes_part() -> None:
        with unit_of_work():
            person = account("chen.shufen")
            case = db.session.scalars(select(Case)).one()
            actor = sample_audits.Actor("staff", person.id, person.name)
            events.record(actor, case, "reminded", DONE, from_state=case.state)

    made(app, takes_part)
    page = signed_in(app, "chen.shufen").post(address, {"result": "passed"})
    assert page.status == 422 and "請由其他主管抽查" in page.text
    assert "已記錄抽查結果" in signed_in(app, "li.zhengnan").post(address, {"result": "passed"}).text


@pytest.mark.parametrize(("percent", "workflow"), [(0, "counter_issue"), (100, "single_review")])
def test_no_sample_without_a_percentage_or_where_a_head_may_decide(
    app: Flask, percent: int, workflow: str
) -> None:
    def look() -> int:
        issued(percent, workflow)
        run_deadlines(DONE)
        return len(db.session.scalars(select(SampleAudit)).all())

    assert made(app, look) == 0


def test_what_was_not_drawn_is_recorded_too_and_shown_to_nobody(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_audits, "is_drawn", lambda number, percent: False)
    pid = drawn(app)
    assert signed_in(app, "chen.shufen").get(f"/staff/audits/{pid}").status == 404

    def look() -> None:
        row = db.session.scalars(select(SampleAudit)).one()
        assert (row.drawn, row.percent) == (False, 100)
        head = account("chen.shufen").id
        for values in ({"result": "passed"}, {"result": "passed", "checked_at": DONE, "checked_by_id": head}):
            with pytest.raises(IntegrityError), unit_of_work():
                for name, value in values.items():
                    setattr(db.session.get_one(SampleAudit, row.id), name, value)

    made(app, look)
