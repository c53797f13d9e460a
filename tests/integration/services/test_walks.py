"""Cases of every pattern taken anywhere by chance, through the real services: what is offered works, and somebody is
always there to go on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from tests import officers, patterns
from tests.journeys import NOW, citizen, login_of, officer, open_tasks, submitted, take
from tests.patterns import AT_LEGAL_AFFAIRS, AT_SOCIAL_AFFAIRS, serve
from webapp.demo.samples import day
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.jobs.sweeps import run_payments
from webapp.models import AgendaItem, Case, Committee, Task
from webapp.moments import taipei_day
from webapp.queries import bookings as appointments
from webapp.queries.org import chart
from webapp.services import cases, events, invoices, steps
from webapp.services.cases import Offer
from webapp.uow import unit_of_work
from workflows.engine import WorkflowError

pytestmark = pytest.mark.usefixtures("committed")

FEES = [{"key": "certificate", "label": {"zh": "證照費", "en": "Certificate"}, "amount": "200"}]
#: pattern: what the service says besides it
SERVED = {
    "counter_issue": {"stages": ("pickup",)},
    "single_review": {"stages": ("fee", "booking"), "fees": FEES},
    "multi_level_approval": {"level": 1},
    "parallel_co_review": {"parameters": {"co_review_units": ["PO", "EP"]}},
    "on_site_inspection": {
        "level": 2,
        "handling_unit": {"zh": "建設處農林科", "en": "Agriculture and Forestry Section"},
    },
    "committee_review": {},
    "fee_then_issue": {"fees": FEES},
    "appointment": {"level": 4},
    "notification": AT_SOCIAL_AFFAIRS,
    "petition": {
        "stages": ("dispatch",),
        "handling_unit": {"zh": "建設處農林科", "en": "Agriculture Section"},
    },
    "remedy": {"stages": ("agency_reply", "court"), "level": 2, **AT_LEGAL_AFFAIRS},
    "township_then_county": {"level": 2, **AT_SOCIAL_AFFAIRS},
}
STEPS = 14


@pytest.mark.parametrize("seed", [1, *(pytest.param(more, marks=pytest.mark.full) for more in range(2, 12))])
@pytest.mark.parametrize("pattern", SERVED)
def test_a_case_by_chance_is_never_stuck(app: Flask, pattern: str, seed: int) -> None:
    chance = random.Random(f"{pattern}{seed}")
    with app.app_context():
        serve(pattern, **SERVED[pattern])
        patterns.desk()
        board = patterns.board("KM" if pattern == "remedy" else "EC")
        case, now = submitted("EC09"), NOW
        for _ in range(STEPS):
            db.session.refresh(case)
            if case.status == "closed":
                break
            assert somebody_can_go_on(case, now), (case.state, [t.function for t in open_tasks(case)])
            now = later(case, now)
            move = chance.choice(list(moves(case, board, chance, now)))
            try:
                move()
            except (Refused, Conflict, WorkflowError):
                db.session.rollback()
        db.session.refresh(case)
        assert case.status == "open" or open_tasks(case) == []
        assert events.broken_links(case.id) == []


def somebody_can_go_on(case: Case, now: datetime) -> bool:
    ctx = steps.context(case)
    if ctx.workflow.state(case.state).kind == "correction":
        return True
    found = [offer for task in open_tasks(case) for _who, offer in offers(case, task, now)]
    return bool(found)


def offers(case: Case, task: Task, now: datetime) -> Iterator[tuple[str, Offer]]:
    """By whoever holds the task or could take it."""
    _unit, seats = chart().holders(task.unit_id, task.function, taipei_day(now))
    people = {task.assignee_id} if task.assignee_id is not None else {seat.account_id for seat in seats}
    for login in sorted(login_of(person or 0) for person in people):
        for offer in cases.offers(officer(login, now), steps.context(case), now):
            if offer.task is not None and offer.task.id == task.id:
                yield login, offer


def later(case: Case, now: datetime) -> datetime:
    """Whoever waits for an appointment waits until it is over."""
    booking = appointments.current(case.id)
    return max(now, booking.slot.ends_at) if booking is not None and case.state == "attend" else now


def moves(case: Case, board: Committee, chance: random.Random, now: datetime) -> Iterator[Callable[[], None]]:
    state = steps.context(case).workflow.state(case.state)
    if state.kind == "correction":
        yield lambda: officers.corrected(case, now)
        return
    for task in open_tasks(case):
        for login, offer in offers(case, task, now):
            closes = offer.transition.to and steps.context(case).workflow.state(offer.transition.to)
            if closes and closes.kind == "closed" and chance.random() < 0.6:
                continue
            yield lambda login=login, offer=offer: act(case, login, offer, now)  # type: ignore[misc]
    if state.transition("withdraw") and chance.random() < 0.05:
        yield lambda: withdraw(case, now)
    if invoices.open_of(case.id) is not None:
        yield lambda: patterns.paid(case, now)
        yield lambda: (run_payments(now.replace(year=now.year + 1)), None)[1]
    waiting = select(AgendaItem).where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None))
    if db.session.scalars(waiting).first() is not None:
        result, votes = chance.choice(
            [("pass", ("yes", "yes")), ("reject", ("no", "no")), ("defer", ("yes", "no"))]
        )
        yield lambda: patterns.met(board, case, result, votes, "見會議紀錄。", now)
    if appointments.current(case.id) is None and (free := appointments.free(case, now)):
        yield lambda: (patterns.chosen(case, free[0]), None)[1]
    yield lambda: None


def act(case: Case, login: str, offer: Offer, now: datetime) -> None:
    name, needs = offer.transition.name, offer.transition.requires
    given = {"comment": "說明見卷內。", "fields": ("pet_name",) if "fields" in needs else ()}
    if "date" in needs:
        free = appointments.free(case, now)
        given["on_date"] = taipei_day(free[0].starts_at if free else now)
    if "form" not in needs or offer.task_form is None:
        take(case, name, login, now, **given)
    elif offer.task_form.key == "inspection_record":
        patterns.visited(case, name, login, "pass" if name.startswith("pass") else "improve", now)
    elif offer.task_form.key == "dispatch_record":
        patterns.record(case, name, login, now, **day("arrived_on", taipei_day(now)), work=["已到場處理。"])
    else:
        take(case, name, login, now, raw={"opinion": ["agree"]}, **given)


def withdraw(case: Case, now: datetime) -> None:
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", now, version=case.version)
