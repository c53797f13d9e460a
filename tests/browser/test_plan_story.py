"""What is severe becomes 10 points instead of 6.5, in the browser: tried, approved by a second person, published.

The plan that it concerns stands otherwise in the month that is open; the quarter that was closed prints what it said.
"""

from __future__ import annotations

import time
from decimal import Decimal

from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select

from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.browser.hands import follow, main, press
from tests.officers import made
from tests.visitor import pdf_text
from tests.walks import SECONDS_TO_PRINT
from webapp.extensions import db
from webapp.models import Plan, Register, RegisterEntry
from webapp.moments import taipei_day, utc_now
from webapp.services import plan_progress
from webapp.services.plan_progress import Figures
from webapp.uow import unit_of_work

SCHOOL = "開瑄國小校舍及運動場新建"
ANNEX = "/plans/registers/major_policy-109"
EXAMPLE = "落後 6.5 個百分點即為嚴重落後"
HOME = "/admin/definitions/ruleset/progress_lag"


def this_month() -> str:
    """The school is 9.45 points behind in the month that is running too. Returns the key of its plan."""
    now = utc_now()
    with unit_of_work():
        entry, plan = db.session.execute(
            select(RegisterEntry, Plan)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .join(Register, Register.id == RegisterEntry.register_id)
            .where(Plan.title == SCHOOL, Register.key == "major_policy-109")
        ).one()
        said = Figures(planned=Decimal("32.22"), actual=Decimal("22.77"))
        plan_progress.record(entry, taipei_day(now).replace(day=1), said, now, origin="published")
        return str(plan.public_id)


def at_the_desk(new_context: NewContext, login: str) -> Page:
    page = new_context(viewport={"width": 1280, "height": 1000}).new_page()
    hands.sign_in(page, login)
    return page


def printed(page: Page, address: str) -> str:
    """The text of a paper that the worker prints when somebody asks for it first."""
    until = time.monotonic() + SECONDS_TO_PRINT
    while (answer := page.request.get(address)).status == 202:
        assert time.monotonic() < until, address
        time.sleep(0.5)
    return "".join(pdf_text(answer.body()).split())


def test_severe_from_ten_on(new_context: NewContext, office: Flask) -> None:
    pid = made(office, this_month)
    author, second = at_the_desk(new_context, "admin"), at_the_desk(new_context, "guo.shiming")
    second.goto(f"{ANNEX}?period=109Q3")
    follow(second, "結算 109年第3季")
    press(second, "確定結算")
    expect(main(second)).to_contain_text("109年第3季已結算")
    second.goto(f"/plans/{pid}")
    expect(main(second)).to_contain_text("進度落後 9.45 個百分點 ≥ 嚴重落後門檻 6.5 個百分點")

    author.goto(HOME)
    hands.go_on(author, "修改（建立草稿）")
    draft = author.url
    follow(author, "編輯")
    main(author).get_by_role("link", name="參數").first.click()
    author.get_by_role("textbox", name="嚴重落後門檻").fill("10")
    press(author, "儲存草稿")
    main(author).get_by_role("link", name="測試案例").first.click()
    follow(author, EXAMPLE)
    press(author, "以算出的結果為預期")
    press(author, "儲存")
    author.goto(draft)
    author.get_by_role("link", name="試算與影響的案件").click()
    changed = main(author).get_by_role("table", name="會影響的進行中案件").get_by_role("link")
    expect(changed).to_have_count(1)
    expect(changed).to_contain_text("開瑄國小")
    author.goto(draft)
    author.get_by_role("textbox", name="修改的理由").fill("與中央的標準一致")
    press(author, "送審")
    expect(main(author)).to_contain_text("要由另一位同仁核准")

    second.goto(draft)
    main(second).get_by_role("button", name="核准").click()
    expect(main(second)).to_contain_text("已核准發布")
    second.goto(f"/plans/{pid}")
    expect(main(second)).to_contain_text("嚴重落後門檻 10 個百分點")
    expect(main(second)).not_to_contain_text("嚴重落後門檻 6.5 個百分點")
    paper = printed(second, f"{ANNEX}/109Q3/annex.pdf")
    assert "6.5個百分點" in paper and "10個百分點" not in paper and "嚴重落後9.45" in paper

    author.goto(HOME)
    author.get_by_role("textbox", name="理由").fill("示範結束")
    main(author).get_by_role("button", name="復原到版本 1").click()
    second.goto(f"/plans/{pid}")
    expect(main(second)).to_contain_text("嚴重落後門檻 6.5 個百分點")
