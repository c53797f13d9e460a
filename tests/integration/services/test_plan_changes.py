"""What a unit asks of its plan, through the real workflow: another planned curve, and the release from a register."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.at_once import at_once
from tests.journeys import officer, open_tasks, take
from tests.plan_world import baseline, entry
from webapp.errors import AnswersInvalid, Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import (
    AuditEntry,
    Baseline,
    BaselinePoint,
    Case,
    Edition,
    Firing,
    Plan,
    PlanRequest,
    ProgressReport,
    Register,
    RegisterEntry,
    Task,
    TaskDraft,
    Verification,
)
from webapp.periods import parse
from webapp.queries import definitions, plan_facts, submissions
from webapp.queries import plan_requests as plan_queries
from webapp.queries import verifications as review_queries
from webapp.services import (
    cases,
    plan_audit,
    plan_changes,
    plan_imports,
    plan_months,
    plan_requests,
    review_withdrawals,
    steps,
    task_drafts,
    verifications,
)
from webapp.uow import unit_of_work

OFFICER, OTHER, HEAD, DIRECTOR, CONTROL = (
    "ou.yijun",
    "weng.guoliang",
    "cai.wenxiong",
    "li.zhengnan",
    "guo.shiming",
)
APRIL_2, APRIL_9 = (datetime(2020, 4, day, 2, tzinfo=UTC) for day in (2, 9))
JANUARY, FEBRUARY, MARCH = (date(2020, month, 1) for month in (1, 2, 3))


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def standing() -> RegisterEntry:
    """A plan of 建設處農林科 with a curve of four months, on track in January and February, behind in March."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others)
        made = entry(plan_imports.register_for("selected-109"), "虛構的造林計畫", unit="EC-AFF")
        baseline(made, 10, 20, 40, 100)
        for month, planned, actual in ((JANUARY, 10, 10), (FEBRUARY, 20, 20), (MARCH, 40, 30)):
            db.session.add(
                ProgressReport(
                    entry_id=made.id,
                    register_id=made.register_id,
                    month=month,
                    planned=Decimal(planned),
                    actual=Decimal(actual),
                    origin="entered",
                )
            )
    return made


def asked(standing: RegisterEntry, kind: str = "change", login: str = OFFICER) -> Case:
    with unit_of_work():
        return plan_requests.ask(officer(login, APRIL_2), standing.id, kind, APRIL_2)


def curve(*shares: str, first: str = "109-01") -> dict[str, list[str]]:
    year, month = map(int, first.split("-"))
    return {
        f"curve-{n}-{part}": [text]
        for n, share in enumerate(shares)
        for part, text in (
            ("month", f"{year + (month - 1 + n) // 12}-{(month - 1 + n) % 12 + 1:02}"),
            ("planned", share),
        )
    }


def change(*shares: str, month: str = "109-03", **more: list[str]) -> dict[str, Any]:
    return {"reason": ["用地取得延後"], "effective_month": [month], **curve(*shares), **more}


LATER = ("10", "20", "30", "60", "80", "100")


def granted(standing: RegisterEntry) -> Case:
    case = asked(standing)
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    take(case, "confirm", HEAD, APRIL_2)
    take(case, "approve", DIRECTOR, APRIL_2)
    take(case, "accept", CONTROL, APRIL_9)
    return case


def audited(of: Plan | RegisterEntry) -> list[str]:
    lines = select(AuditEntry.detail).where(AuditEntry.subject == plan_audit.subject(of))
    return list(db.session.scalars(lines.order_by(AuditEntry.id)))


def reports() -> dict[date, ProgressReport]:
    rows = db.session.scalars(
        select(ProgressReport)
        .where(ProgressReport.origin == "entered")
        .execution_options(populate_existing=True)
    )
    return {report.month: report for report in rows}


def test_an_approved_change_is_the_next_version_and_measures_from_its_month(standing: RegisterEntry) -> None:
    case = granted(standing)
    made = db.session.scalars(
        select(Baseline).where(Baseline.entry_id == standing.id, Baseline.number == 2)
    ).one()
    assert (made.effective_month, made.case_id, made.reason) == (MARCH, case.id, "用地取得延後")
    assert made.approved_by_id == officer(CONTROL, APRIL_9).account_id and made.approved_at == APRIL_9
    points = (
        select(BaselinePoint.planned)
        .where(BaselinePoint.baseline_id == made.id)
        .order_by(BaselinePoint.month)
    )
    assert list(db.session.scalars(points)) == [10, 20, 30, 60, 80, 100]
    found = reports()
    assert (found[FEBRUARY].planned, found[FEBRUARY].standing) == (20, None), "it was not touched"
    assert (found[MARCH].planned, found[MARCH].lag, found[MARCH].standing) == (30, 0, "on_track")
    assert (case.outcome, plan_changes.of(case).state) == ("recorded", "granted")
    assert audited(standing) == ["curve: 1 → 2"]
    fired = db.session.scalars(select(Firing).where(Firing.case_id == case.id)).one()
    assert {each["rule"] for each in fired.outcomes} >= {"change"}


