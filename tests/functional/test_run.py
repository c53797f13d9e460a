"""`ecounter run` as an operator meets it: open, refuse a second one, survive kills, stop clean, keep the data."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from webapp import embedded_postgres, trial

COMMAND = [sys.executable, "-m", "webapp.cli", "run", "--port", "0"]


def settings(var: Path) -> dict[str, str]:
    """An environment with nothing but a folder."""
    named = {"DATABASE_URL", *trial.SECRETS}
    return {
        **{name: value for name, value in os.environ.items() if name not in named},
        "ECOUNTER_VAR": str(var),
    }


class Run:
    """One `ecounter run`, read line by line."""

    def __init__(self, var: Path) -> None:
        self.process = subprocess.Popen(
            COMMAND,
            cwd=trial.PROJECT,
            env=settings(var),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []

    def read_until(self, wanted: str) -> str:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if wanted in line:
                return line
        raise AssertionError(f"ended without {wanted!r}:\n" + "".join(self.lines))

    def address(self) -> str:
        return self.read_until("已開張").split("：", 1)[1].split(" ", 1)[0]

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        assert self.process.stdout
        self.lines += self.process.stdout.readlines()
        return self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Run]]:
    runs: list[Run] = []

    def begin() -> Run:
        runs.append(Run(tmp_path))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.stop(signal.SIGTERM)
        assert run.process.stdout
        run.process.stdout.close()
    embedded_postgres.stop(tmp_path / "postgres")


def get(address: str) -> int:
    with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310  # our own address
        return int(answer.status)


def family(run: Run, data_dir: Path) -> list[psutil.Process]:
    """Everything that this run has started, the database included."""
    database = embedded_postgres.find(data_dir)
    assert database
    return [*psutil.Process(run.process.pid).children(recursive=True), database, *database.children()]


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """What has not ended after a while. Orphans that are dead but not yet buried have ended."""
    until = time.monotonic() + 30
    while (alive := [process for process in processes if is_alive(process)]) and time.monotonic() < until:
        time.sleep(0.1)
    return alive


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def remember(data_dir: Path, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        embedded_postgres.url(data_dir).replace("+psycopg", ""), autocommit=True
    ) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def test_open_kill_stop_and_open_again(start: Callable[[], Run], tmp_path: Path) -> None:
    data_dir = tmp_path / "postgres"
    first = start()
    address = first.address()
    assert get(address) == 200
    assert "officer.ca-con@ecounter.example" in (tmp_path / "demonstration-logins.txt").read_text("utf-8")
    remember(data_dir, "CREATE TABLE memory AS SELECT 'kept' AS text")

    second = start()
    assert second.process.wait() == 1
    assert "已在執行" in second.read_until(address)

    checked = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "verify-history"],
        cwd=trial.PROJECT,
        env=settings(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout.endswith("0 broken\n"), checked.stderr

    for child in first.children():
        child.kill()
        first.read_until("意外結束")
    assert get(address) == 200

    started = family(first, data_dir)
    assert first.stop(signal.SIGINT) == 0
    assert living(started) == []
    assert embedded_postgres.find(data_dir) is None

    third = start()
    assert get(third.address()) == 200
    started = psutil.Process(third.process.pid).children(recursive=True)
    third.process.kill()
    third.process.wait()
    assert living(started) == []
    assert embedded_postgres.find(data_dir)

    fourth = start()
    assert get(fourth.address()) == 200
    assert remember(data_dir, "SELECT text FROM memory") == [("kept",)]
    started = family(fourth, data_dir)
    assert fourth.stop(signal.SIGTERM) == 0
    assert living(started) == []


def test_a_start_that_is_interrupted_leaves_nothing(start: Callable[[], Run], tmp_path: Path) -> None:
    run = start()
    run.read_until("更新資料表")
    started = family(run, tmp_path / "postgres")
    assert run.stop(signal.SIGINT) == 0
    assert living(started) == []
    assert embedded_postgres.find(tmp_path / "postgres") is None


def test_a_database_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ECOUNTER_VAR": str(tmp_path),
        "DATABASE_URL": "postgresql://127.0.0.1:1/none",
    }
    done = subprocess.run(
        COMMAND, cwd=trial.PROJECT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "資料庫無法使用" in done.stderr
    assert "Traceback" not in done.stderr
