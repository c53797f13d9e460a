"""Counter, telephone and post: a clerk enters an application for somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests import filling
from tests.journeys import NOW, account
from tests.officers import at, made, signed_in
from tests.visitor import Visitor
from tests.walks import REVIEW, fill_in_the_rest, send
from webapp.extensions import db
from webapp.models import Draft
from webapp.moments import taipei_day
from webapp.queries import answering, definitions


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def clerk(app: Flask) -> Visitor:
    visitor = signed_in(app, "huang.meilan")
    visitor.get("/staff/inbox")
    visitor.follow("代為收件")
    return visitor


def drafts(app: Flask) -> list[dict]:
    return made(app, lambda: [draft.intake for draft in db.session.query(Draft).all()])


def test_the_service_is_found_by_everyday_words(clerk: Visitor) -> None:
    clerk.press("搜尋", {"q": "幫小狗結紮"})
    assert len(clerk.page.soup.select(".app-card")) == 1
    clerk.follow("犬貓絕育及寵物登記補助")
    assert clerk.page.path == "/staff/intake?service=EC09"


def test_a_word_without_a_service_gets_an_honest_answer(clerk: Visitor) -> None:
    clerk.press("搜尋", {"q": "護照"})
    assert "沒有和「護照」有關的申辦項目" in clerk.page.text


def test_mistakes_say_how_to_fix_them_and_keep_what_was_typed(app: Flask, clerk: Visitor) -> None:
    clerk.follow("農業用地作農業使用證明書")
    assert clerk.page.value("received-year") == "114", "today stands there already"
    clerk.press(
        "開始填寫表單",
        {"received-year": "114", "received-month": "13", "received-day": "1", "note": "來電申請"},
    )
    assert clerk.page.status == 422
    assert clerk.page.mistakes == ["請選擇收件方式。", "請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    assert clerk.page.value("received-month") == "13"
    assert clerk.page.value("note") == "來電申請"
    clerk.press("開始填寫表單", {"channel": "telephone", "received-month": "9", "received-day": "26"})
    assert clerk.page.mistakes == ["日期不能晚於今天。"]
    clerk.press("開始填寫表單", {"received-year": "104", "received-day": "25"})
    assert clerk.page.mistakes == ["日期是一年多以前，請確認年份。"]
    assert drafts(app) == []


def test_a_letter_needs_its_postmark_which_cannot_follow_its_arrival(app: Flask, clerk: Visitor) -> None:
    clerk.follow("犬貓絕育及寵物登記補助")
    clerk.press("開始填寫表單", {"channel": "post"})
    assert clerk.page.mistakes == ["請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    postmark = {"postmarked-year": "114", "postmarked-month": "9", "postmarked-day": "24"}
    clerk.press("開始填寫表單", {**postmark, "received-day": "23"})
    assert clerk.page.mistakes == ["郵戳日不能晚於收件日。"]
    clerk.press("開始填寫表單", {"received-day": "25", "originals": ["receipt"], "note": "雙掛號"})
    assert clerk.page.path.startswith("/apply/")
    assert drafts(app) == [
        {
            "channel": "post",
            "received_on": "2025-09-25",
            "postmarked_on": "2025-09-24",
            "originals_seen": ["收據"],
            "note": "雙掛號",
            "clerk": made(app, lambda: account("huang.meilan").id),
        }
    ]


def test_at_the_counter_a_postmark_is_not_asked_for(app: Flask, clerk: Visitor) -> None:
    clerk.follow("犬貓絕育及寵物登記補助")
    clerk.press("開始填寫表單", {"channel": "counter"})
    assert clerk.page.path.startswith("/apply/")
    intake = drafts(app)[0]
    assert (intake["channel"], intake["postmarked_on"], intake["originals_seen"]) == ("counter", None, [])


def test_an_unknown_service_does_not_exist(clerk: Visitor) -> None:
    assert clerk.get("/staff/intake?service=ZZ99").status == 404
    assert clerk.post("/staff/intake", {"service": "ZZ99", "channel": "counter"}).status == 404


def test_the_clerk_is_warned_of_what_is_late_when_it_is_entered(app: Flask, clerk: Visitor) -> None:
    clerk.follow("犬貓絕育及寵物登記補助")
    old = {"channel": "telephone", "received-year": "114", "received-month": "8", "received-day": "1"}
    clerk.press("開始填寫表單", old)
    assert "登錄時就已逾期" in clerk.page.text and "民國114年8月21日" in clerk.page.text
    assert drafts(app) == [] and clerk.page.value("received-month") == "8"
    clerk.press("仍以這個收件日登錄", {"received-day": "4"})
    assert "民國114年8月22日" in clerk.page.text, "of another day it is warned again"
    clerk.press("仍以這個收件日登錄", {})
    assert [draft["received_on"] for draft in drafts(app)] == ["2025-08-04"]


def test_limits_of_days_count_from_the_day_that_the_paper_was_filed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """行政程序法 49: FD03, posted thirty days before the performance, is in time whenever it is typed in."""

    def filled() -> dict[str, list[str]]:
        form = definitions.current_form("open_flame_performance", taipei_day(NOW))
        lists = answering.lists_of(form, "FD03", NOW, ("company",))
        return filling.valid(form.fields, taipei_day(NOW), lists)

    paper = made(app, filled)
    at(app, monkeypatch, NOW + timedelta(days=4))
    clerk = signed_in(app, "huang.meilan")
    clerk.get("/staff/intake?service=FD03")
    late = {"received-year": "114", "received-month": "9", "received-day": "29"}
    posted = {"postmarked-year": "114", "postmarked-month": "9", "postmarked-day": "25"}
    clerk.press("開始填寫表單", {"channel": "post", **late, **posted})
    page = fill_in_the_rest(clerk, paper)
    assert page.heading == REVIEW
    send(clerk)
    assert clerk.page.heading == "已收到您的申請"
