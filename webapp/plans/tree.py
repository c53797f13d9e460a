"""Pledges and mid-term plans: what the plans of the year serve, how far it is, and what the control office changes."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from webapp import periods, sheets
from webapp.errors import Conflict, NotFound, Refused
from webapp.models import Plan
from webapp.moments import taipei_day
from webapp.periods import Period
from webapp.plans import bp, charts, words
from webapp.plans.charts import Bar
from webapp.presentation import in_language, language
from webapp.queries import plan_averages, plan_lists, plan_tree, plans
from webapp.queries.org import chart
from webapp.queries.plan_tree import INDICATOR, MID_TERM, VISION, Upper
from webapp.security import actor, now
from webapp.services import plan_tree as service
from webapp.services.plan_tree import Said
from webapp.staff.typed import Mistakes, version
from webapp.uow import unit_of_work

LONGEST_SEARCH = 100
#: half-years that may be looked back to
MOST_HALVES = 16


@bp.route("/pledges", methods=["GET", "POST"])
def pledges() -> ResponseReturnValue:
    """The visions with their indicators and plans, half-year by half-year; the control office adds to them."""
    refusal = None
    if request.method == "POST":
        try:
            return _add(VISION, INDICATOR)
        except (Refused, Conflict) as raised:
            refusal = raised
    period = _asked()
    found = plan_tree.pledges(period)
    indicators = [each for vision in found for each in vision.below]
    year = period.last_month.year - 1911
    _rows, unlinked = plan_tree.unlinked(year)
    page = render_template(
        "plans/pledges.html",
        period=period,
        periods=_halves(),
        visions=found,
        indicators=indicators,
        idle=[each for each in indicators if not each.plans],
        plans=sum(each.plans for each in found),
        picture=_picture(found),
        unlinked=unlinked,
        changes=plan_tree.changes([each.plan for vision in found for each in (vision, *vision.below)]),
        year=year,
        mistakes=_mistakes(refusal),
        **_words(period.last_day),
    )
    return page, refusal.status if refusal else 200


@bp.route("/pledges/unlinked", methods=["GET", "POST"])
def unlinked_plans() -> ResponseReturnValue:
    """Plans of the year that serve no indicator; the control office says which of them serve one."""
    refusal = None
    if request.method == "POST":
        try:
            return _link_free()
        except (Refused, Conflict) as raised:
            refusal = raised
    period = _asked()
    year, q = period.last_month.year - 1911, request.args.get("q", "").strip()[:LONGEST_SEARCH]
    page = max(request.args.get("page", 1, type=int), 1)
    rows, count = plan_tree.unlinked(year, q, page)
    shown = render_template(
        "plans/unlinked.html",
        period=period,
        year=year,
        q=q,
        rows=rows,
        count=count,
        page=page,
        pages=max(-(-count // plans.PAGE), 1),
        paged=lambda n: url_for("plans.unlinked_plans", period=period.key, q=q, page=n),
        above_choices=[
            (each.public_id, f"{in_language(words.KINDS[kind])}　{each.title}")
            for kind in (INDICATOR, MID_TERM)
            for each in plan_tree.of_kind(kind)
        ],
        mistakes=_mistakes(refusal),
        **_words(period.last_day),
    )
    return shown, refusal.status if refusal else 200


@bp.route("/mid-terms", methods=["GET", "POST"])
def mid_terms() -> ResponseReturnValue:
    refusal = None
    if request.method == "POST":
        try:
            return _add(MID_TERM)
        except (Refused, Conflict) as raised:
            refusal = raised
    period = _asked()
    found = plan_tree.mid_terms(period)
    page = render_template(
        "plans/mid_terms.html",
        period=period,
        periods=_halves(),
        found=found,
        above={each.id: each for each in plan_tree.of_kind(INDICATOR)},
        year=period.last_month.year - 1911,
        mistakes=_mistakes(refusal),
        **_words(period.last_day),
    )
    return page, refusal.status if refusal else 200


@bp.route("/upper/<pid>", methods=["GET", "POST"])
def upper(pid: str) -> ResponseReturnValue:
    """A vision, an indicator or a mid-term plan: what serves it, and what the control office changes of it."""
    of, refusal = plan_tree.upper(pid), None
    if request.method == "POST":
        try:
            return _change(of)
        except (Refused, Conflict) as raised:
            of, refusal = plan_tree.upper(pid), raised
    period = _asked()
    shown, above = _upper(of, period), plans.above_and_below(of)[0]
    q = request.values.get("q", "").strip()[:LONGEST_SEARCH]
    number = max(request.args.get("page", 1, type=int), 1)
    page = render_template(
        "plans/upper.html",
        of=of,
        shown=shown,
        served=shown.served[(number - 1) * plans.PAGE : number * plans.PAGE],
        page=number,
        pages=max(-(-len(shown.served) // plans.PAGE), 1),
        paged=lambda n: url_for("plans.upper", pid=pid, period=period.key, page=n, _anchor="plans-below"),
        above=above,
        mid_below=[each for each in plan_tree.below(of) if each.kind == MID_TERM],
        period=period,
        periods=_halves(),
        version=plan_tree.version(of),
        q=q,
        candidates=plan_tree.to_link(of, q) if q and actor().may("control_plans") else None,
        goals=plan_tree.goals(of) if of.kind == MID_TERM else [],
        goal_choices=_goal_choices(of) if of.kind == MID_TERM and actor().may("control_plans") else [],
        aboves=_choices(plan_tree.ABOVE[of.kind][0]) if plan_tree.ABOVE[of.kind] else [],
        changes=plan_tree.changes([of]),
        action=request.form.get("action", ""),
        mistakes=_mistakes(refusal),
        **_words(period.last_day),
    )
    return page, refusal.status if refusal else 200


def _upper(of: Plan, period: Period) -> Upper:
    """With what stands below it."""
    if of.kind == MID_TERM:
        return next(each for each in plan_tree.mid_terms(period) if each.plan.id == of.id)
    visions = plan_tree.pledges(period)
    uppers = [each for vision in visions for each in (vision, *vision.below)]
    return next((each for each in uppers if each.plan.id == of.id), Upper(of))


# --- what was sent ----------------------------------------------------------------------------------------


def _add(*kinds: str) -> ResponseReturnValue:
    kind = request.form.get("kind", "")
    with unit_of_work():
        made = service.add(actor(), kind if kind in kinds else "", _said(), now())
        key, title = made.public_id, made.title
    flash(_("已新增「%(title)s」。", title=title), "success")
    return redirect(url_for("plans.upper", pid=key))


def _link_free() -> ResponseReturnValue:
    with unit_of_work():
        count = service.link_free(
            actor(), request.form.get("above", ""), request.form.getlist("plans"), now()
        )
    flash(_("已加入 %(n)s 件計畫。", n=count), "success")
    return redirect(request.full_path.rstrip("?"))


def _change(of: Plan) -> ResponseReturnValue:
    action, seen = request.form.get("action", ""), version()
    following = url_for("plans.upper", pid=of.public_id)
    if action == "remove":
        following = url_for("plans.mid_terms" if of.kind == MID_TERM else "plans.pledges")
    verb, _colon, key = action.partition(":")
    with unit_of_work():
        if verb == "link":
            service.link(actor(), of, request.form.getlist("plans"), now(), version=seen)
        elif verb == "unlink":
            service.unlink(actor(), of, key, now(), version=seen)
        elif verb == "remove":
            service.remove(actor(), of, now(), version=seen)
        elif verb == "name_goal":
            service.name_goal(actor(), of, _number(request.form.get("goal", "")), now(), version=seen)
        elif verb == "leave_goal":
            service.leave_goal(actor(), of, _number(key), now(), version=seen)
        else:
            service.change(actor(), of, _said(), now(), version=seen)
    flash(_("已儲存。"), "success")
    return redirect(following)


def _said() -> Said:
    form = request.form
    return Said(
        title=form.get("title", ""),
        unit=form.get("unit", ""),
        first_year=_number(form.get("first_year", "")),
        last_year=_number(form["last_year"]) if "last_year" in form else None,
        above=form.get("above", ""),
    )


def _number(typed: str) -> int:
    """What was typed as a whole number; 0 for what is none."""
    found = sheets.number(typed)
    whole = found is not None and abs(found) < 10**9 and found == found.to_integral_value()
    return int(found or 0) if whole else 0


def _mistakes(refusal: Refused | Conflict | None) -> Mistakes:
    return {} if refusal is None else {getattr(refusal, "field", ""): [in_language(refusal.text)]}


# --- words ------------------------------------------------------------------------------------------------


def _asked() -> Period:
    """A half-year, as the address says; else the present one."""
    written = request.args.get("period", "")
    if not written:
        return _half(taipei_day(now()))
    try:
        found = periods.parse(written)
    except ValueError:
        raise NotFound() from None
    return _half(found.last_month)


def _half(day: date) -> Period:
    return periods.parse(f"{day.year - 1911}H{1 if day.month <= 6 else 2}")


def _halves() -> list[tuple[str, Any]]:
    newest = _half(taipei_day(now()))
    found = [newest]
    while len(found) < MOST_HALVES:
        found.append(_half(periods.month_before(found[-1].first_month)))
    return [(each.key, each.label) for each in found]


def _picture(found: list[Upper]) -> Markup:
    rows = [Bar(each.plan.title, dict(each.lights)) for each in found]
    said = _("各願景之下計畫的燈號件數，詳見下方表格。")
    return Markup(charts.bars("by-vision", _("各願景燈號"), said, rows))  # noqa: S704  # its texts are escaped there


def _choices(kind: str) -> list[tuple[str, str]]:
    return [(each.public_id, each.title) for each in plan_tree.of_kind(kind)]


def _goal_choices(of: Plan) -> list[tuple[str, str]]:
    return [
        (str(heading.id), f"{year.year} {year.unit_name}　{heading.number} {heading.title}")
        for heading, year in plan_tree.goals_to_name(of)
    ]


def _words(day: date) -> dict[str, Any]:
    """What the pages of this module say alike."""
    tree = chart()
    return {
        "words": words,
        "written": plan_lists.written,
        "label": periods.month_label,
        "names": tree.names,
        "unit_name": lambda unit_id: tree.units[unit_id].name(language()),
        "unit_code": lambda unit_id: tree.units[unit_id].code,
        "unit_choices": [(unit.code, unit.name(language())) for unit in tree.units.values()],
        "visions_to_choose": _choices(VISION),
        "indicators_to_choose": _choices(INDICATOR),
        "rounded": lambda value: plan_averages.rounded(value, day),
        "decimals": plan_averages.decimals(day),
        "may_control": actor().may("control_plans"),
        "typed": request.form,
        "longest": service.LONGEST_TITLE,
    }
