"""計畫管考: registers of plans with their lights, a plan with its curve and reports, performance tables, papers."""

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
        back = request.full_path.rstrip("?") if request.method == "GET" else url_for("plans.registers")
        return pending.ask_to_sign_in(back, now())
    raise Forbidden(
        Text(zh="只有機關同仁可以查看計畫管考。", en="Only staff of the county see plan control.")
    )


from webapp.plans import (  # noqa: E402  # they put their routes on bp
    calls,  # noqa: F401
    changes,  # noqa: F401
    control,  # noqa: F401
    corrections,  # noqa: F401
    entering,  # noqa: F401
    evaluation,  # noqa: F401
    front,  # noqa: F401
    imports,  # noqa: F401
    journeys,  # noqa: F401
    meetings,  # noqa: F401
    national,  # noqa: F401
    papers,  # noqa: F401
    plan,  # noqa: F401
    register,  # noqa: F401
    scores,  # noqa: F401
    sittings,  # noqa: F401
    tree,  # noqa: F401
    unit,  # noqa: F401
    verification,  # noqa: F401
)
