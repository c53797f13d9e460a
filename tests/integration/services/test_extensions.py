"""展期: asked in time with a reason, decided by the level that the rules name, once, and told to the applicant."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests import officers
from tests.journeys import NOW, account, citizen, officer, open_tasks, submitted, take
from webapp.errors import Conflict, Forbidden
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.effects import perform_effect
from webapp.models import Case, CaseEvent, Effect, Escalation, ExtensionRequest, Message
from webapp.services import cases, clocks, events, extensions
from webapp.services.extensions import NotExtensible
from webapp.uow import unit_of_work
from workflows.clock import explain

#: EC09 filed on NOW: 14 working days
DUE = date(2025, 10, 20)
WHY = "疫苗資料須向原醫院查證。"


@pytest.fixture(autouse=True)
def inside(app: Flask, committed: None) -> Iterator[None]:
    with app.app_context():
        yield


def asked(
    case: Case, days: int = 5, reason: str = WHY, now: datetime = NOW, by: str | None = None
) -> ExtensionRequest:
    with unit_of_work():
        actor = officer(by or officers.officer_of(case), now)
        return extensions.ask(actor, case, days, reason, now, version=case.version)


def decided(
    request: ExtensionRequest, login: str, now: datetime = NOW, *, approve: bool = True, answer: str = ""
) -> None:
    with unit_of_work():
        case = db.session.get_one(Case, request.case_id)
        extensions.decide(officer(login, now), request, case, now, approve=approve, answer=answer)


def deliver(case: Case) -> None:
    for effect in db.session.scalars(
        select(Effect).where(Effect.case_id == case.id, Effect.kind == "notice")
    ):
        perform_effect(effect.id)


def test_an_approval_moves_case_clock_and_tasks_and_opens_a_period() -> None:
    case = submitted("EC09")
    assert case.due_on == DUE
    request = asked(case)
    # 10-21 22 23, 24 off, 27 28
    assert (request.function, request.due_before, request.due_after, request.working_days) == (
        "section_head", DUE, date(2025, 10, 28), 5,
    )  # fmt: skip
    decided(request, "chen.shufen", answer="同意。")
    clock = clocks.of_case(case.id)
    (task,) = open_tasks(case)
    assert {case.due_on, clock.due_on, task.due_on} == {date(2025, 10, 28)}
    assert clock.period_number == 2
    explained = "\n".join(explain(clocks.ledger(clock, case, NOW.date())))
    assert "展期 5 個工作天" in explained and WHY in explained
    kinds = [event.kind for event in db.session.scalars(select(CaseEvent).order_by(CaseEvent.seq))]
    assert kinds[-2:] == ["extension_asked", "extension_approved"]
    assert events.broken_links(case.id) == []


def test_the_applicant_is_told_reason_date_and_rights_before_expiry() -> None:
    case = submitted("EC09")
    request = asked(case)
    deliver(case)
    assert not [m for m in db.session.scalars(select(Message)) if "延長" in m.subject]
    decided(request, "chen.shufen")
    deliver(case)
    deliver(case)
    (told,) = [m for m in db.session.scalars(select(Message)) if "延長" in m.subject]
    assert WHY in told.body and "民國114年10月28日" in told.body and "訴願法第2條" in told.body
    assert told.account_id == case.account_id


def test_approver_and_asker_find_it_among_their_messages() -> None:
    case = submitted("EC09")
    request = asked(case)
    decided(request, "chen.shufen", approve=False, answer="請先查證。")
    found = [
        (m.account_id, m.subject.partition("：")[0], "請先查證。" in m.body)
        for m in db.session.scalars(select(Message).where(Message.channel == "inbox").order_by(Message.id))
    ]
    assert found == [
        (account("chen.shufen").id, "展期待核定", False),
        (request.asked_by_id, "展期未獲同意", True),
    ]


def test_an_english_applicant_is_told_in_english() -> None:
    case = submitted("EC09")
    with unit_of_work():
        db.session.execute(update(Case).where(Case.id == case.id).values(language="en"))
    decided(asked(case), "chen.shufen")
    deliver(case)
    bodies = [m.body for m in db.session.scalars(select(Message)) if "More time" in m.subject]
    assert len(bodies) == 1 and "28 October 2025" in bodies[0] and "appeal" in bodies[0]


@pytest.mark.parametrize(
    ("days", "function"),
    [(7, "section_head"), (8, "department_head"), (14, "department_head")],
)
def test_the_level_follows_the_working_days(days: int, function: str) -> None:
    assert asked(submitted("EC09"), days).function == function


def test_every_level_and_a_level_that_nobody_holds() -> None:
    case = submitted("EC06", land_township=["JC"])
    now = datetime(2025, 9, 26, 2, 0, tzinfo=UTC)
    request = asked(case, 20, now=now)
    assert request.function == "secretary_general"
    decided(request, "he.rongjie", now)
    assert clocks.of_case(case.id).period_number == 2
    decision, _revision = extensions._level(case, 31, now)
    assert extensions._named(decision) == "magistrate"


def test_who_asks_never_approves() -> None:
    case = submitted("EC09")
    request = asked(case)
    asker = officers.officer_of(case)
    with pytest.raises(Forbidden):
        decided(request, asker)
    with pytest.raises(Forbidden):
        decided(request, "cai.wenxiong")
    officers.absent("chen.shufen", asker, NOW.date(), NOW.date())
    with pytest.raises(Forbidden):
        decided(request, asker)
    db.session.expire_all()
    assert request.state == "open" and case.due_on == DUE
    with pytest.raises(IntegrityError, match="decided_by_another"), unit_of_work():
        request.state, request.decided_at = "approved", NOW
        request.decided_by_id = request.asked_by_id
        db.session.flush()


def test_a_deputy_approves_and_is_written_down() -> None:
    case = submitted("EC09")
    request = asked(case)
    officers.absent("chen.shufen", "weng.guoliang", NOW.date(), NOW.date())
    decided(request, "weng.guoliang")
    assert (request.decided_by_id, request.decided_for_id) == (
        account("weng.guoliang").id,
        account("chen.shufen").id,
    )


def test_a_refusal_needs_a_reason_and_leaves_the_clock() -> None:
    case = submitted("EC09")
    request = asked(case)
    with pytest.raises(NotExtensible, match="理由"):
        decided(request, "chen.shufen", approve=False, answer="  ")
    decided(request, "chen.shufen", approve=False, answer="請先查證。")
    assert (case.due_on, request.state, clocks.of_case(case.id).period_number) == (DUE, "refused", 1)
    deliver(case)
    assert not [m for m in db.session.scalars(select(Message)) if "延長" in m.subject]
    assert asked(case, 3).state == "open", "after a refusal it may be asked again"


@pytest.mark.parametrize(
    ("days", "reason", "later", "says"),
    [
        (15, WHY, 0, "1 至 14"),
        (0, WHY, 0, "1 至 14"),
        (5, " ", 0, "理由"),
        (5, "長" * 201, 0, "最多 200 字"),
        (5, WHY, 26, "屆滿"),
    ],
)
def test_what_may_not_be_asked(days: int, reason: str, later: int, says: str) -> None:
    case = submitted("EC09")
    with pytest.raises(NotExtensible, match=says) as refused:
        asked(case, days, reason, NOW + timedelta(days=later))
    assert all(problem.en for problem in refused.value.problems)


def test_only_once() -> None:
    case = submitted("EC09")
    decided(asked(case), "chen.shufen")
    with pytest.raises(NotExtensible, match="1 次"):
        asked(case)
    assert not extensions.may_ask(officer(officers.officer_of(case)), case)


def test_after_expiry_nobody_approves_any_more_and_the_sweep_says_so() -> None:
    case = submitted("EC09")
    request = asked(case)
    late = datetime(2025, 10, 21, 2, 0, tzinfo=UTC)
    with pytest.raises(NotExtensible, match="屆滿"):
        decided(request, "chen.shufen", late)
    assert request.state == "open"
    assert sweeps.run_deadlines(late)["failed"] == 0
    db.session.expire_all()
    assert (request.state, case.due_on) == ("lapsed", DUE)
    with pytest.raises(Conflict, match="失效"):
        decided(request, "chen.shufen", late)
    assert sweeps.run_deadlines(late)["failed"] == 0
    assert events.broken_links(case.id) == []


def test_a_paused_case_does_not_lapse_and_a_closed_one_does() -> None:
    waiting, withdrawn = submitted("EC09"), submitted("EC09")
    take(waiting, "request_correction", fields=("phone",), comment="請更正電話。")
    first, second = asked(waiting, by="lin.yahan"), asked(withdrawn)
    with unit_of_work():
        cases.take_as_citizen(citizen(), withdrawn, "withdraw", NOW, version=withdrawn.version)
    assert list(extensions.to_lapse(DUE + timedelta(days=30))) == []
    assert (first.state, second.state) == ("open", "lapsed")


def test_a_decision_ends_a_request_that_waits() -> None:
    case = submitted("EC09")
    request = asked(case)
    take(case, "return_application", comment="資料不符。")
    assert request.state == "lapsed" and extensions.awaiting(officer("chen.shufen")) == []
    with pytest.raises(Conflict, match="失效"):
        decided(request, "chen.shufen")


def test_only_who_asked_takes_it_back_and_only_while_it_waits() -> None:
    case = submitted("EC09")
    request = asked(case)
    with pytest.raises(Forbidden), unit_of_work():
        extensions.take_back(officer("chen.shufen"), request, case, NOW)
    owner = officer(officers.officer_of(case))
    with unit_of_work():
        extensions.take_back(owner, request, case, NOW)
    assert (request.state, clocks.of_case(case.id).due_on) == ("withdrawn", DUE)
    for again in (
        lambda: extensions.take_back(owner, request, case, NOW),
        lambda: decided(request, "chen.shufen"),
    ):
        with pytest.raises(Conflict, match="已收回"), unit_of_work():
            again()
    second = asked(case)
    decided(second, "chen.shufen")
    with pytest.raises(Conflict, match="核定"), unit_of_work():
        extensions.take_back(owner, second, case, NOW)
    assert events.broken_links(case.id) == []


def test_the_second_asker_is_told_who_was_faster_and_the_database_refuses_too() -> None:
    case = submitted("EC09")
    request = asked(case, by="lin.yahan")
    with pytest.raises(Conflict, match="林雅涵"):
        asked(case, by="xu.mingde")
    copy = {
        column.name: getattr(request, column.name)
        for column in ExtensionRequest.__table__.columns
        if column.name not in ("id", "public_id")
    }
    with pytest.raises(IntegrityError, match="uq_extension_request_open"), unit_of_work():
        db.session.add(ExtensionRequest(**copy))
        db.session.flush()


def test_two_at_once_make_one_request_and_one_decision(app: Flask) -> None:
    case_id = submitted("EC09").id
    logins = ("lin.yahan", "xu.mingde")

    def ask(login: str) -> str:
        with app.app_context():
            case = db.session.get_one(Case, case_id)
            try:
                asked(case, by=login)
            except Conflict:
                return "conflict"
            return "asked"

    def decide(approve: bool) -> str:
        with app.app_context():
            request = db.session.scalars(select(ExtensionRequest)).one()
            try:
                decided(request, "chen.shufen", approve=approve, answer="已閱。")
            except Conflict:
                return "conflict"
            return "decided"

    db.session.remove()
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, logins)) == ["asked", "conflict"]
        assert sorted(pool.map(decide, (True, False))) == ["conflict", "decided"]


def test_each_rung_of_the_ladder_counts_anew_after_an_extension() -> None:
    case = submitted("EC09")
    sweeps.run_deadlines(datetime(2025, 10, 17, 2, 0, tzinfo=UTC))
    decided(
        asked(case, now=datetime(2025, 10, 17, 3, 0, tzinfo=UTC)), "chen.shufen", NOW + timedelta(days=22)
    )
    for day in (20, 21, 27, 28):
        sweeps.run_deadlines(datetime(2025, 10, day, 2, 0, tzinfo=UTC))
    rungs = db.session.execute(
        select(Escalation.period_number, Escalation.rung).order_by(Escalation.id)
    ).all()
    assert [tuple(rung) for rung in rungs] == [(1, "warn"), (2, "warn"), (2, "due")]


def test_a_service_without_extension_and_a_closed_case_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    case = submitted("EC09")
    with unit_of_work():
        cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)
    with pytest.raises(NotExtensible, match="結案"):
        asked(case, by="lin.yahan")
    other = submitted("EC09")
    without = extensions.definitions.service(other.service_revision_id).model_copy(update={"extension": None})
    monkeypatch.setattr(extensions.definitions, "service", lambda _id: without)
    with pytest.raises(NotExtensible, match="不得展期"):
        asked(other)


def test_a_level_whose_head_is_away_with_only_the_asker_as_deputy_is_passed_over() -> None:
    case = submitted("EC09")
    asker = officers.officer_of(case)
    officers.absent("chen.shufen", asker, NOW.date(), NOW.date())
    request = asked(case)
    assert request.function == "department_head", "nobody is waited for in vain"
    told = db.session.scalars(select(Message).where(Message.channel == "inbox")).all()
    assert {message.account_id for message in told} == {account("li.zhengnan").id}
    decided(request, "li.zhengnan")
    assert request.state == "approved"
