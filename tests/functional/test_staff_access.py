"""Who comes into the officers' rooms, and which cases exist for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import at, case_of, made, signed_in
from tests.visitor import in_process
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, EscalationNotice, Letter
from webapp.queries import expediting, letters, outbox
from webapp.queries.org import chart
from webapp.services import documents, notices, parties
from webapp.uow import unit_of_work

PAGES = ("/staff/inbox", "/staff/inbox/counts", "/staff/search?q=EC09-115-1", "/staff/intake")


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def pet_case() -> tuple[str, str]:
    """Public ids of a case of the veterinary office and of its task."""
    case = submitted("EC09")
    return case.public_id, open_tasks(case)[0].public_id


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_asked_to(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=/staff/")


def test_what_a_stranger_posts_does_nothing(app: Flask) -> None:
    case, task = made(app, pet_case)
    stranger = in_process(app.test_client())
    for path in (f"/staff/tasks/{task}/claim", f"/staff/cases/{case}/act/return_application?task={task}"):
        stranger.post(path, {"action": "send", "comment": "不符", "version": "1"})
        assert stranger.page.path.startswith("/sign-in") or stranger.page.status == 401, stranger.page
    officer = signed_in(app, "chen.shufen").get(f"/staff/cases/{case}")
    assert "承辦審查" in officer.text
    with app.app_context():
        assert db.session.scalars(select(Case.state).where(Case.public_id == case)).one() == "review"


@pytest.mark.parametrize("path", PAGES)
def test_a_citizen_is_told_that_this_is_not_theirs(app: Flask, path: str) -> None:
    assert signed_in(app, "chen.meiling").get(path).status == 403


def test_a_citizen_cannot_open_their_own_case_here(app: Flask) -> None:
    case, task = made(app, pet_case)
    visitor = signed_in(app, "chen.meiling")
    assert visitor.get(f"/staff/cases/{case}").status == 403
    assert visitor.post(f"/staff/tasks/{task}/claim").status == 403


def test_the_case_of_another_unit_does_not_exist(app: Flask) -> None:
    case, task = made(app, pet_case)
    engineer = signed_in(app, "yang.zhihao")
    assert engineer.get(f"/staff/cases/{case}").status == 404
    assert engineer.get(f"/staff/cases/{case}/act/propose_approval?task={task}").status == 404
    assert (
        engineer.post(f"/staff/cases/{case}/act/propose_approval?task={task}", {"version": "1"}).status == 404
    )
    assert engineer.post(f"/staff/tasks/{task}/claim").status == 404
    assert engineer.post(f"/staff/tasks/{task}/release").status == 404
    assert engineer.post(f"/staff/tasks/{task}/files/photos").status == 404
    assert "找不到案號" in engineer.get("/staff/search?q=EC09-114-000001").text


def test_a_co_reviewer_sees_the_case_once_asked(app: Flask) -> None:
    case = made(app, lambda: submitted("PW01").public_id)
    police = signed_in(app, "dong.weilun")
    assert police.get(f"/staff/cases/{case}").status == 404

    made(app, lambda: take(case_of(case), "split"))
    assert police.get(f"/staff/cases/{case}").status == 200
    assert police.page.links("送出會辦意見")


def test_only_who_takes_in_applications_sees_the_counter(app: Flask) -> None:
    assert signed_in(app, "huang.meilan").get("/staff/intake").status == 200
    police = signed_in(app, "dong.weilun")
    assert police.get("/staff/intake").status == 403
    assert not police.get("/staff/inbox").links("代為收件")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("EC09-114-000001", True),
        ("ec09-114-1", True),
        ("ＥＣ０９－１１４－０００００１", True),
        ("EC09 114 1", True),
        ("EC09114000001", True),
        ("EC09-114-000002", False),
        ("陳美玲", False),
        ("' or 1=1 --", False),
    ],
)
def test_a_number_is_found_however_it_is_typed(app: Flask, asked: str, found: bool) -> None:
    case, _task = made(app, pet_case)
    visitor = signed_in(app, "lin.yahan")
    visitor.get("/staff/inbox")
    visitor.press("搜尋", {"q": asked})
    assert (visitor.page.path == f"/staff/cases/{case}") is found


REPORT = {
    "anonymous": ["no"],
    "informant_name": ["王保密"],
    "contact": ["電話 0912-000-111"],
    "want_reply": ["yes"],
    "subject_unit": ["PW"],
    "facts": ["某承辦人於九月間收受廠商禮券，本人當場看見，金額約五萬元。"],
    "agree_truth": ["yes"],
}
#: the operator, who else sees every case, the administrator, the counter with the mail room, another unit
OTHERS = ("hong.shuhui", "guo.shiming", "he.rongjie", "lin.yongan", "admin", "huang.meilan", "yang.zhihao")
HEAD = "department_head.et"


@pytest.fixture
def _reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SAMPLES, "ET01", REPORT)


@pytest.mark.usefixtures("_reports")
def test_a_confidential_case_exists_for_its_officers_and_heads_only(app: Flask) -> None:
    """行政程序法 170 II: neither the 1999 operator nor those who see every other case."""
    case = made(app, lambda: submitted("ET01").public_id)
    with app.app_context():
        found = case_of(case)
        (task,) = open_tasks(found)
        number, desk, paper = found.number or "", task.public_id, documents.of_case(found.id)
        assert (chart().units[task.unit_id].code, task.function) == ("ET", "officer")
        holder = login_of(task.assignee_id or 0)
    for login in OTHERS:
        stranger = signed_in(app, login)
        assert stranger.get(f"/staff/cases/{case}").status in (403, 404), login
        assert stranger.post(f"/staff/tasks/{desk}/claim").status in (403, 404)
        assert number not in stranger.get("/staff/inbox").text
        assert stranger.get(f"/staff/search?q={number}").path != f"/staff/cases/{case}"
        assert all(stranger.get(f"/files/{each.public_id}").status == 404 for each in paper)
    for login in (holder, HEAD):
        assert "王保密" in signed_in(app, login).get(f"/staff/cases/{case}").text, login
    made(app, lambda: take(case_of(case), "assign"))
    with app.app_context():
        (task,) = open_tasks(case_of(case))
        assert (case_of(case).state, login_of(task.assignee_id or 0)) == ("act", holder)


@pytest.mark.usefixtures("_reports")
def test_a_late_confidential_case_reaches_the_head_of_its_unit_and_no_list_of_others(app: Flask) -> None:
    late = NOW + timedelta(days=80)
    with app.app_context():
        submitted("ET01")
        run_deadlines(late)
        heard = set(db.session.scalars(select(EscalationNotice.account_id)))
        assert account(HEAD).id in heard
        assert heard.isdisjoint(account(login).id for login in OTHERS)
        seen = {login: expediting.count_overdue(officer(login, late), late) for login in (*OTHERS, HEAD)}
        assert seen.pop(HEAD) > 0
        assert set(seen.values()) == {0}


@pytest.mark.usefixtures("_reports")
def test_a_confidential_letter_is_not_in_the_mail_room_nor_in_the_outbox_of_administrators(
    app: Flask,
) -> None:
    with app.app_context():
        case = submitted("ET01")
        take(case, "assign")
        take(case, "propose_approval", comment="已查處。")
        take(case, "forward")
        take(case, "approve")
        wanted = letters.Filter(channel=db.session.scalars(select(Letter.channel)).first() or "", all=True)
        assert [found.id for _letter, found in letters.to_send(officer(HEAD), wanted)] == [case.id]
        assert not letters.to_send(officer("huang.meilan"), wanted)
        with unit_of_work():
            notices.post("secret", "sms", "0912000111", "檢舉", "檢舉", NOW, case_id=case.id)
        assert [m.subject for m in outbox.messages(everything=True)[0]].count("檢舉") == 1
        assert all(m.case_id is None for m in outbox.messages(everything=False)[0])


@pytest.mark.usefixtures("_reports")
@pytest.mark.parametrize(
    ("contact", "want_reply", "reached"),
    [
        ("手機 ０９１２－０００－１１１，晚上方便", "yes", [("", "sms", "0912000111")]),
        ("請寄 safe.box@example.org", "yes", [("", "email", "safe.box@example.org")]),
        ("金城鎮民生路60號", "yes", [("", "post", "金城鎮民生路60號")]),
        ("082-318823", "yes", [("", "call", "082-318823")]),
        ("082-325000 晚上", "yes", [("", "call", "082-325000 晚上")]),
        ("金城鎮民生路60號 電話 082-325000", "yes", [("", "call", "金城鎮民生路60號 電話 082-325000")]),
        ("我弟弟的雜貨店", "yes", [("", "call", "我弟弟的雜貨店")]),
        ("0912000111", "no", []),
    ],
)
def test_who_reports_is_reached_where_they_said_and_never_by_their_account(
    app: Flask, contact: str, want_reply: str, reached: list[tuple[str, str, str]]
) -> None:
    with app.app_context():
        case = submitted("ET01", contact=[contact], want_reply=[want_reply])
        assert parties.channels_of(case.id) == reached


def test_the_start_page_of_a_confidential_service_says_what_an_account_keeps(app: Flask) -> None:
    assert "請先登出" in signed_in(app, "chen.meiling").get("/services/ET01").text
    assert "案件會留在您的帳號裡" in in_process(app.test_client()).get("/services/ET01").text
    assert "請先登出" not in signed_in(app, "chen.meiling").get("/services/EC09").text
