"""Corrections: only the named fields change, and an answer that calls for another question opens it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests import filling
from tests.journeys import NOW, citizen, submitted, take
from webapp.demo.samples import SAMPLES, picture
from webapp.errors import AnswersInvalid
from webapp.extensions import db
from webapp.models import Case, Party
from webapp.moments import taipei_day
from webapp.queries import answering, definitions, history
from webapp.services import cases, corrections, documents, events, notices, steps
from webapp.uow import unit_of_work


def corrected(case_id: int, **changes: list[str]) -> None:
    with unit_of_work():
        case = db.session.get_one(Case, case_id)
        request = corrections.current(case)
        corrections.save(case, request, {**SAMPLES["EC09"], **changes}, request.version)


def attach_power_of_attorney(case_id: int) -> None:
    with unit_of_work():
        case = db.session.get_one(Case, case_id)
        request = corrections.current(case)
        field = definitions.form(case.form_revision_id).field("power_of_attorney")
        key = corrections.upload_key(request)
        corrections.add_file(
            case, request, documents.upload(citizen(), key, field, "委託書.png", picture(), NOW)
        )


def test_only_the_named_fields_change(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        corrected(case.id, pet_name=["小白"], species=["cat"])
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            changes = corrections.take_in(citizen(), case, corrections.current(case), NOW)
            cases.answer_correction(citizen(), case, NOW, version=case.version)
        assert [(change.key, change.new_text) for change in changes] == [("pet_name", "小白")]
        assert cases.answers_of(case)["species"] == "dog"
        assert case.state == "review"


def test_what_was_in_time_when_it_was_filed_stays_in_time(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FD03 is asked for thirty days ahead; a correction ten days later does not come ten days too late."""
    with app.app_context():
        form = definitions.current_form("open_flame_performance", taipei_day(NOW))
        lists = answering.lists_of(form, "FD03", NOW, ("company",))
        monkeypatch.setitem(SAMPLES, "FD03", filling.valid(form.fields, taipei_day(NOW), lists))
        case_id = submitted("FD03").id
        case = db.session.get_one(Case, case_id)
        start = cases.answers_of(case)["start"]
        take(case, "request_correction", fields=("event_name", "start"), comment="請寫出活動名稱")
        later = NOW + timedelta(days=10)
        with unit_of_work():
            request = corrections.current(case)
            kept = corrections.starting_raw(case, request, form)
            corrections.save(case, request, {**kept, "event_name": ["火舞"]}, request.version)
            corrections.take_in(citizen(), case, request, later)
        assert (cases.answers_of(case)["start"], cases.answers_of(case)["event_name"]) == (start, "火舞")


def test_an_answer_that_calls_for_another_question_opens_it(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("filed_by",), comment="請確認是否委託他人")
        corrected(case.id, filed_by=["agent"])
        with pytest.raises(AnswersInvalid) as refused, unit_of_work():
            case = db.session.get_one(Case, case.id)
            corrections.take_in(citizen(), case, corrections.current(case), NOW)
        assert set(refused.value.errors) == {
            "agent_name",
            "agent_relation",
            "agent_phone",
            "agent_address",
        }
        asked = {
            "filed_by": ["agent"],
            "agent_name": ["王大明"],
            "agent_relation": ["entrusted"],
            "agent_phone": ["0987654321"],
            "agent_address-township": ["JC"],
            "agent_address-detail": ["民生路60號"],
        }
        corrected(case.id, **asked)
        attach_power_of_attorney(case.id)
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            corrections.take_in(citizen(), case, corrections.current(case), NOW)
        people = db.session.scalars(select(Party).where(Party.case_id == case.id).order_by(Party.id))
        assert [(person.role, person.name) for person in people] == [
            ("applicant", "陳美玲"),
            ("representative", "王大明"),
        ]


def test_a_corrected_answer_counts_the_fee_again(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC06")
        before = case.fee_total
        take(case, "request_correction", fields=("parcels",), comment="請補列一筆土地")
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            request = corrections.current(case)
            raw = corrections.starting_raw(case, request, definitions.form(case.form_revision_id))
            rows = {int(name.split("-")[1]) for name in raw if name.startswith("parcels-")}
            more = {
                name.replace("-0-", f"-{max(rows) + 1}-"): value
                for name, value in raw.items()
                if name.startswith("parcels-0-")
            }
            corrections.save(case, request, {**raw, **more}, request.version)
            corrections.take_in(citizen(), case, request, NOW)
            cases.answer_correction(citizen(), case, NOW, version=case.version)
        assert before is not None and case.fee_total is not None and case.fee_total > before
        assert sum(Decimal(line["amount"]) for line in case.fee_lines) == case.fee_total
        ctx = steps.context(case)
        entry = next(e for e in history.of_case(case, ctx.workflow, ctx.form) if e.kind == "fee_changed")
        assert entry.who.zh == "系統" and entry.fee is not None
        assert [Decimal(amount or 0) for amount in entry.fee] == [before, case.fee_total]
        assert events.broken_links(case.id) == []


def test_a_correction_says_how_it_ended_and_forgets_what_was_typed(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        corrected(case.id, pet_name=["小白"])
        request = corrections.current(case)
        with unit_of_work():
            cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)
        assert (request.closed_at, request.closed_reason, request.raw) == (NOW, "withdrawn", None)


def test_nothing_is_written_into_a_correction_that_was_answered(app: Flask, committed: None) -> None:
    """Two clicks at once: the second has read the open request and comes after the first."""
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        request = corrections.current(case)
        version = request.version
        corrected(case.id, pet_name=["小白"])
        with unit_of_work():
            corrections.take_in(citizen(), case, request, NOW)
            cases.answer_correction(citizen(), case, NOW, version=case.version)
        for late in (
            lambda: corrections.save(case, request, SAMPLES["EC09"], version),
            lambda: corrections.take_in(citizen(), case, request, NOW),
        ):
            with pytest.raises(corrections.NothingOpen), unit_of_work():
                late()
        assert (request.raw, request.closed_reason) == (None, "answered")


@pytest.mark.parametrize(
    ("mode", "says"),
    [("pause", "補正期間不計入辦理期限。"), ("restart", "重新起算"), ("none", "仍計入辦理期限")],
)
def test_the_message_promises_what_the_service_does(
    mode: str, says: str, app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        case = submitted("EC09")
        service = definitions.service(case.service_revision_id)
        monkeypatch.setattr(definitions, "service", lambda _: service.model_copy(update={"correction": mode}))
        _, body = notices.compose(case, "correction", comment="請補件", correction_due=NOW.date())
        assert says in body and ("不計入" in body) == (mode == "pause")
