"""A booking over HTTP: the unit opens slots, the applicant takes one, the desk records who came."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests import fixture_services
from tests.journeys import NOW, submitted
from tests.officers import at, case_of, made, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Effect, Message
from webapp.queries import bookings as queries

FRIDAY = {"first-year": "114", "first-month": "9", "first-day": "26"}
MONDAY = {"last-year": "114", "last-month": "9", "last-day": "29"}


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)
    made(app, lambda: fixture_services.publish("booking", monkeypatch))


def opened(app: Flask) -> Visitor:
    """The desk's page after its slots were opened."""
    desk = signed_in(app, "lin.yahan")
    desk.get("/staff/inbox")
    desk.follow("預約時段")
    desk.press("新增", {"name_zh": "諮詢室", "name_en": "", "capacity": "x"})
    assert desk.page.status == 422
    assert desk.page.mistakes == [
        "請填寫名稱，最多 80 字。",
        "請填 1 到 10000 的整數。",
        "請至少選一個申辦項目。",
    ]
    desk.press("新增", {"name_en": "Room", "capacity": "1", "services": ["EC91"]})
    desk.press(
        "開放時段", {**FRIDAY, "last-day": "31", "last-month": "9", "last-year": "114", "opens": "9點"}
    )
    assert desk.page.mistakes == [
        "請填寫真實存在的日期，例如 115 年 12 月 3 日。",
        "請填寫時間，例如 09:00。",
        "請至少選一天。",
    ]
    week = {"weekdays": ["0", "4"], "opens": "14:00", "closes": "16:00", "minutes": "60"}
    desk.press("開放時段", {**FRIDAY, **MONDAY, **week})
    assert "已開放 2 個時段" in desk.page.text, "Monday is a holiday"
    return desk


def test_a_slot_from_opening_to_attending(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = opened(app)
    pid = made(app, lambda: submitted("EC91").public_id)
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}")
    applicant.follow("選擇或查看預約時段")
    first = str(applicant.page.soup.select("input[name=slot]")[0]["value"])
    applicant.press("選這個時段", {"slot": first})
    assert "已保留，等候確認" in applicant.page.text

    other = made(app, lambda: submitted("EC91").public_id)
    applicant.get(f"/applications/{other}/booking")
    assert "額滿，可候補" in applicant.page.text
    applicant.press("選這個時段", {"slot": first})
    assert applicant.page.status == 409 and "剛剛額滿" in applicant.page.mistakes[0]
    assert applicant.page.value("slot") == first, "the choice is kept"
    applicant.press("選這個時段", {"wait": "yes"})
    assert "您是候補的第一位" in applicant.page.text

    applicant.get(f"/applications/{pid}/booking")
    applicant.press("取消預約")
    assert "預約已取消" in applicant.page.text
    applicant.get(f"/applications/{other}/booking")
    assert "已保留，等候確認" in applicant.page.text, "moved up"

    desk.get(desk.page.path)
    assert not desk.page.offers("已到"), "the slot has not begun"
    begins = made(app, lambda: _starts(other))
    at(app, monkeypatch, begins + timedelta(minutes=5))
    desk, calendar = signed_in(app, "lin.yahan"), desk.page.path
    desk.get(calendar)
    desk.press("已到")
    assert "已到場" in desk.page.text


def test_what_is_wrong_with_a_choice_stands_on_its_page(app: Flask) -> None:
    opened(app)
    pid = made(app, lambda: submitted("EC91").public_id)
    applicant = signed_in(app, "chen.meiling")
    applicant.get(f"/applications/{pid}/booking")
    page = applicant.press("選這個時段", {"wait": "yes"})
    assert page.status == 422 and page.mistakes == ["請選擇一個時段。"]
    assert page.soup.select_one("#field-slot .govuk-error-message")
    assert page.soup.select_one("input[name=wait][checked]")
    first = str(page.soup.select("input[name=slot]")[0]["value"])
    for seats in ("5", "0", "兩個", "9" * 30):
        page = applicant.press("選這個時段", {"slot": first, "seats": seats})
        assert page.status == 422 and page.mistakes == ["名額須在 1 到 1 之間。"]
        assert page.soup.select_one("#field-seats .govuk-error-message")
        assert (page.value("slot"), page.value("seats")) == (first, seats)
    applicant.press("選這個時段", {"seats": "1"})
    assert "已保留，等候確認" in applicant.page.text


def _starts(pid: str) -> datetime:
    booking = queries.current(case_of(pid).id)
    assert booking is not None
    return booking.slot.starts_at


def test_the_pages_speak_english(app: Flask) -> None:
    desk = opened(app)
    desk.get("/language/en")
    desk.get("/staff/slots")
    assert desk.page.heading == "Bookings"
    desk.follow("Room")
    assert "Open slots" in desk.page.text


def test_a_resource_is_changed_and_closed_over_nobodys_head(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = opened(app)
    calendar = desk.page.path
    desk.follow("修改資源")
    desk.press("儲存", {"capacity": "0", "cancel_hours": "-1"})
    assert desk.page.mistakes == ["請填 1 到 10000 的整數。", "請填 0 到 10000 的整數。"]
    stale = desk.page
    desk.press("儲存", {"name_zh": "第二諮詢室", "capacity": "3", "cancel_hours": "48"})
    assert desk.page.heading == "第二諮詢室" and "每個時段 3 個名額，48 小時前" in desk.page.text
    desk.page = stale
    desk.press("儲存", {"capacity": "9", "cancel_hours": "1"})
    assert desk.page.status == 409 and "林雅涵" in desk.page.text

    pid = made(app, lambda: submitted("EC91").public_id)
    applicant = signed_in(app, "chen.meiling")
    desk.get(calendar)
    desk.follow("關閉資源")
    assert "不影響任何人" in desk.page.text
    applicant.get(f"/applications/{pid}/booking")
    applicant.press("選這個時段", {"slot": str(applicant.page.soup.select("input[name=slot]")[0]["value"])})
    desk.press("關閉")
    assert desk.page.status == 409 and "預約名單剛剛有變動" in desk.page.text
    desk.get(calendar)
    desk.follow("關閉資源")
    number = made(app, lambda: case_of(pid).number)
    assert "還有 1 筆預約" in desk.page.text and number in desk.page.text
    desk.press("取消 1 筆預約並關閉")
    assert desk.page.mistakes == ["請寫明要告訴預約人的原因，最多 200 字。"]
    desk.press("取消 1 筆預約並關閉", {"reason": "諮詢室漏水整修"})
    assert "已關閉，1 筆預約已取消" in desk.page.text and not desk.page.offers("開放時段")

    applicant.get(f"/applications/{pid}/booking")
    assert "已取消" in applicant.page.text and "目前沒有開放的時段" in applicant.page.text
    told = made(app, _said)
    assert "諮詢室漏水整修" in told and "另選時段" in told
    desk.follow("重新開放")
    desk.press("重新開放")
    assert "已重新開放" in desk.page.text and desk.page.offers("開放時段")
    applicant.get(f"/applications/{pid}/booking")
    assert applicant.page.offers("選這個時段")


def _said() -> str:
    """The message about the slot that is gone, as the worker sends it."""
    orders = db.session.scalars(select(Effect).where(Effect.kind == "notice").order_by(Effect.id)).all()
    perform_effect(next(each.id for each in orders if each.payload["template"] == "slot_withdrawn"))
    return db.session.scalars(select(Message).order_by(Message.id.desc())).first().body
