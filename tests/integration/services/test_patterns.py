"""Each pattern driven from the application to its end, through the real services, by people of several units."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests import factory, journeys, officers, patterns
from tests.journeys import NOW, login_of, officer, open_tasks, submitted, take
from tests.patterns import AT_LEGAL_AFFAIRS, AT_SOCIAL_AFFAIRS, serve
from webapp.demo.samples import day
from webapp.errors import Refused
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines
from webapp.models import Case, Clock, Effect, Escalation, Letter, Task
from webapp.queries.org import chart, office_now
from webapp.services import cases, steps
from webapp.uow import unit_of_work

pytestmark = pytest.mark.usefixtures("committed")

FEES = [
    {"key": "review", "label": {"zh": "審查費", "en": "Review"}, "amount": "200"},
    {"key": "certificate", "label": {"zh": "證照費", "en": "Certificate"}, "amount": None},
]


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def fresh(case: Case) -> Case:
    db.session.refresh(case)
    return case


def offered(case: Case, login: str) -> set[str]:
    return {offer.transition.name for offer in cases.offers(officer(login), steps.context(case), NOW)}


def desk(case: Case) -> tuple[str, str, str]:
    """State, unit and function of the one open task."""
    (task,) = open_tasks(case)
    return case.state, chart().units[task.unit_id].code, task.function


def letters(case: Case) -> list[Letter]:
    return list(db.session.scalars(select(Letter).where(Letter.case_id == case.id).order_by(Letter.id)))


def clock(case: Case) -> Clock:
    return db.session.scalars(select(Clock).where(Clock.case_id == case.id, Clock.task_id.is_(None))).one()


def notices(case: Case) -> list[str]:
    found = db.session.scalars(select(Effect).where(Effect.case_id == case.id, Effect.kind == "notice"))
    return [row.payload["template"] for row in found]


def closed(case: Case) -> str | None:
    assert case.status == "closed" and open_tasks(case) == []
    assert clock(case).state == "stopped"
    return case.outcome


# --- P01 to P03: one officer, one head, the chain of heads --------------------------------------------------


def test_p01_one_officer_issues_and_hands_over(app: Flask) -> None:
    with app.app_context():
        serve("counter_issue", stages=("pickup",), level=2)
        case = submitted("EC09")
        take(case, "issue_for_pickup")
        assert desk(case)[0] == "deliver" and [letter.kind for letter in letters(case)] == ["grant"]
        take(case, "handed_over")
        assert closed(case) == "granted"


def test_p02_at_level_two_the_department_head_decides_on_what_the_officer_proposed(app: Flask) -> None:
    with app.app_context():
        serve("single_review", level=2)
        case = submitted("EC09")
        take(case, "propose_approval", comment="文件齊備，擬予補助。", conditions="一年內不得轉讓。")
        assert "approve" not in offered(case, "chen.shufen")
        take(case, "forward", "chen.shufen", comment="擬如擬。")
        assert desk(case) == ("approve_department", "EC", "department_head")
        take(case, "approve", "li.zhengnan")
        assert closed(case) == "granted"
        (letter,) = letters(case)
        assert letter.content["signer"] == "李正南"
        assert letter.content["reason"] == "文件齊備，擬予補助。", (
            "the proposal went with it through the heads"
        )
        assert letter.content["conditions"] == "一年內不得轉讓。"


def test_who_proposed_does_not_decide_two_levels_up(app: Flask) -> None:
    with app.app_context():
        serve("single_review", level=2)
        case = submitted("EC09")
        proposer = officers.officer_of(case)
        take(case, "propose_approval")
        take(case, "forward", "chen.shufen")
        officers.absent("li.zhengnan", proposer, NOW.date(), NOW.date())
        assert "approve" not in offered(case, proposer)
        with pytest.raises(Refused):
            take(case, "approve", proposer)


def test_p03_up_to_the_magistrate_with_a_return_to_an_earlier_step(app: Flask) -> None:
    with app.app_context():
        serve("multi_level_approval", level=1)
        case = submitted("EC09")
        take(case, "start_draft")
        take(case, "propose_approval", comment="擬予核准。")
        seen = []
        for action, login in (
            ("forward", "chen.shufen"),
            ("forward", "li.zhengnan"),
            ("return_to_section", "he.rongjie"),
            ("forward", "chen.shufen"),
            ("forward", "li.zhengnan"),
            ("forward", "he.rongjie"),
        ):
            seen.append(desk(case)[1:])
            take(case, action, login, comment="請再核對數額。" if action != "forward" else "")
        assert seen == [
            ("EC-APH", "section_head"),
            ("EC", "department_head"),
            ("KM", "secretary_general"),
            ("EC-APH", "section_head"),
            ("EC", "department_head"),
            ("KM", "secretary_general"),
        ]
        assert desk(case) == ("approve_magistrate", "KM", "magistrate")
        take(case, "approve", "lin.yongan")
        assert closed(case) == "granted"
        assert letters(case)[0].content["reason"] == "擬予核准。"


def test_what_a_head_sends_back_is_proposed_anew(app: Flask) -> None:
    with app.app_context():
        serve("multi_level_approval", level=2)
        case = submitted("EC09")
        take(case, "start_draft")
        take(case, "propose_approval", comment="第一次擬辦。")
        take(case, "forward", "chen.shufen")
        take(case, "send_back", "li.zhengnan", comment="請改擬駁回。")
        assert desk(case)[0] == "draft" and case.proposed_by_id is None
        take(case, "propose_rejection", comment="不符補助規定。")
        take(case, "forward", "chen.shufen")
        take(case, "confirm_rejection", "li.zhengnan")
        assert closed(case) == "rejected"
        assert letters(case)[0].content["reason"] == "不符補助規定。"


# --- P04 and P05 ---------------------------------------------------------------------------------------------

UNITS = {"co_review_units": ["PO", "EP", "EC"]}


def co_reviewed(join: object) -> Case:
    """Three units are asked; the third has nobody of that function, so its branch waits in the pool."""

    def amend(body: dict) -> None:
        body["states"]["co_review"]["tasks"][0]["join"] = join

    patterns.amended("parallel_co_review", amend)
    serve("parallel_co_review", parameters=UNITS)
    case = submitted("EC09")
    take(case, "split")
    assert sorted(task.branch for task in open_tasks(case)) == ["EC", "EP", "PO"]
    return case


def opinion(case: Case, login: str, said: str = "agree", now=NOW) -> None:
    take(case, "give_opinion", login, now, raw={"opinion": [said]})


@pytest.mark.parametrize(("join", "needed"), [("any", 1), ({"quorum": 2}, 2)])
def test_p04_joins_when_enough_have_answered(app: Flask, join: object, needed: int) -> None:
    with app.app_context():
        case = co_reviewed(join)
        for login in ("dong.weilun", "lv.xinyi")[:needed]:
            assert case.state == "co_review"
            opinion(case, login)
        assert desk(case) == ("consolidate", "EC-APH", "officer")
        states = db.session.execute(select(Task.branch, Task.state).where(Task.key == "opinion")).all()
        assert sorted(state for _, state in states) == ["cancelled"] * (3 - needed) + ["done"] * needed
        branches = db.session.scalars(select(Clock).where(Clock.task_id.is_not(None))).all()
        assert {branch.state for branch in branches} == {"stopped"}, (
            "nobody is pressed for what is not needed"
        )
        take(case, "propose_approval")
        take(case, "approve", "chen.shufen")
        assert closed(case) == "granted"


def test_p04_a_late_branch_escalates_and_blocks_nobody(app: Flask) -> None:
    with app.app_context():
        case = co_reviewed("all")
        late = NOW + timedelta(days=7)  # Thursday; the branches were due on Tuesday
        run_deadlines(late)
        rows = db.session.execute(
            select(Escalation.rung, Clock.task_id).join(Clock, Clock.id == Escalation.clock_id)
        ).all()
        assert len({task for _, task in rows}) == 3, "each branch by its own clock"
        assert all(task is not None for _, task in rows), "the case itself has time left"
        opinion(db.session.get_one(Case, case.id), "dong.weilun", now=late)
        opinion(db.session.get_one(Case, case.id), "lv.xinyi", now=late)
        case = db.session.get_one(Case, case.id)
        assert [task.branch for task in open_tasks(case)] == ["EC"] and case.state == "co_review"


def test_p05_re_inspection_then_the_department_head(app: Flask) -> None:
    with app.app_context():
        serve(
            "on_site_inspection",
            level=2,
            handling_unit={"zh": "建設處農林科", "en": "Agriculture and Forestry Section"},
        )
        case = submitted("EC09")
        inspector = officers.officer_of(case)
        take(case, "pass_papers")
        take(case, "schedule", on_date=NOW.date())
        task = open_tasks(case)[0]
        assert (task.function, task.form_key) == ("inspector", "inspection_record")
        with unit_of_work():
            task.assignee_id = journeys.account(inspector).id
        patterns.visited(case, "fail", inspector, "improve")
        take(case, "forward", "cai.wenxiong")
        take(case, "send_back", "li.zhengnan", comment="請再勘查一次。")
        take(case, "inspect_again")
        take(case, "schedule", on_date=NOW.date())
        with unit_of_work():
            open_tasks(case)[0].assignee_id = journeys.account(inspector).id
        patterns.visited(case, "pass", inspector, "pass")
        take(case, "forward", "cai.wenxiong")
        take(case, "approve", "li.zhengnan")
        assert closed(case) == "granted"


# --- P10 to P12 ----------------------------------------------------------------------------------------------


def test_p10_assigned_passed_on_dispatched_and_answered(app: Flask) -> None:
    with app.app_context():
        serve(
            "petition",
            stages=("dispatch",),
            handling_unit={"zh": "建設處農林科", "en": "Agriculture and Forestry Section"},
        )
        case = submitted("EC09")
        assert desk(case) == ("register", "KM", "operator")
        registration = db.session.scalars(select(Clock).where(Clock.task_id.is_not(None))).one()
        assert registration.due_on == NOW.date() + timedelta(days=1), "assigned within a working day"
        take(case, "assign")
        assert desk(case)[1:] == ("EC-AFF", "officer")
        take(case, "wrong_unit", "ou.yijun", comment="非本科權責。")
        take(case, "assign")
        take(case, "interim_reply", "ou.yijun", comment="已排定派工。")
        assert "interim" in notices(case)
        assert "propose_approval" not in offered(case, "ou.yijun"), "nobody has been there"
        take(case, "dispatch", "ou.yijun", comment="請到場處理。")
        patterns.record(
            case, "work_done", "ou.yijun", **day("arrived_on", NOW.date()), work=["已到場清除並恢復原狀。"]
        )
        take(case, "propose_approval", "ou.yijun", comment="已處理完成。")
        take(case, "approve", "cai.wenxiong")
        assert closed(case) == "granted"


def test_p11_reply_of_the_agency_hearing_document_court(app: Flask) -> None:
    with app.app_context():
        serve("remedy", stages=("agency_reply", "court"), level=2, correction="restart", **AT_LEGAL_AFFAIRS)
        case = submitted("EC09")
        assert desk(case) == ("review", "AD", "legal_officer")
        take(case, "request_correction", fields=("pet_name",), comment="程式補正。")
        officers.corrected(case, NOW + timedelta(days=3))
        case = db.session.get_one(Case, case.id)
        assert [m.kind for m in clock(case).movements] == ["pause", "restart"]
        take(case, "serve_agency")
        assert desk(case) == ("agency", "AD", "original_agency")
        take(case, "reply", comment="原處分並無違誤。")
        board = patterns.board("KM")
        take(case, "put_on_agenda")
        assert desk(case) == ("committee", "KM", "committee_secretary")
        patterns.met(board, case, "pass", ("yes", "yes"))
        assert "propose_approval" not in offered(case, "weng.peijun"), "the court has not approved it"
        take(case, "send_to_court", comment="函送核定。")
        take(case, "court_refused", comment="第三點內容不明確。")
        take(case, "send_to_court", comment="更正後再送。")
        take(case, "court_approved", comment="法院核定。")
        take(case, "propose_approval", comment="原處分撤銷。")
        take(case, "forward", "cai.mingfeng")
        take(case, "approve", "zhuang.jiarong")
        assert case.state == "serve" and case.status == "open"
        assert "withdraw" not in offered(case, "weng.peijun")
        take(case, "served", comment="雙方簽收。")
        assert closed(case) == "granted"


def test_a_letter_that_lives_by_its_conditions_is_not_sent_without_them(app: Flask) -> None:
    body = factory.service("EC09")
    body["letters"]["grant"]["needs_conditions"] = {"zh": "請寫明使用分區", "en": "Write down the zone"}
    with app.app_context():
        patterns.publish("service", "EC09", body)
        case = submitted("EC09")
        with pytest.raises(Refused, match="請寫明使用分區"):
            take(case, "propose_approval")
        take(case, "propose_approval", conditions="住宅區。")
        take(case, "approve", "chen.shufen")
        assert letters(case)[0].content["conditions"] == "住宅區。"


def test_p12_the_township_first_and_again_then_the_county(app: Flask) -> None:
    """The applicant lives in Lieyu; each tier has its own clock beside that of the case."""
    with app.app_context():
        serve("township_then_county", level=2, **AT_SOCIAL_AFFAIRS)
        case = submitted("EC09")
        assert desk(case) == ("township_review", "LY", "township_officer")
        assert login_of(open_tasks(case)[0].assignee_id or 0) == "lin.peiyu"
        take(case, "propose_forwarding", comment="訪視屬實。")
        assert desk(case) == ("township_approve", "LY", "township_head")
        take(case, "forward_to_county")
        assert desk(case) == ("review", "SW", "officer")
        take(case, "return_to_township", comment="請補訪視紀錄。")
        assert desk(case) == ("township_review", "LY", "township_officer")
        take(case, "request_township_correction", fields=("pet_name",), comment="請補正。")
        officers.corrected(case)
        case = db.session.get_one(Case, case.id)
        assert desk(case)[1:] == ("LY", "township_officer")
        take(case, "propose_forwarding", comment="已補訪視紀錄。")
        take(case, "forward_to_county")
        take(case, "propose_approval")
        take(case, "forward", "wang.shufen")
        take(case, "approve", "chen.zhiming")
        assert closed(case) == "granted"
        own = db.session.scalars(select(Clock).where(Clock.task_id.is_not(None))).all()
        assert {(c.period, c.state) for c in own} == {(7, "stopped"), (2, "stopped"), (10, "stopped")}


def test_p12_of_a_township_of_its_own_with_the_unit_of_the_county_that_it_names(app: Flask) -> None:
    """The applicant lives in Lieyu, the service is Jinning's: its office reviews and decides."""
    with app.app_context():
        own = {"owner": "JN", "handling_unit": {"zh": "金寧鄉公所", "en": "Jinning Township Office"}}
        serve("township_then_county", level=3, parameters={"county_unit": "SW"}, **own)
        case = submitted("EC09")
        assert desk(case) == ("township_review", "JN", "township_officer")
        assert office_now(case).code == "JN"
        take(case, "propose_forwarding")
        take(case, "forward_to_county")
        assert desk(case) == ("review", "SW", "officer")
        take(case, "propose_approval", amounts={"subsidy": Decimal(100)})
        assert desk(case)[1] == "JN", "what the township answers for it decides itself"


def test_pages_name_the_township_office_while_it_reviews(app: Flask) -> None:
    with app.app_context():
        serve("township_then_county", level=2, **AT_SOCIAL_AFFAIRS)
        case = submitted("EC09")
        assert office_now(case).code == "LY"
        take(case, "propose_forwarding")
        take(case, "forward_to_county")
        assert office_now(case).code == "SW"


def test_a_township_may_be_switched_on_for_another_pattern(app: Flask) -> None:
    with app.app_context():
        serve("single_review", stages=("township", "fee"), fees=FEES, **AT_SOCIAL_AFFAIRS)
        case = submitted("EC09", **{"address-township": ["JS"], "address-village": ["光前里"]})
        assert "propose_approval" not in offered(case, "li.yating")
        take(case, "send_to_township")
        assert desk(case) == ("township_review", "JS", "township_officer")
        take(case, "propose_forwarding", comment="訪視屬實。")
        take(case, "forward_to_county")
        take(case, "request_payment", "li.yating", amounts={"certificate": Decimal(300)})
        patterns.paid(case)
        take(case, "propose_approval", "li.yating")
        take(case, "approve", "wang.shufen")
        assert closed(case) == "granted"
