"""Planned curves and monthly reports from a table: all or nothing, and the same table again changes nothing.

A curve comes in where an entry has none yet: a later one is a change of the plan. A report comes in where no unit is
asked for it: that one has its own case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Conflict, Misfit, NotFound, Refused
from webapp.extensions import db
from webapp.models import Baseline, Case, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import last_day, month_label
from webapp.permissions import Actor
from webapp.queries import definitions, plan_facts
from webapp.queries.plan_facts import Point
from webapp.services import curve_rules, plan_curves, plan_imports, plan_months, plan_progress, plan_reports
from webapp.services.plan_control import require
from webapp.services.plan_curves import MOST_MONEY
from webapp.services.plan_imports import Imported
from webapp.services.plan_progress import Figures
from webapp.sheets import Row, Sheet

_ENTRY = {"case_no": ("案號",), "project": ("計畫名稱", "工作項目"), "month": ("月份", "年月")}
BASELINES: Mapping[str, tuple[str, ...]] = {
    **_ENTRY,
    "planned_pct": ("預定進度", "預計進度", "預定%", "預計%"),
    "budget": ("累計分配經費", "累計預定經費"),
}
REPORTS: Mapping[str, tuple[str, ...]] = {
    **_ENTRY,
    "actual_pct": ("實際進度", "累計實際進度", "實際%"),
    "budget_spent": ("累計支用經費", "累計支用"),
    "phase": ("目前階段",),
    "situation": ("辦理情形",),
    "reason_class": ("落後原因類別",),
    "reason": ("落後原因", "原因"),
    "countermeasure": ("因應對策",),
    "catch_up_date": ("預定趕上日期",),
}
#: the column of each part of a curve
_PARTS = {"month": "month", "planned": "planned_pct", "budget": "budget"}
#: what a column of reports is called where its figure is refused
_COLUMNS = {"actual": "actual_pct", "planned": "project", "budget_spent": "budget_spent"}


@dataclass(frozen=True)
class Kind:
    """One kind of table: its columns, those it cannot do without, and who takes it in."""

    title: Text
    columns: Mapping[str, tuple[str, ...]]
    needed: Sequence[str]
    take_in: Callable[[Actor, Sheet, str, datetime], Imported]


@dataclass(frozen=True)
class _Planned:
    row: Row
    point: Point


def baselines(actor: Actor, sheet: Sheet, register_key: str, now: datetime) -> Imported:
    """One row a month of each plan: the first approved curve of its entry."""
    register = _begin(register_key)
    done, found, seen = _imported(sheet, register), _Entries(register), dict[tuple[int, date], int]()
    curves: dict[int, list[_Planned]] = {}
    for row in sheet.rows:
        before = len(sheet.problems)
        entry, month = found.of(row), row.month("month", needed=True)
        planned = row.number_of("planned_pct", 0, 100, needed=True)
        budget = row.number_of("budget", 0, MOST_MONEY, decimals=0)
        if entry is None or month is None or planned is None or len(sheet.problems) > before:
            continue
        if _twice(row, seen, entry, month):
            continue
        curves.setdefault(entry.id, []).append(_Planned(row, Point(month, planned, budget)))
    held, numbers = plan_facts.curves(list(curves)), _newest(list(curves))
    for entry_id, rows in sheet.telling(list(curves.items())):
        rows.sort(key=lambda each: each.point.month)
        points, first = [each.point for each in rows], rows[0].row
        if entry_id in held:
            if held[entry_id] != points:
                number = numbers[entry_id]
                first.wrong(
                    "project",
                    f"已有核定的第 {number} 版預定進度；要改請辦理計畫修正。",
                    f"Version {number} of the planned curve is approved; another one is a change of the plan.",
                )
        elif _holds(rows) and not sheet.problems:
            _approve(actor, entry_id, numbers.get(entry_id, 0) + 1, points, now)
            done.changed += 1
        done.rows += len(rows)
    sheet.require()
    plan_imports.audit(actor, f"baselines {register.key}: {done.rows} rows, {done.changed} new curves", now)
    return done


def reports(actor: Actor, sheet: Sheet, register_key: str, now: datetime) -> Imported:
    """One row a report, measured against the approved curve and explained as the rules ask."""
    register = _begin(register_key)
    done, found, seen = _imported(sheet, register), _Entries(register), dict[tuple[int, date], int]()
    said: list[tuple[Row, RegisterEntry, date, Figures]] = []
    for row in sheet.rows:
        before = len(sheet.problems)
        entry, month = found.of(row), row.month("month", needed=True)
        figures = _figures(row, now)
        if month is not None:
            _may_be_reported(row, register, month, now)
        if entry is None or month is None or len(sheet.problems) > before:
            continue
        if not _twice(row, seen, entry, month):
            said.append((row, entry, month, figures))
    entries = sorted({entry.id for _row, entry, _month, _figures in said})
    approved, cases = plan_facts.versions(entries), _asked(entries)
    said.sort(key=lambda each: (each[1].id, each[2]))
    for row, entry, month, figures in sheet.telling(said):
        done.rows += 1
        curve = plan_facts.in_force(approved.get(entry.id, []), month)
        point = plan_facts.planned_at(curve, month)
        if point is not None:
            figures = replace(figures, planned=point.planned, budget_due=point.budget)
            done.changed += _record(row, entry, month, figures, cases.get((entry.id, month)), now)
        else:
            row.wrong(
                "month",
                f"{month_label(month).zh}沒有核定的預定進度，請先匯入預定進度。",
                f"No approved curve covers {month_label(month).en}: import the planned curve first.",
            )
    sheet.require()
    plan_imports.audit(actor, f"reports {register.key}: {done.rows} rows, {done.changed} new", now)
    return done


KINDS: Mapping[str, Kind] = {
    "baselines": Kind(
        Text(zh="預定進度", en="planned curves"), BASELINES, ("project", "month", "planned_pct"), baselines
    ),
    "reports": Kind(
        Text(zh="進度填報", en="progress reports"), REPORTS, ("project", "month", "actual_pct"), reports
    ),
}


def take_in(actor: Actor, kind: Kind, sheet: Sheet, register_key: str, now: datetime) -> Imported:
    """By the control office, on its page."""
    require(actor)
    return kind.take_in(actor, sheet, register_key, now)


def look(actor: Actor, kind: Kind, sheet: Sheet, register_key: str, now: datetime) -> Imported:
    """What would come in; nothing does."""
    require(actor)
    with db.session.begin_nested() as tried:
        done = kind.take_in(actor, sheet, register_key, now)
        tried.rollback()
    return done


# --- what is there ----------------------------------------------------------------------------------------


class _Entries:
    """The plans that stand in a register, by number and by title."""

    def __init__(self, register: Register) -> None:
        rows = db.session.execute(
            select(RegisterEntry, func.coalesce(RegisterEntry.title, Plan.title))
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .where(RegisterEntry.register_id == register.id)
            .order_by(RegisterEntry.released_on.nulls_last(), RegisterEntry.id)
        ).all()
        self.register = register
        self.by_number = {entry.case_no: (entry, title) for entry, title in rows if entry.case_no}
        # of two that are called alike, the one that is not released
        self.by_title = {title: entry for entry, title in rows}

    def of(self, row: Row) -> RegisterEntry | None:
        number, title = row.word("case_no", longest=20), row.text("project", needed=True, longest=200)
        entry = self.by_title.get(title)
        if number:
            entry, called = self.by_number.get(number, (None, ""))
            if entry is not None and title and title != called:
                row.wrong("project", f"案號 {number} 是「{called}」。", f"Number {number} is “{called}”.")
        if entry is None:
            what = number or title
            if what:
                row.wrong(
                    "case_no" if number else "project",
                    f"這個列管別沒有「{what}」。",
                    f"The register has no “{what}”.",
                )
        elif entry.released_on is not None:
            row.wrong("project", "已經解除列管。", "The plan is released.")
        return entry


def _begin(register_key: str) -> Register:
    plan_imports.alone()
    found = db.session.scalars(select(Register).where(Register.key == register_key)).one_or_none()
    if found is None:
        raise NotFound(Text(zh=f"沒有列管別「{register_key}」。", en=f"There is no register {register_key}."))
    return found


def _imported(sheet: Sheet, register: Register) -> Imported:
    return Imported(notes=list(sheet.notes), register_ids={register.id})


def _twice(row: Row, seen: dict[tuple[int, date], int], entry: RegisterEntry, month: date) -> bool:
    at = seen.setdefault((entry.id, month), row.number)
    if at != row.number:
        label = month_label(month)
        row.wrong(
            "month",
            f"這個計畫的{label.zh}在第 {at} 列已經出現。",
            f"{label.en} of this plan stands in row {at} already.",
        )
    return at != row.number


# --- curves -----------------------------------------------------------------------------------------------


def _holds(rows: Sequence[_Planned]) -> bool:
    """Whether they make a curve; each row that breaks it says so."""
    by_number = {each.row.number: each.row for each in rows}
    found = curve_rules.mistakes([(each.row.number, each.point) for each in rows])
    for mistake in found:
        by_number[mistake.number].wrong(_PARTS[mistake.part], mistake.text.zh, mistake.text.in_("en"))
    return not found


def _newest(entries: Sequence[int]) -> dict[int, int]:
    """The number of the newest version of each entry, approved or not."""
    rows = db.session.execute(
        select(Baseline.entry_id, func.max(Baseline.number))
        .where(Baseline.entry_id.in_(entries))
        .group_by(Baseline.entry_id)
    )
    return dict(rows.all())


def _approve(actor: Actor, entry_id: int, number: int, points: Sequence[Point], now: datetime) -> None:
    """Approved by whoever imports it at the desk; without an account it was approved elsewhere."""
    made = Baseline(
        entry_id=entry_id,
        number=number,
        reason="匯入核定的預定進度",
        effective_month=points[0].month,
        approved_by_id=actor.account_id,
        approved_at=now,
        origin="entered" if actor.account_id is not None else "published",
    )
    plan_curves.approve(made, points)


# --- reports ----------------------------------------------------------------------------------------------


def _figures(row: Row, now: datetime) -> Figures:
    """As the row says; what is due comes from the curve."""
    return Figures(
        actual=row.number_of("actual_pct", 0, 100, needed=True),
        budget_spent=row.number_of("budget_spent", 0, MOST_MONEY, decimals=0),
        phase=row.text("phase", longest=80),
        reason_class=_reason_class(row, taipei_day(now)),
        reason=row.text("reason"),
        countermeasure=row.text("countermeasure"),
        catch_up_date=row.day("catch_up_date"),
        note=row.text("situation"),
    )


def _reason_class(row: Row, today: date) -> str | None:
    """By the words of the form that units fill in, or by their keys."""
    written = row.word("reason_class")
    if not written:
        return None
    form = definitions.current_form(plan_reports.FORM, today)
    options = next(field for field in form.fields if field.key == "reason_class").options
    known = {name: each.value for each in options for name in (each.value, each.label.zh)}
    if written not in known:
        listed = "、".join(each.label.zh for each in options)
        row.wrong(
            "reason_class", f"「{written}」不是這些類別之一：{listed}。", f"“{written}” is none of {listed}."
        )
    return known.get(written)


def _may_be_reported(row: Row, register: Register, month: date, now: datetime) -> None:
    label = month_label(month)
    if taipei_day(now) <= last_day(month):
        row.wrong("month", f"{label.zh}還沒有結束。", f"{label.en} is not over yet.")
    if month.month % plan_months.EVERY[register.cycle]:
        row.wrong(
            "month", f"這個列管別不在{label.zh}填報。", f"This register takes no report for {label.en}."
        )


def _asked(entries: Sequence[int]) -> dict[tuple[int, date], Case]:
    """The cases of reports that a unit has not sent."""
    rows = db.session.execute(
        select(ProgressReport.entry_id, ProgressReport.month, Case)
        .join(Case, Case.id == ProgressReport.case_id)
        .where(ProgressReport.entry_id.in_(entries), ProgressReport.state == "open")
    )
    return {(entry_id, month): case for entry_id, month, case in rows}


def _record(
    row: Row, entry: RegisterEntry, month: date, figures: Figures, case: Case | None, now: datetime
) -> bool:
    if case is not None:
        where = "已逾期鎖定" if case.state == "locked" else "由主辦單位填報中"
        row.wrong(
            "month",
            f"{month_label(month).zh}{where}（{case.number}），請在該案辦理。",
            f"The unit is asked for {month_label(month).en} ({case.number}): report it there.",
        )
        return False
    try:
        report, new = plan_progress.record(entry, month, figures, now, origin="entered")
    except Misfit as misfit:
        row.wrong(_COLUMNS.get(misfit.field, "month"), misfit.text.zh, misfit.text.in_("en"))
        return False
    except (Refused, Conflict) as refusal:
        row.wrong("month", refusal.text.zh, refusal.text.in_("en"))
        return False
    for part, why in plan_reports.unexplained(report).items() if new else ():
        row.wrong(part, why.zh, why.in_("en"))
    return new
