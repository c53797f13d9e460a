"""The inbox: what stands in it and in which order, claiming, filters in the address, and what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask

from tests.journeys import NOW, account, open_tasks, submitted, take
from tests.officers import absent, at, case_of, corrected, made, officer_of, signed_in, statements
from tests.visitor import Visitor
from webapp.extensions import db
from webapp.models import Case
from webapp.queries import inbox
from webapp.uow import unit_of_work

TODAY = date(2025, 9, 25)
#: account and definitions versions, one page of lines, all counts, extensions that wait, unread notices
MOST_STATEMENTS = 6


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def on_desk(login: str | None, due_on: date, code: str = "EC09", **changes: list[str]) -> str:
    """A case on somebody's desk, or in the pool, due on a day."""
    case = submitted(code, **changes)
    with unit_of_work():
        task = open_tasks(case)[0]
        task.assignee_id = account(login).id if login else None
        task.due_on = due_on
    return case.public_id


def tabs(visitor: Visitor) -> dict[str, str]:
    links = visitor.page.soup.select(".app-side__link")
    return {a.span.text: a.select_one(".app-side__count").find(string=True, recursive=False) for a in links}


def lines(visitor: Visitor, column: str) -> list[str]:
    return [" ".join(cell.text.split()) for cell in visitor.page.soup.select(f'td[data-label="{column}"]')]


def numbers(app: Flask, *cases: str) -> list[str]:
    return made(app, lambda: [case_of(pid).number or "" for pid in cases])


def test_the_nearest_deadline_stands_first_and_says_so_in_words(app: Flask) -> None:
    days = {"far": 20, "near": 1, "late": -3, "today": 0}
    cases = {
        name: made(app, lambda n=n: on_desk("lin.yahan", TODAY + timedelta(n))) for name, n in days.items()
    }
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    assert lines(visitor, "案號") == numbers(app, *(cases[name] for name in ("late", "today", "near", "far")))
    assert lines(visitor, "期限") == [
        "▲逾期 3 個工作天",
        "◆今天到期",
        "◆剩 1 個工作天",
        "●剩 11 個工作天",
    ]  # three holidays between
    assert visitor.page.heading == "我的待辦 4 件"


def test_every_tab_counts_what_it_shows(app: Flask) -> None:
    def prepare() -> None:
        on_desk("lin.yahan", TODAY)
        on_desk("lin.yahan", TODAY - timedelta(1))
        on_desk("lin.yahan", TODAY + timedelta(30))
        on_desk(None, TODAY)
        on_desk("xu.mingde", TODAY - timedelta(2))
        on_desk("chen.shufen", TODAY)
        asked = case_of(on_desk("lin.yahan", TODAY))
        take(asked, "request_correction", "lin.yahan", fields=("amount",), comment="請確認金額")
        absent("xu.mingde", "lin.yahan", TODAY, TODAY)

    made(app, prepare)
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    expected = {
        "我的待辦": "3",
        "科內待分派": "1",
        "會辦中": "0",
        "待補正": "1",
        "代理案件": "1",
        "今日到期": "2",
        "逾期": "2",
        "已辦": "1",
    }
    assert tabs(visitor) == expected
    for title, count in expected.items():
        visitor.follow(title)
        assert visitor.page.heading == f"{title} {count} 件"
        assert len(lines(visitor, "案號")) == int(count)


def test_the_first_who_claims_has_it_and_the_other_is_told_who(app: Flask) -> None:
    case = made(app, lambda: on_desk(None, TODAY))
    lin, xu = signed_in(app, "lin.yahan"), signed_in(app, "xu.mingde")
    for visitor in (lin, xu):
        visitor.get("/staff/inbox?tab=pool&service=EC09")
    assert lin.press("受理").path == "/staff/inbox?tab=pool&service=EC09"
    assert "已受理" in lin.page.text
    lin.get("/staff/inbox")
    assert lines(lin, "案號") == numbers(app, case)
    assert xu.press("受理").status == 409
    assert "這件待辦已由林雅涵受理" in xu.page.text
    assert xu.page.links("回到待辦") == ["/staff/inbox"]
    assert not xu.page.links("看申辦項目"), "a citizen's way out"


def test_a_task_given_back_stands_in_the_pool_again(app: Flask) -> None:
    case = made(app, lambda: on_desk("lin.yahan", TODAY))
    lin = signed_in(app, "lin.yahan")
    lin.get(f"/staff/cases/{case}")
    lin.press("退回待分派")
    assert tabs(lin)["我的待辦"] == "0"
    assert tabs(lin)["科內待分派"] == "1"


def test_filters_live_in_the_address(app: Flask) -> None:
    farm = made(app, lambda: on_desk("weng.guoliang", TODAY, "EC06"))
    made(app, lambda: on_desk("weng.guoliang", TODAY, "EC06"))
    visitor = signed_in(app, "weng.guoliang")
    visitor.get("/staff/inbox")
    visitor.press("篩選", {"service": "EC09"})
    assert visitor.page.path == "/staff/inbox?tab=mine&service=EC09&channel="
    assert "沒有符合篩選條件的案件" in visitor.page.text
    visitor.press("篩選", {"service": "EC06", "channel": "web"})
    assert len(lines(visitor, "案號")) == 2
    assert farm in visitor.page.content.decode()
    visitor.follow("清除篩選")
    assert visitor.page.path == "/staff/inbox?tab=mine"


