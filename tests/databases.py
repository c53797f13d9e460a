"""One server a test run, one template, and copies of it: cheaper than migrating, cleaner than deleting."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from sqlalchemy import create_engine, make_url, text

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


class Databases:
    """Makes and drops databases of this run; their names carry its number, so that runs may share a server."""

    def __init__(self, server_url: str) -> None:
        self.server = make_url(server_url)
        self.made: list[str] = []
        self.admin = create_engine(self.server.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def url(self, name: str) -> str:
        return self.server.set(database=self._full(name)).render_as_string(hide_password=False)

    def create(self, name: str, template: str | None = None) -> str:
        """The address of a new database: empty, or a copy."""
        source = self._full(template) if template else "template0"
        with self.admin.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{self._full(name)}" WITH (FORCE)'))
            connection.execute(
                text(f'CREATE DATABASE "{self._full(name)}" TEMPLATE "{source}" STRATEGY file_copy')
            )
        self.made.append(name)
        return self.url(name)

    def drop_all(self) -> None:
        with self.admin.connect() as connection:
            for name in set(self.made):
                connection.execute(text(f'DROP DATABASE IF EXISTS "{self._full(name)}" WITH (FORCE)'))
        self.admin.dispose()

    def _full(self, name: str) -> str:
        return f"ecounter_test_{os.getpid()}_{name}"
