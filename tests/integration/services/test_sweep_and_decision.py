"""The deadline sweep and an officer at the same case in the same moment: each waits for the other, none for both."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests import journeys
from tests.walks import deadline, wait_a_little
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Clock, Escalation
from webapp.queries import ladders

#: EC09 filed on journeys.NOW is due on 2025-10-20
OVERDUE = datetime(2025, 10, 22, 1, tzinfo=UTC)


def test_a_decision_in_the_middle_of_a_sweep(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        case_id = journeys.submitted("EC09").id
    sweep_has_the_clock, officer_waits = Event(), Event()
    reached = ladders.Ladder.reached

    def reached_slowly(*args: Any) -> object:
        sweep_has_the_clock.set()
        assert officer_waits.wait(30)
        return reached(*args)

    monkeypatch.setattr(ladders.Ladder, "reached", reached_slowly)

    def sweep() -> dict[str, int]:
        with app.app_context():
            return sweeps.run_deadlines(OVERDUE)

    def return_it() -> None:
        with app.app_context():
            case = db.session.get_one(Case, case_id)
            journeys.take(case, "return_application", now=OVERDUE, comment="非本縣飼主。")

    with ThreadPoolExecutor(2) as pool, app.app_context():
        sweeping = pool.submit(sweep)
        assert sweep_has_the_clock.wait(30)
        returning = pool.submit(return_it)
        _wait_until_somebody_waits()
        officer_waits.set()
        assert sweeping.result()["failed"] == 0
        returning.result()
        assert db.session.get_one(Case, case_id).outcome == "returned"
        assert db.session.scalars(select(Clock.state)).one() == "stopped"
        assert db.session.scalars(select(Escalation.rung)).all() != []


def _wait_until_somebody_waits() -> None:
    until = deadline(30)
    waiting = text("select count(*) from pg_locks where not granted")
    while not db.session.scalars(waiting).one():
        db.session.rollback()
        wait_a_little(until, "the officer never came to the clock")
