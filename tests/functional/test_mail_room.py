"""Letters to be posted are chosen, and printed as one PDF with a registered-mail list."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pypdf
import pytest
from flask import Flask
from sqlalchemy import select

from tests.functional.test_letters import carry_out, decided
from tests.journeys import NOW
from tests.officers import at, made, signed_in
from webapp.extensions import db
from webapp.models import Letter
from webapp.services import mailings
from webapp.uow import unit_of_work

MAIL_ROOM = "huang.meilan"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def by_post(app: Flask) -> list[tuple[str, str]]:
    """Public id and number of every letter, all of which go by post now."""

    def change() -> list[tuple[str, str]]:
        with unit_of_work():
            rows = db.session.scalars(select(Letter).order_by(Letter.id)).all()
            for row in rows:
                row.channel = "post"
        return [(row.public_id, row.number) for row in rows]

    return made(app, change)


def test_chosen_letters_are_one_pdf_with_a_list_and_bookmarks(app: Flask) -> None:
    for name in ("陳美玲", "王小明", "林大同"):
        decided(app, applicant_name=[name])
    carry_out(app, "letter")
    letters = by_post(app)
    desk = signed_in(app, MAIL_ROOM)
    desk.get("/staff/inbox")
    desk.follow("待寄公文")
    assert all(number in desk.page.text for _pid, number in letters)
    desk.press("合併列印，附掛號郵件清單", {"letter": [letters[0][0], letters[2][0]]})
    assert "正在製作" in desk.page.text and desk.page.headers["Refresh"] == "5"
    carry_out(app, "letter_batch")
    desk.get(desk.page.path)
    pdf = pypdf.PdfReader(BytesIO(desk.get(desk.page.links("下載 PDF")[0]).content))
    assert [mark.title for mark in pdf.outline] == ["掛號郵件清單", letters[0][1], letters[2][1]]
    first = "".join(pdf.pages[0].extract_text().split())
    for said in ("掛號郵件清單", "共2件", "陳美玲", "林大同", "掛號號碼", letters[0][1], "金門縣"):
        assert said in first
    assert "王小明" not in first
    rest = "".join("".join(page.extract_text() for page in pdf.pages[1:]).split())
    assert "受文者：陳美玲" in rest and "受文者：林大同" in rest and "王小明" not in rest
    pages = [pdf.get_destination_page_number(mark) for mark in pdf.outline]
    assert pages == sorted(set(pages)) and pages[0] == 0


@pytest.mark.parametrize(
    ("agencies", "sender"),
    [(["烈嶼鄉公所"], "烈嶼鄉公所"), (["烈嶼鄉公所", "金城鎮公所"], "金門縣政府"), ([None], "金門縣政府")],
)
def test_a_township_s_letters_are_posted_in_its_own_name(agencies: list[str | None], sender: str) -> None:
    letters = [Letter(content={"agency": each} if each else {}) for each in agencies]
    assert mailings.sender(letters, "金門縣政府") == sender


def test_the_list_filters_and_leaves_out_what_is_served(app: Flask) -> None:
    decided(app)
    carry_out(app, "letter")
    desk = signed_in(app, MAIL_ROOM)
    assert "沒有符合的公文" in desk.get("/staff/letters").text, "it goes electronically"
    [(pid, number)] = by_post(app)
    desk.get("/staff/letters")
    for filled, found in (
        ({"first": "114/9/25", "last": "114/9/25"}, True),
        ({"first": "114/9/26"}, False),
        ({"first": "", "last": "114/9/24"}, False),
        ({"last": "", "first": "昨天"}, True),
        ({"channel": "counter"}, False),
        ({"channel": "post"}, True),
    ):
        desk.press("篩選", filled, within="main")
        assert (number in desk.page.text) is found, filled

    def serve() -> None:
        with unit_of_work():
            row = db.session.scalars(select(Letter)).one()
            row.served_on, row.service_method = NOW.date(), "return_slip"

    made(app, serve)
    assert number not in desk.get("/staff/letters").text
    assert number in desk.get("/staff/letters?all=yes").text
    assert signed_in(app, "yang.zhihao").post("/staff/letters/print", {"letter": pid}).status == 404


def test_what_is_not_printed_yet_or_not_chosen_is_refused(app: Flask) -> None:
    decided(app)
    [(_pid, number)] = by_post(app)
    desk = signed_in(app, MAIL_ROOM)
    desk.get("/staff/letters")
    desk.press("合併列印，附掛號郵件清單")
    assert desk.page.status == 422 and "請勾選" in desk.page.mistakes[0]
    desk.press("合併列印，附掛號郵件清單", {"letter": [_pid]})
    assert desk.page.status == 422 and number in desk.page.mistakes[0]


def test_a_batch_is_handed_over_and_leaves_the_list(app: Flask) -> None:
    for name in ("陳美玲", "王小明"):
        decided(app, applicant_name=[name])
    carry_out(app, "letter")
    (first, number), (second, other) = by_post(app)
    desk = signed_in(app, MAIL_ROOM)
    desk.get("/staff/letters")
    desk.press("合併列印，附掛號郵件清單")
    carry_out(app, "letter_batch")
    batch = desk.page.path
    desk.get(batch)
    for wrong, said in (
        ({"date-day": "31"}, "交寄日期必須"),
        ({"date-month": "2", "date-day": "30"}, "交寄日期必須"),
        ({f"number-{first}": "12"}, "6 到 20"),
        ({f"number-{first}": "123456", f"number-{second}": "123 456"}, "不只一次"),
    ):
        desk.get(batch)
        page = desk.press("登記交寄", wrong)
        assert page.status == 422 and said in page.mistakes[0], wrong
        name = "field-date" if "date-day" in wrong else f"field-number-{first}"
        assert said in page.soup.select_one(f"#{name} .govuk-error-message").text
    desk.get(batch)
    desk.press("登記交寄", {f"number-{first}": "９８７６-5432 10"})
    assert "已登記 2 件" in desk.page.text
    assert f"{other}的掛號號碼" in desk.page.text and f"{number}的掛號號碼" not in desk.page.text
    assert "沒有符合的公文" in desk.get("/staff/letters").text
    page = desk.get("/staff/letters?all=yes")
    assert "已交寄" in page.text and not page.soup.select("input[name=letter][checked]")
    desk.get(batch)
    desk.press("登記交寄", {f"number-{second}": "11112222"})
    assert "這批公文都已登記交寄" in desk.page.text
    desk.get(f"/staff/letters/{first}")
    assert "9876543210" in desk.page.text and "民國114年9月25日" in desk.page.text
    assert desk.press("取消交寄", {"reason": " "}).status == 422
    desk.press("取消交寄", {"reason": "郵局退回，地址不全。"})
    assert "已取消交寄" in desk.page.text
    page = desk.get("/staff/letters")
    assert number in page.text and other not in page.text


def test_two_people_who_hand_the_same_letters_over_do_it_once(app: Flask) -> None:
    decided(app)
    carry_out(app, "letter")
    by_post(app)
    desk, again = signed_in(app, MAIL_ROOM), signed_in(app, MAIL_ROOM)
    desk.get("/staff/letters")
    desk.press("合併列印，附掛號郵件清單")
    carry_out(app, "letter_batch")
    desk.get(desk.page.path)
    again.get(desk.page.path)
    desk.press("登記交寄")
    assert again.press("登記交寄").status == 409
    assert "先前都已登記交寄" in again.page.text


def test_an_address_of_the_county_carries_its_postal_code(app: Flask) -> None:
    decided(app)
    carry_out(app, "letter")
    by_post(app)
    desk = signed_in(app, MAIL_ROOM)
    desk.get("/staff/letters")
    assert "894金門縣烈嶼鄉" in desk.page.text
    desk.press("合併列印，附掛號郵件清單")
    carry_out(app, "letter_batch")
    pdf = pypdf.PdfReader(BytesIO(desk.get(f"{desk.page.path}/letters.pdf").content))
    pages = ["".join(page.extract_text().split()) for page in pdf.pages[:2]]
    assert all("894金門縣烈嶼鄉" in page for page in pages)
