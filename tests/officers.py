"""Officers before the pages, and the steps of a case that only applicants take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import TypeVar

import psycopg
import pytest
from flask import Flask

from tests.journeys import NOW, account, citizen, login_of, open_tasks
from tests.visitor import Visitor, in_process
from webapp.extensions import db
from webapp.models import Absence, Case
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.queries.generations import bump
from webapp.services import cases, corrections
from webapp.uow import unit_of_work

T = TypeVar("T")


def signed_in(app: Flask, login: str) -> Visitor:
    """Somebody who has signed in, whatever the sign-in page looks like."""
    client = app.test_client()
    with app.app_context(), client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = account(login).get_id(), True
    return in_process(client)


def at(app: Flask, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """What time it is for the pages."""
    monkeypatch.setitem(app.config, "CLOCK", lambda: now)


def made(app: Flask, make: Callable[[], T]) -> T:
    """Runs in a context of its own, so that no page shares its session."""
    with app.app_context():
        return make()


def case_of(pid: str) -> Case:
    return db.session.query(Case).filter_by(public_id=pid).one()


def officer_of(case: Case) -> str:
    """The login of whoever holds the case."""
    return login_of(open_tasks(case)[0].assignee_id or 0)


def corrected(case: Case, now: datetime = NOW, by: Actor | None = None, **changes: list[str]) -> None:
    """The applicant answers what was asked."""
    sender = by or citizen()
    with unit_of_work():
        request = corrections.current(case)
        kept = corrections.starting_raw(case, request, definitions.form(case.form_revision_id))
        corrections.save(case, request, {**kept, **changes}, request.version)
        corrections.take_in(sender, case, request, now)
        cases.answer_correction(sender, case, now, version=case.version)


def absent(login: str, deputy: str, first: date, last: date) -> None:
    with unit_of_work():
        db.session.add(
            Absence(account_id=account(login).id, deputy_id=account(deputy).id, starts_on=first, ends_on=last)
        )
        bump("org")


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that reaches the driver, whoever sends it."""
    seen: list[str] = []
    execute = psycopg.Cursor.execute

    def spy(self, query, *args, **kwargs):
        seen.append(str(query))
        return execute(self, query, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", spy)
        yield seen
