"""Applying: steps, mistakes, drafts, files, the review, and one case in the end."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from forms.field_reader import PAGES
from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from tests.visitor import Page, Visitor, in_process
from tests.walks import fill_in_step, fill_in_the_rest, known, send
from webapp.demo.samples import SAMPLES, picture
from webapp.extensions import db
from webapp.models import Case, Document, Draft, Submission
from webapp.permissions import SYSTEM
from webapp.services import drafts, publishing
from webapp.services.accounts import LIMITS
from webapp.uow import unit_of_work

DOG = SAMPLES["EC09"]
PNG = picture()


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Nobody in particular, at the first step of EC09."""
    somebody = in_process(app.test_client())
    somebody.get("/services/EC09")
    somebody.press("不登入，直接申請")
    return somebody


def title(page: Page) -> str:
    assert page.soup.title is not None
    return page.soup.title.get_text()


def frame(page: Page, key: str) -> str:
    """Everything inside the frame of one question."""
    found = page.soup.select_one(f"#field-{key}")
    assert found is not None
    return found.get_text(" ", strip=True)


def step(page: Page, section: str) -> str:
    """The address of another step of the same draft."""
    return f"{page.path.rpartition('/')[0]}/{section}"


def count(app: Flask, table: type) -> int:
    with app.app_context():
        return db.session.scalars(select(func.count()).select_from(table)).one()


# --- a step --------------------------------------------------------------


def test_detail_05_each_step_says_which_of_how_many_it_is(visitor: Visitor) -> None:
    assert visitor.page.heading == "申請人資料"
    assert "步驟 1／6" in visitor.page.text
    assert title(visitor.page).startswith("申請人資料（步驟 1／6）")
    assert "保留至民國114年10月25日" in visitor.page.text


def test_detail_15_errors_say_how_to_fix_and_input_is_kept(visitor: Visitor) -> None:
    typed = {
        "applicant_name": "陳美玲",
        "applicant_id": "Ａ１２３４５６７８８",
        "birth_date-year": "47",
        "birth_date-month": "2",
        "birth_date-day": "30",
        "phone": "123",
        "address-township": "LY",
    }
    page = visitor.press("儲存並繼續", typed)
    assert page.status == 422
    assert title(page).startswith("錯誤：")
    assert len(page.mistakes) == 4
    assert "身分證統一編號不正確，請檢查是否漏字，例如 A123456789" in frame(page, "applicant_id")
    assert "沒有 30 日" in frame(page, "birth_date")
    assert {name: page.value(name) for name in typed} == typed
    summary = page.soup.select_one("[data-error-summary]")
    assert summary is not None and summary.has_attr("tabindex")
    for link in summary.select("a"):
        assert page.soup.select_one(link["href"]) is not None


def test_detail_13_full_width_digits_spaces_and_hyphens_are_accepted(visitor: Visitor) -> None:
    typed = {
        **known(visitor.page, DOG),
        "applicant_id": " ａ１２３－４５６ ７８９ ",
        "birth_date-year": "４７",
        "phone": "０９１２ ３４５－６７８",
    }
    page = visitor.press("儲存並繼續", typed)
    assert page.heading == "寵物資料"
    review = visitor.get(step(page, "review"))
    for words in ("A123456789", "0912-345-678"):
        assert words in review.text, words


@pytest.mark.parametrize("year", ["47", "1958", "１９５８", "民國47"])
def test_detail_14_roc_and_gregorian_years_are_both_accepted(visitor: Visitor, year: str) -> None:
    page = visitor.press("儲存並繼續", {**known(visitor.page, DOG), "birth_date-year": year})
    assert page.heading == "寵物資料"
    assert "民國47年" in visitor.get(step(page, "review")).text


def test_detail_06_back_never_loses_what_was_typed(visitor: Visitor) -> None:
    fill_in_step(visitor, DOG)
    visitor.press("back", {"pet_name": "小黑", "chip_no": "900"})
    assert visitor.page.heading == "申請人資料"
    page = visitor.press("儲存並繼續")
    assert (page.value("pet_name"), page.value("chip_no")) == ("小黑", "900")
    visitor.get(step(page, "applicant"))
    assert visitor.press("back").heading == "犬貓絕育及寵物登記補助"


