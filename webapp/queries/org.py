"""The org chart as one immutable picture, and the functions that a person holds on a day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Absence, Account, CalendarOverride, Case, Holder, Position, Task, Unit
from webapp.queries.generations import cached
from workflows.calendar import WorkingCalendar


@dataclass(frozen=True)
class UnitInfo:
    id: int
    code: str
    zh: str
    en: str
    kind: str
    parent_id: int | None
    letter_word: str
    phone: str
    address: str

    def name(self, lang: str) -> str:
        return self.en if lang == "en" else self.zh


@dataclass(frozen=True)
class Seat:
    """One person in one position for some days."""

    account_id: int
    unit_id: int
    function: str
    title_zh: str
    title_en: str
    townships: frozenset[str]
    starts_on: date
    ends_on: date | None

    def held_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@dataclass(frozen=True)
class Leave:
    account_id: int
    deputy_id: int | None
    starts_on: date
    ends_on: date

    def covers(self, day: date) -> bool:
        return self.starts_on <= day <= self.ends_on


@dataclass(frozen=True)
class Mandate:
    """A function that a person may act in on a day, in their own right or for somebody absent."""

    function: str
    unit_id: int
    acting_for_id: int | None = None


@dataclass(frozen=True)
class Chart:
    units: Mapping[int, UnitInfo]
    by_code: Mapping[str, UnitInfo]
    by_name: Mapping[str, UnitInfo]
    seats: tuple[Seat, ...]
    leaves: tuple[Leave, ...]
    names: Mapping[int, str]

    @property
    def codes(self) -> frozenset[str]:
        """The units that a definition may name."""
        return frozenset(self.by_code)

    def upwards(self, unit_id: int) -> Iterator[UnitInfo]:
        """The unit, its parent, and so on to the county."""
        current: int | None = unit_id
        while current is not None:
            unit = self.units[current]
            yield unit
            current = unit.parent_id

    def within(self, unit_id: int) -> frozenset[int]:
        """The unit and everything below it."""
        return frozenset(u for u in self.units if any(above.id == unit_id for above in self.upwards(u)))

    def is_absent(self, account_id: int, day: date) -> bool:
        return any(leave.account_id == account_id and leave.covers(day) for leave in self.leaves)

    def deputies(self, account_id: int, day: date) -> tuple[int, ...]:
        """Who stands in for somebody absent; for a deputy who is absent too, their own deputy, and so on."""
        found: list[int] = []
        ask = [account_id]
        while ask:
            absent = ask.pop(0)
            for leave in self.leaves:
                deputy = leave.deputy_id
                if leave.account_id != absent or not leave.covers(day) or deputy is None:
                    continue
                if deputy != account_id and deputy not in found:
                    found.append(deputy)
                    ask.append(deputy)
        return tuple(found)

    def mandates(self, account_id: int, day: date) -> tuple[Mandate, ...]:
        own = [
            Mandate(seat.function, seat.unit_id)
            for seat in self.seats
            if seat.account_id == account_id and seat.held_on(day)
        ]
        absent = {leave.account_id for leave in self.leaves if leave.covers(day)}
        lent = [
            Mandate(seat.function, seat.unit_id, person)
            for person in sorted(absent)
            if account_id in self.deputies(person, day)
            for seat in self.seats
            if seat.account_id == person and seat.held_on(day)
        ]
        return tuple(own + lent)

    def holders(self, unit_id: int, function: str, day: date) -> tuple[int, tuple[Seat, ...]]:
        """The nearest unit upwards where the function is held, and its seats. None held: the unit itself and ()."""
        for unit in self.upwards(unit_id):
            seats = tuple(
                seat
                for seat in self.seats
                if seat.unit_id == unit.id and seat.function == function and seat.held_on(day)
            )
            if seats:
                return unit.id, seats
        return unit_id, ()

    def vacancies(self, functions: Collection[str], day: date) -> frozenset[tuple[int, str]]:
        """(unit, function) for which nobody is there, neither in the unit nor above it: one look at every seat."""
        held = {
            (seat.unit_id, seat.function)
            for seat in self.seats
            if seat.function in functions and seat.held_on(day)
        }
        return frozenset(
            (unit, function)
            for unit in self.units
            for function in functions
            if not any((above.id, function) in held for above in self.upwards(unit))
        )

    def holds(self, account_id: int, function: str, unit_id: int, day: date) -> bool:
        """Whether a person holds a function that covers the unit."""
        return any(
            seat.account_id == account_id
            and seat.function == function
            and seat.held_on(day)
            and any(above.id == seat.unit_id for above in self.upwards(unit_id))
            for seat in self.seats
        )

    def title(self, account_id: int, day: date, function: str = "") -> Text | None:
        """The position of a person; of several, the one with the function."""
        held = [s for s in self.seats if s.account_id == account_id and s.held_on(day) and s.title_zh]
        seat = next((s for s in held if s.function == function), held[0] if held else None)
        return Text(zh=seat.title_zh, en=seat.title_en) if seat is not None else None


def chart() -> Chart:
    return cached("org", _read_chart)


@dataclass(frozen=True)
class SpecialDay:
    """A stop-work day or an extra working day that may be entered."""

    day: date
    kind: str
    reason: str
    scope: str


def office_now(case: Case) -> UnitInfo:
    """Who works on a case now: the township office while it reviews, else the unit that handles it."""
    tree = chart()
    units = db.session.scalars(
        select(Task.unit_id).where(
            Task.case_id == case.id, Task.visit == case.visit, Task.state == "open", Task.branch == ""
        )
    ).all()
    there = {unit for unit in units if tree.units[unit].kind == "township"}
    return tree.units[there.pop() if len(there) == len(set(units)) == 1 else case.handling_unit_id]


def calendar(
    unit_id: int | None = None,
    known_at: datetime | None = None,
    *,
    imagined: SpecialDay | None = None,
    without: int | None = None,
) -> WorkingCalendar:
    """The working days of a unit: agency before township before county before national overrides, then the calendar.

    `known_at`: without the overrides that were entered later. `imagined`: as if that day had been entered now.
    `without`: as if the override with this id had been taken back.
    """
    overrides = cached("calendar", _read_overrides)
    codes = [unit.code for unit in chart().upwards(unit_id)] if unit_id is not None else []
    merged: dict[date, tuple[str, str]] = {}
    for scope in ("national", "county", *reversed(codes)):
        merged |= {
            day: (kind, reason)
            for key, day, kind, reason, entered in overrides.get(scope, ())
            if key != without and (known_at is None or entered <= known_at)
        }
        if imagined is not None and imagined.scope == scope:
            merged[imagined.day] = (imagined.kind, imagined.reason)
    return WorkingCalendar(
        off={day: reason for day, (kind, reason) in merged.items() if kind in ("off", "stop")},
        work={day: reason for day, (kind, reason) in merged.items() if kind == "work"},
        stopped=frozenset(day for day, (kind, _reason) in merged.items() if kind == "stop"),
    )


def _read_overrides() -> dict[str, list[tuple[int, date, str, str, datetime]]]:
    """By scope, in the order in which they were entered: of two for a day, the later one counts."""
    found: dict[str, list[tuple[int, date, str, str, datetime]]] = defaultdict(list)
    rows = db.session.scalars(
        select(CalendarOverride).where(CalendarOverride.revoked_at.is_(None)).order_by(CalendarOverride.id)
    )
    for row in rows:
        found[row.scope].append((row.id, row.day, row.kind, row.reason, row.created_at))
    return dict(found)


def _to_call(unit: UnitInfo, units: Mapping[int, UnitInfo]) -> str:
    """The telephone of a unit, or of the nearest above it that has one: pages, papers and letters name the same."""
    above = units.get(unit.parent_id or 0)
    return unit.phone or (_to_call(above, units) if above else "")


def _read_chart() -> Chart:
    units = {
        u.id: UnitInfo(
            u.id, u.code, u.name_zh, u.name_en, u.kind, u.parent_id, u.letter_word, u.phone, u.address
        )
        for u in db.session.scalars(select(Unit).order_by(Unit.id))
    }
    seats = tuple(
        Seat(
            holder.account_id,
            position.unit_id,
            position.function,
            position.title_zh,
            position.title_en,
            frozenset(position.townships.split()),
            holder.starts_on,
            holder.ends_on,
        )
        for holder, position in db.session.execute(
            select(Holder, Position).join(Position, Position.id == Holder.position_id).order_by(Holder.id)
        )
    )
    leaves = tuple(
        Leave(row.account_id, row.deputy_id, row.starts_on, row.ends_on)
        for row in db.session.scalars(select(Absence).order_by(Absence.id))
    )
    names = dict(db.session.execute(select(Account.id, Account.name).where(Account.kind == "staff")).all())
    units = {u.id: replace(u, phone=_to_call(u, units)) for u in units.values()}
    return Chart(
        units,
        {u.code: u for u in units.values()},
        {u.zh: u for u in reversed(units.values())},
        seats,
        leaves,
        names,
    )
