"""The deadline sweep: every rung once, none early, and nothing lost while the worker was down."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, submitted, take
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Clock, CorrectionRequest, Escalation, Firing, Message

#: EC09 filed on NOW is due on 2025-10-20, a Monday; the working days before are the 17th and the 16th
WARN_DAY = datetime(2025, 10, 16, 1, tzinfo=UTC)
DUE_DAY = datetime(2025, 10, 20, 1, tzinfo=UTC)


def rungs() -> list[str]:
    return list(db.session.scalars(select(Escalation.rung).order_by(Escalation.id)))


def told() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(Message).where(Message.channel == "inbox").order_by(Message.id))
    return [(row.recipient.split("@")[0], row.subject.split("：")[0]) for row in rows]


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
        assert ("chen.shufen", "案件逾期稽催") in told()


def test_after_days_without_a_worker_everybody_hears_the_last_rung_once(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(DUE_DAY + timedelta(days=30))
        assert rungs() == ["warn", "due", "overdue_first", "overdue_second", "overdue_third", "review"]
        heads = [who for who, _ in told()]
        assert len(heads) == len(set(heads))
        assert ("guo.shiming", "案件逾期調卷分析") in told()


def test_the_explanation_of_a_rung_is_stored(app: Flask, committed: None) -> None:
    with app.app_context():
        submitted("EC09")
        run_deadlines(WARN_DAY)
        escalation = db.session.scalars(select(Escalation)).one()
        firing = db.session.get_one(Firing, escalation.firing_id)
        assert firing.facts["case.days_left"] in (2, "2")
        warn = next(entry for entry in firing.explanation if entry["rule"] == "warn")
        assert "距到期日剩 2 個工作天 ≤ 預警天數 2" in warn["sentence"]["zh"]


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
        assert rungs() == []
        clock = db.session.scalars(select(Clock).where(Clock.task_id.is_(None))).one()
        assert [m.kind for m in clock.movements] == ["pause", "resume"]
        assert clock.due_on > DUE_DAY.date()


def test_an_override_of_the_calendar_is_counted(app: Flask, committed: None) -> None:
    from webapp.models import CalendarOverride
    from webapp.queries.generations import bump
    from webapp.uow import unit_of_work

    with app.app_context():
        with unit_of_work():
            db.session.add(
                CalendarOverride(
                    day=date(2025, 10, 1),
                    kind="off",
                    reason="颱風停班",
                    created_by_id=account("admin").id,
                    created_at=NOW,
                )
            )
            bump("calendar")
        assert submitted("EC09").due_on.isoformat() == "2025-10-21"
