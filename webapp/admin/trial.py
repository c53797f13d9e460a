"""A draft tried on past decisions, on open cases, and on a table of facts that somebody brings. Nothing is acted on."""

from __future__ import annotations

from datetime import date

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules import fact_tables
from rules.values import Text, parse_roc_date, roc_year
from webapp import pending, sheets
from webapp.admin import bp, words
from webapp.errors import Refused
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.queries import desk as queries
from webapp.queries import live_cases, trials
from webapp.security import actor, now
from webapp.services import desk

Typed = MultiDict[str, str]


@bp.get("/drafts/<int:draft>/trial")
def trial(draft: int) -> ResponseReturnValue:
    """Of a period: by default the last 90 days."""
    return _page(draft)


@bp.post("/drafts/<int:draft>/trial")
def table_trial(draft: int) -> ResponseReturnValue:
    """Facts from a file or pasted."""
    file = request.files.get("file")
    pasted = request.form.get("pasted", "")
    content = file.read(sheets.RULES.megabytes * 1024**2 + 1) if file else b""
    try:
        cells = sheets.cells_of(content or pasted.encode())
    except Refused as refusal:
        return _page(draft, pasted, mistakes=[in_language(refusal.text)]), 422
    found = fact_tables.read([row for row in ([c.strip() for c in line] for line in cells) if any(row)])
    if found.problems:
        return _page(
            draft, pasted, mistakes=[in_language(each.message) for each in found.problems[:MOST_MISTAKES]]
        ), 422
    return _page(draft, pasted, table=found)


MOST_MISTAKES = 10


@pending.takes_in("admin.table_trial")
def table_again(draft: int, typed: Typed) -> ResponseReturnValue:
    return _page(draft, typed.get("pasted", "")), 400


def _page(
    draft: int,
    pasted: str = "",
    *,
    table: fact_tables.FactTable | None = None,
    mistakes: list[str] | None = None,
) -> str:
    found = queries.draft(draft)
    today = taipei_day(now())
    standing = queries.standing(found.kind, found.key, today)
    checked = trials.check(found.mapping, found.key)
    if checked.decider is None:
        raise Refused(
            Text(
                zh="草稿還有錯誤，修正後才能試算。",
                en="The draft has mistakes: correct them before it is tried.",
            )
        )
    current = trials.in_force(standing.in_force)
    if current is None:
        raise Refused(
            Text(
                zh=f"現行版本 {standing.in_force.number} 無法讀取，沒有可以比較的結果。草稿仍可送審與核准。",
                en=f"Version {standing.in_force.number}, which is in force, cannot be read: there is nothing to "
                "compare with. The draft can still be submitted and approved.",
            )
        )
    wrong: list[str] = []
    since, until = _period("since", today - desk.PAST, wrong), _period("until", today, wrong)
    return render_template(
        "admin/trial.html",
        draft=found,
        standing=standing,
        words=words,
        since=since,
        until=until,
        boxes={name: _boxes(name, day) for name, day in (("since", since), ("until", until))},
        wrong=wrong,
        past=trials.over_past(actor(), current, checked.decider, since, until),
        live=live_cases.touched(actor(), current, checked.decider, today, found.effective_from or today),
        brought=table,
        tried=trials.over_table(current, checked.decider, table.rows) if table else None,
        pasted=pasted,
        mistakes=mistakes or [],
    )


def _period(name: str, otherwise: date, wrong: list[str]) -> date:
    if f"{name}-year" not in request.args:
        return otherwise
    parts = {part: request.args.get(f"{name}-{part}", "").strip() for part in ("year", "month", "day")}
    try:
        return parse_roc_date("{year}年{month}月{day}日".format_map(parts))
    except ValueError:
        wrong.append(_("請填寫真實存在的日期，例如 115 年 12 月 3 日。"))
        return otherwise


def _boxes(name: str, day: date) -> dict[str, str]:
    if f"{name}-year" in request.args:
        return {part: request.args.get(f"{name}-{part}", "") for part in ("year", "month", "day")}
    return {"year": str(roc_year(day)), "month": str(day.month), "day": str(day.day)}
