"""A milestone from the proposal on: it becomes the plan's, is late, is explained, and is reached as a report says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.at_once import at_once
from tests.journeys import officer, open_tasks, take
from tests.proposals_world import CONTROL, HEAD, OFFICER, approved, call, chosen, decided, proposed, sitting
from webapp.errors import AnswersInvalid, Misfit, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import AuditEntry, Case, Edition, Firing, Milestone, Plan, ProgressReport, RegisterEntry
from webapp.periods import parse
from webapp.queries import answering, definitions, milestones, plans
from webapp.services import (
    cases,
    plan_carry_over,
    plan_editions,
    plan_entries,
    plan_imports,
    plan_milestones,
    plan_progress,
    task_drafts,
)
from webapp.services.steps import Given
from webapp.uow import unit_of_work

MARCH_1, MARCH_2, APRIL_1 = (datetime(2027, *day, 2, tzinfo=UTC) for day in ((3, 1), (3, 2), (4, 1)))
PROPOSED = {
    "milestones-0-what": ["完成發包"],
    "milestones-0-month": ["116年2月"],
    "milestones-1-what": ["完工"],
    "milestones-1-month": ["116/4"],
    # typed twice by whoever proposed it
    "milestones-2-what": ["完工"],
    "milestones-2-month": ["116/04"],
}
WHY = {"reason": ["流標一次"], "countermeasure": ["調整底價再招標"]}
TENDER, DONE = ("完成發包", date(2027, 2, 1)), ("完工", date(2027, 4, 1))


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def plan() -> Plan:
    """Approved with two milestones, of February and April 116."""
    of_year = call()
    case = proposed(of_year, **PROPOSED)
    decided(sitting(of_year, case), "kept", chosen(case))
    assert approved(of_year, case).failed == []
    return db.session.scalars(select(Plan).where(Plan.case_id == case.id)).one()


def report(of: Plan) -> ProgressReport:
    return db.session.scalars(
        select(ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(RegisterEntry.plan_id == of.id)
        .order_by(ProgressReport.month.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    ).one()


def asked(of: Plan, now: datetime = MARCH_1) -> Case:
    assert sweeps.run_plans(now)["failed"] == 0
    return db.session.get_one(Case, report(of).case_id)


def begun(case: Case, now: datetime = MARCH_1) -> dict[str, list[str]]:
    """What the form of the report begins with, with what was done this month."""
    form = definitions.current_form(milestones.FORM, now.date())
    raw = task_drafts.begin(case, open_tasks(case)[0], form)
    return {"actual": ["25"], "phase": ["招標"], "situation": ["辦理公開招標"], **raw}


def reached(row: int, month: int = 0, day: int = 0) -> dict[str, list[str]]:
    """The boxes of a row; empty: not reached."""
    values = ("116", str(month), str(day)) if day else ("", "", "")
    parts = ("year", "month", "day")
    return {
        f"checkpoints-{row}-reached_on-{part}": [value] for part, value in zip(parts, values, strict=True)
    }


def late(of: ProgressReport) -> bool:
    """By the newest decision: whether the rule that asks for an explanation fired."""
    fired = plans.fired(of.id)
    assert fired is not None
    return {"name": "checkpoint_late"} in [o["params"] for o in fired.outcomes if o["action"] == "flag"]


def days(of: Plan) -> list[date | None]:
    db.session.expire_all()
    return [each.reached_on for each in milestones.of_plan(of.id)]


def test_from_the_proposal_to_the_day_on_which_it_was_reached(plan: Plan) -> None:
    assert [(each.ordinal, each.what, each.due_month) for each in milestones.of_plan(plan.id)] == [
        (1, *TENDER),
        (2, *DONE),
    ], "what was proposed twice is one"
    case = asked(plan)
    raw = begun(case)
    assert [raw[f"checkpoints-{n}-month"] for n in (0, 1)] == [["116-02"], ["116-04"]], "three months ahead"

    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_1, raw=raw)
    assert list(refused.value.errors) == ["reason", "countermeasure"]
    assert "查核點逾期" in refused.value.errors["reason"][0]
    take(case, "send", OFFICER, MARCH_1, raw=raw | WHY)
    assert late(report(plan)) and (report(plan).light, report(plan).standing) == ("green", "on_track")

    take(case, "send_back", HEAD, MARCH_1, comment="2 月已決標，請更正")
    raw = begun(case)
    assert (raw["reason"], raw["checkpoints-0-what"]) == (WHY["reason"], ["完成發包"]), "with what stands"
    take(case, "send", OFFICER, MARCH_2, raw=raw | reached(0, 2, 26))
    assert days(plan) == [date(2027, 2, 26), None] and not late(report(plan)), "its figures are the same"

    take(case, "send_back", HEAD, MARCH_2, comment="那是開標日")
    raw = begun(case)
    assert raw["checkpoints-0-reached_on-day"] == ["26"]
    take(case, "send", OFFICER, MARCH_2, raw=raw | reached(0))
    assert days(plan) == [None, None] and late(report(plan)), "a day is taken back while the month is open"

    take(case, "send_back", HEAD, MARCH_2, comment="決標了")
    take(case, "send", OFFICER, MARCH_2, raw=begun(case) | reached(0, 3, 2))
    assert days(plan)[0] == date(2027, 3, 2) and late(report(plan)), (
        "by the end of February it was not reached"
    )
    take(case, "confirm", HEAD, MARCH_2)
    take(case, "accept", CONTROL, MARCH_2)

    following = asked(plan, APRIL_1)
    raw = begun(following, APRIL_1)
    assert (raw["checkpoints-0-what"], "checkpoints-1-what" in raw) == (["完工"], False)
    take(following, "send", OFFICER, APRIL_1, raw={**raw, "actual": ["60"]})
    assert not late(report(plan))


def test_what_a_report_cannot_say(plan: Plan) -> None:
    case = asked(plan)
    raw = begun(case) | WHY

    def refusal(**more: Any) -> str:
        with pytest.raises(AnswersInvalid) as refused:
            take(case, "send", OFFICER, MARCH_1, raw={**raw, **more})
        assert list(refused.value.errors) == ["checkpoints"]
        return refused.value.errors["checkpoints"][0]

    assert refusal(**reached(1, 3, 2)).startswith("第 2 列"), "a day that has not come"
    assert refusal(**{"checkpoints-0-what": ["<script>alert(1)</script>"]}).startswith("第 1 列：「<script>")
    assert "第 2 列：「完工」（116-03）不是這個計畫的查核點" in refusal(**{"checkpoints-1-month": ["116-03"]})
    assert report(plan).state == "open" and days(plan) == [None, None], "nothing was kept"
    many = {f"checkpoints-{n}-{name}": ["116-02"] for n in range(400) for name in ("what", "month")}
    assert "40" in refusal(**many)

    with unit_of_work():  # a plan without milestones is not asked about any
        plan_milestones.put(plan, [])
    form = definitions.current_form(milestones.FORM, MARCH_1.date())
    assert "不是這個計畫的查核點" in refusal(), "what was typed is not forgotten"
    raw = {name: value for name, value in raw.items() if not name.startswith(f"{milestones.FIELD}-")}
    assert milestones.FIELD not in (answering.keys_of_task(form, raw, case) or ())
    take(case, "send", OFFICER, MARCH_1, raw=raw)
    assert not late(report(plan))


def test_the_control_office_changes_what_is_not_reached(plan: Plan) -> None:
    case = asked(plan)
    take(case, "send", OFFICER, MARCH_1, raw=begun(case) | WHY)

    def edit(*rows: tuple[str, str]) -> None:
        with unit_of_work():
            said = plan_entries.plan_answers(plan)
            said["milestones"] = [{"what": what, "month": month} for what, month in rows]
            plan_entries.edit_plan(
                officer(CONTROL, MARCH_2), plan.public_id, said, MARCH_2, version=plan.version
            )

    edit(("完工", "116-04"), ("完成發包", "116-03"))
    assert not late(report(plan)), "it is decided at once: it is due in March now"
    detail = db.session.scalars(select(AuditEntry.detail).where(AuditEntry.action == "plan_edited")).one()
    assert detail == "milestones: 完成發包 116-02; 完工 116-04 → 完工 116-04; 完成發包 116-03"
    take(case, "send_back", HEAD, MARCH_2, comment="已決標")
    raw = begun(case)
    assert raw["checkpoints-0-what"] == ["完成發包"], "by month"
    take(case, "send", OFFICER, MARCH_2, raw=raw | reached(0, 3, 1))
    for rows in ([("完工", "116-04")], [("完成發包", "116-04"), ("完工", "116-04")]):
        with pytest.raises(Misfit, match="已經達成，不能修改或移除"):
            edit(*rows)
    edit(("設計", "116-02"), ("完成發包", "116-03"))
    assert days(plan) == [None, date(2027, 3, 1)] and late(report(plan)), "what is reached stands"
    decisions = select(func.count()).where(Firing.progress_report_id == report(plan).id)
    before = db.session.scalar(decisions)
    with unit_of_work():
        plan_progress.refresh(APRIL_1)
    assert db.session.scalar(decisions) == before, "a report that was sent does not become late with time"


def test_a_month_that_is_closed_keeps_its_milestones(plan: Plan) -> None:
    case = asked(plan)
    take(case, "send", OFFICER, MARCH_1, raw=begun(case) | WHY)
    take(case, "send_back", HEAD, MARCH_2, comment="已決標")
    raw = begun(case)
    with unit_of_work():
        register = plans.register("infrastructure_subsidy-116")
        plan_editions.close(officer(CONTROL, MARCH_2), register, parse("116M02"), MARCH_2)
    assert db.session.scalar(select(func.count(Edition.id))) == 1
    with pytest.raises(Refused, match="已經結算"):
        take(case, "send", OFFICER, MARCH_2, raw=raw | reached(0, 2, 26))
    assert days(plan) == [None, None] and late(report(plan))
    with unit_of_work():
        plan_milestones.put(plan, [DONE])
        plan_progress.decide_again(plan.id, MARCH_2)
    assert late(report(plan)), "and what was decided"


def test_what_one_register_is_told_holds_in_the_other(plan: Plan) -> None:
    with unit_of_work():
        key = plan_imports.register_for("selected-116").key
        said = {"plan": plan.code, "since": "2027-01-01", "curve": "116-01 10\n116-02 25\n116-04 100"}
        plan_entries.put_in(officer(CONTROL, MARCH_1), key, said, MARCH_1)
    asked(plan)
    first, second = db.session.scalars(
        select(ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(RegisterEntry.plan_id == plan.id)
        .order_by(ProgressReport.id)
    ).all()
    of_first, of_second = (db.session.get_one(Case, each.case_id) for each in (first, second))
    raw = begun(of_first)
    take(of_first, "send", OFFICER, MARCH_1, raw=raw | WHY)
    assert late(first)
    take(of_second, "send", OFFICER, MARCH_2, raw=raw | reached(0, 2, 26))
    assert (late(first), late(second)) == (False, False), "both are decided by what is known"
    take(of_first, "send_back", HEAD, MARCH_2, comment="請補照片")
    assert begun(of_first)["checkpoints-0-what"] == ["完工"], "asked once"
    with pytest.raises(AnswersInvalid) as refused:
        take(of_first, "send", OFFICER, MARCH_2, raw=raw)
    assert "在別份填報已於 民國116年2月26日 達成" in refused.value.errors["checkpoints"][0]


@pytest.mark.parametrize("reported_first", [True, False])
def test_a_milestone_is_reached_while_it_is_taken_out(app: Flask, plan: Plan, reported_first: bool) -> None:
    case = asked(plan)
    raw = begun(case) | WHY | reached(0, 2, 26)
    case_id, plan_id, version, task_id = case.id, plan.id, case.version, open_tasks(case)[0].id
    said = plan_entries.plan_answers(plan) | {"milestones": [{"what": "完工", "month": "116-04"}]}
    pid, of_plan = plan.public_id, plan.version

    def report_it() -> None:
        now_case = db.session.get_one(Case, case_id)
        actor, given = officer(OFFICER, MARCH_1), Given(raw=raw)
        cases.take_transition(actor, now_case, "send", MARCH_1, version=version, task_id=task_id, given=given)

    def take_it_out() -> None:
        plan_entries.edit_plan(officer(CONTROL, MARCH_1), pid, said, MARCH_1, version=of_plan)

    db.session.rollback()
    both = (report_it, take_it_out) if reported_first else (take_it_out, report_it)
    (refusal,) = at_once(app, *both)
    left = [(each.what, each.reached_on) for each in milestones.of_plan(plan_id)]
    if reported_first:
        assert "已經達成，不能修改或移除" in refusal
        assert left == [("完成發包", date(2027, 2, 26)), ("完工", None)]
    else:
        assert refusal == "有欄位需要修正。"
        assert left == [("完工", None)], refusal


def test_a_report_is_sent_while_another_unit_takes_the_lead(app: Flask, plan: Plan) -> None:
    case = asked(plan)
    raw = begun(case) | WHY | reached(0, 2, 26)
    case_id, version, task_id = case.id, case.version, open_tasks(case)[0].id
    said, pid, of_plan = plan_entries.plan_answers(plan), plan.public_id, plan.version
    said["lead_unit"] = {**said["lead_unit"], "value": "PW"}

    def report_it() -> None:
        now_case, given = db.session.get_one(Case, case_id), Given(raw=raw)
        cases.take_transition(
            officer(OFFICER, MARCH_1),
            now_case,
            "send",
            MARCH_1,
            version=version,
            task_id=task_id,
            given=given,
        )

    def hand_over() -> None:
        plan_entries.edit_plan(officer(CONTROL, MARCH_1), pid, said, MARCH_1, version=of_plan)

    db.session.rollback()
    (refusal,) = at_once(app, hand_over, report_it, midway=(plan_entries, "_hand_over"))
    assert "已由" in refusal, "whose hand it is in now"


def test_milestones_change_while_the_register_is_carried_over(app: Flask, plan: Plan) -> None:
    case = asked(plan)
    take(case, "send", OFFICER, MARCH_1, raw=begun(case) | WHY)
    later, key = datetime(2028, 1, 5, 2, tzinfo=UTC), "infrastructure_subsidy-116"
    said = plan_entries.plan_answers(plan) | {"milestones": [{"what": "完成發包", "month": "116-03"}]}
    plan_id, pid, of_plan = plan.id, plan.public_id, plan.version

    def edit() -> None:
        plan_entries.edit_plan(officer(CONTROL, later), pid, said, later, version=of_plan)

    def carry() -> None:
        assert plan_carry_over.carry_over(officer(CONTROL, later), plans.register(key), None, later)

    db.session.rollback()
    assert at_once(app, edit, carry, midway=(plan_progress, "decide_again")) == []
    assert [each.what for each in milestones.of_plan(plan_id)] == ["完成發包"]


def test_the_database_keeps_no_day_without_its_report(plan: Plan) -> None:
    first = db.session.scalars(
        select(Milestone).order_by(Milestone.plan_id.desc(), Milestone.ordinal)
    ).first()
    assert first is not None
    first.reached_on = date(2027, 2, 1)
    with pytest.raises(Exception, match="ck_plan_milestone_reached_as_reported"):
        db.session.flush()
    db.session.rollback()
