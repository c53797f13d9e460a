"""What the pages of a register and of a plan show of verifications and meetings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rules.values import Text
from webapp import periods
from webapp.models import Plan, Register
from webapp.periods import Period
from webapp.plans import review_words
from webapp.queries import plans, verifications
from webapp.queries.verifications import Told
from webapp.services import review_pack
from webapp.services import verifications as picking

KIND = "heads_meeting"


#: of a larger register the picks stand on their own page alone: they are decided plan by plan
MOST_DECIDED = 500
MOST_NAMED = 20


@dataclass(frozen=True)
class ForHeads:
    """A plan that goes to the heads meeting; `told` once the control office has taken it up."""

    plan: str
    title: str
    lag: Decimal | None
    told: Told | None


def of_register(of: Register, period: Period, plans_there: int, now: datetime) -> dict[str, Any]:
    """Counted for a period, with what goes to the heads."""
    told = verifications.of_period(of.id, period)
    heads = _for_heads(of, period, told, now) if plans_there <= MOST_DECIDED else []
    return {
        "review": review_words,
        "is_quarter": review_pack.is_quarter(period),
        "counted": verifications.counted(of.id, period),
        "open_findings": sum(len(each.open_findings) for each in told),
        "heads": heads[:MOST_NAMED],
        "heads_count": len(heads),
        "waiting": len(verifications.before_heads(of)),
    }


def _for_heads(of: Register, period: Period, told: Sequence[Told], now: datetime) -> list[ForHeads]:
    """What the rules pick for the heads, and what the control office put there itself."""
    taken = {each.entry.id: each for each in told if each.verification.state != "passed_over"}
    passed = {each.entry.id for each in told} - taken.keys()
    picked = [pick.entry_id for pick in picking.picked(of, period, now) if pick.kind == KIND]
    ids = [
        entry
        for entry in dict.fromkeys([*picked, *taken])
        if entry not in passed and (entry not in taken or taken[entry].verification.kind == KIND)
    ]
    return [
        ForHeads(line.plan, line.title, line.lag, taken.get(line.entry_id))
        for line in plans.lines_of(of, period.last_month, ids)
    ]


def of_plan(plan: Plan) -> dict[str, Any]:
    return {"told": verifications.of_plan(plan.id), "review": review_words, "period_label": period_label}


def period_label(key: str) -> Text:
    return periods.parse(key).label
