"""The pages of extension and suspension: who sees which button, what is kept after a mistake, who was faster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.journeys import NOW, submitted, take
from tests.officers import at, case_of, made, officer_of, signed_in
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import ExtensionRequest

HEAD = "chen.shufen"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def desk(app: Flask) -> tuple[Visitor, str, str]:
    """The officer of a new case before its page, the case, and the officer's login."""

    def prepare() -> tuple[str, str]:
        case = submitted("EC09")
        return case.public_id, officer_of(case)

    pid, login = made(app, prepare)
    visitor = signed_in(app, login)
    visitor.get(f"/staff/cases/{pid}")
    return visitor, pid, login


def buttons(visitor: Visitor, pid: str) -> list[str]:
    visitor.get(f"/staff/cases/{pid}")
    return [a.text for a in visitor.page.soup.select(".app-case__limit a.govuk-button")]


def asked(visitor: Visitor, days: str = "5", reason: str = "待原醫院回復。") -> None:
    visitor.follow("申請展期")
    visitor.press("試算新的到期日", {"days": days, "reason": reason})
    if visitor.page.status == 200:
        visitor.press("申請展期")


def test_an_extension_from_the_case_page_to_the_approvers_inbox_and_back(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    head = signed_in(app, HEAD)
    assert buttons(visitor, pid) == ["申請展期"]
    assert buttons(head, pid) == ["停止期限計算"]
    visitor.get(f"/staff/cases/{pid}")
    asked(visitor)
    assert visitor.page.path == f"/staff/cases/{pid}"
    assert "等候核定" in visitor.page.text and "待原醫院回復。" in visitor.page.text
    assert buttons(visitor, pid) == [], "one open request a case"
    visitor.get("/staff/inbox")
    assert "待核定的展期" not in visitor.page.text, "nobody approves what they asked for"
    head.get("/staff/inbox")
    assert "待核定的展期" in head.page.text
    head.follow(made(app, lambda: case_of(pid).number))
    assert "民國114年10月20日 改為 民國114年10月28日" in head.page.text
    head.press("核准展期", {"answer": "同意。"})
    assert head.page.path == f"/staff/cases/{pid}"
    assert "核准展期" in head.page.text and "民國114年10月28日" in head.page.text
    assert buttons(visitor, pid) == [], "only once"
    head.get("/staff/inbox")
    assert "待核定的展期" not in head.page.text


def test_a_mistake_keeps_what_was_typed(app: Flask) -> None:
    visitor, _pid, _login = desk(app)
    asked(visitor, "99", "")
    assert visitor.page.status == 422
    assert len(visitor.page.mistakes) == 2 and "1 至 14 個工作天" in " ".join(visitor.page.mistakes)
    assert visitor.page.soup.title.text.startswith("錯誤：")
    assert visitor.page.value("days") == "99"
    visitor.press("試算新的到期日", {"days": "十天", "reason": "待原醫院回復。"})
    assert visitor.page.status == 422 and visitor.page.value("reason") == "待原醫院回復。"
    assert made(app, lambda: db.session.query(ExtensionRequest).count()) == 0


def test_a_refusal_without_a_reason_is_asked_again(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    asked(visitor)
    head = signed_in(app, HEAD)
    head.get(f"/staff/cases/{pid}")
    head.follow("核定展期")
    head.press("不同意", {"answer": " "})
    assert (head.page.status, head.page.mistakes) == (422, ["請寫明不同意的理由。"])
    head.press("不同意", {"answer": "請先查證。"})
    assert "請先查證。" in head.page.text and "民國114年10月20日" in head.page.text


def test_the_second_to_decide_is_told_who_was_faster(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    asked(visitor)
    first, second = signed_in(app, HEAD), signed_in(app, HEAD)
    for head in (first, second):
        head.get(f"/staff/cases/{pid}")
        head.follow("核定展期")
    first.press("核准展期", {"answer": ""})
    second.press("不同意", {"answer": "太晚了。"})
    assert second.page.status == 409 and "陳淑芬" in second.page.text


def test_a_page_of_an_older_case_is_told_and_keeps_its_words(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    visitor.follow("申請展期")
    visitor.press("試算新的到期日", {"days": "3", "reason": "待原醫院回復。"})
    made(app, lambda: take(case_of(pid), "propose_approval"))
    visitor.press("申請展期")
    assert visitor.page.status == 409 and visitor.page.value("reason") == "待原醫院回復。"


def test_the_head_stops_the_clock_and_lets_it_run_again(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    head = signed_in(app, HEAD)
    head.get(f"/staff/cases/{pid}")
    head.follow("停止期限計算")
    head.press("停止期限計算", {"reason": ""})
    assert (head.page.status, len(head.page.mistakes)) == (422, 1)
    head.press("停止期限計算", {"reason": "颱風致道路中斷。"})
    ledger = head.page.soup.select_one("ol.app-ledger").text
    assert "暫停計算" in ledger and "颱風致道路中斷。" in ledger
    assert buttons(head, pid) == ["恢復期限計算"]
    head.follow("恢復期限計算")
    head.press("恢復期限計算", {"reason": "道路已恢復通行。"})
    assert "恢復計算" in head.page.soup.select_one("ol.app-ledger").text
    assert "道路已恢復通行。" in head.page.text
    assert buttons(visitor, pid) == ["申請展期"]


def test_the_pages_in_english(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    visitor.get("/language/en")
    visitor.get(f"/staff/cases/{pid}/extension")
    assert "Length of the extension" in visitor.page.text and "working days" in visitor.page.text
    visitor.press("See the new due date", {"days": "99", "reason": "x"})
    assert visitor.page.mistakes == ["An extension is 1 to 14 working days."]


def test_the_new_due_date_is_seen_before_it_is_asked_for_and_before_it_is_granted(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    visitor.follow("申請展期")
    assert not visitor.page.offers("申請展期"), "first the preview"
    visitor.press("試算新的到期日", {"days": "5", "reason": "待原醫院回復。"})
    shown = visitor.page.soup.select_one("#preview").text
    assert "核定後到期日 民國114年10月28日" in shown and "由科長核定" in shown
    assert "展期 5 個工作天" in shown and "待原醫院回復。" in shown, "the line of the ledger"
    assert made(app, lambda: db.session.query(ExtensionRequest).count()) == 0
    assert made(app, lambda: case_of(pid).due_on.isoformat()) == "2025-10-20"
    visitor.press("申請展期")
    head = signed_in(app, HEAD)
    head.get(f"/staff/cases/{pid}")
    head.follow("核定展期")
    assert "展期 5 個工作天" in head.page.soup.select_one("#preview").text


def test_a_waiting_extension_stands_on_the_case_page_and_may_be_taken_back(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    asked(visitor)
    limit = visitor.page.soup.select_one(".app-case__limit")
    assert "已申請展期 5 個工作天（到 民國114年10月28日），等候科長核定" in " ".join(limit.text.split())
    head = signed_in(app, HEAD)
    head.get(f"/staff/cases/{pid}")
    assert "已申請展期" in head.page.text and "收回展期申請" not in head.page.text
    head.follow("核定展期")
    visitor.press("收回展期申請")
    assert "已收回展期申請。" in visitor.page.text
    assert buttons(visitor, pid) == ["申請展期"], "it may be asked for anew"
    head.press("核准展期")
    assert head.page.status == 409 and "申請人員已收回這件展期" in head.page.text


def test_every_action_says_that_the_clock_stands_still(app: Flask) -> None:
    visitor, pid, _login = desk(app)
    head = signed_in(app, HEAD)
    head.get(f"/staff/cases/{pid}")
    head.follow("停止期限計算")
    head.press("停止期限計算", {"reason": "颱風致道路中斷。"})
    for link in (None, "退件", "加會其他單位"):
        visitor.get(f"/staff/cases/{pid}")
        if link is not None:
            visitor.follow(link)
        assert "起停止計算：颱風致道路中斷。案件可以照常辦理" in visitor.page.text, link
