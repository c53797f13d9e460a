"""年終考核 through the real workflow: opened, evaluated by the unit, graded by the rules, published and frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import IntegrityError

from tests.journeys import officer, open_tasks, take
from tests.officers import at, signed_in
from tests.plan_world import baseline, entry
from webapp.errors import AnswersInvalid, Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, Firing, Plan, PlanGrade, ProgressReport, Register, RegisterEntry
from webapp.queries.org import chart
from webapp.services import (
    events,
    internal_cases,
    plan_evaluations,
    plan_grade_papers,
    plan_grades,
    plan_imports,
    plan_years,
)
from webapp.services.plan_grades import Said
from webapp.uow import unit_of_work

OFFICER, HEAD, CONTROL = "ou.yijun", "cai.wenxiong", "guo.shiming"
JANUARY = datetime(2021, 1, 20, 2, tzinfo=UTC)
SELF = {
    "progress_points": ["95"], "budget_points": ["90"], "reporting_points": ["90"], "administration_points": ["88.5"],
    "results": ["造林 12 公頃"],
}  # fmt: skip
REVIEW = {"administration_points": ["90"], "administration_reason": ["配合會議"]}


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def standing() -> RegisterEntry:
    """A plan of 建設處農林科 that was 3 points behind in December, with eleven of twelve reports in time."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others)
        made = entry(plan_imports.register_for("selected-109"), "虛構的造林計畫", unit="EC-AFF")
        baseline(made, *range(8, 89, 8), 100)
        for month in range(1, 13):
            _report(made, month, late=month == 5)
    return made


def _report(of: RegisterEntry, month: int, *, late: bool = False, **more: Any) -> None:
    following = date(2020 + month // 12, month % 12 + 1, 20 if late else 5)
    said = {
        "planned": Decimal(8 * month), "actual": Decimal(8 * month - 3), "budget_due": 1000, "budget_spent": 910,
        "state": "reported", "reported_at": datetime(following.year, following.month, following.day, 2, tzinfo=UTC),
    }  # fmt: skip
    db.session.add(
        ProgressReport(
            entry_id=of.id,
            register_id=of.register_id,
            month=date(2020, month, 1),
            origin="entered",
            **said | more,
        )
    )
    db.session.flush()


def _asked(of: RegisterEntry) -> ProgressReport:
    """Its report of December, with the case that asks for it."""
    said = {"plan": "虛構計畫", "register": "選項列管", "month": "109年12月"}
    unit = chart().by_code["EC-AFF"].id
    case = internal_cases.open_case(officer(CONTROL), "KM01", said, unit, JANUARY.date(), JANUARY)
    mine = select(ProgressReport).where(
        ProgressReport.entry_id == of.id, ProgressReport.month == date(2020, 12, 1)
    )
    found = db.session.scalars(mine).one()
    found.case_id = case.id
    db.session.flush()
    return found


def register() -> Register:
    return db.session.scalars(select(Register).where(Register.key == "selected-109")).one()


def grade() -> PlanGrade:
    """Of the register of the test; the demonstration has others."""
    mine = select(PlanGrade).where(PlanGrade.register_id == register().id)
    return db.session.scalars(mine.execution_options(populate_existing=True)).one()


def started(now: datetime = JANUARY) -> Case:
    with unit_of_work():
        assert plan_evaluations.start(officer(CONTROL), register(), now) == (1, 0)
    return db.session.scalars(select(Case).where(Case.service_code == plan_evaluations.SERVICE)).one()


def reviewed() -> Case:
    case = started()
    take(case, "send", OFFICER, JANUARY, raw=SELF)
    take(case, "confirm", HEAD, JANUARY)
    return case


def figures(of: RegisterEntry) -> plan_years.YearFigures:
    return plan_years.figures(register(), [of])[of.id]


def publish() -> tuple[int, list[str]]:
    with unit_of_work():
        seen = plan_evaluations.seen(register())
        return plan_evaluations.publish(officer(CONTROL), register(), JANUARY, version=seen)


def test_the_figures_of_a_year(standing: RegisterEntry) -> None:
    found = figures(standing)
    assert (found.lag, found.execution, found.missing) == (Decimal(3), Decimal(91), {})
    assert (found.due, found.in_time, found.share_in_time) == (12, 11, Decimal("91.6667"))


def test_points_total_and_grade_by_the_rules(standing: RegisterEntry) -> None:
    """85 × 40 % + 90 × 30 % + 90 × 15 % + 90 × 15 % = 88, 甲等."""
    said = Said(points={"administration": Decimal(90)})
    made, _decision = plan_grades.assess(register(), figures(standing), said)
    assert [(each.key, each.weight, each.computed) for each in made.items] == [
        ("progress", 40, 85), ("budget", 30, 90), ("reporting", 15, 90), ("administration", 15, None),
    ]  # fmt: skip
    assert (made.exact, made.total, made.grade) == (Decimal("88.0000"), Decimal(88), "a")


@pytest.mark.parametrize(
    ("administration", "exact", "total", "grade"),
    [("100", "89.5000", "90", "excellent"), ("99.99", "89.4985", "89", "a")],
)
def test_the_total_is_rounded_once_and_half_up(
    standing: RegisterEntry, administration: str, exact: str, total: str, grade: str
) -> None:
    made, _decision = plan_grades.assess(
        register(), figures(standing), Said(points={"administration": Decimal(administration)})
    )
    assert (made.exact, made.total, made.grade) == (Decimal(exact), Decimal(total), grade)


def test_each_report_that_was_sent_back_costs_points(standing: RegisterEntry) -> None:
    said = Said(points={"administration": Decimal(90)})
    twice, _decision = plan_grades.assess(register(), replace(figures(standing), corrections=2), said)
    assert twice.items[2].computed == 86, "90 less two times 2"
    often, _decision = plan_grades.assess(register(), replace(figures(standing), corrections=99), said)
    assert often.items[2].computed == 0


def test_what_is_not_known_is_named_and_never_nothing(standing: RegisterEntry) -> None:
    with unit_of_work():
        report = _asked(standing)
        report.state, report.reported_at = "open", None
        report.actual = report.budget_spent = None
    found = figures(standing)
    assert found.missing["progress"].zh == found.missing["budget"].zh == "109年12月沒有填報"
    assert (found.due, found.in_time) == (12, 10), "a report that is missing was not in time"
    made, _decision = plan_grades.assess(register(), found, Said(points={"administration": Decimal(90)}))
    assert (made.total, made.grade, [each.key for each in made.open]) == (None, None, ["progress", "budget"])


def test_what_is_left_out_is_shared_by_the_others(standing: RegisterEntry) -> None:
    """(85 × 40 + 90 × 15 + 90 × 15) ÷ 70 = 87.1429."""
    said = Said(points={"administration": Decimal(90)}, left_out=frozenset({"budget"}))
    made, _decision = plan_grades.assess(register(), figures(standing), said)
    assert (made.exact, made.total) == (Decimal("87.1429"), Decimal(87))


def test_a_plan_that_was_released_is_held_to_its_last_month(standing: RegisterEntry) -> None:
    with unit_of_work():
        standing.released_on, standing.release_reason = date(2020, 7, 15), "完工驗收"
    found = figures(standing)
    assert (found.month, found.due, found.in_time) == (date(2020, 6, 1), 6, 5)


def test_opened_once_and_only_after_the_year(standing: RegisterEntry) -> None:
    with pytest.raises(Forbidden), unit_of_work():
        plan_evaluations.start(officer(OFFICER), register(), JANUARY)
    with pytest.raises(Refused, match="還沒有終了"), unit_of_work():
        plan_evaluations.start(officer(CONTROL), register(), datetime(2020, 12, 31, 15, tzinfo=UTC))
    case = started()
    with pytest.raises(Conflict, match="已在 2021-01-20 開始"), unit_of_work():
        plan_evaluations.start(officer(CONTROL), register(), JANUARY)
    assert (case.due_on, open_tasks(case)[0].due_on) == (date(2021, 4, 15), date(2021, 3, 25))
    done = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "evaluation_started")).one()
    assert (done.subject, done.detail) == ("selected-109", "1: 2021-03-25 2021-04-15")


