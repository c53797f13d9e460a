"""Who holds a task: nobody who left the function, nobody who is away, and never the same person twice."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from tests.journeys import NOW, account, citizen, login_of, officer, open_tasks, submitted, take
from tests.officers import statements
from webapp.demo.samples import SAMPLES
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, CaseEvent, Holder, Message, Task
from webapp.queries.generations import bump
from webapp.queries.org import chart
from webapp.services import cases, corrections, steps, tasks
from webapp.uow import unit_of_work


def leaves(login: str, last_day: date) -> None:
    with unit_of_work():
        for seat in db.session.scalars(select(Holder).where(Holder.account_id == account(login).id)):
            seat.ends_on = last_day
        bump("org")


def test_a_case_does_not_come_back_to_somebody_who_left(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        first = login_of(open_tasks(case)[0].assignee_id or 0)
        take(case, "request_correction", fields=("pet_name",), comment="名字與證明不同")
        leaves(first, NOW.date())
        later = NOW + timedelta(days=2)
        with unit_of_work():
            case = db.session.get_one(Case, case.id)
            request = corrections.current(case)
            corrections.save(case, request, SAMPLES["EC09"], request.version)
            corrections.take_in(citizen(), case, request, later)
            cases.answer_correction(citizen(), case, later, version=case.version)
        holder = open_tasks(case)[0].assignee_id
        assert holder is not None and login_of(holder) != first


def test_the_task_of_somebody_who_left_can_be_taken_and_goes_back_to_the_pool(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        case = submitted("EC09")
        first = login_of(open_tasks(case)[0].assignee_id or 0)
        other = {"lin.yahan": "xu.mingde", "xu.mingde": "lin.yahan"}[first]
        leaves(first, NOW.date())
        later = NOW + timedelta(days=1)
        assert cases.offers(officer(other, later), steps.context(case), later)
        run_deadlines(later)
        assert [task.assignee_id for task in open_tasks(case)] == [None]
        take(case, "propose_approval", other, later)
        assert db.session.get_one(Case, case.id).state == "approve"


def test_the_database_names_the_same_orphans_as_the_org_chart_in_one_statement(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every account against seats of the unit, of one above, of another function, ended, not begun."""
    with app.app_context():
        leaves("hong.peishan", NOW.date() - timedelta(days=1))
        leaves("yang.zhihao", NOW.date())
        with unit_of_work():
            seat = db.session.scalars(
                select(Holder).where(Holder.account_id == account("weng.guoliang").id)
            ).first()
            seat.starts_on = NOW.date() + timedelta(days=1)
            bump("org")
            case, tree = submitted("EC09"), chart()
            tried = [
                Task(
                    case_id=case.id, visit=2, key=f"{function}-{unit}-{person}"[:40], function=function,
                    unit_id=tree.by_code[unit].id, assignee_id=person, opened_at=NOW,
                )
                for function in ("officer", "section_head", "department_head")
                for unit in ("EC", "EC-APH", "EC-AFF", "PW-RMO")
                for person in tree.names
            ]  # fmt: skip
            db.session.add_all(tried)
        today = NOW.date()
        held = {
            task.id for task in tried if chart().holds(task.assignee_id, task.function, task.unit_id, today)
        }
        assert 0 < len(held) < len(tried)
        with unit_of_work():
            assert tasks.return_to_pools(NOW) == len(tried) - len(held)
        kept = select(Task.id).where(Task.visit == 2, Task.assignee_id.is_not(None))
        assert set(db.session.scalars(kept)) == held
        with statements(monkeypatch) as seen, unit_of_work():
            assert tasks.return_to_pools(NOW) == 0
        assert len([query for query in seen if "task" in query]) == 1


def test_a_function_that_nobody_holds_is_told_to_those_who_watch_and_to_the_head_above(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        leaves("chen.shufen", date(2025, 1, 1))
        leaves("li.zhengnan", date(2025, 1, 1))
        case = submitted("EC09")
        take(case, "propose_approval")
        assert [task.assignee_id for task in open_tasks(case)] == [None]
        told = db.session.scalars(select(Message).where(Message.channel == "inbox")).all()
        assert {message.recipient.split("@")[0] for message in told} == {"guo.shiming", "admin", "he.rongjie"}
        assert "沒有人擔任科長" in told[0].subject


def test_two_branches_claimed_at_the_same_moment(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        branches = [(task.public_id, login_of(task.assignee_id or 0)) for task in open_tasks(case)]
    both, failed = Barrier(2), []

    def claim(public_id: str, login: str) -> None:
        with app.app_context():
            try:
                with unit_of_work():
                    actor = officer(login)
                    task = tasks.visible(actor, public_id)
                    both.wait()
                    tasks.claim(actor, task, NOW)
            except DBAPIError as error:
                failed.append(error)

    threads = [Thread(target=claim, args=branch) for branch in branches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with app.app_context():
        kinds = db.session.scalars(select(CaseEvent.kind).order_by(CaseEvent.seq)).all()
        assert kinds == ["submitted", "split", "claimed", "claimed"]


def test_after_a_proposal_was_sent_back_its_author_may_return_the_application(
    app: Flask, committed: None
) -> None:
    with app.app_context():
        case = submitted("EC09")
        proposer = login_of(open_tasks(case)[0].assignee_id or 0)
        take(case, "propose_approval")
        take(case, "send_back", comment="請再確認收據")
        take(case, "return_application", proposer, comment="申請人不是本縣飼主")
        assert db.session.get_one(Case, case.id).outcome == "returned"


def test_what_would_be_refused_is_not_offered(app: Flask, committed: None) -> None:
    """The head of the section, who also works as its officer, cannot approve what they proposed themselves."""
    with app.app_context():
        with unit_of_work():
            seat = db.session.scalars(
                select(Holder).where(Holder.account_id == account("lin.yahan").id)
            ).one()
            head = db.session.scalars(
                select(Holder).where(Holder.account_id == account("chen.shufen").id)
            ).one()
            db.session.add(
                Holder(position_id=head.position_id, account_id=seat.account_id, starts_on=date(2019, 1, 1))
            )
            bump("org")
        case = submitted("EC09")
        with unit_of_work():
            task = open_tasks(case)[0]
            task.assignee_id = account("lin.yahan").id
        take(case, "propose_approval", "lin.yahan")
        offered = cases.offers(officer("lin.yahan"), steps.context(case), NOW)
        assert {offer.transition.name for offer in offered} == {"send_back"}
        take(case, "send_back", "chen.shufen", comment="再看一次")
        assert db.session.get_one(Case, case.id).proposed_by_id is None
