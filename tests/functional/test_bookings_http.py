"""A booking over HTTP: the unit opens slots, the applicant takes one, the desk records who came."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from tests import fixture_services
from tests.journeys import NOW, submitted
from tests.officers import at, case_of, made, signed_in
from tests.visitor import Visitor
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
    assert desk.page.mistakes == ["請填寫名稱，最多 80 字。", "請填寫整數。", "請至少選一個申辦項目。"]
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
    assert applicant.page.status == 409 and "額滿" in applicant.page.text
    applicant.get(f"/applications/{other}/booking")
    applicant.press("選這個時段", {"slot": first, "wait": "yes"})
    assert "您前面還有 0 位候補" in applicant.page.text

    applicant.get(f"/applications/{pid}/booking")
    applicant.press("取消預約")
    assert "預約已取消" in applicant.page.text
    applicant.get(f"/applications/{other}/booking")
    assert "已保留，等候確認" in applicant.page.text, "moved up"

    desk.get(desk.page.path)
    assert not desk.page.has_button("已到"), "the slot has not begun"
    begins = made(app, lambda: _starts(other))
    at(app, monkeypatch, begins + timedelta(minutes=5))
    desk.get(desk.page.path)
    desk.press("已到")
    assert "已到場" in desk.page.text


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
