"""出國報告: a journey is registered, its report handed in, reviewed and published; what cannot be is said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests.journeys import officer, open_tasks, take
from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from webapp.errors import Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Clock, Document, Escalation, Journey
from webapp.queries import definitions
from webapp.services import cases, documents, journey_registration
from webapp.services.journey_registration import Trip
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL, ELSEWHERE = "ou.yijun", "cai.wenxiong", "guo.shiming", "lin.yahan"
PAGE = "/plans/journeys"
#: Friday; the journey ended on 20 June, its report is due on Monday 22 September, as the 20th is a Saturday
NOW = datetime(2025, 9, 26, 2, tzinfo=UTC)
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
TYPED = {
    "unit": "EC-AFF", "traveller": "技士 林美玉", "destination": "日本沖繩縣", "purpose": "考察離島造林",
    "left_on-year": "114", "left_on-month": "6", "left_on-day": "16",
    "returned_on-year": "114", "returned_on-month": "6", "returned_on-day": "20",
}  # fmt: skip
REPORT = {
    "title": ["沖繩離島造林考察報告"],
    "summary": ["離島防風林的樹種與撫育作業"],
    "suggestions": ["引進混植"],
}


@pytest.fixture
def unit(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    at(app, monkeypatch, NOW)
    yield signed_in(app, OFFICER)


def registered() -> Journey:
    return db.session.scalars(
        select(Journey).where(Journey.origin == "entered").execution_options(populate_existing=True)
    ).one()


def test_registered_on_the_page_and_due_three_months_after_the_return(app: Flask, unit: Visitor) -> None:
    unit.get("/plans/")
    unit.follow("出國報告")
    unit.follow("登記出國")
    assert "期限是返國後 3 個月" in unit.page.text
    unit.press("登記", TYPED)
    assert "已登記出國" in unit.page.text and "逾期 4 日" in unit.page.text
    assert "日本沖繩縣" in unit.page.text and "待提出" in unit.page.text

    def look() -> tuple[str, date, str]:
        case = db.session.scalars(select(Case)).one()
        return case.service_code, case.due_on, open_tasks(case)[0].key

    assert made(app, look) == ("KM07", date(2025, 9, 22), "write")
    unit.follow("日本沖繩縣")
    assert "提出出國報告" in unit.page.text and "技士 林美玉" in unit.page.text
    assert "已使用 98 日" in unit.page.text, "days are used of a limit in months"
    other = signed_in(app, ELSEWHERE)
    other.get(PAGE)
    links = [link.text for link in other.page.soup.select("td a")]
    assert "技士 林美玉" in other.page.text and "日本沖繩縣" not in links, "the case is not theirs"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"traveller": " "}, "請填寫出國人員"),
        ({"purpose": "x" * 501}, "請填寫出國目的，最多 500 字"),
        ({"left_on-day": "21"}, "返國日期不能早於出國日期"),
        ({"left_on-day": "31"}, "真實存在的日期"),
        ({"returned_on-year": "116"}, "今天前後一年內"),
        ({"unit": "SW"}, "請選擇自己的單位"),
        ({"unit": "XX"}, "請選擇自己的單位"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_lost(
    app: Flask, unit: Visitor, typed: dict[str, str], words: str
) -> None:
    page = unit.post(f"{PAGE}/new", {**TYPED, **typed})
    assert page.status == 422 and any(words in each for each in page.mistakes), page.mistakes
    assert page.value("destination") == "日本沖繩縣" and page.value("returned_on-month") == "6"
    assert made(app, lambda: db.session.query(Case).count()) == 0


def test_everything_that_is_missing_is_said_at_once(unit: Visitor) -> None:
    page = unit.post(f"{PAGE}/new", {})
    assert [each.partition("，")[0] for each in page.mistakes] == [
        "請填寫出國人員", "請填寫前往國家及地點", "請填寫出國目的", "請填寫真實存在的日期", "請填寫真實存在的日期",
    ]  # fmt: skip


def test_only_units_register(app: Flask, committed: None) -> None:
    office = signed_in(app, CONTROL)
    office.get(PAGE)
    assert "登記出國" not in office.page.text
    assert office.get(f"{PAGE}/new").status == 403 and office.post(f"{PAGE}/new", TYPED).status == 403


@pytest.fixture
def case(app: Flask, committed: None) -> Iterator[Case]:
    with app.app_context():
        with unit_of_work():
            trip = Trip("技士 林美玉", "日本沖繩縣", "考察離島造林", date(2025, 6, 16), date(2025, 6, 20))
            actor = officer(OFFICER, NOW)
            unit_id = journey_registration.units_of(actor)[0]
            journey_registration.register(actor, unit_id, trip, NOW)
        yield db.session.scalars(select(Case)).one()


def hand_in(case: Case, now: datetime = NOW) -> None:
    (task,) = open_tasks(case)
    with unit_of_work():
        (field,) = definitions.current_form("travel_report", now.date()).file_fields
        documents.upload(officer(OFFICER, now), cases.upload_key(task), field, "沖繩.pdf", PDF, now)
    take(case, "send", OFFICER, now, raw=REPORT)


def test_handed_in_sent_back_published_and_frozen(app: Flask, case: Case) -> None:
    hand_in(case)
    first = registered().document_id
    take(case, "send_back", HEAD, NOW, comment="請補照片")
    assert registered().state == "awaited", "and its list says so"
    hand_in(case)
    assert registered().document_id not in (None, first)
    take(case, "confirm", HEAD, NOW)
    pid = registered().public_id
    reader = signed_in(app, ELSEWHERE)
    assert reader.get(f"{PAGE}/{pid}/report").status == 404, "it is not published yet"
    take(case, "publish", CONTROL, NOW)
    assert (registered().state, case.outcome) == ("published", "recorded")
    reader.get(PAGE)
    assert "離島防風林的樹種與撫育作業" in reader.page.text
    reader.follow("沖繩離島造林考察報告")
    assert reader.page.content == PDF
    with pytest.raises(IntegrityError, match="is published"), unit_of_work():
        db.session.execute(update(Journey).values(title="別的"))


def test_no_report_before_the_return(case: Case) -> None:
    with unit_of_work():
        registered().returned_on = date(2025, 10, 3)
    with pytest.raises(Refused, match="返國後才能提出報告"):
        hand_in(case)
    assert registered().state == "awaited"


def test_who_is_late_is_reminded_up_the_ladder(case: Case) -> None:
    sweeps.run_deadlines(NOW)
    rungs = db.session.scalars(
        select(Escalation.rung).join(Clock, Clock.id == Escalation.clock_id).where(Clock.case_id == case.id)
    ).all()
    assert {"overdue_first", "overdue_second"} <= set(rungs), "four days late"


def test_a_journey_that_did_not_take_place(case: Case) -> None:
    take(case, "ask_cancel", OFFICER, NOW, comment="颱風取消")
    take(case, "refuse", CONTROL, NOW, comment="請附取消公文")
    assert case.state == "write"
    take(case, "ask_cancel", OFFICER, NOW, comment="公文已附")
    take(case, "remove", CONTROL, NOW, comment="同意")
    assert (registered().state, case.outcome) == ("cancelled", "missing")
    assert db.session.query(Document).count() == 0


def test_a_form_that_is_sent_twice_registers_one_journey(app: Flask, unit: Visitor) -> None:
    """Full-width or not; another traveller, or other days, are another journey."""
    unit.get(f"{PAGE}/new")
    unit.press("登記", TYPED)
    number = made(app, lambda: db.session.scalars(select(Case.number)).one())
    unit.get(f"{PAGE}/new")
    page = unit.press("登記", {**TYPED, "traveller": "技士　林美玉"})
    assert page.status == 422 and f"已經登記過了（{number}）" in page.text
    unit.press("登記", {**TYPED, "traveller": "技士 陳大文"})
    assert "已登記出國" in unit.page.text
