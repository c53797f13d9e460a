"""Secrets of a trial are made once; production brings its own."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from webapp import trial


@pytest.fixture(autouse=True)
def var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("ECOUNTER_ENV", *trial.REQUIRED, *trial.NO_DEFAULT_IN_PRODUCTION):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ECOUNTER_VAR", str(tmp_path / "var"))
    return tmp_path / "var"


def test_secrets_are_made_once_for_their_owner_alone(var: Path) -> None:
    made = trial.secret_settings()
    assert set(made) == set(trial.SECRETS)
    assert len(base64.b64decode(made["ECOUNTER_DATA_KEY"])) == 32
    assert trial.secret_settings() == made
    assert stat.S_IMODE((var / "secrets").stat().st_mode) == 0o600
    assert [path.name for path in var.iterdir()] == ["secrets"]


def test_the_first_of_two_writers_wins(var: Path) -> None:
    trial._write_once(var / "secrets", {"SECRET_KEY": "first"})
    trial._write_once(var / "secrets", {"SECRET_KEY": "second"})
    assert trial._kept() == {"SECRET_KEY": "first"}


def test_the_environment_wins(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "given")
    assert trial.secret_settings()["SECRET_KEY"] == "given"
    monkeypatch.setenv("ECOUNTER_DATA_KEY", "given too")
    assert trial.secret_settings() == {"SECRET_KEY": "given", "ECOUNTER_DATA_KEY": "given too"}


def test_a_command_needs_a_database(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(trial.NotATrial, match="ecounter run"):
        trial.join()
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/county")
    assert trial.join() == "postgresql://db.example/county"


def test_production_names_what_is_missing_and_makes_nothing(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOUNTER_ENV", "production")
    monkeypatch.setenv("SECRET_KEY", "given")
    with pytest.raises(
        trial.NotATrial, match="DATABASE_URL, ECOUNTER_DATA_KEY, BASE_URL, HEAD_TITLE, HEAD_NAME"
    ):
        trial.secret_settings()
    assert not var.exists()
