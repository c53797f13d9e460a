"""The plan-control office opens a register, enters a plan with everything it has, puts it in with a curve, edits it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import (
    AuditEntry,
    Baseline,
    Case,
    Plan,
    PlanBudget,
    PlanSite,
    Register,
    RegisterEntry,
    Task,
)
from webapp.queries import milestones, plan_facts, plans
from webapp.queries.org import chart
from webapp.services import plan_months, plan_tree
from webapp.uow import unit_of_work

CONTROL, OFFICER = "guo.shiming", "li.yating"
REGISTER = "/plans/registers/island_fund-114"
PLAN = {
    "title": "虛構的碼頭照明",
    "kind": "yearly",
    "level": "county",
    "roc_year": "114",
    "lead_unit": "SW",
    "units-0-unit": "PW",
    "units-0-role": "executing",
    "sites-0-name": "水頭",
    "budgets-0-roc_year": "114",
    "budgets-0-source": "central",
    "budgets-0-amount": "1,200,000",
    "origins": "central_subsidy",
}
ENTRY = {"case_no": "3", "supervisor": "副縣長", "since-year": "114", "since-month": "8", "since-day": "1"}
#: as it is pasted from a spreadsheet, with full-width digits
CURVE = "月份\t累計%\t經費\n114-08\t２０\t200,000\n114-09\t60\t\n114-10\t100\t1200000"


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    at(app, monkeypatch, NOW)
    return signed_in(app, CONTROL)


@pytest.fixture
def entered(research: Visitor) -> Visitor:
    """On the page of the plan, in its register with a curve."""
    research.get("/plans/")
    research.follow("開辦列管別")
    named = {
        "kind": "island_fund",
        "name_zh": "114年度離島建設基金",
        "name_en": "Islands fund 2025",
        "report_day": "5",
    }
    research.press("儲存", named)
    assert research.page.path == REGISTER
    research.follow("登錄新計畫")
    research.press("新增一列", {}, within="#field-sites")
    assert research.page.soup.select_one("[name=sites-1-name]") is not None
    research.press("儲存", PLAN)
    assert research.page.path.startswith(f"{REGISTER}/enter?plan=P114-")
    research.press("儲存", {**ENTRY, "curve": CURVE})
    assert "已儲存" in research.page.text and "虛構的碼頭照明" in research.page.text
    return research


def plan() -> Plan:
    return db.session.scalars(select(Plan).where(Plan.title.startswith("虛構的碼頭"))).one()


def test_a_plan_is_entered_with_everything_it_has(app: Flask, entered: Visitor) -> None:
    def look() -> None:
        found, tree = plan(), chart()
        assert (found.origins, found.lead_unit_id) == (["central_subsidy"], tree.by_code["SW"].id)
        assert plans.units_of(found)[1:] == [(tree.by_code["PW"].id, "executing")]
        assert (plans.sites_of(found), [each.amount for each in plans.budget_of(found)]) == (
            ["水頭"],
            [1_200_000],
        )
        entry = db.session.scalars(select(RegisterEntry).where(RegisterEntry.plan_id == found.id)).one()
        assert (entry.case_no, entry.since, entry.supervisor) == ("3", date(2025, 8, 1), "副縣長")
        curve = plan_facts.curves([entry.id])[entry.id]
        assert [(p.planned, p.budget) for p in curve] == [(20, 200_000), (60, None), (100, 1_200_000)]
        held = db.session.scalars(select(Baseline).where(Baseline.entry_id == entry.id)).one()
        assert (held.reason, held.effective_month) == ("列管核定", date(2025, 8, 1))
        assert (
            db.session.scalars(select(Register.report_day).where(Register.key == "island_fund-114")).one()
            == 5
        )
        actions = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(3)).all()
        assert actions == ["plan_put_in", "plan_entered", "register_opened"]

    made(app, look)


def test_an_edit_keeps_before_and_after(app: Flask, entered: Visitor) -> None:
    entered.follow("修改計畫")
    entered.press("移除", {"level": "magistrate"}, within="#field-sites")
    entered.press("儲存", {"title": "虛構的碼頭照明及標示"})
    assert "縣長列管" in entered.page.text and "水頭" not in entered.page.text

    def look() -> str:
        assert db.session.query(PlanSite).filter_by(plan_id=plan().id).count() == 0
        assert db.session.query(PlanBudget).filter_by(plan_id=plan().id).count() == 1
        return db.session.scalars(select(AuditEntry).where(AuditEntry.action == "plan_edited")).one().detail

    assert made(app, look).splitlines() == [
        "title: 虛構的碼頭照明 → 虛構的碼頭照明及標示",
        "level: county → magistrate",
        "sites: 水頭 → –",
    ]


#: rows of milestones that cannot be, and what is said of them
BAD_MILESTONES = (
    ([("", "114-09")], "第 1 列：請填寫工作項目"),
    ([("驗收", "114-13")], "第 1 列：月份「114-13」無法辨識"),
    ([("驗收", "114-07")], "第 1 列：114年7月不在計畫開始與結束之間"),
    ([("驗收", "114-09"), ("驗收", "114/9")], "第 2 列：和第 1 列是同一個查核點"),
    ([("驗收", "114-09")] * 400, "查核點須有 0 到 40 列"),
    ([("驗" * 121, "114-09")], "120"),
)


def test_milestones_that_cannot_be_are_named(app: Flask, entered: Visitor) -> None:
    entered.follow("修改計畫")
    path = entered.page.path
    for rows, words in BAD_MILESTONES:
        entered.get(path)
        begins = {"starts_on-year": "114", "starts_on-month": "8", "starts_on-day": "1"}
        page = entered.press("儲存", begins, smuggle=typed(rows))
        assert page.status == 422 and words in page.text
        assert page.soup.select_one("[name=milestones-0-month]")["value"] == rows[0][1], "as it was typed"
    assert made(app, lambda: len(milestones.of_plan(plan().id))) == 0


def typed(rows: list[tuple[str, str]]) -> dict[str, str]:
    return {
        f"milestones-{n}-{name}": value
        for n, row in enumerate(rows)
        for name, value in zip(("what", "month"), row, strict=True)
    }


def test_milestones_are_entered_shown_and_reported(app: Flask, entered: Visitor) -> None:
    path = entered.page.path.partition("#")[0]
    entered.follow("修改計畫")
    hostile = "<script>alert(1)</script>"
    entered.press("儲存", smuggle=typed([("完工", "114-12"), (hostile, "114-08"), ("發包", "114-08")]))
    assert [
        [cell.text.strip() for cell in row.select("td")]
        for row in entered.page.soup.select("section:has(#milestones) tbody tr")
    ] == [["完工", "114年12月", "未到期"], [hostile, "114年8月", "逾期"], ["發包", "114年8月", "逾期"]]
    assert not entered.page.soup.select("section:has(#milestones) script")

    def asked() -> str:
        with unit_of_work():
            case = plan_months.open_report(plans.standings(plan())[0].entry.id, NOW)
        assert case is not None
        return f"/staff/cases/{case.public_id}"

    unit = signed_in(app, OFFICER)
    unit.get(made(app, asked))
    unit.follow("送主管覆核")
    page = unit.page.soup
    shown = [
        page.select_one(f"[name=checkpoints-{n}-{part}]")["value"]
        for n in (0, 1)
        for part in ("what", "month")
    ]
    assert shown == [hostile, "114-08", "發包", "114-08"], "by month"
    day = {
        f"checkpoints-1-reached_on-{part}": str(n) for part, n in (("year", 114), ("month", 8), ("day", 20))
    }
    report = {"actual": "20", "phase": "發包", "situation": "已決標"}
    unit.press("送主管覆核", report | day)
    assert unit.page.status == 422 and "請寫明原因：查核點逾期" in unit.page.text
    unit.press("送主管覆核", {"reason": "設計未定案", "countermeasure": "改期"})
    entered.get(path)
    assert "逾期" in entered.page.text and "查核點逾期" in entered.page.text
    said = [
        row.select("td")[2].text.split()
        for row in entered.page.soup.select("section:has(#milestones) tbody tr")
    ]
    assert [words[0] for words in said] == ["未到期", "逾期", "已達成"]
    entered.follow("修改計畫")
    page = entered.press("儲存", smuggle=typed([("完工", "114-12"), (hostile, "114-08"), ("發包", "114-09")]))
    assert page.status == 422 and "查核點「發包」（114年8月）已經達成，不能修改或移除。" in page.text


def test_a_stale_page_is_refused_and_keeps_what_was_typed(app: Flask, entered: Visitor) -> None:
    other = signed_in(app, CONTROL)
    path = entered.page.path
    for person in (entered, other):
        person.get(path)
        person.follow("修改計畫")
    other.press("儲存", {"title": "虛構的碼頭一"})
    page = entered.press("儲存", {"title": "虛構的碼頭二"})
    assert page.status == 409 and "已由郭士銘修改" in page.text
    assert page.soup.select_one("[name=title]")["value"] == "虛構的碼頭二"
    assert made(app, lambda: plan().title) == "虛構的碼頭一"
    entered.get(REGISTER)
    entered.follow("修改列管別")
    entered.press("儲存", {"cycle": "quarterly"})
    assert made(app, lambda: plans.register("island_fund-114").cycle) == "quarterly"


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        ({"curve": "114-08 20\n114-09 10\n114-10 100"}, "第 2 列：累計預定進度不會倒退"),
        ({"curve": "114-08,20\n114-08,30\n114-09,90"}, "第 2 列：114年8月在第 1 列已經出現"),
        ({"curve": "114-08,20\n114-09,90"}, "第 2 列：最後一個月（114年9月）的累計預定進度須為 100%"),
        ({"curve": "114-08,101\n明年,100"}, "第 2 列：月份例如 115-08"),
        ({"case_no": "3"}, "案號 3 已是「虛構的碼頭照明」的"),
        ({"case_no": "３"}, "案號 3 已是「虛構的碼頭照明」的"),
        ({"plan": "P114-9999"}, "沒有編號「P114-9999」的計畫"),
        ({"since-year": "120"}, "須在列管別的年度（114 年）內"),
    ],
)
def test_what_cannot_be_entered_is_named(
    app: Flask, entered: Visitor, fill: dict[str, str], words: str
) -> None:
    other = made(
        app,
        lambda: db.session.scalars(select(Plan.code).where(Plan.title == "開瑄國小校舍及運動場新建")).one(),
    )
    entered.get(f"{REGISTER}/enter")
    page = entered.press("儲存", {**ENTRY, "case_no": "4", "plan": other, **fill})
    assert page.status == 422 and words in page.text
    if "curve" in fill:
        assert page.soup.select_one("[name=curve]").text.strip().startswith("114-08")
    entered.press("儲存", {**ENTRY, "case_no": "4", "plan": other, "curve": ""})
    assert "已儲存" in entered.page.text, "and then it is right"
    entered.get(f"{REGISTER}/enter")
    assert entered.press("儲存", {**ENTRY, "case_no": "5", "plan": other}).status == 422
    assert "已經在這個列管別" in entered.page.text


def test_a_curve_comes_later_where_there_was_none(app: Flask, entered: Visitor) -> None:
    other = made(
        app,
        lambda: db.session.scalars(select(Plan.code).where(Plan.title == "開瑄國小校舍及運動場新建")).one(),
    )
    entered.get(f"{REGISTER}/enter?plan={other}")
    entered.press("儲存", {**ENTRY, "case_no": "4"})
    page = entered.page.path
    ids = made(
        app,
        lambda: db.session.scalars(
            select(RegisterEntry.public_id)
            .join(Register)
            .where(Register.key == "island_fund-114", RegisterEntry.case_no == "4")
        ).one(),
    )
    entered.get(f"/plans/entries/{ids}/edit")
    entered.press("儲存", {"curve": CURVE, "project": "照明"})
    assert entered.page.path == page.partition("#")[0]
    entered.get(f"/plans/entries/{ids}/edit")
    assert entered.page.soup.select_one("[name=curve]") is None, (
        "another curve is a change that somebody approves"
    )


def test_a_number_is_no_must(app: Flask, entered: Visitor) -> None:
    for title in ("開瑄國小校舍及運動場新建", "湖埔國小新建幼兒園教學大樓", "建置鄉鎮親子館"):
        code = made(app, lambda of=title: db.session.scalars(select(Plan.code).where(Plan.title == of)).one())
        entered.get(f"{REGISTER}/enter?plan={code}")
        entered.press("儲存", {**ENTRY, "case_no": ""})
        assert "已儲存" in entered.page.text


def _mid_term() -> str:
    with unit_of_work():
        said = plan_tree.Said("虛構的中程計畫", "PW", 113, 116)
        return plan_tree.add(officer(CONTROL), "mid_term", said, NOW).code


def test_one_of_a_kind_and_parents_of_the_right_kind(app: Flask, entered: Visitor) -> None:
    entered.get("/plans/registers/new")
    page = entered.press(
        "儲存", {"kind": "island_fund", "roc_year": "114", "name_zh": "又一個", "name_en": "Again"}
    )
    assert page.status == 422 and "已經有了：island_fund-114" in page.text
    entered.get("/plans/new")
    own = made(app, lambda: plan().code)
    page = entered.press("儲存", {**PLAN, "title": "下位", "parent": own})
    assert page.status == 422 and f"沒有編號「{own}」的指標或中程計畫" in page.text
    page = entered.press("儲存", {"parent": "", "units-0-unit": "SW"})
    assert page.status == 422 and "同一單位只能列一次" in page.text
    assert entered.page.soup.select_one("[value=mid_term]") is None, (
        "it has a last year, and a page of its own"
    )
    above = made(app, _mid_term)
    entered.get(f"/plans/{made(app, lambda: plan().public_id)}/edit")
    entered.press("儲存", {"parent": above})
    assert "上位計畫" in entered.page.text and "中程計畫：" in entered.page.text
    page = entered.get(f"/plans/{made(app, lambda: plan().public_id)}/edit")
    page = entered.press("儲存", {"roc_year": "300"})
    assert page.status == 422 and "不在中程計畫的期間內" in page.text
    pid = made(app, lambda: db.session.scalars(select(Plan.public_id).where(Plan.code == above)).one())
    assert entered.get(f"/plans/{pid}/edit").path == f"/plans/upper/{pid}"


def test_what_is_open_goes_to_the_unit_that_leads_now(app: Flask, entered: Visitor) -> None:
    made(app, lambda: sweeps.run_plans(datetime(2025, 9, 1, 2, tzinfo=UTC)))
    entered.follow("修改計畫")
    entered.press("儲存", {"lead_unit": "EC-AFF"})

    def look() -> None:
        case = db.session.scalars(
            select(Case).where(Case.service_code == "KM01").order_by(Case.id.desc()).limit(1)
        ).one()
        unit = chart().by_code["EC-AFF"]
        assert case.handling_unit_id == unit.id
        assert db.session.scalars(
            select(Task.unit_id).where(Task.case_id == case.id, Task.state == "open")
        ).all() == [unit.id]

    made(app, look)
