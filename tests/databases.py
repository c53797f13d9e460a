"""One server a test run, one template, and copies of it: cheaper than migrating, cleaner than deleting."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import Connection, Engine, NullPool, create_engine, make_url, text

from webapp import embedded_postgres, trial
from webapp.config import driver_url

FOLDER = trial.PROJECT / "var" / "tests"


@contextmanager
def server() -> Iterator[str]:
    """The address of a server on which databases may be made: TEST_DATABASE_URL, or an embedded one of this run."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield driver_url(given)
        return
    _sweep()
    data_dir = FOLDER / str(os.getpid())
    try:
        yield embedded_postgres.start(data_dir, durable=False)
    finally:
        _remove(data_dir)


def _sweep() -> None:
    """A run that was killed could not stop its server."""
    for lock in FOLDER.glob("*.lock"):
        if not psutil.pid_exists(int(lock.stem)):
            _remove(lock.with_suffix(""))


def _remove(data_dir: Path) -> None:
    embedded_postgres.stop(data_dir)
    shutil.rmtree(data_dir, ignore_errors=True)
    with suppress(FileNotFoundError):
        data_dir.with_name(data_dir.name + ".lock").unlink()


@dataclass(frozen=True)
class Mark:
    """How a copy began: which transaction numbers come after it, and how many rows each table held."""

    next_transaction: int
    rows: dict[str, int]


@dataclass(frozen=True)
class Held:
    """What a table holds: rows from before a transaction, and rows written since."""

    before: int
    since: int


class Databases:
    """Makes and drops databases of this run; their names carry its number, so that runs may share a server."""

    def __init__(self, server_url: str) -> None:
        self.server = make_url(server_url)
        self.admin = create_engine(self.server.set(database="postgres"), isolation_level="AUTOCOMMIT")
        self.marks: dict[str, Mark] = {}
        #: kept open, by database: a connection of its own for every restoration costs more than the restoration
        self.engines: dict[str, Engine] = {}

    def url(self, name: str) -> str:
        return self.server.set(database=self._full(name)).render_as_string(hide_password=False)

    def create(self, name: str, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy."""
        source = self._full(template) if template else "template0"
        if name in self.engines:
            self.engines.pop(name).dispose()
        with self.admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{self._full(name)}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{self._full(name)}" TEMPLATE "{source}"'))
        with self._inside(name) as connection:
            now = _held(connection, 0)
            self.marks[name] = Mark(
                self.next_transaction(), {table: each.since for table, each in now.items()}
            )
        return self.url(name)

    def restore(self, name: str, template: str) -> None:
        """Back to the beginning of a copy: rows written since then are deleted, and a table of which a row of the
        beginning was changed, and so went with them, is filled anew. Nobody may be in a transaction."""
        mark = self.marks[name]
        if name not in self.engines:
            self.engines[name] = create_engine(self.url(name), pool_size=1)
        with self.engines[name].begin() as connection:
            # no triggers, no foreign keys
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            held = _held(connection, mark.next_transaction)
            changed = [table for table, each in held.items() if each.before != mark.rows[table]]
            for table, each in held.items():
                if each.since and table not in changed:
                    gone = text(f"DELETE FROM {table} WHERE {WRITTEN_SINCE}")
                    connection.execute(gone, {"first": mark.next_transaction})
            if changed:
                with self._inside(template) as source:
                    for table in changed:
                        _refill(table, source, connection)
        self.marks[name] = Mark(self.next_transaction(), mark.rows)

    def next_transaction(self) -> int:
        """Moves with every transaction that writes, on the whole server."""
        with self.admin.connect() as connection:
            number = connection.execute(text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text"))
            return int(number.scalar_one())

    def drop_all(self) -> None:
        for engine in self.engines.values():
            engine.dispose()
        with self.admin.connect() as connection:
            for name in self.marks:
                connection.execute(text(f'DROP DATABASE IF EXISTS "{self._full(name)}" WITH (FORCE)'))
        self.admin.dispose()

    def _full(self, name: str) -> str:
        return f"ecounter_test_{os.getpid()}_{name}"

    @contextmanager
    def _inside(self, name: str) -> Iterator[Connection]:
        engine = create_engine(self.url(name), poolclass=NullPool)
        with engine.begin() as connection:
            yield connection


def _refill(table: str, source: Connection, target: Connection) -> None:
    target.execute(text(f"DELETE FROM {table}"))
    driver = [each.connection.driver_connection for each in (source, target)]
    with (
        driver[0].cursor().copy(f"COPY {table} TO STDOUT") as rows,
        driver[1].cursor().copy(f"COPY {table} FROM STDIN") as into,
    ):
        for block in rows:
            into.write(block)


#: a transaction number has no order of its own
WRITTEN_SINCE = "xmin::text::bigint >= :first"


def _held(connection: Connection, first: int) -> dict[str, Held]:
    """By table, in one statement."""
    tables = connection.execute(
        text(
            "SELECT quote_ident(relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
    ).scalars()
    since = f"count(*) FILTER (WHERE {WRITTEN_SINCE})"
    counts = " UNION ALL ".join(
        f"SELECT '{table}', count(*) - {since}, {since} FROM {table}" for table in tables
    )
    rows = connection.execute(text(counts), {"first": first}) if counts else ()
    return {table: Held(before, after) for table, before, after in rows}
