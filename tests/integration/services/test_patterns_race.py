"""Fifty at the same moment: one task has one winner, and a quorum brings the case on once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select

from tests import patterns
from tests.journeys import AMOUNTS, NOW, account, officer, open_tasks, submitted, take
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Holder, Position, Task
from webapp.queries.generations import bump
from webapp.queries.org import chart
from webapp.services import cases
from webapp.services.steps import Given
from webapp.uow import unit_of_work

pytestmark = pytest.mark.usefixtures("committed")

CROWD = 50


def rush(app: Flask, case: Case, clicks: Sequence[tuple[int, str, str, Given]]) -> list[str]:
    """All (task, action, login, given) at once, from pages made of the same version. Returns who won."""
    key, version, start = case.id, case.version, Barrier(len(clicks))

    def click(wanted: tuple[int, str, str, Given]) -> str | None:
        task_id, action, login, given = wanted
        with app.app_context():
            actor = officer(login)
            # nobody holds a connection while they wait for the others
            db.session.remove()
            start.wait()
            try:
                with unit_of_work():
                    found = db.session.get_one(Case, key)
                    cases.take_transition(
                        actor, found, action, NOW, version=version, task_id=task_id, given=given
                    )
            except Conflict:
                return None
            return login

    with ThreadPoolExecutor(len(clicks)) as pool:
        return [winner for winner in pool.map(click, clicks) if winner is not None]


def events(case_id: int) -> list[str]:
    found = select(CaseEvent.kind).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)
    return list(db.session.scalars(found))


def test_of_fifty_one_wins(app: Flask) -> None:
    with app.app_context():
        case = submitted("EC09")
        with unit_of_work():
            task = open_tasks(case)[0]
            task.assignee_id = None
        people, given = ("lin.yahan", "xu.mingde"), Given(amounts=AMOUNTS)
        clicks = [(task.id, "propose_approval", people[n % 2], given) for n in range(CROWD)]
        winners = rush(app, db.session.get_one(Case, case.id), clicks)
        assert len(winners) == 1
        db.session.expire_all()
        assert events(case.id) == ["submitted", "propose_approval"]
        assert [task.key for task in open_tasks(case)] == ["approve"]
        assert case.proposed_by_id == account(winners[0]).id


def test_a_quorum_fires_once(app: Flask) -> None:
    """Two of three are enough; all three units answer at once, each many times over."""
    with app.app_context():

        def two_of_three(body: dict) -> None:
            body["states"]["co_review"]["tasks"][0]["join"] = {"quorum": 2}

        patterns.amended("parallel_co_review", two_of_three)
        patterns.serve("parallel_co_review", parameters={"co_review_units": ["PO", "EP", "EC"]})
        with unit_of_work():
            seat = Position(
                unit_id=chart().by_code["EC"].id, function="co_reviewer", title_zh="技正", title_en="Reviewer"
            )
            db.session.add(seat)
            db.session.flush()
            who = account("li.zhengnan").id
            db.session.add(Holder(position_id=seat.id, account_id=who, starts_on=NOW.date()))
            bump("org")
        case = submitted("EC09")
        take(case, "split")
        logins = {"PO": "dong.weilun", "EP": "lv.xinyi", "EC": "li.zhengnan"}
        answers = Given(raw={"opinion": ["agree"]})
        branches = [(task.id, "give_opinion", logins[task.branch], answers) for task in open_tasks(case)]
        clicks = [branches[n % 3] for n in range(CROWD)]
        winners = rush(app, db.session.get_one(Case, case.id), clicks)
        assert len(winners) == len(set(winners)) == 2
        db.session.expire_all()
        assert events(case.id) == ["submitted", "split", "give_opinion", "give_opinion"]
        states = db.session.execute(select(Task.key, Task.state).where(Task.case_id == case.id)).all()
        assert sorted(map(tuple, states)) == [
            ("consolidate", "open"),
            ("opinion", "cancelled"),
            ("opinion", "done"),
            ("opinion", "done"),
            ("review", "done"),
        ]
