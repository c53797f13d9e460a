"""查證: what the rules pick in a register for a period, what the control office makes of it, and one verification."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp import periods
from webapp.errors import Conflict, Misfit, Refused
from webapp.models import Register, RegisterEntry, Verification
from webapp.moments import taipei_day
from webapp.periods import Period
from webapp.plans import bp, review_parts, review_words, words
from webapp.plans.register import names, parsed
from webapp.presentation import in_language
from webapp.queries import definitions, plan_lists, plans
from webapp.queries import verifications as queries
from webapp.queries.org import chart
from webapp.queries.plans import Line
from webapp.security import actor, now
from webapp.services import plan_progress, review_withdrawals, verifications
from webapp.services.plan_control import require
from webapp.services.verifications import Pick
from webapp.staff.typed import Mistakes, summary
from webapp.uow import unit_of_work


@dataclass(frozen=True)
class Row:
    pick: Pick
    line: Line
    entry: RegisterEntry
    held: Verification | None


@bp.get("/registers/<key>/verification")
def verification_picks(key: str) -> ResponseReturnValue:
    of = plans.register(key)
    return _picks_page(of, _asked(of), Mistakes())


@bp.post("/registers/<key>/verification")
def verify(key: str) -> ResponseReturnValue:
    """Opens what was ticked, picks by hand, or passes one over."""
    require(actor())
    of, period = plans.register(key), parsed(request.form.get("period", ""))
    action, typed, mistakes = request.form.get("action", ""), request.form, Mistakes()
    try:
        with unit_of_work():
            if action == "open":
                done = verifications.open_ticked(actor(), of, period, typed.getlist("pick"), now())
                said = _("已選案 %(n)s 件。", n=len(done))
            elif action == "pass_over":
                verifications.pass_over(
                    actor(), of, period, typed.get("passed", ""), typed.get("pass-reason", ""), now()
                )
                said = _("已略過，理由已留存。")
            else:
                verifications.pick_by_hand(
                    actor(),
                    of,
                    period,
                    _entry(of, typed.get("code", "")),
                    typed.get("kind", ""),
                    typed.get("reason", ""),
                    now(),
                    public_concern=typed.get("concern") == "yes",
                )
                said = _("已選案。")
    except (Refused, Conflict) as refusal:
        field = getattr(refusal, "field", "")
        mistakes["pass-reason" if action == "pass_over" and field == "reason" else field or "picks"] = [
            in_language(refusal.text)
        ]
        return _picks_page(of, period, mistakes, action), refusal.status
    flash(said, "success")
    return redirect(url_for("plans.verification_picks", key=key, period=period.key))


def _entry(of: Register, code: str) -> str:
    found = queries.entry_of(of.id, code.strip()[:20])
    if found is None:
        raise Misfit(
            "code",
            Text(zh="這個列管別沒有這個編號的計畫。", en="This register has no plan of this number."),
        )
    return found.public_id


def _asked(of: Register) -> Period:
    if written := request.args.get("period", ""):
        return parsed(written)
    months = plans.months(of.id)
    return periods.month_of(months[0] if months else taipei_day(now()))


def _picks_page(of: Register, period: Period, mistakes: Mistakes, action: str = "") -> str:
    picks = verifications.picked(of, period, now())
    page = max(request.args.get("page", 1, type=int), 1)
    shown = picks[(page - 1) * queries.PAGE : page * queries.PAGE]
    ids = [pick.entry_id for pick in shown]
    held, entries = queries.by_entry(ids, period.last_month), queries.entries(ids)
    lines = plans.lines_of(of, period.last_month, ids)
    rows = [
        Row(pick, line, entries[pick.entry_id], held.get(pick.entry_id))
        for pick, line in zip(shown, lines, strict=True)
    ]
    revision = definitions.revision_id("ruleset", verifications.RULESET, taipei_day(now()))
    ruleset = definitions.ruleset(revision).ruleset
    lag = definitions.revision_id("ruleset", plan_progress.RULESET, period.last_day)
    told = queries.of_period(of.id, period)
    return render_template(
        "plans/verification_picks.html",
        register=of,
        period=period,
        last_month=periods.month_label(period.last_month),
        periods=_choices(of, period),
        rows=rows,
        count=len(picks),
        counts={kind: sum(pick.kind == kind for pick in picks) for kind in queries.KINDS},
        page=page,
        pages=max(-(-len(picks) // queries.PAGE), 1),
        undecided=[row for row in rows if row.held is None],
        told=told,
        waiting=queries.before_heads(of),
        cases=queries.readable_cases(actor(), told),
        ruleset=ruleset.title,
        revision=definitions.name_of(revision)[1],
        lag_ruleset=definitions.ruleset(lag).ruleset.title,
        parameters=list(ruleset.parameters.values()),
        may_control=actor().may("control_plans"),
        mistakes=mistakes,
        lines=summary(mistakes),
        action=action,
        typed=request.form,
        longest=verifications.LONGEST_REASON,
        **shared(),
    )


def _choices(of: Register, period: Period) -> list[tuple[str, Text]]:
    found = {period.key: period.label}
    for month in plans.months(of.id):
        for each in plans.periods_ending(month)[:2]:
            found.setdefault(each.key, each.label)
    return list(found.items())


@bp.get("/verifications/<pid>")
def verification(pid: str) -> str:
    return _verification_page(pid, Mistakes())


@bp.post("/verifications/<pid>")
def withdraw_verification(pid: str) -> ResponseReturnValue:
    require(actor())
    found, mistakes = queries.find(pid).verification, Mistakes()
    try:
        with unit_of_work():
            review_withdrawals.of_verification(actor(), found, request.form.get("reason", ""), now())
    except (Refused, Conflict) as refusal:
        mistakes[getattr(refusal, "field", "main")] = [in_language(refusal.text)]
        return _verification_page(pid, mistakes), refusal.status
    flash(_("已撤銷，理由已留存。"), "success")
    return redirect(url_for("plans.verification", pid=pid))


def _verification_page(pid: str, mistakes: Mistakes) -> str:
    told = queries.find(pid)
    return render_template(
        "plans/verification.html",
        may_control=actor().may("control_plans"),
        mistakes=mistakes,
        lines=summary(mistakes),
        typed=request.form,
        longest=verifications.LONGEST_REASON,
        told=told,
        case=queries.readable_cases(actor(), [told]).get(told.verification.id),
        revision=definitions.name_of(told.verification.ruleset_revision_id)[1],
        ruleset=definitions.ruleset(told.verification.ruleset_revision_id).ruleset.title,
        **shared(),
    )


def shared() -> dict[str, object]:
    """What every page and part of this room says."""
    return {
        "review": review_words,
        "words": words,
        "names": names,
        "people": chart().names,
        "written": plan_lists.written,
        "sentence": lambda entry: Text(**entry["sentence"]),
        "rule_label": lambda entry: Text(**entry["label"]),
        "period_label": review_parts.period_label,
        "today": taipei_day(now()),
    }
