"""The export for the national system: a register in a month as CSV and XLSX, in the words of that system.

What somebody wrote is a text there, never a formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from flask import Response, send_file, stream_with_context
from flask.typing import ResponseReturnValue

from webapp import spreadsheets
from webapp.models import Register
from webapp.periods import last_day, month_label
from webapp.plans import bp, words
from webapp.plans.papers import XLSX
from webapp.plans.register import parsed
from webapp.queries import definitions, plan_export, plan_lists, plans
from webapp.queries.plan_export import Exported
from webapp.spreadsheets import Row

HEADINGS = (
    "計畫編號", "計畫名稱", "主辦單位", "其他單位", "列管別", "管制層級", "案號", "開始日期", "結束日期",
    *(f"{words.SOURCES[source].zh}（元）" for source in words.SOURCES),
    "月份", "預定進度%", "實際進度%", "落後（百分點）", "累計可支用（元）", "累計支用（元）", "預算執行率%", "執行狀態",
    "目前階段", "落後原因類別", "落後原因", "因應對策", "預定趕上日期", "備註",
)  # fmt: skip


@bp.get("/registers/<key>/<period>/national.csv")
def national_csv(key: str, period: str) -> ResponseReturnValue:
    """Written while it is read: a register of ten thousand plans is not held in memory."""
    of, month = plans.register(key), parsed(period).last_month
    name = f"{of.key}-{month:%Y-%m}-national.csv"
    return Response(
        stream_with_context(spreadsheets.csv_parts(table(of, month))),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@bp.get("/registers/<key>/<period>/national.xlsx")
def national_xlsx(key: str, period: str) -> ResponseReturnValue:
    of, month = plans.register(key), parsed(period).last_month
    content = spreadsheets.as_xlsx(list(table(of, month)), month_label(month).zh)
    name = f"{of.key}-{month:%Y-%m}-national.xlsx"
    return send_file(io.BytesIO(content), mimetype=XLSX, download_name=name, as_attachment=True)


def table(of: Register, month: date) -> Iterator[Row]:
    """Heading and rows, read as they are written."""
    yield HEADINGS
    register, reasons = of.name_zh, _reasons(month)
    for each in plan_export.rows(of, month):
        yield _row(register, month, each, reasons)


def _reasons(month: date) -> Mapping[str, str]:
    """What the classes of reasons are called on the form of the report."""
    form = definitions.form(definitions.revision_id("form", "progress_report", last_day(month)))
    field = next(field for field in form.fields if field.key == "reason_class")
    return {option.value: option.label.zh for option in field.options}


def _row(register: str, month: date, each: Exported, reasons: Mapping[str, str]) -> Row:
    plan, entry, report = each.plan, each.entry, each.report
    lead, *others = plan_lists.names(each.units)
    front = [
        plan.code,
        entry.title or plan.title,
        lead,
        "、".join(others),
        register,
        words.LEVELS[plan.level].zh,
    ]
    front += [entry.case_no or "", _day(plan.starts_on), _day(plan.ends_on)]
    # the first is the total, whatever the sources
    whole = {"all": sum(each.budget.values())} if each.budget else {}
    money = [_number({**each.budget, **whole}.get(source)) for source in words.SOURCES]
    if report is None or (report.state == "open" and report.standing is None):
        nothing = [words.STANDINGS["none"].zh, "", "", "", "", "", ""]
        return [*front, *money, month_label(month).zh, "", "", "", "", "", "", *nothing]
    return [
        *front,
        *money,
        month_label(month).zh,
        *map(_number, (report.planned, report.actual, report.lag)),
        *map(_number, (report.budget_due, report.budget_spent, report.budget_execution)),
        words.STANDINGS[report.standing or "none"].zh,
        report.phase,
        reasons.get(report.reason_class or "", report.reason_class or ""),
        report.reason,
        report.countermeasure,
        _day(report.catch_up_date),
        "以公布為準" if report.published_class is not None else report.note,
    ]


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _number(value: Decimal | None) -> Decimal | str:
    """Exactly, without zeros at the end."""
    return "" if value is None else Decimal(plan_lists.written(value))
