"""A month of plan control through the real workflow: asked for, explained, checked, taken in, locked, unlocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.at_once import at_once
from tests.integration.services.test_reassigning import act
from tests.journeys import officer, open_tasks, take
from tests.officers import at, signed_in, statements
from tests.plan_world import baseline, entry
from webapp.errors import AnswersInvalid
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.models import Case, Edition, Message, Plan, ProgressReport, Register, RegisterEntry
from webapp.periods import parse
from webapp.queries import inbox
from webapp.queries.org import chart
from webapp.services import cases, clocks, plan_editions, plan_imports, plan_months, plan_progress
from webapp.services.plan_progress import Figures
from webapp.services.steps import Given
from webapp.uow import unit_of_work
from workflows.engine import Missing

OFFICER, HEAD, CONTROL = "ou.yijun", "cai.wenxiong", "guo.shiming"
FEBRUARY = date(2020, 2, 1)
#: 7 March 2020 is a Saturday: the report may come until Monday the 9th
MARCH_1, MARCH_9, MARCH_10 = (datetime(2020, 3, day, 2, tzinfo=UTC) for day in (1, 9, 10))
BEHIND = {
    "reason_class": ["tender"],
    "reason": ["兩次流標"],
    "countermeasure": ["調整預算後重新招標"],
    "catch_up_date-year": ["109"],
    "catch_up_date-month": ["6"],
    "catch_up_date-day": ["30"],
}


@pytest.fixture(autouse=True)
def _counter(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def standing() -> RegisterEntry:
    """A plan of 建設處農林科 that should be at 20 % in February."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others)
        made = entry(plan_imports.register_for("selected-109"), "虛構的造林計畫", unit="EC-AFF")
        baseline(made, 10, 20, 30, 100, budget=10_000_000)
    return made


def asked(now: datetime = MARCH_1) -> Case:
    assert sweeps.run_plans(now)["failed"] == 0
    return db.session.scalars(select(Case).where(Case.service_code == plan_months.SERVICE)).one()


def report() -> ProgressReport:
    newest = select(ProgressReport).order_by(ProgressReport.id.desc()).limit(1)
    return db.session.scalars(newest.execution_options(populate_existing=True)).one()


def said(actual: str, **more: list[str]) -> dict[str, Any]:
    return {"actual": [actual], "phase": ["招標"], "situation": ["辦理公開招標"], **more}


def test_a_report_is_asked_for_once(standing: RegisterEntry) -> None:
    assert plan_months.to_open(MARCH_1) == [standing.id]
    case = asked()
    assert plan_months.to_open(MARCH_9) == []
    with unit_of_work():
        assert plan_months.open_report(standing.id, MARCH_9) is None
    assert (report().month, report().planned, report().case_id) == (FEBRUARY, Decimal(20), case.id)
    assert (case.due_on, open_tasks(case)[0].key) == (MARCH_9.date(), "fill")


