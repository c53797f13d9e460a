"""Absence with dates hands the tasks over: to whom, for how long, and never in a circle."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import absent
from webapp.errors import Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Absence, AuditEntry, Task
from webapp.queries import inbox
from webapp.queries.org import chart
from webapp.services import absences, cases, steps
from webapp.uow import unit_of_work

TODAY = NOW.date()
OTHER = {"lin.yahan": "xu.mingde", "xu.mingde": "lin.yahan"}


def enter(
    by: str, person: str, deputy: str, first: date = TODAY, last: date = TODAY + timedelta(days=2)
) -> int:
    with unit_of_work():
        return absences.enter(
            officer(by), account(person).id, account(deputy).id, first, last, "公假", NOW
        ).id


def deputy_cases(login: str, now=NOW) -> list[str]:
    page = inbox.page(officer(login, now), "deputy", now, inbox.Filters())
    return [item.assignee for item in page.items]


def test_the_tasks_stand_with_the_deputy_while_it_lasts(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        deputy = OTHER[holder]
        enter(holder, holder, deputy)
        assert deputy_cases(deputy) == [chart().names[account(holder).id]]
        assert deputy_cases(deputy, NOW + timedelta(days=3)) == []
        take(case, "propose_approval", deputy)
        done = db.session.scalars(select(Task).where(Task.state == "done")).one()
        assert (login_of(done.done_by_id), login_of(done.acting_for_id)) == (deputy, holder)
        assert db.session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("absence%"))).all()


def test_a_chain_of_absent_deputies_ends_with_who_is_there(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        holder = login_of(open_tasks(case)[0].assignee_id)
        absent(holder, OTHER[holder], TODAY, TODAY)
        absent(OTHER[holder], "chen.shufen", TODAY, TODAY)
        assert deputy_cases("chen.shufen") == [chart().names[account(holder).id]]
        offered = cases.offers(officer("chen.shufen"), steps.context(case), NOW)
        assert {login_of(o.acting_for_id) for o in offered} == {holder}


def test_a_circle_ends(app: Flask, committed: None) -> None:
    with app.app_context():
        absent("lin.yahan", "xu.mingde", TODAY, TODAY)
        absent("xu.mingde", "lin.yahan", TODAY, TODAY)
        lin, xu = account("lin.yahan").id, account("xu.mingde").id
        assert (chart().deputies(lin, TODAY), chart().deputies(xu, TODAY)) == ((xu,), (lin,))


def test_a_circle_is_not_entered(app: Flask, committed: None) -> None:
    with app.app_context():
        enter("lin.yahan", "lin.yahan", "xu.mingde")
        with pytest.raises(Refused, match="代理人也請假"):
            enter("xu.mingde", "xu.mingde", "lin.yahan", TODAY + timedelta(days=2), TODAY + timedelta(days=5))
        enter("xu.mingde", "xu.mingde", "lin.yahan", TODAY + timedelta(days=3), TODAY + timedelta(days=5))


def test_a_head_enters_it_for_their_people_only(app: Flask, committed: None) -> None:
    with app.app_context():
        enter("chen.shufen", "lin.yahan", "xu.mingde")
        for by, person in (
            ("chen.shufen", "weng.guoliang"),
            ("xu.mingde", "chen.shufen"),
            ("admin", "lin.yahan"),
        ):
            with pytest.raises(Forbidden):
                enter(by, person, "xu.mingde")


@pytest.mark.parametrize(
    ("person", "deputy"),
    [
        ("lin.yahan", "lin.yahan"),
        ("lin.yahan", "huang.meilan"),  # a clerk does not work on cases
        ("lin.yahan", "yang.zhihao"),  # another department
        ("li.zhengnan", "lin.yahan"),  # two levels below
    ],
)
def test_nobody_is_deputy_for_duties_that_they_may_not_hold(
    app: Flask, committed: None, person: str, deputy: str
) -> None:
    with app.app_context(), pytest.raises(Refused, match="不能擔任代理人"):
        enter(person, person, deputy)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (TODAY - timedelta(days=1), TODAY),
        (TODAY + timedelta(days=1), TODAY),
        (TODAY, TODAY + timedelta(days=400)),
    ],
)
def test_days_that_cannot_be(app: Flask, committed: None, first: date, last: date) -> None:
    with app.app_context(), pytest.raises(Refused, match="請假期間"):
        enter("lin.yahan", "lin.yahan", "xu.mingde", first, last)


def test_nobody_is_away_twice_on_one_day(app: Flask, committed: None) -> None:
    with app.app_context():
        enter("lin.yahan", "lin.yahan", "xu.mingde")
        with pytest.raises(Refused, match="已經登記過"):
            enter(
                "chen.shufen",
                "lin.yahan",
                "chen.shufen",
                TODAY + timedelta(days=2),
                TODAY + timedelta(days=3),
            )
        with pytest.raises(IntegrityError, match="ex_absence_once_a_day"):
            absent("lin.yahan", "xu.mingde", TODAY, TODAY)
        db.session.rollback()


def test_back_earlier(app: Flask, committed: None) -> None:
    with app.app_context():
        key = enter("lin.yahan", "lin.yahan", "xu.mingde")
        with pytest.raises(NotFound), unit_of_work():
            absences.end(officer("xu.mingde"), key, NOW)
        with unit_of_work():
            absences.end(officer("lin.yahan"), key, NOW + timedelta(days=1))
        assert db.session.get_one(Absence, key).ends_on == TODAY
        coming = enter(
            "lin.yahan", "lin.yahan", "xu.mingde", TODAY + timedelta(days=9), TODAY + timedelta(days=9)
        )
        with unit_of_work():
            absences.end(officer("chen.shufen"), coming, NOW)
        assert db.session.get(Absence, coming) is None