def test_the_way_to_a_published_grade(standing: RegisterEntry) -> None:
    case = reviewed()
    assert (grade().self_points, grade().self_words) == (
        {"progress": "95", "budget": "90", "reporting": "90", "administration": "88.5"}, "造林 12 公頃",
    )  # fmt: skip
    take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    assert (grade().state, grade().total, grade().grade) == ("reviewed", Decimal(88), "a")
    assert publish() == (1, [])
    db.session.refresh(case)
    assert (
        db.session.scalars(select(Firing).where(Firing.case_id == case.id)).one().facts["plan.lag"]
        == "3.0000"
    )
    assert (grade().state, case.status, case.outcome) == ("published", "closed", "recorded")
    with pytest.raises(IntegrityError, match="is published"), unit_of_work():
        db.session.execute(update(PlanGrade).values(total=100))
    with pytest.raises(IntegrityError, match="is published"), unit_of_work():
        db.session.execute(text("delete from plan_grade"))


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"progress_points": ["100"]}, "adjust_reason"),
        ({"left_out": ["budget"]}, "adjust_reason"),
        ({"left_out": ["budget"], "budget_points": ["80"], "adjust_reason": ["未編經費"]}, "budget_points"),
        ({"administration_points": ["100.01"]}, "administration_points"),
    ],
)
def test_a_review_says_why(standing: RegisterEntry, typed: dict[str, list[str]], field: str) -> None:
    case = reviewed()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "grade", CONTROL, JANUARY, raw={**REVIEW, **typed})
    assert list(refused.value.errors) == [field]
    assert grade().state == "open"


