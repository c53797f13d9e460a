"""Databases and the application for every test that needs them.

The application is imported inside the fixtures: tests of the pure packages must run without it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeAlias

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from sqlalchemy import text
from sqlalchemy.orm import Session, scoped_session

from rules.values import Problem
from tests.databases import Databases, server
from tests.programs import Counter, open_counter

# a busy machine is no mistake
settings.register_profile("counter", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("counter")

SECRETS = {
    "SECRET_KEY": "a secret of the tests",
    "ECOUNTER_DATA_KEY": b64encode(bytes(32)).decode(),
    "DEMO": "1",
}
#: what webapp.queries.generations keeps
Copies: TypeAlias = dict[tuple[str, str], tuple[int, Any]]
#: the counter as it opens: newest schema, definitions published, the demonstration county, no case
TEMPLATE = "template"
PLAN_TABLES = (
    "proposal_call",
    *("register", "register_entry", "progress_report", "published_figure", "baseline", "baseline_point"),
    *("plan", "plan_unit", "plan_site", "plan_budget", "plan_milestone", "plan_grade"),
)


_QUOTED = re.compile("“[^”]*”")
_CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


@pytest.fixture(scope="session", autouse=True)
def mistakes_are_said_in_english() -> Iterator[None]:
    """Whatever mistake of a definition a test brings about. Quoted, what somebody typed may be Chinese."""
    as_made = Problem.__init__

    def made(self: Problem, **given: Any) -> None:
        as_made(self, **given)
        assert self.message.en, f"no English: {self.message.zh}"
        assert not _CHINESE.search(_QUOTED.sub("", self.message.en)), self.message.en

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "__init__", made)
        yield


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    from webapp import setup

    with server() as url, pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        made = Databases(url)
        setup.prepare(made.create(TEMPLATE))
        yield made
        made.drop_all()


@pytest.fixture
def new_database(databases: Databases) -> Callable[[], str]:
    """Addresses of fresh databases, for tests that start programs of their own."""
    numbers = count()
    return lambda: databases.create(f"own_{next(numbers)}", TEMPLATE)


@pytest.fixture(scope="session")
def counter(databases: Databases) -> Iterator[Counter]:
    """The real programs, web server and worker, on a database of their own. Tests share it, as citizens do."""
    with open_counter(databases.create("counter", TEMPLATE)) as opened:
        yield opened


@pytest.fixture(scope="session")
def office(counter: Counter) -> Iterator[Flask]:
    """The application on the database of the open counter: puts cases there, and looks behind the pages."""
    from webapp import create_app
    from webapp.extensions import db

    made = create_app({"DATABASE_URL": counter.database_url})
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def app(databases: Databases) -> Iterator[Flask]:
    """One application a run, on a copy of the template. Tests of CSRF switch it on in the configuration."""
    from webapp import create_app
    from webapp.extensions import db

    url = databases.create("main", TEMPLATE)
    made = create_app({**SECRETS, "DATABASE_URL": url, "TESTING": True, "WTF_CSRF_ENABLED": False})
    yield made
    with made.app_context():
        db.engine.dispose()


@pytest.fixture
def db_session(app: Flask, first_copies: Copies) -> Iterator[scoped_session[Session]]:
    """For tests of services and queries: `commit` works, and nothing outlives the test."""
    from webapp.extensions import db

    with app.app_context():
        engine = db.engine
        with engine.connect() as connection:
            everything = connection.begin()
            connection.url = engine.url  # type: ignore[attr-defined]  # it stands in for the engine
            db.engines[None] = connection  # type: ignore[assignment]
            db.session.configure(join_transaction_mode="create_savepoint")
            try:
                yield db.session
            finally:
                db.session.remove()
                db.session.configure(join_transaction_mode="conditional_savepoint")
                db.engines[None] = engine
                everything.rollback()
                remember(first_copies)


@pytest.fixture
def no_plans(db_session: scoped_session[Session]) -> None:
    """Without the plans that the demonstration county shows."""
    db_session.execute(text("set local session_replication_role = replica"))  # no triggers, no foreign keys
    db_session.execute(text("delete from firing where progress_report_id is not null"))
    for table in PLAN_TABLES:
        db_session.execute(text(f"delete from {table}"))
    db_session.execute(text("set local session_replication_role = origin"))


@pytest.fixture
def committed(databases: Databases, first_copies: Copies) -> Iterator[None]:
    """For tests that commit, as every request does. What they wrote is gone afterwards."""
    before = databases.next_transaction()
    yield
    if databases.next_transaction() != before:
        databases.restore("main", TEMPLATE)
        remember(first_copies)


@pytest.fixture(scope="session")
def first_copies(app: Flask) -> Copies:
    """Org chart, calendar and definitions of the county as it opens, read once."""
    from webapp.queries import definitions, generations, org

    with app.app_context():
        org.chart()
        org.calendar()
        definitions.keys("service")
    return dict(generations._copies)


def remember(copies: Copies) -> None:
    """Lets the process forget what it has read since."""
    from webapp.queries import generations

    generations._copies.clear()
    generations._copies.update(copies)


@pytest.fixture
def client(app: Flask, committed: None) -> FlaskClient:
    return app.test_client()
