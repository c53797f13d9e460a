"""Hostile and unlucky input on the real web server: a clear message in Chinese, and nothing lost."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import pytest
from flask import Flask
from PIL import Image

from tests import journeys, walks
from tests.functional.conftest import Record
from tests.programs import Counter
from tests.visitor import Page, Visitor, over_http
from webapp.demo.samples import SAMPLES, picture
from webapp.extensions import db
from webapp.models import Revision
from webapp.moments import taipei_day, utc_now
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import accounts, publishing
from webapp.uow import unit_of_work

MEGABYTE = 1024 * 1024
PET_FORM = "pet_neutering"
RAW = {**SAMPLES["EC09"], "email": [""]}
HOSTILE = {
    "pet_name": "<script>alert(1)</script>",
    "clinic": "\"><img src=x onerror=alert(1)> {case.number} %s {{7*7}} & '甲醫院'",
}


@pytest.fixture
def citizen(counter: Counter) -> Visitor:
    """Somebody without an account, on the second page of an application."""
    visitor = over_http(counter.address)
    visitor.get("/services/EC09")
    visitor.press("不登入，直接申請")
    page = walks.fill_in_step(visitor, RAW)
    assert page.heading == "寵物資料", page
    return visitor


@pytest.fixture
def documents(citizen: Visitor) -> Visitor:
    """The same person, where files are sent."""
    walks.fill_in_step(citizen, RAW)
    page = walks.fill_in_step(citizen, RAW)
    assert page.heading == "應備文件", page
    return citizen


def test_ten_megabytes_of_text(citizen: Visitor) -> None:
    here = citizen.page.path
    page = citizen.press(
        "儲存並繼續", {**walks.known(citizen.page, RAW), "pet_name": "汪" * (10 * MEGABYTE // 3)}
    )
    assert page.status == 422 and len(page.mistakes) == 1 and "40" in page.mistakes[0], page
    assert page.value("chip_no") == "900123456789012", "what else was typed stays"
    assert len(page.content) < MEGABYTE, "the book is not sent back"
    page = citizen.get(here)
    assert page.value("chip_no") == "900123456789012"
    page = citizen.press("儲存並繼續", {"pet_name": "小黑"})
    assert page.heading == "絕育手術與撥款", page


@pytest.mark.parametrize("text", ["小\x00黑", "小\x08黑\x7f", "小\u200b黑\ufeff", "小\u202e黑"])
def test_characters_that_nobody_sees(citizen: Visitor, text: str) -> None:
    page = citizen.press("儲存並繼續", {**walks.known(citizen.page, RAW), "pet_name": text})
    assert page.heading == "絕育手術與撥款", page
    walks.fill_in_the_rest(citizen, {**RAW, "pet_name": [text]})
    assert "小黑" in citizen.page.text
    number = walks.send(citizen)
    text = walks.printed(citizen, "下載申請書（PDF）", citizen.page.path)
    assert number in text and "小黑" in text


def test_bytes_that_are_no_text(citizen: Visitor) -> None:
    """Half a surrogate pair cannot be typed, but it can be sent."""
    here, form = citizen.page.path, citizen.page.form_with("pet_name")
    fields = {**{name: form.values[name] for name in ("csrf_token", "version")}, "action": "continue"}
    body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
    body += b"&pet_name=%ED%A0%80A%FF&species=dog&chip_no=900123456789012"
    page = citizen.send("POST", here, body, {"Content-Type": "application/x-www-form-urlencoded"})
    assert page.status == 422, page
    page = citizen.get(here)
    assert page.status == 200 and "A" in page.value("pet_name") and page.value("chip_no") == "900123456789012"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("手術證明.pdf", b"MZ\x90\x00" + bytes(5000), "內容不是 PDF、JPG、PNG"),
        ("手術證明.png", b"%PDF-1.7 but cut off", "內容不是 PDF、JPG、PNG"),
        ("手術證明.jpg", b"<script>alert(1)</script>", "內容不是 PDF、JPG、PNG"),
        ("手術證明.png", picture()[:60], "內容不是 PDF、JPG、PNG"),
        ("手術證明.png", b"", "是空的檔案"),
        ("手術證明.pdf", b"%PDF-1.7\n" + bytes(30 * MEGABYTE) + b"\n%%EOF", "超過 10 MB"),
    ],
    ids=["a program", "half a PDF", "a script", "half a picture", "empty", "30 MB"],
)
def test_files_that_are_not_what_they_say(documents: Visitor, name: str, content: bytes, words: str) -> None:
    good = {"registration_proof-upload": [("登記證.png", picture())]}
    page = documents.press("儲存並繼續", files={**good, "surgery_proof-upload": [(name, content)]})
    assert page.status == 422, page
    assert any(name in mistake and words in mistake for mistake in page.mistakes), page.mistakes
    assert "登記證.png" in page.text, "the good one of the same page is kept"


def test_a_picture_that_unpacks_to_gigabytes(documents: Visitor) -> None:
    for width, height in ((10_000, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)):
        page = documents.press(
            "upload:surgery_proof", files={"surgery_proof-upload": [("大圖.png", bomb(width, height))]}
        )
        assert page.status == 422 and any("大圖.png" in mistake for mistake in page.mistakes), page
    page = documents.press("upload:surgery_proof", files={"surgery_proof-upload": [("掃描.png", scan())]})
    assert page.status == 200 and "掃描.png" in page.text, "a scan of a whole page is no bomb"


def test_more_than_the_counter_takes_at_once(documents: Visitor) -> None:
    files = [(f"{n}.pdf", b"%PDF-1.7\n" + bytes(9 * MEGABYTE) + b"\n%%EOF") for n in range(8)]
    page = documents.press("儲存並繼續", files={"surgery_proof-upload": files})
    assert page.status == 413 and "送出的內容太大" in page.text and "都還在" in page.text, page
    page = documents.get("/applications")
    assert documents.follow("犬貓絕育及寵物登記補助").heading == "應備文件"


def test_two_tabs_of_one_draft(counter: Counter, citizen: Visitor) -> None:
    other = Visitor(citizen.send)
    other.get(citizen.page.path)
    known = walks.known(citizen.page, RAW)
    citizen.press("儲存並繼續", {**known, "pet_name": "第一個"})
    page = other.press("儲存並繼續", {**known, "pet_name": "第二個"})
    assert page.status == 409 and "第一個" in page.text and page.value("pet_name") == "第二個", page
    assert "另一個分頁" in page.text
    page = other.press("儲存並繼續")
    assert page.heading == "絕育手術與撥款", "pressed once more, on purpose"
    assert other.get(citizen.trail[0].path).value("pet_name") == "第二個"


def test_signed_out_elsewhere_in_the_middle_of_a_step(counter: Counter, office: Flask) -> None:
    """Signing out ends every session of the account, also the one that is just filling in a form."""
    email, password = "zhanmei@example.com", "a pass phrase of hers"
    with office.app_context(), unit_of_work():
        account_id = accounts.register("詹梅", email, password, utc_now()).id
    visitor = over_http(counter.address)
    visitor.get("/sign-in?next=/services/EC09")
    walks.give_password(visitor, email, password)
    visitor.press("開始申請")
    here = walks.fill_in_step(visitor, RAW).path
    with office.app_context(), unit_of_work():
        accounts.sign_out(account_id, utc_now())
    page = visitor.press("儲存並繼續", {**walks.known(visitor.page, RAW), "pet_name": "阿財"})
    assert page.status in (400, 401) and "登入已逾時" in page.text, page
    page = walks.give_password(visitor, email, password)
    assert page.path == here and page.value("pet_name") == "阿財", page
    assert page.value("chip_no") == "900123456789012"


def test_a_form_published_anew_under_a_draft(
    counter: Counter, office: Flask, record: Callable[[str], Record]
) -> None:
    visitor = over_http(counter.address)
    walks.sign_in(visitor, "chen.meiling")
    visitor.get("/services/EC09")
    visitor.press("開始申請", {"reuse": []} if visitor.page.soup.select("#reuse") else {})
    walks.fill_in_the_rest(visitor, RAW)
    before = _in_force(office)
    _publish(office, before, _with_a_breed)
    try:
        page = visitor.press("送出申請")
        assert page.status == 409 and "表單剛剛更新" in page.text and "寵物品種" in page.text, page
        assert "小黑" in page.text and "surgery_proof-upload.png" in page.text, "answers and files stay"
        page = visitor.press("送出申請")
        assert page.status == 422 and page.mistakes, "the new question wants an answer"
        visitor.follow(page.mistakes[0])
        page = visitor.press("儲存並回到檢查頁", {"breed": "臺灣犬"})
        assert page.heading == walks.REVIEW, page
        number = walks.send(visitor)
    finally:
        _publish(office, before)
    sent = record(number).answers
    assert (sent["breed"], sent["pet_name"]) == ("臺灣犬", "小黑")
    assert "sex" not in sent, "a question that is no longer asked is not stored"


def test_what_does_not_exist(citizen: Visitor) -> None:
    key = citizen.page.path.split("/")[2]
    for path in (
        f"/apply/{key}/nothing",
        "/apply/AAAAAAAAAAAAAAAA/pet",
        "/applications/AAAAAAAAAAAAAAAA",
        "/nowhere",
    ):
        page = citizen.get(path)
        assert page.status == 404 and "找不到" in page.text, page
    assert citizen.get(f"/apply/{key}/pet").heading == "寵物資料"


def test_markup_and_placeholders_stay_what_they_are(counter: Counter, office: Flask) -> None:
    """In pages for citizens and officers, in messages, and in every PDF."""
    with office.app_context():
        changes = {name: [text] for name, text in HOSTILE.items()}
        case = journeys.submitted("EC09", utc_now(), journeys.citizen("wang.daming"), **changes)
        number, tracking = str(case.number), f"/applications/{case.public_id}"
        holder = journeys.login_of(journeys.open_tasks(case)[0].assignee_id or 0)
    officer, head, citizen = (over_http(counter.address) for _ in range(3))
    for visitor, login in ((officer, holder), (head, "chen.shufen"), (citizen, "wang.daming")):
        walks.sign_in(visitor, login)

    for visitor, path in ((citizen, tracking), (officer, f"/staff/cases/{tracking.rpartition('/')[2]}")):
        _shows_as_typed(visitor.get(path), *HOSTILE.values())
    reason = "</textarea><script>alert(2)</script>{answers.pet_name}%d"
    walks.open_case(officer, number)
    officer.follow("擬予駁回，送主管決行")
    _shows_as_typed(officer.press("預覽", {"comment": reason}), reason)
    assert officer.page.value("comment") == reason
    officer.press("send")
    _shows_as_typed(walks.open_case(head, number), reason)
    head.follow("同意駁回並發文")
    _shows_as_typed(head.page, reason)
    head.press("send")

    letter = walks.printed(citizen, "下載公文（PDF）", tracking)
    whole = letter.replace(" ", "")
    assert "<script>alert(1)</script>" in whole and reason.replace(" ", "") in whole, letter
    form = citizen.get(f"{tracking}/application.pdf").pdf_text.replace(" ", "")
    assert all(text.replace(" ", "") in form for text in HOSTILE.values()), form
    _shows_as_typed(citizen.get(tracking))
    _shows_as_typed(citizen.get("/outbox"))


def test_a_file_name_that_is_markup(documents: Visitor) -> None:
    name = "<img src=x onerror=alert(1)>../../手術.png"
    page = documents.press("upload:surgery_proof", files={"surgery_proof-upload": [(name, picture())]})
    assert page.status == 200 and "手術.png" in page.text
    _shows_as_typed(page)
    link = page.soup.select_one("#field-surgery_proof .app-file a")["href"]
    disposition = documents.get(link).headers["Content-Disposition"]
    assert disposition.startswith("attachment") and not set("<>/\\") & set(disposition), disposition


@pytest.mark.parametrize(
    "asked", ["' OR '1'='1", 'EC09-115-000001\'; DROP TABLE "case"; --', "%", "_____", "\\"]
)
def test_questions_that_look_like_sql(counter: Counter, asked: str) -> None:
    officer = over_http(counter.address)
    walks.sign_in(officer, "lin.yahan")
    officer.get("/staff/inbox")
    page = officer.press("搜尋", {"q": asked})
    assert page.status == 200 and page.path.startswith("/staff/search") and "不是案號" in page.text, page
    officer.get("/")
    page = officer.press("搜尋", {"q": asked})
    assert page.status == 200 and asked in page.text, page
    visitor = over_http(counter.address)
    visitor.get("/track")
    page = visitor.press("查詢", {"number": asked, "code": asked})
    assert page.status == 422 and page.value("number") == asked and page.mistakes, page


# --- parts ------------------------------------------------------------------------------------------------


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is enormous."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def scan() -> bytes:
    """A page of A4 at 600 dots an inch, black and white."""
    buffer = io.BytesIO()
    Image.new("1", (4960, 7016), 1).save(buffer, "PNG")
    return buffer.getvalue()


def _shows_as_typed(page: Page, *texts: str) -> None:
    assert page.status == 200, page
    assert not [tag for tag in page.soup.select("script") if not tag.get("src")], page
    assert not page.soup.select("[onerror], img[src=x]"), page
    whole = " ".join(page.soup.get_text().split())
    assert all(text in whole for text in texts), [text for text in texts if text not in whole]


def _in_force(office: Flask) -> int:
    with office.app_context():
        return definitions.revision_id("form", PET_FORM, taipei_day(utc_now()))


def _publish(office: Flask, revision_id: int, change: Callable[[dict], dict] | None = None) -> None:
    """From today on: the revision itself, or a changed one after it."""
    with office.app_context(), unit_of_work():
        revision = db.session.get_one(Revision, revision_id)
        if change is not None:
            body = change(revision.mapping)
            revision = publishing.insert(SYSTEM, "form", PET_FORM, body, utc_now(), origin="editor")
        publishing.publish(SYSTEM, revision, taipei_day(utc_now()), utc_now())


def _with_a_breed(body: dict) -> dict:
    """Asks for the breed instead of the sex."""
    sections = []
    for section in body["sections"]:
        fields = [field for field in section["fields"] if field["key"] != "sex"]
        if section["key"] == "pet":
            fields.append(
                {"key": "breed", "type": "text", "label": {"zh": "寵物品種", "en": "Breed"}, "max_length": 40}
            )
        sections.append({**section, "fields": fields})
    return {**body, "sections": sections}