def test_the_register_is_held_before_its_entry(
    standing: RegisterEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by whoever carries a whole register over: the other way round the two would wait for each other."""
    with statements(monkeypatch) as seen, unit_of_work():
        plan_months.open_report(standing.id, MARCH_1)
    held = [each for each in seen if "FROM register" in each and " FOR " in each]
    assert "FROM register " in held[0].replace("\n", " ") and "FOR SHARE" in held[0]
    assert "FROM register_entry" in held[1] and "FOR UPDATE" in held[1]


def test_on_time_and_on_track(standing: RegisterEntry) -> None:
    case = asked()
    take(case, "send", OFFICER, MARCH_9, raw=said("20"))
    assert (report().state, report().light, report().standing) == ("reported", "green", "on_track")
    take(case, "confirm", HEAD, MARCH_9)
    assert report().state == "checked"
    take(case, "accept", CONTROL, MARCH_9)
    assert (case.outcome, report().lag) == ("recorded", Decimal(0))


def test_who_is_behind_explains_it(standing: RegisterEntry) -> None:
    case = asked()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_9, raw=said("13.5"))
    assert list(refused.value.errors) == ["reason_class", "reason", "countermeasure", "catch_up_date"]
    assert refused.value.errors["reason"] == [
        "請寫明原因：落後者填報原因、對策與趕上日期，進度落後 6.5 個百分點 ＞ 落後門檻 0 個百分點。"
    ]
    assert report().actual is None, "nothing was kept"
    take(case, "send", OFFICER, MARCH_9, raw=said("13.5", **BEHIND))
    assert (report().lag, report().standing, report().reason_class) == (Decimal("6.5"), "severe", "tender")


WHY = ["reason", "countermeasure"]


@pytest.mark.parametrize(
    ("spent", "asked_for", "said_why"),
    [
        ("1599998", WHY, "預算執行率偏低，預算執行率 79.9999 % ＜ 預算執行率下限 80 %"),
        ("1599999", [], ""),
        ("", [], ""),
    ],
)
def test_who_spends_too_little_explains_it(
    standing: RegisterEntry, spent: str, asked_for: list[str], said_why: str
) -> None:
    """Two million are due; the rate is kept with four decimals, half up, and below 80 % asks why."""
    case = asked()
    assert report().budget_due == 2_000_000
    if asked_for:
        with pytest.raises(AnswersInvalid) as refused:
            take(case, "send", OFFICER, MARCH_9, raw=said("20", budget_spent=[spent]))
        assert list(refused.value.errors) == asked_for
        assert said_why in refused.value.errors["reason"][0]
        assert report().state == "open"
    explained = {part: BEHIND[part] for part in asked_for}
    take(case, "send", OFFICER, MARCH_9, raw=said("20", budget_spent=[spent], **explained))
    assert (report().standing, report().state) == ("on_track", "reported")


def test_what_several_rules_ask_says_them_all(standing: RegisterEntry) -> None:
    case = asked()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_9, raw=said("13.5", budget_spent=["1"]))
    errors = {part: said[0] for part, said in refused.value.errors.items()}
    assert [part for part, why in errors.items() if "進度落後 6.5" in why] == [
        "reason_class",
        *WHY,
        "catch_up_date",
    ]
    assert [part for part, why in errors.items() if "預算執行率" in why] == WHY


@pytest.mark.parametrize(("actual", "words"), [("101", "100"), ("-1", "0"), ("很多", "數字")])
def test_what_is_no_share_is_refused(standing: RegisterEntry, actual: str, words: str) -> None:
    case = asked()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_9, raw=said(actual))
    assert words in refused.value.errors["actual"][0]


def test_progress_does_not_fall(standing: RegisterEntry) -> None:
    with unit_of_work():
        db.session.add(
            ProgressReport(
                entry_id=standing.id,
                register_id=standing.register_id,
                month=date(2020, 1, 1),
                planned=Decimal(10),
                actual=Decimal(25),
                origin="entered",
            )
        )
    case = asked()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_9, raw=said("24", **BEHIND))
    assert "不會倒退" in refused.value.errors["actual"][0]


@pytest.mark.parametrize(
    ("spent", "words"),
    [
        ("10000001", "累計支用經費 10,000,001 元超過計畫經費 10,000,000 元"),
        ("99999999999", "超過計畫經費"),
        ("499999", "累計支用經費不會倒退：109年1月已達 NT$ 500,000"),
        ("100000000000000", "99,999,999,999,999"),
    ],
)
def test_money_that_cannot_have_been_spent_is_named(standing: RegisterEntry, spent: str, words: str) -> None:
    with unit_of_work():
        before = ProgressReport(
            entry_id=standing.id, register_id=standing.register_id, month=date(2020, 1, 1)
        )
        before.planned = before.actual = Decimal(10)
        before.budget_spent, before.origin = Decimal(500_000), "entered"
        db.session.add(before)
    case = asked()
    with pytest.raises(AnswersInvalid) as refused:
        take(case, "send", OFFICER, MARCH_9, raw=said("20", budget_spent=[spent]))
    assert list(refused.value.errors) == ["budget_spent"]
    assert words in refused.value.errors["budget_spent"][0]


def test_much_money_of_which_little_was_due(standing: RegisterEntry) -> None:
    case = asked()
    with unit_of_work():
        report().budget_due = Decimal(1)
    take(case, "send", OFFICER, MARCH_9, raw=said("20", budget_spent=["10000000"]))
    assert report().budget_execution == 1_000_000_000


def test_what_the_head_sends_back_is_reported_again(standing: RegisterEntry) -> None:
    case = asked()
    take(case, "send", OFFICER, MARCH_1, raw=said("20"))
    take(case, "send_back", HEAD, MARCH_1, comment="數字有誤")
    take(case, "send", OFFICER, MARCH_9, raw=said("21"))
    assert (report().actual, report().standing) == (Decimal(21), "ahead")


def test_late_is_locked_and_the_control_office_unlocks(standing: RegisterEntry) -> None:
    case = asked()
    sweeps.run_plans(MARCH_9)
    assert case.state == "fill", "the last day is a day"
    sweeps.run_plans(MARCH_10)
    db.session.refresh(case)
    assert (case.state, report().light, report().standing) == ("locked", "grey", "no_report")
    assert not [task for task in open_tasks(case) if task.function == "officer"]
    with pytest.raises(Missing):
        take(case, "unlock", CONTROL, MARCH_10, comment="")
    take(case, "unlock", CONTROL, MARCH_10, comment="颱風停班", on_date=date(2020, 3, 13))
    clock = clocks.of_case(case.id)
    assert case.due_on == clock.due_on == open_tasks(case)[0].due_on == date(2020, 3, 13)
    (moved,) = clock.movements
    assert (moved.due_before, moved.due_after) == (MARCH_9.date(), date(2020, 3, 13))
    assert "另訂到期日為" in clocks.ledger(clock, case, MARCH_10).lines[1].text.zh
    sweeps.run_plans(datetime(2020, 3, 13, 2, tzinfo=UTC))
    assert case.state == "fill"
    take(case, "send", OFFICER, datetime(2020, 3, 13, 3, tzinfo=UTC), raw=said("20"))
    assert (report().standing, report().light) == ("on_track", "green")


def test_it_may_stay_missing(standing: RegisterEntry) -> None:
    case = asked()
    sweeps.run_plans(MARCH_10)
    db.session.refresh(case)
    take(case, "close_missing", CONTROL, MARCH_10, comment="未補")
    assert (case.outcome, report().standing) == ("missing", "no_report")


def test_what_is_released_or_published_is_not_asked(standing: RegisterEntry) -> None:
    with unit_of_work():
        standing.released_on, standing.release_reason = date(2020, 2, 20), "完成驗收"
    assert plan_months.to_open(MARCH_1) == []
    with unit_of_work():
        standing.released_on = standing.release_reason = None
        standing.origin = "published"
    assert plan_months.to_open(MARCH_1) == []


def test_the_officer_sees_it_in_the_inbox(standing: RegisterEntry) -> None:
    number = asked().number
    found = inbox.page(officer(OFFICER), "pool", MARCH_1, inbox.Filters())
    assert [item.number for item in found.items] == [number]


# --- at once ----------------------------------------------------------------------------------------------


def sending(case: Case, login: str, actual: str) -> Callable[[], None]:
    """A click on the page of the report as it stands now."""
    case_id, version, (task,) = case.id, case.version, open_tasks(case)
    task_id, given = task.id, Given(raw=said(actual))

    def click() -> None:
        cases.take_transition(
            officer(login), db.session.get_one(Case, case_id), "send", MARCH_9,
            version=version, task_id=task_id, given=given,
        )  # fmt: skip

    return click


def closing(register_id: int) -> Callable[[], None]:
    def close() -> None:
        register = db.session.get_one(Register, register_id)
        plan_editions.close(officer(CONTROL), register, parse("109M02"), MARCH_9)

    return close


def test_of_two_who_send_the_same_report_the_second_hears_of_the_first(
    app: Flask, standing: RegisterEntry
) -> None:
    case = asked()
    first, second = sending(case, OFFICER, "20"), sending(case, "weng.guoliang", "21")
    db.session.rollback()
    (refusal,) = at_once(app, first, second)
    assert "已由歐怡君處理" in refusal and report().actual == 20


def test_a_report_that_is_locked_meanwhile_says_so(app: Flask, standing: RegisterEntry) -> None:
    case = asked()
    key, send = case.id, sending(case, OFFICER, "20")
    db.session.rollback()
    (refusal,) = at_once(app, lambda: plan_months.lock(key, MARCH_10), send)
    assert "不是最新狀態" in refusal and report().state == "open"


@pytest.mark.parametrize("closed_first", [False, True])
def test_a_report_is_sent_while_its_month_is_closed(
    app: Flask, standing: RegisterEntry, closed_first: bool
) -> None:
    """Either the paper has it, or it is refused: nothing comes in behind the edition."""
    with unit_of_work():
        other = entry(plan_imports.register_for("selected-109"), "另一件虛構計畫", unit="EC-AFF")
        figures = Figures(planned=Decimal(20), actual=Decimal(20))
        plan_progress.record(other, FEBRUARY, figures, MARCH_1, origin="entered")
    send, close = sending(asked(), OFFICER, "20"), closing(standing.register_id)
    db.session.rollback()
    refused = at_once(app, *((close, send) if closed_first else (send, close)))
    assert refused == (["109年2月已經結算，不能再填報或更正。"] if closed_first else [])
    (edition,) = db.session.scalars(select(Edition))
    printed = {row["title"]: row["standing"] for row in edition.data["rows"]}
    assert printed == {"另一件虛構計畫": "on_track", "虛構的造林計畫": "" if closed_first else "on_track"}
    assert report().state == ("open" if closed_first else "reported")


def test_what_nobody_of_a_department_can_do_waits_before_its_head(app: Flask) -> None:
    """The head moves it to a section, which is asked from then on."""
    with unit_of_work():
        others = update(RegisterEntry).values(released_on=RegisterEntry.since, release_reason="與測試無關")
        db.session.execute(others.values(released_as="withdrawn"))
        made = entry(plan_imports.register_for("selected-109"), "虛構的造林計畫", unit="EC")
        baseline(made, 10, 20, 30, 100)
    case = asked()
    head = officer("li.zhengnan", MARCH_1)
    (line,) = inbox.page(head, "pool", MARCH_1, inbox.Filters()).items
    assert (line.number, line.vacant, line.in_pool) == (case.number, True, False)
    assert inbox.counts(head, MARCH_1)["pool"] == 1
    assert not inbox.page(officer(OFFICER, MARCH_1), "pool", MARCH_1, inbox.Filters()).items
    act(case, "move", "li.zhengnan", MARCH_1, unit="EC-AFF")
    assert not inbox.page(head, "pool", MARCH_1, inbox.Filters()).items
    take(case, "send", OFFICER, MARCH_9, raw=said("20"))
    april = datetime(2020, 4, 1, 2, tzinfo=UTC)
    sweeps.run_plans(april)
    newest = db.session.scalars(
        select(Case).where(Case.service_code == "KM01").order_by(Case.id.desc())
    ).first()
    assert newest is not None and newest.handling_unit.code == "EC-AFF"


def test_the_control_office_hears_that_nobody_can_report(
    app: Flask, standing: RegisterEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """建設處 itself has no officer: the report waits in its pool."""
    with unit_of_work():
        db.session.get_one(Plan, standing.plan_id).lead_unit_id = chart().by_code["EC"].id
    case = asked()
    (task,) = open_tasks(case)
    assert task.assignee_id is None
    told = select(Message).where(
        Message.account_id == officer(CONTROL).account_id, Message.channel == "inbox"
    )
    subjects = [each.subject for each in db.session.scalars(told.order_by(Message.id))]
    assert subjects == ["建設處沒有人擔任承辦人"]
    at(app, monkeypatch, MARCH_1)
    on_page = signed_in(app, CONTROL)
    on_page.get(f"/staff/cases/{case.public_id}")
    assert "沒有人擔任承辦人" in on_page.page.text
