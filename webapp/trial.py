"""What a trial on one machine needs and production brings itself: a folder, secrets and a database."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from webapp import crypto, embedded_postgres
from webapp.config import NO_DEFAULT_IN_PRODUCTION, REQUIRED, is_production

PROJECT = Path(__file__).resolve().parent.parent
SECRETS = ("SECRET_KEY", "ECOUNTER_DATA_KEY")


class NotATrial(RuntimeError):
    """Production was announced, but what it must bring is missing."""


def folder() -> Path:
    """Everything that is written lies below it."""
    return Path(os.environ.get("ECOUNTER_VAR") or PROJECT / "var").absolute()


def data_dir() -> Path:
    return folder() / "postgres"


def refuse_in_production() -> None:
    if is_production():
        missing = [name for name in (*REQUIRED, *NO_DEFAULT_IN_PRODUCTION) if not os.environ.get(name)]
        if missing:
            names = ", ".join(missing)
            raise NotATrial(f"正式環境須在環境變數中設定 {names} (ECOUNTER_ENV is production: set {names})")


def join() -> str:
    """For a command beside `ecounter run`: the address of its database, with its secrets put in the environment."""
    os.environ.update(secret_settings())
    if given := os.environ.get("DATABASE_URL"):
        return given
    if embedded_postgres.find(data_dir()):
        return embedded_postgres.url(data_dir())
    raise NotATrial("沒有執行中的資料庫 (no database runs here: start `ecounter run`, or set DATABASE_URL)")


def secret_settings() -> dict[str, str]:
    """From the environment; what is not there is made once and kept in a file that only its owner reads."""
    refuse_in_production()
    given = {name: os.environ[name] for name in SECRETS if os.environ.get(name)}
    return given if len(given) == len(SECRETS) else _kept() | given


def _kept() -> dict[str, str]:
    path = folder() / "secrets"
    if not path.exists():
        _write_once(path, {"SECRET_KEY": secrets.token_urlsafe(48), "ECOUNTER_DATA_KEY": crypto.new_key()})
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def _write_once(path: Path, values: dict[str, str]) -> None:
    """Whole or not at all: without the data key every personal answer of the trial would be lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(values, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first; its secrets are the ones
    finally:
        draft.unlink()