def test_whoever_leaves_finds_the_draft_again(visitor: Visitor) -> None:
    fill_in_step(visitor, DOG)
    page = visitor.press("儲存，稍後再填", {"pet_name": "小黑"})
    assert page.heading == "我的申請"
    assert "草稿已儲存，保留至民國114年10月25日" in page.text
    page = visitor.follow("犬貓絕育及寵物登記補助")
    assert (page.heading, page.value("pet_name")) == ("寵物資料", "小黑")


def test_a_question_that_the_answers_do_not_call_for_is_dropped(visitor: Visitor) -> None:
    visitor.press("儲存並繼續", {**known(visitor.page, DOG), "agent_name": "林代理", "agent_phone": "abc"})
    assert visitor.page.heading == "寵物資料"
    fill_in_the_rest(visitor, DOG)
    assert "林代理" not in visitor.page.text


def test_the_stylesheet_of_a_form_hides_such_questions_without_script(visitor: Visitor) -> None:
    [link] = visitor.page.soup.select('link[href^="/forms/"]')
    style = visitor.get(str(link["href"]))
    assert style.headers["Content-Type"].startswith("text/css")
    assert "immutable" in style.headers["Cache-Control"]
    assert b"#field-agent_name" in style.content and b"@supports selector(:has(*))" in style.content
    assert visitor.get("/forms/999999.css").status == 404


