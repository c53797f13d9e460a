"""Signing in, registering, signing out, and what a sign-in that ended in the middle of a form does not lose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.journeys import NOW, account, submitted, take
from tests.officers import at, made, signed_in
from tests.visitor import Page, Visitor, in_process
from tests.walks import fill_in_step, fill_in_the_rest, give_password, known, sign_in
from webapp import demo
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.models import Account, Draft

DOG = SAMPLES["EC09"]
MOBILE = "0987-654-321"  # 王大明


@pytest.fixture(autouse=True)
def _clock(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return in_process(client)


@pytest.fixture
def with_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms need their token, as outside of tests."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/help").soup.select_one('form[action="/sign-out"]') is not None


def last_code(visitor: Visitor) -> str:
    found = re.search(r"驗證碼是 (\d{6})", visitor.get("/outbox").text)
    assert found is not None
    return found[1]


# --- e-mail and password --------------------------------------------------------------


def test_a_citizen_signs_in_and_out(visitor: Visitor) -> None:
    visitor.get("/sign-in?next=/track")
    page = give_password(visitor, demo.login("chen.meiling"))
    assert page.path == "/track"
    assert is_signed_in(visitor)
    assert visitor.get("/sign-in?next=/track").path == "/track"
    page = visitor.press("登出：陳美玲") if visitor.page.offers("登出：陳美玲") else visitor.press("登出")
    assert "您已登出" in page.text
    assert not is_signed_in(visitor)


def test_an_officer_comes_to_the_inbox(visitor: Visitor) -> None:
    assert sign_in(visitor, "lin.yahan").path.startswith("/staff/inbox")


@pytest.mark.parametrize(
    "email", [demo.login("chen.meiling"), "nobody@ecounter.example", "", "no address", "陳" * 5000]
)
def test_wrong_guesses_get_the_same_answer(visitor: Visitor, email: str) -> None:
    visitor.get("/sign-in")
    page = visitor.press("登入", {"email": email, "password": "wrong password"}, within="main")
    assert page.status == 422
    assert page.mistakes == ["帳號或密碼不正確，請再試一次。"]
    assert page.value("email") == email[:254]
    assert "wrong password" not in str(page.soup)


def test_guessing_is_stopped(visitor: Visitor, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    for _try in range(10):
        visitor.post("/sign-in", {"email": demo.login("chen.meiling"), "password": "wrong password"})
    visitor.get("/sign-in")
    login = {"email": demo.login("chen.meiling"), "password": demo.password(app.config["SECRET_KEY"])}
    page = visitor.press("登入", login, within="main")
    assert page.status == 429
    assert "15 分鐘後再試" in page.mistakes[0]
    at(app, monkeypatch, NOW + timedelta(minutes=16))
    assert visitor.press("登入", login, within="main").status == 200


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "evil"]
)
def test_the_way_back_never_leaves_the_site(visitor: Visitor, target: str) -> None:
    visitor.get("/sign-in")
    login = {"email": demo.login("chen.meiling"), "password": "x"}
    page = visitor.press("登入", login, within="main", smuggle={"next": target})
    assert page.value("next") == "/"


# --- mobile number and code --------------------------------------------------------------


def test_a_mobile_number_and_a_code_are_enough(visitor: Visitor, client: FlaskClient) -> None:
    visitor.get("/sign-in/mobile?next=/applications")
    page = visitor.press("傳送驗證碼", {"mobile": "０９８７ ６５４ ３２１"})
    assert (page.heading, page.path) == ("輸入驗證碼", "/sign-in/code?next=/applications")
    code = last_code(visitor)
    visitor.get("/sign-in/code?next=/applications")
    wrong = "".join("1" if digit != "1" else "2" for digit in code)
    page = visitor.press("登入", {"code": wrong}, within="main")
    assert (page.status, page.mistakes) == (422, ["驗證碼不正確或已過期，請重新輸入或重新取得。"])
    assert visitor.press("登入", {"code": f" {code[:3]} {code[3:]}"}, within="main").path == "/applications"
    with client.session_transaction() as session:
        assert "sign_in_mobile" not in session


def test_the_first_code_makes_the_account(app: Flask, visitor: Visitor) -> None:
    visitor.get("/sign-in/mobile")
    visitor.press("傳送驗證碼", {"mobile": "0955123456"})
    code = last_code(visitor)
    visitor.get("/sign-in/code")
    visitor.press("登入", {"code": code}, within="main")
    assert is_signed_in(visitor)
    with app.app_context():
        assert "0955-***-456" in [a.name for a in db.session.scalars(select(Account))]


def test_a_code_without_a_number_starts_over(visitor: Visitor) -> None:
    assert visitor.get("/sign-in/code").path.startswith("/sign-in/mobile")
    page = visitor.post("/sign-in/code", {"code": "123456"})
    assert (page.status, page.heading) == (422, "用手機號碼登入")


@pytest.mark.parametrize("mobile", ["", "082-318823", "09", "0912" * 1000])
def test_what_is_no_mobile_number_is_said_so(visitor: Visitor, mobile: str) -> None:
    visitor.get("/sign-in/mobile")
    page = visitor.press("傳送驗證碼", {"mobile": mobile})
    assert page.status == 422
    assert page.mistakes == ["手機號碼不正確，例如 0912-345-678。"]


# --- registering --------------------------------------------------------------


def test_registering_signs_in_and_comes_back(visitor: Visitor) -> None:
    visitor.get("/register?next=/track")
    typed = {"name": "林小華", "email": "Lin@Example.com ", "password": "一句好記的話加幾個字"}
    assert visitor.press("註冊並登入", typed).path == "/track"
    assert is_signed_in(visitor)


def test_mistakes_in_registering_stand_beside_their_fields(visitor: Visitor) -> None:
    visitor.get("/register")
    page = visitor.press("註冊並登入", {"name": "", "email": "", "password": "short"})
    assert page.status == 422
    assert [str(a["href"]) for a in page.soup.select("[data-error-summary] a")] == [
        "#name",
        "#email",
        "#password",
    ]
    assert "short" not in str(page.soup)
    typed = {"name": "林小華", "email": "not an address", "password": "long enough a password"}
    page = visitor.press("註冊並登入", typed)
    assert (page.status, page.mistakes) == (422, ["電子郵件格式不正確，例如 name@example.com。"])
    assert page.value("name") == "林小華"
    page = visitor.press("註冊並登入", {**typed, "email": demo.login("chen.meiling")})
    assert page.mistakes == ["這個電子郵件或手機號碼已註冊過，請直接登入。"]


# --- drafts and sessions --------------------------------------------------------------


def begun(visitor: Visitor, button: str) -> Page:
    visitor.get("/services/EC09")
    return visitor.press(button)


def test_drafts_of_this_browser_go_to_the_account_and_leave_the_browser(app: Flask, visitor: Visitor) -> None:
    path = begun(visitor, "不登入，直接申請").path
    page = sign_in(visitor, "chen.meiling")
    assert "這個瀏覽器上的 1 份草稿已存到您的帳號" in page.text
    assert visitor.get(path).status == 200
    with app.app_context():
        [draft] = db.session.scalars(select(Draft)).all()
        assert (draft.account_id, draft.device_hash) == (account("chen.meiling").id, None)
    visitor.get("/help")
    visitor.press("登出")
    assert visitor.get(path).path.startswith("/sign-in?next=")


def test_an_officer_does_not_take_the_drafts_of_a_shared_desk(app: Flask, visitor: Visitor) -> None:
    begun(visitor, "不登入，直接申請")
    sign_in(visitor, "lin.yahan")
    with app.app_context():
        [draft] = db.session.scalars(select(Draft)).all()
        assert draft.account_id is None


def test_detail_11_after_a_timeout_one_returns_to_the_same_field_with_everything_typed(
    visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    sign_in(visitor, "chen.meiling")
    begun(visitor, "開始申請")
    page = fill_in_step(visitor, DOG)
    client.delete_cookie("ecounter")
    asked = visitor.press("儲存並繼續", {"pet_name": "小黑", "chip_no": "900"})
    assert asked.status == 401
    assert "您剛才填的內容已帶到這一頁" in asked.text
    assert "小黑" not in str(asked.soup)
    wrong = visitor.press("登入", {"email": demo.login("chen.meiling"), "password": "wrong"}, within="main")
    assert wrong.status == 422
    back = give_password(visitor, demo.login("chen.meiling"))
    assert back.path == page.path
    assert str(visitor.trail[-2].location).endswith(f"{page.path}#field-chip_no")
    assert "剛才填的內容都存回草稿了" in back.text
    assert (back.value("pet_name"), back.value("chip_no")) == ("小黑", "900")


def test_what_was_typed_comes_along_through_the_code_by_mobile(
    visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    sign_in(visitor, "wang.daming")
    path = begun(visitor, "開始申請").path
    client.delete_cookie("ecounter")
    visitor.press("儲存並繼續", {"applicant_name": "王大明"})
    page = visitor.press("用手機驗證碼登入")
    assert page.heading == "用手機號碼登入"
    code_page = visitor.press("傳送驗證碼", {"mobile": MOBILE})
    code = last_code(visitor)
    visitor.page = code_page
    back = visitor.press("登入", {"code": code}, within="main")
    assert (back.path, back.value("applicant_name")) == (path, "王大明")


def test_the_draft_of_another_account_takes_nothing_in(
    app: Flask, visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    sign_in(visitor, "chen.meiling")
    begun(visitor, "開始申請")
    client.delete_cookie("ecounter")
    visitor.press("儲存並繼續", {"applicant_name": "別人"})
    visitor.press(
        "登入",
        {"email": demo.login("wang.daming"), "password": demo.password("a secret of the tests")},
        within="main",
    )
    assert visitor.page.status == 404
    with app.app_context():
        [draft] = db.session.scalars(select(Draft)).all()
        assert draft.raw == {}


@pytest.mark.parametrize("token", ["x", "", "AAAA", "é" * 50])
def test_a_token_of_somebody_else_is_ignored(visitor: Visitor, app: Flask, token: str) -> None:
    visitor.get("/sign-in?next=/track")
    login = {"email": demo.login("chen.meiling"), "password": demo.password(app.config["SECRET_KEY"])}
    assert visitor.press("登入", login, within="main", smuggle={"pending": token}).path == "/track"


def test_a_page_that_waited_too_long_shows_again_what_was_typed(
    visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    page = begun(visitor, "不登入，直接申請")
    with client.session_transaction() as session:
        session.pop("csrf_token")
    again = visitor.press("儲存並繼續", {**known(page, DOG), "applicant_name": "陳美玲"})
    assert again.status == 400
    assert "這個頁面放太久了" in again.text
    assert again.value("applicant_name") == "陳美玲"
    assert visitor.press("儲存並繼續").heading == "寵物資料"


def test_a_review_that_waited_too_long_is_sent_by_pressing_once_more(
    visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    begun(visitor, "不登入，直接申請")
    fill_in_the_rest(visitor, DOG)
    with client.session_transaction() as session:
        session.pop("csrf_token")
    page = visitor.press("送出申請")
    assert page.status == 400
    assert "請再按一次「送出申請」" in page.text
    assert visitor.press("送出申請").heading.startswith("已收到您的申請")


def test_autosave_of_a_signed_out_page_is_told_so(visitor: Visitor, client: FlaskClient) -> None:
    sign_in(visitor, "chen.meiling")
    path = begun(visitor, "開始申請").path
    client.delete_cookie("ecounter")
    answer = visitor.post(f"{path}/autosave", {"applicant_name": "陳", "version": "1"}, "application/json")
    assert answer.status == 401
    assert "登入已逾時" in json.loads(answer.content)["error"]


def test_a_correction_is_carried_through_the_sign_in_too(
    app: Flask, visitor: Visitor, client: FlaskClient, with_tokens: None
) -> None:
    def asked() -> str:
        case = submitted("EC09")
        take(case, "request_correction", comment="晶片號碼不清楚", fields=("chip_no",))
        return case.public_id

    pid = made(app, asked)
    sign_in(visitor, "chen.meiling")
    visitor.get(f"/applications/{pid}/correction")
    client.delete_cookie("ecounter")
    assert visitor.press("送出補正", {"chip_no": "111"}).status == 401
    back = give_password(visitor, demo.login("chen.meiling"))
    assert (back.path, back.value("chip_no")) == (f"/applications/{pid}/correction", "111")


def test_a_desk_that_nobody_touches_is_signed_out(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = signed_in(app, "lin.yahan")
    assert desk.get("/staff/inbox").status == 200
    at(app, monkeypatch, NOW + timedelta(minutes=110))
    assert desk.get("/staff/inbox").status == 200
    at(app, monkeypatch, NOW + timedelta(minutes=110, hours=2, seconds=1))
    assert desk.get("/staff/inbox").path.startswith("/sign-in")
