"""The page of the actions that no workflow repeats: as links on the case page, filled in without any script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests.journeys import NOW, login_of, open_tasks, submitted
from tests.officers import absent, at, made, signed_in
from tests.visitor import Page, plain

OTHER = {"lin.yahan": "xu.mingde", "xu.mingde": "lin.yahan"}
NAMES = {"lin.yahan": "林雅涵", "xu.mingde": "許明德"}


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def a_case(app: Flask) -> tuple[str, str]:
    """Its address, and the login of its officer."""

    def make() -> tuple[str, str]:
        case = submitted("EC09")
        return f"/staff/cases/{case.public_id}", login_of(open_tasks(case)[0].assignee_id)

    return made(app, make)


def first_event(page: Page) -> str:
    return plain(page.soup.select_one(".app-timeline__item"))


def test_a_head_reassigns_on_a_page(app: Flask) -> None:
    path, holder = a_case(app)
    head = signed_in(app, "chen.shufen")
    page = head.get(path)
    page = head.follow("改分")
    assert page.heading.endswith("改分")
    again = head.press("改分", {"reason": ""})
    assert again.status == 422 and len(again.mistakes) == 2
    (option,) = [
        o["value"] for o in again.soup.select("#desk option") if plain(o).endswith(NAMES[OTHER[holder]])
    ]
    page = head.press("改分", {"desk": option, "reason": "專長不同"})
    assert "已完成「改分」" in page.text
    assert f"由{NAMES[holder]}改分給動植物防疫所{NAMES[OTHER[holder]]}" in first_event(page)
    assert "專長不同" in first_event(page)
    assert "改分" not in signed_in(app, OTHER[holder]).get(path).links("改分")


def test_a_page_that_is_out_of_date_keeps_what_was_typed(app: Flask) -> None:
    path, _holder = a_case(app)
    head, other = signed_in(app, "chen.shufen"), signed_in(app, "li.zhengnan")
    for visitor in (head, other):
        visitor.get(path)
        visitor.follow("催辦")
    assert head.press("催辦", {"reason": "請先看"}).status == 200
    late = other.press("催辦", {"reason": "也請先看"})
    assert late.status == 409
    assert "已由陳淑芬處理" in late.text and "也請先看" in late.text
    other.get(path)
    other.follow("催辦")
    refused = other.press("催辦", {"reason": "也請先看"})
    assert refused.status == 422 and "今天已經催辦過" in refused.text


def test_a_page_says_in_english_what_it_asks(app: Flask) -> None:
    path, _holder = a_case(app)
    head = signed_in(app, "chen.shufen")
    head.get("/language/en")
    head.get(path)
    page = head.follow("Remind")
    assert page.soup.select_one("label[for=reason]") is not None and "Once a day for each task." in page.text


def test_another_unit_is_asked_and_answers_on_its_own_page(app: Flask) -> None:
    path, holder = a_case(app)
    visitor = signed_in(app, holder)
    visitor.get(path)
    visitor.follow("加會其他單位")
    again = visitor.press("加會其他單位", {"question": "會影響交通嗎？"})
    assert again.status == 422 and len(again.mistakes) == 2
    assert again.soup.select_one("#question").text.strip() == "會影響交通嗎？"
    page = visitor.press("加會其他單位", {"unit": "PO", "days": "1"})
    assert "尚待警察局回復會辦意見" in page.text
    police = signed_in(app, "dong.weilun")
    assert "會辦 警察局" in police.get("/staff/inbox").text
    police.get(path)
    page = police.follow("回復會辦意見")
    assert "會影響交通嗎？" in page.text
    refused = police.press("回復會辦意見", {"opinion": "disagree"})
    assert refused.status == 422
    police.press("回復會辦意見", {"opinion": "agree_with_conditions", "conditions": "夜間不施工"})
    page = visitor.get(path)
    assert "尚待警察局" not in page.text and "夜間不施工" in page.text
    assert "回復會辦意見（警察局）" in first_event(page)
    visitor.follow("擬予核准，送主管決行")
    assert "夜間不施工（警察局）" in visitor.page.soup.select_one("#conditions").text


def test_an_absence_is_entered_on_a_page_and_ended(app: Flask) -> None:
    path, holder = a_case(app)
    visitor, deputy = signed_in(app, holder), signed_in(app, OTHER[holder])
    visitor.get("/staff/inbox")
    visitor.follow("請假與代理")
    wrong = visitor.press("登記", {"first-year": "114", "first-month": "13", "first-day": "1"})
    assert wrong.status == 422 and len(wrong.mistakes) == 3
    day = {"year": "114", "month": "9", "day": "25"}
    sent = {f"{name}-{part}": value for name in ("first", "last") for part, value in day.items()}
    (key,) = [o["value"] for o in wrong.soup.select("#deputy option") if plain(o) == NAMES[OTHER[holder]]]
    page = visitor.press("登記", {**sent, "deputy": key})
    assert "已登記" in page.text and NAMES[OTHER[holder]] in page.text
    assert f"代：{NAMES[holder]}" in deputy.get("/staff/inbox?tab=deputy").text
    page = deputy.get(path)
    assert f"請假中 代：{NAMES[OTHER[holder]]}" in page.text
    assert "您代理" in deputy.get("/staff/absences").text
    page = visitor.press("結束")
    assert "目前沒有登記請假" in page.text
    assert f"代：{NAMES[holder]}" not in deputy.get("/staff/inbox?tab=deputy").text


def test_a_duplicate_is_merged_on_a_page_and_its_applicant_sees_where_it_went(app: Flask) -> None:
    leading, _officer = a_case(app)
    path, holder = a_case(app)
    visitor = signed_in(app, holder)
    number = signed_in(app, "chen.shufen").get(leading).heading
    visitor.get(path)
    visitor.follow("併案")
    assert "找不到這個主案" in visitor.press("併案", {"number": "EC09-114-000099", "reason": "重複"}).text
    page = visitor.press("併案", {"number": number, "reason": "同一隻狗重複送件"})
    assert "已併案" in page.text and f"併入 {number}" in first_event(page)
    applicant = signed_in(app, "chen.meiling")
    page = applicant.get(path.replace("/staff/cases/", "/applications/"))
    assert "已併案" in page.text and f"併入 {number}" in page.text
    assert "同一隻狗重複送件" not in page.text and "撤回申請" not in page.text
    assert "已併案" in applicant.get("/applications").text


def test_a_head_hands_a_case_to_another_unit_or_out_of_the_county(app: Flask) -> None:
    path, _holder = a_case(app)
    head = signed_in(app, "li.zhengnan")
    head.get(path)
    head.follow("移轉其他單位")
    page = head.press("移轉其他單位", {"unit": "EC-AFF", "reason": "屬農林業務"})
    assert "由動植物防疫所移轉建設處農林科辦理" in first_event(page)
    head.follow("移送其他機關")
    page = head.press("移送其他機關", {"agency": "農業部", "reason": "中央權責"})
    assert "已移送其他機關" in page.text
    applicant = signed_in(app, "chen.meiling")
    page = applicant.get(path.replace("/staff/cases/", "/applications/"))
    assert "移送農業部" in page.text and "移轉建設處農林科" in page.text and "中央權責" not in page.text
    applicant.get("/language/en")
    page = applicant.get(path.replace("/staff/cases/", "/applications/"))
    assert "Transferred to another agency" in page.text


def test_a_deputy_sees_for_whom_they_act_on_every_page(app: Flask) -> None:
    path, holder = a_case(app)
    made(app, lambda: absent("chen.shufen", "weng.guoliang", NOW.date(), NOW.date()))
    made(app, lambda: absent(holder, "ou.yijun", NOW.date(), NOW.date()))
    head, deputy = signed_in(app, "weng.guoliang"), signed_in(app, "ou.yijun")
    assert "代 陳淑芬" in head.get(f"{path}/suspension").text
    own = signed_in(app, OTHER[holder])
    assert "職務代理人" not in own.get(f"{path}/extension").text, "an officer in their own right"
    assert f"代 {NAMES[holder]}" in deputy.get(f"{path}/extension").text
    deputy.press("試算新的到期日", {"days": "3", "reason": "須向原醫院查證。"})
    assert f"代 {NAMES[holder]}" in deputy.page.text
    deputy.press("申請展期")
    head.get(path)
    assert "代 陳淑芬" in head.follow("核定展期").text


def test_a_late_case_gets_a_new_date_on_a_page(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    path, holder = a_case(app)
    at(app, monkeypatch, NOW + timedelta(days=40))
    visitor = signed_in(app, holder)
    visitor.get(path)
    visitor.follow("告知新的預計完成日")
    again = visitor.press("告知新的預計完成日", {"until-year": "114", "until-month": "13", "until-day": "1"})
    assert again.status == 422 and len(again.mistakes) == 2 and again.value("until-month") == "13"
    page = visitor.press(
        "告知新的預計完成日", {"until-month": "11", "until-day": "10", "reason": "等候檢測。"}
    )
    assert "已完成「告知新的預計完成日」" in page.text and "等候檢測。" in first_event(page)
