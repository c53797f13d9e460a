"""Pages that stand for themselves: help, statements, and the outbox of the demonstration."""

from __future__ import annotations

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.citizen import bp
from webapp.errors import Forbidden
from webapp.queries import outbox as messages
from webapp.queries.org import chart
from webapp.security import actor


@bp.get("/help")
def help() -> ResponseReturnValue:
    units = [
        unit
        for unit in chart().units.values()
        if unit.kind in ("county", "department", "bureau") and unit.phone
    ]
    return render_template("citizen/help.html", units=units, phone=current_app.config["HELP_PHONE"])


@bp.get("/accessibility")
def accessibility() -> ResponseReturnValue:
    return render_template("citizen/accessibility.html", phone=current_app.config["HELP_PHONE"])


@bp.get("/privacy")
def privacy() -> ResponseReturnValue:
    return render_template("citizen/privacy.html", phone=current_app.config["HELP_PHONE"])


@bp.get("/outbox")
def outbox() -> ResponseReturnValue:
    if not actor().may("see_outbox"):
        raise Forbidden(Text(zh="您沒有查看寄件匣的權限。", en="You may not see the outbox."))
    found, following = messages.messages(request.args.get("before", type=int), everything=actor().demo)
    return render_template("citizen/outbox.html", messages=found, following=following)
