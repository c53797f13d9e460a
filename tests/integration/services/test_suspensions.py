"""A cause beyond control stops every clock of a case, and the ledger says so; nothing else is paused or lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests import officers
from tests.journeys import NOW, account, citizen, officer, open_tasks, submitted, take
from tests.patterns import serve
from webapp.citizen import progress, timeline
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.effects import perform_effect
from webapp.models import Case, Clock, Effect, Message, Suspension, Task
from webapp.services import case_actions, cases, clocks, events, extensions, suspensions
from webapp.services.case_actions import Asked
from webapp.uow import unit_of_work
from workflows.clock import explain

HEAD = "chen.shufen"
DUE = date(2025, 10, 20)
TYPHOON = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
OVER = datetime(2025, 10, 3, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def suspended(
    case: Case, now: datetime = TYPHOON, login: str = HEAD, reason: str = "颱風致道路中斷。"
) -> None:
    with unit_of_work():
        suspensions.suspend(officer(login, now), case, reason, now, version=case.version)


def resumed(case: Case, now: datetime = OVER, login: str = HEAD) -> None:
    with unit_of_work():
        suspensions.resume(officer(login, now), case, "道路已恢復通行。", now, version=case.version)


def test_the_days_between_do_not_count() -> None:
    case = submitted("EC09")
    suspended(case)
    clock = clocks.of_case(case.id)
    assert (clock.state, case.due_on) == ("paused", DUE)
    assert sweeps.run_deadlines(datetime(2025, 12, 1, 2, 0, tzinfo=UTC))["rungs"] == 0, "nobody is pressed"
    resumed(case)
    (task,) = open_tasks(case)
    # 10-02 and 10-03 do not count: 10-21 and 10-22 do
    assert {case.due_on, clock.due_on, task.due_on} == {date(2025, 10, 22)}
    assert (clock.state, clock.period_number) == ("running", 1)
    explained = "\n".join(explain(clocks.ledger(clock, case, NOW.date())))
    assert "颱風致道路中斷" in explained and "不可歸責之事由" in explained
    assert "a cause beyond control" in "\n".join(explain(clocks.ledger(clock, case, NOW.date()), "en"))
    assert events.broken_links(case.id) == []


def test_the_applicant_is_told_both_times() -> None:
    case = submitted("EC09")
    suspended(case)
    resumed(case)
    suspended(case, OVER)
    for effect in db.session.scalars(select(Effect).where(Effect.kind == "notice")):
        perform_effect(effect.id)
    subjects = [message.subject for message in db.session.scalars(select(Message).order_by(Message.id))]
    assert [subject.partition("：")[0] for subject in subjects if "期限" in subject] == [
        "辦理期限停止計算", "辦理期限恢復計算", "辦理期限停止計算",
    ]  # fmt: skip


def test_branches_stand_still_too() -> None:
    case = submitted("PW01")
    take(case, "split")
    limits = [task.due_on for task in open_tasks(case)]
    suspended(case, NOW, "zhang.jianguo")
    assert set(db.session.scalars(select(Clock.state))) == {"paused"}
    resumed(case, datetime(2025, 9, 26, 2, 0, tzinfo=UTC), "zhang.jianguo")
    moved = [
        task.due_on
        for task in db.session.scalars(
            select(Task).order_by(Task.id).where(Task.branch != "").execution_options(populate_existing=True)
        )
    ]
    assert len(moved) == 2 and all(after > before for before, after in zip(limits, moved, strict=True))


def test_a_branch_that_starts_meanwhile_stands_still_from_the_start() -> None:
    case = submitted("PW01")
    suspended(case, NOW, "zhang.jianguo")
    take(case, "split")
    assert set(db.session.scalars(select(Clock.state))) == {"paused"}
    resumed(case, TYPHOON, "zhang.jianguo")
    assert set(db.session.scalars(select(Clock.state))) == {"running"}
    # two working days after 10-01
    due = select(Clock.due_on).where(Clock.task_id.is_not(None))
    assert set(db.session.scalars(due)) == {date(2025, 10, 3)}


def test_an_opinion_that_is_asked_meanwhile_waits_too() -> None:
    case = submitted("EC09")
    asker = officers.officer_of(case)
    suspended(case, NOW)
    asked = Asked(unit="PO", question="有無意見？", days="1")
    with unit_of_work():
        case_actions.take(officer(asker), case, "ask_opinion", "", asked, NOW, version=case.version)
    assert set(db.session.scalars(select(Clock.state))) == {"paused"}
    resumed(case, TYPHOON)
    of_opinion = db.session.scalars(select(Clock).where(Clock.task_id.is_not(None))).one()
    assert (of_opinion.state, of_opinion.due_on) == ("running", date(2025, 10, 2))


def test_a_correction_that_is_answered_meanwhile_does_not_end_it() -> None:
    case = submitted("EC09")
    take(case, "request_correction", fields=("phone",), comment="請更正電話。")
    suspended(case)
    officers.corrected(case, datetime(2025, 10, 2, 2, 0, tzinfo=UTC), phone=["0922-000-111"])
    clock = clocks.of_case(case.id)
    assert clock.state == "paused", "the road is still closed"
    resumed(case)
    assert clocks.of_case(case.id).state == "running"
    # asked on the first day: 14 days after 10-03. 7 8 9, 10 off, 13 to 17, 20 to 23, 24 off, 27 28
    assert case.due_on == date(2025, 10, 28)


def test_a_restart_meanwhile_does_not_end_it() -> None:
    case = submitted("EC09")
    suspended(case)
    with unit_of_work():
        clocks.move(officer(HEAD), case, clocks.of_case(case.id), "restart", TYPHOON)
    assert clocks.of_case(case.id).state == "paused"
    resumed(case)
    # anew from 10-01, of which 10-02 and 10-03 do not count
    assert (case.due_on, clocks.of_case(case.id).state) == (date(2025, 10, 28), "running")


@pytest.mark.parametrize("login", ["lin.yahan", "cai.wenxiong", "li.zhengnan"])
def test_only_the_section_head_of_the_unit(login: str) -> None:
    case = submitted("EC09")
    with pytest.raises(Forbidden):
        suspended(case, login=login)
    assert clocks.of_case(case.id).state == "running"


def test_twice_late_empty_and_closed() -> None:
    case = submitted("EC09")
    for reason in ("  ", "長" * 201):
        with pytest.raises(Refused, match="事由"):
            suspended(case, reason=reason)
    with pytest.raises(Conflict, match="沒有停止"):
        resumed(case)
    suspended(case)
    with pytest.raises(Conflict, match="陳淑芬"):
        suspended(case)
    with pytest.raises(IntegrityError, match="uq_suspension_open"), unit_of_work():
        who = account(HEAD).id
        db.session.add(Suspension(case_id=case.id, reason="x", began_at=NOW, began_by_id=who))
        db.session.flush()
    resumed(case)
    stale = case.version
    take(case, "return_application", comment="資料不符。", now=OVER)
    with pytest.raises(Conflict), unit_of_work():
        suspensions.suspend(officer(HEAD), case, "颱風", OVER, version=stale)
    with pytest.raises(Refused, match="結案"):
        suspended(case, OVER)


def expected_of(app: Flask, case: Case, now: datetime) -> str:
    """The last line of the applicant's timeline."""
    with app.test_request_context("/"):
        return timeline.entries(progress.of(case, now))[-1].text


