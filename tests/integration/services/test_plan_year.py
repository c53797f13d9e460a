"""A year of plans through the real workflow, month by month, with late, missing and wrong reports.

What the register then says is compared with a straight line that is drawn here, without any code of the product.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests import journeys, plan_world
from tests.journeys import open_tasks, take
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, ProgressReport, Register
from webapp.periods import parse
from webapp.queries import plan_lists, plans
from webapp.queries.org import chart
from webapp.services import plan_editions, plan_imports
from webapp.uow import unit_of_work

#: sections of the county that report, each with an officer and a head of its own
UNITS = ("ed-soc", "ec-bld", "pw-sew", "pw-civ", "sw-aid", "tr-har", "he-med", "cu-her")
CONTROL = "guo.shiming"
BUDGET = 20_000_000
#: planned less actual: at the bounds, just beside them, and in between
LAGS = (
    "0",
    "0",
    "0",
    "6.5",
    "6.4999",
    "0.0001",
    "-0.0001",
    "-4.9999",
    "-5",
    "9.45",
    "12.5",
    "3.2",
    "1.97",
    "-8",
)
#: how a report comes in, and how often
WAYS = {
    "on_time": 10, "too_much": 1, "falling": 1, "unexplained": 2, "back_by_head": 1, "back_by_control": 1,
    "unlocked": 1, "unlocked_in_vain": 1, "closed_missing": 1, "left_locked": 1,
}  # fmt: skip
NEVER = ("unlocked_in_vain", "closed_missing", "left_locked")
#: the worst light first, then the largest lag
RANK = {"red": 0, "grey": 1, "yellow": 2, "green": 3, "blue": 4}


# --- the straight line ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Month:
    """What somebody will report, and how it comes in."""

    way: str
    planned: Decimal
    actual: Decimal
    spent: Decimal

    @property
    def due(self) -> Decimal:
        return BUDGET * self.planned / 100

    @property
    def explained(self) -> bool:
        return self.planned > self.actual or self.spent * 100 < self.due * 80

    def stands(self, reported: bool) -> tuple[str, str]:
        lag = self.planned - self.actual
        if not reported:
            return "grey", "no_report"
        if lag >= Decimal("6.5"):
            return "red", "severe"
        if lag > 0:
            return "yellow", "behind"
        if lag == 0:
            return "green", "on_track"
        return ("green" if lag > -5 else "blue"), "ahead"


@dataclass
class Script:
    """A plan and its twelve reports."""

    title: str
    unit: str
    months: list[Month] = field(default_factory=list)


def scripts(count: int) -> list[Script]:
    """The same ones whenever it is asked; four plans see every way within half a year."""
    chance = random.Random(24)
    return [
        _script(f"虛構計畫第{number}案", UNITS[number % len(UNITS)], chance) for number in range(1, count + 1)
    ]


def _script(title: str, unit: str, chance: random.Random) -> Script:
    cuts = sorted(Decimal(chance.randrange(500, 9950)) / 100 for _month in range(11))
    made, last, spent = Script(title, unit), Decimal(0), Decimal(0)
    for planned in [*cuts, Decimal(100)]:
        actual = min(max(planned - Decimal(chance.choice(LAGS)), last), Decimal(100))
        (way,) = chance.choices(list(WAYS), list(WAYS.values()))
        if (way == "unexplained" and actual >= planned) or (way == "falling" and last == 0):
            way = "on_time"
        rate = Decimal(chance.choice(("1", "0.95", "0.8", "0.79")))
        spent = max((BUDGET * planned / 100 * rate).quantize(Decimal(1)), spent)
        made.months.append(Month(way, planned, actual, spent))
        last = last if way in NEVER else actual
    return made


def reported(month: Month, final: bool) -> bool:
    """Whether the report is in: after the cut-off, and when all is done."""
    return month.way not in NEVER and (final or month.way != "unlocked")


def expected(year: list[Script], number: int, final: bool) -> dict[str, Any]:
    now = [(each, each.months[number], reported(each.months[number], final)) for each in year]
    stands = {each.title: month.stands(there) for each, month, there in now}
    before = {
        each.title: each.months[number - 1].stands(reported(each.months[number - 1], True))[1]
        for each in year
        if number
    }
    severe: Counter[str] = Counter(
        each.unit for each, _month, _in in now if stands[each.title][1] == "severe"
    )
    return {
        "lights": Counter(light for light, _standing in stands.values()),
        "standings": Counter(standing for _light, standing in stands.values()),
        "severe_by_unit": dict(severe),
        "changes": Counter(
            (before[title], standing)
            for title, (_light, standing) in stands.items()
            if before.get(title, standing) != standing
        ),
        "due": sum((month.due for _each, month, there in now if there), Decimal(0)),
        "spent": sum((month.spent for _each, month, there in now if there), Decimal(0)),
        "worst": sorted(
            (RANK[stands[each.title][0]], -(month.planned - month.actual) if there else Decimal(0))
            for each, month, there in now
        ),
        "severe": {each.title for each in year if stands[each.title][1] == "severe"},
    }


# --- what the product says --------------------------------------------------------------------------------


def shown(register: Register, month: date) -> dict[str, Any]:
    found = plans.overview(register, month)
    lines = plans.lines(register, month)
    severe = plans.lines(register, month, plans.Filters(light="red"))
    codes = {row.unit_id: row.severe for row in found.units.values() if row.severe}
    return {
        "lights": found.lights,
        "standings": found.standings,
        "severe_by_unit": {chart().units[unit].code.lower(): count for unit, count in codes.items()},
        "changes": found.changes,
        "due": found.due,
        "spent": found.spent,
        "worst": [
            (RANK[line.light or ""], -line.lag if line.lag is not None else Decimal(0)) for line in lines
        ],
        "severe": {line.title for line in severe},
    }


# --- the year ---------------------------------------------------------------------------------------------


class Year:
    """Walks the clock; everything happens through transitions and sweeps."""

    def __init__(self, year: list[Script]) -> None:
        self.scripts, self.refused = year, Counter[str]()
        with unit_of_work():
            self.register = plan_imports.register_for("major_project-109")
            for each in year:
                made = plan_world.entry(self.register, each.title, unit=each.unit.upper())
                plan_world.baseline(made, *(month.planned for month in each.months), budget=BUDGET)
        db.session.refresh(self.register)

    def walk(self, number: int) -> None:
        """A month, from the day after it until its quarter is closed."""
        self.number, self.month = number, date(2020, number + 1, 1)
        self.next = date(2020, number + 2, 1) if number < 11 else date(2021, 1, 1)
        assert sweeps.run_plans(self.at(1)) == {
            "failed": 0, "asked": len(self.scripts), "locked": 0, "decided": 0, "released": 0
        }  # fmt: skip
        assert plans.overview(self.register, self.month).lights == {"none": len(self.scripts)}
        self.cases = self._cases()
        for each in self.scripts:
            if reported(self.told(each), final=False):
                self.report(each, self.at(3))
        late = [each for each in self.scripts if not reported(self.told(each), final=False)]
        assert sweeps.run_plans(self.at(20))["locked"] == len(late)
        self.compare(final=False)
        self.decide_on_late(late)
        assert sweeps.run_plans(self.at(26))["failed"] == 0
        for each in late:
            if self.told(each).way == "unlocked_in_vain":
                assert self.cases[each.title].state == "locked", "its day has passed"
                take(self.cases[each.title], "close_missing", CONTROL, self.at(27), comment="仍未補報")
        self.compare(final=True)
        if (number + 1) % 3 == 0:
            self.close()

    def told(self, of: Script) -> Month:
        return of.months[self.number]

    def at(self, day: int) -> datetime:
        return datetime(self.next.year, self.next.month, day, 2, tzinfo=UTC)

    def _cases(self) -> dict[str, Case]:
        rows = db.session.execute(
            select(Case, ProgressReport.entry_id)
            .join(ProgressReport, ProgressReport.case_id == Case.id)
            .where(ProgressReport.month == self.month)
        ).all()
        titles = {line.entry_id: line.title for line in plans.lines(self.register, self.month)}
        return {titles[entry_id]: case for case, entry_id in rows}

    def report(self, of: Script, now: datetime) -> None:
        case, month = self.cases[of.title], self.told(of)
        officer, head = f"officer.{of.unit}", f"section_head.{of.unit}"
        if month.way == "too_much":
            self.refuse(case, officer, now, said(month, actual="101"), "actual")
        if month.way == "falling":
            self.refuse(case, officer, now, said(month, actual="0"), "actual")
        if month.way == "unexplained":
            self.refuse(case, officer, now, said(month, reason="", countermeasure=""), "reason")
        self.refused[month.way] += month.way in ("too_much", "falling", "unexplained")
        if month.way in ("back_by_head", "back_by_control"):
            take(case, "send", officer, now, raw=said(month, actual="100"))
            if month.way == "back_by_control":
                take(case, "confirm", head, now)
            take(case, "send_back", head if month.way == "back_by_head" else CONTROL, now, comment="數字有誤")
        take(case, "send", officer, now, raw=said(month))
        take(case, "confirm", head, now)
        take(case, "accept", CONTROL, now)
        assert (case.status, case.outcome) == ("closed", "recorded")

    def refuse(self, case: Case, officer: str, now: datetime, raw: dict[str, list[str]], where: str) -> None:
        with pytest.raises(AnswersInvalid) as refused:
            take(case, "send", officer, now, raw=raw)
        assert where in refused.value.errors
        db.session.refresh(case)
        assert case.state == "fill", "nothing was kept"

    def decide_on_late(self, late: list[Script]) -> None:
        """Who is late is locked: the control office unlocks until the 25th, or closes, or does nothing."""
        for each in late:
            case, way = self.cases[each.title], self.told(each).way
            assert case.state == "locked"
            if way == "closed_missing":
                take(case, "close_missing", CONTROL, self.at(21), comment="未補報")
            elif way != "left_locked":
                take(case, "unlock", CONTROL, self.at(21), comment="颱風停班", on_date=self.at(25).date())
            if way == "unlocked":
                self.report(each, self.at(22))

    def compare(self, *, final: bool) -> None:
        assert shown(self.register, self.month) == expected(self.scripts, self.number, final), self.month

    def close(self) -> None:
        """結算 of the quarter; what was left locked cannot come in any more."""
        quarter = parse(f"109Q{self.month.month // 3}")
        with unit_of_work():
            plan_editions.close(journeys.officer(CONTROL), self.register, quarter, self.at(28))
        for each in self.scripts:
            if self.told(each).way == "left_locked":
                case = self.cases[each.title]
                with pytest.raises(Refused, match="已經結算"):
                    take(case, "unlock", CONTROL, self.at(28), comment="請補", on_date=self.at(28).date())
                assert case.state == "locked"


def said(month: Month, **otherwise: str) -> dict[str, list[str]]:
    told = {
        "actual": f"{month.actual:f}",
        "budget_spent": f"{month.spent:f}",
        "phase": "工程辦理中",
        "situation": "依進度辦理",
    }
    if month.explained:
        told |= {"reason_class": "tender", "reason": "兩次流標", "countermeasure": "調整預算後重新招標"}
        told |= {"catch_up_date-year": "112", "catch_up_date-month": "6", "catch_up_date-day": "30"}
    return {name: [value] for name, value in {**told, **otherwise}.items()}


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("count", "months"), [(4, 6), pytest.param(43, 12, marks=pytest.mark.full)], ids=["half", "whole"]
)
def test_a_year_of_reports_says_what_a_straight_line_says(count: int, months: int) -> None:
    told = scripts(count)
    year = Year(told)
    for number in range(months):
        year.walk(number)
    ways = Counter(month.way for each in told for month in each.months[:months])
    assert set(ways) == set(WAYS)
    assert +year.refused == {way: ways[way] for way in ("too_much", "falling", "unexplained")}
    outcomes = db.session.execute(select(Case.outcome, func.count()).group_by(Case.outcome))
    missing = ways["closed_missing"] + ways["unlocked_in_vain"]
    assert dict(outcomes.all()) == {
        "recorded": count * months - missing - ways["left_locked"],
        "missing": missing,
        None: ways["left_locked"],
    }
    for quarter in range(months // 3):
        held = plan_lists.contents(year.register, parse(f"109Q{quarter + 1}"))
        assert held.closed_at and len(held.rows) == count
        assert {row.title for row in held.severe} == expected(told, quarter * 3 + 2, True)["severe"]
    left = db.session.scalars(select(Case).where(Case.status == "open").order_by(Case.id))
    assert [[task.key for task in open_tasks(case)] for case in left] == [["unlock"]] * ways["left_locked"]
