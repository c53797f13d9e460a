"""規則警示: where the engine was not to be trusted, or a ruleset could not decide."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.errors import Forbidden
from webapp.queries import rule_alarms as alarms
from webapp.security import actor
from webapp.staff import bp

KINDS = {
    "difference": Text(zh="引擎與參考結果不同", en="Engine and reference differ"),
    "fault": Text(zh="規則引擎故障", en="Fault"),
    "not_unique": Text(zh="同時成立的規則互相抵觸", en="Rules contradict each other"),
}


@bp.get("/rule-alarms")
def rule_alarms() -> ResponseReturnValue:
    if not actor().may("see_rule_alarms"):
        raise Forbidden(
            Text(
                zh="只有系統管理者與研考單位可以查看規則警示。",
                en="Only administrators and the research office see the alarms of the rules.",
            )
        )
    return render_template("staff/rule_alarms.html", alarms=alarms.newest(), kinds=KINDS)
