"""P06 to P09: committees, fees and appointments, driven through the real services by people of several units."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from tests import journeys, officers, patterns
from tests.integration.services.test_patterns import (
    FEES,
    clock,
    closed,
    desk,
    fresh,
    later,
    letters,
    notices,
    offered,
)
from tests.journeys import NOW, officer, open_tasks, submitted, take
from tests.patterns import AT_SOCIAL_AFFAIRS, serve
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.jobs.sweeps import run_payments
from webapp.models import Case, Message
from webapp.moments import taipei_day
from webapp.queries import bookings as appointments
from webapp.queries.committees import waiting
from webapp.services import attendance, bookings, cases, invoices
from webapp.uow import unit_of_work
from workflows.engine import UnknownTransition

pytestmark = pytest.mark.usefixtures("committed")


def test_p06_the_committee_defers_then_passes(app: Flask) -> None:
    with app.app_context():
        serve("committee_review", parameters={"invited": ["applicant"]})
        case = submitted("EC09")
        with pytest.raises(Refused, match="請先設定委員會"):
            take(case, "put_on_agenda")
        board = patterns.board()
        take(case, "put_on_agenda")
        assert desk(case) == ("committee", "EC", "committee_secretary")
        patterns.met(board, case, "defer", ("yes", "no"), "資料待補充，下次再審。")
        assert "session" in notices(case), "the service says that the applicant is told when and where"
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
        holder = officers.officer_of(fresh(case))
        assert {"attended", "no_show"}.isdisjoint(offered(case, holder)), "there is no appointment any more"
        subjects = db.session.scalars(select(Message.subject).where(Message.case_id == case.id)).all()
        assert [said for said in subjects if "取消了預約" in said]
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