def test_figures_that_are_missing_are_refused_until_something_is_said(standing: RegisterEntry) -> None:
    with unit_of_work():
        db.session.execute(
            update(ProgressReport).where(ProgressReport.entry_id == standing.id).values(budget_due=None)
        )
    case = reviewed()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    assert "109年12月沒有經費數字" in refused.value.errors["budget_points"][0]
    take(
        case, "grade", CONTROL, JANUARY, raw={**REVIEW, "left_out": ["budget"], "adjust_reason": ["未編經費"]}
    )
    assert (grade().total, grade().said["left_out"]) == (Decimal(87), ["budget"])


def test_what_changed_since_the_review_is_reviewed_again(standing: RegisterEntry) -> None:
    case = reviewed()
    take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    with unit_of_work():
        db.session.execute(
            update(ProgressReport).where(ProgressReport.month == date(2020, 12, 1)).values(actual=96)
        )
    assert publish() == (0, ["虛構的造林計畫"])
    take(case, "reopen", CONTROL, JANUARY, comment="十二月進度更正")
    assert grade().state == "open"
    take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    assert (publish(), grade().total) == ((1, []), Decimal(94))


def test_a_stale_page_publishes_nothing(standing: RegisterEntry) -> None:
    case = reviewed()
    seen = plan_evaluations.seen(register())
    take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    with pytest.raises(Conflict, match="剛剛處理過"), unit_of_work():
        plan_evaluations.publish(officer(CONTROL), register(), JANUARY, version=seen)
    assert grade().state == "reviewed"


def test_months_that_nobody_was_asked_for_are_no_late_reports(standing: RegisterEntry) -> None:
    """A plan that was entered in July, controlled since January: the reviewer hears of it, the rules give no points."""
    with unit_of_work():
        late = entry(register(), "七月才列管的計畫", unit="EC-AFF")
        for month in range(7, 13):
            _report(late, month)
        empty = entry(register(), "沒有核定進度的計畫", unit="EC-AFF")
    found = figures(late)
    assert (found.due, found.in_time, found.share_in_time) == (6, 6, None)
    assert {item: said.zh for item, said in found.missing.items()} == {"reporting": "6 個月沒有請單位填報"}
    assert (found.lag, figures(empty).missing["progress"].zh) == (3, "109年12月沒有請單位填報")


def test_only_what_the_plan_control_office_returns_costs_points(standing: RegisterEntry) -> None:
    with unit_of_work():
        case = db.session.get_one(Case, _asked(standing).case_id)
        for state in ("check", "consolidate"):
            actor = officer(HEAD if state == "check" else CONTROL)
            events.record(actor, case, "send_back", JANUARY, from_state=state)
    assert figures(standing).corrections == 1


def test_the_review_is_read_by_the_unit_when_it_is_published(
    app: Flask, standing: RegisterEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = reviewed()
    take(case, "grade", CONTROL, JANUARY, raw={**REVIEW, "opinion": ["尚未公布的意見"]})
    at(app, monkeypatch, JANUARY)
    page = f"/staff/cases/{case.public_id}"

    def read_by(login: str) -> set[str]:
        with app.app_context():
            said = signed_in(app, login).get(page).text
        assert "造林 12 公頃" in said
        return {words for words in ("尚未公布的意見", "配合會議") if words in said}

    assert read_by(OFFICER) == set() and len(read_by(CONTROL)) == 2
    publish()
    assert len(read_by(OFFICER)) == 2


def test_the_printed_list_says_what_was_published(app: Flask, standing: RegisterEntry) -> None:
    case = reviewed()
    take(case, "grade", CONTROL, JANUARY, raw=REVIEW)
    locked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        locked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        publish()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    first = next(n for n, said in enumerate(locked) if "FOR UPDATE" in said and 'FROM "case"' in said)
    assert first < next(n for n, said in enumerate(locked) if said.startswith("UPDATE plan_grade")), (
        "as a review does"
    )
    with unit_of_work():
        plan = db.session.get_one(Plan, standing.plan_id)
        plan.title, plan.lead_unit_id, standing.case_no = "改了名的計畫", chart().by_code["PW"].id, "99"
    monkeyed = {item: Decimal(25) for item in plan_grades.ITEMS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_grades, "weights", lambda of: monkeyed)
        printed = plan_grade_papers.table(register(), plan_years.period_of(register()), app.config)
    (line,) = printed.rows
    assert line[1] == "虛構的造林計畫" and "工務" not in line[2]
    assert line[0] == "" and printed.columns[3].heading == "執行進度(40)"


def test_rules_that_weigh_or_give_what_cannot_be_give_no_grade(standing: RegisterEntry) -> None:
    """An editor may set a weight of 0, or points above 100: the reviewer is told, nothing breaks."""
    _made, decision = plan_grades.assess(register(), figures(standing), Said())
    nothing = plan_grades.Item("progress", Decimal(0), Decimal(90), Decimal(90), False, None)
    assert plan_grades._total([nothing], decision) is None
    made, _decision = plan_grades.assess(
        register(), figures(standing), Said(points=dict.fromkeys(plan_grades.ITEMS, Decimal(130)))
    )
    assert (made.total, made.grade) == (None, None)


def test_days_that_the_rules_do_not_set_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_grades, "deadlines", lambda of: {})
    assert plan_evaluations.is_late(register(), date(2021, 1, 20))
