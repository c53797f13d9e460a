"""The schema that migrations make is the one that the models name, up, down and up again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text

from tests.databases import Databases
from webapp import crypto, migrate
from webapp.config import driver_url
from webapp.extensions import db

OF_THE_JOB_ENGINE = "procrastinate_"
BEFORE_REASONS = "0021"


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """To a database without any schema."""
    engine = create_engine(driver_url(databases.create("migrated")))
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def go(connection: Connection, target: str, *, down: bool = False) -> None:
    settings = migrate.config()
    settings.attributes["connection"] = connection
    (command.downgrade if down else command.upgrade)(settings, target)


def tables(connection: Connection) -> set[str]:
    return {
        name for name in inspect(connection).get_table_names() if not name.startswith(OF_THE_JOB_ENGINE)
    } - {"alembic_version"}


def test_up_down_and_up_again(connection: Connection) -> None:
    go(connection, "0001")
    before = tables(connection)
    go(connection, "head")
    assert tables(connection) == set(db.metadata.tables)
    go(connection, "0001", down=True)
    assert tables(connection) == before
    go(connection, "head")
    context = MigrationContext.configure(
        connection,
        opts={
            "include_name": lambda name, kind, _: kind != "table" or not name.startswith(OF_THE_JOB_ENGINE)
        },
    )
    assert compare_metadata(context, db.metadata) == []


def test_reasons_of_clocks_are_kept_and_no_longer_read(connection: Connection) -> None:
    crypto.configure(os.environ["ECOUNTER_DATA_KEY"])
    go(connection, BEFORE_REASONS)
    connection.execute(text("SET session_replication_role = replica"))  # no foreign keys
    connection.execute(
        text(
            "INSERT INTO clock_movement (clock_id, kind, on_date, reason, due_before, due_after, at) VALUES"
            " (1, 'pause', '2026-11-02', '申請人住院', '2026-11-09', '2026-11-09', '2026-11-02T02:00Z')"
        )
    )
    go(connection, "0023")
    stored = connection.execute(text("SELECT reason FROM clock_movement")).scalar_one()
    assert "住院".encode() not in bytes(stored)
    assert crypto.decrypt(bytes(stored)) == "申請人住院"
    go(connection, BEFORE_REASONS, down=True)
    assert connection.execute(text("SELECT reason FROM clock_movement")).scalar_one() == "申請人住院"
