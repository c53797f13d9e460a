"""A plan is picked by the rules, visited or asked in writing, and followed up until every improvement is accepted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.at_once import at_once
from tests.journeys import officer, open_tasks, take
from tests.plan_world import entry
from webapp.errors import AnswersInvalid, Conflict, Forbidden, Misfit, Refused
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    Case,
    CaseEvent,
    MeetingItem,
    Plan,
    PlanBudget,
    ProgressReport,
    Register,
    RegisterEntry,
    Verification,
)
from webapp.periods import parse
from webapp.queries import definitions
from webapp.queries import verifications as queries
from webapp.services import (
    later,
    meetings,
    plan_imports,
    plan_progress,
    review_withdrawals,
    task_drafts,
    verifications,
)
from webapp.services.meetings import Entered
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL = "ou.yijun", "cai.wenxiong", "guo.shiming"
NOW = datetime(2020, 3, 16, 2, tzinfo=UTC)
FEBRUARY = parse("109M02")
#: lag, budget -> what the rules pick
PLANS = (("9", 60_000_000), ("6.5", 1_000_000), ("1.35", 1_000_000), ("0", 1_000_000), ("7", 1_000_000))
FINDING = {
    "result": ["improve"],
    "conclusion": ["進度填報與現場不符"],
    "findings-0-finding": ["鋼筋外露"],
    "findings-0-required": ["補強並送照片"],
}


def day(name: str, year: str, month: str, on: str) -> dict[str, list[str]]:
    return {f"{name}-year": [year], f"{name}-month": [month], f"{name}-day": [on]}


def visit(seen: str, **more: list[str]) -> dict[str, list[str]]:
    return {
        **day("seen_on", "109", "3", "16"),
        "place": ["工地"],
        "people": ["郭士銘、歐怡君"],
        "seen": [seen],
        "result": ["fine"],
        "conclusion": ["符合填報"],
        **more,
    }


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def register() -> Register:
    """With five plans of 建設處農林科, reported for February."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others)
        of = plan_imports.register_for("selected-109")
        for number, (lag, budget) in enumerate(PLANS, start=1):
            made = entry(of, f"虛構計畫{number}", unit="EC-AFF")
            db.session.add(PlanBudget(plan_id=made.plan_id, source="all", amount=budget))
            db.session.add(
                ProgressReport(
                    entry_id=made.id,
                    register_id=of.id,
                    month=FEBRUARY.last_month,
                    planned=Decimal(50),
                    actual=Decimal(50) - Decimal(lag),
                    origin="entered",
                )
            )
        db.session.flush()
        reports = select(ProgressReport).where(
            ProgressReport.register_id == of.id, ProgressReport.month == FEBRUARY.last_month
        )
        plan_progress.evaluate(db.session.scalars(reports.order_by(ProgressReport.id)).all(), NOW)
    return of


