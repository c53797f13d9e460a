"""An administrator lets a warning come earlier, in the browser: draft, examples, live cases, a second person, back."""

from __future__ import annotations

from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.browser.hands import follow, main, press
from tests.journeys import submitted
from webapp.moments import utc_now

HOME = "/admin/definitions/ruleset/case_deadlines"
EXAMPLE = "到期前三個工作天還不預警"


def at_the_desk(new_context: NewContext, login: str) -> Page:
    page = new_context(viewport={"width": 1280, "height": 1000}).new_page()
    hands.sign_in(page, login)
    return page


def test_the_first_warning_comes_a_day_earlier(new_context: NewContext, office: Flask) -> None:
    with office.app_context():
        case = submitted("EC09", utc_now())
        pid, number = case.public_id, case.number or ""
    author, second = at_the_desk(new_context, "admin"), at_the_desk(new_context, "guo.shiming")
    second.goto(f"/staff/cases/{pid}/why")
    expect(main(second)).to_contain_text("預警天數 2 個工作天")

    author.goto("/admin/definitions")
    main(author).get_by_role("link", name="案件期限與稽催").first.click()
    hands.go_on(author, "修改（建立草稿）")
    draft = author.url
    expect(main(author)).to_contain_text("照常執行")
    follow(author, "編輯")
    main(author).get_by_role("link", name="參數").first.click()
    author.get_by_role("textbox", name="預警天數").fill("３")
    press(author, "儲存草稿")
    author.goto(draft)
    failing = main(author).locator("#tests ~ * tr", has_text=EXAMPLE).first
    expect(failing).to_contain_text("不符")
    expect(main(author).get_by_role("button", name="送審")).to_have_count(0)

    # the example is told what is wanted now
    follow(author, "編輯")
    main(author).get_by_role("link", name="測試案例").first.click()
    follow(author, EXAMPLE)
    press(author, "以算出的結果為預期")
    press(author, "儲存")
    author.goto(draft)
    expect(main(author).locator("#differences ~ * tr", has_text="預警天數").first).to_contain_text(
        "3 個工作天"
    )

    author.get_by_role("link", name="試算與影響的案件").click()
    expect(main(author).locator("#live ~ * tr", has_text=number).first).to_be_visible()
    author.goto(draft)
    author.get_by_role("textbox", name="修改的理由").fill("承辦人反映兩天太趕")
    press(author, "送審")
    expect(main(author)).to_contain_text("要由另一位同仁核准")

    second.goto(draft)
    main(second).get_by_role("button", name="核准").click()
    expect(main(second)).to_contain_text("已核准發布")
    second.goto(f"/staff/cases/{pid}/why")
    expect(main(second)).to_contain_text("預警天數 3 個工作天")

    author.goto(HOME)
    author.get_by_role("textbox", name="理由").fill("通知太多")
    main(author).get_by_role("button", name="復原到版本 1").click()
    second.goto(f"/staff/cases/{pid}/why")
    expect(main(second)).to_contain_text("預警天數 2 個工作天")