def test_the_applicant_reads_why_the_clock_stands_still(app: Flask) -> None:
    fee = {"key": "permit", "label": {"zh": "許可費", "en": "Permit"}, "amount": "500"}
    serve("single_review", stages=("fee",), fees=[fee])
    unpaid, case = submitted("EC09"), submitted("EC09")
    take(unpaid, "request_payment")
    said = expected_of(app, unpaid, TYPHOON)
    assert "等候您繳費" in said and "事由" not in said
    suspended(case)
    assert "民國114年10月1日" in expected_of(app, case, OVER)
    assert "颱風致道路中斷" in expected_of(app, case, OVER)
    late = submitted("EC09")
    afterwards = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
    take(late, "request_correction", fields=("phone",), comment="請更正電話。", now=afterwards)
    assert "收到您的補正後" in expected_of(app, late, afterwards)


def test_the_applicant_reads_of_an_extension_and_of_a_new_date(app: Flask) -> None:
    case = submitted("EC09")
    with unit_of_work():
        asked = extensions.ask(
            officer(officers.officer_of(case)), case, 5, "待查證。", NOW, version=case.version
        )
    with unit_of_work():
        extensions.decide(officer(HEAD), asked, case, NOW, approve=True, answer="同意")
    late = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
    told = Asked(until=date(2025, 11, 10), reason="等候檢測。")
    with unit_of_work():
        case_actions.take(officer(HEAD, late), case, "promise", "", told, late, version=case.version)
    with app.test_request_context("/"):
        shown = {entry.title: entry.text for entry in timeline.entries(progress.of(case, late))}
    assert shown["辦理期限延長"] == "延長至民國114年10月28日。理由：待查證。", (
        "and not what the head answered"
    )
    assert shown["新的預計完成日"] == "預計民國114年11月10日前。原因：等候檢測。"
    assert "民國114年11月10日" in shown["完成"]


def of_suspension(case: Case) -> Suspension:
    return db.session.scalars(select(Suspension).where(Suspension.case_id == case.id)).one()


def test_a_decision_ends_the_pause_and_the_ledger_says_so() -> None:
    case = submitted("EC09")
    who = officers.officer_of(case)
    suspended(case)
    take(case, "return_application", comment="資料不符。", now=OVER)
    clock, found = clocks.of_case(case.id), of_suspension(case)
    assert (clock.state, clock.stopped_on, found.ended_at) == ("stopped", OVER.date(), OVER)
    assert found.ended_by_id == account(who).id
    explained = "\n".join(explain(clocks.ledger(clock, case, OVER.date() + timedelta(days=30))))
    assert "案件決定或終結" in explained and "尚未恢復" not in explained
    # 10-02 and 10-03 did not count
    assert case.due_on == clock.due_on == date(2025, 10, 22)


def test_a_withdrawal_and_a_transfer_end_the_pause_too() -> None:
    withdrawn, sent = submitted("EC09"), submitted("EC09")
    for case in (withdrawn, sent):
        suspended(case)
    with unit_of_work():
        cases.take_as_citizen(citizen(), withdrawn, "withdraw", OVER, version=withdrawn.version)
    agency = Asked(agency="農業部", reason="不屬本府管轄。")
    with unit_of_work():
        case_actions.take(officer(HEAD, OVER), sent, "transfer_out", "", agency, OVER, version=sent.version)
    for case in (withdrawn, sent):
        assert of_suspension(case).ended_at == OVER
        assert (clocks.of_case(case.id).state, case.status) == ("stopped", "closed")