def key_of(title: str) -> str:
    found = (
        select(RegisterEntry.public_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(Plan.title == title)
    )
    return db.session.scalars(found).one()


def opened(register: Register, title: str, kind: str = "") -> tuple[Verification, Case]:
    with unit_of_work():
        if kind:
            made = verifications.pick_by_hand(
                officer(CONTROL, NOW), register, FEBRUARY, key_of(title), kind, "議會關切", NOW
            )
        else:
            (made,) = verifications.open_ticked(
                officer(CONTROL, NOW), register, FEBRUARY, [key_of(title)], NOW
            )
    return made, db.session.get_one(Case, made.case_id)


def act(case: Case, name: str, who: str, now: datetime = NOW, **given: object) -> None:
    take(case, name, who, now, **given)
    db.session.expire_all()


def begun(case: Case) -> dict[str, list[str]]:
    """The form of the unit as it opens."""
    (task,) = open_tasks(case)
    return task_drafts.begin(case, task, definitions.current_form(task.form_key or "", date(2020, 3, 16)))


def test_what_the_rules_pick_the_worst_first(register: Register) -> None:
    found = verifications.picked(register, FEBRUARY, NOW)
    titles = {
        made.id: db.session.get_one(Plan, made.plan_id).title for made in db.session.query(RegisterEntry)
    }
    assert [(titles[pick.entry_id], pick.kind, pick.points) for pick in found] == [
        ("虛構計畫1", "on_site", 3),
        ("虛構計畫2", "written", 3),
        ("虛構計畫5", "written", 3),
        ("虛構計畫3", "heads_meeting", 0),
    ]
    assert "執行狀態為「嚴重落後」" in found[0].why[0]["sentence"]["zh"]


def test_public_concern_and_a_near_end_weigh_more(register: Register) -> None:
    with unit_of_work():
        plan = db.session.scalars(select(Plan).where(Plan.title == "虛構計畫2")).one()
        plan.ends_on = date(2020, 2, 29) + timedelta(days=90)
        made = verifications.pick_by_hand(
            officer(CONTROL, NOW),
            register,
            FEBRUARY,
            key_of("虛構計畫2"),
            "on_site",
            "民眾陳情",
            NOW,
            public_concern=True,
        )
    assert (made.points, made.picked_by, next(each["rule"] for each in made.why)) == (
        8,
        "hand",
        "severe_and_important",
    )
    march = parse("109M03")
    with unit_of_work():
        db.session.execute(
            update(ProgressReport)
            .where(ProgressReport.month == FEBRUARY.last_month)
            .values(month=march.last_month)
        )
    assert verifications.picked(register, march, NOW)[0].entry_id == made.entry_id, (
        "of public concern ever after"
    )


def test_a_visit_without_findings(register: Register) -> None:
    made, case = opened(register, "虛構計畫1")
    assert (case.state, case.due_on, open_tasks(case)[0].function) == (
        "visit",
        date(2020, 4, 15),
        "research_office",
    )
    act(case, "record", CONTROL, raw=visit("38.5"))
    (told,) = queries.of_plan(db.session.get_one(RegisterEntry, made.entry_id).plan_id)
    assert (case.outcome, told.verification.state, told.difference) == ("recorded", "closed", Decimal("-2.5"))
    assert queries.counted(register.id, parse("109Q1")) == {"on_site": 1}


def test_what_was_found_is_followed_up(register: Register) -> None:
    made, case = opened(register, "虛構計畫1")
    two = {
        **FINDING,
        **day("findings-0-due_on", "109", "4", "30"),
        "findings-1-finding": ["日報未填"],
        "findings-1-required": ["補填日報"],
        **day("findings-1-due_on", "109", "3", "31"),
    }
    act(case, "record", CONTROL, raw=visit("38.5", **two))
    assert (case.state, case.due_on, open_tasks(case)[0].due_on) == (
        "improve",
        date(2020, 4, 30),
        date(2020, 4, 30),
    )
    done = {
        "improvements-0-number": ["1"],
        "improvements-0-done": ["已補強"],
        **day("improvements-0-done_on", "109", "3", "16"),
    }
    assert begun(case)["improvements-0-number"] == ["1"] and begun(case)["improvements-1-number"] == ["2"]
    with pytest.raises(AnswersInvalid) as refused:
        act(case, "send", OFFICER, raw=done)
    assert refused.value.errors == {"improvements": ["第 2 項還沒有填報改善情形。"]}
    second = {
        "improvements-1-number": ["2"],
        "improvements-1-done": ["已補填"],
        **day("improvements-1-done_on", "109", "3", "16"),
    }
    with pytest.raises(AnswersInvalid, match="欄位"):
        act(case, "send", OFFICER, raw={**done, **second, "improvements-1-number": ["3"]})
    act(case, "send", OFFICER, raw={**done, **second})
    act(case, "confirm", HEAD)
    act(
        case,
        "go_on",
        CONTROL,
        raw={
            "missing-0-number": ["1"],
            "missing-0-remark": ["照片不清楚"],
            **day("missing-0-due_on", "109", "5", "20"),
        },
    )
    (told,) = queries.of_plan(db.session.get_one(RegisterEntry, made.entry_id).plan_id)
    assert [finding.number for finding in told.open_findings] == [1]
    assert (case.state, case.due_on) == ("improve", date(2020, 5, 20))
    again = begun(case)
    assert (again["improvements-0-number"], again["improvements-0-done"]) == (["1"], ["已補強"])
    assert "improvements-1-number" not in again, "the second is accepted"
    act(case, "send", OFFICER, raw=done)
    act(case, "confirm", HEAD)
    act(case, "accept", CONTROL)
    db.session.refresh(made)
    assert (case.outcome, made.state, queries.find(made.public_id).open_findings) == (
        "recorded",
        "closed",
        [],
    )


def test_in_writing_and_then_a_visit_instead(register: Register) -> None:
    made, case = opened(register, "虛構計畫2")
    assert case.state == "answer"
    entered = select(CaseEvent.to_state).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    assert "visit" not in db.session.scalars(entered).all()
    answer = {"cause": ["流標"], "measures": ["重新招標"], **day("catch_up_on", "109", "6", "30")}
    act(case, "send", OFFICER, raw=answer)
    act(case, "send_back", HEAD, comment="請補充")
    act(case, "send", OFFICER, raw=answer)
    act(case, "confirm", HEAD)
    act(case, "visit", CONTROL, comment="與填報不符")
    assert (made.kind, case.state) == ("on_site", "visit")
    act(case, "record", CONTROL, raw=visit("43.5"))
    db.session.refresh(made)
    assert (made.state, queries.find(made.public_id).difference) == ("closed", Decimal(0))


def test_a_written_evaluation(register: Register) -> None:
    made, case = opened(register, "虛構計畫5")
    act(
        case,
        "send",
        OFFICER,
        raw={"cause": ["流標"], "measures": ["重新招標"], **day("catch_up_on", "109", "6", "30")},
    )
    act(case, "confirm", HEAD)
    act(case, "record", CONTROL, raw={**FINDING, **day("findings-0-due_on", "109", "3", "20")})
    db.session.refresh(made)
    assert (case.state, case.due_on, made.conclusion) == ("improve", date(2020, 3, 20), "進度填報與現場不符")
    left = [queries.left_open(register.id, on) for on in (date(2020, 3, 15), date(2020, 3, 16))]
    assert [[told.title for told in each] for each in left] == [[], ["虛構計畫5"]], (
        "from the day it was opened"
    )


def test_once_for_an_entry_and_a_period(register: Register) -> None:
    opened(register, "虛構計畫1")
    for again in (
        lambda: opened(register, "虛構計畫1"),
        lambda: opened(register, "虛構計畫1", "written"),
    ):
        with pytest.raises(Conflict, match="「虛構計畫1」109年2月已由郭士銘於民國109年3月16日列入查證"):
            again()
    with unit_of_work(), pytest.raises(Conflict):
        verifications.pass_over(officer(CONTROL, NOW), register, FEBRUARY, key_of("虛構計畫1"), "已訪視", NOW)


def test_a_quarter_and_its_last_month_are_one(register: Register) -> None:
    march, quarter = parse("109M03"), parse("109Q1")
    with unit_of_work():
        reports = update(ProgressReport).where(ProgressReport.month == FEBRUARY.last_month)
        db.session.execute(reports.values(month=march.last_month))
        verifications.open_ticked(officer(CONTROL, NOW), register, march, [key_of("虛構計畫1")], NOW)
    with unit_of_work(), pytest.raises(Conflict, match="「虛構計畫1」109年3月已由郭士銘"):
        verifications.open_ticked(officer(CONTROL, NOW), register, quarter, [key_of("虛構計畫1")], NOW)
    assert queries.counted(register.id, quarter) == {"on_site": 1}


def test_one_that_is_passed_over_may_still_be_opened(register: Register) -> None:
    person = officer(CONTROL, NOW)
    with unit_of_work():
        verifications.pass_over(person, register, FEBRUARY, key_of("虛構計畫2"), "上月已查證", NOW)
    with unit_of_work(), pytest.raises(Conflict, match="略過"):
        verifications.pass_over(person, register, FEBRUARY, key_of("虛構計畫2"), "上月已查證", NOW)
    opened(register, "虛構計畫2")
    assert queries.counted(register.id, FEBRUARY) == {"passed_over": 1, "written": 1}
    notes = db.session.scalars(
        select(AuditEntry.action)
        .where(AuditEntry.action.startswith("verification"), AuditEntry.at == NOW)
        .order_by(AuditEntry.id)
    ).all()
    assert notes == ["verification_passed_over", "verification_opened"]


def test_a_batch_is_all_or_nothing(register: Register) -> None:
    person = officer(CONTROL, NOW)
    with unit_of_work(), pytest.raises(Conflict, match="不在選案清單"):
        verifications.open_ticked(person, register, FEBRUARY, [key_of("虛構計畫1"), key_of("虛構計畫4")], NOW)
    assert db.session.scalars(select(Verification).where(Verification.period == FEBRUARY.key)).all() == []
    with unit_of_work():
        made = verifications.open_ticked(
            person, register, FEBRUARY, [key_of(f"虛構計畫{n}") for n in (1, 2, 5)], NOW
        )
    assert [each.kind for each in made] == ["on_site", "written", "written"]


def test_who_may_not_and_what_is_missing(register: Register) -> None:
    key, person = key_of("虛構計畫1"), officer(CONTROL, NOW)
    with pytest.raises(Forbidden):
        verifications.open_ticked(officer(OFFICER, NOW), register, FEBRUARY, [key], NOW)
    with pytest.raises(Misfit):
        verifications.open_ticked(person, register, FEBRUARY, [], NOW)
    for reason in ("", " ", "長" * 1001):
        with pytest.raises(Misfit):
            verifications.pick_by_hand(person, register, FEBRUARY, key, "on_site", reason, NOW)
    with pytest.raises(Misfit):
        verifications.pick_by_hand(person, register, FEBRUARY, key, "by_phone", "關切", NOW)
    with pytest.raises(Refused):
        verifications.pass_over(person, register, FEBRUARY, key_of("虛構計畫4"), "不必", NOW)


def meetings_items(meeting_id: int) -> list[str]:
    listed = select(MeetingItem.text).where(MeetingItem.meeting_id == meeting_id)
    return list(db.session.scalars(listed.order_by(MeetingItem.position)))


def test_two_people_fill_agendas_at_once(app: Flask, register: Register) -> None:
    person, titles = officer(CONTROL, NOW), ("虛構計畫2", "虛構計畫4", "虛構計畫5")
    keys, of = [key_of(title) for title in titles], register.id

    def pick(key: str) -> None:
        register = db.session.get_one(Register, of)
        verifications.pick_by_hand(person, register, FEBRUARY, key, "heads_meeting", "首長交查", NOW)

    def enter(title: str) -> None:
        said = Entered("heads", title, date(2020, 4, 2))
        meetings.enter(person, db.session.get_one(Register, of), said, [], NOW)

    with unit_of_work():
        pick(keys[0])
    assert at_once(app, lambda: enter("會報"), lambda: enter("臨時會報")) == []
    meeting = db.session.scalars(select(MeetingItem.meeting_id).where(MeetingItem.text == titles[0])).one()
    assert at_once(app, lambda: pick(keys[1]), lambda: pick(keys[2])) == []
    assert sorted(meetings_items(meeting)) == sorted(titles)


def test_what_goes_to_the_heads_waits_for_the_next_meeting(register: Register) -> None:
    person = officer(CONTROL, NOW)
    with unit_of_work():
        (made,) = verifications.open_ticked(person, register, FEBRUARY, [key_of("虛構計畫3")], NOW)
    with unit_of_work():
        meetings.enter(person, register, Entered("heads", "以前的會報", date(2020, 2, 6)), [], NOW)
    with unit_of_work():
        other = meetings.enter(person, register, Entered("project", "專案會議", date(2020, 4, 1)), [], NOW)
    assert meetings_items(other.id) == []
    with unit_of_work():
        said = Entered("heads", "主管會報", date(2020, 4, 2))
        meeting = meetings.enter(person, None, said, ["上次會議決議"], NOW)
    assert meetings_items(meeting.id) == ["上次會議決議", "虛構計畫3"]
    with unit_of_work():
        verifications.pick_by_hand(
            person, register, FEBRUARY, key_of("虛構計畫4"), "heads_meeting", "首長交查", NOW
        )
        held = Entered("heads", "主管會報", date(2020, 4, 2), minutes="請工務處加速辦理")
        meetings.change(person, meeting, held, [], NOW, version=1)
    assert made.state == "open", "minutes prepared for a meeting to come discuss nothing"
    after = NOW + timedelta(days=17)
    with unit_of_work():
        meetings.change(person, meeting, held, [], after, version=2)
    of_february = select(Verification.state).where(Verification.period == FEBRUARY.key)
    states = db.session.scalars(of_february.order_by(Verification.id)).all()
    assert (len(states), set(states), made.state) == (2, {"closed"}, "closed")


def test_what_waits_for_the_heads_goes_on_with_its_plan(register: Register) -> None:
    """Until minutes close it, whatever the period; the register of the next year takes it up where no other did."""
    person = officer(CONTROL, NOW)
    with unit_of_work():
        (made,) = verifications.open_ticked(person, register, FEBRUARY, [key_of("虛構計畫3")], NOW)
        next_year = plan_imports.register_for("selected-110")
        other = plan_imports.register_for("major_project-110")

    def waiting(of: Register) -> list[Verification]:
        return [told.verification for told in queries.before_heads(of)]

    assert (waiting(register), waiting(next_year)) == ([made], [])
    with unit_of_work():
        held = db.session.get_one(RegisterEntry, made.entry_id)
        held.released_on, held.release_reason = date(2021, 1, 1), "跨年度續列管"
        held.released_as = "carried_over"
        goes_on = RegisterEntry(plan_id=held.plan_id, register_id=next_year.id, since=date(2021, 1, 1))
        goes_on.carried_over_from, goes_on.origin = 109, "entered"
        db.session.add(goes_on)
    assert [waiting(of) for of in (register, next_year, other)] == [[made], [made], []]
    with unit_of_work():
        meetings.enter(person, other, Entered("heads", "別的會報", date(2021, 1, 6)), [], NOW)
        meeting = meetings.enter(
            person, next_year, Entered("quarterly_review", "季檢討會", date(2021, 1, 6)), [], NOW
        )
    assert meetings_items(meeting.id) == ["虛構計畫3"]
    (told,) = queries.before_heads(register)
    assert told.meeting == meeting
    with unit_of_work():
        said = Entered("quarterly_review", "季檢討會", date(2021, 1, 6), minutes="請加速")
        meetings.change(person, meeting, said, [], NOW + timedelta(days=300), version=1)
    assert waiting(register) == []


def test_the_limit_is_the_day_that_was_agreed_on(register: Register) -> None:
    _made, case = opened(register, "虛構計畫1")
    late = NOW + timedelta(days=60)
    for day_agreed in (date(2020, 5, 20), date(2020, 8, 1), date(2020, 5, 15)):
        with unit_of_work():
            later.until(officer(CONTROL, NOW), case, day_agreed, late, "改善期限")
        assert case.due_on == day_agreed
    for slip in (date(2020, 5, 14), date(2062, 10, 31)):
        with unit_of_work(), pytest.raises(Refused, match="十年以內"):
            later.until(officer(CONTROL, NOW), case, slip, late, "改善期限")


def test_a_slip_of_the_year_is_named_at_its_field(register: Register) -> None:
    _made, case = opened(register, "虛構計畫1")
    with pytest.raises(AnswersInvalid) as refused:
        act(
            case,
            "record",
            CONTROL,
            raw=visit("38.5", **FINDING, **day("findings-0-due_on", "151", "10", "31")),
        )
    assert "改善期限不能晚於民國119年3月14日" in refused.value.errors["findings"][0]


def test_what_was_picked_in_error_is_withdrawn(register: Register) -> None:
    made, case = opened(register, "虛構計畫2")
    with unit_of_work():
        key = key_of("虛構計畫3")
        (heads,) = verifications.open_ticked(officer(CONTROL, NOW), register, FEBRUARY, [key], NOW)
    person = officer(CONTROL, NOW)
    with unit_of_work(), pytest.raises(Forbidden):
        review_withdrawals.of_verification(officer(OFFICER, NOW), made, "選錯", NOW)
    with unit_of_work(), pytest.raises(Misfit):
        review_withdrawals.of_verification(person, made, " ", NOW)
    with unit_of_work():
        review_withdrawals.of_verification(person, made, "選錯計畫", NOW)
        review_withdrawals.of_verification(person, heads, "選錯計畫", NOW)
    assert (made.state, heads.state, case.outcome, case.status) == (
        "withdrawn",
        "withdrawn",
        "withdrawn",
        "closed",
    )
    assert queries.counted(register.id, FEBRUARY) == {}
    with unit_of_work(), pytest.raises(Conflict):
        review_withdrawals.of_verification(person, made, "再一次", NOW)
    again, _case = opened(register, "虛構計畫2")
    assert again.id != made.id, "and may be picked anew"
