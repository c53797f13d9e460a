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
#: table, the revisions before and after, and a row with its reason
REASONS = [
    (
        "clock_movement",
        ("0022", "0023"),
        "INSERT INTO clock_movement (clock_id, kind, on_date, reason, due_before, due_after, at) VALUES"
        " (1, 'pause', '2026-11-02', '申請人住院', '2026-11-09', '2026-11-09', '2026-11-02T02:00Z')",
    ),
    (
        "absence",
        ("0023", "0025"),
        "INSERT INTO absence (account_id, starts_on, ends_on, reason) VALUES"
        " (1, '2026-11-02', '2026-11-09', '申請人住院')",
    ),
]


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


@pytest.mark.parametrize(("table", "revisions", "row"), REASONS)
def test_reasons_are_kept_and_no_longer_read(
    connection: Connection, table: str, revisions: tuple[str, str], row: str
) -> None:
    crypto.configure(os.environ["ECOUNTER_DATA_KEY"])
    before, after = revisions
    reason = text(f"SELECT reason FROM {table}")
    go(connection, before)
    connection.execute(text("SET session_replication_role = replica"))  # no foreign keys
    connection.execute(text(row))
    go(connection, after)
    stored = connection.execute(reason).scalar_one()
    assert "住院".encode() not in bytes(stored)
    assert crypto.decrypt(bytes(stored)) == "申請人住院"
    go(connection, before, down=True)
    assert connection.execute(reason).scalar_one() == "申請人住院"
