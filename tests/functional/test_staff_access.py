"""Who comes into the officers' rooms, and which cases exist for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, open_tasks, submitted, take
from tests.officers import at, case_of, made, signed_in
from tests.visitor import in_process
from webapp.extensions import db
from webapp.models import Case

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
