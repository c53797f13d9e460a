"""滿意度調查 of the units whose cases the officer may see: counts, and comments without the case."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.errors import Forbidden
from webapp.queries import surveys as queries
from webapp.security import actor
from webapp.services.surveys import GRADES
from webapp.staff import bp


@bp.get("/surveys")
def surveys() -> ResponseReturnValue:
    if not (actor().may("see_cases_of_unit") or actor().may("see_every_case")):
        raise Forbidden(
            Text(zh="滿意度調查由承辦單位與研考單位查看。", en="Units and the research office see this page.")
        )
    return render_template(
        "staff/surveys.html",
        results=queries.results(actor()),
        comments=queries.comments(actor()),
        grades=GRADES,
    )
