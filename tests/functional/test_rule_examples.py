"""Examples of a draft over HTTP: run, written, taken from what comes out and from real decisions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.functional.test_rule_pages import body_of, drafted, editor, focused, put
from tests.journeys import NOW, citizen, submitted
from tests.officers import at, made, signed_in
from webapp.extensions import db
from webapp.models import Case, Firing
from webapp.uow import unit_of_work


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def results(text: str) -> list[bool]:
    return [mark == "✓" for mark in text if mark in "✓✕"]


def test_a_rule_example_fails_and_is_fixed(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/rules/warn")
    person.press("儲存", {"c-0-by": "value", "c-0-value": "3"})
    person.get(f"/admin/drafts/{draft}/edit/rules/due")
    person.press("儲存", {"c-0-param": "warn_days"})
    person.get(f"/admin/drafts/{draft}/edit/examples")
    assert "到期前三個工作天還不預警" in person.page.text
    assert "事實：距到期日剩餘工作天 3 個工作天；期限暫停計算 「否」" in person.page.text
    person.press("執行全部")
    # due_days is used no more: what hinders is named, nothing is run
    assert "草稿還有問題，修正後才能執行" in person.page.text and "due_days" in person.page.text
    person.get(f"/admin/drafts/{draft}/edit/rules/due")
    person.press("儲存", {"c-0-param": "due_days"})
    person.get(f"/admin/drafts/{draft}/edit/rules/warn")
    person.press("儲存", {"c-0-by": "param", "c-0-param": "warn_days"})
    put(
        app,
        draft,
        parameters=body_of(app, draft)["parameters"]
        | {"warn_days": {**body_of(app, draft)["parameters"]["warn_days"], "value": 3}},
    )
    person.get(f"/admin/drafts/{draft}/edit/examples")
    person.press("執行全部")
    assert "10 個測試案例，1 個不符。" in person.page.text
    first = person.page.soup.select_one("#example-1")
    assert "✕ 不符" in first.text and "稽催" in first.select_one("table").text
    assert "到期前預警" in first.select_one("details").text
    person.follow("到期前三個工作天還不預警")
    person.press("以算出的結果為預期")
    assert "✓ 通過" in person.page.text
    assert body_of(app, draft)["examples"][0]["expect"] == []
    person.press("儲存", {"name": "到期前三個工作天預警"})
    assert "10 個測試案例全部通過。" in person.page.text
    assert body_of(app, draft)["examples"][0] == {
        "name": "到期前三個工作天預警",
        "facts": {"case.days_left": 3, "case.paused": False},
        "expect": [{"rule": "warn", "action": "escalate", "rung": "warn", "to": ["officer"], "kind": "warn"}],
    }


@pytest.mark.parametrize("key", ["petition_handling", "progress_lag"])
def test_a_page_that_nobody_touched_saves_what_was_there(app: Flask, key: str) -> None:
    draft = drafted(app, key)
    before = body_of(app, draft)
    person = editor(app, draft, "/examples")
    for n in range(1, min(len(before["examples"]), 4) + 1):
        person.get(f"/admin/drafts/{draft}/edit/examples/{n}")
        assert person.page.mistakes == []
        person.press("儲存")
    assert body_of(app, draft) == before


def test_an_example_is_written_without_script(app: Flask) -> None:
    draft = drafted(app, "progress_lag")
    count = len(body_of(app, draft)["examples"])
    person = editor(app, draft, "/examples")
    person.follow("新增測試案例")
    person.press("add:f")
    assert focused(person) == "f-0-fact"
    person.press("add:f", {"f-0-fact": "plan.lag", "f-0-value": "七"})
    person.press("add:e", {"f-1-fact": "plan.completed", "e-new": "set_progress"})
    assert focused(person) == "e-0-action"
    person.press("儲存", {"f-1-value": "true"})
    assert (person.page.status, person.page.mistakes) == (422, ["請寫這個測試案例在測什麼。"])
    person.press("儲存", {"name": "落後七點", "f-1-fact": "plan.lag"})
    assert person.page.mistakes == ["這項事實前面已經有了。"]
    person.press("delete:f-1")
    person.press("儲存", {"e-0-p-status": "severe"})
    assert body_of(app, draft)["examples"][count:] == [
        {
            "name": "落後七點",
            "facts": {"plan.lag": "七"},
            "expect": [{"action": "set_progress", "status": "severe"}],
        }
    ]
    person.follow("落後七點")
    assert person.page.mistakes == ["「進度落後」的值「七」不是數字"]
    person.press("執行這一個", {"f-0-value": "７"})
    assert "預期" in person.page.text and focused(person) == "verdict"
    person.press("save", {"f-0-value": "7"})
    assert body_of(app, draft)["examples"][count]["facts"] == {"plan.lag": 7}
    person.follow("落後七點")
    person.press("delete")
    assert person.page.heading == "刪除測試案例「落後七點」？"
    person.press("confirm")
    assert "已刪除測試案例「落後七點」。" in person.page.text
    assert len(body_of(app, draft)["examples"]) == count


def test_an_example_of_a_real_decision_holds_facts_alone(app: Flask) -> None:
    number = made(app, lambda: submitted("EC09").number or "")
    facts, applicant = made(app, lambda: _stored(number)), made(app, lambda: citizen().name)
    draft = drafted(app, "intake_routing")
    person = editor(app, draft, "/examples")
    person.follow("由實際判斷做成")
    person.press("找判斷紀錄", {"subject": "EC09-114-999999"})
    assert "找不到這件案件或計畫" in person.page.text
    person.press("找判斷紀錄", {"subject": number})
    person.follow("做成測試案例")
    person.press("儲存")
    kept = body_of(app, draft)["examples"][-1]
    assert kept["name"] == "依 2025-09-25 的實際判斷"
    assert kept["facts"] and kept["facts"].items() <= facts.items()
    assert kept["expect"][0]["action"]
    assert applicant and number not in str(kept) and applicant not in str(kept)
    assert "全部通過。" in person.page.text


def _stored(number: str) -> dict[str, object]:
    case = db.session.scalars(select(Case).where(Case.number == number)).one()
    firings = db.session.scalars(select(Firing).where(Firing.case_id == case.id).order_by(Firing.id)).all()
    return {name: value for firing in firings for name, value in firing.facts.items()}


def test_the_decisions_of_a_confidential_case_are_not_shown(app: Flask) -> None:
    draft = drafted(app, "intake_routing")

    def confidential() -> tuple[str, int]:
        case = submitted("EC09")
        with unit_of_work():
            db.session.get_one(Case, case.id).confidential = True
        firing = select(Firing.id).where(Firing.case_id == case.id).order_by(Firing.id)
        return case.number or "", db.session.scalars(firing).first() or 0

    number, firing = made(app, confidential)
    admin = signed_in(app, "admin")
    new = len(body_of(app, draft)["examples"]) + 1
    assert admin.get(f"/admin/drafts/{draft}/edit/examples/{new}?firing={firing}").status == 404
    admin.get(f"/admin/drafts/{draft}/edit/examples/record?subject={number}")
    assert "找不到這件案件或計畫" in admin.page.text


def test_an_example_of_a_plan(app: Flask) -> None:
    """The administrator, who opens no case, finds it by its title."""
    draft = drafted(app, "progress_lag")
    admin = signed_in(app, "admin")
    admin.get(f"/admin/drafts/{draft}/edit/examples/record?subject=開瑄國小校舍及運動場新建")
    admin.follow("做成測試案例")
    admin.press("儲存")
    kept = body_of(app, draft)["examples"][-1]
    assert kept["facts"]["plan.lag"] == 9.45 and "開瑄" not in str(kept)


def test_whoever_comes_too_late_keeps_what_was_typed(app: Flask) -> None:
    draft = drafted(app)
    person = editor(app, draft, "/examples/1")
    put(app, draft, effective_from="2027-01-01")
    person.press("儲存", {"name": "我的案例"})
    assert person.page.status == 409
    assert "已經改過這份草稿" in person.page.text and "我的案例" in person.page.text


def test_examples_that_are_wrong_in_any_way_can_be_shown(app: Flask) -> None:
    draft = drafted(app)
    put(
        app,
        draft,
        examples=[
            3,
            {"name": {}, "facts": 4, "expect": "none"},
            {"facts": {"nobody": {"a": 1}}, "expect": [[]]},
        ],
    )
    person = editor(app, draft, "/examples")
    assert "請在 YAML 頁修正" in person.page.text
    assert signed_in(app, "guo.shiming").get(f"/admin/drafts/{draft}/edit/examples/1").status == 404
    person.get(f"/admin/drafts/{draft}/edit/examples/3")
    assert person.page.mistakes
    person.press("執行這一個")
    assert person.page.status == 200 and "草稿還有問題" in person.page.text
    assert signed_in(app, "guo.shiming").get(f"/admin/drafts/{draft}/edit/examples/9").status == 404
    put(app, draft, examples="none")
    assert editor(app, draft, "/examples?run=all").page.status == 200
