"""Rules of a draft over HTTP, without script: the list, the condition builder, the action picker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.journeys import NOW, officer
from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from webapp.queries import editing
from webapp.services import desk
from webapp.uow import unit_of_work


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def drafted(app: Flask, key: str = "case_deadlines") -> int:
    def make() -> int:
        with unit_of_work():
            return desk.open_draft(officer("guo.shiming"), "ruleset", key, NOW).id

    return made(app, make)


def editor(app: Flask, draft: int, part: str = "/rules") -> Visitor:
    person = signed_in(app, "guo.shiming")
    person.get(f"/admin/drafts/{draft}/edit{part}")
    assert person.page.status == 200, person.page
    return person


def body_of(app: Flask, draft: int) -> dict[str, Any]:
    return made(app, lambda: editing.draft(draft).mapping)


def put(app: Flask, draft: int, **changes: object) -> None:
    """Somebody else saves."""

    def make() -> None:
        with unit_of_work():
            kept = editing.draft(draft)
            desk.save(officer("admin"), draft, kept.mapping | changes, NOW, version=kept.version)

    made(app, make)


def keys(app: Flask, draft: int) -> list[str]:
    return [rule["key"] for rule in body_of(app, draft)["rules"]]


def focused(person: Visitor) -> str:
    found = person.page.soup.select("[autofocus]")
    assert len(found) == 1, found
    return str(found[0]["id"])


def test_the_list_says_every_rule(app: Flask) -> None:
    page = editor(app, drafted(app)).page
    assert page.heading == "案件期限與稽催"
    said = [each.text for each in page.soup.select(".app-rules__sentence")]
    assert len(said) == 6
    assert "所有成立的規則都算數，依這裡的順序。" in page.text


def test_rules_move_are_copied_and_deleted_by_name(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft)
    person.press("up:1")
    assert keys(app, draft)[:2] == ["due", "warn"]
    assert focused(person) == "down-1"
    person.press("down:1")
    assert keys(app, draft)[:3] == ["due", "overdue_first", "warn"]
    assert focused(person) == "down-3"
    person.press("copy:0")
    assert keys(app, draft)[:2] == ["due", "due_2"]
    assert focused(person) == "rule-2"
    assert "到期通知（複本）" in person.page.text
    person.press("delete:1")
    assert person.page.heading == "刪除規則「到期通知（複本）」？"
    assert "due_2" in keys(app, draft)
    person.press("刪除「到期通知（複本）」")
    assert "due_2" not in keys(app, draft)
    assert "已刪除規則「到期通知（複本）」。" in person.page.text


def test_a_late_button_of_the_list_does_nothing(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft)
    put(app, draft, effective_from="2027-01-01")
    person.press("up:1")
    assert person.page.status == 409
    assert "系統管理者" in person.page.text or "已經改過這份草稿" in person.page.text
    assert keys(app, draft)[:2] == ["warn", "due"]


@pytest.mark.parametrize(
    "key",
    [
        "case_deadlines",
        "plan_reporting",
        "petition_handling",
        "progress_lag",
        "plan_selection",
        "intake_risk",
    ],
)
def test_a_page_that_nobody_touched_saves_what_was_there(app: Flask, key: str) -> None:
    draft = drafted(app, key)
    before = body_of(app, draft)
    person = editor(app, draft)
    for rule in before["rules"]:
        person.get(f"/admin/drafts/{draft}/edit/rules/{rule['key']}")
        assert person.page.mistakes == []
        person.press("儲存")
        assert "已儲存。" in person.page.text
    assert body_of(app, draft) == before


def test_a_rule_is_built_without_script(app: Flask) -> None:
    draft = drafted(app, "plan_reporting")
    person = editor(app, draft)
    person.press("新增規則")
    assert person.page.mistakes == ["規則至少要有一個動作"]
    person.press("add:c")
    assert focused(person) == "c-fact"
    person.press("add:c", {"c-fact": "plan.lag"})
    assert focused(person) == "c-1-fact"
    person.press("更新", {"c-1-fact": "plan.level"})
    person.press("group:c", {"c-0-op": "ge", "c-0-value": "６．５", "c-1-op": "in"})
    assert "進度落後 ≥ 6.5 個百分點" in person.page.text and "（還沒填完的條件）" in person.page.text
    assert person.page.value("c-0-value") == "６．５"
    person.press("更新", {"c-1-value": ["county", "magistrate"], "c-2-0-fact": "plan.completed"})
    person.press("wrap:c-2-0", {"c-2-kind": "not", "c-2-0-op": "eq"})
    assert focused(person) == "c-2-0-kind"
    person.press("add:t", {"c-2-0-0-value": "true", "t-new": "require_explanation"})
    assert focused(person) == "t-0-action"
    person.press("up:c-2", {"t-0-p-parts": ["reason"]})
    assert focused(person) == "c-1-up"
    person.press("儲存", {"label_zh": "落後說明", "key": "explain_lag"})
    assert "已儲存。" in person.page.text
    assert body_of(app, draft)["rules"][-1] == {
        "key": "explain_lag",
        "label": {"zh": "落後說明", "en": "New rule"},
        "when": {
            "all": [
                {"fact": "plan.lag", "op": "ge", "value": 6.5},
                {"not": {"all": [{"fact": "plan.completed", "op": "eq", "value": True}]}},
                {"fact": "plan.level", "op": "in", "value": ["county", "magistrate"]},
            ]
        },
        "then": [{"action": "require_explanation", "parts": ["reason"]}],
    }


def test_a_parameter_or_another_fact_on_the_other_side(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/review")
    assert "預警天數（2 個工作天）" in person.page.text
    person.press(
        "儲存", {"c-0-0-param": "second_days", "c-0-1-1-by": "fact", "c-0-1-1-other": "case.days_total"}
    )
    when = body_of(app, draft)["rules"][5]["when"]["all"][0]["any"]
    assert when[0]["value"] == {"param": "second_days"}
    assert when[1]["all"][1]["value"] == {"fact": "case.days_total"}
    # the parameter that nobody uses any more is a problem of the ruleset, not of this rule
    assert "已儲存。" in person.page.text


def test_what_is_wrong_is_saved_told_at_its_place_and_mended(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")
    person.press("儲存", {"c-0-by": "value", "c-0-value": "兩天", "t-0-p-rung": "第一次"})
    assert "已儲存。還有 2 個地方要修正，才能送審。" in person.page.text
    assert person.page.mistakes == ["「兩天」不是數字", "階段「第一次」不是有效的代碼"]
    links = [a["href"] for a in person.page.soup.select("[data-error-summary] a")]
    assert links == ["#c-0-value", "#t-0-p-rung"]
    assert all(person.page.soup.select_one(link) for link in links)
    person.get(f"/admin/drafts/{draft}/edit/rules")
    assert "到期前預警2 個問題" in person.page.text
    person.get(f"/admin/drafts/{draft}/edit/rules/warn")
    person.press("儲存", {"c-0-value": "2", "t-0-p-rung": "warn"})
    assert person.page.mistakes == []


def test_a_key_that_cannot_be_used_is_refused_with_what_was_typed(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")
    person.press("儲存", {"key": "due", "label_zh": "改名"})
    assert (person.page.status, person.page.mistakes) == (422, ["另一條規則已經使用這個代碼。"])
    assert person.page.value("label_zh") == "改名"
    person.press("儲存", {"key": "../x"})
    assert person.page.status == 422
    person.press("儲存", {"key": "early"})
    assert person.page.path.endswith("/rules/early")
    assert keys(app, draft)[0] == "early"


def test_whoever_comes_too_late_is_told_who_saved_and_keeps_what_was_typed(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")
    put(app, draft, effective_from="2027-01-01")
    person.press("更新", {"label_zh": "我的名稱"})
    assert person.page.status == 200  # nothing was to be saved
    person.press("儲存")
    assert person.page.status == 409
    assert "已經改過這份草稿" in person.page.text and "我的名稱" in person.page.text
    put(app, draft, rules=body_of(app, draft)["rules"][1:])
    person = editor(app, draft, "/rules/due")
    put(app, draft, rules=[])
    person.press("儲存", {"label_zh": "來不及"})
    assert person.page.status == 409 and "來不及" in person.page.text
    assert signed_in(app, "guo.shiming").get(f"/admin/drafts/{draft}/edit/rules/due").status == 404


def test_a_draft_that_is_wrong_in_any_way_can_be_shown(app: Flask) -> None:
    draft = drafted(app)
    put(
        app,
        draft,
        rules=[7, {"key": "a/b", "then": 1}, {"key": "c", "when": {"maybe": 1}, "then": [[], {"action": 3}]}],
    )
    person = editor(app, draft)
    assert "請在 YAML 頁修正" in person.page.text
    person.get(f"/admin/drafts/{draft}/edit/rules/c")
    assert person.page.value("c-text") == '{\n  "maybe": 1\n}'
    person.press("儲存", {"c-text": '{"fact": "case.fee", "op": "exists"}'})
    assert body_of(app, draft)["rules"] == [
        7,
        {"key": "a/b", "then": 1},
        {"key": "c", "when": {"fact": "case.fee", "op": "exists"}, "then": [[], {"action": 3}]},
    ]
    put(app, draft, rules=[{"key": ["x"], "label": "甲", "then": []}], tables=[{"key": {}}])
    person = editor(app, draft)
    person.press("新增規則")
    assert person.page.status == 200
    assert [rule["key"] for rule in body_of(app, draft)["rules"]] == [["x"], "new_rule"]
    put(app, draft, rules="none", hit_policy=["x"], parameters=[], tables=5)
    person = editor(app, draft)
    person.press("新增規則")
    assert keys(app, draft) == ["new_rule"]


@pytest.mark.parametrize("text", ["NaN", '"\\ud800"', "[" * 600 + "]" * 600, "{"])
def test_what_is_no_value_stays_as_it_was_typed_and_every_page_opens(app: Flask, text: str) -> None:
    draft = drafted(app)
    put(app, draft, rules=[{"key": "c", "label": "甲", "when": {"maybe": 1}, "then": []}])
    person = editor(app, draft, "/rules/c")
    person.press("儲存", {"c-text": text})
    assert person.page.status == 200
    assert body_of(app, draft)["rules"][0]["when"] == text
    for page in ("", "/edit", "/edit/yaml", "/edit/rules", "/edit/rules/c"):
        assert person.get(f"/admin/drafts/{draft}{page}").status == 200, page


def test_what_cannot_be_kept_is_refused_and_shown_again(app: Flask) -> None:
    draft = drafted(app)
    put(app, draft, rules=[{"key": "c", "label": "甲", "when": {"maybe": 1}, "then": []}])
    before = body_of(app, draft)
    person = editor(app, draft, "/rules/c")
    deep = "[" * 59 + "]" * 59
    person.press("儲存", {"c-text": deep, "label_zh": "我的名稱"})
    assert person.page.status == 422
    assert "有無法保存的內容，草稿沒有儲存" in person.page.text and "最多 60 層" in person.page.text
    assert person.page.value("c-text") == deep and person.page.value("label_zh") == "我的名稱"
    assert body_of(app, draft) == before


def test_limits_are_told_and_nothing_is_lost(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")
    for _ in range(11):
        person.press("wrap:c")
    person.press("wrap:c", {"label_zh": "很深"})
    assert person.page.status == 422
    assert person.page.mistakes == ["條件最多 12 層，請改用另一條規則。"]
    assert person.page.value("label_zh") == "很深"
    deep = {"c" + "-0" * i + "-kind": "not" for i in range(60)}
    assert person.post(f"/admin/drafts/{draft}/edit/rules/warn", deep).status == 422


def test_a_submitted_draft_is_only_read(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")

    def discard() -> None:
        with unit_of_work():
            desk.discard(officer("guo.shiming"), draft, NOW, version=1)

    made(app, discard)
    person.get(f"/admin/drafts/{draft}/edit/rules")
    assert not person.page.offers("新增規則")
    person.get(f"/admin/drafts/{draft}/edit/rules/warn")
    assert not person.page.offers("儲存")


def test_what_the_applicant_reads_of_a_rule_is_typed_beside_its_source(app: Flask) -> None:
    draft = drafted(app)
    key = keys(app, draft)[0]
    person = editor(app, draft, f"/rules/{key}")
    person.press("儲存", {"plain_zh": "承辦人已收到提醒。", "plain_en": "The officer was reminded."})
    assert "已儲存。" in person.page.text
    said = body_of(app, draft)["rules"][0]["plain"]
    assert said == {"zh": "承辦人已收到提醒。", "en": "The officer was reminded."}
    person.get(f"/admin/drafts/{draft}/edit/rules/{key}")
    assert person.page.value("plain_zh") == "承辦人已收到提醒。"
    person.press("儲存", {"plain_zh": "", "plain_en": ""})
    assert "plain" not in body_of(app, draft)["rules"][0]
