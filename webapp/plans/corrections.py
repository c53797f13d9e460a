"""開放更正: the plan-control office opens a report of a plan again, for its unit."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp import periods
from webapp.errors import Conflict, Refused
from webapp.plans import bp
from webapp.presentation import in_language
from webapp.queries import plans
from webapp.security import actor, now
from webapp.services import plan_corrections
from webapp.services.plan_control import require
from webapp.staff.typed import Mistakes, posted_day, read_day, summary
from webapp.uow import unit_of_work


@bp.route("/entries/<pid>/correct", methods=["GET", "POST"])
def correct(pid: str) -> ResponseReturnValue:
    """Which month, why and until when."""
    require(actor())
    entry = plans.entry(pid)
    plan, mistakes, status = plans.plan_of(entry), Mistakes(), 422
    typed = {name: request.form.get(name, "").strip() for name in ("month", "reason")}
    if request.method == "POST":
        until = read_day("until", posted_day("until"), mistakes)
        try:
            month = periods.parse_month(typed["month"])
        except ValueError:
            month = None
        if until is not None:
            reason = typed["reason"].replace("\r\n", "\n")
            try:
                with unit_of_work():
                    case = plan_corrections.open_again(actor(), pid, month, reason, until, now())
            except (Refused, Conflict) as refusal:
                mistakes[getattr(refusal, "field", "month")] = [in_language(refusal.text)]
                status = refusal.status
            else:
                flash(_("%(number)s 已開立，請主辦單位更正。", number=case.number), "success")
                return redirect(url_for("plans.plan", pid=plan.public_id, _anchor=f"entry-{entry.id}"))
    page = render_template(
        "plans/correct.html",
        plan=plan,
        entry=entry,
        months=[
            (periods.month_of(month).key, in_language(periods.month_label(month)))
            for month in plan_corrections.correctable(entry)
        ],
        typed=typed,
        day=posted_day("until"),
        mistakes=mistakes,
        summary=summary(mistakes, ("until",)),
    )
    return page, status if mistakes else 200
