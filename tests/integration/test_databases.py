"""What the fixtures promise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import Session, scoped_session

from webapp.extensions import db
from webapp.models import CalendarOverride, Unit
from webapp.moments import utc_now
from webapp.uow import unit_of_work

DAY = date(2026, 2, 28)


def overrides() -> int:
    return (
        db.session.scalar(
            select(func.count()).select_from(CalendarOverride).where(CalendarOverride.day == DAY)
        )
        or 0
    )


def add_override() -> None:
    db.session.add(CalendarOverride(day=DAY, kind="work", reason="補行上班", created_at=utc_now()))


@pytest.mark.parametrize("run", ["first", "second"])
def test_what_a_service_test_commits_is_gone_afterwards(
    db_session: scoped_session[Session], run: str
) -> None:
    assert overrides() == 0
    with unit_of_work():
        add_override()
    db_session.expire_all()
    assert overrides() == 1


def test_a_rollback_in_a_service_test_takes_back_only_its_own(db_session: scoped_session[Session]) -> None:
    with unit_of_work():
        add_override()
    with pytest.raises(LookupError), unit_of_work():
        db_session.execute(text("DELETE FROM calendar_override"))
        raise LookupError
    assert overrides() == 1


@pytest.mark.parametrize("run", ["first", "second"])
def test_what_a_request_commits_is_gone_afterwards(app: Flask, committed: None, run: str) -> None:
    with app.app_context():
        assert overrides() == 0
        with unit_of_work():
            add_override()
    with app.app_context():
        assert overrides() == 1


@pytest.mark.parametrize("run", ["first", "second"])
@pytest.mark.parametrize("change", ["UPDATE unit SET phone = '119'", "DELETE FROM holder"])
def test_a_changed_county_is_whole_again(app: Flask, committed: None, change: str, run: str) -> None:
    with app.app_context():
        assert not db.session.scalar(text("SELECT count(*) FROM unit WHERE phone = '119'"))
        assert db.session.scalar(text("SELECT count(*) FROM holder"))
        with unit_of_work():
            db.session.execute(text(change))


def test_the_county_is_there(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Unit))


def test_copies_are_separate(new_database: Callable[[], str]) -> None:
    first, second = create_engine(new_database()), create_engine(new_database())
    with first.begin() as connection:
        connection.execute(text("DELETE FROM holder"))
        connection.execute(text("DELETE FROM position"))
    with second.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM position")).scalar_one()
    first.dispose()
    second.dispose()
