"""Questions that need the county around them, over HTTP: its lists, its slots, what it computes, what is signed."""

from __future__ import annotations

import json
from datetime import date, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from rules.values import Text
from tests import fixture_services
from tests.journeys import NOW, citizen, officer
from tests.officers import at, signed_in
from tests.visitor import Page, Visitor, pdf_text
from tests.walks import known
from webapp.demo.samples import APPLICANT, DECLARATION
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import Case, Draft
from webapp.moments import taipei_day
from webapp.queries import answering, bookings, definitions, submissions
from webapp.queries.org import chart
from webapp.services import applications, corrections, documents, drafts, printing, steps
from webapp.services import bookings as verbs
from webapp.uow import unit_of_work

FRIDAY = date(2025, 9, 26)
SECTION: dict[str, Any] = {
    "key": "visit",
    "title": {"zh": "諮詢", "en": "Consultation"},
    "fields": [
        {"key": "unit", "type": "lookup", "label": {"zh": "相關機關", "en": "Unit"}, "options_from": "units"},
        {
            "key": "village",
            "type": "lookup",
            "label": {"zh": "村里", "en": "Village"},
            "options_from": "villages",
        },
        {
            "key": "plate",
            "type": "vehicle_plate",
            "label": {"zh": "車牌號碼", "en": "Plate"},
            "optional": True,
        },
        {"key": "slot", "type": "lookup", "label": {"zh": "諮詢時段", "en": "Slot"}, "options_from": "slots"},
        {
            "key": "papers",
            "type": "table",
            "label": {"zh": "影印文件", "en": "Papers"},
            "totals": ["pages", "price"],
            "columns": [
                {"key": "name", "type": "text", "label": {"zh": "文件", "en": "Paper"}},
                {"key": "pages", "type": "integer", "label": {"zh": "頁數", "en": "Pages"}},
                {
                    "key": "price",
                    "type": "computed",
                    "label": {"zh": "費用", "en": "Price"},
                    "formula": {"product": ["pages", 2]},
                },
            ],
        },
        {
            "key": "cost",
            "type": "computed",
            "label": {"zh": "費用合計", "en": "Cost"},
            "unit": {"zh": "元", "en": "NTD"},
            "formula": {"sum": ["papers.price", 20]},
        },
        {
            "key": "signed",
            "type": "signature",
            "label": {"zh": "申請人簽名", "en": "Signature"},
            "name_of": "applicant_name",
            "sentence": {"zh": "我同意負擔影印費用。", "en": "I agree to pay for the copies."},
        },
    ],
}
PAPERS = {
    "papers-0-name": ["地籍圖"],
    "papers-0-pages": ["3"],
    "papers-1-name": ["使用執照"],
    "papers-1-pages": ["10"],
}


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)
    with app.app_context():
        fixture_services.publish("booking", monkeypatch)
        fixture_services.publish_form("EC91", SECTION)
        week = verbs.Pattern(FRIDAY, FRIDAY, frozenset(range(5)), time(9), time(11), 60, 1)
        desk = officer("lin.yahan")
        with unit_of_work():
            unit = chart().by_name["動植物防疫所"]
            room = verbs.create_resource(desk, unit.id, Text(zh="諮詢室", en="Room"), 1, ["EC91"])
            verbs.create_slots(desk, room, week, NOW)


def slots(app: Flask) -> list[str]:
    with app.app_context():
        return [slot.public_id for slot in bookings.free_slots("EC91", NOW)]


def at_the_visit(app: Flask) -> Visitor:
    """A citizen at the second step."""
    visitor = signed_in(app, "chen.meiling")
    visitor.get("/services/EC91")
    visitor.press("開始申請")
    visitor.press("儲存並繼續", known(visitor.page, APPLICANT))
    assert visitor.page.heading == "諮詢"
    return visitor


def options(page: Page, name: str) -> dict[str, str]:
    return {
        str(o["value"]): o.get_text(strip=True)
        for o in page.soup.select(f"[name={name}] option")
        if o["value"]
    }


def results(page: Page) -> dict[str, str]:
    return {str(tag["id"]): tag.get_text(strip=True) for tag in page.soup.select("[data-result]")}


