"""A real case becomes a recorded test; a definition that breaks one is not published unnoticed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from tests import patterns
from tests.journeys import NOW, citizen, login_of, officer, open_tasks, submitted, take
from tests.officers import corrected
from webapp import cli
from webapp.demo.samples import SAMPLES, day, picture
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Revision
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.services import cases, clocks, documents, publishing, recordings, steps
from webapp.services.calendar import override
from webapp.uow import unit_of_work
from workflows import replay


def corrected_and_granted() -> Case:
    """EC09: a correction answered after five days, sent back once, granted."""
    case = submitted("EC09")
    take(
        case, "request_correction", now=NOW + timedelta(days=1), fields=("amount",), comment="金額與收據不符"
    )
    corrected(case, NOW + timedelta(days=6), amount=["3200"])
    take(case, "propose_approval", now=NOW + timedelta(days=7), comment="符合")
    take(case, "send_back", now=NOW + timedelta(days=8), comment="請再查收據")
    take(case, "propose_approval", now=NOW + timedelta(days=8), comment="已查")
    take(case, "approve", now=NOW + timedelta(days=9))
    return case


def improved_and_granted() -> Case:
    """EC06: the first visit asks for an improvement, the second is passed."""
    case = submitted("EC06")
    take(case, "pass_papers", now=NOW + timedelta(days=1))
    for visit, (action, result) in enumerate((("improve", "improve"), ("pass", "pass"))):
        now = NOW + timedelta(days=3 + 20 * visit)
        take(case, "schedule", now=now, on_date=taipei_day(now) + timedelta(days=2))
        inspected(case, action, result, now + timedelta(days=2))
        if action == "improve":
            with unit_of_work():
                cases.answer_correction(citizen(), case, now + timedelta(days=10), version=case.version)
    take(case, "approve", now=NOW + timedelta(days=26))
    return case


def inspected(case: Case, action: str, result: str, now: Any) -> None:
    [task] = open_tasks(case)
    photos = definitions.current_form("inspection_record", taipei_day(now)).field("photos")
    inspector = officer(login_of(task.assignee_id or 0), now)
    with unit_of_work():
        documents.upload(inspector, cases.upload_key(task), photos, "東側.png", picture(3), now)
    raw = {
        **day("inspected_on", taipei_day(now)),
        "use_matches": ["yes" if result == "pass" else "no"],
        "findings": ["北側堆置雜物，屋主王大同在場。"],
        "result": [result],
    }
    if result == "improve":
        raw["improvements"] = ["請移除北側的雜物。"]
    take(case, action, now=now, raw=raw, comment="請清除雜物")


def agreed_and_granted() -> Case:
    """PW01: two units agree, the excavation is permitted."""
    case = submitted("PW01")
    take(case, "split", now=NOW + timedelta(days=1))
    for _branch in tuple(open_tasks(case)):
        take(case, "give_opinion", now=NOW + timedelta(days=2), raw={"opinion": ["agree"]})
    take(case, "propose_approval", now=NOW + timedelta(days=3))
    take(case, "approve", now=NOW + timedelta(days=4))
    return case


#: the recordings of the product are made from these
JOURNEYS: Mapping[str, Callable[[], Case]] = {
    "EC06_improved_and_granted": improved_and_granted,
    "EC09_corrected_and_granted": corrected_and_granted,
    "PW01_agreed_and_granted": agreed_and_granted,
}


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_case_is_recorded_as_the_file_says(app: Flask, committed: None, name: str) -> None:
    """The files hold what real cases make, so their due dates are those of the services."""
    with app.app_context():
        case = JOURNEYS[name]()
        said = recordings.record(str(case.number))
        recorded = replay.Recording.model_validate(said)
        assert recordings.written(said) == (replay.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        assert recorded.acts[-1].outcome == case.outcome == "granted"
        assert recorded.acts[-1].due == case.due_on


def test_a_payment_and_an_appointment_are_recorded(app: Flask, committed: None) -> None:
    """Neither is an action of somebody at a desk; the replay knows how both stood."""
    fees = [{"key": "permit", "label": {"zh": "證照費", "en": "Certificate"}, "amount": "200"}]
    with app.app_context():
        patterns.serve("fee_then_issue", stages=("booking",), fees=fees)
        patterns.desk()
        case = submitted("EC09")
        slot = patterns.slots(case)[0]
        patterns.chosen(case, slot)
        take(case, "confirm_slot")
        take(case, "attended", now=slot.ends_at)
        take(case, "request_payment", now=slot.ends_at)
        patterns.paid(case, slot.ends_at + timedelta(days=6))
        take(case, "propose_approval", now=slot.ends_at + timedelta(days=6))
        take(case, "approve", now=slot.ends_at + timedelta(days=6))
        said = recordings.record(str(case.number))
        assert said["acts"][0]["facts"] == {"case.booking": "held"}
        assert [act["do"] for act in said["acts"]][2:4] == ["request_payment", "paid"]
        assert said["acts"][3]["due"] > said["acts"][2]["due"], "the time to pay is not the office's"


def test_nothing_about_anybody_is_in_a_recording(app: Flask, committed: None) -> None:
    with app.app_context():
        case = improved_and_granted()
        written = recordings.written(recordings.record(str(case.number)))
        said = [value for values in SAMPLES["EC06"].values() for value in values if len(value) > 3]
        assert [value for value in said if value in written] == []
        assert "王大同" not in written and "請清除雜物" not in written and str(case.number) not in written


def test_a_stop_work_day_goes_with_the_case(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "propose_approval", now=NOW + timedelta(days=1))
        with unit_of_work():
            override(SYSTEM, date(2025, 10, 2), "off", "颱風", "county", NOW + timedelta(days=7))
        take(case, "approve", now=NOW + timedelta(days=8))
        recorded = replay.Recording.model_validate(recordings.record(str(case.number)))
        assert recorded.off == (date(2025, 10, 2),)
        assert [act.due for act in recorded.acts] == [None, date(2025, 10, 21)]


def test_what_the_office_did_to_the_clock_is_recorded(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        with unit_of_work():
            later = NOW + timedelta(days=2)
            clocks.move(SYSTEM, case, clocks.of_case(case.id), "extend", later, days=5, reason="量多")
        take(case, "propose_approval", now=NOW + timedelta(days=3))
        said = recordings.record(str(case.number))
        assert said["acts"][0] == {
            "after": 2, "clock": "extend", "days": 5, "state": "review", "due": date(2025, 10, 28),
        }  # fmt: skip


def test_a_case_outside_its_workflow_makes_no_test(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        take(case, "propose_approval")
        with unit_of_work():
            case.due_on = clocks.of_case(case.id).due_on = date(2030, 1, 1)
        with pytest.raises(Refused, match="2030-01-01"):
            recordings.record(str(case.number))
        with pytest.raises(Refused, match="沒有案件"):
            recordings.record("EC09-000-000000")


def test_a_change_that_breaks_a_recording_is_not_published(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = copy.deepcopy(dict(publishing.READERS["workflow"]()))
    approval = files["single_review"]["states"]["review"]["transitions"]["propose_approval"]
    approval["requires"] = ["date"]
    monkeypatch.setattr(publishing, "READERS", {**publishing.READERS, "workflow": lambda: files})
    with app.app_context():
        count = db.session.scalars(select(func.count()).select_from(Revision)).one()
        broken = r"EC09_corrected_and_granted acts\[2\]: propose_approval：請填寫日期"
        with pytest.raises(Refused, match=broken), unit_of_work():
            publishing.sync(SYSTEM, NOW)
        assert db.session.scalars(select(func.count()).select_from(Revision)).one() == count
        with unit_of_work():
            done = publishing.sync(SYSTEM, NOW, accept=True)
        assert done.published == ("workflow/single_review",)


def test_the_command_prints_what_the_replay_reads(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(cli, "_application", lambda: app)
    with app.app_context():
        case = agreed_and_granted()
        number, ctx = str(case.number), steps.context(case)
        done = CliRunner().invoke(cli.main, ["cases", "record", number])
        assert done.exit_code == 0, done.output
        (tmp_path / "case.yaml").write_text(done.output, encoding="utf-8")
        assert replay.replay(replay.read(tmp_path / "case.yaml"), ctx.workflow, ctx.service) is None
        missing = CliRunner().invoke(cli.main, ["cases", "record", "nothing"])
        assert missing.exit_code == 1 and "沒有案件" in missing.output
