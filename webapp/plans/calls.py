"""先期作業: all calls for proposals, one of them with what was proposed in it, and what a unit does there."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.models import ProposalCall
from webapp.moments import taipei_day
from webapp.plans import bp, proposal_words, words
from webapp.presentation import in_language, language, roc_date
from webapp.queries import proposals
from webapp.queries.org import chart
from webapp.queries.proposals import Filters
from webapp.security import actor, now
from webapp.services import cases, plan_imports, proposal_calls
from webapp.services.plan_control import require
from webapp.services.proposal_calls import Asked
from webapp.staff.typed import Mistakes, boxes, posted_day, read_day, read_year, summary, version
from webapp.uow import unit_of_work

LONGEST_SEARCH = 100
DAYS = ("opens_on", "closes_on", "until")


@bp.get("/calls")
def calls() -> str:
    today = taipei_day(now())
    return render_template(
        "plans/calls.html",
        calls=[(*row, proposal_words.standing(row[0], today)) for row in proposals.calls()],
        may_control=actor().may("control_plans"),
        words=words,
    )


# --- what the control office says of a call -------------------------------------------------------------------


@bp.route("/calls/new", methods=["GET", "POST"])
def new_call() -> ResponseReturnValue:
    require(actor())
    mistakes = Mistakes()
    if request.method == "POST":
        asked = _asked(mistakes)
        year = read_year("year", mistakes)
        if asked is not None and year is not None and not mistakes:
            try:
                with unit_of_work():
                    made = proposal_calls.create(
                        actor(), request.form.get("kind", ""), year, asked, now()
                    ).public_id
            except Misfit as misfit:
                mistakes[misfit.field] = [in_language(misfit.text)]
            else:
                flash(_("先期作業已建立。"), "success")
                return redirect(url_for("plans.call", pid=made))
    typed = dict(request.form) or {"year": str(taipei_day(now()).year - 1911 + 1), "kind": "selected"}
    return _call_form(None, typed, mistakes), 422 if mistakes else 200


@bp.route("/calls/<pid>/edit", methods=["GET", "POST"])
def edit_call(pid: str) -> ResponseReturnValue:
    require(actor())
    of, mistakes, status = proposals.call(pid), Mistakes(), 422
    if request.method == "POST":
        asked = _asked(mistakes)
        if asked is not None and not mistakes:
            try:
                with unit_of_work():
                    proposal_calls.change(actor(), of, asked, now(), version=version())
            except (Misfit, Conflict) as refusal:
                mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
                of, status = proposals.call(pid), refusal.status
            else:
                flash(_("已儲存。"), "success")
                return redirect(url_for("plans.call", pid=pid))
    typed = dict(request.form) or _typed_of(of)
    return _call_form(of, typed, mistakes), status if mistakes else 200


def _asked(mistakes: Mistakes) -> Asked | None:
    """What was typed; None where a day cannot be read."""
    opens_on = read_day("opens_on", posted_day("opens_on"), mistakes)
    closes = posted_day("closes_on")
    subsidy = request.form.get("subsidy", "")
    closes_on = None
    if any(closes.values()) or subsidy not in proposal_words.SUBSIDIES:
        closes_on = read_day("closes_on", closes, mistakes)
    if opens_on is None or mistakes:
        return None
    return Asked(
        request.form.get("title", "").strip(),
        opens_on,
        closes_on,
        subsidy if subsidy in proposal_words.SUBSIDIES else None,
        request.form.get("note", "").strip().replace("\r\n", "\n"),
    )


def _typed_of(of: ProposalCall) -> dict[str, str]:
    days = {
        f"{name}-{part}": text
        for name in ("opens_on", "closes_on")
        for part, text in boxes(getattr(of, name)).items()
    }
    return {"title": of.title, "subsidy": of.subsidy or "", "note": of.note, **days}


def _call_form(of: ProposalCall | None, typed: dict[str, str], mistakes: Mistakes) -> str:
    return render_template(
        "plans/call_form.html",
        call=of,
        typed=typed,
        days=lambda name: {part: typed.get(f"{name}-{part}", "") for part in ("year", "month", "day")},
        kinds=[(key, in_language(name)) for key, (name, _cycle) in plan_imports.KINDS.items()],
        subsidies=[(key, in_language(name)) for key, name in proposal_words.SUBSIDIES.items()],
        mistakes=mistakes,
        summary=summary(mistakes, DAYS),
    )


@bp.post("/calls/<pid>/let-in")
def let_in(pid: str) -> ResponseReturnValue:
    """A unit that is late may propose until a day."""
    require(actor())
    of, mistakes = proposals.call(pid), Mistakes()
    until = read_day("until", posted_day("until"), mistakes)
    if until is not None:
        try:
            with unit_of_work():
                unit, reason = request.form.get("late_unit", ""), request.form.get("reason", "").strip()
                proposal_calls.let_in(actor(), of, unit, until, reason, now())
        except Misfit as misfit:
            mistakes[misfit.field] = [in_language(misfit.text)]
        else:
            flash(_("已同意放寬期限。"), "success")
            return redirect(url_for("plans.call", pid=pid))
    return _call_page(proposals.call(pid), mistakes), 422


# --- one call, and the unit in it -------------------------------------------------------------------------------


@bp.get("/calls/<pid>")
def call(pid: str) -> str:
    return _call_page(proposals.call(pid))


@bp.post("/calls/<pid>/propose")
def propose(pid: str) -> ResponseReturnValue:
    """提報計畫: opens the case, and the form in it for whoever may write it."""
    of, mistakes = proposals.call(pid), Mistakes()
    try:
        with unit_of_work():
            unit, title = request.form.get("unit", ""), " ".join(request.form.get("plan", "").split())
            made = proposal_calls.propose(actor(), of, unit, title, now()).public_id
    except Refused as refusal:
        mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
        return _call_page(proposals.call(pid), mistakes), refusal.status
    flash(_("請填寫計畫提報表；可以先暫存，截止前送出。"), "success")
    return redirect(url_for("staff.act", pid=made, name="send"))


def _call_page(of: ProposalCall, mistakes: Mistakes | None = None) -> str:
    today, filters = taipei_day(now()), _filters()
    mine = proposals.units_of(actor(), today)
    page, count = max(request.args.get("page", 1, type=int), 1), proposals.count(of, filters)
    asked = {name: value for name in ("state", "unit", "q") if (value := request.args.get(name))}
    tree, units = chart(), proposals.by_unit(of)
    latest = (
        proposal_calls.subsidy_day(of.subsidy, proposals.register_of(of).roc_year, today)
        if of.subsidy
        else None
    )
    return render_template(
        "plans/call.html",
        call=of,
        register=proposals.register_of(of),
        standing=proposal_words.standing(of, today),
        totals=proposals.totals(of),
        units=units,
        lines=proposals.lines(of, page, filters),
        count=count,
        page=page,
        pages=max(-(-count // proposals.PAGE), 1),
        paged=lambda n: url_for("plans.call", pid=of.public_id, page=n, **asked, _anchor="proposals"),
        filters=filters,
        asked=asked,
        states=proposal_words.states(today),
        my_units=[(unit.code, unit.name(language())) for unit in mine if _is_open(of, unit.id, today)],
        unit_choices=[(unit.code, unit.name(language())) for unit, _totals in units],
        withdrawable=proposal_words.withdrawable(today),
        own={unit.id for unit in mine},
        let_ins=[
            (tree.units[each.unit_id].name(language()), roc_date(each.until), each.reason)
            for each in proposals.let_ins(of)
        ],
        sittings=[(each, proposals.of_sitting(each)) for each in proposals.sittings(of)],
        waiting=proposals.waiting_count(of.id),
        to_approve=proposals.count(of, Filters(state="approval")),
        latest=latest,
        may_control=actor().may("control_plans"),
        unit_options=[(unit.code, unit.name(language())) for unit in tree.units.values()],
        unit_name=lambda unit_id: tree.units[unit_id].name(language()),
        typed=request.form,
        until=posted_day("until"),
        mistakes=mistakes or {},
        summary=summary(mistakes or {}, DAYS),
        proposal_words=proposal_words,
    )


def _is_open(of: ProposalCall, unit_id: int, today: date) -> bool:
    return of.opens_on <= today <= proposals.closes_for(of, unit_id)


def _filters() -> Filters:
    unit = chart().by_code.get(request.args.get("unit", ""))
    return Filters(
        state=request.args.get("state", "")[:40],
        unit_id=unit.id if unit is not None else None,
        q=request.args.get("q", "").strip()[:LONGEST_SEARCH],
    )


@bp.route("/proposals/<pid>/withdraw", methods=["GET", "POST"])
def withdraw_proposal(pid: str) -> ResponseReturnValue:
    """撤案 by the unit, until the meeting has decided; asked for with its reason."""
    case = cases.visible(actor(), pid)
    of = proposals.of_case(case.id)
    if of is None:
        raise NotFound()
    mistakes, status = Mistakes(), 422
    if request.method == "POST":
        try:
            with unit_of_work():
                reason = request.form.get("reason", "").strip()
                proposal_calls.withdraw(actor(), case, reason, now(), version=version())
        except (Refused, Conflict) as refusal:
            mistakes[getattr(refusal, "field", "")] = [in_language(refusal.text)]
            status = refusal.status
        else:
            flash(_("已撤案。"), "success")
            return redirect(url_for("staff.case", pid=pid))
    elif not proposal_calls.may_withdraw(actor(), of, case, now()):
        flash(_("這件提報現在不能撤案，或不是貴單位提報的。"), "warning")
        return redirect(url_for("staff.case", pid=pid))
    page: dict[str, Any] = {"case": case, "proposal": of, "mistakes": mistakes, "summary": summary(mistakes)}
    return render_template("plans/withdraw.html", **page, typed=request.form), status if mistakes else 200
