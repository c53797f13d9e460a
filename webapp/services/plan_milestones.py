"""查核點 of a plan: entered and changed by the plan-control office, reached as the monthly reports say.

A milestone is known by its words and its month. Once it is reached it stands, until the report that said so takes it
back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, select

from rules.values import Text, format_day
from webapp.errors import AnswersInvalid, Misfit
from webapp.extensions import db
from webapp.models import Milestone, Plan, ProgressReport, RegisterEntry
from webapp.periods import month_label, parse_month
from webapp.permissions import Actor
from webapp.queries import milestones
from webapp.services import plan_progress
from webapp.services.plan_curves import month_key

#: the field of the form `plan`
FIELD = "milestones"
#: of what is not reached yet, so many are named where a row is none of them
NAMED = 5
#: words and month
Due = tuple[str, date]
Rows = Sequence[Mapping[str, Any]]


# --- of a plan --------------------------------------------------------------------------------------------------


def written(of: Sequence[Milestone]) -> list[dict[str, str]]:
    """As the form of a plan asks for them."""
    return [{"what": each.what, "month": month_key(each.due_month)} for each in of]


def put(of: Plan, due: Sequence[Due]) -> None:
    """The milestones of a plan from now on, in this order."""
    held = {(each.what, each.due_month): each for each in milestones.of_plan(of.id)}
    for key, each in held.items():
        if each.reached_on is not None and key not in due:
            raise Misfit(
                FIELD,
                Text(
                    zh=f"查核點「{each.what}」（{month_label(each.due_month).zh}）已經達成，不能修改或移除。",
                    en=f"The milestone “{each.what}” ({month_label(each.due_month).en}) is reached: it is neither "
                    "changed nor taken out.",
                ),
            )
    reached = {key: (each.reached_on, each.report_id) for key, each in held.items()}
    db.session.execute(delete(Milestone).where(Milestone.plan_id == of.id))
    for n, (what, month) in enumerate(due, start=1):
        on, report_id = reached.get((what, month), (None, None))
        made = Milestone(plan_id=of.id, ordinal=n, what=what, due_month=month)
        made.reached_on, made.report_id = on, report_id
        db.session.add(made)
    db.session.flush()


def read(rows: Rows, starts_on: date | None, ends_on: date | None) -> tuple[list[Due], list[Text]]:
    """The rows of the form of a plan, or every mistake."""
    found: dict[Due, int] = {}
    mistakes: list[Text] = []
    for n, row in enumerate(rows, start=1):
        month = _month(row["month"])
        if month is None:
            mistakes.append(
                _of(
                    n,
                    f"月份「{row['month'][:20]}」無法辨識，例如 115-08。",
                    f"“{row['month'][:20]}” is no month; a month is 115-08.",
                )
            )
            continue
        label = month_label(month)
        if (starts_on and month < starts_on.replace(day=1)) or (ends_on and month > ends_on):
            mistakes.append(
                _of(
                    n,
                    f"{label.zh}不在計畫開始與結束之間。",
                    f"{label.en} does not lie between the first and the last day of the plan.",
                )
            )
        before = found.setdefault((row["what"], month), n)
        if before != n:
            mistakes.append(_twice(n, before))
    return list(found), mistakes


# --- in a report ------------------------------------------------------------------------------------------------


def starting(report: ProgressReport) -> list[dict[str, Any]]:
    """A row for each milestone that the report asks about."""
    return [
        {"what": each.what, "month": month_key(each.due_month)}
        | ({"reached_on": each.reached_on.isoformat()} if each.reached_on else {})
        for each in milestones.asked_by(report)
    ]


def keep(actor: Actor, report: ProgressReport, rows: Rows) -> bool:
    """When each was reached, as the report says; whether anything is new. AnswersInvalid names the rows that cannot be.

    What has no row stands as it did.
    """
    plan_id = db.session.get_one(RegisterEntry, report.entry_id).plan_id
    # its reports in other registers, and who edits it, one after the other
    db.session.execute(select(Plan.id).where(Plan.id == plan_id).with_for_update(key_share=True))
    held = db.session.scalars(
        select(Milestone)
        .where(Milestone.plan_id == plan_id)
        .order_by(Milestone.ordinal)
        .execution_options(populate_existing=True)
    ).all()
    said, mistakes = reached(rows, held, report.id)
    if mistakes:
        raise AnswersInvalid({milestones.FIELD: [each.in_(actor.language) for each in mistakes]})
    changed = [(each, on) for each, on in said if each.reached_on != on]
    if changed:
        plan_progress.require_open(report.register_id, report.month)
    for each, on in changed:
        each.reached_on, each.report_id = on, report.id if on is not None else None
    db.session.flush()
    return bool(changed)


def reached(
    rows: Rows, held: Sequence[Milestone], report_id: int
) -> tuple[list[tuple[Milestone, date | None]], list[Text]]:
    """What rows say of the milestones of a plan, or every mistake."""
    found: dict[Due, int] = {}
    known = {(each.what, each.due_month): each for each in held}
    said: list[tuple[Milestone, date | None]] = []
    mistakes: list[Text] = []
    for n, row in enumerate(rows, start=1):
        month = _month(row["month"])
        of = known.get((row["what"], month)) if month is not None else None
        if of is None:
            mistakes.append(_unknown(n, row, held))
            continue
        on = date.fromisoformat(row["reached_on"]) if row.get("reached_on") else None
        before = found.setdefault((of.what, of.due_month), n)
        if before != n:
            mistakes.append(_twice(n, before))
        mistakes += _stands(n, of, on, report_id)
        said.append((of, on))
    return said, mistakes


def _stands(n: int, of: Milestone, on: date | None, report_id: int) -> Iterator[Text]:
    if of.reached_on is not None and of.report_id != report_id and on != of.reached_on:
        yield _of(
            n,
            f"「{of.what}」在別份填報已於 {format_day(of.reached_on, 'zh')} 達成，請移除這一列；要改，請更正那一份。",
            f"another report says that “{of.what}” was reached on {format_day(of.reached_on, 'en')}: take this row "
            "out, or have that report corrected.",
        )


def _unknown(n: int, row: Mapping[str, Any], held: Sequence[Milestone]) -> Text:
    left = [each for each in held if each.reached_on is None][:NAMED]
    zh = "、".join(f"「{each.what}」（{month_key(each.due_month)}）" for each in left)
    en = ", ".join(f"“{each.what}” ({month_key(each.due_month)})" for each in left)
    return _of(
        n,
        f"「{row['what'][:40]}」（{row['month']}）不是這個計畫的查核點；尚未達成的是{zh or '：無'}。",
        f"“{row['what'][:40]}” ({row['month']}) is no milestone of this plan; not reached yet: {en or 'none'}.",
    )


def _twice(n: int, before: int) -> Text:
    return _of(
        n,
        f"和第 {before} 列是同一個查核點，只能列一次。",
        f"it is the milestone of row {before}; once is enough.",
    )


def _month(typed: str) -> date | None:
    try:
        return parse_month(typed)
    except ValueError:
        return None


def _of(n: int, zh: str, en: str) -> Text:
    return Text(zh=f"第 {n} 列：{zh}", en=f"Row {n}: {en}")
