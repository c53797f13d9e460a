"""The pages of plan control, read and used without script: registers, one register, a plan, its papers, closing."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests.journeys import NOW
from tests.officers import at, made, signed_in
from tests.plan_world import entry
from tests.visitor import Visitor
from webapp import sheets
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Edition, Effect, Plan
from webapp.periods import parse
from webapp.permissions import SYSTEM
from webapp.queries import plans, snapshots
from webapp.services import plan_imports, plan_papers
from webapp.uow import unit_of_work

ANNEX, SELECTED = "/plans/registers/major_policy-109", "/plans/registers/selected-109"


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    at(app, monkeypatch, NOW)
    return signed_in(app, "guo.shiming")


def test_the_way_from_the_inbox_to_the_reason_of_a_light(research: Visitor) -> None:
    research.get("/staff/inbox")
    research.follow("計畫管考")
    research.follow("109年度重大政策暨計畫列管")
    shown = research.page.text
    assert "嚴重落後 2 件，占 13 件的 15.38%" in shown and "預算共 160.22 億元" in shown
    assert "文中稱14項計畫，附件一只印出13列，案號2未印出" in shown
    research.follow("開瑄國小校舍及運動場新建")
    shown = research.page.text
    assert "進度落後 9.45 個百分點 ≥ 嚴重落後門檻 6.5 個百分點" in shown
    assert "109年度施政計畫選項列管" in shown and "只公布了類別" in shown
    assert research.page.soup.select_one("svg.app-chart desc").text == "預定 32.22%、實際 22.77%，落後 9.45"


def test_nine_of_forty_three_and_the_budgets_that_differ(research: Visitor) -> None:
    research.get(SELECTED)
    shown = research.page.text
    assert "嚴重落後 9 件，占 43 件的 20.93%" in shown and "10,444,930,000" in shown and "160.22億元" in shown
    units = {
        row.select_one("th").text: [cell.text for cell in row.select("td")][1]
        for row in research.page.soup.select("section:has(#units) tbody tr")
    }
    assert units == {"工務處": "4", "港務處": "2", "教育處": "1", "衛生局": "1", "金酒公司": "1"}
    research.follow("金門港水頭客運中心新建工程")
    assert "案號 8 同期預定 80%、實際 80%" in research.page.text


def test_the_filter_stands_in_the_address(research: Visitor) -> None:
    def titles() -> list[str]:
        return [link.text for link in research.page.soup.select("section:has(#plans) tbody a")]

    research.get(f"{ANNEX}?light=red")
    assert titles() == ["S2、S3碼頭", "開瑄國小校舍及運動場新建"]
    research.get(f"{ANNEX}?unit=ED&period=109Q3")
    assert titles() == ["開瑄國小校舍及運動場新建", "湖埔國小新建幼兒園教學大樓"]
    research.get(f"{ANNEX}?q=nowhere")
    assert "沒有符合的計畫" in research.page.text
    assert len(signed(research, f"{ANNEX}?unit=XX&light=pink&page=-3&changed=")) == 13


def signed(person: Visitor, path: str) -> list[str]:
    person.get(path)
    return [link.text for link in person.page.soup.select("section:has(#plans) tbody a")]


@pytest.mark.parametrize(
    "path", ["/plans/registers/none", f"{ANNEX}?period=109Q7", "/plans/none", f"{ANNEX}/x/annex.xlsx"]
)
def test_what_is_not_there(research: Visitor, path: str) -> None:
    assert research.get(path).status == 404


def test_the_pages_in_english(research: Visitor) -> None:
    research.get("/language/en")
    research.get(ANNEX)
    assert (
        "Severely behind: 2 of 13, 15.38%" in research.page.text
        and "6.5 points or more" in research.page.text
    )


def test_a_quarter_is_closed_once_and_prints_what_it_said(app: Flask, research: Visitor) -> None:
    research.get(f"{ANNEX}?period=109Q3")
    research.follow("結算 109年第3季")
    shown = research.page
    assert shown.heading == "結算 109年第3季" and "第 1 版，嚴重落後 6.5 個百分點以上" in shown.text
    assert "列管計畫 13 件 嚴重落後 2 件" in " ".join(shown.text.split())
    assert made(app, lambda: db.session.scalars(select(Edition)).all()) == [], "it is only looked at"
    assert research.post(f"{ANNEX}/close", {"period": "109Q3", "seen": "older"}).status == 409
    assert "又有變動" in research.page.mistakes[0], "what was confirmed is not what is there now"
    research.press("確定結算")
    assert "109年第3季已結算" in research.page.text
    assert "結算 109年第3季" not in research.page.text
    assert made(app, lambda: [each.period for each in db.session.scalars(select(Edition))]) == ["109Q3"]
    assert research.post(f"{ANNEX}/close", {"period": "109Q3"}).status == 200
    assert "已經在 2025-09-25 結算" in research.page.text
    # nor is a month of it, nor is anything of it tried anew
    research.get(f"{ANNEX}?period=109M09")
    assert "結算 109年9月" not in research.page.text
    assert "109年第3季已經結算" in research.post(f"{ANNEX}/close", {"period": "109M09"}).text

    def look() -> tuple[str, set[str]]:
        of, month = plans.register("major_policy-109"), parse("109M09")
        said = plan_papers.table(of, month, "large", app.config).state
        running = snapshots.latest(SYSTEM, "progress_lag", 1000)
        return said, {subject.name for subject, _facts in running} & {"開瑄國小校舍及運動場新建"}

    assert made(app, look) == ("已隨109年第3季於民國114年9月25日結算，依目前資料列印。", set())


def test_the_annex_is_printed_by_the_worker(app: Flask, research: Visitor) -> None:
    research.get(f"{ANNEX}?period=109Q3")
    assert research.get(f"{ANNEX}/109Q3/annex.pdf").status == 202
    assert research.get(f"{ANNEX}/109Q3/annex.pdf").status == 202
    (order,) = made(
        app,
        lambda: db.session.scalars(
            select(Effect.id).where(Effect.kind == "plan_paper").order_by(Effect.id)
        ).all(),
    )
    made(app, lambda: perform_effect(order))
    text = research.get(f"{ANNEX}/109Q3/annex.pdf").pdf_text
    for said in (
        "109年度重大政策暨計畫列管彙整表",
        "109年第3季",
        "嚴重落後10.69",
        "嚴重落後9.45",
        "160.22億元",
        "第1頁，共1頁",
    ):
        assert said in text.replace(" ", "").replace("\xa0", ""), said


def test_the_spreadsheet_merges_groups_and_comes_back_in(
    app: Flask, research: Visitor, tmp_path: Path
) -> None:
    page = research.get(f"{ANNEX}/109Q3/annex.xlsx")
    book = load_workbook(io.BytesIO(page.content))
    sheet = book.active
    heads = [cell.value for cell in sheet[4]]
    assert heads == [
        "項次",
        "專案",
        "案號",
        "工作項目",
        "辦理情形",
        "預計%",
        "實際%",
        "預算(億)",
        "單位",
        "備註",
    ]
    merged = {str(cells) for cells in sheet.merged_cells.ranges}
    assert {"A6:A9", "B6:B9", "A11:A13", "B15:B16"} <= merged and "A10:A11" not in merged
    assert (sheet["F5"].value, sheet["H5"].value, sheet["J12"].value) == (89.05, 91.66, "嚴重落後 10.69")
    file = tmp_path / "annex.xlsx"
    # the remarks are those of the print, and the totals below are no rows
    sheet.delete_cols(10)
    sheet.delete_rows(18, sheet.max_row)
    book.save(file)

    def again() -> int:
        table = sheets.read(file, plan_imports.PLANS, ("project", "planned_pct"))
        with unit_of_work():
            done = plan_imports.plans(
                SYSTEM, table, "major_policy-110", parse("110Q1"), datetime(2021, 5, 1, tzinfo=UTC)
            )
        assert db.session.query(Plan).filter_by(origin="published").count() == 19
        return done.rows

    assert made(app, again) == 13


def test_lists_of_severe_and_of_large_plans(research: Visitor) -> None:
    def rows(path: str) -> list[list[object]]:
        sheet = load_workbook(io.BytesIO(research.get(path).content)).active
        return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=5)]

    severe = [row for row in rows(f"{SELECTED}/109Q3/severe.xlsx") if row[3]]
    assert [(row[0], row[1]) for row in severe if row[0]] == [
        ("工務處", 4),
        ("衛生局", 1),
        ("教育處", 1),
        ("港務處", 2),
        ("金酒公司", 1),
    ]
    large = [row for row in rows(f"{ANNEX}/109M09/large.xlsx") if row[1]]
    assert len(large) == 12 and "建置鄉鎮親子館" not in {row[1] for row in large}
    assert min(row[3] for row in large) == 76_000_000  # type: ignore[type-var]
    assert {str(row[7]).split()[0] for row in large} <= {"▲", "◆", "●", "■"} and "▲ 紅燈" in {
        row[7] for row in large
    }


def test_what_is_too_long_for_paper_says_so(research: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_papers, "MOST_ON_PAPER", 12)
    assert research.get(f"{ANNEX}/109Q3/annex.pdf").status == 422
    assert "請下載 XLSX" in research.page.text
    assert research.get(f"{ANNEX}/109Q3/large.pdf").status == 202


def test_a_past_year_without_reports_opens_on_its_last_month(app: Flask, research: Visitor) -> None:
    def make() -> None:
        with unit_of_work():
            of = entry(plan_imports.register_for("selected-110"), "虛構的步道計畫")
            of.since = date(2021, 10, 15)

    made(app, make)
    research.get("/plans/registers/selected-110")
    choices = [option.text.strip() for option in research.page.soup.select("select[name=period] option")]
    months = [choice for choice in choices if "季" not in choice]
    assert months == ["110年12月", "110年11月", "110年10月"]
    assert "虛構的步道計畫" in research.page.text
    research.get("/plans/registers/selected-110?period=110M10")
    assert "虛構的步道計畫" in research.page.text
