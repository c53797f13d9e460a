"""When the limit passes: told once a period, with the step and the rights; hours by the moment; silence as consent."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from tests import money, officers
from tests.journeys import NOW, officer, open_tasks, submitted, take
from webapp.errors import Forbidden, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.effects import perform_effect
from webapp.models import Case, CaseEvent, Clock, Effect, Escalation, Message
from webapp.moments import taipei
from webapp.permissions import SYSTEM
from webapp.queries import expediting
from webapp.services import (
    case_actions,
    clocks,
    events,
    expected,
    extensions,
    limits,
    payments,
    publishing,
    refunds,
)
from webapp.services.case_actions import Asked
from webapp.uow import unit_of_work
from workflows.clock import explain

#: EC09 filed on NOW is due on 10-20
PASSED = datetime(2025, 10, 21, 2, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def swept(now: datetime) -> None:
    assert sweeps.run_deadlines(now)["failed"] == 0
    for effect in db.session.scalars(
        select(Effect).where(Effect.kind == "notice", Effect.state == "pending")
    ):
        perform_effect(effect.id)
    db.session.expire_all()


def told(word: str = "逾期未辦完") -> list[Message]:
    return [m for m in db.session.scalars(select(Message).order_by(Message.id)) if word in m.subject]


# --- told unasked -----------------------------------------------------------------------------------------


def test_the_applicant_is_told_once_with_the_step_and_the_rights() -> None:
    case = submitted("EC09")
    swept(PASSED - timedelta(days=1))
    assert told() == [], "the last day is still in time"
    swept(PASSED)
    swept(PASSED + timedelta(hours=1))
    swept(PASSED + timedelta(days=30))
    (message,) = told()
    assert message.account_id == case.account_id
    for words in ("民國114年10月20日", "承辦審查", "動植物防疫所", "催促", "訴願法第2條"):
        assert words in message.body
    assert "規費法" not in message.body, "nothing was to be paid"
    kinds = list(db.session.scalars(select(CaseEvent.kind).order_by(CaseEvent.seq)))
    assert kinds == ["submitted", "limit_passed"]
    assert events.broken_links(case.id) == []


def test_the_message_says_what_held_it_and_promises_nothing_that_nobody_set() -> None:
    case = submitted("EC09")
    with unit_of_work():
        asker = officer(officers.officer_of(case))
        extensions.ask(asker, case, 5, "鄰地界址待查證。", NOW, version=case.version)
    swept(PASSED)
    (message,) = told()
    # from 9-25 to 10-21, without 9-29, 10-6 and 10-10
    assert "辦理最久的步驟是「審查申請」" in message.body and "15 個工作天" in message.body
    assert "鄰地界址待查證" in message.body
    assert "還沒有訂出新的預計完成日" in message.body
    # T+3 goes to the department head: 10-22, 10-23, and the 24th is off
    assert "到 民國114年10月23日 仍未辦完時，系統會再提報" in message.body


def test_nobody_is_said_to_be_pressed_who_was_not() -> None:
    submitted("EC09")
    sunday = datetime(2025, 10, 26, 2, 0, tzinfo=UTC)
    swept(sunday)
    (message,) = told()
    assert "催促" not in message.body, "digests go out on working days"


def promise(
    case: Case, login: str, until: date | None, now: datetime, reason: str = "等候環保單位檢測報告。"
) -> None:
    asked = Asked(until=until, reason=reason)
    with unit_of_work():
        case_actions.take(officer(login, now), case, "promise", "", asked, now, version=case.version)


def test_a_late_case_is_told_the_day_that_its_officer_sets() -> None:
    case = submitted("EC09")
    login = officers.officer_of(case)
    with pytest.raises(Forbidden):
        promise(case, login, date(2025, 11, 5), NOW)
    for wrong in (None, PASSED.date(), date(2027, 1, 4), date(2025, 11, 8)):
        with pytest.raises(Refused):
            promise(case, login, wrong, PASSED)
    promise(case, login, date(2025, 11, 5), PASSED)
    assert case.due_on == date(2025, 10, 20) and expected.is_late(case, PASSED), "the legal limit stays"
    swept(PASSED)
    (new_date,) = told("新的預計完成日")
    for words in ("民國114年11月5日", "等候環保單位檢測報告。", "訴願法第2條"):
        assert words in new_date.body
    (message,) = told()
    assert "預計於 民國114年11月5日 前辦完" in message.body and "還沒有訂出" not in message.body


def test_the_head_may_set_it_too_and_a_day_that_passed_is_not_repeated() -> None:
    case = submitted("EC09")
    promise(case, "chen.shufen", date(2025, 10, 23), PASSED)
    swept(datetime(2025, 10, 27, 2, 0, tzinfo=UTC))
    (message,) = told()
    assert "還沒有訂出新的預計完成日" in message.body


def test_what_is_entered_after_its_limit_is_told_as_such() -> None:
    intake = {"channel": "post", "received_on": "2025-09-25", "postmarked_on": None}
    late = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
    submitted("EC09", late, actor=officer("huang.meilan", late), intake=intake)
    swept(late)
    (received,) = told("已收到您的申請")
    assert "登錄時已超過" in received.body and "預計" not in received.body
    assert "民國114年9月25日" in received.body


def test_where_a_fee_was_asked_the_refund_is_named() -> None:
    case = submitted("EC06", land_township=["JC"])
    assert case.fee_total
    swept(datetime(2025, 12, 1, 2, 0, tzinfo=UTC))
    (message,) = told()
    assert "規費法第19條" in message.body


def test_in_english_for_who_applied_in_english() -> None:
    case = submitted("EC09")
    with unit_of_work():
        db.session.execute(update(Case).where(Case.id == case.id).values(language="en"))
    swept(PASSED)
    (message,) = told("late")
    assert "Review" in message.body and "20 October 2025" in message.body and "appeal" in message.body


def test_not_while_the_applicant_is_asked_and_not_when_it_is_closed() -> None:
    waiting, closed = submitted("EC09"), submitted("EC09")
    take(waiting, "request_correction", fields=("phone",), comment="請更正電話。")
    take(closed, "return_application", comment="資料不符。")
    assert list(limits.passed(datetime(2026, 3, 1, tzinfo=UTC))) == []
    assert clocks.of_case(closed.id).state == "stopped"


def test_an_extension_puts_it_off_and_a_restart_opens_a_period_of_its_own() -> None:
    case = submitted("EC09")
    with unit_of_work():
        asker = officer(officers.officer_of(case))
        request = extensions.ask(asker, case, 5, "待查證。", NOW, version=case.version)
    with unit_of_work():
        extensions.decide(officer("chen.shufen"), request, case, NOW, approve=True, answer="")
    swept(PASSED)
    assert told() == []
    swept(datetime(2025, 10, 29, 2, 0, tzinfo=UTC))
    assert len(told()) == 1
    with unit_of_work():
        clocks.move(
            SYSTEM, case, clocks.of_case(case.id), "restart", datetime(2025, 10, 30, 2, 0, tzinfo=UTC)
        )
    swept(datetime(2025, 10, 31, 2, 0, tzinfo=UTC))
    assert len(told()) == 1
    swept(datetime(2025, 12, 1, 2, 0, tzinfo=UTC))
    assert len(told()) == 2


def test_asking_the_applicant_when_it_is_late_hides_nothing() -> None:
    late = datetime(2025, 11, 3, 2, 0, tzinfo=UTC)
    case, in_time = submitted("EC09"), submitted("EC09")
    take(in_time, "request_correction", fields=("phone",), comment="請更正電話。")
    take(case, "request_correction", fields=("phone",), comment="請更正電話。", now=late)
    head = officer("chen.shufen", late)
    assert expediting.count_overdue(head, late) == 1
    assert (clocks.of_case(case.id).state, clocks.of_case(in_time.id).state) == ("running", "paused")
    before = db.session.scalar(select(func.count()).select_from(Escalation))
    assert sweeps.run_deadlines(late + timedelta(days=1))["rungs"] > 0
    assert before == 0 and {e.clock_id for e in db.session.scalars(select(Escalation))} == {
        clocks.of_case(case.id).id
    }
    officers.corrected(case, late + timedelta(days=2), phone=["0922-000-111"])
    assert (clocks.of_case(case.id).state, case.due_on) == ("running", date(2025, 10, 20))


def test_the_fee_of_a_late_case_may_be_had_back_while_the_applicant_is_asked() -> None:
    money.open_service()
    case, invoice = money.asked_to_pay()
    with unit_of_work():
        payments.record(SYSTEM, money.payment(invoice), NOW)
    late = NOW + timedelta(days=60)
    with unit_of_work():
        clocks.move(SYSTEM, case, clocks.of_case(case.id), "pause", late, reason=clocks.CORRECTION.zh)
    assert refunds.offered(case, late + timedelta(days=1)) is not None


# --- silence means consent --------------------------------------------------------------------------------


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Any, Any], None]], None]:
    """Publishes EC09 and its workflow as changed by a function."""

    def publish(change: Callable[[Any, Any], None]) -> None:
        read = {kind: copy.deepcopy(dict(reader())) for kind, reader in publishing.READERS.items()}
        change(read["service"]["EC09"], read["workflow"]["single_review"])
        readers = {kind: (lambda files=files: files) for kind, files in read.items()}
        monkeypatch.setattr(publishing, "READERS", readers)
        with unit_of_work():
            assert "service/EC09" in publishing.sync(SYSTEM, NOW, accept=True).published

    return publish


def _silence(service: Any, workflow: Any) -> None:
    service["deemed"] = {
        "outcome": "granted",
        "legal_basis": {"zh": "集會遊行法第12條第3項", "en": "Assembly and Parade Act, article 12 III"},
    }
    for state in ("review", "approve"):
        workflow["states"][state]["transitions"]["deemed_approved"] = {
            "label": {"zh": "逾期未決定，視為核准", "en": "Not decided in time: deemed approved"},
            "by": "system",
            "to": "granted",
            "effects": ["stop_clock"],
        }


def test_silence_means_consent_where_the_service_says_so(published: Any) -> None:
    published(_silence)
    case = submitted("EC09")
    take(case, "propose_rejection", comment="資料不符。")
    swept(PASSED - timedelta(days=1))
    assert case.status == "open"
    swept(PASSED)
    assert (case.state, case.outcome, open_tasks(case)) == ("granted", "granted", [])
    assert clocks.of_case(case.id).state == "stopped"
    (message,) = told("視為核准")
    assert "集會遊行法第12條第3項" in message.body and "民國114年10月20日" in message.body
    assert told() == []
    swept(PASSED + timedelta(days=1))
    assert len(told("視為核准")) == 1
    assert events.broken_links(case.id) == []


def test_a_case_of_the_older_revision_is_told_instead(published: Any) -> None:
    case = submitted("EC09")
    published(_silence)
    swept(PASSED)
    assert case.status == "open" and len(told()) == 1


# --- hours ------------------------------------------------------------------------------------------------


def _hours(service: Any, _workflow: Any) -> None:
    service["period"] = {"kind": "HOUR", "period": 24}


def test_a_limit_in_hours_runs_from_the_moment_of_receipt(published: Any) -> None:
    published(_hours)
    case = submitted("EC09")
    clock = clocks.of_case(case.id)
    assert (clock.started_at, clock.due_at) == (NOW, NOW + timedelta(hours=24))
    assert case.due_on == clock.due_on == taipei(NOW + timedelta(hours=24)).date()
    lines = explain(clocks.ledger(clock, case, NOW))
    assert lines[0].startswith("民國114年9月25日 10:00") and "9月26日 10:00" in lines[-1]
    swept(NOW + timedelta(hours=24))
    assert told() == []
    (received,) = told("已收到您的申請")
    assert "民國114年9月26日 10:00" in received.body
    swept(NOW + timedelta(hours=24, minutes=1))
    assert len(told()) == 1


def test_hours_pause_and_resume_by_the_moment(published: Any) -> None:
    published(_hours)
    case = submitted("EC09")
    take(case, "request_correction", fields=("phone",), comment="請更正電話。", now=NOW + timedelta(hours=2))
    officers.corrected(case, NOW + timedelta(hours=7), phone=["0922-000-111"])
    clock = clocks.of_case(case.id)
    assert clock.due_at == NOW + timedelta(hours=29)
    assert clocks.ledger(clock, case, NOW + timedelta(hours=8)).used == 3


def test_paper_that_came_earlier_counts_from_the_end_of_its_day(published: Any) -> None:
    published(_hours)
    intake = {"channel": "post", "received_on": "2025-09-24", "postmarked_on": None}
    case = submitted("EC09", actor=officer("huang.meilan"), intake=intake)
    assert clocks.of_case(case.id).due_at == datetime(2025, 9, 25, 16, 0, tzinfo=UTC)


def test_the_database_knows_that_hours_have_moments() -> None:
    case = submitted("EC09")
    with pytest.raises(IntegrityError, match="hours_have_moments"), unit_of_work():
        db.session.execute(update(Clock).where(Clock.case_id == case.id).values(due_at=NOW))
    assert clocks.of_case(case.id).due_on == date(2025, 10, 20)
