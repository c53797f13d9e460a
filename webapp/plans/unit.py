"""A unit in a register: its lights, its months and its plans, each one click away."""

from __future__ import annotations

from flask import render_template, request, url_for

from webapp import periods
from webapp.errors import NotFound
from webapp.moments import taipei_day
from webapp.plans import bp, words
from webapp.plans.register import asked_period, choices, names
from webapp.plans.trend import reason_label, trend
from webapp.queries import plan_lists, plans
from webapp.queries.org import chart
from webapp.queries.plan_lists import HUNDRED_MILLION
from webapp.queries.plans import Filters
from webapp.security import now


@bp.get("/registers/<key>/units/<code>")
def register_unit(key: str, code: str) -> str:
    of, unit = plans.register(key), chart().by_code.get(code)
    if unit is None:
        raise NotFound()
    months = plans.months_of(of, taipei_day(now()))
    period = asked_period(months)
    month = period.last_month
    row = plans.overview(of, month).units.get(unit.id)
    count = row.plans if row else 0
    page = max(request.args.get("page", 1, type=int), 1)

    def at(**more: object) -> str:
        return url_for("plans.register_unit", key=key, code=code, period=period.key, **more)

    return render_template(
        "plans/register_unit.html",
        register=of,
        unit=unit,
        period=period,
        periods=choices(months, period),
        row=row,
        rules=words.stated_rules(plan_lists.rules_of(period)),
        trend=trend(of, month, unit.id),
        months_url=lambda length: at(months=length, _anchor="trend"),
        lines=plans.lines(of, month, Filters(unit_id=unit.id), page),
        count=count,
        page=page,
        pages=max(-(-count // plans.PAGE), 1),
        paged=lambda n: at(page=n, _anchor="plans"),
        words=words,
        names=names,
        reason_label=reason_label,
        hundred_million=HUNDRED_MILLION,
        written=plan_lists.written,
        label=periods.month_label,
        month_key=lambda each: periods.month_of(each).key,
    )