def test_ten_megabytes_of_text_are_a_mistake_beside_their_field(visitor: Visitor) -> None:
    page = visitor.press(
        "儲存並繼續", {**known(visitor.page, DOG), "applicant_name": "陳" * (10 * 1024 * 1024 // 3)}
    )
    assert page.status == 422
    assert "最多 60 個字" in frame(page, "applicant_name")
    assert page.value("phone") == "0912-345-678"


def test_more_than_the_counter_takes_is_refused_in_plain_words(visitor: Visitor) -> None:
    page = visitor.press(
        "儲存並繼續", {**known(visitor.page, DOG), "applicant_name": "A" * (17 * 1024 * 1024)}
    )
    assert page.status == 413
    assert "送出的內容太大" in page.text


@pytest.mark.parametrize("text", ["\x00陳\x00美玲", "<b>陳</b>", "'; drop table draft; --", "陳\u202e美玲"])
def test_hostile_text_never_breaks_a_page(visitor: Visitor, text: str) -> None:
    page = visitor.press("儲存並繼續", {"applicant_name": text})
    assert page.status == 422
    assert "<b>陳" not in str(page.soup)
    assert visitor.get(page.path).status == 200


# --- several tabs, several people --------------------------------------------------------------


def test_detail_09_a_second_tab_overwrites_nothing_silently(app: Flask, visitor: Visitor) -> None:
    old = visitor.page
    visitor.press("儲存，稍後再填", {"applicant_name": "第一頁"})
    visitor.page = old
    page = visitor.press("儲存並繼續", {**known(old, DOG), "applicant_name": "第二頁"})
    assert page.status == 409
    assert "這一頁：第二頁" in page.text and "已儲存：第一頁" in page.text
    assert page.value("applicant_name") == "第二頁"
    assert visitor.get(page.path).value("applicant_name") == "第一頁"
    visitor.page = page
    assert visitor.press("儲存並繼續").heading == "寵物資料"
    assert visitor.get(page.path).value("applicant_name") == "第二頁"


def test_two_tabs_that_say_the_same_do_not_quarrel(visitor: Visitor) -> None:
    old = visitor.page
    visitor.press("儲存，稍後再填", known(old, DOG))
    visitor.page = old
    assert visitor.press("儲存並繼續", known(old, DOG)).heading == "寵物資料"


def test_autosave_answers_with_the_time_and_the_version(visitor: Visitor) -> None:
    path, version = visitor.page.path, visitor.page.value("version")
    answer = visitor.post(
        f"{path}/autosave", {"applicant_name": "陳", "version": version}, "application/json"
    )
    assert json.loads(answer.content) == {
        "saved_at": "10:00",
        "version": int(version) + 1,
        "results": {},
    }
    stale = visitor.post(f"{path}/autosave", {"applicant_name": "王", "version": version}, "application/json")
    assert stale.status == 409
    assert "另一個分頁" in json.loads(stale.content)["error"]
    assert visitor.get(path).value("applicant_name") == "陳"


@pytest.mark.parametrize("version", ["", "-1", "abc", "9" * 30, "²"])
def test_a_page_without_a_proper_version_counts_as_old(visitor: Visitor, version: str) -> None:
    answer = visitor.post(
        visitor.page.path, {"applicant_name": "陳", "version": version, "action": "continue"}
    )
    assert answer.status == 409


def test_the_draft_of_another_browser_does_not_exist(app: Flask, visitor: Visitor) -> None:
    stranger = in_process(app.test_client())
    for path in (visitor.page.path, step(visitor.page, "review"), visitor.page.path.rpartition("/")[0]):
        assert stranger.get(path).status == 404
    assert stranger.post(visitor.page.path, {"version": "1"}).status == 404
    assert stranger.post(step(visitor.page, "discard")).status == 404
    assert stranger.post(f"{visitor.page.path}/autosave", {"version": "1"}).status == 404


def test_a_draft_of_last_month_is_gone(app: Flask, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW + timedelta(days=25))
    assert "剩 5 天就會刪除" in visitor.get("/applications").text
    at(app, monkeypatch, NOW + timedelta(days=31))
    assert visitor.get(step(visitor.page, "applicant")).status == 404


def test_a_draft_can_be_deleted(app: Flask, visitor: Visitor) -> None:
    visitor.get("/applications")
    assert "草稿已刪除" in visitor.press("確定刪除草稿").text
    assert count(app, Draft) == 0


@pytest.mark.parametrize(
    "action", ["remove-file:applicant_name:x", "reuse:phone:x", "add-row:phone", "nonsense", ":::"]
)
def test_a_button_that_does_not_exist_does_no_harm(visitor: Visitor, action: str) -> None:
    sent = {"applicant_name": "陳", "version": visitor.page.value("version"), "action": action}
    assert visitor.post(visitor.page.path, sent).status in (200, 404)


# --- files --------------------------------------------------------------


@pytest.fixture
def documents(visitor: Visitor) -> Visitor:
    """At the step of the documents."""
    for _step in range(3):
        fill_in_step(visitor, DOG)
    assert visitor.page.heading == "應備文件"
    return visitor


def test_files_are_sent_without_script_and_removed_again(documents: Visitor) -> None:
    two = {"surgery_proof-upload": [("正面.png", PNG), ("背面.png", picture(1))]}
    page = documents.press("upload:surgery_proof", files=two)
    assert page.status == 200
    assert "正面.png" in frame(page, "surgery_proof") and "背面.png" in frame(page, "surgery_proof")
    [first, _second] = page.soup.select("#field-surgery_proof input[type=hidden]:not([value=''])")
    page = documents.press(f"remove-file:surgery_proof:{first['value']}")
    assert "正面.png" not in frame(page, "surgery_proof")


def test_a_wrong_file_with_a_right_name_is_named_beside_its_field(app: Flask, documents: Visitor) -> None:
    files = {
        "surgery_proof-upload": [("證明.pdf", b"MZ this is a program")],
        "receipt-upload": [("收據.png", PNG)],
    }
    before = count(app, Document)
    page = documents.press("儲存並繼續", files=files)
    assert page.status == 422
    assert "「證明.pdf」的內容不是 PDF、JPG、PNG" in frame(page, "surgery_proof")
    assert any("證明.pdf" in mistake for mistake in page.mistakes)
    assert "收據.png" in frame(page, "receipt")
    assert count(app, Document) == before + 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("空.pdf", b"", "是空的檔案"),
        ("大.pdf", b"%PDF-" + b"0" * (10 * 1024 * 1024) + b"%%EOF", "超過 10 MB"),
        ("x" * 300 + ".exe", b"MZ", "的內容不是"),
        ("../../etc/passwd", b"root", "「passwd」的內容不是"),
    ],
)
def test_what_a_file_may_not_be(documents: Visitor, name: str, content: bytes, words: str) -> None:
    page = documents.press("upload:receipt", files={"receipt-upload": [(name, content)]})
    assert page.status == 422
    assert words in frame(page, "receipt")