def test_a_report_that_is_asked_for_says_what_it_is_measured_against_now(standing: RegisterEntry) -> None:
    with unit_of_work():
        case = plan_months.open_report(standing.id, datetime(2020, 5, 1, 2, tzinfo=UTC))
    assert case is not None and submissions.application(case.id).answers["planned"] == "100"
    change_of = granted(standing)
    said = submissions.application(case.id)
    assert (said.number, said.answers["planned"], said.answers["plan"]) == (2, "60", "虛構的造林計畫")
    assert said.created_at == APRIL_9 and submissions.application(change_of.id).number == 1


def test_the_months_before_the_change_keep_their_curve(standing: RegisterEntry) -> None:
    granted(standing)
    of_entry = plan_facts.versions([standing.id])[standing.id]
    assert plan_facts.planned_at(plan_facts.in_force(of_entry, MARCH), MARCH).planned == 30  # type: ignore[union-attr]
    assert [version.number for version in of_entry] == [1, 2]
    assert plan_facts.in_force(of_entry, FEBRUARY)[-1].month == date(2020, 4, 1)


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        (change("10", "20", "30", "99.9"), "curve", "第 4 列：最後一個月"),
        (change("10", "20", "15", "100"), "curve", "第 3 列：累計預定進度不會倒退"),
        (
            change("10", "20", "30", "100", **{"curve-3-month": ["109-03"]}),
            "curve",
            "第 4 列：109年3月在第 3 列",
        ),
        (change("10", "20", "30", "100", **{"curve-1-month": ["二月"]}), "curve", "第 2 列：月份例如"),
        (change("10", "25", "30", "100"), "curve", "109年2月在修正生效以前"),
        (
            {
                "reason": ["延後"],
                "effective_month": ["109-03"],
                **curve("50", "100", first="109-06"),
            },
            "curve",
            "109年1月在修正生效以前，須照原核定的 10%",
        ),
        (
            {"reason": ["延後"], "effective_month": ["109-01"], **curve("50", "100", first="109-06")},
            "curve",
            "請填寫生效月份（109年1月）",
        ),
        (
            change("10", "20", "30", "100", **{"curve-1-budget": ["5000"]}),
            "curve",
            "109年2月在修正生效以前",
        ),
        (
            change("0", "10", "20", "30", "100", **curve("0", "10", "20", "30", "100", first="108-12")),
            "curve",
            "108年12月在修正生效以前，原核定沒有這個月",
        ),
        (change(*LATER, month="108-12"), "effective_month", "不能早於"),
        (change(*LATER, month="下個月"), "effective_month", "月份例如"),
    ],
)
def test_a_bad_curve_is_named_by_its_row(
    standing: RegisterEntry, raw: dict[str, list[str]], field: str, words: str
) -> None:
    case = asked(standing)
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw=raw)
    assert any(words in each for each in refused.value.errors[field]), refused.value.errors
    assert list(refused.value.errors) == [field]


def test_a_curve_beyond_the_end_of_the_plan_asks_for_its_new_end(standing: RegisterEntry) -> None:
    with unit_of_work():
        db.session.get_one(Plan, standing.plan_id).ends_on = date(2020, 5, 31)
    case = asked(standing)
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    (said,) = refused.value.errors["ends_on"]
    assert "到109年6月才完成" in said and "請填寫新的完成日期" in said
    end = {"ends_on-year": ["109"], "ends_on-month": ["6"], "ends_on-day": ["1"]}
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER, **end))
    assert case.state == "check"


def test_a_closed_month_is_not_changed(standing: RegisterEntry) -> None:
    closed = parse("109Q1")
    with unit_of_work():
        db.session.add(
            Edition(
                register_id=standing.register_id,
                period="109Q1",
                first_month=closed.first_month,
                last_month=closed.last_month,
                ruleset_revision_id=definitions.revision_id("ruleset", "progress_lag", closed.last_day),
                data={},
                closed_at=APRIL_2,
            )
        )
    case = asked(standing)
    with pytest.raises(AnswersInvalid, match="修正"):
        take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    take(case, "send", OFFICER, APRIL_2, raw=change("10", "20", "40", "60", "100", month="109-04"))
    assert reports()[MARCH].planned == 40


