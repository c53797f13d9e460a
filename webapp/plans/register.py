"""The registers, and one of them in a month: lights, units, what is severe, what changed, every plan one click away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from rules.values import Text
from webapp import periods
from webapp.errors import DomainError, NotFound
from webapp.moments import taipei_day
from webapp.periods import Period
from webapp.plans import bp, charts, control, review_parts, words
from webapp.plans.trend import reason_label, trend
from webapp.presentation import in_language, language
from webapp.queries import plan_lists, plans
from webapp.queries.org import UnitInfo, chart
from webapp.queries.plan_lists import HUNDRED_MILLION
from webapp.queries.plans import Filters, Overview
from webapp.security import actor, now
from webapp.services import plan_editions
from webapp.services.plan_control import require
from webapp.uow import unit_of_work

#: entries on the page to print
MOST_PRINTED = 1000
LONGEST_SEARCH = 100
#: named on the page that asks whether to close a period
MOST_UNREPORTED = 30


@bp.get("/registers/<key>")
def register(key: str) -> str:
    return _page(key, "plans/register.html")


@bp.get("/registers/<key>/print")
def register_print(key: str) -> str:
    """The same without paging, for paper."""
    return _page(key, "plans/register_print.html", whole=True)


@bp.route("/registers/<key>/close", methods=["GET", "POST"])
def close(key: str) -> ResponseReturnValue:
    """結算 of a period, by the control office: what will be kept, and then it is."""
    require(actor())
    of, period = plans.register(key), parsed(request.values.get("period", ""))
    back, refusal = url_for("plans.register", key=key, period=period.key), None
    if request.method == "POST":
        try:
            with unit_of_work():
                plan_editions.close(actor(), of, period, now(), seen=request.form.get("seen", ""))
        except DomainError as refused:
            refusal = refused
        else:
            said = _(
                "%(period)s已結算，之後規則怎麼改，這一期的報表都不變。", period=in_language(period.label)
            )
            flash(said, "success")
            return redirect(back)
    try:
        found = plan_editions.about_to_close(actor(), of, period, now())
    except DomainError as refused:
        flash(in_language(refused.text), "error")
        return redirect(back)
    standings = Counter(row.standing or "none" for row in found.rows)
    shown = render_template(
        "plans/close.html",
        register=of,
        period=period,
        found=found,
        seen=plan_editions.mark(found),
        standings=[
            (name, _("%(n)s 件", n=standings[standing]))
            for standing, name in words.STANDINGS.items()
            if standings[standing]
        ],
        unreported=[row for row in found.rows if row.standing in ("", "no_report")],
        most=MOST_UNREPORTED,
        back=back,
        summary=[("#close", in_language(refusal.text))] if refusal is not None else [],
    )
    return shown, refusal.status if refusal is not None else 200


def _page(key: str, template: str, *, whole: bool = False) -> str:
    of = plans.register(key)
    months = plans.months_of(of, taipei_day(now()))
    period = asked_period(months)
    month = period.last_month
    filters = _filters()
    page = max(request.args.get("page", 1, type=int), 1)
    found = plans.overview(of, month)
    count = plans.count(of, month, filters) if filters != Filters() else found.plans
    lines = plans.lines(of, month, filters, None if whole else page, by_number=whole)
    figures = plans.published(of.id, month)
    stated = {figure.name: figure.value for figure in figures}
    total = int(stated.get("plans", found.plans))
    rules = plan_lists.rules_of(period)
    managed = control.of_register(of, month)
    counted = {
        "carried_over": managed["made_up"].carried_over,
        "new": managed["made_up"].new,
        "released": managed["made_up"].released,
        "to_be_accepted": managed["made_up"].to_be_accepted,
    }
    counted |= {"plans": found.plans, "plans_stated": found.plans, "severe": found.standings["severe"]}
    if "projects" in stated:
        counted["projects"] = plans.projects(of, month)
    asked = {name: value for name in ("unit", "light", "q", "changed") if (value := request.args.get(name))}
    return render_template(
        template,
        register=of,
        period=period,
        periods=choices(months, period),
        editions=plans.editions(of.id),
        edition=plans.edition(of.id, period.key),
        closable=[
            each
            for each in plans.periods_ending(month)
            if plans.edition(of.id, each.key) is None
            and plans.closed_around(of.id, each) is None
            and each.last_day < taipei_day(now())
        ],
        overview=found,
        figures=figures,
        notes=[figure for figure in figures if figure.note],
        counted=counted,
        control=managed,
        total=total,
        severe=found.standings["severe"],
        rate=plans.percent(found.standings["severe"], total) if total else None,
        rules=words.stated_rules(rules),
        parameters=rules,
        review=review_parts.of_register(of, period, found.plans, now()),
        units=sorted(found.units.values(), key=lambda row: (-row.severe, -row.plans, row.unit_id)),
        picture=_picture(found),
        worst=plans.lines(of, month, Filters(light="red")),
        changed=plans.changed(of, month) if found.changes else [],
        trend=None if whole else trend(of, month),
        months_url=lambda length: url_for(
            "plans.register", key=key, period=period.key, months=length, _anchor="trend"
        ),
        reason_label=reason_label,
        lines=lines[:MOST_PRINTED],
        at=lambda **more: url_for("plans.register", key=key, period=period.key, **more),
        paged=lambda n: url_for(
            "plans.register", key=key, period=period.key, page=n, **asked, _anchor="plans"
        ),
        count=count,
        page=page,
        pages=max(-(-count // plans.PAGE), 1),
        filters=filters,
        asked=asked,
        unit_choices=[(unit.code, unit.name(language())) for unit in _units(found)],
        light_choices=[(light, words.LIGHTS[light].name) for light in words.LIGHTS if found.lights[light]],
        words=words,
        names=names,
        unit_code=lambda unit_id: chart().units[unit_id].code,
        hundred_million=HUNDRED_MILLION,
        may_close=actor().may("control_plans"),
        written=plan_lists.written,
        label=periods.month_label,
        month_key=lambda each: periods.month_of(each).key,
        period_label=lambda key: periods.parse(key).label,
    )


def asked_period(months: Sequence[date]) -> Period:
    """As the address says; else the newest month that was reported, or this month."""
    if written := request.args.get("period", ""):
        return parsed(written)
    return periods.month_of(months[0] if months else taipei_day(now()))


def parsed(written: str) -> Period:
    try:
        return periods.parse(written)
    except ValueError:
        raise NotFound() from None


def choices(months: Sequence[date], period: Period) -> list[tuple[str, Text]]:
    """Months and the quarters that end with them."""
    found = {period.key: period.label}
    for month in months:
        for each in plans.periods_ending(month)[:2]:
            found.setdefault(each.key, each.label)
    return list(found.items())


def _filters() -> Filters:
    unit = chart().by_code.get(request.args.get("unit", ""))
    light = request.args.get("light", "")
    return Filters(
        unit_id=unit.id if unit is not None else None,
        light=light if light in words.LIGHTS else "",
        q=request.args.get("q", "").strip()[:LONGEST_SEARCH],
        changed=bool(request.args.get("changed")),
    )


def _units(found: Overview) -> list[UnitInfo]:
    tree = chart()
    return sorted((tree.units[unit] for unit in found.units), key=lambda unit: unit.id)


def _picture(found: Overview) -> Markup:
    """By unit; the table under it says the same."""
    rows = [
        charts.Bar(chart().units[row.unit_id].name(language()), dict(row.lights))
        for row in sorted(found.units.values(), key=lambda row: (-row.severe, -row.plans, row.unit_id))
    ]
    said = _("各單位的燈號件數，詳見下方表格。")
    return Markup(charts.bars("by-unit", _("各單位燈號"), said, rows))  # noqa: S704  # its texts are escaped there


def names(units: tuple[int, ...]) -> str:
    tree = chart()
    return ("、" if language() == "zh" else ", ").join(tree.units[unit].name(language()) for unit in units)
