"""What a quarterly review reads besides the list of plans, as plain data: an edition keeps it as it was."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import Baseline, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import TAIPEI, taipei_day
from webapp.periods import Period, month_before, month_label
from webapp.queries import definitions, meetings, plans, verifications
from webapp.queries.plan_lists import names, written

REPORT = "progress_report"


def gather(of: Register, period: Period) -> dict[str, Any]:
    """As it stands now."""
    execution = plans.overview(of, period.last_month).execution
    return {
        "execution": written(execution),
        "reports": _reports(of, period),
        "changes": _changes(of, period),
        "baselines": _baselines(of, period),
        "verifications": _verifications(of, period),
        "meeting": _meeting(of, period),
    }


def _reports(of: Register, period: Period) -> dict[str, dict[str, Any]]:
    """Of each plan that is behind: its curve in the period, and how it explains itself; by public id."""
    behind = select(ProgressReport.entry_id).where(
        ProgressReport.register_id == of.id,
        ProgressReport.month == period.last_month,
        ProgressReport.standing.in_(("severe", "behind")),
    )
    rows = db.session.execute(
        select(Plan.public_id, ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(
            ProgressReport.entry_id.in_(behind),
            ProgressReport.month.between(period.first_month, period.last_month),
        )
        .order_by(ProgressReport.entry_id, ProgressReport.month)
    )
    form = definitions.current_form(REPORT, period.last_day)
    classes = {option.value: option.label.zh for field in form.fields for option in field.options}
    found: dict[str, dict[str, Any]] = defaultdict(lambda: {"curve": []})
    for pid, report in rows:
        if report.actual is not None:
            month = month_label(report.month).zh.partition("年")[2]
            found[pid]["curve"].append([month, written(report.planned), written(report.actual)])
        found[pid] |= {
            "reason_class": classes.get(report.reason_class or "", ""),
            "reason": report.reason,
            "countermeasure": report.countermeasure,
            "catch_up": report.catch_up_date.isoformat() if report.catch_up_date else "",
        }
    return dict(found)


def _changes(of: Register, period: Period) -> list[dict[str, str]]:
    """What stands otherwise than at the end of the period before."""
    months = (period.last_month.month - period.first_month.month) + 1
    now, before = aliased(ProgressReport), aliased(ProgressReport)
    earlier = month_before(period.last_month, months)
    rows = db.session.execute(
        select(
            func.coalesce(RegisterEntry.title, Plan.title),
            Plan.lead_unit_id,
            before.standing,
            now.standing,
            before.lag,
            now.lag,
        )
        .select_from(now)
        .join(RegisterEntry, RegisterEntry.id == now.entry_id)
        .join(before, plans.as_reported(of, before, earlier))
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(now.register_id == of.id, now.month == period.last_month, now.standing != before.standing)
        .order_by(now.lag.desc().nulls_last(), now.entry_id)
    )
    return [
        {
            "title": title,
            "unit": "、".join(names((unit,))),
            "before": was,
            "now": is_,
            "lag_before": written(lag_before),
            "lag": written(lag),
        }
        for title, unit, was, is_, lag_before, lag in rows
    ]


def _baselines(of: Register, period: Period) -> list[dict[str, str]]:
    """Versions of a planned curve, the first left out, that were approved in the period."""
    first = datetime.combine(period.first_month, time(), TAIPEI).astimezone(UTC)
    last = datetime.combine(period.last_day + timedelta(days=1), time(), TAIPEI).astimezone(UTC)
    rows = db.session.execute(
        select(func.coalesce(RegisterEntry.title, Plan.title), Plan.lead_unit_id, Baseline)
        .join(RegisterEntry, RegisterEntry.id == Baseline.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(
            RegisterEntry.register_id == of.id,
            Baseline.number > 1,
            Baseline.approved_at >= first,
            Baseline.approved_at < last,
        )
        .order_by(Baseline.approved_at, Baseline.id)
    )
    return [
        {
            "title": title,
            "unit": "、".join(names((unit,))),
            "number": str(baseline.number),
            "from": month_label(baseline.effective_month).zh,
            "reason": baseline.reason,
            "approved": taipei_day(baseline.approved_at).isoformat(),
        }
        for title, unit, baseline in rows
    ]


def _verifications(of: Register, period: Period) -> list[dict[str, Any]]:
    """Those of the period, and whatever earlier ones left open."""
    told = {each.verification.id: each for each in verifications.of_period(of.id, period)}
    told |= {each.verification.id: each for each in verifications.left_open(of.id, period.last_day)}
    return [
        {
            "title": each.title,
            "kind": each.verification.kind,
            "state": each.verification.state,
            "period": each.verification.period,
            "seen_on": each.verification.seen_on.isoformat() if each.verification.seen_on else "",
            "difference": written(each.difference),
            "said": each.verification.conclusion or each.verification.reason,
            "open": [
                [str(finding.number), finding.required, finding.due_on.isoformat()]
                for finding in each.open_findings
            ],
        }
        for _key, each in sorted(told.items())
        if each.verification.state != "withdrawn"
    ]


def _meeting(of: Register, period: Period) -> dict[str, Any] | None:
    """The last meeting on the register that resolved something, and what has become of it."""
    last = meetings.last_before(of.id, period.last_day)
    if last is None:
        return None
    return {
        "title": last.title,
        "held_on": last.held_on.isoformat(),
        "resolutions": [
            {
                "number": str(each.resolution.number),
                "text": each.resolution.text,
                "units": "、".join(names(each.units)),
                "due": each.resolution.due_on.isoformat(),
                "done": each.resolution.done,
                "state": each.resolution.state,
            }
            for each in meetings.resolutions(last.id)
            if each.resolution.state != "withdrawn"
        ],
    }
