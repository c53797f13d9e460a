"""The citizens' pages in a real browser: readable for everybody, on a desk, on a phone and with large letters."""

from __future__ import annotations

import os
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.journeys import citizen, draft, submitted, take
from tests.officers import made
from webapp import demo
from webapp.moments import utc_now
from webapp.uow import unit_of_work

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
LETTERS = "size => document.documentElement.style.fontSize = size"
#: another citizen than those of the other tests, which count the cases that they see
WHO = "wang.daming"
PUBLIC = (
    "/",
    "/?q=狗",
    "/?q=護照",
    "/services/EC06",
    "/services/EC09?eligible=no",
    "/track",
    "/applications",
    "/help",
    "/privacy",
    "/accessibility",
    "/sign-in",
    "/sign-in/mobile",
    "/register",
    "/nowhere",
)


def barriers(page: Page) -> list[str]:
    """What axe finds on a desk and on a phone, and whether large letters or a small window hide anything."""
    found = []
    for width, letters in ((1280, ""), (360, ""), (1280, "200%")):
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(LETTERS, letters)
        if not letters:
            faults = Axe().run(page, options=RULES).response["violations"]
            found += [f"{page.url}: {f['id']} {[n['target'] for n in f['nodes']]}" for f in faults]
        if (wide := page.evaluate(WIDE)) > 0:
            found.append(f"{page.url}: {wide} px too wide at {width} px, letters {letters or 'as they are'}")
    page.evaluate(LETTERS, "")
    page.set_viewport_size({"width": 1280, "height": 900})
    return found


@pytest.fixture
def mine(office: Flask, new_context: NewContext) -> Page:
    page = new_context().new_page()
    hands.sign_in(page, WHO)
    return page


def test_pages_before_any_sign_in(page: Page) -> None:
    found = []
    for path in PUBLIC:
        page.goto(path)
        found += barriers(page)
    page.goto("/track")
    hands.press(page, "查詢")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    found += barriers(page)
    page.goto("/register")
    hands.press(page, "註冊並登入")
    assert found + barriers(page) == []


def test_every_step_empty_and_with_mistakes(office: Flask, mine: Page) -> None:
    def begun(code: str) -> str:
        now = utc_now()
        with unit_of_work():
            return draft(code, citizen(WHO), now).public_id

    found = []
    for code, sections in (
        ("EC06", ("applicant", "land", "purpose", "documents", "declaration")),
        ("PW01", ("applicant", "work", "schedule", "documents")),
    ):
        key = made(office, lambda code=code: begun(code))
        for section in sections:
            mine.goto(f"/apply/{key}/{section}")
            found += barriers(mine)
        mine.goto(f"/apply/{key}/review")
        found += barriers(mine)
    mine.goto("/services/EC09")
    hands.press(mine, "開始申請")
    mine.get_by_label("聯絡電話").fill("123")
    hands.press(mine, "儲存並繼續")
    expect(mine.locator("[data-error-summary]")).to_be_focused()
    expect(mine).to_have_title(re.compile("^錯誤："))
    assert found + barriers(mine) == []


def test_a_case_from_its_confirmation_to_its_letter(office: Flask, mine: Page) -> None:
    now = utc_now()

    def asked() -> str:
        case = submitted("EC09", now, citizen(WHO))
        take(case, "request_correction", now=now, fields=("chip_no", "receipt"), comment="請改正")
        return case.public_id

    def granted() -> str:
        case = submitted("EC09", now, citizen(WHO))
        take(case, "propose_approval", now=now, comment="符合規定")
        take(case, "approve", now=now)
        return case.public_id

    first, second = made(office, asked), made(office, granted)
    found = []
    for path in (
        f"/applications/{first}/confirmation",
        f"/applications/{first}",
        f"/applications/{first}/correction",
        f"/applications/{first}/withdraw",
        f"/applications/{second}",
        "/applications",
        "/outbox",
    ):
        mine.goto(path)
        found += barriers(mine)
    mine.goto(f"/applications/{first}/correction")
    mine.get_by_label("晶片號碼").fill("12")
    hands.press(mine, "送出補正")
    expect(mine.locator("[data-error-summary]")).to_be_focused()
    assert found + barriers(mine) == []


def test_another_tab_and_a_sign_in_that_ended_lose_nothing(new_context: NewContext, office: Flask) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    hands.sign_in(page, WHO)
    page.goto("/services/PW01")
    hands.press(page, "開始申請")
    other.goto(page.url)
    hands.fill_in(other, {"applicant_name": ["別的分頁"]})
    hands.press(other, "儲存，稍後再填")
    page.get_by_label("申請人姓名或名稱").fill("這個分頁")
    expect(page.locator("[data-autosave-status]")).to_contain_text("另一個分頁或裝置")
    hands.press(page, "儲存並繼續")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.get_by_text("這一頁：這個分頁")).to_be_visible()
    found = barriers(page)
    context.clear_cookies()
    hands.press(page, "儲存並繼續")
    found += barriers(page)
    page.get_by_label("電子郵件").fill(demo.login(WHO))
    page.get_by_label("密碼").fill(demo.password(os.environ["SECRET_KEY"]))
    hands.press(page, "登入")
    expect(page.get_by_label("申請人姓名或名稱")).to_have_value("這個分頁")
    assert found == []
