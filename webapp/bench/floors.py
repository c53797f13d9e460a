"""The application with two floors beside it: a page that says hello, and an authenticated POST that inserts one row."""

from __future__ import annotations

from flask import Blueprint, Response, redirect
from flask_login import current_user, login_required

from webapp import create_app
from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.security import now
from webapp.uow import unit_of_work

bp = Blueprint("floors", __name__, url_prefix="/floor")


@bp.get("/hello")
def hello() -> str:
    return "hello"


@bp.post("/row")
@login_required
def row() -> Response:
    """The same session, sign-in, CSRF check, commit and redirect as a submission has."""
    with unit_of_work():
        db.session.add(AuditEntry(at=now(), actor_id=current_user.id, action="bench"))
    return redirect("/floor/hello")  # type: ignore[return-value]  # werkzeug's own base class


app = create_app()
app.register_blueprint(bp)
