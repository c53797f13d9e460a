"""The editor of a ruleset without script: parameters and tables are typed, saved as typed, and never lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from tests.visitor import Page, Visitor
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
        for part in ("/parameters",):
            pages.append(person.get(f"/admin/drafts/{draft}/edit{part}"))
            if pages[-1].offers("儲存草稿"):
                person.press("儲存草稿")
        assert [page.status for page in pages] == [200] * len(pages)
        assert body_of(app, draft) == broken


def test_what_is_no_draft_of_a_ruleset_is_not_found(app: Flask) -> None:
    person = signed_in(app, "guo.shiming")
    assert person.get("/admin/drafts/999999/edit").status == 404
    assert person.get("/admin/drafts/999999/edit/parameters").status == 404
