"""Definition files become revisions: a change is published, a change back too, an administrator's edit never lost."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.journeys import NOW
from webapp.extensions import db
from webapp.models import Revision, Unit
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.queries.generations import bump
from webapp.queries.org import chart
from webapp.services import publishing
from webapp.uow import unit_of_work

TODAY = date(2025, 9, 25)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The service files as they would be read next."""
    files: dict[str, dict[str, Any]] = copy.deepcopy(dict(publishing.READERS["service"]()))
    readers: Mapping[str, Any] = {**publishing.READERS, "service": lambda: files}
    monkeypatch.setattr(publishing, "READERS", readers)
    return files


def minutes() -> int:
    return definitions.current_service("EC09", TODAY).minutes


def synced() -> publishing.Synced:
    with unit_of_work():
        return publishing.sync(SYSTEM, NOW)


def test_a_changed_file_takes_effect_and_so_does_the_way_back(
    app: Flask, committed: None, services: dict[str, dict[str, Any]]
) -> None:
    with app.app_context():
        before = minutes()
        assert synced().published == ()
        for wanted in (before + 1, before, before + 1):
            services["EC09"]["minutes"] = wanted
            assert synced().published == ("service/EC09",)
            assert minutes() == wanted
            assert synced().published == ()


def test_an_administrator_s_edit_stays_in_force(
    app: Flask, committed: None, services: dict[str, dict[str, Any]]
) -> None:
    with app.app_context():
        edited = {**services["EC09"], "minutes": 45}
        with unit_of_work():
            revision = publishing.insert(SYSTEM, "service", "EC09", edited, NOW, origin="editor")
            publishing.publish(SYSTEM, revision, TODAY, NOW)
        services["EC09"]["minutes"] = 5
        assert synced().conflicts == ("service/EC09",)
        assert minutes() == 45
        assert synced().conflicts == (), "the file waits as a revision; it is reported once"
        services["EC09"]["minutes"] = 45
        assert synced().unchanged == len(publishing.factory())


def test_exported_files_are_read_back_as_they_were(app: Flask, committed: None, tmp_path) -> None:
    with app.app_context():
        written = publishing.export(tmp_path, TODAY)
        assert len(written) == len(publishing.factory())
        count = db.session.scalars(select(func.count()).select_from(Revision)).one()
        synced()
        assert db.session.scalars(select(func.count()).select_from(Revision)).one() == count


def test_what_was_rolled_back_is_not_remembered(app: Flask, committed: None) -> None:
    with app.app_context():
        unit = db.session.scalars(select(Unit).where(Unit.code == "EC-APH")).one()
        name = unit.name_zh
        unit.name_zh = "改了又放棄的名字"
        db.session.flush()
        bump("org")
        assert chart().by_code["EC-APH"].zh == "改了又放棄的名字"
        db.session.rollback()
    with app.app_context(), unit_of_work():
        bump("org")
    with app.app_context():
        assert chart().by_code["EC-APH"].zh == name
