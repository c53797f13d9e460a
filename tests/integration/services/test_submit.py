"""Submitting: what it writes, how often it asks the database, and that two clicks make one case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from threading import Barrier, Thread

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, citizen, draft, officer, open_tasks, submitted, take
from webapp.crypto import keyed_hash
from webapp.demo.samples import picture
from webapp.errors import AnswersInvalid, NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    Account,
    Case,
    Clock,
    Document,
    DocumentChunk,
    Draft,
    Effect,
    Firing,
    Party,
    Revision,
    Submission,
)
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.services import accounts, applications, documents, drafts, events
from webapp.uow import unit_of_work

MOST_STATEMENTS = 15


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that reaches the driver, whoever sends it."""
    seen: list[str] = []
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def spy(original):
        def wrapped(self, query, *args, **kwargs):
            seen.append(str(query))
            return original(self, query, *args, **kwargs)

        return wrapped

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", spy(execute))
        patch.setattr(psycopg.Cursor, "executemany", spy(executemany))
        yield seen


@pytest.mark.parametrize("code", ["EC06", "EC09", "PW01"])
def test_a_submit_takes_at_most_fifteen_statements(
    app: Flask, committed: None, monkeypatch, code: str
) -> None:
    with app.app_context():
        submitted(code)  # warms the copies of definitions and org chart
        with unit_of_work():
            key = draft(code, citizen()).public_id
        session_id = account("chen.meiling").get_id()
        db.session.remove()
        with counted(monkeypatch) as statements:
            person = accounts.by_session(session_id)
            assert person is not None
            with unit_of_work():
                applications.submit(Actor("citizen", person.id, person.name), key, NOW)
    sent = [s for s in statements if not s.upper().startswith(("BEGIN", "COMMIT"))]
    assert len(sent) <= MOST_STATEMENTS, "\n".join(s[:100] for s in sent)


