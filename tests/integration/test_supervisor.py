"""The pieces of `ecounter run`. The whole of it runs in tests/functional/test_run.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from webapp import supervisor
from webapp.supervisor import CannotRun, Child

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
#: ignores the request to stop, and has a child of its own that does the same
STUBBORN = [
    sys.executable,
    "-c",
    """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(sleeper.pid, flush=True)
time.sleep(600)
""",
]
SUPERVISOR = f"""
import time
from webapp.supervisor import Child
child = Child("工作", "job", {SLEEP!r})
child.start()
print(child.process.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_the_end(pid: int) -> None:
    if is_alive(pid):
        psutil.wait_procs([psutil.Process(pid)], timeout=20)
    assert not is_alive(pid)


def test_a_child_that_dies_is_started_again_after_a_growing_pause(capsys: pytest.CaptureFixture[str]) -> None:
    child = Child("工作", "job", [sys.executable, "-c", "raise SystemExit(3)"])
    child.start()
    for pause in (1, 2, 4):
        assert child.process
        child.process.wait()
        child.revive()
        assert child.process is None
        assert child.pause == pause
        assert f"{pause} 秒後重新啟動" in capsys.readouterr().out
        child.due = 0
        child.revive()
    child.stop()
    assert not child.is_alive()


def test_a_child_that_lived_well_is_started_again_at_once() -> None:
    child = Child("工作", "job", SLEEP)
    child.start()
    assert child.process
    first = child.process
    child.born -= supervisor.A_GOOD_LIFE + 1
    first.kill()
    first.wait()
    child.revive()
    assert child.is_alive()
    assert child.process is not first
    child.stop()


def test_stopping_ends_the_whole_family(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "SECONDS_TO_STOP", 1)
    child = Child("工作", "job", STUBBORN)
    child.start()
    assert child.process
    parent = psutil.Process(child.process.pid)
    grandchild = 0
    while not grandchild:
        grandchild = int(capfd.readouterr().out or 0)
    child.stop()
    wait_for_the_end(grandchild)
    assert not is_alive(parent.pid)


def test_children_end_with_a_supervisor_that_is_killed() -> None:
    starter = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    with starter.stdout:
        pid = int(starter.stdout.readline())
        assert is_alive(pid)
        starter.kill()
        starter.wait()
    wait_for_the_end(pid)


def test_ctrl_c_does_not_reach_the_children_directly() -> None:
    child = Child("工作", "job", SLEEP)
    child.start()
    assert child.process
    assert os.getpgid(child.process.pid) == child.process.pid != os.getpgrp()
    child.stop()


def test_without_a_named_port_the_next_free_one_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        monkeypatch.setattr(supervisor, "DEFAULT_PORT", number)
        with supervisor.listen("127.0.0.1", None) as listener:
            assert number < listener.getsockname()[1] < number + supervisor.PORTS_TO_TRY
            assert f"埠 {number} 已被使用" in capsys.readouterr().out


def test_a_named_port_in_use_is_refused_in_both_languages() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=f"無法使用 127.0.0.1 的埠 {number}.*choose another"):
            supervisor.listen("127.0.0.1", number)


@pytest.mark.parametrize(
    ("host", "name"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")],
)
def test_the_address_can_be_opened(host: str, name: str) -> None:
    with supervisor.listen(host, 0) as listener:
        assert supervisor._address(host, listener) == f"http://{name}:{listener.getsockname()[1]}"


def test_a_second_counter_on_the_same_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOUNTER_VAR", str(tmp_path))
    with supervisor._only_one() as note:
        note.write("4711 http://127.0.0.1:8000")
        note.flush()
        with (
            pytest.raises(CannotRun, match=r"已在執行：http://127.0.0.1:8000（程序 4711）"),
            supervisor._only_one(),
        ):
            raise AssertionError("two counters on one folder")
    with supervisor._only_one():
        assert (tmp_path / "run.lock").read_text() == ""


def test_a_signal_waits_unless_work_may_be_cut_short() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        stop = supervisor.Stop()
        with pytest.raises(KeyboardInterrupt), stop.interrupts():
            signal.raise_signal(signal.SIGTERM)
        assert stop.is_set()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), stop.interrupts():
            raise AssertionError("work was begun after the signal")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
