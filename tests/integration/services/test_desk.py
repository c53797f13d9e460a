"""The editorial desk on the real database: one live draft, a version to save against, every step recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, officer
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.services import desk
from webapp.uow import unit_of_work

ADMIN, RESEARCH = "admin", "guo.shiming"


@pytest.fixture
def counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def test_one_definition_has_one_live_draft(counter: None) -> None:
    with unit_of_work():
        desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
    with pytest.raises(Conflict, match="系統管理員"), unit_of_work():
        desk.open_draft(officer(RESEARCH), "ruleset", "progress_lag", NOW)
    with unit_of_work():
        desk.open_draft(officer(RESEARCH), "ruleset", "case_deadlines", NOW)


def test_a_stale_save_is_refused_and_names_who_was_faster(counter: None) -> None:
    with unit_of_work():
        draft = desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        opened = draft.version
        body = draft.mapping
    body["parameters"]["severe_lag"]["value"] = 10
    with unit_of_work():
        saved = desk.save(officer(RESEARCH), draft.id, body, NOW, version=opened)
        assert (saved.version, saved.editor_ids) == (opened + 1, [officer(RESEARCH).account_id])
    with pytest.raises(Conflict, match="郭士銘"), unit_of_work():
        desk.save(officer(ADMIN), draft.id, {}, NOW, version=opened)
    with unit_of_work():
        assert desk.hold(draft.id, opened + 1).mapping["parameters"]["severe_lag"]["value"] == 10


def test_a_discarded_draft_makes_room_and_changes_no_more(counter: None) -> None:
    with unit_of_work():
        draft = desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        desk.discard(officer(ADMIN), draft.id, NOW, version=1)
    with pytest.raises(Refused), unit_of_work():
        desk.save(officer(ADMIN), draft.id, {}, NOW, version=2)
    with unit_of_work():
        desk.open_draft(officer(ADMIN), "ruleset", "progress_lag", NOW)
        steps = db.session.scalars(
            select(AuditEntry.action).where(AuditEntry.subject.like("ruleset/progress_lag draft%"))
        ).all()
    assert sorted(steps) == ["draft discarded", "draft opened", "draft opened"]


def test_others_edit_nothing(counter: None) -> None:
    with pytest.raises(Forbidden), unit_of_work():
        desk.open_draft(officer("chen.shufen"), "ruleset", "progress_lag", NOW)
