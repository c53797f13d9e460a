"""Whom no message reaches is rung or written to by somebody, and it stands there until that is noted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.functional.test_letters import carry_out
from tests.journeys import NOW, draft, take
from tests.officers import at, case_of, made, officer_of, signed_in
from tests.visitor import Visitor, in_process
from webapp.crypto import follow_code
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.models import CaseEvent
from webapp.permissions import Actor
from webapp.services import applications
from webapp.uow import unit_of_work

LAMP = {
    "kind": ["pothole"],
    "description": ["路面有一個大洞。"],
    "agree_privacy": ["yes"],
    "danger": ["no"],
    "point-point": ["24.46,118.40"],
    "reporter_name": ["王小明"],
    "agree_truth": ["yes"],
}
NOBODY = Actor("anonymous", device_hash="a browser")
LANDLINE = {"phone": ["082-325000"], "email": [""]}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(SAMPLES, "PW02", LAMP)
    at(app, monkeypatch, NOW)
    yield


def without_account(app: Flask, code: str, *actions: str, **changes: list[str]) -> str:
    def submit() -> str:
        with unit_of_work():
            key = draft(code, NOBODY, NOW, **changes).public_id
        with unit_of_work():
            case = applications.submit(NOBODY, key, NOW)
        for name in actions:
            take(case, name)
        return case.public_id

    return made(app, submit)


def at_case(app: Flask, pid: str) -> Visitor:
    visitor = signed_in(app, made(app, lambda: officer_of(case_of(pid))))
    visitor.get(f"/staff/cases/{pid}")
    return visitor


def test_who_left_a_landline_alone_is_rung_and_it_stands_there_until_noted(app: Flask) -> None:
    pid = without_account(app, "PW02", "assign", **LANDLINE)
    carry_out(app, "notice")
    desk = signed_in(app, "yang.zhihao")
    desk.get(f"/staff/cases/{pid}")
    if "受理" in [button.text for button in desk.page.soup.select("button")]:
        desk.press("受理")
    assert "請打 082-325000 告知" not in desk.page.text  # the page said that it was received
    desk.follow("先回復辦理情形")
    desk.press("預覽", {"comment": "已派工，材料運送中。"})
    assert "請打 082-325000 告知" in desk.page.soup.select_one("#preview").text
    desk.press("先回復辦理情形")
    carry_out(app, "notice")
    desk.get(f"/staff/cases/{pid}")
    assert "申請人只留電話，請打 082-325000 告知" in desk.page.text
    assert "已派工，材料運送中。" in desk.page.text
    assert "請打電話告知申請人" in at_case(app, pid).get("/staff/notices").text
    stale = at_case(app, pid)
    desk.press("已電話告知")
    assert "申請人只留電話，請打 082-325000 告知" not in desk.page.text
    assert made(app, lambda: kinds(pid)).count("told_by_phone") == 1
    assert "電話告知申請人" in desk.page.text
    stale.press("已電話告知")
    assert stale.page.status == 409


def kinds(pid: str) -> list[str]:
    rows = select(CaseEvent.kind).where(CaseEvent.case_id == case_of(pid).id)
    return list(db.session.scalars(rows.order_by(CaseEvent.seq)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (LANDLINE, "我們會打 082-325000 告知您"),
        ({"phone": ["0912-345-678"]}, "資料需要補充時，我們會通知您"),
    ],
)
def test_the_confirmation_says_how_one_will_hear(
    app: Flask, changes: dict[str, list[str]], said: str
) -> None:
    pid = without_account(app, "PW02", **changes)
    number = made(app, lambda: case_of(pid).number)
    visitor = in_process(app.test_client())
    visitor.get("/track")
    visitor.press("查詢", {"number": number, "code": follow_code(pid)})
    assert ("我們會打 082-325000 告知您" in visitor.page.text) == (changes is LANDLINE)
    assert said in visitor.get(f"/applications/{pid}/confirmation").text


def test_notices_on_paper_wait_in_the_mail_room_until_they_are_posted(app: Flask) -> None:
    pid = without_account(app, "EC09", phone=["082-325000"], email=[""])
    carry_out(app, "notice")
    assert "待交寄" in at_case(app, pid).page.text
    desk = signed_in(app, "huang.meilan")
    desk.get("/staff/letters")
    desk.follow("待寄通知（沒有電子郵件和手機的申請人）")
    shown = desk.page.soup.select_one("article").text
    assert "894金門縣烈嶼鄉" in shown and "陳美玲" in shown and follow_code(pid) in shown
    again = signed_in(app, "huang.meilan")
    again.get("/staff/paper-notices")
    (notice,) = [box["value"] for box in desk.page.soup.select("input[name=notice]")]
    desk.press("登記已交寄")
    assert desk.page.status == 422 and "請勾選已交寄的通知" in desk.page.text
    desk.press("登記已交寄", {"notice": [notice]})
    assert "沒有待寄的通知" in desk.page.text
    again.press("登記已交寄", {"notice": [notice]})
    assert again.page.status == 409
    assert made(app, lambda: kinds(pid)).count("notice_posted") == 1
    assert "待交寄" not in at_case(app, pid).page.text


def test_only_the_mail_room_of_the_unit_posts_its_notices(app: Flask) -> None:
    without_account(app, "EC09", phone=["082-325000"], email=[""])
    carry_out(app, "notice")
    stranger = signed_in(app, "yang.zhihao")
    assert "沒有待寄的通知" in stranger.get("/staff/paper-notices").text
