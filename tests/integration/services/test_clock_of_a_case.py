"""Due dates of whole journeys, counted by hand in a month with a make-up Saturday and two holidays.

September and October 2023: Saturday 9-23 was worked for Monday 10-09; 9-29 was 中秋節, 10-10 國慶日.
The day on which a correction was asked for counts, the day of the answer does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask

from tests import journeys, officers
from webapp.demo.samples import day, picture
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Clock
from webapp.queries import definitions
from webapp.services import cases, clocks, corrections, documents, events
from webapp.uow import unit_of_work
from workflows import clock


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def at(month: int, of_month: int) -> datetime:
    """Ten in the morning in Taipei."""
    return datetime(2023, month, of_month, 2, 0, tzinfo=UTC)


def filed(code: str, now: datetime, **more: Any) -> Case:
    earlier = {**day("pet_birth", date(2022, 5, 20)), **day("operation_date", date(2023, 6, 2))}
    return journeys.submitted(code, now, **more, **(earlier if code == "EC09" else {}))


def asked(case: Case, now: datetime) -> None:
    journeys.take(case, "request_correction", now=now, fields=("phone",), comment="請更正電話。")


def ledger(case: Case, now: datetime) -> str:
    of_case = clocks.of_case(case.id)
    return "\n".join(clock.explain(clocks.ledger(of_case, case, now.date())))


def test_fourteen_days_without_a_pause() -> None:
    # 9-19 20 21 22 (4) Sat 23 (5) 25 26 27 28 (9), 29 off, 10-02 03 04 05 06 (14)
    case = filed("EC09", at(9, 18))
    assert case.due_on == date(2023, 10, 6)
    explained = ledger(case, at(10, 6))
    assert "9月23日" in explained and "補行上班" in explained, explained
    assert "9月29日" in explained and "中秋節" in explained, explained


def test_a_pause_over_the_make_up_saturday() -> None:
    case = filed("EC09", at(9, 18))
    asked(case, at(9, 20))
    assert case.due_on == date(2023, 10, 6), "nothing moves before the answer"
    officers.corrected(case, at(9, 25), phone=["0922-000-111"])
    # 9-19 20 (2); 26 27 28 (5), 29 off, 10-02 to 06 (10), 09 10 off, 11 12 13 (13) 16 (14)
    assert case.due_on == date(2023, 10, 16)
    with unit_of_work():
        cases.take_as_citizen(journeys.citizen(), case, "withdraw", at(10, 12), version=case.version)
    stopped = clocks.of_case(case.id)
    assert (stopped.state, stopped.stopped_on) == ("stopped", date(2023, 10, 12))
    # 9-19 20 26 27 28, 10-02 03 04 05 06 11 12
    assert clocks.ledger(stopped, case, date(2024, 1, 1)).used == 12, "a stopped clock counts no further"
    assert events.broken_links(case.id) == []


def test_a_pause_over_the_moon_festival() -> None:
    case = filed("EC09", at(9, 18))
    asked(case, at(9, 26))
    officers.corrected(case, at(10, 2), phone=["0922-000-111"])
    # 9-19 20 21 22 Sat 23 25 26 (7); 10-03 04 05 06 (11), 09 10 off, 11 12 13 (14)
    assert case.due_on == date(2023, 10, 13)
    movements = clocks.of_case(case.id).movements
    assert [(m.kind, m.due_before, m.due_after) for m in movements] == [
        ("pause", date(2023, 10, 6), date(2023, 10, 6)),
        ("resume", date(2023, 10, 6), date(2023, 10, 13)),
    ]
    explained = ledger(case, at(10, 13))
    assert "國慶日" in explained and "補正" in explained, explained


def test_other_units_have_two_days_of_their_own() -> None:
    case = filed("PW01", at(9, 21))
    # 9-22 Sat 23 25 26 27 28 (6), 10-02 03 04 05 (10)
    assert case.due_on == date(2023, 10, 5)
    journeys.take(case, "split", now=at(9, 22))
    # Sat 23 (1) and 25 (2)
    assert _task_clocks(case) == [date(2023, 9, 25)] * 2
    for login in ("dong.weilun", "lv.xinyi"):
        journeys.take(case, "give_opinion", login, at(9, 25), raw={"opinion": ["agree"]})
    assert case.state == "consolidate" and case.due_on == date(2023, 10, 5)
    journeys.take(case, "ask_again", now=at(9, 28), comment="路線變更。")
    # 29 off, 10-02 (1) and 03 (2)
    assert _task_clocks(case) == [date(2023, 9, 25)] * 2 + [date(2023, 10, 3)] * 2


def test_correction_and_improvement_each_pause_the_clock() -> None:
    case = filed("EC06", at(9, 18))
    asked(case, at(9, 19))
    officers.corrected(case, at(9, 21), phone=["0922-000-111"])
    journeys.take(case, "pass_papers", now=at(9, 22))
    journeys.take(case, "schedule", now=at(9, 22), on_date=date(2023, 9, 25))
    _visit(case, "improve", at(9, 25))
    with unit_of_work():
        cases.answer_correction(journeys.citizen(), case, at(10, 2), version=case.version)
    # 9-19 (1); 22 (2) Sat 23 (3) 25 (4); 10-03 04 05 06 (8), 09 10 off, 11 12 13 (11), 16 to 20 (16), 23 to 26 (20)
    assert case.due_on == date(2023, 10, 26)
    assert case.state == "schedule"
    journeys.take(case, "schedule", now=at(10, 3), on_date=date(2023, 10, 4))
    _visit(case, "pass", at(10, 4))
    journeys.take(case, "approve", "cai.wenxiong", at(10, 5))
    assert (case.outcome, case.due_on) == ("granted", date(2023, 10, 26))
    # 9-19 22 23 25, 10-03 04 05
    assert clocks.ledger(clocks.of_case(case.id), case, date(2023, 12, 1)).used == 7
    assert events.broken_links(case.id) == []


def test_a_correction_that_nobody_answers_lapses_after_its_last_working_day() -> None:
    case = filed("EC09", at(9, 18))
    asked(case, at(9, 25))
    # fifteen days end on 10-10, a holiday; the day after is the last one
    assert corrections.current(case).due_on == date(2023, 10, 11)
    assert sweeps.run_deadlines(at(10, 11))["lapsed"] == 0
    assert case.state == "correction"
    assert sweeps.run_deadlines(at(10, 12)) | {"clocks": 0, "rungs": 0} == {
        "clocks": 0, "rungs": 0, "lapsed": 1, "digests": 0, "failed": 0,
    }  # fmt: skip
    db.session.refresh(case)
    assert case.state == "review"
    # 9-19 20 21 22 Sat 23 25 (6); 10-13 (7) 16 to 20 (12) 23 24 (14)
    assert case.due_on == date(2023, 10, 24)
    assert sweeps.run_deadlines(at(10, 12))["lapsed"] == 0
    assert events.broken_links(case.id) == []


def test_a_correction_that_lapsed_costs_the_applicant_no_day_of_a_late_sweep() -> None:
    case = filed("EC09", at(9, 18))
    asked(case, at(9, 25))
    # the worker was down for a week after the last day, 10-11
    assert sweeps.run_deadlines(at(10, 19))["lapsed"] == 1
    db.session.refresh(case)
    of_case = clocks.of_case(case.id)
    assert [(m.kind, m.on_date) for m in of_case.movements] == [
        ("pause", date(2023, 9, 25)),
        ("resume", date(2023, 10, 12)),
    ]
    assert case.due_on == of_case.due_on == date(2023, 10, 24), "as if it had been swept on 10-12"
    assert {task.due_on for task in journeys.open_tasks(case)} == {date(2023, 10, 24)}


def test_a_comment_moves_nothing() -> None:
    case = filed("EC09", at(9, 18))
    due = case.due_on
    journeys.take(case, "propose_approval", now=at(9, 20), comment="請核示。")
    journeys.take(case, "send_back", now=at(9, 25), comment="請補充說明。")
    clock_of_case = clocks.of_case(case.id)
    assert (case.due_on, clock_of_case.due_on, list(clock_of_case.movements)) == (due, due, [])
    assert {task.due_on for task in journeys.open_tasks(case)} == {due}


def test_a_letter_counts_from_its_postmark() -> None:
    now = at(9, 25)
    clerk = journeys.officer("huang.meilan", now)
    intake = {"channel": "post", "received_on": "2023-09-25", "postmarked_on": "2023-09-21"}
    case = filed("EC09", now, actor=clerk, intake=intake)
    assert (case.filed_on, case.channel, case.account_id) == (date(2023, 9, 21), "post", None)
    # 9-22 Sat 23 25 26 27 28 (6), 10-02 to 06 (11), 11 12 13 (14)
    assert case.due_on == date(2023, 10, 13)
    # from the receipt: 9-26 27 28 (3), 10-02 to 06 (8), 11 12 13 (11), 16 17 18 (14)
    later = filed("EC09", now, actor=clerk, intake={**intake, "postmarked_on": None})
    assert later.due_on == date(2023, 10, 18)


def _task_clocks(case: Case) -> list[date]:
    of_tasks = db.select(Clock.due_on).where(Clock.case_id == case.id, Clock.task_id.is_not(None))
    return list(db.session.scalars(of_tasks.order_by(Clock.id)))


def _visit(case: Case, result: str, now: datetime) -> None:
    (task,) = journeys.open_tasks(case)
    inspector = journeys.officer("ou.yijun", now)
    form = definitions.current_form("inspection_record", now.date())
    photo, key = picture(), cases.upload_key(task)
    with unit_of_work():
        documents.upload(inspector, key, form.field("photos"), "現場.png", photo, now)
    raw = {
        **day("inspected_on", now.date()),
        "use_matches": ["yes"],
        "findings": ["種植高粱。"],
        "result": [result],
    }
    if result == "improve":
        raw["improvements"] = ["請移除建材。"]
    journeys.take(case, result, "ou.yijun", now, raw=raw, comment="見勘查紀錄。")
