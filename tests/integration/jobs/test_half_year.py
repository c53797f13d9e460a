"""The ladder over half a year: every rung once a period, none early, none missed, one digest a person and day.

Beside the sweep walks an oracle of plain Python that counts days one by one and knows neither rules nor database.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random

import holidays
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.journeys import account
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Clock, Escalation, EscalationNotice, Message, SweepRun, Task
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import clocks, events
from webapp.uow import unit_of_work

FIRST, LAST = date(2025, 7, 1), date(2025, 12, 31)
#: the small size: a part of it around the days without a worker
SHORT = date(2025, 8, 15), date(2025, 11, 14)
#: a Tuesday to a Thursday on which no worker runs
OUTAGE = {date(2025, 9, 16), date(2025, 9, 17), date(2025, 9, 18)}
KINDS = (("WD", 6), ("WD", 10), ("WD", 25), ("CD", 15), ("CD-shift", 30), ("M-shift", 1), ("DATE", 20))

LADDER = {"warn": 2, "due": 0, "overdue_first": -1, "overdue_second": -3, "overdue_third": -6, "review": -15}
HEARERS = {
    "warn": ("officer",),
    "due": ("officer",),
    "overdue_first": ("officer", "section_head"),
    "overdue_second": ("department_head",),
    "overdue_third": ("research_office", "secretary_general"),
    "review": ("research_office",),
}
COUNTY = {"research_office": "guo.shiming", "secretary_general": "he.rongjie"}
#: unit: service, officers, and who holds the functions that the ladder names
UNITS = {
    "EC-APH": ("EC09", ("lin.yahan", "xu.mingde"), {"section_head": "chen.shufen", "department_head": "li.zhengnan"}),
    "PW-RMO": (
        "PW01", ("yang.zhihao", "hong.peishan"),
        {"section_head": "zhang.jianguo", "department_head": "wu.qingyun"},
    ),
    "PO": ("", ("dong.weilun",), {"department_head": "department_head.po"}),
}  # fmt: skip


@cache
def is_working(day: date) -> bool:
    return _official().is_working_day(day)


@cache
def _official() -> holidays.HolidayBase:
    return holidays.country_holidays("TW", years=range(2025, 2027))


@cache
def working_days(begin: date, end: date) -> int:
    """After `begin` up to and including `end`; negative when it is earlier."""
    if end < begin:
        return -working_days(end, begin)
    return sum(is_working(begin + timedelta(n)) for n in range(1, (end - begin).days + 1))


@dataclass
class Model:
    """What the oracle knows of one clock."""

    id: int
    case: int
    is_branch: bool
    unit: str
    officer: str
    started: date
    due: date
    number: int = 1
    state: str = "running"
    paused_on: date | None = None
    waited: int = 0
    reached: set[tuple[int, str]] = field(default_factory=set)

    def rungs(self, today: date) -> list[str]:
        left = working_days(today, self.due)
        used = working_days(self.started, today) - self.waited
        return [
            rung
            for rung, threshold in LADDER.items()
            if left <= threshold or (rung == "review" and left <= -1 and used >= 30)
        ]


@dataclass
class World:
    random: Random
    clocks: dict[int, Model] = field(default_factory=dict)
    #: (clock, period, rung) -> the day on which it must have been recorded
    expected: dict[tuple[int, int, str], date] = field(default_factory=dict)
    #: who must have had a digest on which day
    digests: set[tuple[str, date]] = field(default_factory=set)
    looked_at: Counter[date] = field(default_factory=Counter)
    branches: dict[int, Model] = field(default_factory=dict)

    def people(self, clock: Model, rung: str) -> set[str]:
        """Whoever holds the case, or the branch: an officer, a co-reviewer who has not answered, or both."""
        held = {clock.officer}
        branch = self.branches.get(clock.case)
        if branch is not None and branch.state != "stopped":
            held.add(branch.officer)
        named = {name: {login} for name, login in {**COUNTY, **UNITS[clock.unit][2]}.items()}
        named["officer"] = {clock.officer} if clock.is_branch else held
        return set().union(*(named.get(function, set()) for function in HEARERS[rung]))

    def look(self, today: date) -> None:
        for clock in self.clocks.values():
            if clock.state != "running":
                continue
            self.looked_at[today] += 1
            for rung in clock.rungs(today):
                if (clock.number, rung) not in clock.reached:
                    clock.reached.add((clock.number, rung))
                    self.expected[clock.id, clock.number, rung] = today
                    self.digests |= {(person, today) for person in self.people(clock, rung)}


def test_every_rung_once_none_early_none_missed(app: Flask, committed: None) -> None:
    walk(app, cases=80, seed=1, days=SHORT)


@pytest.mark.full
def test_every_rung_once_none_early_none_missed_in_5000_cases(app: Flask, committed: None) -> None:
    walk(app, cases=5000, seed=2, days=(FIRST, LAST))


def walk(app: Flask, cases: int, seed: int, days: tuple[date, date]) -> None:
    world = World(Random(seed))
    first, last = days
    walked = [first + timedelta(n) for n in range((last - first).days + 1)]
    opens = [day for day in walked[: len(walked) * 3 // 4] if is_working(day)]
    filed = Counter(world.random.choice(opens) for _ in range(cases))
    with app.app_context():
        for today in walked:
            if is_working(today) and today not in OUTAGE:
                world.look(today)
                counts = run_deadlines(moment(today, 8))
                assert counts["failed"] == 0
                assert counts["clocks"] == world.looked_at[today]
            with unit_of_work():
                things_happen(world, today)
                apply(world, filed[today], today)
        compare(world)


def compare(world: World) -> None:
    rows = db.session.execute(
        select(Escalation.clock_id, Escalation.period_number, Escalation.rung, Escalation.at)
    ).all()
    recorded = {(row.clock_id, row.period_number, row.rung): taipei_day(row.at) for row in rows}
    assert len(recorded) == len(rows) > 0
    wrong = {
        key: (world.expected.get(key), recorded.get(key)) for key in world.expected.keys() ^ recorded.keys()
    }
    assert not wrong, f"missed or made up: {list(wrong.items())[:5]}"
    assert recorded == world.expected
    # the simulation has met what it is about
    assert {rung for _, _, rung in recorded} == set(LADDER)
    assert any(number > 1 for _, number, _ in recorded)
    after_outage = max(OUTAGE) + timedelta(1)
    assert any(
        sum(key[:2] == (clock, number) and day == after_outage for key, day in recorded.items()) > 1
        for clock, number, _ in recorded
        if recorded.get((clock, number, "overdue_first")) == after_outage
    )
    told(world)


def told(world: World) -> None:
    names = {
        account(login).id: login
        for _, officers, heads in UNITS.values()
        for login in (*officers, *heads.values())
    }
    names |= {account(login).id: login for login in COUNTY.values()}
    sent = Counter(
        (names[m.account_id], taipei_day(m.created_at), m.channel)
        for m in db.session.scalars(select(Message).where(Message.idempotency_key.like("digest:%")))
    )
    assert set(sent.values()) == {1}, "at most one a person, day and channel"
    assert {(who, day) for who, day, _ in sent} == world.digests
    assert (
        db.session.scalars(
            select(func.count()).select_from(EscalationNotice).where(EscalationNotice.told_on.is_(None))
        ).one()
        == 0
    )
    sweeps = db.session.scalars(select(SweepRun).order_by(SweepRun.id)).all()
    assert [(taipei_day(run.started_at), run.clocks) for run in sweeps] == sorted(
        (day, count) for day, count in world.looked_at.items() if count
    )


# --- what happens ------------------------------------------------------------------------------------------


def moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC) - timedelta(hours=8)


def apply(world: World, count: int, today: date) -> None:
    """New cases, some of them with a branch at the police that has a limit of its own."""
    for _ in range(count):
        unit = world.random.choice(["EC-APH", "PW-RMO"])
        officer = world.random.choice(UNITS[unit][1])
        case = _case(UNITS[unit][0], unit, today)
        _task(case, "review", "officer", unit, officer, today)
        _clock(world, case, None, unit, officer, today)
        if world.random.random() < 0.2:
            branch = _task(case, "opinion", "co_reviewer", "PO", "dong.weilun", today)
            _clock(world, case, branch, "PO", "dong.weilun", today)


def things_happen(world: World, today: date) -> None:
    """After the sweep of the day: corrections, restarts, extensions and closings at random."""
    now = moment(today, 14)
    for model in list(world.clocks.values()):
        if (
            model.paused_on is not None and model.state != "stopped"
        ):  # late, it runs on though somebody is asked
            if world.random.random() < 0.15:
                clock = _move(model, "resume", now)
                model.waited += working_days(model.paused_on or today, today)
                model.paused_on = None
                _keep(model, clock)
        elif model.state == "running":
            _one_runs(world, model, today, now)


def _one_runs(world: World, model: Model, today: date, now: datetime) -> None:
    chance = world.random.random()
    if chance < 0.035:
        _stop(world, model, today, now)
    elif chance < 0.045:
        _keep(model, _move(model, "pause", now))
        model.paused_on = today
    elif chance < 0.050:
        _keep(model, _move(model, "restart", now))
    elif chance < 0.055 and today <= model.due:
        _keep(model, _move(model, "extend", now, days=world.random.randint(1, 10)))


def _move(model: Model, kind: str, now: datetime, days: int | None = None) -> Clock:
    clock = db.session.get_one(Clock, model.id)
    clocks.move(SYSTEM, db.session.get_one(Case, clock.case_id), clock, kind, now, days=days)
    return clock


def _keep(model: Model, clock: Clock) -> None:
    model.due, model.number, model.state = clock.due_on, clock.period_number, clock.state


def _stop(world: World, model: Model, today: date, now: datetime) -> None:
    """A branch answers; or the case is decided, which takes its branch along."""
    clock = db.session.get_one(Clock, model.id)
    branch = None if model.is_branch else world.branches.get(model.case)
    for each in (model, *([branch] if branch is not None else [])):
        clocks.stop(db.session.get_one(Clock, each.id), today)
        each.state = "stopped"
    done = Task.id == clock.task_id if model.is_branch else Task.case_id == model.case
    db.session.execute(update(Task).where(done, Task.state == "open").values(state="done", done_at=now))
    if not model.is_branch:
        closed = {"status": "closed", "outcome": "granted", "closed_at": now}
        db.session.execute(update(Case).where(Case.id == model.case).values(**closed))


def _case(service_code: str, unit: str, today: date) -> Case:
    service = definitions.revision_id("service", service_code, today)
    content = definitions.service(service)
    unit_id = chart().by_code[unit].id
    case = Case(
        service_code=service_code,
        service_revision_id=service,
        form_revision_id=definitions.revision_id("form", content.form, today),
        workflow_revision_id=definitions.revision_id("workflow", content.workflow, today),
        owner_unit_id=unit_id,
        handling_unit_id=unit_id,
        channel="web",
        filed_on=today,
        submitted_at=moment(today, 15),
        state="review",
    )
    db.session.add(case)
    db.session.flush()
    db.session.add(events.first(SYSTEM, case, "submitted", case.submitted_at))
    db.session.flush()
    return case


def _task(case: Case, key: str, function: str, unit: str, officer: str, today: date) -> Task:
    task = Task(
        case_id=case.id,
        visit=1,
        key=key,
        branch=unit if function == "co_reviewer" else "",
        function=function,
        unit_id=chart().by_code[unit].id,
        assignee_id=_account_id(officer),
        opened_at=moment(today, 15),
    )
    db.session.add(task)
    db.session.flush()
    return task


def _clock(world: World, case: Case, task: Task | None, unit: str, officer: str, today: date) -> None:
    kind, period = world.random.choice(KINDS)
    due = clocks.due_on(kind, period, today, chart().by_code[unit].id)
    clock = clocks.started(case.id, kind, period, today, due, task_id=task.id if task else None)
    db.session.add(clock)
    db.session.flush()
    model = world.clocks[clock.id] = Model(clock.id, case.id, task is not None, unit, officer, today, due)
    if task is not None:
        world.branches[case.id] = model


@cache
def _account_id(login: str) -> int:
    return account(login).id
