"""The history of a case: complete, chained, refused to everybody who would rewrite it, and still erasable."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.journeys import submitted, take
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.models import CaseEvent, EventPayload, Submission
from webapp.services import events
from webapp.uow import unit_of_work


def test_the_chain_holds_and_payloads_can_be_forgotten(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "propose_rejection", comment="收據日期早於手術日期")
        kinds = db.session.scalars(
            select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
        ).all()
        assert kinds == ["submitted", "propose_rejection"]
        assert events.broken_links(case.id) == []
        with unit_of_work():
            assert events.erase_payloads(case.id) == 1
        assert db.session.scalars(select(EventPayload)).all() == []
        assert events.broken_links(case.id) == []


@pytest.mark.parametrize(
    "change",
    [
        "update case_event set kind = 'granted'",
        "delete from case_event",
        "update submission set answers = '{}'",
        "update revision set body = '{}'",
        "delete from publication",
    ],
)
def test_nobody_rewrites_what_was_recorded(app: Flask, committed: None, change: str) -> None:
    with app.app_context():
        submitted("EC09")
        with pytest.raises(DBAPIError, match="append-only"), unit_of_work():
            db.session.execute(text(change))


def test_a_change_behind_the_database_s_back_breaks_the_chain(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "propose_rejection", comment="不符資格")
        with unit_of_work():
            db.session.execute(text("set local session_replication_role = replica"))
            db.session.execute(text("update case_event set kind = 'propose_approval' where seq = 2"))
        assert events.broken_links(case.id) == [2]
        heard: list[str] = []
        assert events.verify_all(heard.append)["broken"] == 1
        assert heard == [f"{case.number}: 2"]


def test_personal_answers_do_not_stand_in_the_clear(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="請陳美玲補正")
        known = ("A123456789", "陳美玲", "".join(filter(str.isdigit, SAMPLES["EC09"]["phone"][0])))
        tables = ["submission", "party", "event_payload", "correction_request", "effect", "draft", "document"]
        for table in tables:
            rows = db.session.execute(text(f"select to_jsonb(t)::text from {table} t")).scalars()
            for row in rows:
                assert [text for text in known if text in row.replace("-", "")] == []
        assert db.session.scalars(select(Submission)).one().personal["applicant_name"] == "陳美玲"