def test_upload_without_a_choice_asks_for_one(documents: Visitor) -> None:
    page = documents.press("upload:receipt")
    assert page.status == 422
    assert "請先選擇檔案" in frame(page, "receipt")


def test_too_many_files_are_refused(documents: Visitor) -> None:
    six = {"receipt-upload": [(f"{n}.png", picture(n)) for n in range(6)]}
    page = documents.press("upload:receipt", files=six)
    assert page.status == 422
    assert "最多 5 個檔案" in frame(page, "receipt")
    assert "4.png" in frame(page, "receipt")


def test_script_sends_files_beside_the_page_which_stays_current(app: Flask, documents: Visitor) -> None:
    page = documents.page
    key = page.path.split("/")[2]
    answer = _upload(documents, f"/apply/{key}/files/receipt", "收據.png", PNG)
    assert answer.status == 201
    sent = json.loads(answer.content)
    assert (sent["name"], sent["size"]) == ("收據.png", len(PNG))
    wrong = _upload(documents, f"/apply/{key}/files/receipt", "收據.pdf", b"no")
    assert (wrong.status, "的內容不是" in json.loads(wrong.content)["error"]) == (422, True)
    assert _upload(documents, f"/apply/{key}/files/pet_name", "a.png", PNG).status == 404
    assert _upload(documents, f"/apply/{key}/files/nothing", "a.png", PNG).status == 404
    documents.page = page
    assert documents.press("儲存，稍後再填").status == 200  # the version that the page had before the upload
    removed = documents.post(f"/apply/{key}/files/receipt/{sent['id']}/remove", accept="application/json")
    assert removed.status == 204
    assert documents.get(f"/documents/{sent['id']}").status == 404


def _upload(visitor: Visitor, path: str, name: str, content: bytes) -> Page:
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(content), name, "file")})
    kind = f"multipart/form-data; boundary={boundary}"
    return visitor.send("POST", path, body, {"Content-Type": kind, "Accept": "application/json"})


def test_an_upload_is_only_for_whoever_writes_the_draft(app: Flask, documents: Visitor) -> None:
    page = documents.press("upload:receipt", files={"receipt-upload": [("收據.png", PNG)]})
    [path] = page.links("收據.png")
    mine = documents.get(path)
    assert mine.content == PNG
    assert mine.headers["Content-Disposition"].startswith("attachment")
    assert mine.headers["X-Content-Type-Options"] == "nosniff"
    assert in_process(app.test_client()).get(path).status == 404
    assert signed_in(app, "lin.yahan").get(path).status == 404


# --- tables --------------------------------------------------------------


def test_rows_come_and_go_without_script_and_keep_what_was_typed(app: Flask) -> None:
    visitor = signed_in(app, "chen.meiling")
    visitor.get("/services/EC06")
    visitor.press("開始申請")
    fill_in_step(visitor, SAMPLES["EC06"])
    page = visitor.press("add-row:parcels", {"parcels-0-section": "斗門段", "current_crops": "高粱"})
    assert (page.value("parcels-0-section"), page.value("current_crops")) == ("斗門段", "高粱")
    page = visitor.press("remove-row:parcels:0", {"parcels-1-section": "后湖段"})
    assert page.value("parcels-1-section") == "后湖段"
    assert "parcels-0-section" not in page.form_with("version").names
    page = visitor.press("儲存並繼續")
    assert page.status == 422
    assert any("第 1 列" in mistake for mistake in page.mistakes)


# --- review and submission --------------------------------------------------------------


def test_detail_21_every_row_of_the_review_leads_to_its_question_and_back(visitor: Visitor) -> None:
    page = fill_in_the_rest(visitor, DOG)
    assert "步驟 6／6" in page.text
    for row in page.soup.select("main [id^=row-]"):
        [link] = row.select("a[href*='return=review#field-']")
        assert str(link["href"]).endswith(str(row["id"]).replace("row-", "#field-"))
    [change] = page.soup.select("#row-pet_name a")
    assert change["href"].endswith("/pet?return=review#field-pet_name")
    visitor.get(str(change["href"]).partition("#")[0])
    page = visitor.press("儲存並回到檢查頁", {"pet_name": "小白"})
    assert page.heading == "檢查您填的內容"
    assert "小白" in page.text
    visitor.get(str(change["href"]).partition("#")[0])
    assert visitor.press("back").heading == "檢查您填的內容"


