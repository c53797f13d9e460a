"""加會: another unit is asked while the case stays where it is; the decision waits, or the head waives it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.integration.services.test_reassigning import act, names, told
from tests.journeys import NOW, citizen, login_of, officer, open_tasks, submitted, take
from webapp.errors import AnswersInvalid, Refused
from webapp.extensions import db
from webapp.models import Case, Clock, Escalation, Letter, Submission, Task
from webapp.services import case_actions, cases, deadlines, decisions, events, steps
from webapp.services.steps import Given
from webapp.uow import unit_of_work

ASK = {"unit": "PO", "question": "會影響交通嗎？", "days": "2"}


def asked(case: Case) -> Task:
    return next(task for task in open_tasks(case) if task.question is not None)


def answer(case: Case, login: str = "dong.weilun", **raw: list[str]) -> None:
    with unit_of_work():
        cases.take_transition(
            officer(login),
            case,
            "give_asked_opinion",
            NOW,
            version=case.version,
            task_id=asked(case).id,
            given=Given(raw={"opinion": ["agree"], **raw}),
        )


def holder_of(case: Case) -> str:
    return login_of(open_tasks(case)[0].assignee_id)


def test_the_case_goes_on_and_the_decision_waits(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = holder_of(case)
        act(case, "ask_opinion", holder, **ASK)
        task = asked(case)
        assert (case.state, login_of(task.assignee_id), task.unit.code) == ("review", "dong.weilun", "PO")
        clock = db.session.scalars(select(Clock).where(Clock.task_id == task.id)).one()
        assert (clock.kind, clock.period, clock.due_on) == ("WD", 2, date(2025, 9, 30))
        take(case, "propose_approval")
        assert asked(case).id == task.id  # entering another state does not end it
        offered = {o.transition.name for o in cases.offers(officer("chen.shufen"), steps.context(case), NOW)}
        assert offered == {"send_back"}
        decision = next(t for t in open_tasks(case) if t.question is None)
        with pytest.raises(Refused, match="尚待警察局回復會辦意見"), unit_of_work():
            cases.take_transition(
                officer("chen.shufen"),
                case,
                "approve",
                NOW,
                version=case.version,
                task_id=decision.id,
                given=Given(),
            )
        answer(case)
        assert clock.state == "stopped" and told(case) == {holder}
        (record,) = db.session.scalars(select(Submission).where(Submission.kind == "co_review_opinion"))
        assert record.task_id == task.id and record.answers["opinion"] == "agree"
        take(case, "approve", "chen.shufen")
        assert case.outcome == "granted" and events.broken_links(case.id) == []


def test_an_opinion_is_checked_like_any_form(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "ask_opinion", holder_of(case), **ASK)
        with pytest.raises(AnswersInvalid):
            answer(case, opinion=["disagree"])
        assert asked(case).state == "open"


def test_only_the_head_waives_it_and_says_why(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = holder_of(case)
        act(case, "ask_opinion", holder, **ASK)
        assert "waive_opinion" not in names(case, holder) | names(case, "dong.weilun")
        take(case, "propose_approval")
        act(case, "waive_opinion", "chen.shufen")
        assert case_actions.halted(steps.context(case), NOW) == []
        take(case, "approve", "chen.shufen")
        assert case.outcome == "granted"


def test_a_unit_is_asked_once_at_a_time_and_again_later(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = holder_of(case)
        act(case, "ask_opinion", holder, **ASK)
        with pytest.raises(Refused, match="已經會辦"):
            act(case, "ask_opinion", holder, **ASK)
        for wrong in ({"unit": "EC-APH"}, {"unit": "nowhere"}, {"days": "30"}):
            with pytest.raises(Refused):
                act(case, "ask_opinion", holder, **{**ASK, "unit": "EP", **wrong})
        answer(case)
        act(case, "ask_opinion", holder, **ASK)
        act(case, "ask_opinion", holder, **{**ASK, "unit": "EP"})
        assert [t.unit.code for t in open_tasks(case) if t.question] == ["PO", "EP"]


def test_a_withdrawn_case_needs_no_opinion(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "ask_opinion", holder_of(case), **ASK)
        with unit_of_work():
            cases.take_as_citizen(citizen(), case, "withdraw", NOW, version=case.version)
        assert open_tasks(case) == []
        assert set(db.session.scalars(select(Clock.state))) == {"stopped"}


def test_a_late_opinion_climbs_the_ladder_by_itself(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "ask_opinion", holder_of(case), **ASK)
        with unit_of_work():
            waiting = list(deadlines.clocks_to_sweep(date(2025, 10, 3)))
            deadlines.sweep(waiting, NOW + timedelta(days=8))
        reached = db.session.execute(
            select(Clock.task_id, Escalation.rung).join(Clock, Clock.id == Escalation.clock_id)
        ).all()
        assert reached and {task_id for task_id, _rung in reached} == {asked(case).id}


def test_the_database_keeps_the_two_kinds_of_tasks_apart(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        with pytest.raises(IntegrityError, match="question_is_of_the_case"), unit_of_work():
            open_tasks(case)[0].visit = 0


def test_an_opinion_leaves_the_words_that_were_proposed(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "ask_opinion", holder_of(case), **ASK)
        amounts = {"subsidy": Decimal(2000)}
        template = decisions.from_template(steps.context(case), "grant", "", amounts, NOW)
        own = replace(template, subject="承辦人改寫的主旨")
        take(case, "propose_approval", wording=own)
        answer(case)
        take(case, "approve", "chen.shufen")
        letter = db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
        assert letter.content["subject"] == "承辦人改寫的主旨"
