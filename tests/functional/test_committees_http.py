"""A committee over HTTP: the secretary plans, members vote or keep out, a head approves, the cases go on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from rules.values import Text
from tests import fixture_services
from tests.journeys import NOW, account, officer, open_tasks, submitted, take
from tests.officers import at, case_of, made, signed_in
from tests.visitor import Visitor, pdf_text
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import CommitteeMember, Effect
from webapp.moments import taipei_day
from webapp.queries.org import chart
from webapp.services import committees
from webapp.uow import unit_of_work

MEMBERS = ("weng.guoliang", "ou.yijun", "dong.weilun")


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    at(app, monkeypatch, NOW)
    made(app, lambda: fixture_services.publish("committee", monkeypatch))


def board() -> None:
    secretary = officer("xie.wanru")
    with unit_of_work():
        unit = chart().by_code["EC"].id
        new = committees.create(secretary, unit, Text(zh="補助審議會", en="Board"), ["EC91"], NOW)
        for login in MEMBERS:
            committees.appoint(secretary, new, account(login).id, taipei_day(NOW), NOW)


def put_forward() -> tuple[str, str]:
    case = submitted("EC91")
    take(case, "put_forward")
    assert open_tasks(case)[0].function == "committee_secretary"
    return case.public_id, case.number or ""


def member(app: Flask, login: str, number: str) -> Visitor:
    person = signed_in(app, login)
    person.get("/staff/inbox")
    person.follow("委員會")
    person.follow(number)
    return person


def test_from_the_plan_to_the_minutes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made(app, board)
    pid, number = made(app, put_forward)
    secretary = signed_in(app, "xie.wanru")
    secretary.get("/staff/inbox")
    secretary.follow("委員會")
    secretary.follow("補助審議會")
    secretary.press("排定會議", {"time": "下午"})
    assert secretary.page.status == 422
    assert secretary.page.mistakes == [
        "請填寫真實存在的日期，例如 115 年 12 月 3 日。",
        "請填寫時間，例如 09:00。",
        "請填寫地點，最多 120 字。",
        "請至少選一個案件。",
    ]
    item = str(secretary.page.soup.select_one("input[name=cases]")["value"])
    day = {"day-year": "114", "day-month": "10", "day-day": "2"}
    secretary.press("排定會議", {**day, "time": "14:00", "place": "第一會議室", "cases": [item]})
    assert "會議已排定" in secretary.page.text and not secretary.page.offers("記錄決議")

    for login in MEMBERS[:2]:
        voter = member(app, login, number)
        voter.press("送出表決", {"choice": "yes"})
        assert "同意" in voter.page.text
    away = member(app, MEMBERS[2], number)
    away.press("聲明迴避", {"reason": "申請人是鄰居"})
    assert number not in away.page.text
    away.get(f"/staff/agenda/{item}")
    assert away.page.status == 403 and "迴避" in away.page.text

    at(app, monkeypatch, NOW + timedelta(days=8))
    secretary, session = signed_in(app, "xie.wanru"), secretary.page.path
    secretary.get(session)
    assert "得參與 2 人，參與 2 人" in secretary.page.text and "董偉倫" in secretary.page.text
    secretary.press("記錄決議", {f"result-{item}": "pass_with_changes"})
    assert secretary.page.status == 422 and "修正內容" in secretary.page.text
    secretary.get(secretary.trail[0].path)
    secretary.press("記錄決議", {f"result-{item}": "pass_with_changes", f"remark-{item}": "金額減半"})
    assert not secretary.page.offers("核定紀錄")

    head = signed_in(app, "li.zhengnan")
    head.get("/staff/inbox")
    head.follow("1 次委員會會議紀錄待核定")
    head.follow("補助審議會")
    stale = head.page
    head.press("核定紀錄")
    assert "紀錄已核定" in head.page.text
    assert made(app, lambda: case_of(pid).state) == "check"
    head.page = stale
    head.press("核定紀錄")
    assert head.page.status == 409 and "李正南" in head.page.text

    made(app, _print)
    head.get(secretary.page.path)
    head.follow("會議紀錄（PDF）")
    assert "金額減半" in pdf_text(head.page.content)


def _print() -> None:
    perform_effect(db.session.scalars(select(Effect.id).where(Effect.kind == "minutes")).one())


def test_the_secretary_sets_a_committee_up(app: Flask) -> None:
    secretary = signed_in(app, "xie.wanru")
    secretary.get("/staff/committees")
    secretary.press("設定委員會", {"name_zh": "審議會", "pass_score": "101"})
    assert secretary.page.mistakes == [
        "請填寫名稱，最多 80 字。",
        "請至少選一個申辦項目。",
        "請填 0 到 100 的分數。",
    ]
    good = {"name_en": "Board", "pass_score": "70", "services": ["EC91"], "quorum": "two_thirds"}
    secretary.press("設定委員會", good)
    assert secretary.page.heading == "委員與任期"
    for login in MEMBERS:
        secretary.press("任命", {"account": str(made(app, lambda login=login: account(login).id))})
    secretary.follow("回到委員會")
    assert "翁國樑、歐怡君、董偉倫" in secretary.page.text
    pid, _number = made(app, put_forward)
    assert made(app, lambda: case_of(pid).state) == "committee"
    away = signed_in(app, "yang.zhihao")
    away.post("/staff/committees", {"name_zh": "別處", "name_en": "Else", "services": "EC91"})
    assert away.page.status == 403, "no secretary"


def test_the_pages_speak_english(app: Flask) -> None:
    made(app, board)
    _pid, number = made(app, put_forward)
    secretary = signed_in(app, "xie.wanru")
    secretary.get("/language/en")
    secretary.get("/staff/committees")
    secretary.follow("Board")
    assert "Plan a session" in secretary.page.text and number in secretary.page.text


def test_outside_experts_and_the_chair(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An expert without an account votes by the secretary, the chair breaks the tie, and the minutes say so."""
    made(app, board)
    _pid, number = made(app, put_forward)
    secretary = signed_in(app, "xie.wanru")
    secretary.get("/staff/committees")
    secretary.follow("補助審議會")
    secretary.follow("修改設定")
    secretary.press("儲存設定", {"chair_breaks_ties": "yes", "pass_score": "60"})
    assert secretary.page.mistakes == ["以評分審議時沒有可否同數，請不要勾選主席裁決，或不填及格分數。"]
    secretary.press("儲存設定", {"chair_breaks_ties": "yes", "pass_score": ""})
    assert "可否同數時由主席裁決" in secretary.page.text
    secretary.follow("委員與任期")
    secretary.get(_term_of(app, secretary.page.path, "weng.guoliang"))
    secretary.press("更改任期", {"ends-year": "113", "ends-month": "2", "ends-day": "30"})
    assert secretary.page.mistakes == ["請填寫真實存在的日期，例如 115 年 12 月 3 日。"]
    today = taipei_day(NOW)
    last = {"ends-year": str(today.year - 1911), "ends-month": str(today.month), "ends-day": str(today.day)}
    secretary.press("更改任期", last)
    assert "任期已更新" in secretary.page.text
    secretary.follow("改為任命外聘委員")
    secretary.press("任命", {"name": "林教授"})
    assert secretary.page.status == 422 and "服務單位" in secretary.page.mistakes[0]
    secretary.press("任命", {"organisation": "國立金門大學", "chairs": ["yes"]})
    assert "林教授" in secretary.page.text and "主席（外聘）" in secretary.page.text
    secretary.press("任命", {"name": "陳律師", "organisation": "律師公會", "chairs": ["yes"]})
    assert secretary.page.mistakes == ["這段期間已經有主席，請先結束原主席的任期。"]
    secretary.press("任命", {"chairs": []})
    secretary.follow("回到委員會")
    item = str(secretary.page.soup.select_one("input[name=cases]")["value"])
    day = {"day-year": "114", "day-month": "10", "day-day": "2"}
    secretary.press("排定會議", {**day, "time": "14:00", "place": "會議室", "cases": [item]})
    session = secretary.page.path

    voter = member(app, MEMBERS[1], number)
    voter.press("送出表決", {"choice": "no"})
    member(app, MEMBERS[2], number).press("聲明迴避", {"reason": "申請人是鄰居"})
    secretary.follow("登錄外聘委員的表決、登記迴避")
    professor, lawyer = (str(box["name"]) for box in secretary.page.soup.select("select[name^=choice-]"))
    secretary.press("登錄", {professor: "yes", lawyer: "yes"})
    secretary.press("登記迴避", {"member": lawyer.partition("-")[2]})
    assert secretary.page.mistakes == ["請寫明迴避的原因。"]
    secretary.press("登記迴避", {"member": lawyer.partition("-")[2], "reason": "曾受申請人委任"})
    assert "陳律師：曾受申請人委任" in secretary.page.text and not secretary.page.soup.select(
        f"[name={lawyer}]"
    )

    at(app, monkeypatch, NOW + timedelta(days=8))
    secretary = signed_in(app, "xie.wanru")
    secretary.get(session)
    assert "得參與 2 人，參與 2 人，同意 1、不同意 1" in secretary.page.text
    secretary.press("記錄決議", {f"result-{item}": "pass"})
    assert secretary.page.status == 422 and "同數" in secretary.page.mistakes[0]
    secretary.press("記錄決議", {f"casting-{item}": "yes", f"result-{item}": "pass"})
    assert "主席林教授裁決同意，通過" in secretary.page.text
    head = signed_in(app, "li.zhengnan")
    head.get(session)
    head.press("核定紀錄")
    made(app, _print)
    head.get(session)
    head.follow("會議紀錄（PDF）")
    printed = head.page.pdf_text
    assert "林教授（主席，國立金門大學）" in printed and "可否同數，主席林教授裁決同意" in printed
    secretary.get(session.replace("sessions", "committees"))
    assert secretary.page.status == 404
    secretary.get("/staff/committees")
    secretary.follow("補助審議會")
    secretary.follow("修改設定")
    stale = secretary.page
    secretary.press("停止受理")
    assert "已停止受理" in secretary.page.text and not secretary.page.offers("排定會議")
    secretary.page = stale
    secretary.press("停止受理")
    assert secretary.page.status == 409 and "謝宛如" in secretary.page.text
    secretary.get(stale.path)
    secretary.press("恢復受理")
    assert "已恢復受理" in secretary.page.text


def _term_of(app: Flask, members: str, login: str) -> str:
    who = made(app, lambda: account(login).id)
    seat = select(CommitteeMember.id).where(CommitteeMember.account_id == who)
    return f"{members}/{made(app, lambda: db.session.scalars(seat).one())}"
