"""A stop-work day moves every open due date in its scope, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Event
from time import sleep
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select, text

from tests import officers
from tests.journeys import NOW, account, citizen, officer, open_tasks, submitted, take
from tests.patterns import serve
from webapp.cli import main
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Clock, Task
from webapp.permissions import SYSTEM
from webapp.queries import ladders
from webapp.queries.org import SpecialDay
from webapp.services import calendar, cases, clocks, suspensions
from webapp.services.calendar import cases_in, override, preview
from webapp.uow import unit_of_work

#: a Wednesday inside every period that starts on NOW
TYPHOON = date(2025, 10, 1)


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def stopped_work(scope: str = "county", day: date = TYPHOON, now: datetime = NOW) -> int:
    with unit_of_work():
        return override(SYSTEM, day, "off", "颱風停班", scope, now)


def again(case: Case) -> Case:
    db.session.expire_all()
    return db.session.get_one(Case, case.id)


def test_case_clock_task_and_ledger_move_together() -> None:
    case = submitted("EC09")
    assert case.due_on == date(2025, 10, 20)
    version = case.version
    assert stopped_work() == 1
    case = again(case)
    clock = clocks.of_case(case.id)
    (task,) = open_tasks(case)
    assert {case.due_on, clock.due_on, task.due_on, clocks.ledger(clock, case, NOW.date()).due} == {
        date(2025, 10, 21)
    }
    (moved,) = clock.movements
    assert (moved.kind, moved.reason, moved.due_before, moved.due_after) == (
        "override",
        "颱風停班",
        date(2025, 10, 20),
        date(2025, 10, 21),
    )
    assert case.version == version, "an officer's open page is not out of date by it"
    assert stopped_work() == 0, "the same day a second time moves nothing"


def test_branches_move_by_the_scope_of_their_own_unit() -> None:
    case = submitted("PW01")
    take(case, "split")
    limits = {task.branch: task.due_on for task in open_tasks(case)}
    due = limits["PO"]
    assert due is not None and set(limits) == {"PO", "EP"}
    assert stopped_work("PO", due) == 1
    after = {task.branch: task.due_on for task in open_tasks(again(case))}
    assert after["PO"] == due + timedelta(days=1) and after["EP"] == limits["EP"]
    assert again(case).due_on == clocks.of_case(case.id).due_on == case.due_on


def test_a_case_of_another_scope_stays() -> None:
    case = submitted("EC09")
    assert stopped_work("PW") == 0
    assert again(case).due_on == date(2025, 10, 20)
    assert stopped_work("EC") == 1


def test_a_paused_clock_moves_by_the_day_and_not_by_the_pause() -> None:
    case = submitted("EC09")
    take(case, "request_correction", fields=("phone",), comment="請更正電話。")
    before = again(case).due_on
    # off is a day after the pause began; entered a week into the pause
    assert stopped_work(day=date(2025, 10, 15), now=NOW + timedelta(days=7)) == 1
    case = again(case)
    assert before is not None and case.due_on == before + timedelta(days=1)
    assert clocks.of_case(case.id).state == "paused"
    officers.corrected(case, NOW + timedelta(days=8), phone=["0922-000-111"])
    clock = clocks.of_case(case.id)
    assert clock.due_on == case.due_on == clocks.ledger(clock, case, NOW.date()).due


def test_a_closed_case_and_its_ledger_stay() -> None:
    case = submitted("EC09")
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)
    assert stopped_work(now=NOW + timedelta(hours=1)) == 0
    case = again(case)
    clock = clocks.of_case(case.id)
    assert (case.due_on, clock.due_on, list(clock.movements)) == (date(2025, 10, 20), date(2025, 10, 20), [])
    assert clocks.ledger(clock, case, date(2025, 12, 1)).due == date(2025, 10, 20)
    assert db.session.scalars(select(Task.due_on).where(Task.case_id == case.id)).one() == date(2025, 10, 20)


def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(Refused, match="XX"):
        stopped_work("XX")


def test_the_command(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    case = submitted("EC09")
    monkeypatch.setattr("webapp.cli._application", lambda: app)
    call = ["calendar", "override", "2025-10-01", "--off", "--reason", "颱風停班"]
    done = CliRunner().invoke(main, call)
    assert (done.exit_code, done.output) == (0, "cases moved: 1\n"), done.output
    assert again(case).due_on == date(2025, 10, 21)
    assert (
        "--off, --stop, --work or --revoke"
        in CliRunner().invoke(main, ["calendar", "override", "2025-10-01", "--reason", "x"]).output
    )
    wrong = CliRunner().invoke(main, [*call, "--scope", "XX"])
    assert wrong.exit_code == 1 and "XX" in wrong.output
    assert db.session.scalars(select(Clock.due_on)).one() == date(2025, 10, 21)


def test_the_preview_is_what_then_happens_and_writes_nothing() -> None:
    first, waiting, split = submitted("EC09"), submitted("EC09"), submitted("PW01")
    take(waiting, "request_correction", fields=("phone",), comment="請更正電話。")
    take(split, "split")
    foreseen = preview(SpecialDay(TYPHOON, "off", "颱風停班", "county"), NOW)
    assert cases_in(foreseen) == 3
    assert again(first).due_on == date(2025, 10, 20)
    assert not db.session.scalars(
        select(Clock.id).join(Clock.movements).where(Clock.case_id == first.id)
    ).all()
    before = {(m.number, m.is_branch, m.unit_id): m.after for m in foreseen}
    assert stopped_work() == 3
    for clock, case in db.session.execute(select(Clock, Case).join(Case, Case.id == Clock.case_id)):
        place = (case.number, clock.task_id is not None, clocks.unit_of(clock, case))
        assert before.get(place, clock.due_on) == clock.due_on
    assert preview(SpecialDay(TYPHOON, "off", "颱風停班", "county"), NOW) == []


def test_the_preview_of_an_extra_working_day_and_of_another_scope() -> None:
    case = submitted("EC09")
    (move,) = preview(SpecialDay(date(2025, 10, 11), "work", "補班", "EC"), NOW)
    assert (move.number, move.before, move.after) == (case.number, date(2025, 10, 20), date(2025, 10, 17))
    assert preview(SpecialDay(TYPHOON, "off", "颱風停班", "PW"), NOW) == []
    with pytest.raises(Refused, match="XX"):
        preview(SpecialDay(TYPHOON, "off", "颱風停班", "XX"), NOW)


def test_the_command_shows_the_preview(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    case = submitted("EC09")
    number = case.number
    monkeypatch.setattr("webapp.cli._application", lambda: app)
    call = ["calendar", "override", "2025-10-01", "--off", "--reason", "颱風停班", "--preview"]
    done = CliRunner().invoke(main, call)
    assert done.exit_code == 0, done.output
    assert done.output == f"{number}: 2025-10-20 -> 2025-10-21\ncases that would move: 1\n"
    assert again(case).due_on == date(2025, 10, 20)
    wrong = CliRunner().invoke(main, [*call, "--scope", "XX"])
    assert wrong.exit_code == 1 and "XX" in wrong.output


def entry_of(day: date = TYPHOON, scope: str = "county") -> int:
    return calendar.entered(day, scope).id


def test_what_was_entered_by_mistake_is_taken_back() -> None:
    case, paused = submitted("EC09"), submitted("EC09")
    take(paused, "request_correction", fields=("phone",), comment="請更正電話。")
    before = {case.id: case.due_on, paused.id: again(paused).due_on}
    assert stopped_work() == 2
    wrong = calendar.entry(entry_of())
    foreseen = {(m.number, m.before, m.after) for m in preview(None, NOW, instead_of=wrong)}
    with pytest.raises(Refused, match="寫明原因"), unit_of_work():
        calendar.revoke(SYSTEM, wrong.id, " ", NOW)
    with unit_of_work():
        assert calendar.revoke(officer("admin"), wrong.id, "誤登", NOW + timedelta(hours=1)) == 2
    for each in (case, paused):
        due = again(each).due_on
        assert due == before[each.id] == clocks.of_case(each.id).due_on
        assert (each.number, due + timedelta(days=1), due) in foreseen
    *_rest, moved = clocks.of_case(case.id).movements
    assert (moved.kind, moved.reason, moved.due_after) == ("override", "誤登", before[case.id])
    assert moved.actor_id == account("admin").id
    with pytest.raises(Conflict, match=account("admin").name), unit_of_work():
        calendar.revoke(SYSTEM, wrong.id, "再一次", NOW)
    assert [entry.revoke_reason for entry in calendar.taken_back()] == ["誤登"]
    assert calendar.in_force() == []


def test_a_correction_moves_each_case_once_and_the_other_scope_too() -> None:
    """Entered for the whole county instead of one department, and on the wrong day."""
    animal, road = submitted("EC09"), submitted("PW01")
    before = again(road).due_on
    assert stopped_work() == 2
    special = SpecialDay(TYPHOON + timedelta(days=1), "off", "颱風停班", "EC")
    foreseen = preview(special, NOW, instead_of=calendar.entry(entry_of()))
    assert [move.number for move in foreseen] == [road.number], (
        "the other keeps its date: one day for another"
    )
    with unit_of_work():
        assert calendar.correct(SYSTEM, entry_of(), special, "日期與範圍誤登", NOW) == 1
    assert again(road).due_on == before
    assert again(animal).due_on == date(2025, 10, 21)
    assert [(e.day, e.scope) for e in calendar.in_force()] == [(special.day, "EC")]
    with pytest.raises(Refused, match="XX"), unit_of_work():
        calendar.correct(SYSTEM, entry_of(special.day, "EC"), replace(special, scope="XX"), "x", NOW)
    db.session.expire_all()
    assert [(e.day, e.scope) for e in calendar.in_force()] == [(special.day, "EC")], "nothing was taken back"


def test_the_command_takes_back_and_corrects(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    case = submitted("EC09")
    number = case.number
    monkeypatch.setattr("webapp.cli._application", lambda: app)

    def call(*words: str) -> str:
        done = CliRunner().invoke(main, ["calendar", "override", *words])
        db.session.expire_all()
        return done.output

    assert call("2025-10-01", "--off", "--reason", "颱風") == "cases moved: 1\n"
    instead = ("--instead-of", "2025-10-01/county", "--reason", "日期誤登")
    seen = call("2025-10-11", "--work", *instead, "--preview")
    assert seen == f"{number}: 2025-10-21 -> 2025-10-17\ncases that would move: 1\n"
    assert call("2025-10-11", "--work", *instead) == "cases moved: 1\n"
    assert call("2025-10-11", "--revoke", "--reason", "誤登", "--preview").endswith("would move: 1\n")
    assert call("2025-10-11", "--revoke", "--reason", "誤登") == "cases moved: 1\n"
    assert again(case).due_on == date(2025, 10, 20)
    assert "沒有登錄" in call("2025-10-11", "--revoke", "--reason", "誤登")
    assert "--instead-of goes with" in call("2025-10-11", "--revoke", *instead)


def test_a_day_moves_nothing_that_it_does_not_touch_though_two_pauses_overlap() -> None:
    case = submitted("EC09")
    over = NOW + timedelta(days=14)
    with unit_of_work():
        suspensions.suspend(officer("chen.shufen"), case, "颱風", NOW, version=case.version)
    take(case, "request_correction", fields=("phone",), comment="請更正電話。", now=NOW + timedelta(days=1))
    with unit_of_work():
        suspensions.resume(officer("chen.shufen", over), case, "", over, version=case.version)
    clock = clocks.of_case(case.id)
    before = clock.due_on
    assert (clock.state, before) == ("paused", date(2025, 10, 31)), "the correction is still waited for"
    assert preview(SpecialDay(date(2027, 3, 3), "off", "停班", "county"), over + timedelta(days=30)) == []
    assert stopped_work(day=date(2027, 3, 3), now=over + timedelta(days=30)) == 0
    assert again(case).due_on == before
    # a day that is counted moves it by that day alone
    assert stopped_work(day=date(2025, 10, 29), now=over + timedelta(days=1)) == 1
    assert again(case).due_on == date(2025, 11, 3)


def test_an_extension_during_a_pause_is_not_taken_back_by_a_day() -> None:
    case = submitted("EC09")
    take(case, "request_correction", fields=("phone",), comment="請更正電話。")
    later = NOW + timedelta(days=7)
    with unit_of_work():
        clocks.move(SYSTEM, case, clocks.of_case(case.id), "extend", later, days=3, reason="待查證。")
    before = again(case).due_on
    assert stopped_work(day=date(2027, 3, 3), now=later + timedelta(days=20)) == 0
    assert again(case).due_on == before


def test_a_day_is_entered_while_the_sweep_holds_the_clocks(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    warned = datetime(2025, 10, 16, 1, tzinfo=UTC)
    submitted("EC09")
    db.session.remove()
    holds, goes_on = Event(), Event()
    reached = ladders.Ladder.reached

    def slow(*args: Any) -> Any:
        holds.set()
        assert goes_on.wait(30)
        return reached(*args)

    monkeypatch.setattr(ladders.Ladder, "reached", slow)

    def sweep() -> dict[str, int]:
        with app.app_context():
            return sweeps.run_deadlines(warned)

    def stop() -> int:
        with app.app_context():
            assert holds.wait(30)
            return stopped_work(day=date(2025, 10, 17), now=warned)

    with ThreadPoolExecutor(2) as pool:
        swept, stopped = pool.submit(sweep), pool.submit(stop)
        assert holds.wait(30)
        _until_somebody_waits()
        goes_on.set()
        assert swept.result(60)["failed"] == 0
        assert stopped.result(60) == 1


def _until_somebody_waits() -> None:
    """The day is being entered when its transaction waits for a lock."""
    waiting = text("select count(*) from pg_locks where not granted")
    for _ in range(300):
        if db.session.execute(waiting).scalar_one():
            break
        sleep(0.1)
    else:
        raise AssertionError("nobody waits")
    db.session.rollback()


def test_a_day_may_stop_the_limits_in_calendar_days_too() -> None:
    serve("single_review", period={"kind": "CD-shift", "period": 15})
    case = submitted("EC09")
    before = case.due_on
    assert before == date(2025, 10, 13), "10-10 to 12 are off"
    # 10-01 does not count: the last day is Saturday the 11th, and moves to Monday as before
    for day, moved in ((TYPHOON, 0), (date(2025, 10, 2), 0), (date(2025, 10, 3), 0), (date(2025, 10, 7), 1)):
        with unit_of_work():
            assert override(SYSTEM, day, "stop", "颱風停班", "county", NOW) == moved
    assert again(case).due_on == date(2025, 10, 14)
    assert preview(SpecialDay(date(2025, 10, 8), "off", "停班", "county"), NOW) == []
