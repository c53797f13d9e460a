"""The end of a year: what is not finished goes on in the next year's register; what was released does not count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from tests.journeys import officer
from tests.plan_world import baseline, entry
from webapp.errors import Forbidden, Refused
from webapp.models import AuditEntry, Baseline, Plan, ProgressReport, Register, RegisterEntry
from webapp.periods import parse
from webapp.queries import plan_control, plan_facts, plan_lists
from webapp.services import (
    cases,
    plan_audit,
    plan_carry_over,
    plan_changes,
    plan_imports,
    plan_months,
    plan_requests,
)

CONTROL, UNIT = "guo.shiming", "ou.yijun"
DECEMBER_31, JANUARY_4 = datetime(2020, 12, 31, 2, tzinfo=UTC), datetime(2021, 1, 4, 2, tzinfo=UTC)
DECEMBER, JANUARY = date(2020, 12, 1), date(2021, 1, 1)


@pytest.fixture
def session(db_session: scoped_session[Session], no_plans: None) -> Iterator[scoped_session[Session]]:
    yield db_session


@pytest.fixture
def old(session: scoped_session[Session]) -> Register:
    """38 plans under way, three released, six completed of which the acceptance is awaited (C01, C07)."""
    register = plan_imports.register_for("selected-109")
    register.report_day = 10
    for n in range(1, 42):
        made = entry(register, f"虛構計畫{n}", "EC-AFF")
        made.case_no, made.supervisor = str(n), "副縣長"
        plan = session.get_one(Plan, made.plan_id)
        if n <= 9:
            plan.completed_on = date(2020, 11, 1)
        if n <= 3:
            plan.accepted_on = date(2020, 11, 20)
            made.released_on, made.release_reason, made.released_as = (
                date(2020, 11, 25),
                "完工並驗收",
                "completed",
            )
        if n == 10:
            baseline(made, 10, 20, 40, 100)
    session.flush()
    return register


def carried(of: Register, wanted: set[str] | None = None) -> int:
    return plan_carry_over.carry_over(officer(CONTROL, JANUARY_4), of, wanted, JANUARY_4)


def test_thirty_eight_carried_over_and_five_new_are_forty_three(old: Register) -> None:
    before = plan_control.made_up(old, DECEMBER)
    assert (before.standing, before.released, before.to_be_accepted) == (38, 3, 6)
    assert carried(old) == 38
    new = plan_imports.register_for("selected-110")
    assert new.report_day == 10
    for n in range(5):
        entry(new, f"新計畫{n}", "EC-AFF")
    found = plan_control.made_up(new, JANUARY)
    assert (found.standing, found.carried_over, found.new) == (43, 38, 5)
    assert plan_control.made_up(old, DECEMBER) == before, "the year that is over says what it said"
    assert plan_control.made_up(old, JANUARY).released == 3, "to be carried over is no release"


def test_number_supervisor_and_curve_go_on(old: Register, session: scoped_session[Session]) -> None:
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "10")).one()
    assert carried(old, {was.public_id}) == 1
    now = session.scalars(
        select(RegisterEntry).where(RegisterEntry.plan_id == was.plan_id, RegisterEntry.id != was.id)
    ).one()
    assert (now.case_no, now.supervisor, now.since, now.carried_over_from) == ("10", "副縣長", JANUARY, 109)
    assert (was.released_on, was.release_reason, was.released_as) == (JANUARY, "跨年度續列管", "carried_over")
    held = session.scalars(select(Baseline).where(Baseline.entry_id == now.id)).one()
    assert (held.number, held.effective_month) == (1, JANUARY) and held.approved_by_id is not None
    assert [p.planned for p in plan_facts.curves([now.id])[now.id]] == [10, 20, 40, 100]
    audit = session.scalars(select(AuditEntry).where(AuditEntry.action == "plans_carried_over")).one()
    assert audit.subject == "selected-109 selected-110" and "1 plans" in audit.detail


def test_twice_does_nothing_twice(old: Register, session: scoped_session[Session]) -> None:
    assert carried(old) == 38
    assert carried(old) == 0
    count = select(RegisterEntry).join(Register).where(Register.key == "selected-110")
    assert len(session.scalars(count).all()) == 38


def test_only_when_the_year_is_over_and_only_by_the_control_office(old: Register) -> None:
    assert plan_carry_over.ending(old, DECEMBER_31).candidates == []
    assert plan_carry_over.carry_over(officer(CONTROL, DECEMBER_31), old, None, DECEMBER_31) == 0
    with pytest.raises(Forbidden):
        plan_carry_over.carry_over(officer(UNIT, JANUARY_4), old, None, JANUARY_4)


def test_a_number_that_another_plan_has_is_named(old: Register) -> None:
    other = entry(plan_imports.register_for("selected-110"), "別的計畫", "EC-AFF")
    other.case_no = "12"
    with pytest.raises(Refused, match="12 虛構計畫12"):
        carried(old)


def test_a_number_that_was_released_in_the_next_year_is_named(
    old: Register, session: scoped_session[Session]
) -> None:
    """Put into the next register by mistake, and released there: the number stays taken."""
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "12")).one()
    wrong = entry(plan_imports.register_for("selected-110"), "別的計畫", "EC-AFF")
    wrong.plan_id, wrong.case_no = was.plan_id, "12"
    wrong.released_on, wrong.release_reason = JANUARY, "誤列"
    session.flush()
    with pytest.raises(Refused, match="12 虛構計畫12"):
        carried(old)


def test_what_was_published_stands_as_it_was_published(
    old: Register, session: scoped_session[Session]
) -> None:
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "12")).one()
    was.origin = "published"
    session.flush()
    assert carried(old) == 37
    session.refresh(was)
    assert was.released_on is None


def test_what_is_asked_of_a_plan_goes_on_with_it(old: Register, session: scoped_session[Session]) -> None:
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "12")).one()
    case = plan_requests.ask(officer(UNIT, DECEMBER_31), was.id, "change", DECEMBER_31)
    (marked,) = [each for each in plan_carry_over.ending(old, JANUARY_4).candidates if each.asked]
    assert (marked.entry.id, marked.asked) == (was.id, case.number)
    assert carried(old, {was.public_id}) == 1
    goes_on = session.get_one(RegisterEntry, plan_changes.of(case).entry_id)
    assert (goes_on.plan_id, goes_on.since, goes_on.released_on) == (was.plan_id, JANUARY, None)
    subject = plan_audit.subject(was)
    line = session.scalars(select(AuditEntry).where(AuditEntry.subject == subject)).one()
    assert "released_as: – → carried_over" in line.detail


def test_the_december_report_is_still_asked_for_and_progress_goes_on(
    old: Register, session: scoped_session[Session]
) -> None:
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "10")).one()
    session.add(
        ProgressReport(
            entry_id=was.id,
            register_id=old.id,
            month=date(2020, 11, 1),
            planned=Decimal(100),
            actual=Decimal(70),
            origin="entered",
        )
    )
    carried(old)
    assert plan_months.to_open(JANUARY_4) == [was.id]
    now = session.scalars(
        select(RegisterEntry).where(RegisterEntry.plan_id == was.plan_id, RegisterEntry.id != was.id)
    ).one()
    february = datetime(2021, 2, 1, 2, tzinfo=UTC)
    assert plan_months.to_open(february) == [now.id]
    case = plan_months.open_report(now.id, february)
    assert case is not None
    said = cases.answers_of(case)
    assert (said["planned"], said["actual_before"]) == ("100", "70")
    assert len(plan_lists.current(old, parse("109M12")).rows) == 38


def test_months_behind_count_over_the_end_of_the_year(
    old: Register, session: scoped_session[Session]
) -> None:
    was = session.scalars(select(RegisterEntry).where(RegisterEntry.case_no == "10")).one()
    carried(old)
    now = session.scalars(
        select(RegisterEntry).where(RegisterEntry.plan_id == was.plan_id, RegisterEntry.id != was.id)
    ).one()
    reports = [
        ProgressReport(
            entry_id=of.id, register_id=of.register_id, month=month, planned=Decimal(100), actual=Decimal(70),
            origin="entered",
        )
        for of, month in ((was, DECEMBER), (now, JANUARY))
    ]  # fmt: skip
    session.add_all(reports)
    session.flush()
    assert plan_facts.of_reports([reports[1]])[reports[1].id]["plan.months_behind"] == 2