def test_the_letter_of_the_ministry_where_the_rules_ask_for_it(standing: RegisterEntry) -> None:
    with unit_of_work():
        db.session.get_one(Plan, standing.plan_id).origins = ["central_subsidy"]
    case = asked(standing)
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    assert "中央補助計畫修正須附同意函並通知研考" in refused.value.errors["ministry_letter"][0]


def test_one_request_an_entry_and_only_by_its_unit(standing: RegisterEntry) -> None:
    case = asked(standing)
    with pytest.raises(Conflict, match=f"{case.number}（歐怡君"):
        asked(standing, login=OTHER)
    with pytest.raises(Conflict):
        asked(standing, "release", OTHER)
    with pytest.raises(Forbidden):
        asked(standing, login="lin.yahan")
    take(case, "take_back", OFFICER, APRIL_2, comment="改用其他方式")
    assert asked(standing, "release", OTHER).status == "open"


def test_whoever_the_rules_name_approves(standing: RegisterEntry) -> None:
    """As if the rules had named the secretary general when it was sent."""
    case = asked(standing)
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    with unit_of_work():
        plan_changes.of(case).approver = "secretary_general"
    take(case, "confirm", HEAD, APRIL_2)
    (task,) = open_tasks(case)
    assert (task.function, task.assignee_id) == (
        "secretary_general",
        officer("he.rongjie", APRIL_2).account_id,
    )
    take(case, "approve", "he.rongjie", APRIL_2)
    assert case.state == "take_in"


def naming(*functions: str) -> Any:
    """A decision whose rules ask these for their approval."""
    asked = [SimpleNamespace(action="require_approval", params={"function": each}) for each in functions]
    return SimpleNamespace(outcomes=asked)


@pytest.mark.parametrize(
    ("functions", "approver"),
    [
        ((), "research_office"),
        (("department_head", "magistrate", "section_head"), "magistrate"),
        (("research_office", "department_head"), "department_head"),
    ],
)
def test_the_highest_that_the_rules_name_approves(functions: tuple[str, ...], approver: str) -> None:
    assert plan_requests.named(naming(*functions)) == approver


def test_somebody_who_cannot_approve_is_named_when_it_is_sent() -> None:
    with pytest.raises(Refused, match="不能核定"):
        plan_requests.named(naming("department_head", "legal_officer"))


def test_a_case_that_ended_otherwise_blocks_nobody(standing: RegisterEntry) -> None:
    case = asked(standing)
    with unit_of_work():
        case.status, case.outcome, case.closed_at = "closed", "transferred", APRIL_2
    assert asked(standing, "release", OTHER).status == "open"
    assert [
        each.state for each in plan_queries.of_entries(officer(OTHER, APRIL_2), [standing.id])[standing.id]
    ] == [
        "open",
        "ended",
    ]


def test_what_is_refused_changes_nothing_and_says_why(standing: RegisterEntry) -> None:
    case = asked(standing)
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    take(case, "send_back", HEAD, APRIL_2, comment="請說明")
    offered = {
        offer.transition.name
        for offer in cases.offers(officer(OFFICER, APRIL_2), steps.context(case), APRIL_2)
    }
    assert offered == {"send", "take_back"}
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    take(case, "confirm", HEAD, APRIL_2)
    take(case, "refuse", DIRECTOR, APRIL_2, comment="進度可以趕上")
    assert (case.outcome, db.session.scalars(select(PlanRequest.state)).all()) == ("rejected", ["ended"])
    assert reports()[MARCH].planned == 40
    assert plan_facts.versions([standing.id])[standing.id][-1].number == 1


def test_the_form_begins_with_the_curve_in_force(standing: RegisterEntry) -> None:
    known = plan_changes.known(asked(standing))
    assert known["curve"][0] == {"month": "109-01", "planned": "10", "budget": None}
    assert len(known["curve"]) == 4


# --- what is kept until it is sent ---------------------------------------------------------------------------


def kept(task: Task, version: int = 0) -> None:
    form = definitions.current_form(plan_changes.FORM, APRIL_2.date())
    with unit_of_work():
        task_drafts.keep(
            officer(OFFICER, APRIL_2), task, form, {"reason": ["下午寫的"]}, APRIL_2, version=version
        )


