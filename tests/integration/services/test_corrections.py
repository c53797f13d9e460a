"""Corrections: only the named fields change, and an answer that calls for another question opens it."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, citizen, submitted, take
from webapp.demo.samples import SAMPLES
from webapp.errors import AnswersInvalid
from webapp.extensions import db
from webapp.models import Case, Party
from webapp.services import cases, corrections
from webapp.uow import unit_of_work


def corrected(case_id: int, **changes: list[str]) -> None:
    with unit_of_work():
        case = db.session.get_one(Case, case_id)
        request = corrections.current(case)
        corrections.save(case, request, {**SAMPLES["EC09"], **changes}, request.version)


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


def test_an_answer_that_calls_for_another_question_opens_it(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "request_correction", fields=("filed_by",), comment="請確認是否委託他人")
        corrected(case.id, filed_by=["agent"])
        with pytest.raises(AnswersInvalid) as refused, unit_of_work():
            case = db.session.get_one(Case, case.id)
            corrections.take_in(citizen(), case, corrections.current(case), NOW)
        assert set(refused.value.errors) == {"agent_name", "agent_phone"}
        corrected(case.id, filed_by=["agent"], agent_name=["王大明"], agent_phone=["0987654321"])
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            corrections.take_in(citizen(), case, corrections.current(case), NOW)
        people = db.session.scalars(select(Party).where(Party.case_id == case.id).order_by(Party.id))
        assert [(person.role, person.name) for person in people] == [
            ("applicant", "陳美玲"),
            ("representative", "王大明"),
        ]
