"""`ecounter run`: database, web server and worker under one roof, and nothing left when it ends."""

from __future__ import annotations

import fcntl
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import IO

from sqlalchemy.exc import OperationalError

from webapp import embedded_postgres, trial

DEFAULT_PORT = 8000
PORTS_TO_TRY = 20
THREADS = 4
SECONDS_TO_STOP = 25
SECONDS_TO_ANSWER = 120
SECONDS_A_TRY = 5
LONGEST_PAUSE = 30
#: a child that lived so long starts anew without a pause
A_GOOD_LIFE = 60
TICK = 0.2
#: lists the logins of the demonstration that are too many to print
EVERYBODY = "demonstration-logins.txt"


class CannotRun(RuntimeError):
    """The counter cannot open; the message tells the operator why, in two languages."""


def say(zh: str, en: str) -> None:
    print(f"▸ {zh} ({en})", flush=True)


def run(host: str = "127.0.0.1", port: int | None = None, workers: int = 2) -> int:
    """Runs until Ctrl-C or SIGTERM. Returns the exit code."""
    stop = Stop()
    try:
        with _only_one() as note, listen(host, port) as listener:
            address = _address(host, listener)
            note.write(f"{os.getpid()} {address}")
            note.flush()
            _open(listener, address, workers, stop)
    except (CannotRun, trial.NotATrial, embedded_postgres.EmbeddedServerError) as error:
        if not stop.is_set():
            print(f"✗ {error}", file=sys.stderr, flush=True)
            return 1
    say("已停止，資料已保存", "stopped; the data is kept")
    return 0


class Stop(threading.Event):
    """Set by Ctrl-C, SIGTERM or a closed terminal. Only where we say so does a signal also cut work short."""

    def __init__(self) -> None:
        super().__init__()
        self._interrupts = False
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: object) -> None:
        self.set()
        if self._interrupts:
            self._interrupts = False
            raise KeyboardInterrupt

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        """For work that may take long and can be cut short."""
        self._interrupts = True
        try:
            if self.is_set():
                raise KeyboardInterrupt
            yield
        finally:
            self._interrupts = False


def _open(listener: socket.socket, address: str, workers: int, stop: Stop) -> None:
    os.environ.update(trial.secret_settings())
    with suppress(KeyboardInterrupt), _database() as url:
        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("BASE_URL", address)
        os.environ.setdefault("DEMO", "0" if trial.is_production() else "1")
        with stop.interrupts():
            logins = _prepare(url)
        children = [
            Child("網站", "web", web_command(f"fd://{listener.fileno()}", workers), keep=[listener.fileno()]),
            Child("背景工作", "worker", worker_command()),
        ]
        try:
            say("啟動網站與背景工作", "starting web server and worker")
            for child in children:
                child.start()
            with stop.interrupts():
                wait_for_an_answer(children[0], listener)
            _welcome(address, logins)
            while not stop.wait(TICK):
                for child in children:
                    child.revive()
        finally:
            say("停止網站與背景工作", "stopping web server and worker")
            listener.close()
            for child in children:
                child.stop()


def _prepare(url: str) -> Sequence[tuple[str, str, str]]:
    from webapp import setup  # the whole product: imported only when the cheap checks have passed

    say("更新資料表、載入定義與示範資料", "migrating, loading definitions and the demonstration county")
    try:
        setup.prepare(url)
    except OperationalError as error:
        raise CannotRun(f"資料庫無法使用 (the database cannot be used): {error.orig}") from error
    logins = setup.demo_logins()
    if logins:
        setup.list_demo_people(trial.folder() / EVERYBODY)
    return logins


def _welcome(address: str, logins: Sequence[tuple[str, str, str]]) -> None:
    say(f"E櫃檯已開張：{address}", "open; stop with Ctrl-C")
    if logins:
        say("示範帳號", "demonstration logins: login, password, role")
        for role, login, password in logins:
            print(f"    {login:<36}{password:<18}{role}", flush=True)
        say(
            f"其餘示範帳號見 {trial.folder() / EVERYBODY}",
            "the other logins are in this file; one password for all",
        )


# --- Database


@contextmanager
def _database() -> Iterator[str]:
    if given := os.environ.get("DATABASE_URL"):
        say("使用 DATABASE_URL 指定的資料庫", "using the database of DATABASE_URL")
        yield given
        return
    say("啟動資料庫", "starting the embedded PostgreSQL")
    data_dir = trial.data_dir()
    try:
        yield embedded_postgres.start(data_dir)
    finally:
        say("停止資料庫", "stopping the database")
        embedded_postgres.stop(data_dir)


# --- Children


