"""Two people act on a case at the same moment, each in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from tests.at_once import at_once
from tests.journeys import AMOUNTS, NOW, account, login_of, officer, open_tasks, submitted, take
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, CaseEvent
from webapp.permissions import SYSTEM, Actor
from webapp.queries import history
from webapp.queries.org import chart
from webapp.services import cases, events, steps
from webapp.services.steps import Given
from webapp.uow import unit_of_work

AGREED = Given(raw={"opinion": ["agree"]})


def action(case: Case, task_id: int, name: str, login: str, given: Given = AGREED) -> Callable[[], None]:
    """An officer's click, with the version that their page was made from."""
    case_id, version = case.id, case.version

    def click() -> None:
        found = db.session.get_one(Case, case_id)
        cases.offers(officer(login), cases.steps.context(found), NOW)  # as the page does before it acts
        cases.take_transition(officer(login), found, name, NOW, version=version, task_id=task_id, given=given)

    return click


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


NOBODY = Actor("anonymous")
#: who made the last event, of which kind, and whom the loser is told
TOLD = [
    *((SYSTEM, kind, "系統", "the system") for kind in (
        "invoice_opened", "payment_received", "fee_changed", "limit_passed", "extension_lapsed", "released",
        "slot_released", "slot_confirmed", "lapse", "paid", "moved_to_revision",
    )),
    *((NOBODY, kind, "申請人", "the applicant") for kind in (
        "submitted", "resubmit", "withdraw", "slot_held", "slot_released", "invoice_opened",
    )),
    ("chen.meiling", "withdraw", "申請人", "the applicant"),
    ("chen.meiling", "slot_released", "申請人", "the applicant"),
    ("chen.shufen", "reminded", "陳淑芬", "陳淑芬"),
    ("chen.shufen", "invoice_opened", "陳淑芬", "陳淑芬"),
]  # fmt: skip


def test_the_loser_is_told_who_acted_whatever_the_event(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        for n, (who, kind, zh, en) in enumerate(TOLD):
            actor = who
            if isinstance(who, str):
                person = account(who)
                actor = Actor(person.kind, person.id, person.name)
            with unit_of_work():
                events.record(actor, case, kind, NOW + timedelta(minutes=n), from_state=case.state)
            told = cases.overtaken(case).text
            assert told.zh.startswith(f"這個案件已由{zh}處理，"), (kind, told.zh)
            assert told.en.startswith(f"This case was already handled by {en}."), (kind, told.en)
        assert events.broken_links(case.id) == []


def test_what_the_sweep_did_is_the_system_s_in_the_history_too(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        run_deadlines(NOW + timedelta(days=60))
        case = db.session.get_one(Case, case.id)
        assert "已由系統處理" in cases.overtaken(case).text.zh
        ctx = steps.context(case)
        last = history.of_case(case, ctx.workflow, ctx.form)[-1]
        assert (last.kind, last.who.zh) == ("limit_passed", "系統")


def test_an_event_of_a_person_names_an_account_and_no_other_does(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        for actor in (Actor("citizen"), Actor("system", account("admin").id), Actor("robot")):
            with pytest.raises(IntegrityError), unit_of_work():
                events.record(actor, case, "claimed", NOW, from_state=case.state)
