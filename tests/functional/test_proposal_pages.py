"""先期作業 on its pages, without script: a call, a proposal with drafts and mistakes, a sitting, the approval, papers."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import select

from tests import proposals_world as world
from tests.officers import at, made, signed_in
from tests.proposals_world import NOW, SITTING_DAY
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Effect, ProposalCall, ProposalSitting, TaskDraft


@pytest.fixture
def county(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Flask:
    at(app, monkeypatch, NOW)
    return app


def day(name: str, year: int, month: int, of_month: int) -> dict[str, str]:
    return {f"{name}-year": str(year), f"{name}-month": str(month), f"{name}-day": str(of_month)}


def a_call(app: Flask) -> str:
    return made(app, lambda: world.call().public_id)


def waiting(app: Flask, pid: str, *titles: str) -> None:
    def propose() -> None:
        of = db.session.query(ProposalCall).filter_by(public_id=pid).one()
        for title in titles:
            world.proposed(of, title)

    made(app, propose)


def test_the_control_office_opens_a_call_and_a_unit_proposes(county: Flask) -> None:
    research = signed_in(county, world.CONTROL)
    research.get("/plans/")
    research.follow("先期作業")
    research.follow("新增先期作業")
    opens = day("opens_on", 115, 9, 1)
    for wrong in ("", "０", "1000", "1e999999", "一一六"):
        research.press("儲存", {"title": "116年度\0先期作業", "year": wrong, "kind": "suggestion", **opens})
        assert "請填民國年度，例如 116。" in research.page.mistakes
    research.press("儲存", {"year": "１１６"})
    assert research.page.status == 422 and len(research.page.mistakes) == 1
    assert research.page.value("title") == "116年度先期作業", "what no database can carry is left out"
    said = {**day("closes_on", 115, 9, 30), "note": "請於期限內提報。"}
    research.press("儲存", said)
    assert research.page.heading == "116年度先期作業" and "開放提報" in research.page.text
    assert not research.page.offers("提報計畫"), "the control office leads no plan"

    unit = signed_in(county, world.OFFICER)
    unit.get(research.page.path)
    assert "請於期限內提報" in unit.page.text and "新增場次" not in unit.page.text
    assert unit.get(f"{research.page.path}?q=%00&state=%00").status == 200
    unit.get(research.page.path)
    unit.press("提報計畫", {"plan": ""})
    assert unit.page.status == 422
    unit.press("提報計畫", {"plan": "農路改善計畫"})
    shown = unit.page
    assert shown.value("title") == "農路改善計畫" and shown.value("curve-11-month") == "116/12"

    # kept as typed, valid or not; rows come and go
    unit.press("暫存", {"purpose": "x", "budget-0-amount": "很多"})
    assert "已暫存" in unit.page.text and unit.page.value("budget-0-amount") == "很多"
    unit.press("add-row:budget", {"budget-0-source": "county"})
    assert unit.page.value("budget-1-year") == "" and unit.page.value("budget-0-amount") == "很多"
    unit.press("remove-row:budget:1")
    unit.press("送主管覆核", {"purpose": "改善", "basis": "會議", "budget-0-amount": "很多"})
    assert unit.page.status == 422 and unit.page.value("budget-0-amount") == "很多"
    assert not unit.page.soup.select('[name="budget-1-year"]')


def test_every_mistake_of_the_figures_is_named_by_its_row(county: Flask) -> None:
    pid = a_call(county)
    unit = signed_in(county, world.OFFICER)
    unit.get(f"/plans/calls/{pid}")
    unit.press("提報計畫", {"plan": "農路改善計畫"})
    typed = {name: value[0] for name, value in world.raw().items()}
    typed |= {"curve-0-month": "116/13", "curve-1-planned": "5"}
    rest = {f"curve-{n}-{name}": "" for n in range(4, 12) for name in ("month", "planned")}
    unit.press("暫存", {"purpose": "還沒寫完"})
    unit.press("送主管覆核", {"budget-0-source": "county", **typed, **rest})
    assert unit.page.status == 422
    assert any("預定進度第 1 列的月份「116/13」無法辨識" in text for text in unit.page.mistakes)
    unit.press("送主管覆核", {"curve-0-month": "116/1"})
    assert any(
        "第 2 列：累計預定進度不會倒退：第 1 列（116年1月）已是 10%" in text for text in unit.page.mistakes
    ), unit.page.mistakes
    beside = unit.page.soup.select_one("#field-curve .govuk-error-message").get_text()
    assert "第 2 列" in beside
    unit.press("送主管覆核", {"curve-1-planned": "25"})
    assert "已完成「送主管覆核」" in unit.page.text
    assert made(county, lambda: db.session.query(TaskDraft).count()) == 0

    head = signed_in(county, world.HEAD)
    head.get(f"/plans/calls/{pid}")
    head.follow("農路改善計畫")
    assert "農路改善計畫" in head.page.text and "8,000,000" in head.page.text
    head.follow("退回修正")
    head.press("退回修正", {"comment": "請補"})
    unit.get(f"/plans/calls/{pid}")
    unit.follow("農路改善計畫")
    unit.follow("送主管覆核")
    assert unit.page.value("curve-1-planned") == "25", "it begins with what was sent"


def test_what_two_windows_type_does_not_overwrite(county: Flask) -> None:
    pid = a_call(county)
    one, two = (signed_in(county, world.OFFICER) for _n in range(2))
    one.get(f"/plans/calls/{pid}")
    one.press("提報計畫", {"plan": "農路改善計畫"})
    two.get(one.page.path)
    one.press("暫存", {"purpose": "第一個視窗"})
    two.press("暫存", {"purpose": "第二個視窗"})
    assert two.page.status == 409 and two.page.value("purpose") == "第二個視窗"
    one.get(one.page.path)
    assert one.page.value("purpose") == "第一個視窗"
    assert made(county, lambda: db.session.query(TaskDraft).count()) == 1
    case = one.page.path.split("/")[3]
    one.get(f"/plans/proposals/{case}/withdraw")
    one.press("撤案", {"reason": "不辦了"})
    assert made(county, lambda: db.session.query(TaskDraft).count()) == 0


def test_an_older_page_does_not_send_past_what_was_kept(county: Flask) -> None:
    pid = a_call(county)
    one, two = (signed_in(county, world.OFFICER) for _n in range(2))
    one.get(f"/plans/calls/{pid}")
    one.press("提報計畫", {"plan": "農路改善計畫"})
    two.get(one.page.path)
    two.press("暫存", {"purpose": "整個下午寫的長文"})
    typed = {name: value[0] for name, value in world.raw().items()}
    rest = {f"curve-{n}-{name}": "" for n in range(4, 12) for name in ("month", "planned")}
    one.press("送主管覆核", {**typed, **rest})
    assert one.page.status == 409 and "歐怡君剛剛暫存過" in one.page.text
    assert "改善農路路面與排水" in one.page.text, "what was typed is in sight"
    two.get(two.page.path)
    assert two.page.value("purpose") == "整個下午寫的長文"


def test_a_sitting_decides_and_the_secretary_general_approves(
    county: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = a_call(county)
    waiting(county, pid, "甲計畫", "乙計畫", "丙計畫")
    research = signed_in(county, world.CONTROL)
    research.get(f"/plans/calls/{pid}")
    assert "初審通過、還沒有排入議程的有 3 件" in research.page.text
    research.follow("新增場次")
    research.press("儲存", {"place": "", "chair": "秘書長", **day("held_on", 115, 10, 20)})
    assert research.page.status == 422
    research.press("儲存", {"place": "第一會議室"})
    research.press("將選取的排入議程")
    assert "已完成 3 件" in research.page.text
    sitting = research.page.path
    at(county, monkeypatch, SITTING_DAY)
    research = signed_in(county, world.CONTROL)
    research.get(sitting)
    cases = [box["value"] for box in research.page.soup.select("#cases ~ form [name=cases]")]
    research.press("登錄決議")
    assert research.page.mistakes == ["請至少勾選一件。"]
    research.press("登錄決議", {"cases": cases, "decision": "dropped"})
    assert research.page.mistakes == ["請寫明要修正的內容，或不納入的理由。"]
    research.press(
        "登錄決議", {"cases": cases[:1], "decision": "amended", "words": "刪減", f"amount-{cases[0]}": "一萬"}
    )
    assert "整數" in research.page.mistakes[0]
    research.press("登錄決議", {"decision": "kept", f"amount-{cases[0]}": "6,000,000"})
    assert research.page.status == 422 and "請選「修正後納入」" in research.page.mistakes[0]
    assert research.page.value(f"amount-{cases[0]}") == "6,000,000"
    research.press("登錄決議", {"decision": "dropped"})
    assert "沒有納入的計畫不填經費" in research.page.mistakes[0]
    research.press("登錄決議", {"decision": "amended"})
    assert "已完成 1 件" in research.page.text and "NT$6,000,000" in research.page.text.replace(" ", "")

    # one moved on meanwhile: it is named, the other is decided
    stale = signed_in(county, world.CONTROL)
    stale.get(sitting)
    research.press("登錄決議", {"cases": cases[1:2], "decision": "dropped", "words": "經費來源未定"})
    stale.press("登錄決議", {"cases": cases[1:], "decision": "kept"})
    assert stale.page.status == 409
    assert (
        "已完成 1 件" in stale.page.text
        and "有 1 件沒有完成" in stale.page.text
        and "已由郭士銘處理" in stale.page.text
    )

    secretary = signed_in(county, world.SECRETARY)
    secretary.get(f"/plans/calls/{pid}")
    secretary.follow("待核定 1 件")
    secretary.press("核定選取的計畫")
    assert "已核定 1 件" in secretary.page.text and "目前沒有待核定的計畫" in secretary.page.text
    secretary.get(f"/plans/calls/{pid}?state=approved")
    secretary.follow("列管計畫")
    shown = secretary.page.text
    assert "第 1 次審查會議（民國115年10月20日） 納入 NT$ 8,000,000" in " ".join(shown.split())
    assert secretary.page.heading == "丙計畫" and "單位自行列管" in shown and "完成發包" in shown
    assert "依「計畫選項列管」第 1 版" in shown
    unit = signed_in(county, world.OFFICER)
    unit.get(f"/plans/calls/{pid}?q=乙")
    unit.follow("乙計畫")
    assert "經費來源未定" in unit.page.text


@pytest.mark.parametrize(
    "login", [world.OFFICER, world.CONTROL, pytest.param(world.SECRETARY, marks=pytest.mark.full)]
)
def test_others_see_no_verbs_and_get_403(county: Flask, login: str) -> None:
    pid = a_call(county)
    waiting(county, pid, "甲計畫")

    def planned() -> str:
        return world.sitting(db.session.query(ProposalCall).filter_by(public_id=pid).one()).public_id

    sitting = made(county, planned)
    person = signed_in(county, login)
    controls = login == world.CONTROL
    for path, verb in (
        (f"/plans/sittings/{sitting}", "將選取的排入議程"),
        (f"/plans/calls/{pid}", "同意放寬"),
    ):
        person.get(path)
        assert person.page.offers(verb) is controls
    for path, allowed in (
        ("/plans/calls/new", controls),
        (f"/plans/calls/{pid}/edit", controls),
        (f"/plans/calls/{pid}/sittings/new", controls),
        (f"/plans/sittings/{sitting}", controls),
        (f"/plans/calls/{pid}/let-in", controls),
        (f"/plans/calls/{pid}/propose", login == world.OFFICER),
        (f"/plans/calls/{pid}/approval", login == world.SECRETARY),
    ):
        assert (person.post(path).status == 422) is allowed, path
        assert allowed or person.page.status == 403, path


def test_a_unit_is_let_in_and_withdraws(county: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = a_call(county)
    at(county, monkeypatch, SITTING_DAY)
    unit, research = signed_in(county, world.OFFICER), signed_in(county, world.CONTROL)
    unit.get(f"/plans/calls/{pid}")
    assert not unit.page.offers("提報計畫") and "已截止" in unit.page.text
    unit.post(f"/plans/calls/{pid}/propose", {"unit": world.UNIT, "plan": "農路改善計畫"})
    assert "已在民國115年9月30日截止" in unit.page.text
    research.get(f"/plans/calls/{pid}")
    research.press("同意放寬", {"late_unit": world.UNIT, "reason": "颱風", **day("until", 115, 9, 30)})
    assert "放寬的期限須晚於截止日" in research.page.mistakes[0]
    research.press("同意放寬", {"late_unit": world.UNIT, "reason": "颱風", **day("until", 115, 10, 25)})
    assert "已同意放寬期限" in research.page.text and "颱風" in research.page.text
    unit.get(f"/plans/calls/{pid}")
    unit.press("提報計畫", {"plan": "農路改善計畫"})
    unit.get(f"/plans/calls/{pid}")
    unit.follow("農路改善計畫")
    assert "計畫主辦單位：撤案" in unit.page.text and "申請人" not in unit.page.text
    unit.follow("撤案")
    unit.press("撤案", {"reason": ""})
    assert unit.page.status == 422
    unit.press("撤案", {"reason": "併入他案"})
    assert "已撤案" in unit.page.text and "併入他案" in unit.page.text
    unit.get(unit.page.path.replace("/staff/cases/", "/plans/proposals/") + "/withdraw")
    assert "現在不能撤案" in unit.page.text


def test_a_stale_call_names_who_changed_it(county: Flask) -> None:
    pid = a_call(county)
    one, two = (signed_in(county, world.CONTROL) for _n in range(2))
    for person in (one, two):
        person.get(f"/plans/calls/{pid}/edit")
    one.press("儲存", {"title": "改過的名稱"})
    two.press("儲存", {"title": "另一個名稱"})
    assert two.page.status == 409 and "郭士銘" in two.page.text and two.page.value("title") == "另一個名稱"


def test_a_subsidy_says_by_which_rule_it_closes(county: Flask) -> None:
    research = signed_in(county, world.CONTROL)
    research.get("/plans/calls/new")
    fund = {"title": "離島基金", "year": "117", "kind": "island_fund", "subsidy": "island_fund"}
    research.press("儲存", {**fund, **day("opens_on", 115, 9, 1), **day("closes_on", 116, 8, 1)})
    assert "第 1 版，這項補助須在民國116年7月31日前提報" in research.page.mistakes[0]
    research.press("儲存", dict.fromkeys(("closes_on-year", "closes_on-month", "closes_on-day"), ""))
    assert "至民國116年7月31日" in research.page.text
    assert "依規則「計畫填報、修正與解除列管」第 1 版" in research.page.text


def test_papers_of_a_call_and_of_a_sitting(county: Flask) -> None:
    pid = a_call(county)

    def decide() -> str:
        of = db.session.query(ProposalCall).filter_by(public_id=pid).one()
        kept, dropped = world.proposed(of, "甲計畫"), world.proposed(of, "=乙計畫")
        held = world.sitting(of, kept, dropped)
        world.decided(held, "kept", world.chosen(kept))
        world.decided(held, "dropped", world.chosen(dropped), "經費來源未定")
        return held.public_id

    sitting = made(county, decide)
    research = signed_in(county, world.CONTROL)

    def cells(path: str) -> list[list[object]]:
        sheet = load_workbook(io.BytesIO(research.get(path).content)).active
        return [[cell.value for cell in row] for row in sheet.iter_rows()]

    minutes = cells(f"/plans/sittings/{sitting}/minutes.xlsx")
    assert minutes[1][0] == "116年度施政計畫先期作業第1次審查會議紀錄"
    assert minutes[4][2:6] == ["甲計畫", 8_000_000, "納入", 8_000_000]
    assert minutes[5][2:] == ["=乙計畫", 8_000_000, "不納入", None, "經費來源未定"]
    kept = cells(f"/plans/calls/{pid}/kept.xlsx")
    assert [row[2] for row in kept[4:5]] == ["甲計畫"]
    assert "提報 2 案，16,000,000 元；納入 1 案，8,000,000 元；不納入 1 案；未決議 0 案。" in {
        row[0] for row in kept
    }

    for path in (f"/plans/sittings/{sitting}/minutes.pdf", f"/plans/calls/{pid}/kept.pdf"):
        assert research.get(path).status == 202

    def orders() -> list[int]:
        return list(
            db.session.scalars(select(Effect.id).where(Effect.kind == "proposal_paper").order_by(Effect.id))
        )

    for order in made(county, orders):
        made(county, lambda order=order: perform_effect(order))
    text = (
        research.get(f"/plans/sittings/{sitting}/minutes.pdf").pdf_text.replace(" ", "").replace("\xa0", "")
    )
    for said in ("審查會議紀錄", "主席：秘書長", "經費來源未定", "議程2案"):
        assert said in text, said
    assert "概算審查計畫清單" in research.get(f"/plans/calls/{pid}/kept.pdf").pdf_text
    assert made(county, lambda: db.session.query(ProposalSitting).count()) == 1


def test_what_was_ticked_is_there_after_the_sign_in_had_ended(
    county: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = a_call(county)

    def planned() -> tuple[str, str]:
        case = world.proposed(db.session.query(ProposalCall).filter_by(public_id=pid).one())
        held = world.sitting(db.session.query(ProposalCall).filter_by(public_id=pid).one(), case)
        return held.public_id, case.public_id

    sitting, case = made(county, planned)
    at(county, monkeypatch, SITTING_DAY)
    research = signed_in(county, world.CONTROL)
    research.get(f"/plans/sittings/{sitting}")
    monkeypatch.setitem(county.config, "WTF_CSRF_ENABLED", True)
    said = {"cases": [case], "decision": "dropped", "words": "經費來源未定"}
    research.press("登錄決議", said, smuggle={"csrf_token": "expired"})
    assert research.page.status == 400 and research.page.value("words") == "經費來源未定"
    assert research.page.soup.select_one("#cases ~ form [name=cases]").has_attr("checked")
    research.press("登錄決議")
    assert "已完成 1 件" in research.page.text


def test_the_pages_in_english(county: Flask) -> None:
    pid = a_call(county)
    person: Visitor = signed_in(county, world.OFFICER)
    person.get("/language/en")
    person.get(f"/plans/calls/{pid}")
    assert person.page.offers("Propose a plan") and "Nobody has proposed anything yet" in person.page.text
