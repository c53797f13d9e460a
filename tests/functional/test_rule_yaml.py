"""The text of a draft over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from flask import Flask

from tests.functional.test_rule_pages import body_of, drafted, editor, put
from tests.journeys import NOW
from tests.officers import at


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def test_the_text_is_saved_right_or_wrong_and_named_by_line(app: Flask) -> None:
    draft = drafted(app, "petition_handling")
    before = body_of(app, draft)
    person = editor(app, draft, "/yaml")
    assert person.page.mistakes == [] and "註解" in person.page.text
    person.press("儲存")
    assert "已儲存。" in person.page.text and body_of(app, draft) == before
    text = person.page.value("text").replace("hit_policy: rule_order", "hit_policy: every", 1)
    line = text.split("\n").index("hit_policy: every") + 1
    person.press("檢查", {"text": text})
    (mistake,) = person.page.mistakes
    assert mistake.startswith(f"第 {line} 行：hit_policy: 「every」不在可選的值之中")
    assert body_of(app, draft) == before
    person.press("儲存")
    assert body_of(app, draft) == before | {"hit_policy": "every"}
    assert len(person.page.mistakes) == 1
    assert "every" in person.page.soup.select_one(".app-source__wrong").text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("key: case_deadlines\nrules: [", "第 2 行：括號沒有結束，或少了內容"),
        ("key: case_deadlines\n\ttitle: 一", "第 2 行：縮排不可使用 Tab"),
        ("key: case_deadlines\ntitle: 一: 二", "第 2 行：這裡不能再有冒號"),
        (
            "<script>alert('1')</script>: 1\n<script>alert('1')</script>: 2",
            "<script>alert('1')</script>」重複",
        ),
        ("key: case_deadlines\na: &a [1]\nb: *a", "第 3 行：不可使用 YAML 參照（*）"),
        ("- 1", "內容必須是一組「名稱: 值」"),
        ("key: progress_lag", "key 必須是「case_deadlines」"),
        ("title: 一", "key 必須是「case_deadlines」"),
        ("key: !!python/name:os.system x", "第 1 行：不可使用 YAML 標籤（!）"),
        ("key: case_deadlines\nx: !!float nan", "x: 「nan」不是可以計算的數字"),
        (f"key: case_deadlines\nx: 1{'0' * 400}.5", "x: 「inf」不是可以計算的數字"),
        ('key: case_deadlines\ntitle: "a\\0b"', "title: 「a<U+0000>b」含有不能使用的控制字元"),
        ("x: " + "a" * 600_000, "內容超過 512 KB"),
    ],
)
def test_what_cannot_be_kept_is_shown_again_as_it_was_typed(app: Flask, text: str, says: str) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft, "/yaml")
    person.press("儲存", {"text": text})
    assert person.page.status == 422
    (mistake,) = person.page.mistakes
    assert says in mistake
    assert person.page.value("text") == text
    assert body_of(app, draft) == before


def test_a_file_is_taken_away_and_brought_back(app: Flask) -> None:
    draft = drafted(app)
    before = body_of(app, draft)
    person = editor(app, draft, "/yaml")
    page = person.get(f"/admin/drafts/{draft}/edit/yaml/file")
    assert page.headers["Content-Disposition"] == "attachment; filename=case_deadlines.yaml"
    changed = yaml.safe_load(page.content) | {"effective_from": "2027-01-01"}
    content = yaml.safe_dump(changed, allow_unicode=True).replace("\n", "\r\n").encode("utf-8-sig")
    person.get(f"/admin/drafts/{draft}/edit/yaml")
    person.press("儲存", files={"file": [("case_deadlines.yaml", content)]})
    assert body_of(app, draft) == before | {"effective_from": "2027-01-01"}
    person.press("儲存", {"text": "key: mine"}, files={"file": [("x.yaml", "a: 金門".encode("big5"))]})
    assert person.page.status == 422 and person.page.value("text") == "key: mine"
    person.press("儲存", files={"file": [("x.yaml", b"a: " + b"x" * 600_000)]})
    assert person.page.mistakes == ["檔案超過 512 KB"]


def test_whoever_comes_too_late_keeps_the_text(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/yaml")
    put(app, draft, effective_from="2027-01-01")
    person.press("儲存", {"text": "key: case_deadlines\nmine: 1"})
    assert person.page.status == 409
    assert "已經改過這份草稿" in person.page.text and "mine: 1" in person.page.text
