"""A case ends in another one, moves to another unit, or leaves the county; its applicant is told."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests import factory
from tests.integration.services.test_asked_opinions import ASK
from tests.integration.services.test_reassigning import act, names
from tests.journeys import NOW, account, citizen, login_of, officer, open_tasks, submitted, take
from tests.patterns import publish, serve
from webapp.crypto import follow_code
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.jobs.effects import perform_effect
from webapp.models import Case, CaseEvent, Clock, CorrectionRequest, Effect, Letter, Message
from webapp.permissions import Actor
from webapp.services import case_actions, cases, events, publishing
from webapp.services.case_actions import Asked
from webapp.uow import unit_of_work

#: without an account
ANYBODY = Actor("anonymous", device_hash="d" * 64)


def merge(case: Case, leading: Case) -> None:
    act(case, "merge", login_of(open_tasks(case)[0].assignee_id), number=leading.number)


def message(case: Case) -> str:
    for effect in db.session.scalars(
        select(Effect.id).where(Effect.case_id == case.id, Effect.kind == "notice").order_by(Effect.id)
    ):
        perform_effect(effect)
    bodies = db.session.scalars(
        select(Message).where(Message.case_id == case.id, Message.channel == "email").order_by(Message.id)
    )
    return list(bodies)[-1].body


def own_cases() -> tuple[Case, Case]:
    """Two of one applicant, with one officer who sees both."""
    return submitted("EC09"), submitted("EC09")


def test_a_duplicate_closes_into_the_leading_case(app: Flask, committed: None) -> None:
    with app.app_context():
        leading, case = own_cases()
        act(case, "ask_opinion", login_of(open_tasks(case)[0].assignee_id), **ASK)
        merge(case, leading)
        assert (case.status, case.outcome, case.merged_into_id) == ("closed", "merged", leading.id)
        assert open_tasks(case) == [] and len(open_tasks(leading)) == 1
        assert set(db.session.scalars(select(Clock.state).where(Clock.case_id == case.id))) == {"stopped"}
        assert leading.number in message(case)
        kinds = select(CaseEvent.kind).where(CaseEvent.case_id == leading.id).order_by(CaseEvent.seq)
        assert list(db.session.scalars(kinds))[-1] == "merged_in"
        assert events.broken_links(case.id) == events.broken_links(leading.id) == []
        with pytest.raises(Refused, match="已經結案"), unit_of_work():
            cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)


def test_an_open_correction_ends_with_it(app: Flask, committed: None) -> None:
    with app.app_context():
        leading, case = own_cases()
        holder = login_of(open_tasks(case)[0].assignee_id)
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        act(case, "merge", holder, number=leading.number)
        request = db.session.scalars(select(CorrectionRequest)).one()
        assert request.closed_reason == "withdrawn"


def test_what_cannot_be_merged(app: Flask, committed: None) -> None:
    with app.app_context():
        leading, case = own_cases()
        stranger = submitted("EC09", actor=citizen("wang.daming"), applicant_id=["B123456780"])
        holder = login_of(open_tasks(case)[0].assignee_id)
        for number, why in (
            (stranger.number, "限同一申請人"),
            (case.number, "找不到"),
            ("EC09-114-999999", "找不到"),
            ("？", "找不到"),
        ):
            with pytest.raises(Refused, match=why):
                act(case, "merge", holder, number=number)
        with unit_of_work():
            cases.take_as_citizen(citizen(), leading, "withdraw", NOW, version=leading.version)
        with pytest.raises(Refused, match="還在辦理中"):
            act(case, "merge", holder, number=leading.number)
        assert case.status == "open"


def test_the_database_refuses_a_closed_or_merged_leading_case(app: Flask, committed: None) -> None:
    with app.app_context():
        leading, case = own_cases()
        third = submitted("EC09")
        merge(leading, third)

        def force(case: Case, into: int) -> None:
            with unit_of_work():
                case.merged_into_id = into
                case.status, case.outcome, case.closed_at = "closed", "merged", NOW

        for into in (leading.id, case.id):
            with pytest.raises(IntegrityError, match=r"merged into an open one|leading_is_another"):
                force(case, into)
            db.session.rollback()
        with pytest.raises(IntegrityError, match="merged_has_leading"), unit_of_work():
            case.status, case.outcome, case.closed_at = "closed", "merged", NOW
        db.session.rollback()


def messages(case: Case) -> list[str]:
    message(case)
    found = select(Message).where(Message.case_id == case.id, Message.channel == "email").order_by(Message.id)
    return [each.body for each in db.session.scalars(found)]


def test_who_was_merged_hears_of_the_decision_and_nobody_reads_the_leading_code(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        leading, case = (submitted("EC09", actor=ANYBODY) for _ in range(2))
        merge(case, leading)
        take(leading, "propose_approval")
        take(leading, "approve")
        (letter,) = db.session.scalars(select(Letter)).all()
        said = messages(case)
        assert any(letter.number in body and leading.number in body for body in said[1:])
        assert not any(follow_code(leading.public_id) in body for body in said)


def test_other_peoples_applications_about_one_place_stay_their_own(app: Flask, committed: None) -> None:
    with app.app_context():
        one, other = of_two_people()
        with pytest.raises(Refused, match="限同一申請人"):
            merge(other, one)


def petitions() -> tuple[Case, Case]:
    body = factory.service("PW01")
    publish("service", "PW01", body | {"workflow": "petition"}, publishing.BEGINNING)
    cases_of = of_two_people()
    for each in cases_of:
        take(each, "assign")
        with unit_of_work():
            open_tasks(each)[0].assignee_id = account("yang.zhihao").id
    return cases_of


def of_two_people() -> tuple[Case, Case]:
    return submitted("PW01"), submitted(
        "PW01",
        actor=ANYBODY,
        applicant_type=["person"],
        applicant_id=["B123456780"],
        applicant_name=["王大明"],
        email=["da.ming@example.tw"],
    )


def test_petitions_of_several_people_are_answered_together_each_with_a_letter(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        leading, other = petitions()
        act(other, "merge", "yang.zhihao", number=leading.number)
        take(leading, "propose_rejection", "yang.zhihao", comment="現場查無此事。")
        take(leading, "confirm_rejection", "zhang.jianguo")
        first, second = db.session.scalars(select(Letter).order_by(Letter.id)).all()
        assert (first.case_id, second.case_id, second.kind) == (leading.id, other.id, "reject")
        assert second.number != first.number and second.content["addressee"] == "王大明"
        assert "現場查無此事" in str(second.content) and leading.number not in str(second.content)
        assert any(second.number in body for body in messages(other)), "and is told of it"


def test_when_the_leading_petition_is_withdrawn_the_others_are_told(app: Flask, committed: None) -> None:
    with app.app_context():
        leading, other = petitions()
        act(other, "merge", "yang.zhihao", number=leading.number)
        with unit_of_work():
            cases.take_as_citizen(citizen(), leading, "withdraw", NOW, version=leading.version)
        assert "沒有作成決定就結案了" in messages(other)[-1]


def test_what_the_township_does_stays_there_when_the_case_moves(app: Flask, committed: None) -> None:
    with app.app_context():
        serve("township_then_county", level=2)
        case = submitted("EC09")
        (task,) = open_tasks(case)
        there = (task.unit.code, task.function, task.assignee_id)
        act(case, "move", "chen.shufen", unit="EC-AFF")
        (task,) = open_tasks(case)
        assert (task.unit.code, task.function, task.assignee_id) == there
        assert (there[1], case.handling_unit.code) == ("township_officer", "EC-AFF")


def test_to_another_unit_the_tasks_move_and_the_clock_goes_on(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder, due = login_of(open_tasks(case)[0].assignee_id), case.due_on
        assert names(case, holder).isdisjoint({"move", "transfer_out"})
        act(case, "move", "chen.shufen", unit="EC-AFF")
        (task,) = open_tasks(case)
        assert (case.handling_unit.code, task.unit.code, task.assignee_id) == ("EC-AFF", "EC-AFF", None)
        assert case.due_on == due and db.session.scalars(select(Clock.state)).one() == "running"
        assert "農林科" in message(case)
        take(case, "propose_approval", "ou.yijun")
        assert login_of(open_tasks(case)[0].assignee_id) == "cai.wenxiong"
        act(case, "move", "cai.wenxiong", unit="EC-APH")
        assert login_of(open_tasks(case)[0].assignee_id) == "chen.shufen"
        with pytest.raises(Refused, match="沒有承辦人"):
            act(case, "move", "chen.shufen", unit="PO")


def test_out_of_the_county_the_case_ends(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "transfer_out", "chen.shufen", agency="農業部動植物防疫檢疫署")
        assert (case.status, case.outcome) == ("closed", "transferred")
        assert open_tasks(case) == []
        assert "移送農業部動植物防疫檢疫署" in message(case)
        assert cases.offers(officer("chen.shufen"), cases.steps.context(case), NOW) == []


def test_two_cases_merged_into_each_other_at_once(app: Flask, committed: None) -> None:
    with app.app_context():
        one, other = own_cases()
        clicks = [
            (one.id, other.number, one.version, login_of(open_tasks(one)[0].assignee_id)),
            (other.id, one.number, other.version, login_of(open_tasks(other)[0].assignee_id)),
        ]
    both, refused = Barrier(2), []

    def click(key: int, number: str, version: int, login: str) -> None:
        with app.app_context():
            case, asked = db.session.get_one(Case, key), Asked(number=number, reason="重複")
            try:
                with unit_of_work():
                    both.wait()
                    case_actions.take(officer(login), case, "merge", "", asked, NOW, version=version)
            except (Conflict, Refused) as refusal:
                refused.append(refusal)

    threads = [Thread(target=click, args=each) for each in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        closed = db.session.query(Case).filter_by(status="closed").count()
        # both may find the other in somebody's hands, never both merged
        assert (closed, len(refused)) in {(1, 1), (0, 2)}
