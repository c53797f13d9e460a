"""Following a case by its number and code, without an account."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.citizen import bp
from webapp.errors import DomainError, Refused
from webapp.presentation import language
from webapp.queries import tracking
from webapp.security import now, unlock
from webapp.services import accounts
from webapp.uow import unit_of_work

WRONG = Text(
    zh="案件編號或查詢碼不正確，請對照收據或通知再輸入一次。",
    en="The case number or the code is not right. Check them against the receipt or the message.",
)


@bp.get("/track")
def follow() -> ResponseReturnValue:
    return _page(request.args.get("number", ""))


@bp.post("/track")
def open_case() -> ResponseReturnValue:
    number, code = request.form.get("number", ""), request.form.get("code", "")
    source = request.remote_addr or ""
    try:
        with unit_of_work():
            name = tracking.case_number(number)
            accounts.count_attempt("follow", source, now(), identity=name)
            case = tracking.by_number_and_code(number, code)
            if case is None:
                raise Refused(WRONG)
            accounts.forget_attempts("follow", source, name)
    except DomainError as error:
        return _page(number, error)
    unlock(case.id)
    return redirect(url_for("citizen.case", pid=case.public_id))


def _page(number: str, error: DomainError | None = None) -> ResponseReturnValue:
    body = render_template(
        "citizen/track.html",
        number=number[:40],
        mistake=error.text.in_(language()) if error else "",
        has_errors=error is not None,
    )
    return body, error.status if error else 200
