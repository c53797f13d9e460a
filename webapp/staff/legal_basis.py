"""The services whose law, limit or fee somebody must still look up: for administrators alone."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.errors import Forbidden
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.staff import bp


@bp.get("/legal-basis")
def legal_basis() -> ResponseReturnValue:
    if not actor().may("administer"):
        raise Forbidden(
            Text(
                zh="只有系統管理者可以查看待確認的法令依據。",
                en="Only administrators see what is still to be verified.",
            )
        )
    services = definitions.current_services(taipei_day(now()))
    return render_template(
        "staff/legal_basis.html",
        services=[service for service in services if service.to_verify],
        total=len(services),
        units=chart().by_code,
    )
