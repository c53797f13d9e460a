"""年終考核 on its pages: the year of a register, one plan with its reasons, opening, publishing, paper and list."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect, PlanGrade, Register
from webapp.moments import taipei_day, utc_now

YEAR = taipei_day(utc_now()).year - 1912
PAGE = f"/plans/registers/selected-{YEAR}/evaluation"


@pytest.fixture
def research(app: Flask, committed: None) -> Visitor:
    return signed_in(app, "guo.shiming")


def row(person: Visitor, title: str) -> list[str]:
    (found,) = [tr for tr in person.page.soup.select("section:has(#plans) tbody tr") if title in tr.text]
    return [cell.get_text(" ", strip=True) for cell in found.select("td")]


def test_from_the_register_to_the_reason_of_a_grade(research: Visitor) -> None:
    research.get(f"/plans/registers/selected-{YEAR}")
    research.follow("年終考核")
    shown = research.page.text
    assert "執行進度 40%、預算執行 30%、填報時效 15%、行政作業 15%" in shown
    assert f"單位自評到 民國{YEAR + 1}年3月25日，研考複評到 民國{YEAR + 1}年4月15日" in shown
    assert "尚未開始 2 件" in shown and "已公布 2 件" in shown
    assert row(research, "港區夜間照明")[2:] == ["100", "100", "100", "92", "99", "優等", "已公布"]
    assert row(research, "校園遮陽棚")[2:8] == ["50", "70", "100", "–", "–", "–"]
    assert "嚴重落後" in shown and "建議值，待機關核定" in shown
    research.follow("農水路改善（示範）")
    shown = research.page.text
    assert "總分 86" in shown and "四捨五入前 85.75" in shown and "甲等" in shown
    assert "年終預定 100%、實際 97.5%，落後 2.5 個百分點" in shown and "年終預算執行率 84.00%" in shown
    assert "會議出席與資料完整（示範）" in shown and "如期完成年度工作項目（示範）" in shown
    assert "進度落後 2.5 個百分點 ＞ 0 個百分點" in shown


def test_units_read_what_is_published_and_may_do_nothing(app: Flask, committed: None) -> None:
    unit = signed_in(app, "ou.yijun")
    unit.get(PAGE)
    assert "優等" in unit.page.text and not unit.page.soup.select("form[action*=evaluation]")
    for verb in ("start", "publish"):
        assert unit.post(f"{PAGE}/{verb}", {"version": "1"}).status == 403


def test_the_office_asks_the_units_once(
    app: Flask, research: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(app, monkeypatch, datetime(YEAR + 1912, 2, 2, 2, tzinfo=UTC))
    research = signed_in(app, "guo.shiming")
    research.get(PAGE)
    research.press("請單位自評（2 件）")
    assert "已請主辦單位自評 2 件計畫" in research.page.text and "單位自評中" in research.page.text
    codes = made(app, lambda: list(db.session.scalars(select(Case.service_code))))
    assert codes == ["KM08", "KM08"]
    assert "郭士銘 已在" in research.post(f"{PAGE}/start").text


def test_who_is_late_says_until_when(app: Flask, monkeypatch: pytest.MonkeyPatch, committed: None) -> None:
    """Nobody is asked to be done in the past."""
    at(app, monkeypatch, datetime(YEAR + 1912, 9, 1, 2, tzinfo=UTC))
    late, next_year = signed_in(app, "guo.shiming"), YEAR + 1
    late.get(PAGE)
    assert "規則訂的期限已過，請另訂這一次的期限" in late.page.text

    def days(own: tuple[int, int], review: tuple[int, int]) -> dict[str, str]:
        said = {"self_evaluation": own, "review": review}
        return {
            f"{name}-{part}": str(value)
            for name, (month, day) in said.items()
            for part, value in (("year", next_year), ("month", month), ("day", day))
        }

    for typed, words in (
        ({}, "今天之後一年內的自評期限"),
        (days((9, 1), (10, 1)), "今天之後一年內的自評期限"),
        (days((9, 31), (10, 1)), "今天之後一年內的自評期限"),
        (days((9, 30), (9, 25)), "複評期限不能早於自評期限"),
    ):
        page = late.press("請單位自評（2 件）", typed)
        assert page.status == 422 and any(words in each for each in page.mistakes), page.mistakes
    late.press("請單位自評（2 件）", days((9, 25), (10, 15)))
    assert "已請主辦單位自評 2 件計畫" in late.page.text
    due = made(app, lambda: list(db.session.scalars(select(Case.due_on).distinct())))
    assert due == [date(YEAR + 1912, 10, 15)]


def test_nothing_is_published_from_a_stale_page_or_of_nothing(research: Visitor) -> None:
    assert "請重新查看再公布" in research.post(f"{PAGE}/publish", {"version": "-1"}).text
    research.get(PAGE)
    assert not research.page.soup.select("form[action$=publish]")


def test_a_year_that_is_not_over_and_years_beside(app: Flask, research: Visitor) -> None:
    this = f"/plans/registers/selected-{YEAR + 1}/evaluation"
    research.get(this)
    assert "年度還沒有終了" in research.page.text and not research.page.soup.select("form[action$=start]")
    assert f"{YEAR + 1} 年度還沒有終了" in research.post(f"{this}/start").text
    assert research.get(f"{this}?year={YEAR}").status == 200 and "已公布 2 件" in research.page.text
    assert research.get(f"{this}?year=1").status == 404
    assert research.get("/plans/registers/selected-109/evaluation").status == 200
    assert "公布資料匯入的計畫不考核" in research.page.text
    assert research.get(f"{PAGE}/nobody").status == 404


def test_the_pages_in_english(research: Visitor) -> None:
    research.get("/language/en")
    research.get(PAGE)
    assert "Year-end evaluation" in research.page.text and "Excellent" in research.page.text


def test_the_list_and_the_paper(app: Flask, research: Visitor) -> None:
    sheet = load_workbook(io.BytesIO(research.get(f"{PAGE}.xlsx").content)).active
    rows = [[cell.value for cell in each] for each in sheet.iter_rows(min_row=4)]
    assert rows[0][3:9] == ["執行進度(40)", "預算執行(30)", "填報時效(15)", "行政作業(15)", "總分", "等第"]
    assert rows[1][3:9] == [100, 100, 100, 92, 99, "優等"]
    assert rows[3][3:10] == [None] * 6 + ["尚未公布"]
    assert rows[6][0] == "共 4 件，已公布 2 件：優等 1 件、甲等 1 件、乙等 0 件、丙等 0 件。"
    assert research.get(f"{PAGE}.pdf").status == 202
    (order,) = made(
        app,
        lambda: db.session.scalars(
            select(Effect.id).where(Effect.kind == "plan_paper").order_by(Effect.id)
        ).all(),
    )
    made(app, lambda: perform_effect(order))
    said = research.get(f"{PAGE}.pdf").pdf_text.replace(" ", "").replace("\xa0", "")
    assert f"{YEAR}年度施政計畫選項列管年終考核" in said and "優等1件" in said and "尚未公布" in said


def test_a_plan_that_is_reviewed_is_published_with_its_register(app: Flask, research: Visitor) -> None:
    def wait() -> None:
        row = db.session.scalars(select(PlanGrade).order_by(PlanGrade.id)).first()
        assert row is not None
        copy = PlanGrade(
            entry_id=_left(row.register_id), register_id=row.register_id, origin="demonstration",
            opened_at=row.opened_at, state="reviewed", total=row.total, grade=row.grade, said=row.said,
            result=row.result, ruleset_revision_id=row.ruleset_revision_id, reviewed_by_id=row.reviewed_by_id,
            reviewed_at=row.reviewed_at,
        )  # fmt: skip
        db.session.add(copy)
        db.session.commit()

    made(app, wait)
    research.get(PAGE)
    assert row(research, "社區活動中心")[6:] == ["99", "優等", "等候公布"]
    research.press("公布 1 件")
    assert "資料或規則在複評後有變動" in research.page.text, "its execution is 91 %, not 96 %"
    unit = signed_in(app, "ou.yijun")
    unit.get(PAGE)
    assert row(unit, "社區活動中心")[5:8] == ["–", "–", "–"], "what waits is between office and unit"


def _left(register_id: int) -> int:
    from webapp.models import RegisterEntry

    graded = select(PlanGrade.entry_id)
    found = select(RegisterEntry.id).where(
        RegisterEntry.register_id == register_id, RegisterEntry.id.not_in(graded)
    )
    assert db.session.get(Register, register_id) is not None
    return db.session.scalars(found.order_by(RegisterEntry.id)).first() or 0
