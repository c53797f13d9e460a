"""How a case may end besides an approval, and how one comes in on paper. On the real web server and worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from tests import journeys, walks
from tests.functional.conftest import Record
from tests.programs import Counter
from tests.visitor import Visitor, over_http, plain
from webapp.demo.samples import SAMPLES, day
from webapp.moments import taipei_day, utc_now
from workflows.calendar import WorkingCalendar

LETTER = "下載公文（PDF）"


@dataclass
class Scene:
    """A fresh subsidy case of 王大明, with everybody who has to do with it at their browsers."""

    number: str
    tracking: str
    citizen: Visitor
    officer: Visitor
    head: Visitor


@pytest.fixture
def scene(counter: Counter, office: Flask) -> Scene:
    with office.app_context():
        case = journeys.submitted("EC09", utc_now(), journeys.citizen("wang.daming"))
        number, tracking = str(case.number), f"/applications/{case.public_id}"
        holder = journeys.login_of(journeys.open_tasks(case)[0].assignee_id or 0)
    people = []
    for login in ("wang.daming", holder, "chen.shufen"):
        person = over_http(counter.address)
        walks.sign_in(person, login)
        people.append(person)
    return Scene(number, tracking, *people)


def test_a_rejection_that_the_head_first_sends_back(scene: Scene, record: Callable[[str], Record]) -> None:
    officer, head, number = scene.officer, scene.head, scene.number
    walks.open_case(officer, number)
    officer.follow("擬予駁回，送主管決行")
    assert officer.press("send").status == 422, "a rejection needs its reason"
    officer.press("send", {"comment": "不符規定。"})
    assert officer.trail[0].status == 302, officer.page

    page = walks.open_case(head, number)
    assert not page.links("核准並發文"), "what was not proposed cannot be approved"
    head.follow("退回承辦人重擬")
    assert head.press("send").status == 422
    head.press("send", {"comment": "請敘明事實與依據。"})
    assert head.trail[0].status == 302, head.page
    page = walks.open_case(officer, number)
    assert "請敘明事實與依據。" in page.text
    reason = "手術日期早於寵物登記日期，\n核與補助規定不符。"
    walks.act(officer, "擬予駁回，送主管決行", {"comment": reason})
    walks.open_case(head, number)
    head.follow("同意駁回並發文")
    assert "駁回的公文會送達申請人" in head.page.text
    head.press("send")

    text = walks.printed(scene.citizen, LETTER, scene.tracking)
    assert "未便核准之理由：手術日期早於寵物登記日期，核與補助規定不符。" in text
    assert "不符規定。" not in text.replace("核與補助規定不符。", ""), "the first reason was replaced"
    assert "三十日內" in text and "訴願" in text and "主旨：" in text
    page = scene.citizen.get(scene.tracking)
    assert "已駁回" in page.text or "未獲核准" in page.text
    assert "請敘明事實與依據" not in page.text, "what officers tell each other is not for the applicant"
    done = record(number)
    assert (done.status, done.outcome) == ("closed", "rejected") and done.broken_links == []
    assert done.history == [
        "submitted", "propose_rejection", "send_back", "propose_rejection", "confirm_rejection", "served",
    ]  # fmt: skip


def test_an_application_is_returned_with_a_reason(scene: Scene, record: Callable[[str], Record]) -> None:
    walks.open_case(scene.officer, scene.number)
    scene.officer.follow("退件")
    assert scene.officer.press("send").status == 422
    page = scene.officer.press("預覽", {"comment": "申請人非本縣飼主。"})
    assert "退件理由：申請人非本縣飼主。" in page.text
    scene.officer.press("send")
    text = walks.printed(scene.citizen, LETTER, scene.tracking)
    assert "退件理由：申請人非本縣飼主。" in text and "得重新提出申請" in text
    done = record(scene.number)
    assert done.history == ["submitted", "return_application", "served"]
    assert (done.outcome, done.clock_state, done.broken_links) == ("returned", "stopped", [])


def test_a_citizen_withdraws_under_the_eyes_of_the_officer(
    scene: Scene, record: Callable[[str], Record]
) -> None:
    walks.open_case(scene.officer, scene.number)
    scene.officer.follow("退件")
    scene.citizen.get(scene.tracking)
    page = scene.citizen.follow("撤回申請")
    assert "撤回後本案結案" in page.text
    page = scene.citizen.press("確定撤回")
    assert "您已撤回申請" in page.text and not page.links("撤回申請")
    page = scene.officer.press("send", {"comment": "申請人非本縣飼主。"})
    assert page.status == 409 and "已由申請人處理" in page.text and "申請人非本縣飼主。" in page.text
    done = record(scene.number)
    assert done.history == ["submitted", "withdraw"]
    assert (done.outcome, done.clock_state, done.broken_links) == ("withdrawn", "stopped", [])


def test_who_withdrew_is_told_even_if_an_officer_acted_before(scene: Scene) -> None:
    page = walks.open_case(scene.officer, scene.number)
    walks.act(scene.officer, "請申請人補正", {"fields": ["clinic"], "comment": "請寫全名。"})
    scene.citizen.get(scene.tracking)
    scene.citizen.follow("開始補正")
    scene.citizen.press("送出補正", {"clinic": "金門縣金城動物醫院"})
    walks.open_case(scene.officer, scene.number)
    scene.officer.follow("退件")
    scene.citizen.get(scene.tracking)
    scene.citizen.follow("撤回申請")
    scene.citizen.press("確定撤回")
    page = scene.officer.press("send", {"comment": "申請人非本縣飼主。"})
    assert page.status == 409 and "已由申請人處理" in page.text, page.text


def test_a_clerk_takes_in_a_letter_that_was_posted_days_ago(
    counter: Counter, record: Callable[[str], Record]
) -> None:
    clerk = over_http(counter.address)
    walks.sign_in(clerk, "huang.meilan")
    clerk.get("/staff/intake")
    clerk.press("搜尋", {"q": "狗結紮"}, within="main")
    clerk.follow("犬貓絕育及寵物登記補助")
    today = taipei_day(utc_now())
    posted, received = today - timedelta(days=9), today - timedelta(days=1)
    assert clerk.press("開始填寫表單").status == 422, "how did it come in?"
    wrong = {"channel": "post", **day("received", posted), **day("postmarked", received)}
    page = clerk.press("開始填寫表單", wrong)
    assert page.status == 422 and "郵戳日不能晚於收件日" in page.text
    page = clerk.press("開始填寫表單", day("received", today + timedelta(days=1)))
    assert page.status == 422 and "日期不能晚於今天" in page.text
    right = {**day("received", received), **day("postmarked", posted), "originals": ["receipt"]}
    page = clerk.press("開始填寫表單", {**right, "note": "隨信附收據正本。"})
    assert "代為收件" in page.text and "辦理期限從郵戳日起算" in page.text, page
    walks.fill_in_the_rest(clerk, {**SAMPLES["EC09"], "email": [""]})
    number = walks.send(clerk)
    code = plain(clerk.page.soup.select_one(".app-follow .app-code"))
    text = walks.printed(clerk, "下載送件收據（PDF）", clerk.page.path)
    assert "郵寄" in text and "已核驗正本：收據" in text

    taken_in = record(number)
    assert (taken_in.channel, taken_in.filed_on) == ("post", posted)
    assert taken_in.due_on == WorkingCalendar().add_working_days(posted, 14)
    applicant = over_http(counter.address)
    applicant.get("/track")
    page = applicant.press("查詢", {"number": number, "code": code})
    assert "郵寄" in page.text and number in page.text
    with_clerk = clerk.get(page.path)
    assert not with_clerk.links("撤回申請"), "a clerk does not withdraw for somebody"
