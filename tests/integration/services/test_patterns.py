"""Each pattern driven from the application to its end, through the real services, by people of several units."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests import journeys, officers, patterns
from tests.journeys import NOW, login_of, officer, open_tasks, submitted, take
from tests.patterns import AT_LEGAL_AFFAIRS, AT_SOCIAL_AFFAIRS, serve
from webapp.demo.samples import day
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.jobs.sweeps import run_deadlines, run_payments
from webapp.models import Case, Clock, Effect, Escalation, Letter, Task
from webapp.moments import taipei_day
from webapp.queries import bookings as appointments
from webapp.queries.committees import waiting
from webapp.queries.org import chart
from webapp.services import attendance, bookings, cases, invoices, steps
from webapp.uow import unit_of_work
from workflows.engine import UnknownTransition

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


# --- P06 to P09 ----------------------------------------------------------------------------------------------


def test_p06_the_committee_defers_then_passes(app: Flask) -> None:
    with app.app_context():
        serve("committee_review")
        case = submitted("EC09")
        with pytest.raises(Refused, match="請先設定委員會"):
            take(case, "put_on_agenda")
        board = patterns.board()
        take(case, "put_on_agenda")
        assert desk(case) == ("committee", "EC", "committee_secretary")
        patterns.met(board, case, "defer", ("yes", "no"), "資料待補充，下次再審。")
        assert desk(case)[0] == "committee", "it waits for the next session"
        patterns.met(board, case, "pass_with_changes", ("yes", "yes", "no"), "補助額度酌減。", later(7))
        assert desk(case) == ("conclude", "EC-APH", "officer")
        take(case, "propose_approval", now=later(7))
        take(case, "approve", "chen.shufen", now=later(7))
        assert closed(case) == "granted"


def test_p06_what_the_committee_refused_is_not_approved(app: Flask) -> None:
    with app.app_context():
        serve("committee_review")
        board, case = patterns.board(), submitted("EC09")
        take(case, "put_on_agenda")
        patterns.met(board, case, "reject", ("no", "no", "yes"), "不符計畫目的。")
        assert desk(case)[0] == "not_passed" and "propose_approval" not in offered(
            case, officers.officer_of(case)
        )
        take(case, "propose_rejection", comment="委員會審議未通過。")
        take(case, "send_back", "chen.shufen", comment="請補敘理由。")
        assert "propose_approval" not in offered(case, officers.officer_of(case))
        take(case, "propose_rejection", comment="委員會審議未通過，不符計畫目的。")
        take(case, "confirm_rejection", "chen.shufen")
        assert closed(case) == "rejected"


def test_p06_the_secretary_takes_a_case_off_the_agenda(app: Flask) -> None:
    with app.app_context():
        serve("committee_review")
        board, case = patterns.board(), submitted("EC09")
        take(case, "put_on_agenda")
        take(case, "take_off_agenda", "xie.wanru", comment="申請人來文補充，請重新審查。")
        assert desk(case) == ("review", "EC-APH", "officer")
        assert waiting(board) == []
        take(case, "put_on_agenda")
        assert [item.case_id for item, _case in waiting(board)] == [case.id]


def test_p07_the_invoice_goes_out_and_the_payment_moves_the_case(app: Flask) -> None:
    with app.app_context():
        serve("fee_then_issue", fees=FEES)
        case = submitted("EC09")
        due = case.due_on
        with pytest.raises(Refused, match="證照費"):
            take(case, "request_payment")
        take(case, "request_payment", amounts={"certificate": Decimal(300)})
        assert desk(case) == ("awaiting_payment", "KM", "cashier")
        invoice = invoices.open_of(case.id)
        assert invoice is not None and invoice.total == 500, "the fixed fee and the one of the review"
        assert clock(case).state == "paused" and "invoice" in notices(case)
        assert run_payments(later(21))["lapsed"] == 1
        assert desk(fresh(case))[0] == "unpaid" and clock(case).state == "running"
        take(case, "request_payment_again", now=later(22), amounts={"certificate": Decimal(250)})
        patterns.paid(case, later(24))
        assert desk(fresh(case)) == ("produce", "EC-APH", "officer")
        assert due is not None and case.due_on is not None and case.due_on > due
        take(case, "propose_approval", now=later(24))
        take(case, "approve", "chen.shufen", now=later(24))
        assert closed(case) == "granted"
        fee = {line["key"]: line["amount"] for line in fresh(case).fee_lines}
        assert fee["certificate"] == "250", "what was paid is what the letter says"


def test_what_was_paid_is_asked_for_once(app: Flask) -> None:
    with app.app_context():
        serve("fee_then_issue", fees=FEES)
        case = submitted("EC09")
        take(case, "request_payment", amounts={"certificate": Decimal(300)})
        patterns.paid(case)
        take(case, "back_to_review", comment="請再核對姓名。")
        assert {"go_on"} == offered(case, officers.officer_of(case)) & {"go_on", "request_payment"}
        take(case, "go_on")
        assert desk(case)[0] == "produce"


def test_no_fee_needs_no_cashier(app: Flask) -> None:
    with app.app_context():
        serve("fee_then_issue")
        case = submitted("EC09")
        take(case, "request_payment")
        assert desk(case) == ("produce", "EC-APH", "officer") and "invoice" not in notices(case)
        assert clock(case).state == "running"


def test_a_cashier_sees_what_waits_at_the_desk_and_nothing_else(app: Flask) -> None:
    with app.app_context():
        serve("fee_then_issue", fees=FEES)
        case, other = submitted("EC09"), submitted("EC09")
        take(case, "request_payment", amounts={"certificate": Decimal(300)})
        with unit_of_work():
            open_tasks(case)[0].assignee_id = None
        cashier = officer("xu.yaqi")
        assert cases.visible(cashier, case.public_id).id == case.id
        take(case, "take_invoice_back", "xu.yaqi", comment="金額重複計算。")
        assert desk(case)[0] == "review" and invoices.open_of(case.id) is None
        with pytest.raises(NotFound):
            cases.visible(cashier, other.public_id)


def test_p07_what_stays_unpaid_goes_back(app: Flask) -> None:
    with app.app_context():
        serve("fee_then_issue", fees=FEES)
        case = submitted("EC09")
        take(case, "request_payment", amounts={"certificate": Decimal(300)})
        run_payments(later(21))
        take(fresh(case), "cancel_unpaid", comment="逾期未繳納規費。", now=later(21))
        assert closed(case) == "returned" and [letter.kind for letter in letters(case)] == ["return"]


def test_p08_confirmed_moved_and_attended(app: Flask) -> None:
    with app.app_context():
        serve("appointment", level=2)
        patterns.desk()
        case = submitted("EC09")
        holder = officers.officer_of(case)
        assert {"propose_approval"}.isdisjoint(offered(case, holder)), "no slot is held yet"
        first, *_others, last = patterns.slots(case)
        patterns.chosen(case, first)
        take(case, "propose_approval")
        take(case, "forward", "chen.shufen")
        take(case, "approve", "li.zhengnan")
        assert desk(case) == ("attend", "EC-APH", "officer")
        assert case.status == "open" and [letter.kind for letter in letters(case)] == ["grant"]
        assert open_tasks(case)[0].due_on == taipei_day(first.starts_at)
        moved = taipei_day(last.starts_at)
        take(case, "change_slot", holder, on_date=moved, comment="場地整修。")
        assert open_tasks(case)[0].due_on == moved
        assert [t for t in notices(case) if t.startswith("slot_")] == [
            "slot_held",
            "slot_confirmed",
            "slot_moved",
        ]
        with pytest.raises(Refused, match="還沒有開始"):
            take(case, "attended", holder)
        booking = appointments.current(case.id)
        assert booking is not None
        with unit_of_work():
            attendance.mark(officer(holder, last.ends_at), booking.public_id, "attended", last.ends_at)
        assert closed(fresh(case)) == "granted" and case.state == "completed"
        assert booking.state == "attended"


def test_p08_a_full_day_keeps_the_old_slot(app: Flask) -> None:
    with app.app_context():
        serve("appointment", level=4)
        patterns.desk()
        case = submitted("EC09")
        holder = officers.officer_of(case)
        with pytest.raises(Refused, match="沒有空的時段"):
            take(case, "arrange_slot", on_date=NOW.date() + timedelta(days=300))
        take(case, "arrange_slot", on_date=NOW.date() + timedelta(days=1))
        take(case, "decide_approval")
        before = appointments.current(case.id)
        assert before is not None and before.state == "confirmed"
        with pytest.raises(Refused, match="沒有空的時段"):
            take(case, "change_slot", holder, on_date=NOW.date() + timedelta(days=300), comment="改期。")
        after = appointments.current(case.id)
        assert after is not None and after.id == before.id and after.state == "confirmed"


def test_p08_who_cannot_come_cancels_and_the_slot_is_free_again(app: Flask) -> None:
    with app.app_context():
        serve("appointment", level=4)
        patterns.desk()
        case = submitted("EC09")
        slot = patterns.slots(case)[-1]
        patterns.chosen(case, slot)
        take(case, "decide_approval")
        with pytest.raises(UnknownTransition), unit_of_work():
            cases.take_as_citizen(journeys.citizen(), case, "withdraw", NOW, version=case.version)
        assert "close_cancelled" not in offered(case, officers.officer_of(case))
        with unit_of_work():
            bookings.cancel(journeys.citizen(), case, NOW)
        db.session.refresh(slot)
        assert slot.taken == 0 and "slot_released" in notices(case)
        take(fresh(case), "close_cancelled")
        assert closed(case) == "granted" and case.state == "missed"


def test_p08_withdrawn_before_the_decision_the_slot_is_free_again(app: Flask) -> None:
    with app.app_context():
        serve("appointment", level=4)
        patterns.desk()
        case = submitted("EC09")
        slot = patterns.slots(case)[0]
        patterns.chosen(case, slot)
        with unit_of_work():
            cases.take_as_citizen(journeys.citizen(), case, "withdraw", NOW, version=case.version)
        db.session.refresh(slot)
        assert closed(case) == "withdrawn" and slot.taken == 0


def test_a_booking_may_be_switched_on_for_another_pattern(app: Flask) -> None:
    with app.app_context():
        serve("single_review", stages=("booking",))
        patterns.desk()
        case = submitted("EC09")
        holder = officers.officer_of(case)
        take(case, "arrange_slot", on_date=NOW.date() + timedelta(days=1))
        assert [t for t in notices(case) if t.startswith("slot_")] == ["slot_held", "slot_confirmed"]
        booking = appointments.current(case.id)
        assert booking is not None and desk(case)[0] == "attend"
        ends = booking.slot.ends_at
        with unit_of_work():
            attendance.mark(officer(holder, ends), booking.public_id, "no_show", ends)
        assert desk(fresh(case))[0] == "review" and booking.state == "no_show"
        assert "propose_approval" not in offered(case, holder), "who did not come is asked again"


def test_p09_nothing_is_refused_after_a_correction_it_is_recorded(app: Flask) -> None:
    with app.app_context():
        serve("notification", **AT_SOCIAL_AFFAIRS)
        case = submitted("EC09")
        assert offered(case, "li.yating") == {"propose_approval", "request_correction", "return_application"}
        take(case, "request_correction", fields=("pet_name",), comment="與登記證明不同。")
        officers.corrected(case)
        case = db.session.get_one(Case, case.id)
        take(case, "propose_approval", "li.yating")
        assert offered(case, "wang.shufen") == {"approve", "send_back"}
        take(case, "approve", "wang.shufen")
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
