"""調卷分析: how long each step held a file (稽催 exp.hold).

Working days from receipt to completion, by the calendar of the unit. Co-review time is the consulted unit's; the time
between a request for correction and its answer is the applicant's and no officer's. The days before a paper was
registered are the counter's. A task that was taken back (收回) was held twice: until it was sent on, and again from
when it came back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, CaseEvent, CorrectionRequest, FileReview, Task
from webapp.moments import TAIPEI, taipei_day
from webapp.queries import definitions
from webapp.queries.org import calendar, chart
from workflows.functions import FUNCTION_LABELS

APPLICANT = Text(zh="申請人", en="Applicant")
CORRECTION = Text(zh="補正", en="Correction")
REGISTRATION = Text(zh="收件登錄", en="Registration")


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
    """The steps of each case in the order in which they were received: four statements, however many cases."""
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
    workflows: dict[int, tuple[int, int]] = {}
    for task, closed_at, workflow, service in db.session.execute(
        select(Task, Case.closed_at, Case.workflow_revision_id, Case.service_revision_id)
        .join(Case, Case.id == Task.case_id)
        .where(Task.case_id.in_(case_ids))
        .order_by(Task.id)
    ):
        tasks[task.case_id].append(task)
        ends[task.case_id], workflows[task.case_id] = closed_at, (workflow, service)
    sent, recalled = _recalls(case_ids)
    counter = _registrations(case_ids)
    return {
        case_id: sorted(
            [
                *counter.get(case_id, ()),
                *(
                    span
                    for task in found
                    for span in _rounds(
                        task,
                        _Life(found, waits[case_id], recalled[case_id], ends[case_id]),
                        sent[task.id],
                        workflows[case_id],
                        now,
                    )
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


def _recalls(
    case_ids: Sequence[int],
) -> tuple[dict[int, list[tuple[datetime, datetime]]], dict[int, list[datetime]]]:
    """For each task when it was sent on and taken back, and for each case when something was taken back."""
    before: dict[int, datetime] = {}
    sent: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    recalled: dict[int, list[datetime]] = defaultdict(list)
    for case_id, task_id, kind, at in db.session.execute(
        select(CaseEvent.case_id, CaseEvent.task_id, CaseEvent.kind, CaseEvent.at)
        .where(CaseEvent.case_id.in_(case_ids), CaseEvent.task_id.is_not(None))
        .order_by(CaseEvent.case_id, CaseEvent.seq)
    ):
        if kind == "recalled":
            sent[task_id].append((before.get(task_id, at), at))
            recalled[case_id].append(at)
        else:
            before[task_id] = at
    return sent, recalled


def _registrations(case_ids: Sequence[int]) -> dict[int, list[Span]]:
    """What lay at the counter between its receipt and its registration. A postmark is before the receipt."""
    found: dict[int, list[Span]] = {}
    tree = chart()
    for case in db.session.scalars(select(Case).where(Case.id.in_(case_ids), Case.channel != "web")):
        given = (case.intake or {}).get("received_on")
        received = date.fromisoformat(given) if given else case.filed_on
        registered = taipei_day(case.submitted_at)
        if received >= registered:
            continue
        clerk = (case.intake or {}).get("clerk")
        seats = [seat.unit_id for seat in tree.seats if seat.account_id == clerk and seat.held_on(registered)]
        unit_id = seats[0] if seats else case.owner_unit_id
        unit, begin = tree.units[unit_id], datetime.combine(received, time(), TAIPEI)
        days = _days(unit_id, begin, case.submitted_at)
        names = Text(zh=unit.zh, en=unit.en)
        span = Span(REGISTRATION, names, tree.names.get(clerk or 0, ""), begin, case.submitted_at, days)
        found[case.id] = [span]
    return found


@dataclass(frozen=True)
class _Life:
    """What else happened in the case of a task."""

    tasks: Sequence[Task]
    waits: Sequence[tuple[datetime, datetime | None]]
    recalled: Sequence[datetime]
    closed_at: datetime | None

    def taken_away(self, task: Task) -> datetime:
        """When a task that nobody finished went: the case moved on, or what opened it was taken back."""
        later = [t.opened_at for t in self.tasks if t.visit > task.visit]
        later += [begin for begin, _ in self.waits] + [*self.recalled]
        later += [self.closed_at] if self.closed_at else []
        return min((at for at in later if at >= task.opened_at), default=task.opened_at)


def _rounds(
    task: Task,
    life: _Life,
    sent: Sequence[tuple[datetime, datetime]],
    workflow: tuple[int, int],
    now: datetime,
) -> list[Span]:
    """Once, and once more for each time that it was sent on and taken back."""
    found, received = [], task.opened_at
    for until, back in sent:
        found.append(_span(task, life, received, until, workflow, now))
        received = back
    finished = life.taken_away(task) if task.state == "cancelled" else task.done_at
    return [*found, _span(task, life, received, finished, workflow, now)]


def _span(
    task: Task,
    life: _Life,
    received: datetime,
    finished: datetime | None,
    workflow: tuple[int, int],
    now: datetime,
) -> Span:
    unit, tree = chart().units[task.unit_id], chart()
    until = finished or now
    days = _days(task.unit_id, received, until)
    for begin, end in life.waits:
        first, last = max(begin, received), min(end or now, until)
        if first < last:
            days -= _days(task.unit_id, first, last)
    return Span(
        step=label(workflow, task.key, task.function),
        unit=Text(zh=unit.zh, en=unit.en),
        holder=tree.names.get(task.done_by_id or task.assignee_id or 0, ""),
        received=received,
        finished=finished,
        days=days,
    )


def _wait(begin: datetime, end: datetime | None, unit_id: int, now: datetime) -> Span:
    days = _days(unit_id, begin, end or now)
    return Span(CORRECTION, APPLICANT, "", begin, end, days, by_applicant=True)


def _days(unit_id: int, begin: datetime, end: datetime) -> int:
    first: date = taipei_day(begin)
    return calendar(unit_id).working_days_between(first, taipei_day(end))


def label(workflow: tuple[int, int], key: str, function: str) -> Text:
    """The name of a step, by the revisions of its workflow and its service."""
    states = definitions.worded(*workflow).states.values()
    found = next((t.label for state in states if (t := state.task(key)) is not None), None)
    return found or FUNCTION_LABELS.get(function, Text(zh=function))
