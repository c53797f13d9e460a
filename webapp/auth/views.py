"""Sign-in, one-time codes, registration, sign-out. Every page carries on what was posted before it."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user, login_user

from rules.values import Text
from webapp import pending
from webapp.auth import bp
from webapp.errors import DomainError, Refused
from webapp.presentation import language, local_path
from webapp.security import actor, device_hash, forget_browser, now
from webapp.services import accounts, drafts, handovers
from webapp.uow import unit_of_work

#: the number to which a code was just sent, kept in the browser's signed session
MOBILE = "sign_in_mobile"


@bp.get("/sign-in")
def sign_in() -> ResponseReturnValue:
    return redirect(_back()) if _signed_in() else _page("sign_in", email="")


@bp.post("/sign-in")
def check_password() -> ResponseReturnValue:
    email, password = request.form.get("email", ""), request.form.get("password", "")
    try:
        with unit_of_work():
            account = accounts.sign_in_by_password(email, password, _source(), now())
            login_user(account)
    except DomainError as error:
        return _page("sign_in", error, email=email)
    return _welcome()


@bp.get("/sign-in/mobile")
def mobile() -> ResponseReturnValue:
    return redirect(_back()) if _signed_in() else _page("mobile", mobile="")


@bp.post("/sign-in/mobile")
def send_code() -> ResponseReturnValue:
    number = request.form.get("mobile", "")
    if "mobile" not in request.form:  # from the page of the password, with what was posted before
        return _page("mobile", mobile="")
    try:
        with unit_of_work():
            accounts.send_code(number, _source(), now())
    except DomainError as error:
        return _page("mobile", error, mobile=number)
    session[MOBILE] = accounts.clean_mobile(number)
    if request.form.get("pending"):
        return _page("code", mobile=session[MOBILE])
    return redirect(url_for("auth.code", next=_back()))


@bp.get("/sign-in/code")
def code() -> ResponseReturnValue:
    if _signed_in():
        return redirect(_back())
    if MOBILE not in session:
        return redirect(url_for("auth.mobile", next=_back()))
    return _page("code", mobile=session[MOBILE])


@bp.post("/sign-in/code")
def check_code() -> ResponseReturnValue:
    number = session.get(MOBILE)
    if number is None:
        return _page("mobile", Refused(_EXPIRED), mobile="")
    try:
        with unit_of_work():
            account = accounts.sign_in_by_code(number, request.form.get("code", ""), _source(), now())
            login_user(account)
    except DomainError as error:
        return _page("code", error, mobile=number)
    session.pop(MOBILE)
    return _welcome()


@bp.get("/register")
def register() -> ResponseReturnValue:
    return redirect(_back()) if _signed_in() else _page("register", name="", email="")


@bp.post("/register")
def make_account() -> ResponseReturnValue:
    given = {key: request.form.get(key, "") for key in ("name", "email")}
    mistakes = _missing(given)
    if mistakes:
        return _page("register", mistakes=mistakes, **given)
    try:
        with unit_of_work():
            accounts.count_attempt("address", _source(), now())
            account = accounts.register(
                given["name"], given["email"], request.form.get("password", ""), now()
            )
            login_user(account)
    except DomainError as error:
        return _page("register", error, **given)
    return _welcome()


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Nothing stays in this browser, signed in or not: the next person may sit at the same desk."""
    words = Text(
        zh="這個瀏覽器已忘記您的草稿和案件。", en="This browser has forgotten your drafts and cases."
    )
    if current_user.is_authenticated:
        words = Text(zh="您已登出。", en="You are signed out.")
        with unit_of_work():
            accounts.sign_out(current_user.id, now())
    forget_browser()
    flash(words.in_(language()), "success")
    return redirect(url_for("citizen.catalogue"))


_EXPIRED = Text(zh="驗證碼已過期，請重新取得。", en="The code has expired. Get a new one.")


def _welcome() -> ResponseReturnValue:
    """After the sign-in: the browser's drafts go to the account, and what was posted before is taken in."""
    device = device_hash()
    g.pop("actor", None)
    if device is not None and not actor().is_staff:
        with unit_of_work():
            adopted = drafts.adopt(actor(), device, now())
            handovers.adopt(actor(), device, now())
        if adopted:
            words = ngettext(
                "這個瀏覽器上的 %(num)d 份草稿已存到您的帳號。",
                "這個瀏覽器上的 %(num)d 份草稿已存到您的帳號。",
                adopted,
            )
            flash(words, "message")
    answer = pending.take_in(request.form.get("pending", ""), now())
    if answer is not None:
        return answer
    back = _back()
    if back == "/" and actor().is_staff:
        return redirect(url_for("staff.inbox"))
    return redirect(back)


def _page(
    template: str, error: DomainError | None = None, *, mistakes: dict[str, str] | None = None, **values: Any
) -> ResponseReturnValue:
    body = render_template(
        f"auth/{template}.html",
        next=_back(),
        pending=request.form.get("pending", ""),
        expired=bool(request.form.get("pending")),
        mistake=error.text.in_(language()) if error else "",
        mistakes=mistakes or {},
        has_errors=bool(error or mistakes),
        demo=current_app.config["DEMO"],
        **values,
    )
    return body, error.status if error else 422 if mistakes else 200


def _missing(given: dict[str, str]) -> dict[str, str]:
    """By field, what registration cannot do without."""
    found = {}
    if not given["name"].strip():
        found["name"] = _("請輸入姓名。")
    if not given["email"].strip():
        found["email"] = _("請輸入電子郵件。沒有電子郵件時，可以改用手機號碼登入。")
    if not accounts.PASSWORD_LENGTH <= len(request.form.get("password", "")) <= 1024:
        found["password"] = _("密碼至少要 %(n)s 個字元，建議使用一句好記的話。", n=accounts.PASSWORD_LENGTH)
    return found


def _signed_in() -> bool:
    return actor().kind in ("citizen", "staff")


def _back() -> str:
    return local_path(request.values.get("next", ""))


def _source() -> str:
    return request.remote_addr or ""
