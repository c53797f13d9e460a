"""The editor of a ruleset without script: parameters and tables are typed, saved as typed, and never lost."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from datetime import date
from time import process_time
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from tests.functional.test_fuzz import HOSTILE
from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from tests.visitor import Page, Visitor, in_process, plain
from tests.walks import sign_in
from webapp import demo, sheets, spreadsheets
from webapp.errors import Refused
from webapp.queries import editing as queries
from webapp.services import desk
from webapp.uow import unit_of_work


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def drafted(app: Flask, key: str = "progress_lag") -> int:
    def make() -> int:
        with unit_of_work():
            return desk.open_draft(officer("guo.shiming"), "ruleset", key, NOW).id

    return made(app, make)


def editor(app: Flask, draft: int, part: str = "") -> Visitor:
    person = signed_in(app, "guo.shiming")
    person.get(f"/admin/drafts/{draft}/edit{part}")
    assert person.page.status == 200
    return person


def body_of(app: Flask, draft: int) -> dict[str, Any]:
    return made(app, lambda: queries.draft(draft).mapping)


def others_save(app: Flask, draft: int) -> None:
    def make() -> None:
        with unit_of_work():
            body = queries.draft(draft).mapping | {"effective_from": "2027-01-01"}
            desk.save(officer("admin"), draft, body, NOW, version=1)

    made(app, make)


def test_the_first_page_names_the_parts_and_that_the_version_in_force_goes_on(app: Flask) -> None:
    page = editor(app, drafted(app)).page
    assert page.heading == "計畫進度落後判定"
    assert "草稿 現行版本照常運作" in page.text
    assert "參數 5 個可以調整的數字或文字 沒有問題" in page.text
    assert page.soup.select_one(".app-tabs [aria-current]").text == "總覽"


def test_a_threshold_is_changed_and_the_value_in_force_stands_beside_it(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/parameters")
    assert person.page.value("value-severe_lag") == "6.5"
    page = person.press("儲存草稿", {"value-severe_lag": "１０"})
    assert page.value("value-severe_lag") == "10"
    assert "現行：6.5 個百分點" in page.text
    body = body_of(app, draft)
    assert body["parameters"]["severe_lag"]["value"] == 10
    before = made(app, lambda: queries.in_force("progress_lag", NOW.date()))
    before["parameters"]["severe_lag"]["value"] = 10
    assert body == before  # and nothing else


def test_what_is_wrong_is_kept_as_typed_and_named(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/parameters")
    page = person.press("儲存草稿", {"value-severe_lag": "六點五", "value-behind_lag": ""})
    assert page.value("value-severe_lag") == "六點五"
    assert page.mistakes == ["嚴重落後門檻：「六點五」不是數字", "落後門檻：「」不是數字、文字或是非"]
    assert page.soup.title.text.startswith("錯誤：")
    assert body_of(app, draft)["parameters"]["severe_lag"]["value"] == "六點五"
    assert "問題" in editor(app, draft).page.text


def test_details_of_a_parameter(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/parameters")
    person.press(
        "儲存草稿",
        {
            "status-severe_lag": "sourced",
            "source_zh-severe_lag": "要點第 3 點",
            "unit_zh-ahead_lag": "",
            "unit_en-ahead_lag": "",
        },
    )
    after = body_of(app, draft)["parameters"]
    assert (after["severe_lag"]["status"], after["severe_lag"]["source"]) == ("sourced", "要點第 3 點")
    assert "unit" not in after["ahead_lag"]


def test_a_word_with_options_is_chosen(app: Flask) -> None:
    draft = drafted(app, "petition_handling")
    person = editor(app, draft, "/parameters")
    page = person.press("儲存草稿", {"value-confirm_channel": "電子郵件"})
    assert body_of(app, draft)["parameters"]["confirm_channel"]["value"] == "email"
    assert "現行：不使用" in page.text


def test_whoever_is_overtaken_reads_by_whom_and_what_was_typed(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/parameters")
    others_save(app, draft)
    page = person.press("儲存草稿", {"value-severe_lag": "8.25"})
    assert page.status == 409
    assert "系統管理員" in page.text
    assert re.search(r"嚴重落後門檻\s*8.25", page.text)
    assert body_of(app, draft)["parameters"]["severe_lag"]["value"] == 6.5


def test_a_draft_that_is_wrong_in_any_way_still_opens(app: Flask) -> None:
    draft = drafted(app)
    for broken in (
        {},
        {"parameters": [], "rules": {"a": 1}, "tables": "none"},
        {
            "parameters": {"a": 5, "b": {}, "c d": {"value": [1, {}], "label": 7}},
            "tables": [5, {}, {"rows": [1, {}]}],
        },
    ):

        def make(broken: dict[str, Any] = broken) -> None:
            with unit_of_work():
                found = queries.draft(draft)
                desk.save(officer("admin"), draft, broken, NOW, version=found.version)

        made(app, make)
        person = editor(app, draft)
        pages: list[Page] = [person.page]
        tables = broken.get("tables", [])
        for part in (
            "/parameters",
            *(f"/tables/{n + 1}" for n in range(len(tables) if isinstance(tables, list) else 0)),
        ):
            pages.append(person.get(f"/admin/drafts/{draft}/edit{part}"))
            if pages[-1].offers("儲存草稿"):
                person.press("儲存草稿")
        assert [page.status for page in pages] == [200] * len(pages)
        assert body_of(app, draft) == broken


def test_what_is_no_draft_of_a_ruleset_is_not_found(app: Flask) -> None:
    person = signed_in(app, "guo.shiming")
    assert person.get("/admin/drafts/999999/edit").status == 404
    assert person.get("/admin/drafts/999999/edit/parameters").status == 404
    draft = drafted(app)
    for number in (0, 2, 10**12):
        assert person.get(f"/admin/drafts/{draft}/edit/tables/{number}").status == 404


# --- tables ----------------------------------------------------------------------------------------------


def rows_of(app: Flask, draft: int, place: int = 0) -> list[dict[str, Any]]:
    return body_of(app, draft)["tables"][place]["rows"]


def said(page: Page) -> str:
    return plain(page.soup.select_one("[data-problems-status]"))


def test_a_grid_that_is_saved_as_it_was_shown_changes_nothing(app: Flask) -> None:
    before = queries_before(app)
    for key, number in (
        ("progress_lag", 1),
        ("petition_handling", 1),
        ("verification_picking", 2),
        ("plan_selection", 1),
    ):
        draft = drafted(app, key)
        for cells in ("", "?cells=text"):
            page = editor(app, draft, f"/tables/{number}{cells}").press("儲存草稿")
            assert said(page).startswith("✓")
            assert body_of(app, draft) == before[key]


def queries_before(app: Flask) -> dict[str, Any]:
    keys = ("progress_lag", "petition_handling", "verification_picking", "plan_selection")
    return made(app, lambda: {key: queries.in_force(key, NOW.date()) for key in keys})


def test_cells_are_typed_and_what_is_wrong_is_kept_and_led_back_to(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    page = person.press("檢查", {"when-2-1": "＞ ８", "when-3-1": "很多", "then-4-0": "黃燈"})
    assert [row["when"][1] for row in rows_of(app, draft)[2:4]] == [{"op": "gt", "value": 8}, "很多"]
    assert rows_of(app, draft)[4]["then"][0] == "yellow"
    assert page.value("when-3-1") == "很多"
    assert said(page) == "✕ 1 個問題要先處理"
    [link] = page.soup.select("[data-problems] a")
    assert link["href"] == "#when-3-1" and "第 4 列第 2 欄「進度落後」：「很多」不是數字" in link.text
    assert page.soup.select_one("#when-3-1")["aria-invalid"] == "true"
    assert "wrong" in page.soup.select_one("#row-3")["class"][0]


def test_a_value_outside_the_options_is_answered_in_the_words_of_the_cells(app: Flask) -> None:
    person = editor(app, drafted(app), "/tables/1")
    selects = person.page.soup.select("select[name^=then-0-]")
    place = next(each["name"] for each in selects if "超前" in each.text)
    number = len(person.page.soup.select("[name^=when-0-]")) + int(str(place).rpartition("-")[2]) + 1
    values = {str(place): "飛快"}
    body = dict(person.page.button("檢查")[0].filled({}).items()) | values
    told = person.post(f"{person.page.path}/check", body).content.decode()
    assert f"第 1 列第 {number} 欄「" in told and "飛快" in told
    assert "超前、符合進度" in told and "on_track" not in told


def test_gaps_and_overlaps_name_their_rows(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    page = person.press("檢查", {"when-6-1": "< {藍燈門檻}"})
    [gap] = [plain(each) for each in page.soup.select("[data-marks]")]
    assert gap == "缺口：當期未填報為「否」、進度落後等於 -5，沒有任何一列符合"
    page = person.press("檢查", {"table-hit_policy": "unique"})
    [overlap] = [each for each in page.soup.select("[data-marks]") if "第 1、2 列都符合" in each.text]
    assert overlap["data-marks"] == "row-0 row-1"


def test_rows_move_by_buttons_and_nothing_typed_is_lost(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    names = [row["label"]["zh"] for row in rows_of(app, draft)]
    page = person.press("down:0", {"when-1-1": "打到一半"})
    assert [row["label"]["zh"] for row in rows_of(app, draft)] == [names[1], names[0], *names[2:]]
    assert page.value("when-0-1") == "打到一半"
    assert (person.trail[0].location or "").endswith("#down-1")
    person.press("add:1")
    assert rows_of(app, draft)[1] == {"when": ["-", "-"], "then": ["-", "-"]}
    person.press("delete:1", {"label_zh-1": "新的一列"})
    person.press("up:1")
    assert [row["label"]["zh"] for row in rows_of(app, draft)] == names
    assert rows_of(app, draft)[1]["when"] == ["-", "打到一半"]


def test_columns_come_go_and_are_compared_otherwise(app: Flask) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft, "/tables/1")
    person.press("新增條件欄", {"new-fact": "plan.budget", "new-op": "ge"})
    person.press("新增結果欄", {"new-output": "add_points.points"})
    table = body_of(app, draft)["tables"][0]
    assert table["inputs"][2] == {"fact": "plan.budget", "op": "ge"}
    assert table["outputs"][2] == {"action": "add_points", "param": "points"}
    assert {(len(row["when"]), len(row["then"])) for row in table["rows"]} == {(3, 3)}
    person.press("remove-when:2", {"op-1": "gt"})
    person.press("remove-then:2", {"op-1": "ge"})
    assert body_of(app, draft) == before


def test_settings_of_a_table(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    page = person.press(
        "儲存草稿",
        {
            "table-hit_policy": "priority",
            "table-output": "set_light.light",
            "table-order": "灰燈、紅燈、黃燈、綠燈、藍燈",
            "table-complete": "false",
            "table-source_zh": "要點",
            "table-status": "sourced",
        },
    )
    table = body_of(app, draft)["tables"][0]
    assert table["order"] == ["grey", "red", "yellow", "green", "blue"]
    assert table["output"] == {"action": "set_light", "param": "light"}
    assert (table["complete"], table["source"], table["status"]) == (False, "要點", "sourced")
    assert "優先順序：採用結果排在最前面的一列" in page.text
    assert page.value("table-order") == "灰燈、紅燈、黃燈、綠燈、藍燈"


def test_details_of_a_row(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    person.press(
        "儲存草稿",
        {
            "label_zh-0": "沒有填",
            "source_zh-0": "要點",
            "status-0": "sourced",
            "label_zh-1": "",
            "label_en-1": "",
        },
    )
    first, second = rows_of(app, draft)[:2]
    assert (first["label"], first["source"], first["status"]) == (
        {"zh": "沒有填", "en": "No report"},
        "要點",
        "sourced",
    )
    assert "label" not in second


def test_the_check_while_typing_saves_nothing(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    before = body_of(app, draft)
    form, _button = person.page.button("檢查")
    path = str(form.tag["data-grid-check"])
    page = person.post(path, dict(form.filled({"when-0-1": "很多"}).items()))
    assert "第 1 列第 2 欄" in page.content.decode()
    assert body_of(app, draft) == before


def test_whoever_is_overtaken_keeps_the_grid_as_text(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1")
    others_save(app, draft)
    details = {
        "label_zh-2": "落後很多",
        "plain_zh-2": "工程慢了",
        "source_zh-2": "某要點",
        "status-2": "seed",
    }
    page = person.press("儲存草稿", {"when-2-1": "≥ 8.25", **details})
    assert page.status == 409
    assert "系統管理員" in page.text and "≥ 8.25" in page.text and "未填報" in page.text
    assert all(text in page.text for text in details.values())


def test_what_was_submitted_is_only_read(app: Flask) -> None:
    draft = drafted(app)

    def discard() -> None:
        with unit_of_work():
            desk.discard(officer("admin"), draft, NOW, version=1)

    person = editor(app, draft, "/tables/1")
    made(app, discard)
    page = person.press("儲存草稿", {"when-2-1": "9"})
    assert page.status == 409 and "9" in page.text
    for part in ("/tables/1", "/parameters"):
        page = editor(app, draft, part).page
        assert not page.offers("儲存草稿") and page.soup.select_one("fieldset[disabled]")
        assert "已捨棄" in page.text


# --- spreadsheets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_goes_out_and_comes_back_the_same(app: Flask, kind: str) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft, "/tables/1")
    content = person.follow(f"匯出 {kind.upper()}").content
    person.get(f"/admin/drafts/{draft}/edit/tables/1")
    person.follow("貼上或匯入表格")
    page = person.press("預覽", files={"file": [(f"table.{kind}", content)]})
    assert "預覽：7 列" in page.text and "✓ 沒有缺口" in page.text
    page = person.press("取代全部列")
    assert "已放入 7 列" in page.text
    assert body_of(app, draft) == before


def test_rows_are_pasted_looked_at_and_taken_over(app: Flask) -> None:
    draft = drafted(app, "year_end_grade")
    rows = rows_of(app, draft)
    person = editor(app, draft, "/tables/1/paste")
    page = person.press("預覽", {"sheet": '考核等第\t考核總分 >=\n"丙等"\t< ６０\n\n乙等\t很多'})
    assert rows_of(app, draft) == rows
    assert "預覽：2 列" in page.text
    assert "第 2 列第 1 欄「考核總分」：「很多」不是數字" in page.text
    person.press("append")
    after = rows_of(app, draft)
    assert after[: len(rows)] == rows
    assert after[len(rows) :] == [
        {"when": [{"op": "lt", "value": 60}], "then": ["c"]},
        {"when": ["很多"], "then": ["b"]},
    ]


def test_a_sheet_that_does_not_fit_is_kept_and_says_where(app: Flask) -> None:
    draft = drafted(app, "year_end_grade")
    person = editor(app, draft, "/tables/1/paste")
    page = person.press("預覽", {"sheet": "等級\t分數\n甲\t5"})
    assert page.mistakes == ["沒有「等級」這一欄。這張表的欄位：考核總分 ≥、考核等第。"]
    assert page.value("sheet").splitlines() == ["等級\t分數", "甲\t5"]
    page = person.press("預覽", {"sheet": "考核等第\n甲等"})
    assert "沒有這些欄，取代後會留空：考核總分 ≥" in page.text
    page = person.press("預覽", files={"file": [("x.xlsx", b"PK\x03\x04 no")]})
    assert page.status == 422 and page.mistakes
    person.press("預覽", {"sheet": "考核等第\n甲等"})
    others_save(app, draft)
    page = person.press("replace")
    assert page.status == 409 and "考核等第" in page.text


def test_a_preview_names_the_details_that_go_and_stays_as_old_as_it_is(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/tables/1/paste")
    cells = "燈號\t執行狀態\n綠燈\t符合進度"
    page = person.press("預覽", {"sheet": cells})
    told = [each.get_text(strip=True) for each in page.soup.select(".govuk-inset-text")]
    gone = "當期未填報、進度落後 ≥、列名稱、列名稱（英文）、依據、依據狀態"
    assert f"沒有這些欄，取代後會留空：{gone}" in told
    others_save(app, draft)
    person.press("預覽", {"sheet": cells})
    page = person.press("replace")
    assert page.status == 409 and "綠燈" in page.text


def test_what_people_do_in_a_spreadsheet() -> None:
    lines = [["標題", "=1+1"], ["-5", "甲\n乙"]]
    assert sheets.cells_of(spreadsheets.as_csv(lines)) == lines
    assert sheets.cells_of(spreadsheets.as_xlsx(lines, "x")) == lines
    assert sheets.cells_of("標題,數\n甲,5".encode("cp950")) == [["標題", "數"], ["甲", "5"]]

    def made_of(change: Callable[[Worksheet], object]) -> bytes:
        book, out = Workbook(), io.BytesIO()
        sheet = book.active
        assert isinstance(sheet, Worksheet)
        for row in (["a", "b"], [6.5, date(2026, 1, 31)], [True, None]):
            sheet.append(row)
        change(sheet)
        book.save(out)
        return out.getvalue()

    plain_book = made_of(lambda sheet: None)
    assert sheets.cells_of(plain_book) == [["a", "b"], ["6.5", "2026-01-31"], ["True", ""]]
    for content, said in (
        (made_of(lambda sheet: sheet.merge_cells("B2:B3")), "第 2 列「B2:B3」：是合併的儲存格"),
        (made_of(lambda sheet: sheet.cell(3, 1, "=A1")), "第 3 列「A3」：是公式"),
        (made_of(lambda sheet: sheet.cell(1, 300, "x")), "超過 5,000 列或 200 欄"),
        (b"\xff\xfe\x00", "不是 XLSX，也不是 UTF-8 或 Big5 的 CSV"),
        (b"x" * (5 * 1024**2 + 1), "超過 5 MB"),
    ):
        with pytest.raises(Refused, match=said):
            sheets.cells_of(content)


ODD = [text.encode() for text in ('JSON "\\ud800"', "JSON NaN", "{" * 40, "「」", '"', "[]", "< ", "、")]


@pytest.mark.parametrize(
    "values",
    [[HOSTILE[3], HOSTILE[6], *ODD[:3]], pytest.param([*HOSTILE, *ODD], marks=pytest.mark.full)],
    ids=["some", "all"],
)
@pytest.mark.parametrize("part", ["/parameters", "/tables/1", "/tables/1/paste"])
def test_whatever_is_typed_is_kept_and_shown_again(app: Flask, part: str, values: list[bytes]) -> None:
    draft = drafted(app)
    person = editor(app, draft, part)
    for value in values:
        form = person.page.form_with("version")
        everything = dict.fromkeys(form.names, value) | {
            "version": form.values["version"].encode(),
            "rows": b"7",
        }
        body = urlencode({**everything, "do": b"add:3"}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        for path in (f"/admin/drafts/{draft}/edit{part}", f"/admin/drafts/{draft}/edit/tables/1/check"):
            assert person.send("POST", path, body, kind).status < 500, value
        page = person.get(f"/admin/drafts/{draft}/edit{part}")
        assert page.status == 200, value
        assert b"<script>alert(1)" not in page.content
    assert person.get(f"/admin/drafts/{draft}/edit").status == 200
    assert person.get(f"/admin/drafts/{draft}/edit/tables/1/table.xlsx").status == 200


# --- parts come and go -----------------------------------------------------------------------------------


def test_a_parameter_comes_and_goes(app: Flask) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft)
    page = person.press("新增參數", {"label": "新門檻", "code": "severe_lag"})
    assert body_of(app, draft)["parameters"]["severe_lag_2"]["label"] == "新門檻"
    assert "新門檻：「」不是數字、文字或是非" in page.mistakes
    assert not page.offers("remove:severe_lag")
    person.press("remove:severe_lag_2", {"value-severe_lag": "10"})
    before["parameters"]["severe_lag"]["value"] = 10
    assert body_of(app, draft) == before


def test_a_table_comes_and_goes(app: Flask) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft)
    person.press("新增決策表", {"label": "加分"})
    person.press("新增條件欄", {"new-fact": "plan.budget"})
    person.press("新增結果欄", {"new-output": "add_points.points"})
    page = person.press("新增一列")
    page = person.press("檢查", {"then-0-0": "5"})
    assert said(page).startswith("✓")
    assert body_of(app, draft)["tables"][1]["rows"] == [{"when": ["-"], "then": [5]}]
    person.press("從草稿刪除這張表")
    assert body_of(app, draft) == before
    person.get(f"/admin/drafts/{draft}/edit/tables/1")
    assert "這些範例還要求這張表的結果：" in person.page.text
    others = signed_in(app, "guo.shiming")
    others.get(f"/admin/drafts/{draft}/edit")
    person.press("從草稿刪除這張表")
    assert others.press("新增決策表", {"label": "太晚"}).status == 409
    assert "太晚" in others.page.text


def test_two_hundred_rows_are_checked_within_a_second(app: Flask) -> None:
    draft = drafted(app)

    def fill() -> None:
        with unit_of_work():
            body = queries.draft(draft).mapping
            rows = [{"when": ["-", 200 - n], "then": ["red", "severe"]} for n in range(199)]
            body["tables"][0]["rows"] = [*rows, {"when": ["-", "-"], "then": ["green", "ahead"]}]
            desk.save(officer("admin"), draft, body, NOW, version=1)

    made(app, fill)
    person = editor(app, draft, "/tables/1")
    form, _button = person.page.button("檢查")
    path = str(form.tag["data-grid-check"])
    page = person.post(path, dict(form.filled({"when-150-1": "很多"}).items()))
    assert "第 151 列第 2 欄" in page.content.decode()
    began = process_time()
    page = person.post(path, dict(form.filled({"when-150-1": "60"}).items()))
    took = process_time() - began
    assert "第 151 列永遠不會被採用" in page.content.decode()
    assert took < 1, took


# --- a sign-in that ended meanwhile -------------------------------------------------------------------------


def signed_in_again(app: Flask, person: Visitor) -> Page:
    """Its sign-in page came back instead of an answer."""
    assert person.page.status == 401
    password = demo.password(os.environ["SECRET_KEY"])
    return person.press("登入", {"email": demo.login("guo.shiming"), "password": password})


@pytest.mark.parametrize(
    ("part", "button", "typed"),
    [
        ("/tables/1", "儲存草稿", {"when-2-1": "≥ 8.25", "label_zh-2": "落後很多"}),
        ("/parameters", "儲存草稿", {"value-severe_lag": "8.25"}),
        ("/yaml", "檢查", {"text": "key: progress_lag\ntitle: " + "長" * 40_000}),
        ("/tables/1/paste", "預覽", {"sheet": "進度落後 ≥\t燈號\n8.25\t紅燈"}),
        ("/examples/1", "更新", {"name": "剛改的名稱"}),
    ],
)
def test_what_was_typed_before_the_sign_in_ended_is_sent_again(
    app: Flask, part: str, button: str, typed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = drafted(app)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    client = app.test_client()
    person = in_process(client)
    sign_in(person, "guo.shiming")
    person.get(f"/admin/drafts/{draft}/edit{part}")
    before = body_of(app, draft)
    client.delete_cookie("ecounter")
    person.press(button, typed)
    page = signed_in_again(app, person)
    assert body_of(app, draft) == before
    assert all(text in page.soup.main.get_text() for text in typed.values())
    page = person.press("再送一次")
    assert page.status in (200, 422), page.text
    assert all(page.value(name) == text for name, text in typed.items())


def test_a_page_of_before_another_sign_in_is_shown_again(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = drafted(app)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)
    person = editor(app, draft, "/parameters")
    page = person.press("儲存草稿", {"value-severe_lag": "8.25"}, smuggle={"csrf_token": "of yesterday"})
    assert page.status == 400 and "8.25" in page.text
    others_save(app, draft)
    page = person.press("再送一次")
    assert page.status == 409 and "8.25" in page.text
