"""Takes a case of any service to its grant, through the real services, by whoever the county gives its tasks to."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from tests import filling
from tests.journeys import open_tasks
from tests.money import payment
from webapp.demo.samples import picture
from webapp.extensions import db
from webapp.models import Account, AgendaItem, Case, Committee
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, staff_actor
from webapp.queries import bookings as appointments
from webapp.queries import committees as boards
from webapp.queries.org import chart
from webapp.services import (
    ballots,
    bookings,
    cases,
    committees,
    documents,
    hearings,
    invoices,
    payments,
    sittings,
    steps,
)
from webapp.services.cases import Offer
from webapp.services.hearings import Hearing
from webapp.services.steps import Context, Given
from webapp.uow import unit_of_work
from workflows.model import WorkflowDefinition
from workflows.service import ServiceDefinition

MOST_STEPS = 30
VOTES = 3


def grant(case: Case, applicant: Actor, now: datetime) -> datetime:
    """Until the case is closed. Returns when that was."""
    ctx = steps.context(case)
    away = distances(ctx.workflow)
    been: Counter[str] = Counter([case.state])
    for _step in range(MOST_STEPS):
        if case.status == "closed":
            return now
        now = _after_the_appointment(case, now)
        before = case.state
        if invoices.open_of(case.id) is not None:
            _pay(case, now)
        elif (item := _on_agenda(case)) is not None:
            now = _meet(item, now)
        else:
            if before != "attend" and appointments.current(case.id) is None:
                _book(case, applicant, now)
            _act(steps.context(case), away, been, now)
        db.session.refresh(case)
        been[case.state] += 1
    raise AssertionError(
        f"still in {case.state} after {dict(been)}: {[t.function for t in open_tasks(case)]}"
    )


def distances(workflow: WorkflowDefinition) -> dict[str, int]:
    """How many actions each state is away from a grant."""
    into: dict[str, set[str]] = {}
    for key, state in workflow.states.items():
        targets = [t.to for t in state.transitions.values()] + [joined.to for joined in state.joined]
        for target in targets:
            if target is not None and state.kind != "correction":
                into.setdefault(target, set()).add(key)
    granted = [key for key, state in workflow.states.items() if state.outcome == "granted"]
    away = dict.fromkeys(granted, 0)
    queue = deque(granted)
    while queue:
        target = queue.popleft()
        for key in into.get(target, set()) - away.keys():
            away[key] = away[target] + 1
            queue.append(key)
    return away


def _act(ctx: Context, away: dict[str, int], been: Counter[str], now: datetime) -> None:
    """The action that leads the shortest way on, first to where the case has not been yet."""

    def price(found: tuple[Actor, Offer]) -> tuple[bool, int, int, bool]:
        way = found[1].transition
        there = way.to or ctx.case.state
        return (
            way.style == "warning",
            been[there] if way.to else 0,
            away.get(there, 99),
            way.style != "primary",
        )

    choices = [found for found in _offers(ctx, now) if _leads_on(ctx, found[1])]
    assert choices, f"nobody can go on in {ctx.case.state}: {[t.function for t in open_tasks(ctx.case)]}"
    actor, offer = min(choices, key=price)
    given = _given(ctx, actor, offer, now)
    assert offer.task is not None
    with unit_of_work():
        cases.take_transition(
            actor,
            ctx.case,
            offer.transition.name,
            now,
            version=ctx.case.version,
            task_id=offer.task.id,
            given=given,
        )


def _leads_on(ctx: Context, offer: Offer) -> bool:
    way = offer.transition
    if way.to is None or way.name == "arrange_slot":
        return True
    return way.to != ctx.case.state and ctx.workflow.state(way.to).kind != "correction"


def _offers(ctx: Context, now: datetime) -> Iterator[tuple[Actor, Offer]]:
    """By whoever holds a task of the case, or could take it."""
    for task in open_tasks(ctx.case):
        _unit, seats = chart().holders(task.unit_id, task.function, taipei_day(now))
        people = {task.assignee_id} if task.assignee_id is not None else {seat.account_id for seat in seats}
        for person in sorted(people):
            actor = _staff(person, now)
            for offer in cases.offers(actor, ctx, now):
                if offer.task is not None and offer.task.id == task.id:
                    yield actor, offer


def _given(ctx: Context, actor: Actor, offer: Offer, now: datetime) -> Given:
    given: dict[str, Any] = {"comment": "說明見卷內。", "amounts": _amounts(ctx.service)}
    if offer.transition.proposes and ctx.service.letters["grant"].needs_conditions is not None:
        given["conditions"] = "一、金城段 12 地號：住宅區。"
    if "date" in offer.transition.requires:
        free = appointments.free(ctx.case, now)
        given["on_date"] = taipei_day(free[0].starts_at if free else now)
    if "form" in offer.transition.requires and offer.task_form is not None and offer.task is not None:
        files = {field.key for field in offer.task_form.file_fields}
        raw = filling.valid(offer.task_form.fields, taipei_day(now))
        given["raw"] = {name: texts for name, texts in raw.items() if name not in files}
        with unit_of_work():
            for field in offer.task_form.file_fields:
                documents.upload(actor, cases.upload_key(offer.task), field, "現場.png", picture(), now)
    return Given(**given)


def _amounts(service: ServiceDefinition) -> dict[str, Decimal]:
    """What an officer has to fix."""
    open_fees = [fee.key for fee in service.fees if fee.amount is None]
    return {key: Decimal(100) for key in [*open_fees, *(award.key for award in service.awards)]}


def _pay(case: Case, now: datetime) -> None:
    invoice = invoices.open_of(case.id)
    assert invoice is not None
    with unit_of_work():
        payments.record(SYSTEM, payment(invoice, invoice.total, now), now)


def _book(case: Case, applicant: Actor, now: datetime) -> None:
    """The applicant takes the first free slot, where the service has any."""
    free = appointments.free(case, now)
    if free:
        with unit_of_work():
            bookings.choose(applicant, case, free[0].public_id, now)


def _after_the_appointment(case: Case, now: datetime) -> datetime:
    booking = appointments.current(case.id)
    return max(now, booking.slot.ends_at) if booking is not None and case.state == "attend" else now


def _on_agenda(case: Case) -> AgendaItem | None:
    waiting = select(AgendaItem).where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None))
    return db.session.scalars(waiting).first()


def _meet(item: AgendaItem, now: datetime) -> datetime:
    """A session for the one case: the members vote, the secretary records, the head approves."""
    committee = db.session.get_one(Committee, item.committee_id)
    secretary = _holder(committee.unit_id, now, "committee_secretary")
    starts = now + timedelta(hours=1)
    with unit_of_work():
        session = sittings.plan(secretary, committee, starts, "第一會議室", [item.public_id], now)
        members = list(boards.members(committee, taipei_day(starts)).values())[:VOTES]
        for member in members if committee.mode != "consent" else ():
            if member.account_id is None:
                ballots.cast_for(secretary, item.public_id, member.id, "yes", now)
            else:
                ballots.cast(_staff(member.account_id, now), item.public_id, "yes", now)
    with unit_of_work():
        committees.record(
            secretary,
            session,
            {item.public_id: ("pass", "說明見卷內。")},
            starts,
            version=session.version,
            heard=_heard(item, committee, {member.id for member in members}),
        )
    with unit_of_work():
        head = _holder(committee.unit_id, now, "department_head", "secretary_general")
        committees.approve(head, session, starts, version=session.version)
    return starts


def _heard(item: AgendaItem, committee: Committee, members: set[int]) -> dict[str, Hearing] | None:
    """Everybody came, where the parties decide."""
    if committee.mode != "consent":
        return None
    parties = hearings.heard(db.session.get_one(Case, item.case_id))
    came = frozenset(person.key for person in parties)
    return {item.public_id: Hearing(came=came, members=frozenset(members))}


def _holder(unit_id: int, now: datetime, *functions: str) -> Actor:
    """Of the first function that somebody holds."""
    found = (chart().holders(unit_id, function, taipei_day(now))[1] for function in functions)
    return _staff(next(seats[0].account_id for seats in found if seats), now)


def _staff(account_id: int | None, now: datetime) -> Actor:
    person = db.session.get_one(Account, account_id)
    return staff_actor(person.id, person.name, now)