def test_lists_come_from_the_county_and_free_slots_from_the_desk(app: Flask) -> None:
    page = at_the_visit(app).page
    assert options(page, "unit")["EC"] == "建設處" and len(options(page, "unit")) == 23
    assert len(options(page, "village")) == 37
    assert list(options(page, "slot").values()) == [
        "民國114年9月26日 09:00–10:00，諮詢室",
        "民國114年9月26日 10:00–11:00，諮詢室",
    ]


def test_a_township_office_offers_its_own_villages(app: Flask) -> None:
    with app.app_context():
        fixture_services.publish_form("EC91", SECTION, owner="LY")
        form = definitions.current_form("fixture_ec91", taipei_day(NOW))
        villages = answering.lists_of(form, "EC91", NOW)["villages"]
        assert [str(name) for name in villages.values()][2:4] == ["烈嶼鄉西口村", "烈嶼鄉上林村"]
        assert len(villages) == 5


@pytest.mark.parametrize(
    ("form", "code"), [("administrative_appeal", "AD04"), ("state_compensation", "AD05")]
)
def test_an_appeal_names_any_agency_of_the_county(app: Flask, form: str, code: str) -> None:
    with app.app_context():
        lists = answering.lists_of(definitions.current_form(form, taipei_day(NOW)), code, NOW)
    names = [str(name) for name in lists["agencies"].values()]
    assert names[0] == "金門縣政府" and {"金城鎮公所", "殯葬管理所", "各鄉鎮戶政事務所"} <= set(names)
    at = names.index("建設處")
    assert "動植物防疫所" in names[at : names.index("工務處")], "each after what it belongs to"
    assert "養護工程所" in names and not any(name.endswith("科") for name in names)


def test_what_is_computed_follows_the_draft_and_is_never_taken_from_the_page(app: Flask) -> None:
    visitor = at_the_visit(app)
    path, version = visitor.page.path, visitor.page.value("version")
    assert results(visitor.page) == {
        "papers-0-price": "",
        "papers-total-pages": "0",
        "papers-total-price": "0",
        "cost": "20 元",
    }
    typed = {
        "papers-0-pages": "3",
        "papers-1-pages": "10",
        "papers-1-price": "1",
        "cost": "1",
        "version": version,
    }
    saved = json.loads(visitor.post(f"{path}/autosave", typed, "application/json").content)
    assert saved["results"] == {
        "papers-0-price": "6",
        "papers-1-price": "20",
        "papers-total-pages": "13",
        "papers-total-price": "26",
        "cost": "20 元",  # the rows still lack their names
    }
    visitor.get(path)
    assert results(visitor.page) == saved["results"]
    page = visitor.press("儲存並繼續", PAPERS)
    assert page.status == 422 and results(page)["cost"] == "46 元"


def test_from_the_form_to_the_case(app: Flask) -> None:
    visitor = at_the_visit(app)
    first = slots(app)[0]
    chosen = {"unit": ["PW"], "village": ["LY03"], "plate": ["abi-1235"], "slot": [first], **PAPERS}
    visitor.press("新增一列")
    visitor.press("儲存並繼續", {**chosen, "signed": ["陳大美"]})
    assert visitor.page.mistakes == ["申請人簽名須與您填寫的姓名相同：陳美玲"]
    visitor.press("儲存並繼續", {"signed": ["陳美玲"]})
    visitor.press("儲存並繼續", DECLARATION)
    assert visitor.page.heading.startswith("檢查")
    for shown in (
        "工務處",
        "烈嶼鄉西口村",
        "民國114年9月26日 09:00–10:00，諮詢室",
        "46 元",
        "合計：頁數：13；費用：26",
    ):
        assert shown in visitor.page.text
    assert "「ABI-1235」不是常見的車牌寫法，請再確認一次" in visitor.page.text
    changeable = [
        link["href"].partition("#field-")[2] for link in visitor.page.soup.select("dd a[href*='#field-']")
    ]
    assert "papers" in changeable and "cost" not in changeable
    visitor.press("送出申請")
    with app.app_context():
        case = db.session.scalars(select(Case).order_by(Case.id.desc()).limit(1)).one()
        given = submissions.application(case.id).all_answers
        assert given["unit"] == {"value": "PW", "zh": "工務處", "en": chart().by_code["PW"].en}
        assert given["cost"] == "46"
        assert given["signed"] == {
            "name": "陳美玲",
            "sentence": "我同意負擔影印費用。",
            "signed_at": f"{NOW.date()}T10:00",
        }
        submission = submissions.application(case.id)
        with unit_of_work():
            printed = documents.content_of(printing.application(case, submission, NOW, app.config))
        paper = "".join(pdf_text(printed).split())
        for written in ("烈嶼鄉西口村", "合計1326", "費用合計46元", "我同意負擔影印費用。"):
            assert written in paper
        booking = bookings.current(case.id)
        assert booking is not None and booking.state == "held" and booking.slot.public_id == first
    assert slots(app) != [] and first not in slots(app)


