"""What the pages of a register and of a plan show of verifications and meetings."""

from __future__ import annotations

from typing import Any

from rules.values import Text
from webapp import periods
from webapp.models import Plan, Register
from webapp.periods import Period
from webapp.plans import review_words
from webapp.queries import verifications
from webapp.services import review_pack


def of_register(of: Register, period: Period) -> dict[str, Any]:
    """Counted for a period, with what goes to the heads."""
    told = verifications.of_period(of.id, period)
    return {
        "review": review_words,
        "is_quarter": review_pack.is_quarter(period),
        "counted": verifications.counted(of.id, period),
        "open_findings": sum(len(each.open_findings) for each in told),
        "heads": [
            each
            for each in told
            if each.verification.kind == "heads_meeting" and each.verification.state != "passed_over"
        ],
    }


def of_plan(plan: Plan) -> dict[str, Any]:
    return {"told": verifications.of_plan(plan.id), "review": review_words, "period_label": period_label}


def period_label(key: str) -> Text:
    return periods.parse(key).label
