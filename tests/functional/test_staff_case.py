"""The case page: everything about a case in one place, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from bs4 import Tag
from flask import Flask

from tests.journeys import NOW, submitted, take
from tests.officers import at, case_of, corrected, made, officer_of, signed_in
from tests.visitor import Page, plain
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Effect
from webapp.services import events


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def page_of(app: Flask, case: str, login: str | None = None) -> Page:
    return signed_in(app, login or made(app, lambda: officer_of(case_of(case)))).get(f"/staff/cases/{case}")


def answers(page: Page) -> dict[str, str]:
    return {plain(row.dt): plain(row.dd) for row in page.soup.select(".app-answers > div")}


def panel(page: Page, title: str) -> str:
    return plain(next(p for p in page.soup.select(".app-panel") if plain(p.select_one("h2, h3")) == title))


def history(page: Page) -> list[Tag]:
    return page.soup.select(".app-timeline__item")


def test_the_head_says_whose_case_it_is_and_until_when(app: Flask) -> None:
    page = page_of(app, made(app, lambda: submitted("EC09").public_id))
    assert page.heading == "EC09-114-000001"
    assert "犬貓絕育及寵物登記補助" in page.text
    assert "陳美玲" in page.text
    assert "●剩 14 個工作天" in page.text
    assert "民國114年9月25日，網路申辦" in page.text


def test_what_a_correction_changed_is_marked(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "request_correction", fields=("amount", "chip_no"), comment="金額與收據不符")
        corrected(case, NOW + timedelta(days=1), amount=["3200"])
        return case.public_id

    page = page_of(app, made(app, prepare))
    assert answers(page)["收據金額"] == "已補正 3,200 元 原先：3,500 元"
    assert answers(page)["寵物名字"] == "小黑"
    assert [plain(row.dt) for row in page.soup.select(".app-answers__changed")] == ["收據金額"]
    table = page.soup.select_one("details table")
    assert [plain(cell) for cell in table.select("tbody td")] == ["收據金額", "3,500 元", "3,200 元"]
    assert "金額與收據不符" in page.text
    assert "開放修改：晶片號碼、收據金額" in page.text


def test_files_can_be_had_by_the_officer_only(app: Flask) -> None:
    case = made(app, lambda: submitted("EC09").public_id)
    page = page_of(app, case)
    link = page.soup.select_one(".app-answers a[href^='/documents/']")
    assert signed_in(app, "lin.yahan").get(str(link["href"])).headers["Content-Type"] == "image/png"
    assert signed_in(app, "yang.zhihao").get(str(link["href"])).status == 404


def test_the_history_names_people_and_keeps_their_words(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "propose_approval", comment="資料齊全", conditions="限匯入本人帳戶")
        take(case, "send_back", comment="請補查收據")
        return case.public_id

    page = page_of(app, made(app, prepare))
    newest, middle, oldest = (plain(entry) for entry in history(page))
    assert "退回承辦人重擬" in newest and "陳淑芬" in newest and "請補查收據" in newest
    assert "擬予核准" in middle and "資料齊全" in middle and "附款：限匯入本人帳戶" in middle
    assert "送出申請" in oldest and "申請人" in oldest


def test_an_erased_history_still_says_who_did_what(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "propose_approval", comment="資料齊全")
        events.erase_payloads(case.id)
        db.session.commit()
        return case.public_id

    page = page_of(app, made(app, prepare))
    assert "擬予核准" in page.text
    assert "資料齊全" not in page.text


def test_the_clock_is_explained_line_by_line(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "request_correction", now=NOW + timedelta(days=1), fields=("amount",), comment="請確認")
        corrected(case, NOW + timedelta(days=7), amount=["3200"])
        return case.public_id

    case = made(app, prepare)
    ledger = panel(page_of(app, case), "期限計算")
    assert "民國114年9月25日：起算，期限 14 個工作天" in ledger
    assert "民國114年9月26日：暫停計算" in ledger
    assert "民國114年10月2日：恢復計算" in ledger
    assert "民國114年10月6日：中秋節，不計入" in ledger
    due = made(app, lambda: case_of(case).due_on)
    assert f"到期日：民國114年{due.month}月{due.day}日" in ledger
    assert "已使用" in ledger


def test_the_risk_and_the_documents_stand_in_the_head(app: Flask) -> None:
    page = page_of(app, made(app, lambda: submitted("PW01").public_id))
    assert "◆ 中風險" in plain(page.soup.select_one(".app-case__state"))
    assert "必附的都已附上" in page.text
    inbox = signed_in(app, "yang.zhihao").get("/staff/inbox?tab=mine").text
    assert "◆ 中風險" in inbox


def test_the_routing_is_told_and_its_reasons_are_a_link_away(app: Flask) -> None:
    page = page_of(app, made(app, lambda: submitted("EC06").public_id))
    told = panel(page, "為什麼？")
    assert "收件時由 建設處農林科" in told
    assert "選派承辦人：依所在鄉鎮" in told
    assert "規則為什麼這樣決定" in told


def test_reminders_stand_with_the_sentence_of_their_rule(app: Flask) -> None:
    case = made(app, lambda: submitted("EC09").public_id)
    late = NOW + timedelta(days=26)
    made(app, lambda: sweeps.run_deadlines(late))
    page = page_of(app, case)
    reminders = panel(page, "稽催")
    assert "到期前預警" in reminders and "到期通知" in reminders and "逾期第一次稽催" in reminders
    assert "已逾期" in reminders
    # the log names who was pressed, the head too
    assert "陳淑芬" in reminders.rpartition("逾期第一次稽催")[2]


def test_fees_are_listed_with_their_sum(app: Flask) -> None:
    fees = panel(page_of(app, made(app, lambda: submitted("EC06").public_id)), "規費")
    assert "合計NT$ 800" in fees.replace("\N{NO-BREAK SPACE}", " ").replace("合計 ", "合計")


def test_the_letter_and_the_messages_are_there_to_read(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "propose_approval", comment="資料齊全")
        take(case, "approve")
        return case.public_id

    case = made(app, prepare)
    assert "PDF 製作中" in panel(page_of(app, case, "chen.shufen"), "公文")

    def work() -> None:
        for effect in db.session.scalars(db.select(Effect.id).order_by(Effect.id)).all():
            perform_effect(effect)

    made(app, work)
    page = page_of(app, case, "chen.shufen")
    letter = panel(page, "公文")
    assert "核准函" in letter and "陳淑芬" in letter and "主旨：" in letter
    pdf = signed_in(app, "chen.shufen").get(page.links("下載 PDF")[0])
    assert "核定臺端申請之犬貓絕育及寵物登記補助" in pdf.pdf_text
    assert "申請已核准" in panel(page, "已寄訊息")
    assert "已核准" in page.text


def test_an_application_from_the_counter_says_how_it_came(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        case.channel, case.account_id = "counter", None
        case.intake = {
            "channel": "counter",
            "received_on": "2025-09-24",
            "postmarked_on": None,
            "originals_seen": ["手術證明"],
            "note": "本人到場",
            "clerk": None,
        }
        db.session.commit()
        return case.public_id

    page = page_of(app, made(app, prepare))
    assert "已驗正本 手術證明" in page.text
    assert "本人到場" in page.text
    assert "代為收件" in plain(history(page)[-1])


def test_the_page_is_complete_in_english_words_of_the_definitions(app: Flask) -> None:
    case = made(app, lambda: submitted("EC06").public_id)
    visitor = signed_in(app, made(app, lambda: officer_of(case_of(case))))
    visitor.get("/language/en?next=/staff/inbox")
    page = visitor.get(f"/staff/cases/{case}")
    assert page.status == 200
    assert "Papers in order, schedule the visit" in page.text
    assert made(app, lambda: db.session.query(Case).count()) == 1


def test_the_picture_of_the_workflow_says_where_the_case_stands(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("EC09")
        take(case, "propose_approval")
        return case.public_id

    page = page_of(app, made(app, prepare))
    section = page.soup.select_one("section:has(> #flow)")
    picture = section.select_one("details svg[role=img]")
    assert "目前在「主管決行」" in plain(picture.desc)
    assert "目前在這裡" in {plain(text) for text in picture.select("text")}
    steps = [plain(step.strong) for step in section.select(".app-flow-steps > li")]
    assert steps == ["承辦審查", "補正中", "主管決行", "已核准", "已駁回", "已退件", "已撤回"]
    here = section.select_one("li[aria-current=step]")
    assert plain(here.strong) == "主管決行" and "目前在這裡" in plain(here)
    assert "退回承辦人重擬 → 承辦審查" in plain(here)
    passed = [plain(s.strong) for s in section.select(".app-flow-steps > li") if "已經過" in plain(s)]
    assert passed == ["承辦審查"]
