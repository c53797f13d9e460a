"""Services for tests of patterns: EC09, put on another workflow, owner, level or set of stages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from rules.values import Text
from tests import factory
from tests.journeys import NOW, account, citizen, officer, open_tasks, take
from tests.money import payment
from webapp.demo.samples import day, picture
from webapp.extensions import db
from webapp.models import AgendaItem, Booking, Case, Committee, Slot
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import bookings as appointments
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import (
    ballots,
    bookings,
    cases,
    committees,
    documents,
    invoices,
    payments,
    publishing,
    sittings,
)
from webapp.uow import unit_of_work

MEMBERS = ("weng.guoliang", "ou.yijun", "dong.weilun")
#: unit: the secretary of its committees, and who approves their minutes
BOARDS = {"EC": ("xie.wanru", "li.zhengnan"), "KM": ("su.wanting", "he.rongjie")}
#: the people of the demonstration county, by what they do in these journeys
AT_SOCIAL_AFFAIRS = {
    "owner": "SW",
    "handling_unit": {"zh": "社會處", "en": "Social Affairs Department"},
}
AT_LEGAL_AFFAIRS = {
    "owner": "AD",
    "handling_unit": {"zh": "行政處", "en": "General Administration Department"},
}


def publish(kind: str, key: str, body: Mapping[str, Any], on: date = NOW.date()) -> None:
    with unit_of_work():
        definitions.parse(kind, dict(body))
        revision = publishing.insert(SYSTEM, kind, key, body, NOW, origin="editor")
        publishing.publish(SYSTEM, revision, on, NOW)


def serve(workflow: str, *, stages: tuple[str, ...] = (), level: int = 3, **changes: Any) -> None:
    """EC09 runs by this workflow from now on."""
    body = factory.service("EC09")
    parameters = {**body.get("parameters", {}), "stages": list(stages), **changes.pop("parameters", {})}
    body |= {"workflow": workflow, "decision_level": level, "parameters": parameters, **changes}
    publish("service", "EC09", body)


def amended(workflow: str, amend: Any) -> None:
    """A workflow of the factory with a change of its own."""
    body = factory.workflow(workflow)
    amend(body)
    publish("workflow", workflow, body)


def record(case: Case, action: str, login: str, now: datetime = NOW, **answers: list[str]) -> None:
    """An action with the task's own form and one photograph."""
    task = open_tasks(case)[0]
    form = definitions.current_form(task.form_key or "", now.date())
    with unit_of_work():
        documents.upload(
            officer(login, now), cases.upload_key(task), form.field("photos"), "現場.png", picture(), now
        )
    take(case, action, login, now, raw=answers, comment="見紀錄。")


def visited(case: Case, action: str, login: str, result: str, now: datetime = NOW) -> None:
    record(
        case,
        action,
        login,
        now,
        **day("inspected_on", now.date()),
        use_matches=["yes"],
        findings=["現場與申請內容相符。"],
        result=[result],
        **({"improvements": ["請移除現場堆置的建材。"]} if result == "improve" else {}),
    )


def board(unit: str = "EC", code: str = "EC09") -> Committee:
    """A committee that takes cases of the service."""
    secretary = officer(BOARDS[unit][0])
    with unit_of_work():
        made = committees.create(
            secretary, chart().by_code[unit].id, Text(zh="審議會", en="Board"), [code], NOW
        )
        for login in MEMBERS:
            committees.appoint(secretary, made, account(login).id, date(2025, 1, 1), NOW)
    return made


def met(
    committee: Committee,
    case: Case,
    result: str,
    votes: tuple[str, ...],
    remark: str = "",
    now: datetime = NOW,
) -> None:
    """A session of its own for the case: the members vote, the minutes are approved, the case goes on."""
    secretary, head = BOARDS[chart().units[committee.unit_id].code]
    item = db.session.scalars(
        select(AgendaItem).where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None))
    ).one()
    starts = now + timedelta(hours=1)
    with unit_of_work():
        session = sittings.plan(
            officer(secretary, now), committee, starts, "第一會議室", [item.public_id], now
        )
        for login, vote in zip(MEMBERS, votes, strict=False):
            ballots.cast(officer(login, now), item.public_id, vote, now)
    with unit_of_work():
        committees.record(
            officer(secretary, now),
            session,
            {item.public_id: (result, remark)},
            starts,
            version=session.version,
        )
    with unit_of_work():
        committees.approve(officer(head, now), session, starts, version=session.version)


def desk(unit: str = "EC-APH", code: str = "EC09", login: str = "lin.yahan") -> None:
    """Two weeks of slots for one person each, at nine and at ten, that cases of the service may book."""
    first = taipei_day(NOW) + timedelta(days=1)
    days = bookings.Pattern(first, first + timedelta(days=14), frozenset(range(5)), time(9), time(11), 60, 1)
    with unit_of_work():
        made = bookings.create_resource(
            officer(login), chart().by_code[unit].id, Text(zh="諮詢台", en="Desk"), 1, [code]
        )
        bookings.create_slots(officer(login), made, days, NOW)


def slots(case: Case) -> list[Slot]:
    return list(appointments.choices(case, NOW))


def chosen(case: Case, slot: Slot) -> Booking:
    with unit_of_work():
        return bookings.choose(citizen(), case, slot.public_id, NOW)


def paid(case: Case, now: datetime = NOW) -> None:
    """The bank tells that the whole fee came in."""
    invoice = invoices.open_of(case.id)
    assert invoice is not None
    with unit_of_work():
        payments.record(SYSTEM, payment(invoice, invoice.total, now), now)