def test_a_correction_settles_what_is_computed_and_asks_for_a_new_signature(app: Flask) -> None:
    later = NOW + timedelta(days=1)
    with app.app_context():
        with unit_of_work():
            case = applications.submit(citizen(), ready(slots(app)[0]), NOW)
        desk = officer("lin.yahan")
        with unit_of_work(), pytest.raises(Refused):
            corrections.open_request(desk, steps.context(case), ["cost"], "請更正。", NOW)
        with unit_of_work():
            request = corrections.open_request(
                desk, steps.context(case), ["applicant_name", "papers"], "請更正。", NOW
            )
        assert request.fields == ["applicant_name", "papers", "signed"]
        typed = {"applicant_name": ["陳美鈴"], "papers-0-name": ["地籍圖"], "papers-0-pages": ["1"]}
        with unit_of_work():
            corrections.save(case, request, {**typed, "signed": ["陳美玲"]}, request.version)
        assert corrections.check(case, request, later, "zh").errors == {
            "signed": ["申請人簽名須與您填寫的姓名相同：陳美鈴"]
        }
        with unit_of_work():
            corrections.save(case, request, {**typed, "signed": ["陳美鈴"]}, request.version)
            changes = corrections.take_in(citizen(), case, request, later)
        assert [change.key for change in changes] == ["applicant_name", "papers", "cost", "signed"]
        corrected = submissions.application(case.id).all_answers
        assert (corrected["cost"], corrected["signed"]["signed_at"]) == ("22", "2025-09-26T10:00")
        assert (
            corrected["slot"]["zh"] == "民國114年9月26日 09:00–10:00，諮詢室"
        )  # gone from the list, kept in the case


def test_a_slot_that_was_filled_meanwhile_is_named(app: Flask) -> None:
    first, second = slots(app)
    with app.app_context():
        keys = [ready(slot) for slot in (first, first)]
        with unit_of_work():
            applications.submit(citizen(), keys[0], NOW)
        with unit_of_work():
            late = drafts.own(citizen(), keys[1], NOW)
            assert applications.check(late, NOW, "zh").errors == {
                "slot": ["諮詢時段：您選的時段已經額滿或已經開始，請改選其他時段"]
            }
            late.raw = {**late.raw, "slot": [second]}
        with unit_of_work():
            applications.submit(citizen(), keys[1], NOW)
        assert bookings.free_slots("EC91", NOW) == []


def test_of_two_who_send_at_once_one_keeps_the_draft(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    first = slots(app)[0]
    with app.app_context():
        keys = [ready(first), ready(first)]
        free = bookings.free_slots("EC91", NOW)
        with unit_of_work():
            applications.submit(citizen(), keys[0], NOW)
        monkeypatch.setattr(answering.bookings, "free_slots", lambda *_: free)  # as it was read before
        with pytest.raises(Conflict, match="額滿"), unit_of_work():
            applications.submit(citizen(), keys[1], NOW)
        db.session.rollback()
        assert db.session.scalars(select(Draft).where(Draft.public_id == keys[1])).one().raw["slot"] == [
            first
        ]


def ready(slot: str) -> str:
    """A draft with all answers."""
    with unit_of_work():
        draft = drafts.start(citizen(), "EC91", NOW)
        chosen = {"unit": ["PW"], "village": ["LY03"], "slot": [slot], "signed": ["陳美玲"]}
        draft.raw = {**APPLICANT, **PAPERS, **chosen, **DECLARATION}
        return draft.public_id
