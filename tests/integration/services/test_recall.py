"""收回: until the next person acts, and only what has not left the office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests import patterns
from tests.integration.services.test_acting_at_once import at_once
from tests.journeys import NOW, account, login_of, officer, open_tasks, submitted, take
from tests.officers import absent, at, made, signed_in
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Clock, Letter
from webapp.services import cases, events, recall, steps, suspensions, tasks
from webapp.services.steps import Given
from webapp.uow import unit_of_work

HEAD = "chen.shufen"
OPINION = {"raw": {"opinion": ["agree"]}}


def back(case: Case, login: str) -> None:
    with unit_of_work():
        recall.recall(officer(login), case, NOW, version=case.version)


def may(case: Case, login: str) -> bool:
    return recall.recallable(officer(login), case, NOW) is not None


def proposed() -> tuple[Case, str]:
    case = submitted("EC09")
    who = login_of(open_tasks(case)[0].assignee_id or 0)
    take(case, "propose_approval")
    return case, who


def test_a_proposal_comes_back_and_can_be_made_again(app: Flask, committed: None) -> None:
    with app.app_context():
        case, who = proposed()
        back(case, who)
        assert (case.state, case.proposed_by_id) == ("review", None)
        (task,) = open_tasks(case)
        assert (task.key, task.assignee_id, task.done_by_id) == ("review", account(who).id, None)
        take(case, "propose_rejection", comment="改為駁回")
        back(case, who)
        take(case, "propose_rejection", comment="還是駁回")
        take(case, "confirm_rejection")
        assert case.outcome == "rejected"
        kinds = [e.kind for e in db.session.query(CaseEvent).order_by(CaseEvent.seq)]
        assert kinds.count("recalled") == 2
        assert events.broken_links(case.id) == []


def test_only_whoever_sent_it_and_only_until_the_next_person_begins(app: Flask, committed: None) -> None:
    with app.app_context():
        case, who = proposed()
        other = next(name for name in ("lin.yahan", "xu.mingde") if name != who)
        assert [may(case, login) for login in (who, other, HEAD)] == [True, False, False]
        with pytest.raises(Conflict, match=account(who).name):
            back(case, other)
        with unit_of_work():
            tasks.claim(officer(HEAD), open_tasks(case)[0], NOW)
        assert not may(case, who)
        with pytest.raises(Conflict, match="陳淑芬"):
            back(case, who)
        assert case.state == "approve"


def test_what_the_applicant_was_told_is_not_taken_back(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        who = login_of(open_tasks(case)[0].assignee_id or 0)
        take(case, "request_correction", fields=("pet_name",), comment="請改")
        with pytest.raises(Refused, match="申請人已經收到通知"):
            back(case, who)
        granted, officer_login = proposed()
        take(granted, "approve")
        assert not may(granted, HEAD) and not may(granted, officer_login)


def test_whoever_left_the_function_takes_nothing_back(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("EC09")
        (task,) = open_tasks(case)
        who = login_of(task.assignee_id or 0)
        deputy = next(name for name in ("lin.yahan", "xu.mingde") if name != who)
        absent(who, deputy, NOW.date(), NOW.date())
        take(case, "propose_approval", deputy)
        assert may(case, deputy) and not may(case, who)
        assert (
            recall.recallable(officer(deputy, NOW + timedelta(days=1)), case, NOW + timedelta(days=1)) is None
        )


def test_an_opinion_is_taken_back_alone_with_its_clock_and_given_again(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        branches = {task.branch: task.id for task in open_tasks(case)}
        take(case, "give_opinion", "dong.weilun", **OPINION)
        assert may(case, "dong.weilun")
        back(case, "dong.weilun")
        assert {task.branch for task in open_tasks(case)} == set(branches)
        states = {c.task_id: c.state for c in db.session.query(Clock).filter(Clock.task_id.is_not(None))}
        assert states[branches["PO"]] == "running"
        take(case, "give_opinion", "dong.weilun", **OPINION)
        take(case, "give_opinion", "lv.xinyi", **OPINION)
        assert case.state == "consolidate"
        back(case, "lv.xinyi")
        assert case.state != "consolidate"
        assert {task.branch for task in open_tasks(case)} == {"EP"}, "the other branch stays finished"
        take(case, "give_opinion", "lv.xinyi", **OPINION)
        assert case.state == "consolidate"


def clicks(case: Case, who: str) -> tuple[Callable[[], None], Callable[[], None]]:
    key, version, task = case.id, case.version, open_tasks(case)[0].id

    def decide() -> None:
        found = db.session.get_one(Case, key)
        cases.take_transition(
            officer(HEAD), found, "approve", NOW, version=version, task_id=task, given=Given()
        )

    def take_back() -> None:
        recall.recall(officer(who), db.session.get_one(Case, key), NOW, version=version)

    return decide, take_back


@pytest.mark.parametrize("first", ["decides", "takes back"])
def test_of_two_at_once_one_wins_and_the_other_is_told_who(app: Flask, committed: None, first: str) -> None:
    with app.app_context():
        case, who = proposed()
        decide, take_back = clicks(case, who)
        key, name = case.id, account(who).name
    order = (decide, take_back) if first == "decides" else (take_back, decide)
    (refused,) = at_once(app, *order)
    assert ("陳淑芬" if first == "decides" else name) in refused
    with app.app_context():
        state = db.session.get_one(Case, key).state
        assert state == ("granted" if first == "decides" else "review")


def test_the_case_page_offers_it_and_says_what_happened(
    app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prepare() -> tuple[str, str]:
        case, who = proposed()
        return case.public_id, who

    case, who = made(app, prepare)
    at(app, monkeypatch, NOW)
    visitor = signed_in(app, who)
    visitor.get(f"/staff/cases/{case}")
    visitor.press("收回")
    assert "已收回，案件回到您的待辦。" in visitor.page.text
    assert "擬予核准，送主管決行" in visitor.page.text
    assert "收回" in visitor.page.soup.select_one(".app-timeline--history li").text
    assert visitor.page.soup.select_one("#recall") is None


# --- what is taken back is as if it had not been -------------------------------------------------------------


def forwarded(**proposed: str) -> Case:
    """Before the department head."""
    patterns.serve("single_review", level=2)
    case = submitted("EC09")
    take(case, "propose_approval", **proposed)
    take(case, "forward", HEAD)
    return case


def offered(case: Case, login: str) -> set[str]:
    return {offer.transition.name for offer in cases.offers(officer(login), steps.context(case), NOW)}


def test_a_head_who_recalls_still_does_not_act_at_two_levels(app: Flask, committed: None) -> None:
    with app.app_context():
        case = forwarded()
        absent("li.zhengnan", HEAD, NOW.date(), NOW.date())
        proposer = case.proposed_by_id
        assert "approve" not in offered(case, HEAD)
        back(case, HEAD)
        assert (case.state, case.proposal, case.proposed_by_id) == ("approve", "grant", proposer)
        take(case, "forward", HEAD)
        assert "approve" not in offered(case, HEAD)
        with pytest.raises(Refused, match="已經核過"):
            take(case, "approve", HEAD)


def test_the_proposer_stays_the_proposer_through_a_recall(app: Flask, committed: None) -> None:
    with app.app_context():
        patterns.serve("single_review", level=2)
        case, who = proposed()
        take(case, "forward", HEAD)
        back(case, HEAD)
        absent(HEAD, who, NOW.date(), NOW.date())
        with pytest.raises(Refused, match="由您擬辦"):
            take(case, "forward", who)


def test_the_reason_and_the_conditions_come_through_a_recall(app: Flask, committed: None) -> None:
    with app.app_context():
        case = forwarded(comment="符合規定。", conditions="每年須複查一次。")
        back(case, HEAD)
        take(case, "forward", HEAD)
        take(case, "approve", "li.zhengnan")
        letter = db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
        assert (letter.content["reason"], letter.content["conditions"]) == ("符合規定。", "每年須複查一次。")


def test_sent_back_and_recalled_it_is_before_the_head_again(app: Flask, committed: None) -> None:
    with app.app_context():
        case, who = proposed()
        take(case, "send_back", HEAD, comment="請再查。")
        assert case.proposed_by_id is None
        back(case, HEAD)
        assert (case.state, case.proposed_by_id) == ("approve", account(who).id)


def test_a_stage_that_was_recalled_is_not_done(app: Flask, committed: None) -> None:
    with app.app_context():
        patterns.serve("single_review", stages=("township",), **patterns.AT_SOCIAL_AFFAIRS)
        case = submitted("EC09")
        take(case, "send_to_township")
        take(case, "propose_forwarding", comment="訪視屬實。")
        head = login_of(open_tasks(case)[0].assignee_id or 0)
        take(case, "forward_to_county")
        assert "forward_to_county" in cases.facts_now(steps.context(case))["case.actions"]
        back(case, head)
        assert "forward_to_county" not in cases.facts_now(steps.context(case))["case.actions"]


def test_a_branch_that_comes_back_stands_still_with_its_case(app: Flask, committed: None) -> None:
    with app.app_context():
        case = submitted("PW01")
        take(case, "split")
        with unit_of_work():
            suspensions.suspend(officer("zhang.jianguo"), case, "颱風", NOW, version=case.version)
        take(case, "give_opinion", "dong.weilun", **OPINION)
        back(case, "dong.weilun")
        own = db.session.scalars(select(Clock).where(Clock.task_id.is_not(None))).all()
        assert {clock.state for clock in own} == {"paused"}
