"""The deadline sweep: every rung once, none early, and nothing lost while the worker was down."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from tests import patterns
from tests.journeys import NOW, officer, open_tasks, submitted, take
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import (
    Case,
    Clock,
    CorrectionRequest,
    Effect,
    Escalation,
    EscalationNotice,
    Firing,
    Message,
)
from webapp.permissions import SYSTEM
from webapp.queries import case_page
from webapp.queries.org import chart
from webapp.services import deadlines
from webapp.services.calendar import override
from webapp.uow import unit_of_work

#: EC09 filed on NOW is due on 2025-10-20, a Monday; the working days before are the 17th and the 16th
WARN_DAY = datetime(2025, 10, 16, 1, tzinfo=UTC)
DUE_DAY = datetime(2025, 10, 20, 1, tzinfo=UTC)


def rungs() -> list[str]:
    return list(db.session.scalars(select(Escalation.rung).order_by(Escalation.id)))


def told(day: datetime) -> dict[str, list[str]]:
    """The digests of a day: by login the kinds of what they tell."""
    rows = db.session.scalars(
        select(Message).where(
            Message.channel == "inbox", Message.created_at == day, Message.idempotency_key.like("digest:%")
        )
    )
    return {row.recipient.split("@")[0]: re.findall(r"^(\S+)（\d+ 件）$", row.body, re.M) for row in rows}


def test_each_rung_comes_on_its_day_and_once(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(WARN_DAY - timedelta(days=1))
        assert rungs() == []
        run_deadlines(WARN_DAY)
        assert rungs() == ["warn"]
        assert run_deadlines(WARN_DAY + timedelta(hours=2))["clocks"] == 0
        run_deadlines(DUE_DAY - timedelta(days=3))  # Friday: one working day left
        assert rungs() == ["warn"]
        run_deadlines(DUE_DAY)
        run_deadlines(DUE_DAY + timedelta(days=1))
        assert rungs() == ["warn", "due", "overdue_first"]
        assert told(DUE_DAY + timedelta(days=1))["chen.shufen"] == ["逾期稽催"]


def test_after_days_without_a_worker_everybody_hears_the_last_rung_once(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(DUE_DAY + timedelta(days=30))
        assert rungs() == ["warn", "due", "overdue_first", "overdue_second", "overdue_third", "review"]
        heard = told(DUE_DAY + timedelta(days=30))
        assert heard["guo.shiming"] == ["逾期調卷分析"]
        assert heard["chen.shufen"] == heard["lin.yahan"] == ["逾期稽催"]
        run_deadlines(DUE_DAY + timedelta(days=31))
        assert told(DUE_DAY + timedelta(days=31)) == {}


def test_the_explanation_of_a_rung_is_stored(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(WARN_DAY)
        escalation = db.session.scalars(select(Escalation)).one()
        firing = db.session.get_one(Firing, escalation.firing_id)
        assert firing.facts["case.days_left"] in (2, "2")
        warn = next(entry for entry in firing.explanation if entry["rule"] == "warn")
        assert "距到期日剩 2 個工作天 ≤ 預警天數 2 個工作天" in warn["sentence"]["zh"]


def test_a_paused_clock_is_not_pressed_and_a_correction_lapses(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與登記證明不同")
        request = db.session.scalars(select(CorrectionRequest)).one()
        run_deadlines(DUE_DAY)
        # the fifteen days end on Friday 10 October, a holiday, so on Monday 13 October (行政程序法 48)
        assert request.due_on.isoformat() == "2025-10-13"
        case = db.session.get_one(Case, case.id)
        assert (case.state, request.closed_reason, request.raw) == ("review", "lapsed", None)
        sent = db.session.scalars(select(Effect.payload).where(Effect.kind == "notice")).all()
        assert [p["template"] for p in sent][-1] == "correction_lapsed"
        assert rungs() == []
        clock = db.session.scalars(select(Clock).where(Clock.task_id.is_(None))).one()
        assert [m.kind for m in clock.movements] == ["pause", "resume"]
        assert clock.due_on > DUE_DAY.date()


#: PW01 filed on NOW and split at once: both branches are due on 2025-09-30, the case on 2025-10-14
BRANCH_LATE = datetime(2025, 10, 1, 1, tzinfo=UTC)
CASE_NEAR = datetime(2025, 10, 9, 1, tzinfo=UTC)


def test_every_clock_of_a_day_has_its_own_explanation(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        run_deadlines(CASE_NEAR)
        rows = db.session.execute(
            select(Escalation.rung, Firing.clock_id, Clock.id, Clock.task_id, Firing.facts)
            .join(Clock, Clock.id == Escalation.clock_id)
            .join(Firing, Firing.id == Escalation.firing_id)
        ).all()
        assert {row.rung for row in rows if row.task_id is None} == {"warn"}
        assert {row.rung for row in rows if row.task_id} >= {"overdue_first", "overdue_second"}
        for row in rows:
            assert row.clock_id == row.id
            left = int(row.facts["case.days_left"])
            assert left > 0 if row.task_id is None else left < -3
        shown = case_page.read(case).escalations
        branches = {task.unit_id for task in open_tasks(case)}
        assert {reached.unit_id for reached in shown} == {None, *branches}
        first = next(reached.firing for reached in shown if reached.rung == "overdue_first")
        assert any(outcome["params"].get("rung") == "overdue_first" for outcome in first.outcomes)


def test_a_branch_reminds_its_own_unit_by_its_own_days(app: Flask, committed: None) -> None:
    """Nobody of the police has taken the branch: its officers and its heads hear of it, nobody of public works."""
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        task = next(t for t in open_tasks(case) if t.branch == "PO")
        clock = db.session.scalars(select(Clock).where(Clock.task_id == task.id)).one()
        with unit_of_work():
            task.assignee_id = None
        sweep(clock.id, BRANCH_LATE)
        tree = chart()
        expected = {
            seat.account_id
            for function in (task.function, "section_head")
            for seat in tree.holders(task.unit_id, function, BRANCH_LATE.date())[1]
        }
        assert expected and hearers(case) == expected


def test_a_branch_counts_its_days_by_the_calendar_of_its_unit(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        task = next(t for t in open_tasks(case) if t.branch == "PO")
        clock = db.session.scalars(select(Clock).where(Clock.task_id == task.id)).one()
        due = clock.due_on
        with unit_of_work():
            moved = override(SYSTEM, due, "off", "停止上班", chart().units[task.unit_id].code, NOW)
        db.session.refresh(clock)
        assert (moved, clock.due_on > due) == (1, True)
        # the due day itself is off for the police only: one working day is left on the day before the new one
        sweep(clock.id, datetime(due.year, due.month, due.day, 1, tzinfo=UTC))
        facts = db.session.scalars(select(Firing.facts).where(Firing.clock_id == clock.id)).one()
        assert int(facts["case.days_left"]) == 1


def sweep(clock_id: int, now: datetime) -> None:
    with unit_of_work():
        deadlines.sweep([clock_id], now)


def hearers(case: Case) -> set[int]:
    return set(
        db.session.scalars(
            select(EscalationNotice.account_id)
            .join(Escalation, Escalation.id == EscalationNotice.escalation_id)
            .join(Clock, Clock.id == Escalation.clock_id)
            .where(Clock.case_id == case.id)
        )
    )


def test_an_override_of_the_calendar_is_counted(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            override(officer("admin"), date(2025, 10, 1), "off", "颱風停班", "county", NOW)
        assert submitted("EC09").due_on.isoformat() == "2025-10-21"


def test_a_task_in_the_pool_is_told_to_whoever_could_take_it(app: Flask, committed: None) -> None:
    """Also where nobody in the unit has the function of an officer."""
    with app.app_context():
        patterns.serve("remedy", **patterns.AT_LEGAL_AFFAIRS)
        case = submitted("EC09")
        [task] = open_tasks(case)
        with unit_of_work():
            task.assignee_id = None
        run_deadlines(datetime(2025, 10, 16, 1, tzinfo=UTC))
        _unit, seats = chart().holders(task.unit_id, "legal_officer", NOW.date())
        legal = {seat.account_id for seat in seats}
        assert task.function == "legal_officer" and legal
        assert legal <= hearers(case)
