"""The pages of verification, meetings and resolutions, read and used without script."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from flask import Flask
from openpyxl import Workbook, load_workbook
from sqlalchemy import select, text, update

from tests.officers import at, made, signed_in
from tests.visitor import Visitor, pdf_text
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.letters import documents as papers
from webapp.letters.contents import Column, PlanTable, ReviewPack
from webapp.models import Edition, Effect, Plan, ReviewMeeting

NOW = datetime(2020, 10, 12, 2, tzinfo=UTC)
PICKS = "/plans/registers/major_policy-109/verification?period=109Q3"


@pytest.fixture
def research(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    at(app, monkeypatch, NOW)
    return signed_in(app, "guo.shiming")


def test_from_the_register_to_a_verification(app: Flask, research: Visitor) -> None:
    research.get("/plans/registers/major_policy-109?period=109Q3")
    assert (
        "提主管會報 3 件" in research.page.text
        and "湖埔國小新建幼兒園教學大樓 落後 1.35：未處理" in research.page.text
    )
    research.follow("選案查證")
    shown = research.page.text
    assert "實地查證 2 件" in shown and "執行狀態為「嚴重落後」" in shown
    assert "落後與嚴重落後由規則集「計畫進度落後判定」判定" in shown
    keys = [box["value"] for box in research.page.soup.select("input[name=pick]")][:2]
    other = signed_in(app, "guo.shiming")
    other.get(PICKS)
    assert "已選案 2 件" in research.press("勾選的開始查證", {"pick": keys}).text
    again = other.press("勾選的開始查證", {"pick": keys})
    assert again.status == 409 and "已由郭士銘於民國109年10月12日列入查證" in again.text
    research.get("/plans/registers/major_policy-109?period=109Q3")
    assert "109年第3季：實地查證 2 件" in research.page.text
    research.get(PICKS)
    research.get(research.page.links("辦理中")[0])
    assert "為什麼選到這個計畫？" in research.page.text
    number = research.page.text.partition("案件 ")[2][:15]
    assert number.startswith("KM05-109-")
    research.follow(f"案件 {number}")
    research.follow("查證的頁面")
    assert "為什麼選到這個計畫？" in research.page.text


def test_by_hand_and_passed_over_with_their_reasons(app: Flask, research: Visitor) -> None:
    address = "/plans/registers/major_policy-109/verification"
    code = made(
        app, lambda: db.session.scalars(select(Plan.code).where(Plan.title == "金門大橋建設計畫")).one()
    )
    typed = {"action": "by_hand", "period": "109Q3", "code": code, "kind": "written", "reason": ""}
    page = research.post(address, typed)
    assert page.status == 422 and "請寫明理由" in page.text
    assert research.post(address, {**typed, "code": "9-9", "reason": "議會關切"}).status == 422
    assert research.post(address, {**typed, "period": "x"}).status == 404
    assert "已選案" in research.post(address, {**typed, "reason": "議會關切", "concern": "yes"}).text
    research.get(PICKS)
    key = research.page.soup.select("select[name=passed] option")[0]["value"]
    passed = {"action": "pass_over", "period": "109Q3", "passed": key, "pass-reason": ""}
    assert research.post(address, passed).status == 422
    page = research.post(address, {**passed, "pass-reason": "上月剛查證"})
    assert "理由已留存" in page.text and "上月剛查證" in page.text
    assert "議會關切" in page.text


def test_what_waits_for_the_heads_is_seen_from_every_period(app: Flask, research: Visitor) -> None:
    research.get(PICKS)
    assert "等候主管會報" not in research.page.text
    box = "tr:has(td[data-label=查證方式]:-soup-contains-own('提主管會報')) input[name=pick]"
    key = research.page.soup.select(box)[0]["value"]
    research.press("勾選的開始查證", {"pick": [key]})
    elsewhere = "/plans/registers/major_policy-109"
    assert "各期等候主管會報 1 件" in research.get(f"{elsewhere}?period=109M06").text
    research.follow("各期等候主管會報 1 件")
    assert "等候主管會報 1 件" in research.page.text and "等待下次會議" in research.page.text
    said = {
        "kind": "heads",
        "title": "主管會報",
        "held_on-year": "109",
        "held_on-month": "10",
        "held_on-day": "12",
    }
    research.get(f"{elsewhere}/meetings")
    research.press("登錄會議", said)
    page = research.get(f"{elsewhere}/verification?period=109M06")
    assert "主管會報 民國109年10月12日還沒有會議紀錄" in page.text and "等待下次會議" not in page.text


def test_a_meeting_with_its_resolutions(app: Flask, research: Visitor) -> None:
    research.get("/plans/")
    research.follow("會議與決議")
    said = {
        "kind": "briefing",
        "title": "施政計畫簡報",
        "held_on-year": "109",
        "held_on-month": "13",
        "held_on-day": "1",
    }
    page = research.post("/plans/meetings", said)
    assert page.status == 422 and "請填寫真實存在的日期" in page.text and "施政計畫簡報" in str(page.soup)
    page = research.post("/plans/meetings", {**said, "held_on-month": "9", "agenda": "報告\n討論"})
    assert "會議已登錄" in page.text and "討論" in page.text
    key = select(ReviewMeeting.public_id).where(ReviewMeeting.origin == "entered")
    here = "/plans/meetings/" + made(app, lambda: db.session.scalars(key).one())
    bad = research.post(here, {"action": "lines", "version": "1", "lines": "加速辦理 | 火星處"})
    assert bad.status == 422 and "沒有「火星處」這個單位" in bad.text and "加速辦理" in bad.text
    sent = {
        "action": "lines",
        "version": "1",
        "lines": "加速辦理 | 工務處、EC-AFF | 109/12/31\n研議 | EC-AFF",
    }
    page = research.post(here, sent)
    assert "已登錄 2 項決議" in page.text and "2 項決議，解除列管 0 件，占 0.00%" in page.text
    assert "未訂期限者的辦理日數" in page.text or "辦理日數 14 日" in page.text
    stale = research.post(here, sent)
    assert stale.status == 409 and "郭士銘剛剛更新" in stale.text and "加速辦理 | 工務處" in str(stale.soup)
    minutes = {**said, "held_on-month": "9", "action": "change", "version": "2", "minutes": "請各單位加速"}
    assert "請各單位加速" in research.post(here, minutes).text
    book = Workbook()
    for row in (("決議事項", "權責單位", "辦理期限"), ("補送資料", "EC-AFF", "109/11/1")):
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    page = research.press("由檔案登錄", files={"file": [("決議.xlsx", file.getvalue())]})
    assert "已登錄 1 項決議" in page.text


def test_others_read_and_do_not_touch(app: Flask, research: Visitor) -> None:
    unit = signed_in(app, "ou.yijun")
    page = unit.get(PICKS)
    assert "開瑄國小" in page.text and not page.soup.select("input[name=pick], textarea")
    assert unit.post("/plans/registers/major_policy-109/verification", {"period": "109Q3"}).status == 403
    page = unit.get("/plans/meetings?period=109Q3&kind=zebra&page=-1")
    assert page.status == 200 and not page.soup.select("textarea")
    assert unit.post("/plans/meetings", {}).status == 403
    assert (
        unit.get("/plans/meetings/none").status == 404 and unit.get("/plans/verifications/none").status == 404
    )


def test_what_no_database_keeps(research: Visitor) -> None:
    said = {"kind": "briefing", "held_on-year": "109", "held_on-month": "9", "held_on-day": "1"}
    for strange in ("\x00簡報", "\x07"):
        assert research.post("/plans/meetings", {**said, "title": strange}).status < 500
    address = "/plans/registers/major_policy-109/verification"
    typed = {"action": "by_hand", "period": "109Q3", "code": "\x00", "kind": "written", "reason": "\x00"}
    assert research.post(address, typed).status < 500
    assert research.post(address, {**typed, "action": "open", "pick": "\x00"}).status < 500


def test_in_english(research: Visitor) -> None:
    research.get("/language/en")
    assert "severe" in research.get(PICKS).text.lower()
    assert research.get("/plans/registers/major_policy-109/meetings").status == 200


PACK = "/plans/registers/major_policy-109/109Q3/review"


def printed(app: Flask, person: Visitor) -> str:
    """As the worker prints it."""
    assert person.get(f"{PACK}.pdf").status == 202
    orders = made(
        app, lambda: db.session.scalars(select(Effect.id).order_by(Effect.id.desc()).limit(1)).all()
    )
    made(app, lambda: [perform_effect(order) for order in orders])
    return person.get(f"{PACK}.pdf").pdf_text.replace(" ", "").replace("\xa0", "").replace("\n", "")


def sheets(person: Visitor) -> dict[str, list[list[object]]]:
    book = load_workbook(io.BytesIO(person.get(f"{PACK}.xlsx").content))
    return {page.title: [list(row) for row in page.iter_rows(min_row=5, values_only=True)] for page in book}


def test_the_quarterly_pack_and_what_a_closed_quarter_keeps(app: Flask, research: Visitor) -> None:
    research.get("/plans/registers/major_policy-109/meetings")
    said = {
        "kind": "policy",
        "title": "第3次列管會議",
        "held_on-year": "109",
        "held_on-month": "9",
        "held_on-day": "8",
    }
    research.press("登錄會議", said)
    research.press("登錄決議", {"lines": "碼頭趕工 | 港務處 | 109/12/31"})
    research.get(PICKS)
    key = research.page.soup.select("input[name=pick]")[0]["value"]
    research.press("勾選的開始查證", {"pick": [key]})
    found = sheets(research)
    assert list(found) == [
        "109年第3季", "各單位", "嚴重落後計畫", "落後計畫", "未填報計畫",
        "比上一季有變動的計畫", "本季修正預定進度", "查證與未結應改善事項", "上次會議決議事項",
    ]  # fmt: skip
    assert ["嚴重落後（達 6.5 個百分點以上）", "2 件，占 13 件的 15.38%"] in found["109年第3季"]
    assert ["合計", 13] in [row[:2] for row in found["各單位"]]
    assert [row[2] for row in found["嚴重落後計畫"] if row[1] == "S2、S3碼頭"] == [10.69]
    assert found["上次會議決議事項"][0][1:3] == ["碼頭趕工", "港務處"]
    paper = printed(app, research)
    for words in (
        "季檢討會資料",
        "109年第3季",
        "2件，占13件的15.38%",
        "碼頭趕工",
        "執行中",
        "實地查證",
        "尚未結算",
    ):
        assert words in paper, words
    research.get("/plans/registers/major_policy-109?period=109Q3")
    research.follow("結算 109年第3季")
    research.press("確定結算")
    research.get("/plans/registers/major_policy-109/meetings")
    research.press("登錄會議", {**said, "title": "臨時會議", "held_on-day": "29"})
    research.press("登錄決議", {"lines": "改由縣長督導 | 港務處 | 109/12/31"})
    assert sheets(research)["上次會議決議事項"][0][1] == "碼頭趕工"

    def older() -> None:
        """As an edition was that knew no reviews."""
        edition = db.session.scalars(select(Edition)).one()
        data = {name: value for name, value in edition.data.items() if name != "review"}
        db.session.execute(text("set session_replication_role = replica"))
        db.session.execute(update(Edition).values(data=data))
        db.session.execute(text("set session_replication_role = origin"))
        db.session.commit()

    made(app, older)
    assert list(sheets(research)) == ["109年第3季", "各單位", "嚴重落後計畫", "落後計畫", "未填報計畫"]


def test_a_cell_of_more_lines_than_a_page_is_cut_on_paper() -> None:
    columns = (Column("計畫", 209), Column("落後原因", 48))
    part = PlanTable(
        "縣府", "一、落後", "109年第3季", columns, (("道路", "雨" * 4000), ("橋", "a\nb")), 0, (), ""
    )
    pack = ReviewPack("縣府", "季檢討會資料", "109年第3季", (("件數", "2"),), (part,), (), "")
    assert "全文見XLSX" in pdf_text(papers.review_pack(pack)).replace(" ", "").replace("\n", "")


def test_only_a_quarter_has_a_pack(research: Visitor) -> None:
    assert research.get("/plans/registers/major_policy-109/109M09/review.xlsx").status == 404
    assert "季檢討會資料" not in research.get("/plans/registers/major_policy-109?period=109M09").text
