"""The officers' rooms: inbox, case page, actions, counter intake, search. For staff only."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp import pending
from webapp.errors import Forbidden
from webapp.security import actor, now

bp = Blueprint("staff", __name__, template_folder="templates")


@bp.before_request
def staff_only() -> ResponseReturnValue | None:
    """Who is not signed in is asked to; a citizen is told that this is not theirs."""
    if actor().may("work_on_cases"):
        return None
    if actor().kind == "anonymous":
        back = request.full_path.rstrip("?") if request.method == "GET" else url_for("staff.inbox")
        return pending.ask_to_sign_in(back, now())
    raise Forbidden(
        Text(zh="這裡是承辦人員的作業區，您的帳號不能使用。", en="This area is for officers only.")
    )


from webapp.staff import (  # noqa: E402  # they put their routes on bp
    absences,  # noqa: F401
    act,  # noqa: F401
    audits,  # noqa: F401
    case,  # noqa: F401
    case_actions,  # noqa: F401
    cashier,  # noqa: F401
    committees,  # noqa: F401
    days,  # noqa: F401
    effects,  # noqa: F401
    expediting,  # noqa: F401
    inbox,  # noqa: F401
    intake,  # noqa: F401
    legal_basis,  # noqa: F401
    letter_changes,  # noqa: F401
    letters,  # noqa: F401
    limits,  # noqa: F401
    mail_room,  # noqa: F401
    notices,  # noqa: F401
    paper_notices,  # noqa: F401
    payouts,  # noqa: F401
    phrases,  # noqa: F401
    resources,  # noqa: F401
    rule_alarms,  # noqa: F401
    sessions,  # noqa: F401
    slots,  # noqa: F401
    surveys,  # noqa: F401
    unknown_payments,  # noqa: F401
    why,  # noqa: F401
)
