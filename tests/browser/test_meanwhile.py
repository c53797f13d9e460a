"""What happens elsewhere while a page is open: another tab, a sign-in that ends, a case that comes in."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.conftest import NewContext, Visitors
from tests.browser.town import Town
from tests.journeys import citizen, submitted
from tests.officers import case_of, made, officer_of
from webapp import demo
from webapp.moments import utc_now

#: another citizen than those of the other tests, which count the cases that they see
WHO = "wang.daming"


def test_another_tab_and_a_sign_in_that_ended_lose_nothing(new_context: NewContext, office: Flask) -> None:
    context = new_context()
    page, other = context.new_page(), context.new_page()
    hands.sign_in(page, WHO)
    page.goto("/services/PW01")
    hands.go_on(page, "開始申請")
    other.goto(page.url)
    hands.fill_in(other, {"applicant_name": ["別的分頁"]})
    hands.press(other, "儲存，稍後再填")
    page.get_by_label("申請人姓名或名稱").fill("這個分頁")
    expect(page.locator("[data-autosave-status]")).to_contain_text("另一個分頁或裝置")
    hands.press(page, "儲存並繼續")
    expect(page.locator("[data-error-summary]")).to_be_focused()
    expect(page.get_by_text("這一頁：這個分頁")).to_be_visible()
    context.clear_cookies()
    hands.press(page, "儲存並繼續")
    page.get_by_label("電子郵件").fill(demo.login(WHO))
    page.get_by_label("密碼").fill(demo.password(os.environ["SECRET_KEY"]))
    hands.press(page, "登入")
    expect(page.get_by_label("申請人姓名或名稱")).to_have_value("這個分頁")


def test_the_counts_follow_what_others_do(new_context: NewContext, office: Flask) -> None:
    page = new_context().new_page()
    hands.sign_in(page, "weng.guoliang")
    page.clock.install()
    page.goto("/staff/inbox")
    tab = page.get_by_role("navigation", name="待辦").get_by_role("link").first
    before = int(tab.locator(".app-side__count").inner_text().split()[0])
    sender = made(office, lambda: citizen("wang.daming"))

    def arrives() -> str:
        return submitted("EC06", utc_now(), sender, land_township=["JC"]).public_id

    case = made(office, arrives)
    assert made(office, lambda: officer_of(case_of(case))) == "weng.guoliang"
    page.clock.run_for(timedelta(seconds=31) // timedelta(milliseconds=1))
    expect(tab.locator(".app-side__count")).to_contain_text(str(before + 1))


def test_the_sentence_of_a_rule_follows_the_typing(visitors: Visitors, town: Town) -> None:
    """The town is only looked at: nothing is saved."""
    page = visitors("admin")
    page.goto(town.path("/admin/drafts/{rules_draft}/edit/rules/closed"))
    page.locator("#c-1-by").select_option("value")
    page.locator("#c-1-value").fill("9")
    expect(page.locator("#sentence")).to_contain_text("＞ 9")
    page.locator("#c-1-fact").select_option("plan.level")
    expect(page.locator("select#c-1-value")).to_be_visible()
    page.get_by_label("搜尋事實").nth(1).fill("落後")
    offered = page.locator("#c-1-fact option").all_inner_texts()
    assert "進度落後" in offered and "規費" not in offered
    expect(page.locator("#c-1-fact")).to_have_value("plan.level")