def test_what_is_missing_is_listed_and_nothing_is_sent(app: Flask, visitor: Visitor) -> None:
    fill_in_step(visitor, DOG)
    page = visitor.get(step(visitor.page, "review"))
    assert page.status == 200
    assert "請填寫寵物名字" in page.text
    page = visitor.press("送出申請")
    assert page.status == 422
    assert title(page).startswith("錯誤：")
    assert len(page.mistakes) > 5
    links = [str(a["href"]) for a in page.soup.select("[data-error-summary] a")]
    assert all("return=review#field-" in link for link in links)
    assert (count(app, Case), count(app, Draft)) == (0, 1)


def test_detail_23_the_confirmation_shows_number_next_step_expected_date_pdf_and_qr(visitor: Visitor) -> None:
    fill_in_the_rest(visitor, DOG)
    assert send(visitor) == "EC09-114-000001"
    page = visitor.page
    for words in (
        "EC09-114-000001",
        "接下來",
        "下載申請書（PDF）",
        "查詢碼",
        "動植物防疫所",
        "預計民國114年10月20日前辦理完成",
        "免費",
        "正在製作",
    ):
        assert words in page.text, words
    [image] = page.soup.select("img.app-qr")
    picture_of_it = visitor.send("GET", str(image["src"]), None, {})
    assert (picture_of_it.status, picture_of_it.headers["Content-Type"]) == (200, "image/png")
    form = visitor.get(page.path.replace("confirmation", "application.pdf"))
    assert (form.status, form.heading) == (202, "申請書製作中")
    waiting = visitor.get(page.path.replace("confirmation", "receipt.pdf"))
    assert waiting.status == 404
    assert "收據正在製作" in waiting.text


