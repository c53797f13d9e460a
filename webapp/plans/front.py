"""計畫管考: what is severe and who has not reported, over all registers, and every register one click away."""

from __future__ import annotations

from collections import Counter

from flask import render_template

from webapp import periods
from webapp.moments import taipei_day
from webapp.plans import bp, words
from webapp.presentation import language
from webapp.queries import plan_lists, plan_trend
from webapp.queries.org import chart
from webapp.security import actor, now

#: entries that the front names; the pages of the registers list them all
MOST = 20


@bp.get("/")
def registers() -> str:
    today = taipei_day(now())
    found = plan_trend.glances(today)
    newest = plan_trend.newest_of_kind(found)
    severe, severe_count = plan_trend.alarms(newest, "severe", MOST)
    missing, missing_count = plan_trend.alarms(newest, "no_report", MOST)
    whole = sum((Counter(each.lights) for each in newest), Counter[str]())
    tree = chart()
    return render_template(
        "plans/registers.html",
        registers=found,
        whole=whole,
        newest=newest,
        severe=severe,
        severe_count=severe_count,
        missing=missing,
        missing_count=missing_count,
        most=MOST,
        unit=lambda unit_id: (tree.units[unit_id].code, tree.units[unit_id].name(language())),
        rules=words.stated_rules(plan_lists.rules_of(periods.month_of(today))),
        words=words,
        may_control=actor().may("control_plans"),
        written=plan_lists.written,
        label=periods.month_label,
        month_key=lambda month: periods.month_of(month).key,
    )
