"""通知: what officers are told stands on a page, counted until it is read, also for whoever stands in for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from rules.values import Text
from tests.functional.test_letter_changes import letters, propose
from tests.functional.test_letters import decided
from tests.journeys import NOW, account, submitted
from tests.officers import absent, at, made, signed_in, statements
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.moments import taipei_day
from webapp.queries import notices as queries
from webapp.services import notices
from webapp.uow import unit_of_work

TODAY = taipei_day(NOW)


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def tell(app: Flask, said: str, *logins: str, case_id: int | None = None, minutes: int = 0) -> None:
    def do() -> None:
        people = [account(login).id for login in logins]
        with unit_of_work():
            moment = NOW + timedelta(minutes=minutes)
            words = Text(zh=said, en=said)
            notices.tell_staff(people, said, words, Text(zh=f"{said}的內容", en=said), moment, case_id)

    made(app, do)


def opened(app: Flask, login: str) -> Visitor:
    visitor = signed_in(app, login)
    visitor.get("/staff/notices")
    return visitor


def subjects(visitor: Visitor) -> list[str]:
    cells = visitor.page.soup.select('td[data-label="通知"]')
    return [" ".join(cell.text.split()) for cell in cells]


def line(said: str) -> str:
    return f"tr:-soup-contains('{said}')"


def in_header(visitor: Visitor) -> str:
    found = visitor.page.soup.select('header a[href="/staff/notices"]')
    return "".join(found[0].text.split())


def test_a_notice_is_counted_on_every_page_until_it_is_read(app: Flask) -> None:
    case_id, number, pid = made(app, lambda: (lambda c: (c.id, c.number, c.public_id))(submitted("EC09")))
    tell(app, "催辦一", "lin.yahan", case_id=case_id)
    tell(app, "催辦二", "lin.yahan", minutes=1)
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    assert in_header(visitor) == "通知（2）"
    visitor.follow("通知（2）")
    assert visitor.page.heading == "通知 2 則未讀"
    assert subjects(visitor) == ["催辦二 催辦二的內容", "催辦一 催辦一的內容"]
    assert visitor.page.links(number) == [f"/staff/cases/{pid}"]
    visitor.press("標為已讀", within=line("催辦一"))
    assert (in_header(visitor), visitor.page.heading) == ("通知（1）", "通知 1 則未讀")
    visitor.press("全部標為已讀")
    assert (in_header(visitor), visitor.page.heading) == ("通知", "通知 0 則未讀")
    assert subjects(visitor) == ["催辦二 催辦二的內容", "催辦一 催辦一的內容"]
    assert not visitor.page.offers("全部標為已讀")


def test_what_comes_after_the_page_was_opened_stays_unread(app: Flask) -> None:
    tell(app, "先", "lin.yahan")
    visitor = opened(app, "lin.yahan")
    tell(app, "後", "lin.yahan")
    visitor.press("全部標為已讀")
    assert visitor.page.heading == "通知 1 則未讀"


def test_nobody_reads_what_was_sent_to_others(app: Flask) -> None:
    tell(app, "給林", "lin.yahan")
    other = opened(app, "weng.guoliang")
    assert (other.page.heading, in_header(other)) == ("通知 0 則未讀", "通知")
    assert "還沒有通知" in other.page.text


def test_a_case_that_is_no_longer_seen_has_no_link(app: Flask) -> None:
    case_id = made(app, lambda: submitted("EC06").id)
    tell(app, "改分", "yang.zhihao", case_id=case_id)
    assert [cell.text for cell in opened(app, "yang.zhihao").page.soup.select('td[data-label="案號"]')] == [
        "—"
    ]


def test_a_deputy_reads_for_the_absent_without_reading_it_away(app: Flask) -> None:
    case_id = made(app, lambda: submitted("EC09").id)
    tell(app, "給許", "xu.mingde")
    tell(app, "給兩人", "xu.mingde", "lin.yahan", case_id=case_id, minutes=1)
    assert subjects(opened(app, "lin.yahan")) == ["給兩人 給兩人的內容"]
    made(app, lambda: absent("xu.mingde", "lin.yahan", TODAY, TODAY))
    deputy = opened(app, "lin.yahan")
    assert subjects(deputy) == ["給兩人 給兩人的內容", "給許 代：許明德 給許的內容"]
    deputy.press("全部標為已讀")
    assert deputy.page.heading == "通知 0 則未讀"
    back = opened(app, "xu.mingde")
    assert back.page.heading == "通知 2 則未讀"
    back.press("全部標為已讀")
    deputy.get("/staff/notices")
    assert subjects(deputy) == ["給兩人 給兩人的內容"]


def test_marking_twice_and_from_two_windows_is_no_error(app: Flask) -> None:
    tell(app, "一次", "lin.yahan")
    first, second = opened(app, "lin.yahan"), opened(app, "lin.yahan")
    first.press("標為已讀", within=line("一次"))
    assert second.press("標為已讀", within=line("一次")).heading == "通知 0 則未讀"


def test_pages_follow_one_another_and_the_count_stops(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        tell(app, f"第{n}則", "lin.yahan", minutes=n)
    monkeypatch.setattr(queries, "PAGE", 2)
    monkeypatch.setattr(queries, "MOST_COUNTED", 4)
    visitor = opened(app, "lin.yahan")
    assert visitor.page.heading == "通知 3+ 則未讀"
    seen = subjects(visitor)
    while visitor.page.links("下一頁"):
        visitor.follow("下一頁")
        seen += subjects(visitor)
    assert [line.split()[0] for line in seen] == [f"第{n}則" for n in reversed(range(5))]
    visitor.press("標為已讀", within=line("第0則"))
    assert subjects(visitor) == seen[-1:]  # still on the page where the button stood


def test_the_count_is_one_statement_on_its_index(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = opened(app, "lin.yahan")
    with statements(monkeypatch) as sent:
        visitor.get("/staff/inbox")
    counting = [s for s in sent if "notice_read" in s]
    assert len(counting) == 1
    assert "message.channel = 'inbox'" in counting[0]
    definition = made(
        app,
        lambda: db.session.scalar(
            text("select indexdef from pg_indexes where indexname = 'ix_message_inbox'")
        ),
    )
    assert "(account_id, id)" in definition and "channel" in definition


def test_a_change_of_a_letter_is_told_to_the_head_and_answered_to_the_officer(app: Flask) -> None:
    case = decided(app)
    propose(app, case)
    head = opened(app, "chen.shufen")
    assert "公文變更待決行" in head.page.text
    head.get("/staff/letter-changes")
    head.follow(letters(app)[0].number)
    head.press("不同意，退回", {"answer": "金額沒有錯。"})
    officer = opened(app, "lin.yahan")
    assert "公文變更未獲同意" in officer.page.text
    assert "金額沒有錯。" in officer.page.text
