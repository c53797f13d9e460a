"""The editorial desk: definitions are drafted, tried on past cases, approved by a second person, rolled back."""

from __future__ import annotations

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from rules.values import Text
from webapp import error_pages, pending
from webapp.errors import DomainError, Forbidden
from webapp.security import actor, now

bp = Blueprint("admin", __name__, template_folder="templates")


@bp.before_request
def editors_only() -> ResponseReturnValue | None:
    """Who is not signed in is asked to; others are told that this is not theirs."""
    if actor().may("edit_definitions"):
        return None
    if actor().kind == "anonymous":
        return _sign_in()
    raise Forbidden(
        Text(
            zh="只有系統管理者與研考單位可以修改規則與定義。",
            en="Only administrators and the research office edit rules and definitions.",
        )
    )


def _sign_in() -> ResponseReturnValue:
    """On the way back to the page, or to the draft that something was posted for."""
    draft = (request.view_args or {}).get("draft")
    back = url_for("admin.definitions") if draft is None else url_for("admin.draft", draft=draft)
    return pending.ask_to_sign_in(request.full_path.rstrip("?") if request.method == "GET" else back, now())


@bp.errorhandler(CSRFError)
def page_expired(error: CSRFError) -> ResponseReturnValue:
    """A page from before a sign-in or sign-out was sent: what was typed is shown again, ready to be sent."""
    if actor().kind == "anonymous":
        return _sign_in()
    take = pending.taker()
    if take is None or not actor().may("edit_definitions"):
        return error_pages.page_expired(error)
    try:
        return take(**(request.view_args or {}), typed=request.form)
    except DomainError as refusal:  # what a handler raises is a crash
        return error_pages.refused(refusal)


from webapp.admin import (  # noqa: E402  # they put their routes on bp
    again,  # noqa: F401
    definitions,  # noqa: F401
    drafts,  # noqa: F401
    examples,  # noqa: F401
    grid,  # noqa: F401
    grid_parameters,  # noqa: F401
    grid_parts,  # noqa: F401
    grid_sheets,  # noqa: F401
    grid_tables,  # noqa: F401
    rules,  # noqa: F401
    trial,  # noqa: F401
    yaml_text,  # noqa: F401
)
