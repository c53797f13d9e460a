"""結算: a register is closed for a period. What its papers say then, and by which rules, is kept and never changes."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Edition, Register
from webapp.moments import taipei_day
from webapp.periods import Period, parse
from webapp.permissions import Actor
from webapp.queries import definitions, plan_lists, plans, review_facts
from webapp.queries.plan_lists import Contents
from webapp.services import plan_progress, review_pack
from webapp.services.plan_control import require


def about_to_close(actor: Actor, register: Register, period: Period, now: datetime) -> Contents:
    """What would be kept; refused until the period is over and something was reported for its last month."""
    require(actor)
    if (held := plans.edition(register.id, period.key)) is not None:
        at = taipei_day(held.closed_at).isoformat()
        raise Conflict(
            Text(zh=f"{period.label.zh}已經在 {at} 結算。", en=f"{period.label.en} was closed on {at}.")
        )
    if taipei_day(now) <= period.last_day:
        raise Refused(
            Text(zh=f"{period.label.zh}還沒有結束，不能結算。", en=f"{period.label.en} is not over yet.")
        )
    if around := plans.closed_around(register.id, period):
        label = parse(around.period).label
        raise Refused(
            Text(
                zh=f"{label.zh}已經結算，{period.label.zh}在其中。",
                en=f"It lies in {label.en}, which is closed.",
            )
        )
    found = plan_lists.current(register, period)
    if not any(row.standing for row in found.rows):
        raise Refused(
            Text(
                zh=f"{period.label.zh}還沒有任何填報，不能結算。",
                en=f"Nothing is reported for {period.label.en}; there is nothing to close.",
            )
        )
    return found


def mark(found: Contents) -> str:
    """Of what somebody saw before it is kept for good."""
    return hashlib.sha256(json.dumps(found.to_json(), sort_keys=True).encode()).hexdigest()


def close(
    actor: Actor, register: Register, period: Period, now: datetime, *, seen: str | None = None
) -> Edition:
    """By the control office. `seen`: the mark of what the page showed; what is not that any more is shown again."""
    require(actor)
    plan_progress.hold(register.id, alone=True)
    found = about_to_close(actor, register, period, now)
    if seen is not None and seen != mark(found):
        raise Conflict(
            Text(
                zh="確認之後，這一期的資料又有變動，還沒有結算。下面是最新的內容，請再確認一次。",
                en="What is closed changed meanwhile; nothing is closed yet. This is the newest: look at it again.",
            )
        )
    made = Edition(
        register_id=register.id,
        period=period.key,
        first_month=period.first_month,
        last_month=period.last_month,
        ruleset_revision_id=definitions.revision_id("ruleset", plan_lists.RULESET, period.last_day),
        data={**found.to_json(), review_pack.KEPT: review_facts.gather(register, period)},
        closed_by_id=actor.account_id,
        closed_at=now,
    )
    db.session.add(made)
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action="closed", subject=f"{register.key} {period.key}")
    )
    db.session.flush()
    return made
