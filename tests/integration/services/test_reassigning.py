"""A task goes to other hands, is asked away, or is reminded of: by whom, to whom, and who hears of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import absent
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Message
from webapp.services import case_actions, cases, events, steps, tasks
from webapp.services.case_actions import Asked
from webapp.uow import unit_of_work

OTHER = {"lin.yahan": "xu.mingde", "xu.mingde": "lin.yahan"}


def act(case: Case, name: str, login: str, now=NOW, *, version: int | None = None, **asked: str) -> None:
    with unit_of_work():
        offer = next((o for o in offered(case, login, now) if o.name == name), None)
        task = offer.task.public_id if offer and offer.task else ""
        case_actions.take(
            officer(login, now),
            case,
            name,
            task,
            Asked(**{"reason": "業務調整", **asked}),
            now,
            version=version or case.version,
        )


def offered(case: Case, login: str, now=NOW) -> list[case_actions.Offer]:
    return case_actions.offers(officer(login, now), steps.context(case), now)


def names(case: Case, login: str) -> set[str]:
    return {offer.name for offer in offered(case, login)}


def desk_of(case: Case, login: str, now=NOW) -> str:
    task = open_tasks(case)[0]
    found = tasks.desks(officer("li.zhengnan", now), steps.context(case), task, now.date())
    return next(desk.key for desk in found if desk.account_id == account(login).id)


def told(case: Case) -> set[str]:
    found = db.session.scalars(select(Message).where(Message.case_id == case.id, Message.channel == "inbox"))
    return {login_of(message.account_id) for message in found}


def test_a_head_gives_a_task_to_a_colleague_and_both_are_told(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        first = login_of(open_tasks(case)[0].assignee_id)
        act(case, "reassign", "chen.shufen", desk=desk_of(case, OTHER[first]))
        (task,) = open_tasks(case)
        assert login_of(task.assignee_id) == OTHER[first] and task.claimed_at is None
        assert told(case) == {first, OTHER[first]}
        last = db.session.scalars(select(CaseEvent).order_by(CaseEvent.seq.desc())).first()
        assert last.kind == "reassigned" and last.payload.body["comment"] == "業務調整"
        assert events.broken_links(case.id) == []
        assert {o.transition.name for o in cases.offers(officer(first), steps.context(case), NOW)} == set()
        take(case, "propose_approval", OTHER[first])
        assert case.state == "approve"


def test_to_another_unit_where_the_function_is_held(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        act(case, "reassign", "li.zhengnan", desk=desk_of(case, "ou.yijun"))
        (task,) = open_tasks(case)
        assert task.unit.code == "EC-AFF"
        take(case, "propose_approval", "ou.yijun")


def test_a_head_gives_work_only_to_those_below_them(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        (task,), ctx = open_tasks(case), steps.context(case)

        def below(head: str) -> set[str]:
            return {login_of(d.account_id) for d in tasks.desks(officer(head), ctx, task, NOW.date())}

        colleague = {OTHER[login_of(task.assignee_id)]}
        assert below("chen.shufen") == colleague
        assert below("li.zhengnan") > colleague | {"weng.guoliang", "ou.yijun", "officer.ec-bld"}
        assert "yang.zhihao" not in below("li.zhengnan")
        assert "li.yating" in below("he.rongjie")
        with pytest.raises(Refused, match="不能承接"):
            act(case, "reassign", "chen.shufen", desk=desk_of(case, "ou.yijun"))


def test_who_may_reassign_and_who_may_only_ask(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        assert names(case, "chen.shufen") >= {"reassign", "remind"}
        assert "ask_head" in names(case, holder)
        assert names(case, OTHER[holder]) == set()
        for stranger in (holder, OTHER[holder], "cai.wenxiong", "guo.shiming", "admin"):
            assert "reassign" not in names(case, stranger)
            with pytest.raises(Forbidden):
                act(case, "reassign", stranger, desk=desk_of(case, OTHER[holder]))
        act(case, "ask_head", holder)
        assert told(case) == {"chen.shufen"}
        assert login_of(open_tasks(case)[0].assignee_id) == holder


def test_nobody_who_is_away_or_must_stay_away_is_given_a_task(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        key = desk_of(case, OTHER[holder])
        absent(OTHER[holder], holder, NOW.date(), NOW.date())
        with pytest.raises(Refused):
            act(case, "reassign", "chen.shufen", desk=key)
        with pytest.raises(Refused):
            act(case, "reassign", "chen.shufen", desk="1-1")
        case.account_id = account("ou.yijun").id
        db.session.commit()
        ctx = steps.context(case)
        people = {
            d.account_id for d in tasks.desks(officer("li.zhengnan"), ctx, open_tasks(case)[0], NOW.date())
        }
        assert account("weng.guoliang").id in people and account("ou.yijun").id not in people


def test_the_second_of_two_is_told_who_was_faster(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        seen, key = case.version, desk_of(case, OTHER[holder])
        act(case, "reassign", "chen.shufen", desk=key)
        with pytest.raises(Conflict, match="陳淑芬"):
            act(case, "reassign", "li.zhengnan", version=seen, desk=desk_of(case, holder))
        with pytest.raises(Conflict, match="陳淑芬"), unit_of_work():
            cases.take_transition(
                officer(holder),
                case,
                "propose_approval",
                NOW,
                version=seen,
                task_id=open_tasks(case)[0].id,
                given=steps.Given(),
            )


def test_one_reminder_a_day_for_a_task(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        absent(holder, OTHER[holder], NOW.date(), date(2025, 9, 25))
        act(case, "remind", "chen.shufen")
        assert told(case) == {holder, OTHER[holder]}
        with pytest.raises(Refused, match="今天已經催辦過"):
            act(case, "remind", "li.zhengnan")
        act(case, "remind", "chen.shufen", NOW + timedelta(days=1))
        kinds = list(db.session.scalars(select(CaseEvent.kind).order_by(CaseEvent.seq)))
        assert kinds == ["submitted", "reminded", "reminded"]


def test_the_officer_may_remind_the_head_who_decides(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        assert "remind" not in names(case, holder)
        take(case, "propose_approval")
        act(case, "remind", holder)
        assert told(case) == {"chen.shufen"}