@pytest.mark.parametrize("tab", ["mine", "pool", "overdue", "done", "correction"])
def test_pages_follow_one_another_without_gap_or_repeat(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tab: str
) -> None:
    def prepare() -> None:
        for n in range(5):
            # two share each day, so that the day alone does not order them
            case = case_of(on_desk(None if tab == "pool" else "lin.yahan", TODAY - timedelta(n // 2 + 1)))
            if tab == "done":
                take(case, "propose_approval", "lin.yahan", NOW + timedelta(minutes=n // 2))
            if tab == "correction":
                take(case, "request_correction", "lin.yahan", fields=("amount",), comment="請確認")

    made(app, prepare)
    monkeypatch.setattr(inbox, "PAGE", 2)
    visitor = signed_in(app, "lin.yahan")
    visitor.get(f"/staff/inbox?tab={tab}")
    seen = lines(visitor, "案號")
    while visitor.page.links("下一頁"):
        visitor.follow("下一頁")
        seen += lines(visitor, "案號")
    assert len(seen) == len(set(seen)) == 5
    visitor.follow("回到第一頁")
    assert lines(visitor, "案號") == seen[:2]


def test_what_to_know_before_opening_stands_beside_the_case(app: Flask) -> None:
    def prepare() -> None:
        back = case_of(on_desk("lin.yahan", TODAY))
        take(back, "request_correction", "lin.yahan", fields=("amount",), comment="請確認")
        corrected(back, amount=["3200"])
        on_desk("xu.mingde", TODAY)
        absent("xu.mingde", "lin.yahan", TODAY, TODAY)

    made(app, prepare)
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    assert lines(visitor, "備註") == ["補正後送回、新分派"]
    visitor.follow("代理案件")
    assert lines(visitor, "備註") == ["代：許明德"]


def test_the_officer_sees_which_units_still_owe_an_opinion(app: Flask) -> None:
    def prepare() -> str:
        case = submitted("PW01")
        who = officer_of(case)
        take(case, "split")
        take(case, "give_opinion", "dong.weilun", raw={"opinion": ["agree"]})
        return who

    visitor = signed_in(app, made(app, prepare))
    visitor.get("/staff/inbox?tab=co_review")
    assert lines(visitor, "關卡") == ["會辦 環境保護局"]
    assert tabs(visitor)["會辦中"] == "1"


def test_counts_that_did_not_change_cost_no_page(app: Flask) -> None:
    visitor = signed_in(app, "lin.yahan")
    page = visitor.get("/staff/inbox")
    polled = page.soup.select_one("[data-poll-url]")
    client = app.test_client()
    with app.app_context(), client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = account("lin.yahan").get_id(), True
    etag = str(polled["data-poll-etag"])
    answer = client.get(str(polled["data-poll-url"]), headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")
    made(app, lambda: on_desk("lin.yahan", TODAY))
    answer = client.get(str(polled["data-poll-url"]), headers={"If-None-Match": etag})
    assert answer.status_code == 200
    assert "<main" not in answer.text


def test_the_cost_of_a_page_does_not_grow_with_it(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made(app, lambda: on_desk("lin.yahan", TODAY))
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")  # warms the copies of definitions and org chart
    for more in (1, 8):
        for _ in range(more):
            made(app, lambda: on_desk("lin.yahan", TODAY))
        with statements(monkeypatch) as sent:
            visitor.get("/staff/inbox")
        asked = [s for s in sent if not s.upper().startswith(("BEGIN", "COMMIT", "ROLLBACK"))]
        assert len(asked) <= MOST_STATEMENTS, "\n".join(asked)


def test_the_partial_indexes_are_named_in_the_statement(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound value would make PostgreSQL forget them."""
    visitor = signed_in(app, "lin.yahan")
    with statements(monkeypatch) as sent:
        visitor.get("/staff/inbox?tab=pool")
    reading = [s for s in sent if "task.state" in s]
    assert reading
    assert all("task.state = 'open'" in s or "task.state = 'done'" in s for s in reading)


def test_cases_of_one_officer_are_no_business_of_another(app: Flask) -> None:
    made(app, lambda: on_desk("xu.mingde", TODAY))
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    assert tabs(visitor)["我的待辦"] == tabs(visitor)["代理案件"] == "0"


def test_an_unknown_cursor_or_tab_is_no_error(app: Flask) -> None:
    made(app, lambda: on_desk("lin.yahan", TODAY))
    visitor = signed_in(app, "lin.yahan")
    assert visitor.get("/staff/inbox?tab=mine&after=nothing").status == 200
    assert visitor.get("/staff/inbox?tab=everything").heading == "我的待辦 1 件"
    assert made(app, lambda: db.session.query(Case).count()) == 1


def test_counting_stops_somewhere(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        made(app, lambda: on_desk("lin.yahan", TODAY))
    monkeypatch.setattr(inbox, "MOST_COUNTED", 2)
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    assert tabs(visitor)["我的待辦"] == "1+"
