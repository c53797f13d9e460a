"""How a register is made up, and what its control office does with it: carrying over, entering, editing."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Conflict, Refused
from webapp.models import Register
from webapp.plans import bp
from webapp.presentation import in_language
from webapp.queries import definitions, plan_control, plans
from webapp.security import actor, now
from webapp.services import plan_carry_over
from webapp.uow import unit_of_work


def of_register(of: Register, month: date) -> dict[str, Any]:
    """For `plans/_control.html`."""
    may_control = actor().may("control_plans")
    over = may_control and plan_control.year_ended(of, now())
    ending = plan_carry_over.ending(of, now()) if over else None
    return {
        "made_up": plan_control.made_up(of, month),
        "may_control": may_control,
        "ending": ending if ending is not None and ending.candidates else None,
        "revision": definitions.name_of(ending.revision)[1]
        if ending is not None and ending.revision
        else None,
        "following": plan_carry_over.following(of),
    }


@bp.post("/registers/<key>/carry-over")
def carry_over(key: str) -> ResponseReturnValue:
    """跨年度續列管 of those that were ticked, or of all."""
    plan_carry_over.require(actor())
    of = plans.register(key)
    wanted = set(request.form.getlist("entry"))
    try:
        with unit_of_work():
            count = plan_carry_over.carry_over(actor(), of, None if "all" in request.form else wanted, now())
    except (Refused, Conflict) as refusal:
        flash(in_language(refusal.text), "error")
        return redirect(url_for("plans.register", key=key, _anchor="carry-over"))
    if not count:
        flash(_("沒有要續列管的計畫：可能已經有人辦過，或沒有勾選。"), "warning")
        return redirect(url_for("plans.register", key=key))
    flash(_("%(n)s 件已續列管到下一年度。", n=count), "success")
    return redirect(url_for("plans.register", key=plan_carry_over.following(of)))
