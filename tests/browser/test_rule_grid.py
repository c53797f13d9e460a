"""The grid of a decision table with script: checked while one types, filled from a spreadsheet, by the keyboard."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask
from playwright.sync_api import Locator, expect

from tests.browser import hands
from tests.browser.conftest import NewContext
from tests.browser.test_accessibility import violations
from tests.journeys import officer
from tests.officers import made
from webapp.moments import utc_now
from webapp.queries import editing
from webapp.services import desk
from webapp.uow import unit_of_work

PASTE = """(cell, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  cell.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
}"""


def drafted() -> int:
    with unit_of_work():
        return desk.open_draft(officer("admin"), "ruleset", "year_end_grade", utc_now()).id


def pasted(cell: Locator, text: str) -> None:
    cell.evaluate(PASTE, text)


def test_problems_are_named_within_a_second_and_cells_spread(new_context: NewContext, office: Flask) -> None:
    draft = made(office, drafted)
    page = new_context().new_page()
    hands.sign_in(page, "admin")
    page.goto(f"/admin/drafts/{draft}/edit/tables/1")
    status, cell = page.locator("[data-problems-status]"), page.get_by_label("第 2 列 考核總分 ≥")
    before = time.monotonic()
    cell.fill("很高")
    link = page.get_by_role("link", name="第 2 列第 1 欄「考核總分」：「很高」不是數字")
    expect(link).to_be_visible(timeout=1_000)
    assert time.monotonic() - before < 1
    expect(cell).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("status").filter(has_text="1 個問題要先處理")).to_be_attached()
    assert violations(page) == []
    link.click()
    expect(cell).to_be_focused()
    cell.fill("８０")
    expect(status).to_contain_text("沒有缺口")
    expect(cell).not_to_have_attribute("aria-invalid", "true")
    cell.press("Enter")
    expect(page.get_by_label("第 3 列 考核總分 ≥")).to_be_focused()

    fourth = page.get_by_label("第 4 列 考核總分 ≥")
    pasted(fourth, "60\t丙等\t六十\t太寬")
    expect(page.get_by_text("超出最後一欄")).to_be_visible()
    pasted(fourth, '60\t丙等\t"六十\n以上"\r\n< 60\t丁等\r\n')
    expect(page.get_by_label("第 5 列 考核等第")).to_have_value("丁等")
    expect(status).to_contain_text("問題要先處理")
    page.get_by_label("第 5 列 考核等第").select_option(label="丙等")
    expect(page.get_by_label("第 5 列上移")).to_be_enabled()
    expect(status).to_contain_text("沒有缺口")
    page.get_by_label("第 5 列上移").click()
    expect(page.get_by_label("第 4 列上移")).to_be_focused()
    rows: list[dict[str, Any]] = made(office, lambda: editing.draft(draft).mapping)["tables"][0]["rows"]
    assert [row["when"] for row in rows[1:]] == [
        [80],
        [{"param": "b_from"}],
        [{"op": "lt", "value": 60}],
        [60],
    ]
    assert [row["then"] for row in rows[3:]] == [["c"], ["c"]]
    assert rows[4]["label"]["zh"] == "六十 以上" and "label" not in rows[3]
