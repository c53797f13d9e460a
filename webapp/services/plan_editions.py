"""結算: a register is closed for a period. What its papers say then, and by which rules, is kept and never changes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Edition, Register
from webapp.moments import taipei_day
from webapp.periods import Period, parse
from webapp.permissions import Actor
from webapp.queries import definitions, plan_lists, plans, review_facts
from webapp.services import plan_progress, review_pack


def require(actor: Actor) -> None:
    if not actor.may("control_plans"):
        raise Forbidden(Text(zh="只有研考單位可以結算。", en="Only the research office closes a period."))


def close(actor: Actor, register: Register, period: Period, now: datetime) -> Edition:
    """By the control office, once the period is over and something was reported for its last month."""
    require(actor)
    if taipei_day(now) <= period.last_day:
        raise Refused(
            Text(zh=f"{period.label.zh}還沒有結束，不能結算。", en=f"{period.label.en} is not over yet.")
        )
    plan_progress.hold(register.id, alone=True)
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
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        held = plans.edition(register.id, period.key)
        at = taipei_day(held.closed_at).isoformat() if held else ""
        raise Conflict(
            Text(zh=f"{period.label.zh}已經在 {at} 結算。", en=f"{period.label.en} was closed on {at}.")
        ) from None
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action="closed", subject=f"{register.key} {period.key}")
    )
    db.session.flush()
    return made