def test_a_fee_that_depends_on_what_is_not_answered_yet_is_not_called_free(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get("/services/EC05")
    page = visitor.press("不登入，直接申請")
    review = visitor.get(step(page, "review")).text
    assert "上面的問題都填好後，這裡會顯示費用" in review and "費用 免費" not in review


def test_a_place_is_seen_on_the_map_of_the_review(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get("/services/PW02")
    page = visitor.press("不登入，直接申請")
    page = visitor.get(step(page, "place"))
    raw = {name: value for name, value in known(page, {}).items() if not name.startswith("point")}
    visitor.press("儲存並繼續", {**raw, "point-point": "24.4798, 118.0894"})
    assert "不在金門縣內" in frame(visitor.page, "point"), "that is in 廈門"
    visitor.press("儲存並繼續", {**raw, "point-point": "24.4321, 118.3171"})
    row = visitor.get(step(page, "review")).soup.select_one("#row-point")
    assert "座標：24.432100,118.317100" in row.text
    [mark] = row.select("figure circle")
    assert (mark["cx"], mark["cy"]) == ("32152", "73980")
    assert [use["href"].partition("#")[0] for use in row.select("use")] == ["/static/map/kinmen.svg"] * 3
    assert visitor.get("/static/map/kinmen.svg").status == 200


def test_a_mark_in_another_township_than_the_address_is_remarked(app: Flask) -> None:
    visitor = in_process(app.test_client())
    visitor.get("/services/PW02")
    page = visitor.get(step(visitor.press("不登入，直接申請"), "place"))
    raw = {**known(page, {}), "place-township": "JS", "place-detail": "何斗 12 號"}
    visitor.press("儲存並繼續", {**raw, "point-point": "24.4321, 118.3171"})
    remark = "地圖上標示的位置在金城鎮，上面填的是金沙鎮；請確認標對地方。"
    assert remark in visitor.get(step(page, "review")).soup.select_one("#row-point").text
    visitor.get(step(page, "place"))
    visitor.press("儲存並繼續", {**raw, "point-point": "24.46, 118.399"})
    assert "請確認標對地方" not in visitor.get(step(page, "review")).text


def test_detail_22_a_double_submit_creates_one_case(app: Flask, visitor: Visitor) -> None:
    review = fill_in_the_rest(visitor, DOG)
    send(visitor)
    first = visitor.page.path
    visitor.page = review
    send(visitor)
    assert visitor.page.path == first
    assert (count(app, Case), count(app, Draft)) == (1, 0)
    assert visitor.get(review.path).path == first  # the browser's Back


def test_only_the_browser_that_wrote_it_sees_what_became_of_a_draft(app: Flask, visitor: Visitor) -> None:
    review = fill_in_the_rest(visitor, DOG)
    send(visitor)
    stranger = in_process(app.test_client())
    stranger.post(review.path, {"proof": "0" * 64})
    assert stranger.page.status == 404
    assert stranger.get(review.path).status == 404
    assert stranger.get(visitor.page.path).status == 404


def test_a_form_that_changed_under_the_draft_loses_nothing(app: Flask, visitor: Visitor) -> None:
    fill_in_the_rest(visitor, DOG)
    with app.app_context(), unit_of_work():
        body = json.loads(json.dumps(publishing.factory()["form", "pet_neutering"], default=str))
        body["sections"][1]["fields"].append(
            {"key": "coat", "type": "text", "label": {"zh": "毛色", "en": "Coat"}, "max_length": 20}
        )
        changed = publishing.insert(SYSTEM, "form", "pet_neutering", body, NOW, origin="editor")
        publishing.publish(SYSTEM, changed, NOW.date(), NOW)
    page = visitor.press("送出申請")
    assert page.status == 409
    assert title(page).startswith("錯誤：")
    assert "這份表單剛剛更新" in page.text and "毛色" in page.text
    assert "請填寫毛色" in page.text
    assert "小黑" in page.text
    assert count(app, Case) == 0
    visitor.get(step(page, "pet"))
    fill_in_the_rest(visitor, {**DOG, "coat": ["黑"]})
    send(visitor)
    with app.app_context():
        [sent] = db.session.scalars(select(Submission)).all()
        assert (sent.answers["coat"], sent.answers["pet_name"]) == ("黑", "小黑")


# --- paper and spoken applications --------------------------------------------------------------


def test_a_clerk_enters_a_paper_application_on_the_same_form(app: Flask) -> None:
    def start() -> str:
        intake = {
            "channel": "post",
            "received_on": "2025-09-24",
            "postmarked_on": "2025-09-22",
            "originals_seen": ["身分證"],
            "note": "",
        }
        with unit_of_work():
            return drafts.start(officer("huang.meilan"), "EC09", NOW, intake=intake).public_id

    clerk = signed_in(app, "huang.meilan")
    page = clerk.get(f"/apply/{made(app, start)}/applicant")
    assert "郵寄收件，收件日 民國114年9月24日，郵戳日 民國114年9月22日" in page.text
    fill_in_the_rest(clerk, DOG)
    send(clerk)
    assert "起算日 民國114年9月22日" in clerk.page.text.replace("\n", " ")
    assert "查詢碼" in clerk.page.text
    with app.app_context():
        [case] = db.session.scalars(select(Case)).all()
        assert (case.channel, case.account_id, str(case.filed_on)) == ("post", None, "2025-09-22")


def test_one_address_begins_only_so_many_without_signing_in(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = in_process(app.test_client())
    somebody.get("/services/EC09")
    for _each in range(LIMITS["draft"]):
        somebody.get("/services/EC09")
        somebody.press("不登入，直接申請")
    somebody.get("/services/EC09")
    refused = somebody.press("不登入，直接申請")
    assert refused.status == 429 and "請 15 分鐘後再試，或先登入" in refused.text
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Draft)) == LIMITS["draft"]

    at(app, monkeypatch, NOW + timedelta(minutes=16))
    somebody.get("/services/EC09")
    assert somebody.press("不登入，直接申請").status == 200


def test_every_address_beside_the_steps_is_no_name_of_a_step(app: Flask) -> None:
    parts = [
        rule.rule.split("/")[3] for rule in app.url_map.iter_rules() if rule.rule.startswith("/apply/<key>/")
    ]
    assert {part for part in parts if part.isidentifier()} == PAGES
