"""Nobody acts on their own case, nor at two levels of it, in person or as a deputy; and when nobody is left."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from sqlalchemy import select

from rules.values import Text
from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import absent
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Holder, Message, Party, Position, Unit
from webapp.queries import definitions
from webapp.queries.generations import bump
from webapp.services import case_actions, cases, duties, steps
from webapp.uow import unit_of_work
from workflows.model import State, TaskTemplate, Transition, WorkflowDefinition


def seat(login: str, unit: str, function: str) -> None:
    with unit_of_work():
        unit_id = db.session.scalars(select(Unit.id).where(Unit.code == unit)).one()
        position = Position(unit_id=unit_id, function=function, title_zh="兼", title_en="Acting")
        db.session.add(position)
        db.session.flush()
        db.session.add(
            Holder(position_id=position.id, account_id=account(login).id, starts_on=date(2019, 1, 1))
        )
        bump("org")


def names(case: Case, login: str) -> set[str]:
    return {o.transition.name for o in cases.offers(officer(login), steps.context(case), NOW)}


def _words(zh: str) -> Text:
    return Text(zh=zh, en=zh)


def _state(key: str, function: str, *transitions: Transition) -> State:
    task = TaskTemplate(key=key, label=_words(key), function=function)
    return State(
        key=key,
        label=_words(key),
        citizen_label=_words(key),
        kind="active",
        tasks=(task,),
        transitions={t.name: t for t in transitions},
    )


def _way(name: str, task: str, function: str, to: str, **more: object) -> Transition:
    return Transition(
        name=name, label=_words(name), by="task", to=to, task=task, functions=(function,), **more
    )


def _closed(key: str, outcome: str) -> State:
    return State(
        key=key, label=_words(key), citizen_label=_words(key), kind="closed", outcome=outcome, tasks=()
    )


#: officer, then section head, then department head, each of whom may send it back
CHAIN = WorkflowDefinition(
    key="chain",
    code="P03",
    title=_words("鏈"),
    initial="review",
    states={
        "review": _state(
            "review", "officer", _way("propose", "review", "officer", "check", proposes="grant")
        ),
        "check": _state(
            "check",
            "section_head",
            _way("endorse", "check", "section_head", "decide"),
            _way("send_back", "check", "section_head", "review", requires=("comment",)),
        ),
        "decide": _state(
            "decide",
            "department_head",
            _way("approve", "decide", "department_head", "granted", effects=("stop_clock", "issue_decision")),
            _way("send_back", "decide", "department_head", "review", requires=("comment",)),
        ),
        "granted": _closed("granted", "granted"),
    },
)


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definitions, "workflow", lambda _revision: CHAIN)


def test_levels_are_found_in_the_definition() -> None:
    assert duties.approval_states(CHAIN) == {"check", "decide"}


def test_levels_of_the_workflows_in_use(app: Flask, committed: None) -> None:
    with app.app_context():
        for key in ("single_review", "parallel_co_review", "on_site_inspection"):
            revision = definitions.revision_id("workflow", key, NOW.date())
            levels = duties.approval_states(definitions.workflow(revision))
            assert "approve" in levels and levels.isdisjoint({"review", "correction", "co_review", "redraft"})


def test_nobody_acts_at_two_levels_of_a_chain(app: Flask, committed: None, chain: None) -> None:
    with app.app_context():
        seat("chen.shufen", "EC", "department_head")
        case = submitted("EC09")
        take(case, "propose")
        take(case, "endorse", "chen.shufen")
        assert case.proposed_by_id is not None
        # who checked, and the officer who proposed, may not decide: they may still send it back
        assert names(case, "chen.shufen") == {"send_back"}
        with pytest.raises(Refused, match="已經核過"), unit_of_work():
            cases.take_transition(
                officer("chen.shufen"),
                case,
                "approve",
                NOW,
                version=case.version,
                task_id=open_tasks(case)[0].id,
                given=steps.Given(),
            )
        assert names(case, "li.zhengnan") == {"approve", "send_back"}


def test_a_new_round_forgets_who_acted_in_the_old_one(app: Flask, committed: None, chain: None) -> None:
    with app.app_context():
        seat("chen.shufen", "EC", "department_head")
        case = submitted("EC09")
        take(case, "propose")
        take(case, "endorse", "chen.shufen")
        take(case, "send_back", "li.zhengnan", comment="再查")
        assert case.proposed_by_id is None
        take(case, "propose")
        take(case, "endorse", "chen.shufen")
        take(case, "approve", "li.zhengnan")
        assert case.outcome == "granted"


def test_a_deputy_of_the_decider_who_checked_may_not_decide(app: Flask, committed: None, chain: None) -> None:
    with app.app_context():
        absent("li.zhengnan", "chen.shufen", NOW.date(), NOW.date())
        case = submitted("EC09")
        take(case, "propose")
        take(case, "endorse", "chen.shufen")
        assert names(case, "chen.shufen") == {"send_back"}
        # nor may somebody decide for a person who acted before
        seat("cai.wenxiong", "EC", "department_head")
        assert names(case, "cai.wenxiong") == set()  # the task is held by the absent one


def test_when_nobody_is_left_it_is_told_and_the_page_says_who_may(app: Flask, committed: None) -> None:
    with app.app_context():
        seat("lin.yahan", "EC-APH", "section_head")
        absent("chen.shufen", "lin.yahan", date(2025, 9, 1), NOW.date())
        with unit_of_work():
            for holder in db.session.scalars(
                select(Holder).where(Holder.account_id == account("chen.shufen").id)
            ):
                holder.ends_on = date(2025, 9, 20)
            bump("org")
        case = submitted("EC09")
        with unit_of_work():
            open_tasks(case)[0].assignee_id = account("lin.yahan").id
        take(case, "propose_approval", "lin.yahan")
        assert open_tasks(case)[0].assignee_id is None
        alarms = db.session.scalars(select(Message).where(Message.channel == "inbox")).all()
        assert {login_of(m.account_id) for m in alarms} == {"li.zhengnan", "guo.shiming", "admin"}
        (why,) = case_actions.halted(steps.context(case), NOW)
        assert "李正南" in why.zh and "蔡文雄" in why.zh and "Li" not in why.zh
        task = open_tasks(case)[0]
        key = next(
            d.key
            for d in case_actions.tasks.desks(officer("li.zhengnan"), steps.context(case), task, NOW.date())
            if d.account_id == account("cai.wenxiong").id
        )
        with unit_of_work():
            asked = case_actions.Asked(desk=key, reason="迴避")
            case_actions.take(
                officer("li.zhengnan"), case, "reassign", task.public_id, asked, NOW, version=case.version
            )
        assert case_actions.halted(steps.context(case), NOW) == []
        take(case, "approve", "cai.wenxiong")
        assert case.outcome == "granted"


def alone(login: str) -> None:
    """Nobody else is an officer of the unit any more."""
    with unit_of_work():
        officers = select(Holder).join(Position, Position.id == Holder.position_id)
        unit = select(Unit.id).where(Unit.code == "EC-APH").scalar_subquery()
        where = (Position.unit_id == unit, Position.function == "officer")
        for holder in db.session.scalars(officers.where(*where, Holder.account_id != account(login).id)):
            holder.ends_on = date(2025, 9, 20)
        bump("org")


def told_of_nobody() -> set[str]:
    rows = db.session.scalars(select(Message).where(Message.idempotency_key.like("nobody:%")))
    return {login_of(message.account_id or 0) for message in rows}


def test_the_only_officer_who_is_a_party_is_given_nothing_and_it_is_told(app: Flask, committed: None) -> None:
    with app.app_context():
        alone("lin.yahan")
        case = submitted("EC09", email=["Lin.Yahan@ecounter.example"])
        assert [task.assignee_id for task in open_tasks(case)] == [None]
        assert told_of_nobody() == {"chen.shufen", "guo.shiming", "admin"}
        other = submitted("EC09")
        assert [login_of(task.assignee_id or 0) for task in open_tasks(other)] == ["lin.yahan"]


def test_a_task_after_the_first_is_not_given_to_a_party_either(
    app: Flask, committed: None, chain: None
) -> None:
    with app.app_context():
        alone("lin.yahan")
        case = submitted("EC09")
        take(case, "propose")
        assert told_of_nobody() == set()
        with unit_of_work():
            applicant = db.session.scalars(select(Party).where(Party.case_id == case.id)).one()
            applicant.email = "lin.yahan@ecounter.example"
        take(case, "send_back", comment="再查")
        assert [task.assignee_id for task in open_tasks(case)] == [None]
        assert told_of_nobody() == {"chen.shufen", "guo.shiming", "admin"}


def test_an_officer_whose_own_address_stands_in_the_application_stays_away(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        case = submitted("EC09", email=["Lin.Yahan@ecounter.example"])
        with unit_of_work():
            open_tasks(case)[0].assignee_id = account("lin.yahan").id
        assert names(case, "lin.yahan") == set()
        with pytest.raises(Refused, match="迴避"):
            take(case, "propose_approval")
