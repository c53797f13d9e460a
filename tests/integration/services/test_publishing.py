"""Definition files become revisions: a change is published, a change back too, an administrator's edit never lost."""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from rules.values import read_yaml
from tests.integration.services.test_acting_at_once import at_once
from tests.journeys import NOW, officer
from webapp.errors import NotFound, NotInForce
from webapp.extensions import db
from webapp.models import Publication, Revision, Unit
from webapp.permissions import SYSTEM
from webapp.queries import definitions, publications
from webapp.queries.generations import bump
from webapp.queries.org import chart
from webapp.services import desk, publishing
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


def test_an_exported_decimal_is_read_back_as_a_number(app: Flask, committed: None, tmp_path) -> None:
    body = copy.deepcopy(publishing.factory()["ruleset", "progress_lag"])
    body["parameters"]["severe_lag"]["value"] = 0.00001
    with app.app_context():
        with unit_of_work():
            revision = publishing.insert(SYSTEM, "ruleset", "progress_lag", body, NOW, origin="file")
            publishing.publish(SYSTEM, revision, TODAY, NOW)
        (path,) = [each for each in publishing.export(tmp_path, TODAY) if each.stem == "progress_lag"]
    assert read_yaml(path) == body


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


@pytest.fixture
def rulesets(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = copy.deepcopy(dict(publishing.READERS["ruleset"]()))
    monkeypatch.setattr(publishing, "READERS", {"ruleset": lambda: files})
    return files


def severe(on: date) -> object:
    revision = definitions.revision_id("ruleset", "progress_lag", on)
    return definitions.ruleset(revision).ruleset.parameters["severe_lag"].value


def test_a_ruleset_decides_from_its_first_day_to_its_last(
    app: Flask, committed: None, rulesets: dict[str, dict[str, Any]]
) -> None:
    first, last = date(2025, 10, 1), date(2025, 12, 31)
    with app.app_context():
        rulesets["progress_lag"]["parameters"]["severe_lag"]["value"] = 8
        rulesets["progress_lag"] |= {"effective_from": first.isoformat(), "effective_to": last.isoformat()}
        assert synced().published == ("ruleset/progress_lag",)
        days = [TODAY, first - timedelta(1), first, last, last + timedelta(1), date(2030, 1, 1)]
        assert [severe(day) for day in days] == [6.5, 6.5, 8, 8, 6.5, 6.5]
        listed = publications.of("ruleset", "progress_lag")
        for day in days:  # the desk says the same
            row = publications.in_force(listed, day)
            assert row and row[1].id == definitions.revision_id("ruleset", "progress_lag", day)
        publication = db.session.scalars(select(Publication).order_by(Publication.id.desc())).first()
        assert publication is not None and publication.effective_from == first
        rulesets["progress_lag"]["parameters"]["severe_lag"]["value"] = 9
        rulesets["progress_lag"].pop("effective_to")
        synced()
        assert [severe(day) for day in days] == [6.5, 6.5, 9, 9, 9, 9]
        rulesets["progress_lag"]["effective_from"] = "2020-01-01"
        synced()
        assert [severe(day) for day in [TODAY - timedelta(1), *days]] == [6.5, 9, 9, 9, 9, 9, 9]


def test_where_no_revision_is_in_force_nothing_is_decided_and_somebody_hears_of_it(
    app: Flask,
    committed: None,
    rulesets: dict[str, dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with app.app_context():
        rulesets["spring"] = rulesets["progress_lag"] | {
            "key": "spring",
            "effective_from": "2025-03-01",
            "effective_to": "2025-05-31",
        }
        assert synced().published == ("ruleset/spring",)
        assert definitions.in_force("ruleset", "spring", date(2025, 5, 31)) is not None
        assert caplog.records == []
        for day in (date(2025, 2, 28), date(2025, 6, 1)):
            with pytest.raises(NotInForce, match=r"規則集「spring」在民國114年\d月\d+日沒有生效的版本"):
                definitions.revision_id("ruleset", "spring", day)
        assert [record.levelno for record in caplog.records] == [logging.CRITICAL] * 2
        with pytest.raises(NotFound, match="找不到"):
            definitions.revision_id("ruleset", "summer", TODAY)
        monkeypatch.setattr(publishing, "FOLDERS", {"ruleset": "rules"})
        written = {path.stem for path in publishing.export(tmp_path, TODAY)}
        assert written == rulesets.keys() - {"spring"}


def test_a_sync_in_the_moment_of_an_approval_does_not_take_its_place(
    app: Flask, committed: None, rulesets: dict[str, dict[str, Any]]
) -> None:
    body = copy.deepcopy(rulesets["progress_lag"])
    body["parameters"]["severe_lag"]["value"] = 9
    rulesets["progress_lag"]["parameters"]["severe_lag"]["value"] = 8
    with app.app_context(), unit_of_work():
        draft = desk.open_draft(officer("admin"), "ruleset", "progress_lag", NOW)
        body["examples"] = []
        desk.save(officer("admin"), draft.id, body, NOW, version=draft.version)
        desk.submit(officer("admin"), draft.id, "提高門檻", TODAY, NOW, version=draft.version)
        number, version = draft.id, draft.version
    found: list[publishing.Synced] = []
    at_once(
        app,
        lambda: desk.approve(officer("guo.shiming"), number, NOW, version=version),
        lambda: found.append(publishing.sync(SYSTEM, NOW)),
    )
    assert [each.conflicts for each in found] == [("ruleset/progress_lag",)]
    with app.app_context():
        assert severe(TODAY) == 9
