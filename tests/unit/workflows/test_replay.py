"""Recorded cases are taken again without a database, and the first difference is named."""

import copy
from datetime import date

import pytest

import rules.facts
from rules.values import DefinitionError
from tests import factory
from webapp.definition_check import check_all
from workflows import loader, replay, service

NAME = "EC09_corrected_and_granted"


@pytest.fixture(scope="module")
def recording():
    return replay.read_all()[NAME]


@pytest.fixture
def flow():
    return copy.deepcopy(loader.read_all()["single_review"])


@pytest.fixture
def offer():
    return factory.service("EC09")


def difference(recording, flow, offer):
    definition = loader.load(flow, facts=rules.facts.types())
    found = replay.replay(recording, definition, service.load(offer, facts=None))
    return str(found) if found else None


def test_every_recording_goes_as_it_went():
    report = check_all()
    assert report.problems == ()
    assert report.recordings == len(replay.read_all()) >= 3


def test_wording_breaks_nothing(recording, flow, offer):
    flow["states"]["review"]["label"] = "審查"
    assert difference(recording, flow, offer) is None


def test_another_target_is_named_with_its_act(recording, flow, offer):
    flow["states"]["approve"]["transitions"]["send_back"]["to"] = "correction"
    said = difference(recording, flow, offer)
    assert said == "acts[3]: send_back：狀態原來是 review，現在是 correction"


def test_an_action_that_is_gone_is_named(recording, flow, offer):
    actions = flow["states"]["correction"]["transitions"]
    actions["hand_in"] = actions.pop("resubmit")
    assert difference(recording, flow, offer).startswith(
        "acts[1]: resubmit：案件現在是「補正中」，不能做這個動作"
    )


def test_a_function_that_changed_is_named(recording, flow, offer):
    flow["states"]["approve"]["tasks"][0]["function"] = "department_head"
    assert "send_back：「退回承辦人重擬」須由處長／局長執行" in difference(recording, flow, offer)


def test_an_effect_that_is_gone_shows_in_the_due_date(recording, flow, offer):
    flow["states"]["correction"]["transitions"]["resubmit"]["effects"] = ["close_correction"]
    said = difference(recording, flow, offer)
    assert said.startswith("acts[1]: resubmit：到期日原來是 ")


def test_a_shorter_limit_differs_from_the_filing_on(recording, flow, offer):
    offer["period"]["period"] -= 1
    assert difference(recording, flow, offer).startswith("到期日原來是 2025-10-20")


def test_a_guard_sees_how_often_there_was_a_visit(flow):
    body = loader.read_all()["on_site_inspection"]
    body["parameters"]["reinspection_limit"] = 0
    offered = service.load(service.read_all()["EC06"], facts=None)
    bare = offered.model_copy(update={"parameters": {}})
    found = replay.replay(
        replay.read_all()["EC06_improved_and_granted"], loader.load(body, facts=rules.facts.types()), bare
    )
    assert "improve：複查次數已用完" in str(found)


def test_a_service_that_is_gone_is_said(recording):
    assert list(replay.broken({NAME: recording}, {}, {})) == [
        f"recording/{NAME} service: 沒有「EC09」這個申辦項目或它的流程"
    ]


def test_an_act_is_an_action_or_a_movement_of_the_clock():
    for both in ({}, {"do": "approve", "clock": "extend"}):
        with pytest.raises(ValueError, match="do 或 clock"):
            replay.Act.model_validate({**both, "state": "review"})


def test_a_file_with_a_mistake_is_named(tmp_path):
    (tmp_path / "odd.yaml").write_text("service: EC09\nstate: review\nacts: []\n", encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"odd\.filed_on: 缺少這個必填的項目"):
        replay.read_all(tmp_path)


def test_the_check_reports_a_file_with_a_mistake(tmp_path, monkeypatch):
    (tmp_path / "odd.yaml").write_text("service: [", encoding="utf-8")
    monkeypatch.setattr(replay, "FOLDER", tmp_path)
    report = check_all()
    assert len(report.problems) == 1 and report.problems[0].startswith("recording/odd.yaml:")


def test_days_that_were_off_count(recording, flow, offer):
    later = recording.model_copy(update={"off": (date(2025, 9, 30),)})
    assert difference(later, flow, offer) == "到期日原來是 2025-10-20，現在是 2025-10-21"
