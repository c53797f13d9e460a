"""Changes of plans on the pages: a unit asks, its heads approve, the plan-control office takes it in, all by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from flask import Flask

from tests.journeys import NOW
from tests.officers import at, made, signed_in
from tests.plan_world import baseline, entry
from webapp.extensions import db
from webapp.models import Baseline, Plan, RegisterEntry
from webapp.services import plan_imports, plan_progress
from webapp.services.plan_progress import Figures
from webapp.uow import unit_of_work

OFFICER, HEAD, DIRECTOR, CONTROL = "li.yating", "wang.shufen", "chen.zhiming", "guo.shiming"


@pytest.fixture
def plan(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page of a plan of 社會處 with a curve of six months of 109."""
    at(app, monkeypatch, NOW)

    def make() -> str:
        with unit_of_work():
            of = entry(plan_imports.register_for("selected-109"), "虛構的據點計畫", unit="SW")
            baseline(of, 10, 20, 40, 60, 80, 100)
            return f"/plans/{db.session.get_one(Plan, of.plan_id).public_id}"

    return made(app, make)


def test_a_change_goes_its_way_by_hand(app: Flask, plan: str) -> None:
    unit = signed_in(app, OFFICER)
    unit.get(plan)
    assert "修正期程須經核定，另立預定進度（處長／局長核定）" in unit.page.text
    unit.press("申請修正預定進度")
    assert "已開立" in unit.page.text and "現行預定進度" in unit.page.text
    case = unit.page.path
    unit.follow("送主管覆核")
    assert [
        unit.page.soup.select_one(f"[name=curve-2-{part}]")["value"] for part in ("month", "planned")
    ] == [
        "109-03",
        "40",
    ]
    unit.press("新增一列")
    assert unit.page.soup.select_one("[name=curve-6-month]") is not None
    unit.press(
        "送主管覆核",
        {
            "reason": "工期展延",
            "effective_month": "109-06",
            "curve-5-planned": "90",
            "curve-6-month": "109-07",
            "curve-6-planned": "99",
        },
    )
    assert "第 7 列：最後一個月（109年7月）的累計預定進度須為 100%" in unit.page.text
    unit.press("送主管覆核", {"curve-6-planned": "100"})
    for login, link in (
        (HEAD, "覆核無誤，送核定"),
        (DIRECTOR, "核定，送研考"),
        (CONTROL, "同意，成為新的預定進度"),
    ):
        person = signed_in(app, login)
        person.get(case)
        person.follow(link)
        person.press(link)
        assert person.page.status == 200, person.page.text
    assert made(
        app, lambda: db.session.query(Baseline).filter(Baseline.case_id.is_not(None)).one().effective_month
    ) == date(2020, 6, 1)
    unit.get(plan)
    table = [
        [cell.text for cell in row.select("th, td")]
        for row in unit.page.soup.select("table:has(caption:-soup-contains('各版本')) tbody tr")
    ]
    assert table[-2:] == [["109年6月", "100", "90"], ["109年7月", "–", "100"]]
    assert len(unit.page.soup.select("svg.app-chart path[stroke-dasharray='2 4']")) == 1
    assert "計畫修正" in unit.page.text and "已核定" in unit.page.text
    unit.get("/language/en")
    unit.get(plan)
    assert "Old and new curve side by side" in unit.page.text


def test_only_the_unit_has_the_buttons_and_others_are_refused(app: Flask, plan: str) -> None:
    unit, research = signed_in(app, OFFICER), signed_in(app, CONTROL)
    research.get(plan)
    assert "申請解除列管" not in research.page.text
    unit.get(plan)
    action = unit.page.button("申請解除列管", None)[0].action
    assert research.post(action, {"kind": "release"}).status == 403
    assert unit.post(action, {"kind": "everything"}).status == 200 and "請選擇要申請的事項" in unit.page.text
    unit.post(action, {"kind": "release"})
    assert "已完工並驗收" not in unit.page.text and "KM04-114-000001" in unit.page.text
    unit.post(action, {"kind": "change"})
    assert "已有申請中的案件 KM04-114-000001（李雅婷" in unit.page.text


def test_the_control_office_carries_a_register_over_the_year(app: Flask, plan: str) -> None:
    research, unit = signed_in(app, CONTROL), signed_in(app, OFFICER)
    page = "/plans/registers/selected-109"
    unit.get(page)
    assert "跨年度續列管" not in unit.page.text
    assert unit.post(f"{page}/carry-over", {"all": "yes"}).status == 403
    research.get(page)
    research.follow("跨年度續列管")
    assert "的「年度終了未完成者跨年度續列管」" in research.page.text
    research.press("續列管勾選的計畫")
    assert "沒有要續列管的計畫" in research.page.text
    research.press("全部 1 件續列管")  # the nine that the county published stay as they are
    assert research.page.path == "/plans/registers/selected-110"
    assert "1 件已續列管到下一年度" in research.page.text
    assert "列管 1 件（含以前年度未結 1 件，本年度新增 0 件）" in research.page.text
    research.get(plan)
    assert "109年度未結續列管" in research.page.text and "解除列管：跨年度續列管" in research.page.text
    research.get(f"{page}/carry-over")
    assert "都已解除列管，或已經續列管" in research.page.text


def test_the_control_office_opens_a_report_for_correction(app: Flask, plan: str) -> None:
    def report() -> str:
        with unit_of_work():
            of = db.session.query(RegisterEntry).join(Plan).filter(Plan.title == "虛構的據點計畫").one()
            figures = Figures(planned=Decimal(10), actual=Decimal(12), phase="規劃")
            plan_progress.record(of, date(2020, 1, 1), figures, NOW, origin="entered")
            return f"/plans/entries/{of.public_id}/correct"

    page = made(app, report)
    unit, research = signed_in(app, OFFICER), signed_in(app, CONTROL)
    unit.get(plan)
    assert "開放更正" not in unit.page.text and unit.get(page).status == 403
    research.get(plan)
    research.follow("開放更正")
    assert research.page.path == page
    assert research.post(page, {"month": "去年", "reason": "抄錯", "until-year": "114"}).status == 422
    assert "請填寫真實存在的日期" in research.page.text and "抄錯" in research.page.text
    until = {"until-year": "１１４", "until-month": "12", "until-day": "31"}
    research.press("開放更正", {"reason": " ", **until})
    assert "請寫明為什麼開放更正" in research.page.text
    research.press("開放更正", {"reason": "數字抄錯", **until})
    assert "已開立，請主辦單位更正" in research.page.text
    research.get(page)
    assert "目前沒有可以更正的填報" in research.page.text
    assert research.post(page, {"month": "109M01", "reason": "再一次", **until}).status == 409
    assert "還在辦理中" in research.page.text
