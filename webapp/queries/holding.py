"""調卷分析: how long each step held a file (稽催 exp.hold).

Working days from receipt to completion, by the calendar of the unit. Co-review time is the consulted unit's; the time
between a request for correction and its answer is the applicant's and no officer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, CorrectionRequest, FileReview, Task
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries.org import calendar, chart
from workflows.functions import FUNCTION_LABELS

APPLICANT = Text(zh="申請人", en="Applicant")
CORRECTION = Text(zh="補正", en="Correction")


@dataclass(frozen=True)
class Span:
    """One step of a case and who held it."""

    step: Text
    #: the unit that held it; the applicant while a correction was awaited
    unit: Text
    holder: str
    received: datetime
    #: none while it is held still
    finished: datetime | None
    days: int
    by_applicant: bool = False


@dataclass(frozen=True)
class Opinion:
    text: str
    by: str
    acted_for: str
    at: datetime


def of_case(case: Case, now: datetime) -> list[Span]:
    return of_cases([case.id], now).get(case.id, [])


def of_cases(case_ids: Sequence[int], now: datetime) -> dict[int, list[Span]]:
    """The steps of each case in the order in which they were received: two statements, however many cases."""
    if not case_ids:
        return {}
    waits: dict[int, list[tuple[datetime, datetime | None]]] = defaultdict(list)
    for case_id, begin, end in db.session.execute(
        select(CorrectionRequest.case_id, CorrectionRequest.requested_at, CorrectionRequest.closed_at)
        .where(CorrectionRequest.case_id.in_(case_ids))
        .order_by(CorrectionRequest.id)
    ):
        waits[case_id].append((begin, end))
    tasks: dict[int, list[Task]] = defaultdict(list)
    ends: dict[int, datetime | None] = {}
    workflows: dict[int, int] = {}
    for task, closed_at, workflow in db.session.execute(
        select(Task, Case.closed_at, Case.workflow_revision_id)
        .join(Case, Case.id == Task.case_id)
        .where(Task.case_id.in_(case_ids))
        .order_by(Task.id)
    ):
        tasks[task.case_id].append(task)
        ends[task.case_id], workflows[task.case_id] = closed_at, workflow
    return {
        case_id: sorted(
            [
                *(
                    _task(task, found, waits[case_id], ends[case_id], workflows[case_id], now)
                    for task in found
                ),
                *(_wait(begin, end, found[0].unit_id, now) for begin, end in waits[case_id]),
            ],
            key=lambda span: span.received,
        )
        for case_id, found in tasks.items()
    }


def longest(case_ids: Sequence[int], now: datetime) -> dict[int, Span]:
    """For each case the step of an office that held it longest."""
    return {
        case_id: max(own, key=lambda span: span.days)
        for case_id, spans in of_cases(case_ids, now).items()
        if (own := [span for span in spans if not span.by_applicant])
    }


def by_unit(spans: Sequence[Span]) -> list[tuple[Text, int]]:
    """Working days of each unit, the most first; the applicant like a unit."""
    total: dict[Text, int] = defaultdict(int)
    for span in spans:
        total[span.unit] += span.days
    return sorted(total.items(), key=lambda entry: -entry[1])


def opinions(case_id: int) -> list[Opinion]:
    names = chart().names
    rows = db.session.scalars(
        select(FileReview).where(FileReview.case_id == case_id).order_by(FileReview.id.desc())
    )
    return [
        Opinion(row.opinion, names.get(row.written_by_id, ""), names.get(row.acting_for_id or 0, ""), row.at)
        for row in rows
    ]


def _task(
    task: Task,
    siblings: Sequence[Task],
    waits: Sequence[tuple[datetime, datetime | None]],
    closed_at: datetime | None,
    workflow: int,
    now: datetime,
) -> Span:
    finished = task.done_at
    if task.state == "cancelled":
        # nobody finished it: it was taken away when the case moved on
        later = [t.opened_at for t in siblings if t.visit > task.visit]
        later += [begin for begin, _ in waits if begin >= task.opened_at]
        finished = min([*later, *([closed_at] if closed_at else [])], default=task.opened_at)
    unit, tree = chart().units[task.unit_id], chart()
    until = finished or now
    days = _days(task.unit_id, task.opened_at, until)
    for begin, end in waits:
        first, last = max(begin, task.opened_at), min(end or now, until)
        if first < last:
            days -= _days(task.unit_id, first, last)
    return Span(
        step=_label(workflow, task),
        unit=Text(zh=unit.zh, en=unit.en),
        holder=tree.names.get(task.done_by_id or task.assignee_id or 0, ""),
        received=task.opened_at,
        finished=finished,
        days=days,
    )


def _wait(begin: datetime, end: datetime | None, unit_id: int, now: datetime) -> Span:
    days = _days(unit_id, begin, end or now)
    return Span(CORRECTION, APPLICANT, "", begin, end, days, by_applicant=True)


def _days(unit_id: int, begin: datetime, end: datetime) -> int:
    first: date = taipei_day(begin)
    return calendar(unit_id).working_days_between(first, taipei_day(end))


def _label(workflow: int, task: Task) -> Text:
    states = definitions.workflow(workflow).states.values()
    found = next((t.label for state in states if (t := state.task(task.key)) is not None), None)
    return found or FUNCTION_LABELS.get(task.function, Text(zh=task.function))
