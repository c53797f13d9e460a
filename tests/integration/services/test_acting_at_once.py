"""Two people act on a case at the same moment, each in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from flask import Flask
from sqlalchemy import text

from tests.journeys import AMOUNTS, NOW, account, login_of, officer, open_tasks, submitted, take
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import Case, CaseEvent
from webapp.queries.org import chart
from webapp.services import cases
from webapp.services.steps import Given
from webapp.uow import unit_of_work

PATIENCE = 30
AGREED = Given(raw={"opinion": ["agree"]})


def action(case: Case, task_id: int, name: str, login: str, given: Given = AGREED) -> Callable[[], None]:
    """An officer's click, with the version that their page was made from."""
    case_id, version = case.id, case.version

    def click() -> None:
        found = db.session.get_one(Case, case_id)
        cases.offers(officer(login), cases.steps.context(found), NOW)  # as the page does before it acts
        cases.take_transition(officer(login), found, name, NOW, version=version, task_id=task_id, given=given)

    return click


def at_once(app: Flask, first: Callable[[], None], second: Callable[[], None]) -> list[str]:
    """The second begins when the first has acted but not committed. Returns the words of refusal."""
    refused: list[str] = []
    acted = Event()

    def act_first() -> None:
        with app.app_context(), unit_of_work():
            first()
            acted.set()
            with db.engine.connect() as other:
                blocked = text("select count(*) from pg_locks where not granted")
                while follower.is_alive() and not other.execute(blocked).scalar_one():
                    other.rollback()

    def act_second() -> None:
        assert acted.wait(PATIENCE)
        with app.app_context():
            try:
                with unit_of_work():
                    second()
            except Conflict as conflict:
                refused.append(str(conflict))

    leader, follower = Thread(target=act_first), Thread(target=act_second)
    follower.start()
    leader.start()
    for thread in (leader, follower):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return refused


def test_the_last_two_opinions_at_once_bring_the_case_on(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        tasks = {task.branch: task.id for task in open_tasks(case)}
        police = action(case, tasks["PO"], "give_opinion", "dong.weilun")
        environment = action(case, tasks["EP"], "give_opinion", "lv.xinyi")
        key = case.id
    assert at_once(app, police, environment) == []
    with app.app_context():
        assert db.session.get_one(Case, key).state == "consolidate"


def test_of_two_deciders_one_wins_and_the_other_is_told_who(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        task = open_tasks(case)[0]
        who = login_of(task.assignee_id or 0)
        name = chart().names[account(who).id]
        proposal = action(case, task.id, "propose_approval", who, Given(amounts=AMOUNTS))
        returned = action(case, task.id, "return_application", who, Given(comment="資料不符"))
        key = case.id
    assert at_once(app, proposal, returned) == [
        f"這個案件已由{name}處理，畫面已不是最新狀態。您輸入的內容沒有送出，請重新載入後再決定。"
    ]
    with app.app_context():
        assert db.session.get_one(Case, key).state == "approve"
        assert db.session.query(CaseEvent).filter_by(case_id=key).count() == 2
