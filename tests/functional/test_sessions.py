"""What a session may open, how long it lasts, and whom guessing keeps out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text

from tests.journeys import NOW, account, submitted
from tests.officers import at, made, signed_in
from tests.visitor import Visitor, in_process
from tests.walks import give_password
from webapp import create_app, demo
from webapp.config import NO_DEFAULT_IN_PRODUCTION, MissingSetting, settings
from webapp.crypto import follow_code
from webapp.errors import Refused, TooMany
from webapp.extensions import db
from webapp.models import Account, LoginCode, Message, Throttle
from webapp.services import accounts, notices
from webapp.uow import unit_of_work

RIGHT = "一句好記的話加幾個字"


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def a_case() -> tuple[str, int]:
    case = submitted("EC09")
    return case.public_id, case.id


def opened_by_code(visitor: Visitor, pid: str) -> None:
    visitor.get("/track")
    page = visitor.press("查詢", {"number": "EC09-114-000001", "code": follow_code(pid)})
    assert page.path == f"/applications/{pid}", page


# --- an idle desk --------------------------------------------------------------


def test_an_idle_desk_forgets_the_cases_that_its_clerk_opened(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid, _id = made(app, a_case)
    desk = signed_in(app, "lin.yahan")
    opened_by_code(desk, pid)
    at(app, monkeypatch, NOW + timedelta(hours=2, seconds=1))
    assert desk.get(f"/applications/{pid}").status == 404
    assert desk.get("/applications").links("EC09-114-000001") == []


def test_what_a_clerk_opened_is_not_open_to_whoever_is_not_signed_in(app: Flask) -> None:
    """Also when the sign-in ended elsewhere, and the browser still has its session."""
    pid, _id = made(app, a_case)
    desk = signed_in(app, "lin.yahan")
    opened_by_code(desk, pid)
    with app.app_context(), unit_of_work():
        accounts.sign_out(account("lin.yahan").id, NOW)
    assert desk.get("/staff/inbox").path.startswith("/sign-in")
    assert desk.get(f"/applications/{pid}").status == 404
    assert desk.get("/applications").links("EC09-114-000001") == []


@pytest.mark.parametrize("poll", ["/staff/inbox/counts", "/applications/{pid}?part=progress"])
def test_a_page_that_refreshes_itself_is_not_somebody(
    app: Flask, monkeypatch: pytest.MonkeyPatch, poll: str
) -> None:
    pid, _id = made(app, a_case)
    desk = signed_in(app, "lin.yahan")
    desk.get("/staff/inbox")
    for minutes in range(10, 120, 10):
        at(app, monkeypatch, NOW + timedelta(minutes=minutes))
        assert desk.get(poll.format(pid=pid)).status == 200
    at(app, monkeypatch, NOW + timedelta(hours=2, minutes=1))
    assert desk.get("/staff/inbox").path.startswith("/sign-in")


# --- signing out --------------------------------------------------------------


def test_a_copied_cookie_is_worth_nothing_after_signing_out(app: Flask) -> None:
    client = app.test_client()
    visitor = in_process(client)
    visitor.get("/sign-in")
    give_password(visitor, demo.login("chen.meiling"))
    cookie = client.get_cookie("ecounter")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("ecounter", cookie.value)
    copied = in_process(thief)
    assert copied.get("/help").soup.select_one("form[action='/sign-out'] button") is not None
    visitor.get("/help")
    visitor.press("登出")
    assert copied.get("/help").soup.select_one("form[action='/sign-out'] button") is None


def test_a_visitor_without_account_leaves_a_shared_computer(app: Flask) -> None:
    pid, _id = made(app, a_case)
    visitor = in_process(app.test_client())
    opened_by_code(visitor, pid)
    visitor.get("/services/EC09")
    draft = visitor.press("不登入，直接申請").path
    visitor.get("/applications")
    page = visitor.press("離開這台電腦")
    assert "已忘記您的草稿和案件" in page.text
    assert visitor.get("/applications").links("EC09-114-000001") == []
    assert [visitor.get(path).status for path in (draft, f"/applications/{pid}")] == [404, 404]


# --- the applicant's code --------------------------------------------------------------


def test_officers_do_not_read_the_code_of_the_applicant(app: Flask) -> None:
    pid, case_id = made(app, a_case)
    code = follow_code(pid)
    with app.app_context(), unit_of_work():
        notices.post("k", "email", "a@example.com", "主旨", f"查詢碼 {code}", NOW, case_id=case_id)
    desk = signed_in(app, "lin.yahan")
    page = desk.get(f"/staff/cases/{pid}")
    assert "查詢碼 ●●●●●" in page.text
    for path in (f"/staff/cases/{pid}", f"/applications/{pid}/confirmation", f"/applications/{pid}"):
        page = desk.get(path)
        assert page.status == 200
        assert code not in page.content.decode() and f"{code[:5]} {code[5:]}" not in page.content.decode()
        assert not page.links("收據"), "the code is printed on it"
    assert desk.get(f"/applications/{pid}/receipt.pdf").status == 403


# --- guessing --------------------------------------------------------------


@pytest.fixture
def person(app: Flask) -> Iterator[str]:
    with app.app_context():
        with unit_of_work():
            accounts.register("林小華", "lin@example.com", RIGHT, NOW)
        yield "lin@example.com"


def guesses(email: str, source: str, times: int) -> None:
    for _try in range(times):
        with pytest.raises(Refused), unit_of_work():
            accounts.sign_in_by_password(email, "wrong password", source, NOW)


def test_a_stranger_who_guesses_locks_out_nobody_else(person: str) -> None:
    guesses(person, "192.0.2.1", 10)
    for _again in range(100):
        with pytest.raises(TooMany), unit_of_work():
            accounts.sign_in_by_password(person, RIGHT, "192.0.2.1", NOW)
    with unit_of_work():
        assert accounts.sign_in_by_password(person, RIGHT, "192.0.2.2", NOW).name == "林小華"


def test_guesses_from_everywhere_end_too(person: str) -> None:
    for _try in range(100):
        accounts.count_attempt("password", f"192.0.2.{_try}", NOW, identity="x")
    with pytest.raises(TooMany):
        accounts.count_attempt("password", "192.0.2.200", NOW, identity="x")


def test_counting_leaves_the_transaction_of_the_caller_alone(person: str) -> None:
    db.session.execute(text("update account set language = 'en'"))
    accounts.count_attempt("password", "192.0.2.1", NOW, identity="x")
    with pytest.raises(Refused):
        accounts.sign_in_by_code("0912345678", "123456", "192.0.2.1", NOW)
    db.session.rollback()
    assert set(db.session.scalars(select(Account.language))) == {"zh"}
    assert db.session.scalar(select(func.count()).select_from(Throttle)) > 0


@pytest.mark.parametrize("typed", ["ｌｉｎ＠ｅｘａｍｐｌｅ．ｃｏｍ", " LIN@Example.com "])
def test_an_address_is_the_same_however_it_is_typed(person: str, typed: str) -> None:
    with unit_of_work():
        assert accounts.sign_in_by_password(typed, RIGHT, "192.0.2.1", NOW).name == "林小華"


# --- codes by mobile --------------------------------------------------------------


def sent_code() -> str:
    with unit_of_work():
        accounts.send_code("0912345678", "192.0.2.1", NOW)
    body = db.session.scalars(select(Message.body).order_by(Message.id.desc())).first()
    assert body is not None
    return body.split("驗證碼是 ")[1][:6]


def enter(code: str) -> str:
    with unit_of_work():
        return accounts.sign_in_by_code("0912345678", code, "192.0.2.1", NOW).kind


def test_an_older_code_ends_with_a_newer_one_for_good(person: str) -> None:
    older, newer = sent_code(), sent_code()
    assert enter(newer) == "citizen"
    for code in (older, newer):
        with pytest.raises(Refused):
            enter(code)


def test_five_guesses_end_a_code(person: str) -> None:
    code = sent_code()
    for _guess in range(5):
        with pytest.raises(Refused):
            enter("x")
    with pytest.raises(Refused):
        enter(code)


def test_what_has_expired_is_dropped(person: str) -> None:
    sent_code()
    with unit_of_work():
        accounts.drop_expired(NOW)
    assert db.session.scalar(select(func.count()).select_from(LoginCode)) == 1
    with unit_of_work():
        accounts.drop_expired(NOW + timedelta(hours=1))
    assert db.session.scalar(select(func.count()).select_from(LoginCode)) == 0
    assert db.session.scalar(select(func.count()).select_from(Throttle)) == 0


# --- behind a proxy, and in production --------------------------------------------------------------


def source_seen(app: Flask, proxies: str) -> tuple[str, str]:
    own = create_app(
        {"DATABASE_URL": app.config["DATABASE_URL"], "TRUSTED_PROXIES": proxies, "TESTING": True}
    )
    seen = []

    @own.before_request
    def look() -> str:
        from flask import request

        seen.append((request.remote_addr or "", request.host_url))
        return ""

    client: FlaskClient = own.test_client()
    client.get(
        "/",
        headers={
            "X-Forwarded-For": "198.51.100.9, 203.0.113.7",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "county.example",
        },
    )
    return seen[0]


def test_visitors_behind_our_own_proxy_have_their_own_address(app: Flask) -> None:
    assert source_seen(app, "0") == ("127.0.0.1", "http://localhost/")
    assert source_seen(app, "1") == ("203.0.113.7", "https://county.example/")


def test_production_does_not_start_with_what_the_demonstration_invented(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secrets = {"DATABASE_URL": "postgresql://db.example/county", "SECRET_KEY": "x", "ECOUNTER_DATA_KEY": "x"}
    monkeypatch.setenv("ECOUNTER_ENV", "production")
    for name in NO_DEFAULT_IN_PRODUCTION:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(MissingSetting, match="BASE_URL, HEAD_TITLE, HEAD_NAME"):
        settings(secrets)
    bank = {"PAYMENT_BANK_CODE": "004", "PAYMENT_BANK_NAME": "代庫銀行", "PAYMENT_AGENCY_CODE": "12345"}
    own = {"BASE_URL": "https://county.example/", "HEAD_TITLE": "縣長", "HEAD_NAME": "陳福海", **bank}
    found = settings({**secrets, **own})
    assert (found["BASE_URL"], found["SESSION_COOKIE_SECURE"]) == ("https://county.example", True)
    assert settings({**secrets, **own, "BASE_URL": "http://x.example"})["SESSION_COOKIE_SECURE"] is False
