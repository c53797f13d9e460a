"""A plan: where it is controlled, its curve and reports in each register, and why it stands where it stands."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup

from rules.values import Text
from webapp import periods
from webapp.moments import taipei_day
from webapp.plans import bp, changes, charts, proposal_words, review_parts, words
from webapp.plans.trend import reason_label
from webapp.presentation import in_language, language
from webapp.queries import definitions, milestones, plan_facts, plan_lists, plan_tree, plans, proposals
from webapp.queries.org import chart
from webapp.queries.plan_facts import Point, Version
from webapp.queries.plans import Standing
from webapp.security import now
from webapp.staff.words import RULE_STATUS


@bp.get("/<pid>")
def plan(pid: str) -> str:
    found = plans.plan(pid)
    tree, today = chart(), taipei_day(now())
    above, below = plans.above_and_below(found)
    revision = definitions.revision_id("ruleset", plan_lists.RULESET, today)
    budget = plans.budget_of(found)
    standings = plans.standings(found)
    return render_template(
        "plans/plan.html",
        plan=found,
        units=[
            (tree.units[unit].name(language()), words.ROLES[role]) for unit, role in plans.units_of(found)
        ],
        sites=plans.sites_of(found),
        budget=budget,
        total=sum(each.amount for each in budget),
        above=above,
        below=below,
        standings=standings,
        milestones=[(each, milestones.standing(each, today)) for each in milestones.of_plan(found.id)],
        came_from=proposals.of_plan(found),
        decided=proposal_words.DECIDED,
        pictures={each.entry.id: _picture(each) for each in standings},
        planned=_planned,
        changes=changes.of_plan(found, standings),
        rules=words.stated_rules(plan_lists.rules_of(periods.month_of(today))),
        ruleset=definitions.ruleset(revision).ruleset.title,
        revision=definitions.name_of(revision)[1],
        statuses=RULE_STATUS,
        verified=review_parts.of_plan(found),
        people=tree.names,
        sentence=lambda entry: Text(**entry["sentence"]),
        rule_label=lambda entry: Text(**entry["label"]),
        title_of=lambda title: Text.model_validate(title),
        words=words,
        reason_label=reason_label,
        upper_kinds=plan_tree.UPPER,
        written=plan_lists.written,
        label=periods.month_label,
        month_key=lambda month: periods.month_of(month).key,
    )


def _planned(standing: Standing) -> dict[date, Decimal]:
    """The planned share of each month, by the curve that is in force for it."""
    return {
        point.month: point.planned
        for month in sorted({point.month for curve in _curves(standing) for point in curve})
        if (point := plan_facts.planned_at(plan_facts.in_force(_versions(standing), month), month))
        and point.month == month
    }


def _versions(standing: Standing) -> list[Version]:
    """The approved ones, the oldest first."""
    return [
        Version(baseline.number, baseline.effective_month, list(points))
        for baseline, points in reversed(standing.baselines)
        if baseline.approved_at
    ]


def _curves(standing: Standing) -> list[list[Point]]:
    """The newest first."""
    return [version.points for version in reversed(_versions(standing))]


def _picture(standing: Standing) -> Markup | None:
    """None where no percentage is known."""
    figured = [report for report in standing.reports if report.lag is not None]
    planned, *before = [[(p.month, p.planned) for p in curve] for curve in _curves(standing)] or [[]]
    if not figured and not planned:
        return None
    lag, said = None, _("還沒有填報。")
    if figured:
        last = figured[-1]
        said = in_language(said_of(last.planned, last.actual, last.lag))
        lag = (last.month, last.planned, last.actual, in_language(gap_of(last.lag)))
    title = _("預定與實際進度曲線")
    drawn = charts.s_curve(
        charts.Curve(
            f"curve-{standing.entry.id}",
            title,
            said,
            planned or [(report.month, report.planned) for report in figured],
            [(report.month, report.actual) for report in figured],
            _("預定"),
            _("實際"),
            lag,
            before,
            _("原預定"),
        )
    )
    return Markup(drawn)  # noqa: S704  # its texts are escaped there


def said_of(planned: Decimal, actual: Decimal, lag: Decimal) -> Text:
    """預定 32.22%、實際 22.77%，落後 9.45."""
    p, a, gap = plan_lists.written(planned), plan_lists.written(actual), gap_of(lag)
    return Text(zh=f"預定 {p}%、實際 {a}%，{gap.zh}", en=f"{p} % planned, {a} % actual, {gap.en}")


def gap_of(lag: Decimal) -> Text:
    """落後 9.45."""
    points = plan_lists.written(abs(lag))
    if lag > 0:
        return Text(zh=f"落後 {points}", en=f"{points} behind")
    return Text(zh=f"超前 {points}", en=f"{points} ahead") if lag < 0 else Text(zh="符合進度", en="on track")
