"""What a year says of the plans of a register: where each stood at its end, what was spent, how it was reported.

What is not known is named and is no figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import and_, func, or_, select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, CaseEvent, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import Period, last_day, month_label, parse
from webapp.queries import plan_grades, plans
from webapp.rows import among
from webapp.services import plan_progress

#: of the workflow progress_report: what a unit does with a monthly report, and what the plan-control office does, in
#: its own state; that the unit's own head asks for more is no fault
SENT, SENT_BACK, CONSOLIDATED = "send", "send_back", "consolidate"
NEVER_DUE = Text(zh="這一年沒有應填報的月份", en="no report was due in the year")


@dataclass(frozen=True)
class YearFigures:
    entry_id: int
    #: of the last month for which a report was due
    month: date | None
    planned: Decimal | None
    actual: Decimal | None
    lag: Decimal | None
    execution: Decimal | None
    due: int
    in_time: int
    corrections: int
    #: by item, what is not known and why
    missing: Mapping[str, Text]

    @property
    def share_in_time(self) -> Decimal | None:
        if "reporting" in self.missing:
            return None
        return (Decimal(self.in_time) * 100 / self.due).quantize(Decimal("0.0001"), ROUND_HALF_UP)

    @property
    def facts(self) -> dict[str, object]:
        """For the rules; what is not known is not there."""
        known: dict[str, object] = {"plan.corrections": self.corrections, "plan.year_ended": True}
        found = {
            "plan.planned": self.planned,
            "plan.actual": self.actual,
            "plan.lag": self.lag,
            "plan.budget_execution": self.execution,
            "plan.reports_in_time": self.share_in_time,
        }
        return known | {name: value for name, value in found.items() if value is not None}


def year_of(register: Register) -> int:
    return register.roc_year + 1911


def last_day_of(register: Register) -> date:
    return date(year_of(register), 12, 31)


def period_of(register: Register) -> Period:
    return parse(str(register.roc_year))


def entries(register: Register) -> list[RegisterEntry]:
    """What is evaluated for the year."""
    return list(
        db.session.scalars(plan_grades.in_year(register, period_of(register)).order_by(RegisterEntry.id))
    )


def figures(register: Register, of: Sequence[RegisterEntry]) -> dict[int, YearFigures]:
    """By entry, from the reports of the year; three statements, however many entries there are."""
    year = year_of(register)
    reports: dict[int, dict[date, ProgressReport]] = defaultdict(dict)
    for report in db.session.scalars(
        select(ProgressReport).where(
            among(ProgressReport.entry_id, [entry.id for entry in of]),
            ProgressReport.month.between(date(year, 1, 1), date(year, 12, 1)),
        )
    ):
        reports[report.entry_id][report.month] = report
    cases = sorted(
        {case for each in reports.values() for r in each.values() if (case := _asked_by(r)) is not None}
    )
    deadlines = dict(db.session.execute(select(Case.id, Case.due_on).where(among(Case.id, cases))).all())
    sent, corrections = _history(cases)
    step = plans.STEPS[register.cycle]
    months = [date(year, month, 1) for month in range(step, 13, step)]
    cut_offs = {month: plan_progress.cut_off(register, month) for month in months}

    def was_in_time(report: ProgressReport | None, month: date) -> bool:
        if report is None or report.state == "open":
            return False
        at = sent.get(_asked_by(report) or 0) or report.first_reported_at or report.reported_at
        until = deadlines.get(_asked_by(report) or 0) or cut_offs[month]
        return at is not None and taipei_day(at) <= until

    found = {}
    for entry in of:
        mine = reports[entry.id]
        stood = [month for month in months if _owes(entry, month)]
        due = [month for month in stood if _was_asked(mine.get(month))]
        last = mine.get(stood[-1]) if stood else None
        found[entry.id] = YearFigures(
            entry_id=entry.id,
            month=stood[-1] if stood else None,
            planned=last.planned if last else None,
            actual=last.actual if last else None,
            lag=last.lag if last and last.state != "open" else None,
            execution=last.budget_execution if last and last.state != "open" else None,
            due=len(due),
            in_time=sum(was_in_time(mine.get(month), month) for month in due),
            corrections=sum(corrections.get(_asked_by(mine[m]) or 0, 0) for m in due if m in mine),
            missing=_missing(stood, due, mine),
        )
    return found


def _asked_by(report: ProgressReport) -> int | None:
    """The case that first asked for it: a later one corrects what came in time, or late."""
    return report.case_id if report.first_reported_at is None else report.first_case_id


def _owes(entry: RegisterEntry, month: date) -> bool:
    """A plan reports for a month at whose end it stood in the register."""
    end = last_day(month)
    return entry.since <= end and (entry.released_on is None or entry.released_on > end)


def _was_asked(report: ProgressReport | None) -> bool:
    """Nobody is late with what nobody asked for: a plan that came late into its register, or had no curve yet."""
    return report is not None and (report.case_id is not None or report.state != "open")


def _history(cases: Sequence[int]) -> tuple[dict[int, datetime], dict[int, int]]:
    """Of the cases of reports: when the unit first sent it, and how often the plan-control office returned it."""
    rows = db.session.execute(
        select(CaseEvent.case_id, CaseEvent.kind, func.min(CaseEvent.at), func.count())
        .where(
            among(CaseEvent.case_id, cases),
            or_(
                CaseEvent.kind == SENT,
                and_(CaseEvent.kind == SENT_BACK, CaseEvent.from_state == CONSOLIDATED),
            ),
        )
        .group_by(CaseEvent.case_id, CaseEvent.kind)
    ).all()
    return (
        {case_id: at for case_id, kind, at, _count in rows if kind == SENT},
        {case_id: count for case_id, kind, _at, count in rows if kind == SENT_BACK},
    )


def _missing(
    stood: Sequence[date], due: Sequence[date], reports: Mapping[date, ProgressReport]
) -> dict[str, Text]:
    """`stood`: months at whose end it stood in the register; `due`: those of them that were asked for."""
    if not stood:
        return dict.fromkeys(("progress", "budget", "reporting"), NEVER_DUE)
    found = {}
    label, last = month_label(stood[-1]), reports.get(stood[-1])
    if last is None or last.state == "open":
        words = Text(zh=f"{label.zh}沒有填報", en=f"nothing was reported for {label.en}")
        if stood[-1] not in due:
            words = Text(zh=f"{label.zh}沒有請單位填報", en=f"no report was asked for {label.en}")
        found = {"progress": words, "budget": words}
    else:
        if last.lag is None:
            found["progress"] = Text(
                zh=f"{label.zh}只公布類別，沒有百分比", en=f"{label.en} was published without percentages"
            )
        if last.budget_execution is None:
            found["budget"] = Text(
                zh=f"{label.zh}沒有經費數字，算不出執行率", en=f"no budget figures for {label.en}"
            )
    published = [month for month in due if month in reports and reports[month].origin == "published"]
    if published:
        first = month_label(published[0])
        found["reporting"] = Text(
            zh=f"{first.zh}的資料是公布後匯入，不知道何時填報",
            en=f"{first.en} was taken over as published: when it was reported is not known",
        )
    elif unasked := len(stood) - len(due):
        found["reporting"] = Text(
            zh=f"{unasked} 個月沒有請單位填報", en=f"no report was asked for {unasked} of the months"
        )
    return found