def test_a_submit_writes_everything_that_follows_from_it(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        assert case.number == "EC09-114-000001"
        assert case.due_on == date(
            2025, 10, 20
        )  # 14 working days: a substitute holiday and two festivals inside
        assert [task.key for task in open_tasks(case)] == ["review"]
        assert db.session.scalars(select(Clock).where(Clock.case_id == case.id)).one().state == "running"
        submission = db.session.scalars(select(Submission).where(Submission.case_id == case.id)).one()
        assert "pet_name" in submission.answers
        assert "applicant_id" not in submission.answers
        assert submission.personal["applicant_id"] == "A123456789"
        assert [p.role for p in db.session.scalars(select(Party).where(Party.case_id == case.id))] == [
            "applicant"
        ]
        files = db.session.scalars(select(Document).where(Document.case_id == case.id)).all()
        assert {file.field_key for file in files} == {"surgery_proof", "registration_proof", "receipt"}
        firings = db.session.execute(
            select(Revision.key, Firing)
            .join(Revision, Revision.id == Firing.ruleset_revision_id)
            .where(Firing.case_id == case.id)
        )
        decided = dict(iter(firings))
        assert sorted(decided) == ["intake_risk", "intake_routing"]
        for firing in decided.values():
            assert firing.outcomes
            assert any(entry["status"] == "fired" for entry in firing.explanation)
        assert (case.risk, decided["intake_risk"].facts["case.documents_missing"]) == ("low", 0)
        kinds = db.session.scalars(select(Effect.kind).where(Effect.case_id == case.id)).all()
        assert sorted(kinds) == ["application", "notice", "receipt"]
        assert db.session.scalars(select(Draft)).all() == []
        assert events.broken_links(case.id) == []


def test_the_risk_knows_what_the_applicant_was_refused_before(app: Flask, committed: None) -> None:
    def refused(times: int) -> None:
        for _ in range(times):
            case = submitted("EC09")
            take(case, "propose_rejection", comment="收據不符")
            take(case, "confirm_rejection")

    with app.app_context():
        refused(2)
        assert submitted("EC09").risk == "low"
        refused(1)
        assert submitted("EC09").risk == "high"
        # somebody else has a record of their own; what needs a co-review is a medium risk
        assert submitted("PW01", actor=citizen("wang.daming")).risk == "medium"
        # what a clerk types in is judged without the record of the clerk
        taken_in = {"channel": "counter", "clerk": account("huang.meilan").id}
        with unit_of_work():
            key = draft("EC09", officer("huang.meilan"), intake=taken_in).public_id
        with unit_of_work():
            assert applications.submit(officer("huang.meilan"), key, NOW).risk == "low"


def test_numbers_run_by_service_and_year(app: Flask, committed: None) -> None:
    with app.app_context():
        numbers = [submitted(code).number for code in ("EC09", "EC09", "PW01")]
    assert numbers == ["EC09-114-000001", "EC09-114-000002", "PW01-114-000001"]


def test_two_submits_at_once_make_one_case(app: Flask, committed: None) -> None:
    with app.app_context(), unit_of_work():
        actor = citizen()
        key = draft("EC09", actor).public_id
    both, results = Barrier(2), []

    def send() -> None:
        with app.app_context():
            both.wait()
            try:
                with unit_of_work():
                    results.append(applications.submit(actor, key, NOW).number)
            except applications.AlreadySubmitted as again:
                results.append(again.case.number)

    threads = [Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["EC09-114-000001"] * 2


def test_a_refused_submit_keeps_the_draft(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            key = draft("EC09", citizen(), chip_no=["123"]).public_id
        with pytest.raises(AnswersInvalid) as refused, unit_of_work():
            applications.submit(citizen(), key, NOW)
        assert set(refused.value.errors) == {"chip_no"}
        assert drafts.own(citizen(), key, NOW).raw["chip_no"] == ["123"]


def test_nobody_submits_the_draft_of_another(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            key = draft("EC09", citizen()).public_id
        with pytest.raises(NotFound), unit_of_work():
            applications.submit(citizen("wang.daming"), key, NOW)
        assert drafts.own(citizen(), key, NOW)


def test_a_document_of_another_draft_is_refused(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            strange = draft("EC09", citizen("wang.daming"))
            mine = draft("EC09", citizen())
            mine.raw = {**mine.raw, "receipt": strange.raw["receipt"]}
            key = mine.public_id
        with pytest.raises(Refused), unit_of_work():
            applications.submit(citizen(), key, NOW)
        assert db.session.scalars(select(Case)).all() == []


def test_an_upload_that_no_answer_names_goes_with_the_draft(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            made = draft("EC09", citizen())
            extra = documents.upload(
                citizen(),
                made.public_id,
                definitions.form(made.form_revision_id).field("receipt"),
                "too-many.png",
                picture(),
                NOW,
            )
            key, name = made.public_id, extra.public_id
        with unit_of_work():
            applications.submit(citizen(), key, NOW)
        assert db.session.scalars(select(Document).where(Document.public_id == name)).all() == []
        assert len(db.session.scalars(select(Document)).all()) == 3


def test_a_discarded_draft_leaves_no_upload_behind(app: Flask, committed: None) -> None:
    with app.app_context():
        with unit_of_work():
            key = draft("EC09", citizen()).public_id
        with unit_of_work():
            drafts.discard(drafts.own(citizen(), key, NOW))
        assert db.session.scalars(select(Document)).all() == []
        assert db.session.scalars(select(DocumentChunk)).all() == []


def test_an_officer_whose_own_address_or_number_stands_in_it_is_not_chosen(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        chosen = db.session.get_one(Account, open_tasks(submitted("EC09"))[0].assignee_id)
        by_address = [submitted("EC09", email=[chosen.email or ""]) for _turn in range(4)]
        assert chosen.id not in {open_tasks(case)[0].assignee_id for case in by_address}
        with unit_of_work():
            chosen.mobile_hash = keyed_hash("0911000333", "mobile")
        by_number = [submitted("EC09", phone=["0911-000-333"]) for _turn in range(4)]
        assert chosen.id not in {open_tasks(case)[0].assignee_id for case in by_number}


def test_nor_is_who_applies_by_their_own_account(app: Flask, committed: None) -> None:
    with app.app_context():
        chosen = db.session.get_one(Account, open_tasks(submitted("EC09"))[0].assignee_id)
        own = Actor("staff", chosen.id, chosen.name)
        assert chosen.id not in {
            open_tasks(submitted("EC09", actor=own))[0].assignee_id for _turn in range(4)
        }
