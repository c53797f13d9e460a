"""Curves and reports from a spreadsheet on the pages of the control office: looked at, corrected there, taken in."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook

from tests.journeys import NOW
from tests.officers import at, made, signed_in
from tests.plan_world import baseline, entry
from tests.visitor import Visitor
from webapp import sheets
from webapp.extensions import db
from webapp.models import Baseline, ProgressReport
from webapp.services import plan_imports
from webapp.uow import unit_of_work

CURVES, REPORTS = (f"/plans/registers/major_project-109/import/{kind}" for kind in ("baselines", "reports"))
HEAD = "計畫名稱,月份,預定進度"


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    at(app, monkeypatch, NOW)

    def plan() -> None:
        with unit_of_work():
            register = plan_imports.register_for("major_project-109")
            entry(register, "甲計畫")
            baseline(entry(register, "乙計畫"), 10, 20, 100)

    made(app, plan)
    return signed_in(app, "guo.shiming")


def count(app: Flask, model: type[Any], **by: Any) -> int:
    return made(app, lambda: db.session.query(model).filter_by(**by).count())


def workbook(*rows: list[object]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def test_a_file_is_looked_at_corrected_on_the_page_and_taken_in(app: Flask, research: Visitor) -> None:
    before = count(app, Baseline)
    research.get("/plans/registers/major_project-109")
    research.follow("匯入預定進度")
    file = workbook(["計畫名稱", "月份", "預定進度"], ["甲計畫", "109/1", "５０％"], ["甲計畫", "109/2", 98])
    page = research.press("預覽", files={"file": [("曲線.xlsx", file)]})
    assert page.status == 422 and "須為 100%，目前 98%" in page.text and "什麼都還沒有匯入" in page.text
    cells = [cell.text for cell in page.soup.select("table tbody td")]
    assert cells[:2] == ["3", "預定進度"]
    typed = page.soup.select_one("textarea").text.strip()
    assert typed.splitlines()[2] == "甲計畫\t109/2\t98"
    page = research.press("預覽", {"table": typed.replace("\t98", "\t100")})
    assert page.status == 200 and "2 列都可以匯入，其中 1 筆是新的" in page.text
    assert count(app, Baseline) == before, "only looked at"
    page = research.press("匯入")
    assert "已匯入 2 列，新增 1 筆" in page.text and count(app, Baseline) == before + 1


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "請選擇檔案或貼上表格"),
        ("計畫,月\n甲,1", "找不到標題列"),
        (HEAD, "沒有資料列"),
        (f"{HEAD}\n甲計畫,109/1,１０１", "101 不在 0 到 100 之間"),
        (f"{HEAD}\n{'甲' * 3000},109/1,100", "最多 200 字"),
        (f"{HEAD}\n\n\n丙計畫,109/1,100", "沒有「丙計畫」"),
        (HEAD + "\n" + "丙計畫,109/1,1\n" * 150, "還有 50 處"),
        (f'{HEAD}\n"甲計畫,109/1,1', "CSV 格式有誤"),
    ],
)
def test_what_is_wrong_is_named_and_what_was_pasted_stays(research: Visitor, table: str, says: str) -> None:
    research.get(CURVES)
    page = research.press("預覽", {"table": table})
    assert page.status == 422 and says in page.text
    assert page.soup.select_one("textarea").text.strip() == table.strip()
    assert page.soup.select_one("[data-error-summary] a")["href"] in ("#table", "#problems")


def test_a_file_that_is_too_large(research: Visitor) -> None:
    research.get(CURVES)
    page = research.press("預覽", files={"file": [("a.csv", b"x" * (sheets.PAGES.megabytes * 1024**2 + 1))]})
    assert page.status == 422 and "檔案超過 2 MB" in page.text


def test_big5_and_a_report_that_has_to_be_explained(app: Flask, research: Visitor) -> None:
    before = count(app, ProgressReport)
    research.get(REPORTS)
    file = "計畫名稱,月份,實際進度\n乙計畫,109年2月,13.5".encode("cp950")
    page = research.press("預覽", files={"file": [("r.csv", file)]})
    assert page.status == 422 and "進度落後 6.5 個百分點" in page.text
    table = (
        "計畫名稱,月份,實際進度,落後原因類別,落後原因,因應對策,預定趕上日期\n"
        "乙計畫,109年2月,13.5,招標流廢標,兩次流標,重新招標,109/6/30"
    )
    research.press("預覽", {"table": table})
    assert "已匯入 1 列，新增 1 筆" in research.press("匯入").text
    assert count(app, ProgressReport) == before + 1
    research.get("/plans/registers/major_project-109?period=109M02")
    assert "乙計畫" in research.page.text and "6.5" in research.page.text


def test_the_table_to_fill_in_comes_back_in(app: Flask, research: Visitor) -> None:
    def rows(path: str) -> list[list[object]]:
        sheet = load_workbook(io.BytesIO(research.get(f"{path}.xlsx").content)).active
        return [[cell.value for cell in row] for row in sheet.iter_rows()]

    head, *blank = rows(REPORTS)
    assert head[:4] == ["案號", "計畫名稱", "月份", "實際進度"]
    assert [row[1:3] for row in blank] == [["乙計畫", f"109M{month:02}"] for month in range(1, 13)]
    head, *blank = rows(CURVES)
    assert [row[1] for row in blank] == ["甲計畫"] * 12
    filled = [[*row[:3], 100 if n == 11 else n, None] for n, row in enumerate(blank)]
    research.get(CURVES)
    page = research.press("預覽", files={"file": [("filled.xlsx", workbook(head, *filled))]})
    assert "12 列都可以匯入" in page.text


def test_units_see_no_import(app: Flask, research: Visitor) -> None:
    officer = signed_in(app, "ou.yijun")
    assert "匯入預定進度" not in officer.get("/plans/registers/major_project-109").text
    for answer in (officer.get(CURVES), officer.get(f"{CURVES}.xlsx"), officer.post(CURVES, {"table": HEAD})):
        assert answer.status == 403


def test_what_was_pasted_after_the_sign_in_ended_is_shown_again(app: Flask, research: Visitor) -> None:
    research.get(CURVES)
    stranger = signed_in(app, "guo.shiming")
    stranger.get(CURVES)
    with app.test_client() as client:
        answer = client.post(CURVES, data={"table": f"{HEAD}\n甲計畫,109/1,100"})
    assert answer.status_code == 401 and 'name="pending"' in answer.text
