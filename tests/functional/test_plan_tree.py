"""Pledges and mid-term plans on their pages: means, gaps, changes with their record, and who may make them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests.officers import at, made, signed_in
from tests.plan_world import entry
from tests.visitor import Visitor
from webapp.demo.performance import INVENTED
from webapp.extensions import db
from webapp.models import AuditEntry, Plan, ProgressReport, Register, RegisterEntry
from webapp.permissions import SYSTEM
from webapp.services import plan_imports, plan_progress, score_import
from webapp.services.score_import import Source
from webapp.uow import unit_of_work

NOW = datetime(2025, 9, 12, 2, 0, tzinfo=UTC)
CONTROL, OFFICER = "guo.shiming", "weng.guoliang"


@pytest.fixture
def control(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    at(app, monkeypatch, NOW)
    made(app, _world)
    yield signed_in(app, CONTROL)


def _world() -> None:
    """Three plans of 114: actual in May, and in August."""
    with unit_of_work():
        register = plan_imports.register_for("proposal-114")
        register.cycle = "monthly"
        for title, may, august in (("甲計畫", 40, 81), ("乙計畫", 20, 60), ("丙計畫", None, None)):
            of = entry(register, title)
            if may is not None and august is not None:
                report(of, date(2025, 5, 1), may)
                report(of, date(2025, 8, 1), august)


def report(of: RegisterEntry, month: date, actual: int, planned: int = 81) -> None:
    row = ProgressReport(
        entry_id=of.id,
        register_id=of.register_id,
        month=month,
        planned=Decimal(planned),
        actual=Decimal(actual),
        origin="entered",
    )
    db.session.add(row)
    db.session.flush()
    db.session.refresh(row)
    plan_progress.evaluate([row], NOW)


def add(person: Visitor, kind: str, title: str, page: str = "/plans/pledges", **more: str) -> str:
    """Through the page; returns its address."""
    sent = {"kind": kind, "title": title, "unit": "PW", "first_year": "114"} | more
    assert person.post(page, sent).status == 200, person.page.mistakes
    assert f"已新增「{title}」" in person.page.text
    return person.page.path


def pid(address: str) -> str:
    return address.rpartition("/")[2]


def row_of(person: Visitor, title: str) -> list[str]:
    (found,) = [row for row in person.page.soup.select("tbody tr") if row.select_one("td").text == title]
    return [" ".join(cell.text.split()) for cell in found.select("td")]


def linked(person: Visitor, address: str, q: str, *titles: str) -> None:
    """Found by name, ticked and sent."""
    person.get(f"{address}?q={q}")
    boxes = {
        box.find_next("label").text: box["value"] for box in person.page.soup.select("input[name=plans]")
    }
    person.press("加入", {"plans": [boxes[title] for title in titles]})
    assert person.page.status == 200, person.page.mistakes


def test_a_vision_has_the_mean_of_its_indicators(control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    first = add(control, "pledge_indicator", "首要指標", above=pid(vision))
    second = add(control, "pledge_indicator", "次要指標", above=pid(vision))
    linked(control, first, "計畫", "甲計畫", "乙計畫")
    assert [row.text for row in control.page.soup.select("#plans-below ~ div tbody a")] == [
        "乙計畫",
        "甲計畫",
    ]
    control.get("/plans/pledges")
    # (81 + 60) ÷ 2 = 70.5, half up; half a year ago (40 + 20) ÷ 2
    assert row_of(control, "首要指標") == ["首要指標", "工務處", "2", "▲ 紅燈 1 ● 綠燈 1", "71% 上期 30%"]
    assert row_of(control, "次要指標")[2:] == ["0", "–", "–"]
    assert "次要指標" in control.page.soup.select_one("section:has(#gaps)").text
    linked(control, second, "丙", "丙計畫")
    linked(control, second, "乙", "乙計畫")
    control.get("/plans/pledges")
    # of 81 and 60, as 丙 has not reported
    heading = control.page.soup.select_one(f"#vision-{pid(vision)}").text
    assert "71% 上期 30%" in " ".join(heading.split())
    assert row_of(control, "次要指標")[2:] == ["2", "▲ 紅燈 1 … 尚無填報 1", "60% 上期 20%"]
    control.get("/plans/pledges?period=114H1")
    assert row_of(control, "首要指標")[4] == "40%"
    assert control.get("/plans/pledges?period=nothing").status == 404


def test_what_is_sent_twice_is_added_once(control: Visitor) -> None:
    sent = {"kind": "pledge_vision", "title": "遠見願景", "unit": "PW", "first_year": "114"}
    assert control.post("/plans/pledges", sent).status == 200
    page = control.post("/plans/pledges", sent)
    assert page.status == 422 and page.mistakes == ["已經有同名的願景。"]


def test_every_change_stays_on_record(app: Flask, control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    one = add(control, "pledge_indicator", "甲指標", above=pid(vision))
    two = add(control, "pledge_indicator", "乙指標", above=pid(vision))
    linked(control, one, "甲計畫", "甲計畫")
    linked(control, two, "甲計畫", "甲計畫")
    control.press("移出")
    control.get(two)
    control.press("儲存", {"title": "丁指標", "unit": "ED"})
    record = control.page.soup.select_one("section:has(#changes)").text
    for said in (
        "加入「甲計畫」",
        "移出「甲計畫」",
        "名稱由「乙指標」改為「丁指標」；主辦單位由「工務處」改為「教育處」",
        "郭士銘",
    ):
        assert said in record, said
    control.get(one)
    assert "「甲計畫」改列「乙指標」" in control.page.text
    count = select(AuditEntry).where(AuditEntry.action.startswith("tree_", autoescape=True))
    assert made(app, lambda: len(db.session.scalars(count).all())) == 8


def test_what_was_added_in_error_is_removed_and_what_is_used_stays(control: Visitor) -> None:
    vision = add(control, "pledge_vision", "錯字願景")
    indicator = add(control, "pledge_indicator", "錯字指標", above=pid(vision))
    control.get(vision)
    assert control.press("刪除").status == 422
    assert "請先移出" in control.page.mistakes[0]
    control.get(indicator)
    control.press("刪除")
    assert control.page.path == "/plans/pledges"
    control.get(vision)
    control.press("刪除")
    assert "錯字願景" not in control.page.soup.select_one("main").text.partition("滾動修正紀錄")[0]
    assert control.get(vision).status == 404


@pytest.mark.parametrize(
    ("sent", "mistake"),
    [
        ({"title": " "}, "請填名稱，最多 200 字。"),
        ({"title": "長" * 201}, "請填名稱，最多 200 字。"),
        ({"unit": "XX"}, "請選擇主辦單位。"),
        ({"first_year": "一百"}, "請填民國年度，例如 115。"),
        ({"first_year": "1E99999"}, "請填民國年度，例如 115。"),
        ({"kind": "pledge_indicator"}, "請選擇所屬的願景。"),
        ({"kind": "pledge_indicator", "above": "nothing"}, "請選擇上位計畫。"),
        ({"kind": "yearly"}, "請選擇種類。"),
        ({"last_year": "116"}, "請填結束年度。"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(
    control: Visitor, sent: dict[str, str], mistake: str
) -> None:
    typed = {"kind": "pledge_vision", "title": "好願景", "unit": "PW", "first_year": "１１４", "above": ""}
    page = control.post("/plans/pledges", typed | sent)
    assert page.status == 422 and page.mistakes[0].endswith(mistake)
    if sent.get("kind") != "yearly":
        assert (typed | sent)["title"] in [box.get("value") for box in page.soup.select("input[name=title]")]


def test_only_the_control_office_changes_anything(app: Flask, control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    officer = signed_in(app, OFFICER)
    for path in ("/plans/pledges", "/plans/mid-terms", vision):
        officer.get(path)
        assert officer.page.status == 200 and not officer.page.soup.select("main form[method=post]")
        assert officer.post(path, {"kind": "pledge_vision", "action": "remove"}).status == 403
    assert control.get(vision).status == 200


def test_a_page_that_is_too_old_names_who_was_faster(app: Flask, control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    late = signed_in(app, CONTROL)
    late.get(vision)
    control.get(vision)
    control.press("儲存", {"title": "新願景"})
    page = late.press("儲存", {"title": "舊願景"})
    assert page.status == 409 and "郭士銘" in page.mistakes[0]
    assert "舊願景" in [box.get("value") for box in page.soup.select("input[name=title]")]
    assert made(app, lambda: db.session.scalars(select(Plan.title).where(Plan.title == "舊願景")).all()) == []


def test_plans_without_an_indicator_are_listed_and_found(control: Visitor) -> None:
    control.get("/plans/pledges/unlinked?period=114H2&q=計畫")
    titles = [link.text for link in control.page.soup.select("tbody a")]
    assert titles == ["甲計畫", "乙計畫", "丙計畫"]
    vision = add(control, "pledge_vision", "遠見願景")
    indicator = add(control, "pledge_indicator", "指標", above=pid(vision))
    mid = add(control, "mid_term", "中程", "/plans/mid-terms", last_year="116", above=pid(indicator))
    linked(control, mid, "甲", "甲計畫")
    alone = add(control, "mid_term", "孤立中程", "/plans/mid-terms", last_year="116")
    linked(control, alone, "乙", "乙計畫")
    control.get("/plans/pledges/unlinked?period=114H2&q=計畫")
    assert [link.text for link in control.page.soup.select("tbody a")] == ["乙計畫", "丙計畫"]
    control.get(indicator)
    assert "由中程計畫" in control.page.text and "81%" in control.page.text
    control.get("/plans/mid-terms")
    assert row_of(control, "中程")[1:] == ["114～116", "工務處", "指標", "1", "● 綠燈 1", "81% 上期 40%"]


def test_plans_are_linked_in_a_batch_unless_somebody_was_faster(app: Flask, control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    indicator = add(control, "pledge_indicator", "指標", above=pid(vision))
    unlinked = "/plans/pledges/unlinked?period=114H2&q=計畫"
    late = signed_in(app, CONTROL)
    late.get(unlinked)
    control.get(unlinked)
    first, second, third = [box["value"] for box in control.page.soup.select("input[name=plans]")]
    assert control.press("加入", {"plans": [first]}).mistakes == ["請選擇指標或中程計畫。"]
    assert control.page.soup.select_one("input[name=plans][checked]")["value"] == first
    control.press("加入", {"plans": [first, second], "above": pid(indicator)})
    assert "已加入 2 件計畫" in control.page.text
    assert [box["value"] for box in control.page.soup.select("input[name=plans]")] == [third]
    page = late.press("加入", {"plans": [second, third], "above": pid(indicator)})
    assert page.status == 200, "where it stands already nothing is moved"
    other = add(control, "pledge_indicator", "他指標", above=pid(vision))
    late.get(unlinked)
    control.get(indicator)
    assert late.post(unlinked, {"plans": second, "above": pid(other)}).status == 409
    assert "「乙計畫」已列在「指標」之下（郭士銘）" in late.page.mistakes[0]
    assert signed_in(app, OFFICER).post(unlinked, {"plans": third, "above": pid(other)}).status == 403


def test_a_mid_term_plan_holds_its_years_and_its_goals(app: Flask, control: Visitor) -> None:
    mid = add(control, "mid_term", "農業中程計畫", "/plans/mid-terms", last_year="116")
    linked(control, mid, "甲計畫", "甲計畫")
    page = control.press("儲存", {"first_year": "115", "last_year": "117"})
    assert page.status == 422 and "甲計畫" in page.mistakes[0]
    assert control.post("/plans/mid-terms", {"kind": "mid_term", "title": "短", "unit": "PW", "first_year": "114",
                                             "last_year": "113"}).status == 422  # fmt: skip

    def drafted() -> str:
        with unit_of_work():
            year, _new = score_import.take_in(SYSTEM, Source(114, "EC-AFF"), INVENTED.read_bytes(), None, NOW)
        return year.public_id

    score = made(app, drafted)
    control.get(mid)
    goal = control.page.soup.select("select#goal option")[1]
    control.press("列為出自這個中程計畫", {"goal": goal["value"]})
    assert goal.text.split()[-1] in control.page.soup.select_one("section:has(#goals)").text
    control.get(f"/plans/scores/{score}")
    assert "出自中程計畫：農業中程計畫" in control.page.text
    control.follow("農業中程計畫")
    control.press("不再對應")
    assert "出自中程計畫" not in control.get(f"/plans/scores/{score}").text
    control.get(mid)
    assert control.press("列為出自這個中程計畫", {"goal": ""}).status == 422


def test_the_demonstration_shows_eleven_visions_and_thirty_four_indicators(
    app: Flask, control: Visitor
) -> None:
    year = made(
        app, lambda: max(db.session.scalars(select(Register.roc_year).where(Register.kind == "pledge")))
    )
    control.get(f"/plans/pledges?period={year}H2")
    assert "施政願景 11 項、重點施政指標 34 項，對應計畫 10 件" in control.page.text
    assert "示範資料（虛構）" in control.page.text
    control.follow("步道照明改善公里數（示範）")
    assert "宜居步道與照明中程計畫" in control.page.text


def test_the_pages_in_english(control: Visitor) -> None:
    vision = add(control, "pledge_vision", "遠見願景")
    control.get("/language/en")
    control.get("/plans/pledges")
    assert (
        "reviewed every half year" in control.page.text and "Indicators without a plan" in control.page.text
    )
    control.get(vision)
    assert "Vision of a pledge" in control.page.text
    assert control.press("Save", {"title": ""}).mistakes == ["Give a name of at most 200 characters."]
    assert "Add a mid-term plan" in control.get("/plans/mid-terms").text
    control.get("/plans/registers/proposal-114")
    assert "Month by month" in control.page.text
    control.get(vision.replace("upper/", ""))
    control.follow("Plans that serve it, and their mean progress")
    assert control.page.path == vision
