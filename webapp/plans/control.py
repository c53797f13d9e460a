"""How a register is made up, and what its control office does with it: carrying over, entering, editing."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Conflict, Refused
from webapp.models import Register
from webapp.plans import bp
from webapp.presentation import in_language
from webapp.queries import definitions, plan_control, plans
from webapp.security import actor, now
from webapp.services import plan_carry_over
from webapp.services.plan_control import require
from webapp.uow import unit_of_work


def of_register(of: Register, month: date) -> dict[str, Any]:
    """For `plans/_control.html`."""
    may_control = actor().may("control_plans")
    return {
        "made_up": plan_control.made_up(of, month),
        "may_control": may_control,
        "may_carry": may_control and plan_control.year_ended(of, now()) and plan_control.has_live(of),
    }


@bp.get("/registers/<key>/carry-over")
def carry_over(key: str) -> ResponseReturnValue:
    """What the rules carry over, a page at a time."""
    require(actor())
    of = plans.register(key)
    ending = plan_carry_over.ending(of, now())
    count = len(ending.candidates)
    pages = max(-(-count // plans.PAGE), 1)
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    return render_template(
        "plans/carry_over.html",
        register=of,
        ended=plan_control.year_ended(of, now()),
        ending=ending,
        shown=ending.candidates[(page - 1) * plans.PAGE : page * plans.PAGE],
        count=count,
        page=page,
        pages=pages,
        revision=definitions.name_of(ending.revision)[1] if ending.revision else None,
    )


@bp.post("/registers/<key>/carry-over")
def carry(key: str) -> ResponseReturnValue:
    """跨年度續列管 of those that were ticked, or of all."""
    require(actor())
    of = plans.register(key)
    wanted = None if "all" in request.form else set(request.form.getlist("entry"))
    try:
        with unit_of_work():
            count = plan_carry_over.carry_over(actor(), of, wanted, now())
    except (Refused, Conflict) as refusal:
        flash(in_language(refusal.text), "error")
        return redirect(url_for("plans.carry_over", key=key))
    if not count:
        flash(_("沒有要續列管的計畫：可能已經有人辦過，或沒有勾選。"), "warning")
        return redirect(url_for("plans.carry_over", key=key))
    flash(_("%(n)s 件已續列管到下一年度。", n=count), "success")
    return redirect(url_for("plans.register", key=plan_carry_over.following(of)))
