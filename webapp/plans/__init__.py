"""Plan control and the yearly performance tables. For staff only."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp import pending
from webapp.errors import Forbidden
from webapp.security import actor, now

bp = Blueprint("plans", __name__, template_folder="templates")


@bp.before_request
def staff_only() -> ResponseReturnValue | None:
    """Who is not signed in is asked to; others are told that this is not theirs."""
    if actor().may("see_plans"):
        return None
    if actor().kind == "anonymous":
        back = request.full_path.rstrip("?") if request.method == "GET" else url_for("plans.score_years")
        return pending.ask_to_sign_in(back, now())
    raise Forbidden(
        Text(
            zh="這裡是施政管考的作業區，您的帳號不能使用。",
            en="This area is for plan control by officers only.",
        )
    )


from webapp.plans import (  # noqa: E402  # they put their routes on bp
    scores,  # noqa: F401
)
