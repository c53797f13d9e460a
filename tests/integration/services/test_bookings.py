"""Appointments of cases: nobody is booked twice, nothing is overbooked, and the queue moves by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, time, timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError

from rules.values import Text
from tests import fixture_services
from tests.journeys import NOW, account, citizen, officer, open_tasks, submitted, take
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.jobs.sweeps import remind_of_bookings
from webapp.models import Booking, Case, CaseEvent, Effect, Message, Resource, Slot
from webapp.moments import taipei
from webapp.queries import bookings as queries
from webapp.queries.org import chart
from webapp.services import attendance, bookings, cases, competence, events, resources, steps
from webapp.uow import unit_of_work

#: the Monday is a holiday (教師節 made up), so the week has four working days
FRIDAY, THURSDAY = date(2025, 9, 26), date(2025, 10, 2)
MANAGERS = {"EC91": "lin.yahan", "PW91": "yang.zhihao"}
WEEK = bookings.Pattern(FRIDAY, THURSDAY, frozenset(range(5)), time(9), time(11), 60, 2)


@pytest.fixture(autouse=True)
def _services(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.app_context():
        fixture_services.publish("booking", monkeypatch)


def desk(code: str = "EC91", capacity: int = 2, pattern: bookings.Pattern = WEEK, **options: int) -> str:
    """A resource with slots on Friday, Tuesday, Wednesday and Thursday; its public id."""
    unit = chart().by_name[fixture_services.UNITS[code][1]]
    with unit_of_work():
        made = bookings.create_resource(
            officer(MANAGERS[code]), unit.id, Text(zh="諮詢室", en="Room"), capacity, [code], **options
        )
        bookings.create_slots(officer(MANAGERS[code]), made, pattern, NOW)
    return made.public_id


def slots(case: Case) -> list[Slot]:
    return list(queries.choices(case, NOW))


def choose(case: Case, slot: Slot, **options: object) -> Booking:
    with unit_of_work():
        return bookings.choose(citizen(), case, slot.public_id, NOW, **options)  # type: ignore[arg-type]


def state_of(case: Case) -> tuple[str, int | None]:
    db.session.expire_all()
    booking = queries.newest(case.id)
    assert booking is not None
    return booking.state, booking.position


def notices() -> list[str]:
    rows = db.session.scalars(select(Effect).where(Effect.kind == "notice").order_by(Effect.id))
    return [row.payload["template"] for row in rows if row.payload["template"].startswith("slot_")]


def test_slots_follow_the_weekdays_and_skip_days_off(app: Flask) -> None:
    with app.app_context():
        desk()
        case = submitted("EC91")
        days = [taipei(slot.starts_at) for slot in slots(case)]
        assert {day.date() for day in days} == {FRIDAY, date(2025, 9, 30), date(2025, 10, 1), THURSDAY}
        assert [(day.hour, day.minute) for day in days[:2]] == [(9, 0), (10, 0)]
        assert len(days) == 8


def test_slots_of_one_resource_never_overlap(app: Flask) -> None:
    with app.app_context():
        key = desk()
        room = db.session.scalars(select(Resource).where(Resource.public_id == key)).one()
        shifted = bookings.Pattern(FRIDAY, FRIDAY, frozenset({4}), time(9, 30), time(13), 60, 2)
        with unit_of_work():
            assert bookings.create_slots(officer("lin.yahan"), room, shifted, NOW) == (1, 2)
        slot = db.session.scalars(select(Slot).where(Slot.resource_id == room.id).order_by(Slot.id)).first()
        assert slot is not None
        half = timedelta(minutes=30)
        with pytest.raises(IntegrityError, match="slot_no_overlap"), unit_of_work():
            db.session.add(
                Slot(
                    resource_id=room.id,
                    starts_at=slot.starts_at + half,
                    ends_at=slot.ends_at + half,
                    capacity=1,
                )
            )
            db.session.flush()


@pytest.mark.parametrize(
    "changed",
    [
        {"weekdays": frozenset({5, 6})},
        {"minutes": 0},
        {"closes": time(8)},
        {"last": date(2025, 9, 1)},
        {"last": date(2027, 10, 2)},
        {"minutes": 1, "last": date(2025, 12, 31)},
        {"capacity": 0},
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused(app: Flask, changed: dict) -> None:
    with app.app_context(), pytest.raises(Refused):
        desk(pattern=bookings.Pattern(**{**WEEK.__dict__, **changed}))


def test_another_unit_manages_nothing_here(app: Flask) -> None:
    with app.app_context():
        key = desk()
        stranger = officer("yang.zhihao")
        assert queries.resource(stranger, key) is None
        room = db.session.scalars(select(Resource).where(Resource.public_id == key)).one()
        with pytest.raises(Forbidden):
            bookings.create_slots(stranger, room, WEEK, NOW)
        with pytest.raises(NotFound):
            bookings.close_slot(stranger, slots(submitted("EC91"))[0].public_id, NOW)


@pytest.mark.parametrize("code", ["EC91", "PW91"])
def test_from_choosing_to_attending(app: Flask, code: str) -> None:
    with app.app_context():
        desk(code)
        manager = MANAGERS[code]
        case = submitted(code)
        slot = slots(case)[0]
        choose(case, slot)
        assert state_of(case) == ("held", None)
        with unit_of_work():
            task = open_tasks(case)[0]
            task.assignee_id = account(manager).id
        take(case, "confirm", manager)
        assert state_of(case) == ("confirmed", None)
        assert remind_of_bookings(slot.starts_at - timedelta(hours=25)) == 0
        assert remind_of_bookings(slot.starts_at - timedelta(hours=23)) == 1
        assert remind_of_bookings(slot.starts_at - timedelta(hours=1)) == 0, "once"
        booking = queries.current(case.id)
        assert booking is not None
        with pytest.raises(Refused, match="還沒有開始"), unit_of_work():
            attendance.mark(officer(manager), booking.public_id, "attended", NOW)
        with unit_of_work():
            attendance.mark(officer(manager), booking.public_id, "no_show", slot.starts_at)
        with unit_of_work():
            attendance.mark(officer(manager), booking.public_id, "attended", slot.ends_at)
        assert state_of(case) == ("attended", None)
        take(case, "close", manager)
        assert db.session.get_one(Case, case.id).outcome == "granted"
        assert notices() == ["slot_held", "slot_confirmed", "slot_reminder"]
        assert events.broken_links(case.id) == []
        kinds = db.session.scalars(
            select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
        )
        assert [kind for kind in kinds if kind.startswith("slot_")] == [
            "slot_held",
            "slot_confirmed",
            "slot_no_show",
            "slot_attended",
        ]


def test_the_queue_moves_up_by_itself_and_in_order(app: Flask) -> None:
    with app.app_context():
        desk(cancel_hours=2)
        first, second, third, fourth = (submitted("EC91") for _ in range(4))
        slot = slots(first)[0]
        choose(first, slot, seats=1)
        choose(second, slot, seats=1)
        with pytest.raises(Conflict, match="額滿"):
            choose(third, slot)
        choose(third, slot, seats=2, may_wait=True)
        choose(fourth, slot, seats=1, may_wait=True)
        assert [state_of(case) for case in (third, fourth)] == [("waiting", 1), ("waiting", 2)]
        with unit_of_work():
            bookings.cancel(citizen(), first, NOW)
        assert state_of(third)[0] == state_of(fourth)[0] == "waiting", (
            "nobody is overtaken by a smaller party"
        )
        with unit_of_work():
            bookings.cancel(citizen(), second, NOW)
        assert (state_of(third)[0], state_of(fourth)[0]) == ("held", "waiting")
        with unit_of_work():
            cases.take_as_citizen(citizen(), third, "withdraw", NOW, version=third.version)
        assert (state_of(third)[0], state_of(fourth)[0]) == ("cancelled", "held")
        for key in db.session.scalars(
            select(Effect.id).where(Effect.kind == "notice").order_by(Effect.id)
        ).all():
            perform_effect(key)
        told = db.session.scalars(select(Message.subject).where(Message.case_id == fourth.id)).all()
        assert [said.split("：")[0] for said in told] == ["已收到您的申請", "已登記候補", "候補成功"]


def test_after_the_limit_it_is_not_cancelled_online(app: Flask) -> None:
    with app.app_context():
        desk(cancel_hours=24)
        case = submitted("EC91")
        slot = slots(case)[0]
        choose(case, slot)
        with pytest.raises(Refused, match="線上取消的期限"), unit_of_work():
            bookings.cancel(citizen(), case, slot.starts_at - timedelta(hours=23))
        with unit_of_work():
            bookings.cancel(citizen(), case, slot.starts_at - timedelta(hours=24))
        assert state_of(case)[0] == "cancelled"
        with pytest.raises(Refused, match="沒有預約"), unit_of_work():
            bookings.cancel(citizen(), case, NOW)


def test_what_may_not_be_chosen(app: Flask) -> None:
    with app.app_context():
        desk("EC91")
        desk("PW91")
        mine, theirs = submitted("EC91"), submitted("PW91")
        slot = slots(mine)[0]
        with pytest.raises(NotFound):
            choose(mine, slots(theirs)[0])
        with pytest.raises(Refused, match="名額"):
            choose(mine, slot, seats=3)
        with pytest.raises(Refused, match="已經開始"), unit_of_work():
            bookings.choose(citizen(), mine, slot.public_id, slot.starts_at)
        choose(mine, slot)
        with pytest.raises(Conflict, match="已經有預約"):
            choose(mine, slots(mine)[1])


def test_the_officer_arranges_the_first_free_slot_of_a_day(app: Flask) -> None:
    with app.app_context():
        desk()
        case = submitted("EC91")
        with pytest.raises(Refused, match="沒有預約"):
            take(case, "confirm")
        with pytest.raises(Refused, match="沒有空的時段"):
            take(case, "hold", on_date=date(2025, 9, 29))
        take(case, "hold", on_date=THURSDAY)
        booking = queries.current(case.id)
        assert booking is not None and taipei(booking.slot.starts_at).date() == THURSDAY
        take(case, "decline", comment="資料不符")
        assert state_of(case)[0] == "cancelled"


def test_a_closed_case_keeps_no_slot(app: Flask) -> None:
    """Also one that ends outside of its workflow."""
    with app.app_context():
        desk()
        case = submitted("EC91")
        choose(case, slots(case)[0])
        clerk = officer("lin.yahan")
        with unit_of_work():
            competence.transfer_out(clerk, steps.context(case), "農業部", "非本府權責。", NOW, None)
        assert state_of(case)[0] == "cancelled"


RACERS, SEATS = 50, 7


def test_fifty_at_once_get_exactly_the_seats_that_there_are(app: Flask) -> None:
    with app.app_context():
        desk(
            capacity=SEATS,
            pattern=bookings.Pattern(FRIDAY, FRIDAY, frozenset({4}), time(9), time(10), 60, SEATS),
        )
        keys = [submitted("EC91").id for _ in range(RACERS)]
        slot = slots(db.session.get_one(Case, keys[0]))[0].public_id
    start = Barrier(RACERS)

    def race(key: int) -> str:
        with app.app_context():
            start.wait()
            try:
                with unit_of_work():
                    bookings.choose(citizen(), db.session.get_one(Case, key), slot, NOW)
                return "booked"
            except Conflict:
                return "full"

    with ThreadPoolExecutor(RACERS) as pool:
        results = list(pool.map(race, keys))
    assert (results.count("booked"), results.count("full")) == (SEATS, RACERS - SEATS)
    with app.app_context():
        taken = select(Slot.taken).where(Slot.public_id == slot)
        assert db.session.scalars(taken).one() == SEATS


def test_the_database_refuses_what_the_service_would_not_ask(app: Flask) -> None:
    """Straight into the table, as a faulty program would: one seat too many, and a second booking of a case."""
    with app.app_context():
        desk()
        cases_made = [submitted("EC91") for _ in range(3)]
        first, second = slots(cases_made[0])[:2]

        def put(case: Case, slot: Slot) -> None:
            with unit_of_work():
                db.session.add(
                    Booking(slot_id=slot.id, case_id=case.id, state="held", created_at=NOW, changed_at=NOW)
                )

        put(cases_made[0], first)
        put(cases_made[1], first)
        with pytest.raises(IntegrityError, match="ck_slot_not_overbooked"):
            put(cases_made[2], first)
        with pytest.raises(IntegrityError, match="uq_booking_active"):
            put(cases_made[0], second)
        with pytest.raises(IntegrityError, match="ck_slot_not_overbooked"), unit_of_work():
            db.session.get_one(Slot, first.id).capacity = 1


def test_one_applicant_at_two_browsers_gets_one_slot(app: Flask) -> None:
    with app.app_context():
        desk()
        case = submitted("EC91")
        key, wanted = case.id, [slot.public_id for slot in slots(case)[:2]]
    start = Barrier(2)

    def click(slot: str) -> str:
        with app.app_context():
            found = db.session.get_one(Case, key)
            start.wait()
            try:
                with unit_of_work():
                    bookings.choose(citizen(), found, slot, NOW)
                return "booked"
            except Conflict:
                return "refused"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(click, wanted)) == ["booked", "refused"]


def test_closing_tells_everybody_and_moves_nobody_up(app: Flask) -> None:
    with app.app_context():
        key = desk(capacity=1, pattern=replace(WEEK, capacity=1))
        first, second, third = (submitted("EC91") for _ in range(3))
        slot = slots(first)[0]
        for case in (first, second, third):
            choose(case, slot, may_wait=True)
        room = db.session.scalars(select(Resource).where(Resource.public_id == key)).one()
        seen = [each.booking.public_id for each in queries.to_come(room, NOW)]
        with pytest.raises(Conflict, match="名單"), unit_of_work():
            resources.close(officer("lin.yahan"), room, "整修", seen[:2], NOW, version=room.version)
        with pytest.raises(Refused, match="原因"), unit_of_work():
            resources.close(officer("lin.yahan"), room, " ", seen, NOW, version=room.version)
        with pytest.raises(Forbidden), unit_of_work():
            resources.close(officer("dong.weilun"), room, "整修", seen, NOW, version=room.version)
        with unit_of_work():
            assert resources.close(officer("lin.yahan"), room, "整修", seen, NOW, version=room.version) == 3
        assert [state_of(case) for case in (first, second, third)] == [("cancelled", None)] * 3
        assert notices()[3:] == ["slot_withdrawn"] * 3
        assert list(slots(first)) == []
        with pytest.raises(OperationalError, match="closed_resource_takes_no_booking"), unit_of_work():
            db.session.add(
                Booking(slot_id=slot.id, case_id=first.id, state="held", created_at=NOW, changed_at=NOW)
            )
            db.session.flush()
        with pytest.raises(Refused, match="已關閉"), unit_of_work():
            bookings.create_slots(officer("lin.yahan"), room, WEEK, NOW)


def test_who_books_while_it_is_closed_is_told_or_too_late(app: Flask) -> None:
    """Both at once, again and again: nobody keeps a booking in a closed resource without having been told."""
    with app.app_context():
        key = desk(capacity=2)
        booked, coming = submitted("EC91"), submitted("EC91")
        slot = slots(booked)[0]
        choose(booked, slot)
        ids = (coming.id, slot.public_id)
    together = Barrier(2)

    def book() -> str:
        with app.app_context():
            case = db.session.get_one(Case, ids[0])
            together.wait()
            try:
                with unit_of_work():
                    bookings.choose(citizen(), case, ids[1], NOW)
            except (OperationalError, NotFound):
                return "too late"
            return "booked"

    def close() -> str:
        with app.app_context():
            room = db.session.scalars(select(Resource).where(Resource.public_id == key)).one()
            seen = [each.booking.public_id for each in queries.to_come(room, NOW)]
            together.wait()
            try:
                with unit_of_work():
                    resources.close(officer("lin.yahan"), room, "整修", seen, NOW, version=room.version)
            except Conflict:
                return "open"
            return "closed"

    with ThreadPoolExecutor(2) as pool:
        ends = {pool.submit(book), pool.submit(close)}
        assert {each.result(timeout=60) for each in ends} in ({"too late", "closed"}, {"booked", "open"})
