"""Plan control: what the database refuses, what a report may say, where it stands, and what a closed quarter keeps."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

import rules.engine
import rules.loader
from rules.dry_run import dry_run
from tests import factory
from tests.journeys import officer
from tests.plan_world import NOW, Q3, baseline, entry
from webapp.errors import Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.models import Edition, Firing, Plan, ProgressReport, Register, RegisterEntry, Revision
from webapp.permissions import SYSTEM
from webapp.queries import definitions, plan_facts, plan_lists, plans, snapshots, trials
from webapp.services import plan_editions, plan_imports, plan_progress, publishing
from webapp.services.plan_progress import Figures
from webapp.uow import unit_of_work

SEPTEMBER, OCTOBER = date(2020, 9, 1), date(2020, 10, 1)


@pytest.fixture
def register(no_plans: None) -> Register:
    return plan_imports.register_for("selected-109")


@pytest.fixture
def standing(register: Register) -> RegisterEntry:
    return entry(register)


def report(of: RegisterEntry, month: date, planned: str, actual: str, **more: Any) -> ProgressReport:
    figures = Figures(planned=Decimal(planned), actual=Decimal(actual), **more)
    return plan_progress.record(of, month, figures, NOW, origin="entered")[0]


def refusal(do: Any) -> str:
    """The constraint, or the words of the trigger, that the database gives as its reason."""
    with pytest.raises(DBAPIError) as refused, db.session.begin_nested():
        do()
        db.session.flush()
        db.session.execute(text("set constraints all immediate"))
    reason = refused.value.orig.diag  # type: ignore[union-attr]
    return reason.constraint_name or reason.message_primary or ""


# --- what the database refuses ----------------------------------------------------------------------------


def made(of: RegisterEntry, **values: Any) -> None:
    given = {"month": SEPTEMBER, "planned": 10, "actual": 10, "origin": "entered"} | values
    db.session.add(ProgressReport(entry_id=of.id, register_id=of.register_id, **given))


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"planned": 101}, "planned_is_a_share"),
        ({"actual": Decimal("-0.0001")}, "actual_is_a_share"),
        ({"month": date(2020, 9, 2)}, "month_is_a_first_day"),
        ({"actual": None}, "says_something"),
        ({"published_class": "severe", "actual": None, "planned": None}, "class_alone_was_published"),
        ({"published_class": "severe", "origin": "published"}, "class_or_figures"),
        ({"budget_spent": -1}, "budget_is_not_negative"),
        ({"light": "pink"}, "light_is_known"),
        ({"register_id": 0}, "fk_progress_report_entry_id_register_id"),
    ],
)
def test_a_report_that_cannot_be(standing: RegisterEntry, values: dict[str, Any], constraint: str) -> None:
    def write() -> None:
        given = {"entry_id": standing.id, "register_id": standing.register_id} | {
            "month": SEPTEMBER, "planned": 10, "actual": 10, "origin": "entered", **values,
        }  # fmt: skip
        db.session.add(ProgressReport(**given))

    assert constraint in refusal(write)


def test_a_plan_stands_in_a_register_once_until_it_is_released(standing: RegisterEntry) -> None:
    def again() -> None:
        db.session.add(
            RegisterEntry(
                register_id=standing.register_id, plan_id=standing.plan_id, since=SEPTEMBER, origin="entered"
            )
        )

    assert refusal(again) == "uq_register_entry_live"
    assert refusal(lambda: setattr(standing, "released_on", OCTOBER)).endswith("released_with_reason")
    db.session.refresh(standing)
    standing.released_on, standing.release_reason = OCTOBER, "完工驗收"
    again()
    db.session.flush()


@pytest.mark.parametrize(
    ("planned", "approved", "constraint"),
    [
        ((10, 5, 100), False, "ck_baseline_point_never_falls"),
        ((10, 50, 99), True, "ck_baseline_reaches_100"),
        ((), True, "ck_baseline_reaches_100"),
        ((10, 101), False, "ck_baseline_point_planned_is_a_share"),
    ],
)
def test_a_curve_that_cannot_be(
    standing: RegisterEntry, planned: tuple[int, ...], approved: bool, constraint: str
) -> None:
    assert refusal(lambda: baseline(standing, *planned, approved=approved)) == constraint


def test_an_approved_curve_stays(standing: RegisterEntry) -> None:
    made = baseline(standing, 10, 60, 100)
    db.session.execute(text("set constraints all immediate"))
    for statement in (
        "update baseline set reason = 'x'",
        "delete from baseline",
        "update baseline_point set planned = 11 where planned = 10",
        "delete from baseline_point where planned = 10",
        f"insert into baseline_point (baseline_id, month, planned) values ({made.id}, '2021-01-01', 100)",
    ):
        assert "append-only" in refusal(lambda sql=statement: db.session.execute(text(sql)))
    baseline(standing, 5, 50, 100, number=2)
    assert [p.planned for p in plan_facts.curves([standing.id])[standing.id]] == [5, 50, 100]


def test_a_firing_is_of_a_case_or_of_a_report(standing: RegisterEntry) -> None:
    fired = report(standing, SEPTEMBER, "10", "10")
    assert db.session.query(Firing).filter_by(progress_report_id=fired.id).count() == 1
    nothing = (
        "insert into firing (ruleset_revision_id, as_of, at, facts, outcomes, explanation, engine) select"
    )
    assert refusal(
        lambda: db.session.execute(
            text(
                f"{nothing} ruleset_revision_id, as_of, at, facts, outcomes, explanation, engine from firing"
            )
        )
    ).endswith("of_one_thing")


# --- what a report may say --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planned", "actual", "light", "standing_"),
    [
        ("6.5", "0", "red", "severe"),
        ("6.4999", "0", "yellow", "behind"),
        ("30", "30", "green", "on_track"),
        ("30", "34.9", "green", "ahead"),
        ("30", "35", "blue", "ahead"),
    ],
)
def test_where_a_report_stands(
    standing: RegisterEntry, planned: str, actual: str, light: str, standing_: str
) -> None:
    found = report(standing, SEPTEMBER, planned, actual)
    assert (found.light, found.standing) == (light, standing_)
    assert found.lag == Decimal(planned) - Decimal(actual)


def test_the_facts_of_a_report(standing: RegisterEntry) -> None:
    baseline(standing, 0, 0, 10, 10, 20, 20, 30, 30, 40, 100)
    for month, actual in ((7, "29"), (8, "29.5")):
        report(standing, date(2020, month, 1), "30", actual)
    found = report(standing, SEPTEMBER, "40", "30", budget_due=Decimal(300), budget_spent=Decimal(200))
    facts = plan_facts.of_reports([found])[found.id]
    assert facts == {
        "plan.planned": 40, "plan.actual": 30, "plan.lag": 10, "plan.months_behind": 3,
        "plan.report_missing": False, "plan.budget": None, "plan.budget_execution": Decimal("66.6667"),
        "plan.planned_curve_step": 70, "plan.level": "county", "plan.public_concern": False,
        "plan.days_to_completion": None, "plan.checkpoint_late": None,
    }  # fmt: skip
    (fired,) = db.session.scalars(select(Firing).where(Firing.progress_report_id == found.id))
    flags = {o["params"]["name"] for o in fired.outcomes if o["action"] == "flag"}
    assert flags == {"low_execution", "steep_curve"}
    assert fired.facts["plan.lag"] == "10.0000"


def test_progress_does_not_fall(standing: RegisterEntry) -> None:
    report(standing, SEPTEMBER, "50", "40")
    for month, actual, says in (
        (OCTOBER, "39.9999", "109年9月已達 40%"),
        (date(2020, 8, 1), "41", "109年9月只到 40%"),
    ):
        with pytest.raises(Misfit, match=says) as refused:
            report(standing, month, "50", actual)
        assert refused.value.field == "actual"


def test_one_report_a_month_and_a_correction_says_which(standing: RegisterEntry) -> None:
    first = report(standing, SEPTEMBER, "50", "40")
    with pytest.raises(Refused, match="已經填報過了"):
        report(standing, SEPTEMBER, "50", "41")
    better = Figures(planned=Decimal(50), actual=Decimal(49))
    with pytest.raises(Conflict):
        plan_progress.record(standing, SEPTEMBER, better, NOW, origin="entered", version=7)
    again, changed = plan_progress.record(standing, SEPTEMBER, better, NOW, origin="entered", version=1)
    assert changed and again.id == first.id and (again.version, again.light) == (2, "yellow")


@pytest.mark.parametrize(
    ("figures", "field"),
    [
        (Figures(planned=Decimal("100.0001"), actual=Decimal(1)), "planned"),
        (Figures(planned=Decimal(1), actual=Decimal(-1)), "actual"),
        (Figures(planned=Decimal(1)), "actual"),
        (Figures(published_class="severe"), "published_class"),
    ],
)
def test_a_report_that_is_refused_names_its_field(
    standing: RegisterEntry, figures: Figures, field: str
) -> None:
    with pytest.raises(Misfit) as refused:
        plan_progress.record(standing, SEPTEMBER, figures, NOW, origin="entered")
    assert refused.value.field == field


def test_what_was_not_sent_in_time_is_grey_after_the_cut_off(
    standing: RegisterEntry, register: Register
) -> None:
    made(standing, planned=40, actual=None, state="open")
    db.session.flush()
    assert plan_progress.cut_off(register, SEPTEMBER) == date(2020, 10, 7)
    assert plan_progress.refresh(NOW - timedelta(days=5)) == 0
    assert plan_progress.refresh(NOW - timedelta(days=4)) == 1
    assert plan_progress.refresh(NOW) == 0
    found = db.session.scalars(select(ProgressReport)).one()
    assert (found.light, found.standing) == ("grey", "no_report")
    register.report_day = 20
    assert plan_progress.cut_off(register, SEPTEMBER) == date(2020, 10, 20)


# --- rules change, closed quarters stay -------------------------------------------------------------------


def with_severe(value: float) -> dict[str, Any]:
    body = json.loads(json.dumps(factory.ruleset("progress_lag"), default=str))
    body["parameters"]["severe_lag"]["value"] = value
    return {name: part for name, part in body.items() if name != "examples"}


@pytest.fixture
def quarter(db_session: Any) -> None:
    """The published lists of the third quarter of 109, which the demonstration county takes in."""


def test_a_dry_run_from_6_5_to_10_changes_one_plan(quarter: None) -> None:
    current = definitions.ruleset(definitions.revision_id("ruleset", "progress_lag", Q3.last_day))
    draft = rules.engine.compile(rules.loader.load(with_severe(10)))
    run = dry_run(current, draft, snapshots.of_ruleset("progress_lag", date(2020, 1, 1)))
    assert run.decisions > 13
    assert [change.name for change in run.changed] == ["開瑄國小校舍及運動場新建 109年9月"]
    draft.close()


def test_the_desk_s_trial_names_the_plan_that_changes(quarter: None) -> None:
    revision = definitions.revision_id("ruleset", "progress_lag", Q3.last_day)
    current = trials.in_force(db.session.get_one(Revision, revision))
    draft = trials.Decider.by_reference(with_severe(10), {})
    research = officer("guo.shiming", NOW)
    for trial in (
        trials.over_past(research, current, draft, Q3.first_month, Q3.last_day),
        trials.over_open(research, current, draft),
    ):
        assert [each.subject.name for each in trial.changed] == ["開瑄國小校舍及運動場新建"]
        assert trial.changed[0].subject.kind == "plan" and trial.changed[0].subject.public_id


def test_a_closed_quarter_keeps_what_was_decided(quarter: None) -> None:
    research = officer("guo.shiming", NOW)
    register = plans.register("major_policy-109")
    plan_editions.close(research, register, Q3, NOW)
    school = db.session.scalars(
        select(RegisterEntry).where(RegisterEntry.case_no == "12", RegisterEntry.project_no == 6)
    ).one()
    later = report(school, OCTOBER, "40", "31")
    assert later.standing == "severe"
    revision = publishing.insert(SYSTEM, "ruleset", "progress_lag", with_severe(10), NOW, origin="editor")
    publishing.publish(SYSTEM, revision, date(2020, 9, 1), NOW)
    closed = plan_lists.contents(register, Q3)
    assert (closed.rules["severe_lag"], [row.case_no for row in closed.severe]) == ("6.5", ["9", "12"])
    db.session.refresh(later)
    assert (later.light, later.standing) == ("yellow", "behind")
    (september,) = db.session.scalars(
        select(ProgressReport).where(ProgressReport.entry_id == school.id, ProgressReport.month == SEPTEMBER)
    )
    assert september.standing == "severe"
    of_school = plans.standings(db.session.get_one(Plan, school.plan_id))
    (fired,) = (each.fired for each in of_school if each.register.id == register.id)
    assert fired is not None and fired.revision == revision.number and "10" in json.dumps(fired.explanation)


def test_an_open_quarter_follows_the_rules(quarter: None) -> None:
    revision = publishing.insert(SYSTEM, "ruleset", "progress_lag", with_severe(10), NOW, origin="editor")
    publishing.publish(SYSTEM, revision, date(2020, 9, 1), NOW)
    found = plan_lists.contents(plans.register("major_policy-109"), Q3)
    assert (found.rules["severe_lag"], [row.case_no for row in found.severe]) == ("10", ["9"])
    assert [row.standing for row in plan_lists.contents(plans.register("selected-109"), Q3).rows] == [
        "severe"
    ] * 9


def test_a_closed_month_takes_no_report(quarter: None) -> None:
    research, register = officer("guo.shiming", NOW), plans.register("major_policy-109")
    plan_editions.close(research, register, Q3, NOW)
    school = db.session.scalars(
        select(RegisterEntry).where(RegisterEntry.case_no == "12", RegisterEntry.project_no == 6)
    ).one()
    for month in (date(2020, 7, 1), SEPTEMBER):
        with pytest.raises(Refused, match="已經結算"):
            plan_progress.record(
                school,
                month,
                Figures(planned=Decimal(1), actual=Decimal(1)),
                NOW,
                origin="entered",
                version=1,
            )
    with pytest.raises(Conflict, match="已經在 2020-10-12 結算"):
        plan_editions.close(research, register, Q3, NOW)
    assert "append-only" in refusal(lambda: db.session.execute(text("update edition set period = '109Q2'")))
    assert "append-only" in refusal(lambda: db.session.execute(text("delete from edition")))


def test_who_closes_and_when(quarter: None) -> None:
    register = plans.register("major_policy-109")
    with pytest.raises(Forbidden):
        plan_editions.close(officer("lin.yahan", NOW), register, Q3, NOW)
    research = officer("guo.shiming", NOW)
    for period, says in (("109Q4", "還沒有結束"), ("109Q2", "還沒有任何填報")):
        with pytest.raises(Refused, match=says):
            plan_editions.close(research, register, plans.parse(period), NOW)
    assert db.session.query(Edition).count() == 0
    assert db.session.query(Revision).filter_by(key="progress_lag").count() == 1


# --- counted ----------------------------------------------------------------------------------------------


def test_an_overview_counts_by_unit_light_and_change(quarter: None) -> None:
    register = plans.register("major_policy-109")
    found = plans.overview(register, SEPTEMBER)
    assert (found.plans, dict(found.lights)) == (13, {"red": 2, "yellow": 3, "green": 7, "blue": 1})
    assert found.budget == 16_022_000_000 and sum(unit.plans for unit in found.units.values()) == 13
    school = db.session.scalars(
        select(RegisterEntry).where(RegisterEntry.case_no == "12", RegisterEntry.project_no == 6)
    ).one()
    report(school, OCTOBER, "40", "40")
    after = plans.overview(register, OCTOBER)
    assert after.changes == {("severe", "on_track"): 1} and after.lights["none"] == 12
    assert [line.case_no for line in plans.changed(register, OCTOBER)] == ["12"]
    assert plans.months(register.id) == [OCTOBER, SEPTEMBER]


def test_lines_are_filtered_and_come_worst_first(quarter: None) -> None:
    register = plans.register("major_policy-109")
    first = plans.lines(register, SEPTEMBER)
    assert [line.case_no for line in first][:5] == ["9", "12", "1", "13", "14"]
    red = plans.Filters(light="red")
    assert [line.case_no for line in plans.lines(register, SEPTEMBER, red)] == ["9", "12"]
    assert plans.count(register, SEPTEMBER, red) == 2
    for words, numbers in (
        ("國小", ["4", "5", "12", "13"]),
        ("%", []),
        ("12", ["12"]),
        ("教育提升", ["12", "13"]),
    ):
        found = plans.lines(register, SEPTEMBER, plans.Filters(q=words), by_number=True)
        assert [line.case_no for line in found] == numbers
    assert plans.lines(register, SEPTEMBER, page=2) == []


# --- at once ----------------------------------------------------------------------------------------------


def test_two_first_reports_of_a_month_at_once(app: Flask, committed: None) -> None:
    """The second waits for the first and hears of it."""
    said: list[str] = []
    with app.app_context():
        with unit_of_work():
            key = entry(plan_imports.register_for("request-109")).id
        both = Barrier(2, timeout=20)

    def send(actual: str) -> None:
        with app.app_context():
            try:
                with unit_of_work():
                    of = db.session.get_one(RegisterEntry, key)
                    both.wait()
                    report(of, SEPTEMBER, "50", actual)
                said.append("reported")
            except (Conflict, Refused) as refusal:
                said.append(type(refusal).__name__)
            db.session.remove()

    people = [Thread(target=send, args=(actual,)) for actual in ("40", "41")]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(said) in (["Conflict", "reported"], ["Refused", "reported"])
    with app.app_context():
        assert db.session.query(ProgressReport).filter_by(entry_id=key).count() == 1
