"""All definitions that can be edited, and where each stands."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from webapp.admin import bp
from webapp.moments import taipei_day
from webapp.queries import definitions as published
from webapp.security import now


@bp.get("/definitions")
def definitions() -> ResponseReturnValue:
    today = taipei_day(now())
    rulesets = [
        published.ruleset(published.revision_id("ruleset", key, today)).ruleset
        for key in published.keys("ruleset")
    ]
    return render_template("admin/definitions.html", rulesets=rulesets)