def web_command(bind: str, workers: int = 2) -> list[str]:
    """gunicorn is told to write no access log: addresses of pages carry case numbers."""
    size = ["--workers", str(workers), "--worker-class", "gthread", "--threads", str(THREADS)]
    habits = ["--graceful-timeout", str(SECONDS_TO_STOP - 5), "--no-control-socket", "--log-level", "warning"]
    place = ["--chdir", str(trial.PROJECT), "--bind", bind]
    return [sys.executable, "-m", "gunicorn", *size, *habits, *place, "wsgi:app"]


def worker_command() -> list[str]:
    return [sys.executable, "-m", "webapp.cli", "worker"]


class Child:
    """A program that is started again when it dies, after a pause that doubles."""

    def __init__(
        self,
        zh: str,
        en: str,
        command: Sequence[str],
        *,
        keep: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.zh, self.en, self.command, self.keep, self.environment = zh, en, command, keep, environment
        self.process: subprocess.Popen[bytes] | None = None
        self.born = self.due = 0.0
        self.pause = 0.0

    def start(self) -> None:
        """In a process group of its own: Ctrl-C reaches us alone. If we are killed, the kernel tells it."""
        setpriv = shutil.which("setpriv")
        follow_us = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        self.process = subprocess.Popen(
            [*follow_us, *self.command],
            cwd=trial.PROJECT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            process_group=0,
            pass_fds=self.keep,
        )
        self.born = time.monotonic()

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def revive(self) -> None:
        """Called again and again: notices a death, and brings a new life when the pause is over."""
        now = time.monotonic()
        if self.process is not None and not self.is_alive():
            self.pause = 0 if now - self.born > A_GOOD_LIFE else min(max(1, self.pause * 2), LONGEST_PAUSE)
            self.due = now + self.pause
            code = self.process.returncode
            self._end_group(signal.SIGKILL)
            self.process = None
            say(
                f"{self.zh}意外結束（{code}），{self.pause:.0f} 秒後重新啟動",
                f"{self.en} ended with {code}; starting again in {self.pause:.0f} s",
            )
        if self.process is None and now >= self.due:
            self.start()

    def stop(self) -> None:
        """Asks first. Whatever of its family remains after that is ended."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(SECONDS_TO_STOP)
        self._end_group(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def _end_group(self, number: signal.Signals) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def wait_for_an_answer(web: Child, listener: socket.socket) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not _answers(listener):
        if not web.is_alive():
            raise CannotRun("網站無法啟動，原因見上方訊息 (the web server did not start; see above)")
        if time.monotonic() > deadline:
            raise CannotRun("網站沒有回應 (the web server does not answer)")


def _answers(listener: socket.socket) -> bool:
    """The listener takes connections before the web server is up: a first request waits, and is given up."""
    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection(_reachable(host), port, timeout=SECONDS_A_TRY)
    try:
        connection.request("GET", "/")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


# --- One at a time, on one address


@contextmanager
def _only_one() -> Iterator[IO[str]]:
    """Holds a lock on the folder while we run; the kernel frees it however we end."""
    path = trial.folder() / "run.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        note = open(path, "a+", encoding="utf-8")  # noqa: SIM115  # closed below
    except PermissionError:
        raise CannotRun(
            f"無法寫入 {path.parent}：請以其擁有者執行，或以 ECOUNTER_VAR 指定自己的資料夾 "
            "(not writable: run as its owner, or set ECOUNTER_VAR to a folder of your own)"
        ) from None
    with note:
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note.seek(0)
            pid, _, address = note.read().partition(" ")
            raise CannotRun(
                f"E櫃檯已在執行：{address}（程序 {pid}） (already running on {path.parent}; stop it first)"
            ) from None
        note.truncate(0)
        yield note
        note.truncate(0)


def listen(host: str, port: int | None) -> socket.socket:
    """A named port is taken or refused; without one the next free port from 8000 on will do.

    The socket is ours and outlives every web server that is started on it: while one is replaced, requests
    wait.
    """
    wanted = [port] if port is not None else range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY)
    for number in wanted:
        try:
            listener = socket.create_server(
                (host, number), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
            )
        except OSError as error:
            reason = error.strerror
            continue
        if port is None and number != DEFAULT_PORT:
            say(
                f"埠 {DEFAULT_PORT} 已被使用，改用 {number}",
                f"port {DEFAULT_PORT} is in use; taking {number}",
            )
        return listener
    raise CannotRun(
        f"無法使用 {host} 的埠 {wanted[0]}：請以 PORT= 指定其他埠 "
        f"(cannot listen there: {reason}; choose another with make run PORT=…)"
    )


def _address(host: str, listener: socket.socket) -> str:
    name = _reachable(host)
    return f"http://{f'[{name}]' if ':' in name else name}:{listener.getsockname()[1]}"


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # nothing is bound here