def test_nothing_is_kept_of_a_form_that_was_sent(standing: RegisterEntry) -> None:
    case = asked(standing)
    (task,) = open_tasks(case)
    take(case, "send", OFFICER, APRIL_2, raw=change(*LATER))
    with pytest.raises(Conflict, match="歐怡君送出"):
        kept(task)
    assert db.session.query(TaskDraft).count() == 0


def test_what_is_kept_of_a_case_that_ends_is_forgotten(standing: RegisterEntry) -> None:
    case = asked(standing)
    kept(open_tasks(case)[0])
    take(case, "take_back", OFFICER, APRIL_2, comment="改用其他方式")
    assert db.session.query(TaskDraft).count() == 0


# --- release ------------------------------------------------------------------------------------------------

DAYS = {
    "completed_on-year": ["109"],
    "completed_on-month": ["3"],
    "completed_on-day": ["20"],
    "accepted_on-year": ["109"],
    "accepted_on-month": ["3"],
    "accepted_on-day": ["31"],
}


def test_a_plan_that_is_accepted_is_released_and_owes_no_report(standing: RegisterEntry) -> None:
    case = asked(standing, "release")
    take(case, "send", OFFICER, APRIL_2, raw={"release_as": ["completed"], **DAYS})
    offered = [o.transition.name for o in cases.offers(officer(HEAD, APRIL_2), steps.context(case), APRIL_2)]
    assert "confirm_for_research" in offered and "confirm" not in offered, (
        "the rules name the research office"
    )
    take(case, "confirm_for_research", HEAD, APRIL_2)
    take(case, "accept", CONTROL, APRIL_9)
    db.session.refresh(standing)
    assert (standing.released_on, standing.released_as) == (APRIL_9.date(), "completed")
    plan = db.session.get_one(Plan, standing.plan_id)
    assert audited(standing) == ["released_on: – → 2020-04-09\nreleased_as: – → completed"]
    assert audited(plan) == ["completed_on: – → 2020-03-20\naccepted_on: – → 2020-03-31"]
    assert (plan.completed_on, plan.accepted_on) == (date(2020, 3, 20), date(2020, 3, 31))
    assert plan_months.to_open(datetime(2020, 5, 1, 2, tzinfo=UTC)) == []
    with pytest.raises(Refused, match="解除列管"):
        asked(standing)


@pytest.mark.parametrize(
    ("raw", "field", "words"),
    [
        ({}, "completed_on", "請填寫完工日期（完工並驗收者解除列管"),
        ({}, "accepted_on", "請填寫驗收日期"),
        ({name: DAYS[name] for name in list(DAYS)[:3]}, "accepted_on", "請填寫驗收日期"),
        ({**DAYS, "accepted_on-day": ["1"]}, "accepted_on", "不會早於完工"),
    ],
)
def test_the_condition_that_fails_is_named(
    standing: RegisterEntry, raw: dict[str, list[str]], field: str, words: str
) -> None:
    case = asked(standing, "release")
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw={"release_as": ["completed"], **raw})
    assert words in refused.value.errors[field][0], refused.value.errors


def test_giving_up_needs_a_reason_and_the_head_of_the_department(standing: RegisterEntry) -> None:
    case = asked(standing, "release")
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw={"release_as": ["withdrawn"]})
    assert refused.value.errors["note"][0].startswith("請在說明寫明撤案的原因（")
    take(case, "send", OFFICER, APRIL_2, raw={"release_as": ["withdrawn"], "note": ["地主撤回同意"]})
    take(case, "confirm", HEAD, APRIL_2)
    take(case, "approve", DIRECTOR, APRIL_2)
    take(case, "accept", CONTROL, APRIL_9)
    db.session.refresh(standing)
    assert (standing.released_as, standing.release_reason) == ("withdrawn", "撤案：地主撤回同意")
    assert db.session.get_one(Plan, standing.plan_id).completed_on is None


def picked(of: RegisterEntry, kind: str = "written", month: str = "109M03") -> Verification:
    register, person = db.session.get_one(Register, of.register_id), officer(CONTROL, APRIL_2)
    args = (person, register, parse(month), of.public_id, kind, "議會關切", APRIL_2)
    return verifications.pick_by_hand(*args)


