"""What stands in the database of the open counter, for tests that walk through its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select


@dataclass(frozen=True)
class Record:
    """A case as it is stored."""

    id: int
    public_id: str
    status: str
    outcome: str | None
    state: str
    channel: str
    filed_on: date
    answers: dict[str, Any]
    submissions: int
    #: kinds of the events, oldest first
    history: list[str]
    broken_links: list[int]
    clock_state: str
    due_on: date
    #: (kind, day) of everything that moved the clock
    movements: list[tuple[str, date]]
    #: due days of the clocks of parallel tasks
    task_clocks: list[date]


@pytest.fixture
def record(office: Flask) -> Callable[[str], Record]:
    """Looks a case up by its number."""

    def look(number: str) -> Record:
        with office.app_context():
            return _record(number)

    return look


def _record(number: str) -> Record:
    from webapp.extensions import db
    from webapp.models import Case, CaseEvent, Clock, Submission
    from webapp.services import cases, clocks, events

    case = db.session.scalars(select(Case).where(Case.number == number)).one()
    clock = clocks.of_case(case.id)
    kinds = select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    sent = select(Submission).where(Submission.case_id == case.id, Submission.kind == "application")
    branches = select(Clock.due_on).where(Clock.case_id == case.id, Clock.task_id.is_not(None))
    return Record(
        id=case.id,
        public_id=case.public_id,
        status=case.status,
        outcome=case.outcome,
        state=case.state,
        channel=case.channel,
        filed_on=case.filed_on,
        answers=cases.answers_of(case),
        submissions=len(db.session.scalars(sent).all()),
        history=list(db.session.scalars(kinds)),
        broken_links=events.broken_links(case.id),
        clock_state=clock.state,
        due_on=clock.due_on,
        movements=[(movement.kind, movement.on_date) for movement in clock.movements],
        task_clocks=list(db.session.scalars(branches.order_by(Clock.id))),
    )
