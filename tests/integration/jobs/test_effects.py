"""What happens to orders for letters and messages when a worker or a printer fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import select, text

from tests.journeys import NOW, submitted
from webapp.extensions import db
from webapp.jobs import effects, sweeps
from webapp.jobs.app import app as jobs
from webapp.models import Document, Effect, Message
from webapp.services import printing

LATER = NOW + timedelta(minutes=3)


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def orders() -> list[Effect]:
    return list(db.session.scalars(select(Effect).order_by(Effect.id)))


def waiting_jobs() -> int:
    return db.session.scalars(text("select count(*) from procrastinate_jobs where status = 'todo'")).one()


def test_an_order_whose_job_is_gone_gets_one_new_job() -> None:
    submitted("EC09")
    assert [order.kind for order in orders()] == ["receipt", "application", "notice"]
    assert waiting_jobs() == 3
    assert sweeps.redefer_effects(LATER) == 0, "all wait for their turn"

    db.session.execute(text("update procrastinate_jobs set status = 'failed' where args->>'effect_id' = :id"),
                       {"id": str(orders()[0].id)})  # fmt: skip
    db.session.commit()
    assert sweeps.redefer_effects(NOW + timedelta(minutes=1)) == 0, "a retry may be on its way"
    assert sweeps.redefer_effects(LATER) == 1
    assert sweeps.redefer_effects(LATER) == 0
    assert waiting_jobs() == 3


def test_an_order_is_carried_out_once() -> None:
    case = submitted("EC09")
    for _twice in range(2):
        for order in orders():
            effects.perform_effect(order.id)
    assert [order.state for order in orders()] == ["done"] * 3
    for kind in ("receipt", "application"):
        printed = select(Document).where(Document.case_id == case.id, Document.kind == kind)
        assert len(db.session.scalars(printed).all()) == 1
    assert len(db.session.scalars(select(Message).where(Message.case_id == case.id)).all()) == 1
    assert sweeps.redefer_effects(LATER) == 0


def test_a_failure_leaves_nothing_behind_but_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    case = submitted("EC09")
    receipt = orders()[0].id

    def print_and_fail(*args: object) -> None:
        printing.receipt(*args)
        raise OSError("the disk is full, and here is a name that no log needs: 陳美玲")

    monkeypatch.setitem(
        effects.HANDLERS, "receipt", lambda e, now: print_and_fail(case, now, current_app.config)
    )
    for attempt in range(1, effects.MOST_ATTEMPTS + 1):
        with pytest.raises(OSError, match="disk"):
            effects.perform_effect(receipt)
        order = db.session.get_one(Effect, receipt, populate_existing=True)
        assert (order.attempts, order.last_error) == (attempt, "OSError")
        assert order.state == ("dead" if attempt == effects.MOST_ATTEMPTS else "pending")
    assert db.session.scalars(select(Document).where(Document.kind == "receipt")).all() == []
    effects.perform_effect(receipt)
    assert db.session.scalars(select(Document).where(Document.kind == "receipt")).all() == []


def test_stalled_jobs_are_looked_for_every_ten_seconds() -> None:
    jobs.perform_import_paths()
    found = {name: task for (name, _id), task in jobs.periodic_registry.periodic_tasks.items()}
    cron = found["retry_stalled"].croniter
    cron.set_current(start_time=1_000_000_000)
    moments = [cron.get_next(float) for _ in range(4)]
    assert moments == [1_000_000_010, 1_000_000_020, 1_000_000_030, 1_000_000_040]


def test_the_database_hands_over_what_the_engine_itself_would() -> None:
    """The trigger writes into a table of the job engine: a release that wants more there is noticed here."""
    submitted("EC09")
    effect_id = orders()[0].id
    connection = db.session.connection().connection.dbapi_connection
    jobs.tasks["perform"].configure(connection=connection).defer(effect_id=effect_id)
    jobs_of_it = text(
        "select to_jsonb(job) - 'id' from procrastinate_jobs job where (args ->> 'effect_id')::bigint = :id"
    )
    by_trigger, by_engine = db.session.scalars(jobs_of_it, {"id": effect_id}).all()
    assert by_trigger == by_engine
