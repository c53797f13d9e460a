"""The editorial desk: definitions are drafted, tried on past cases, approved by a second person, rolled back."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp import pending
from webapp.errors import Forbidden
from webapp.security import actor, now

bp = Blueprint("admin", __name__, template_folder="templates")


@bp.before_request
def editors_only() -> ResponseReturnValue | None:
    """Who is not signed in is asked to; others are told that this is not theirs."""
    if actor().may("edit_definitions"):
        return None
    if actor().kind == "anonymous":
        back = request.full_path.rstrip("?") if request.method == "GET" else url_for("admin.definitions")
        return pending.ask_to_sign_in(back, now())
    raise Forbidden(
        Text(
            zh="只有系統管理者與研考單位可以修改規則與定義。",
            en="Only administrators and the research office edit rules and definitions.",
        )
    )


from webapp.admin import (  # noqa: E402  # they put their routes on bp
    definitions,  # noqa: F401
    examples,  # noqa: F401
    grid,  # noqa: F401
    grid_parameters,  # noqa: F401
    grid_parts,  # noqa: F401
    grid_sheets,  # noqa: F401
    grid_tables,  # noqa: F401
    rules,  # noqa: F401
    yaml_text,  # noqa: F401
)