def test_a_completed_plan_waits_until_its_verification_is_closed(standing: RegisterEntry) -> None:
    with unit_of_work():
        made = picked(standing)
    case, done = asked(standing, "release"), {"release_as": ["completed"], **DAYS}
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, APRIL_2, raw=done)
    (said,) = refused.value.errors["release_as"]
    assert list(refused.value.errors) == ["release_as"] and said.startswith("依現行規則還不能解除列管（")
    assert "查證或應改善事項尚未結案" in said and "續列管" not in said, said
    with unit_of_work():
        review_withdrawals.of_verification(officer(CONTROL, APRIL_2), made, "選錯計畫", APRIL_2)
    take(case, "send", OFFICER, APRIL_2, raw=done)
    take(case, "confirm_for_research", HEAD, APRIL_2)
    with unit_of_work():
        picked(standing)
    with pytest.raises(Refused, match="查證或應改善事項尚未結案"):
        take(case, "accept", CONTROL, APRIL_9)
    db.session.refresh(standing)
    assert (standing.released_on, case.state) == (None, "take_in")


def test_what_was_left_open_before_the_year_counts_where_the_plan_goes_on(standing: RegisterEntry) -> None:
    with unit_of_work():
        made = picked(standing)
        goes_on = entry(plan_imports.register_for("selected-110"), "另一件", unit="EC-AFF")
        goes_on.plan_id, goes_on.carried_over_from = standing.plan_id, 109
        standing.released_on, standing.release_reason = goes_on.since, "跨年度續列管"
        standing.released_as = "carried_over"
    assert review_queries.left_of(goes_on.id) == [made]


def given_up(of: RegisterEntry) -> Case:
    """As far as the plan-control office."""
    case = asked(of, "release")
    take(case, "send", OFFICER, APRIL_2, raw={"release_as": ["withdrawn"], "note": ["地主撤回同意"]})
    take(case, "confirm", HEAD, APRIL_2)
    take(case, "approve", DIRECTOR, APRIL_2)
    return case


def test_what_is_open_of_a_plan_that_is_given_up_ends_with_it(standing: RegisterEntry) -> None:
    with unit_of_work():
        asks, heads = picked(standing), picked(standing, "heads_meeting", "109M02")
    take(given_up(standing), "accept", CONTROL, APRIL_9)
    db.session.expire_all()
    case = db.session.get_one(Case, asks.case_id)
    assert (asks.state, heads.state, case.status, case.outcome) == (
        "withdrawn", "withdrawn", "closed", "withdrawn",
    )  # fmt: skip
    noted = select(AuditEntry.detail).where(AuditEntry.action == "verification_withdrawn")
    assert db.session.scalars(noted).all() == ["計畫已解除列管"] * 2
    assert review_queries.left_of(standing.id) == []


@pytest.mark.parametrize("release_first", [True, False])
def test_a_release_and_a_verification_at_once(
    app: Flask, standing: RegisterEntry, release_first: bool
) -> None:
    """Whoever is second is told, or finds what the first one opened."""
    case = given_up(standing)
    entry_id, case_id, task_id, version = standing.id, case.id, open_tasks(case)[0].id, case.version

    def release() -> None:
        found, person = db.session.get_one(Case, case_id), officer(CONTROL, APRIL_9)
        given = steps.Given()
        cases.take_transition(person, found, "accept", APRIL_9, version=version, task_id=task_id, given=given)

    def verify() -> None:
        picked(db.session.get_one(RegisterEntry, entry_id))

    if release_first:
        assert at_once(app, release, verify) == ["已解除列管的計畫不再查證。"]
    else:
        assert at_once(app, verify, release) == []
    assert review_queries.left_of(entry_id) == []
    states = db.session.scalars(select(Verification.state).where(Verification.entry_id == entry_id)).all()
    assert states == ([] if release_first else ["withdrawn"])


def test_the_report_of_a_month_after_the_release_is_closed(standing: RegisterEntry) -> None:
    may_1 = datetime(2020, 5, 1, 2, tzinfo=UTC)
    assert sweeps.run_plans(may_1)["asked"] == 1
    with unit_of_work():
        standing.released_on, standing.release_reason = date(2020, 4, 30), "完工並驗收"
    assert sweeps.run_plans(may_1)["released"] == 1
    case = db.session.scalars(select(Case).where(Case.service_code == "KM01")).one()
    assert (case.status, case.outcome) == ("closed", "withdrawn")
    assert sweeps.run_plans(datetime(2020, 5, 20, 2, tzinfo=UTC)) == {
        "asked": 0, "released": 0, "locked": 0, "decided": 0, "failed": 0
    }  # fmt: skip


def test_a_report_of_a_month_before_the_release_is_still_asked_for(standing: RegisterEntry) -> None:
    with unit_of_work():
        standing.released_on, standing.release_reason = date(2020, 5, 1), "完工並驗收"
    assert plan_months.to_open(datetime(2020, 5, 1, 2, tzinfo=UTC)) == [standing.id]
