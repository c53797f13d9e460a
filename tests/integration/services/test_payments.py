"""Invoices and payments through the services: paid, in part, too much, twice, too late, for nobody, at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from tests import money
from tests.journeys import NOW, officer, open_tasks, submitted, take
from tests.money import TOTAL, asked_to_pay, fresh, later, payment
from tests.patterns import serve
from tests.visitor import pdf_text
from webapp.config import dated_rates
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.jobs import sweeps
from webapp.jobs.effects import perform_effect
from webapp.models import AuditEntry, Case, CaseEvent, Effect, Invoice, Letter, Payment
from webapp.payments import Notification
from webapp.permissions import SYSTEM
from webapp.queries import money as queries
from webapp.queries import tracking
from webapp.services import cases, clocks, documents, events, invoices, payments, refunds, steps
from webapp.uow import unit_of_work

CASHIER = "su.jiaqi"


@pytest.fixture(autouse=True)
def _context(app: Flask, committed: None):
    with app.app_context():
        money.open_service()
        yield


def recorded(given: Notification) -> tuple[Payment, bool]:
    with unit_of_work():
        return payments.record(SYSTEM, given, given.paid_at)


def told(case: Case) -> list[str]:
    """The templates of the messages about money, in order."""
    found = db.session.scalars(
        select(Effect).where(Effect.case_id == case.id, Effect.kind == "notice").order_by(Effect.id)
    )
    return [row.payload["template"] for row in found if row.payload["template"] != "submitted"]


def test_the_review_opens_an_invoice_and_the_payment_moves_the_case() -> None:
    case, invoice = asked_to_pay()
    assert (case.state, invoice.state, invoice.total) == ("fee", "open", TOTAL)
    assert [line["amount"] for line in invoice.lines] == ["1200", "30000"]
    assert invoices.gateway().owns(invoice.account)
    # ten days after Thursday 2025-09-25 is a Sunday, and Monday the 6th is Mid-Autumn
    assert invoice.due_on == date(2025, 10, 7)
    assert cases.facts_now(steps.context(case))["case.paid"] is False
    recorded(payment(invoice))
    case = fresh(case)
    assert (case.state, invoice.state, case.paid_at) == ("approve", "paid", NOW)
    assert cases.facts_now(steps.context(case))["case.paid"] is True
    assert told(case) == ["invoice", "paid"]
    take(case, "approve")
    assert case.outcome == "granted"
    assert events.broken_links(case.id) == []


def test_a_fee_of_nothing_is_paid_at_once() -> None:
    case, invoice = asked_to_pay(permit=0, repair=0)
    assert (case.state, invoice.state, invoice.total) == ("approve", "paid", 0)
    assert told(case) == []


def test_no_invoice_while_an_amount_is_open() -> None:
    case, _invoice = asked_to_pay()
    case.fee_total = None
    with pytest.raises(Refused) as refused:
        invoices.open_invoice(officer("yang.zhihao"), steps.context(case), NOW)
    assert "還沒有全部核定" in refused.value.text.zh
    db.session.rollback()


def printed(case: Case, kind: str) -> str:
    order = db.session.scalars(select(Effect).where(Effect.case_id == case.id, Effect.kind == kind)).one()
    perform_effect(order.id)
    paper = tracking.document(case.id, kind)
    assert paper is not None
    return pdf_text(documents.content_of(paper))


def test_slip_and_receipt_are_printed() -> None:
    case, invoice = asked_to_pay()
    said = printed(case, "payment_slip")
    wanted = ["99371 0000", "新臺幣 31,200 元", "114年10月7日", "許可費", "示範銀行"]
    assert [words for words in wanted if words not in said] == [], said
    recorded(payment(invoice, reference="0988877"))
    said = printed(case, "payment_receipt")
    assert [words for words in ["0988877", "轉帳", "新臺幣 31,200 元"] if words not in said] == [], said


def test_too_little_waits_for_the_rest() -> None:
    case, invoice = asked_to_pay()
    recorded(payment(invoice, 1200))
    assert (fresh(case).state, invoice.state) == ("fee", "open")
    assert invoices.balance(invoice).missing == 30_000
    recorded(payment(invoice, 30_000))
    assert (fresh(case).state, invoice.state) == ("approve", "paid")
    assert told(case) == ["invoice", "paid_in_part", "paid"]


def test_too_much_covers_the_fee_and_the_rest_goes_back() -> None:
    case, invoice = asked_to_pay()
    recorded(payment(invoice, TOTAL + 50))
    assert (fresh(case).state, invoice.state) == ("approve", "paid")
    assert invoices.balance(invoice).too_much == 50
    assert told(case) == ["invoice", "paid", "paid_too_much"]


def test_a_second_payment_is_kept_and_goes_back_whole() -> None:
    case, invoice = asked_to_pay()
    recorded(payment(invoice))
    recorded(payment(invoice, now=later(1)))
    assert fresh(case).state == "approve"
    assert invoices.balance(invoice).too_much == TOTAL


def test_the_same_notification_twice_is_one_payment() -> None:
    case, invoice = asked_to_pay()
    given = payment(invoice)
    assert [recorded(given)[1], recorded(given)[1]] == [True, False]
    assert len(db.session.scalars(select(Payment)).all()) == 1
    kinds = db.session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == case.id)).all()
    assert kinds.count("payment_received") == 1


def test_a_reference_names_one_payment_only() -> None:
    _case, invoice = asked_to_pay()
    recorded(payment(invoice, 500, reference="R-1"))
    with pytest.raises(Conflict):
        recorded(payment(invoice, 700, reference="R-1"))
    assert db.session.scalars(select(Payment.amount)).all() == [500]


def test_money_for_nobody_is_kept_for_the_cashier() -> None:
    recorded(Notification("T-lost", "99371000000000", Decimal(100), NOW))
    assert db.session.scalars(select(Payment)).one().invoice_id is None
    assert (
        db.session.scalars(
            select(AuditEntry.subject).where(AuditEntry.action == "payment_unknown_account")
        ).one()
        == "T-lost"
    )


def lost(amount: int | Decimal = TOTAL, reference: str = "T-lost") -> Payment:
    """Somebody made a slip when typing the account number."""
    return recorded(Notification(reference, "99371000000000", Decimal(amount), NOW))[0]


def test_money_for_nobody_is_assigned_and_the_case_goes_on() -> None:
    case, invoice = asked_to_pay()
    payment, cashier = lost(), officer(CASHIER)
    for actor, reason, refusal in ((officer("yang.zhihao"), "同名", Forbidden), (cashier, " ", Refused)):
        with pytest.raises(refusal), unit_of_work():
            payments.assign(actor, payment, invoice, reason, NOW)
    with unit_of_work():
        payments.assign(cashier, payment, invoice, "銀行回覆匯款人與申請人同名", later(2))
    assert fresh(case).state == "approve" and invoices.balance(invoice).received == TOTAL
    assert told(case)[-1] == "paid"
    assert (payment.settled_reason, payment.settled_by_id) == (
        "銀行回覆匯款人與申請人同名",
        cashier.account_id,
    )
    action = select(AuditEntry.subject).where(AuditEntry.action == "payment_assigned")
    assert db.session.scalars(action).all() == [f"T-lost {invoice.account}"]
    for again in (
        lambda: payments.assign(cashier, payment, invoice, "再一次", later(2)),
        lambda: payments.send_back(cashier, payment, later(2).date(), "再一次", later(2)),
    ):
        with pytest.raises(Conflict, match="蘇嘉琪"), unit_of_work():
            again()
    assert invoices.balance(invoice).too_much == 0
    # the bank tells of it once more: nothing new
    assert recorded(Notification("T-lost", "99371000000000", TOTAL, NOW))[1] is False


def test_a_part_for_nobody_is_a_part_once_it_is_assigned() -> None:
    case, invoice = asked_to_pay()
    with unit_of_work():
        payments.assign(officer(CASHIER), lost(200), invoice, "匯款人來電說明", NOW)
    assert fresh(case).state == "fee" and invoices.balance(invoice).missing == TOTAL - 200
    assert told(case)[-1] == "paid_in_part"


def test_nobody_assigns_money_to_their_own_case() -> None:
    case, invoice = asked_to_pay()
    case.account_id = officer(CASHIER).account_id
    db.session.commit()
    with pytest.raises(Refused), unit_of_work():
        payments.assign(officer(CASHIER), lost(), invoice, "是我的", NOW)


def test_money_for_nobody_goes_back() -> None:
    payment, cashier = lost(), officer(CASHIER)
    for day in (later(-1), later(3)):
        with pytest.raises(Refused), unit_of_work():
            payments.send_back(cashier, payment, day.date(), "查無此人", later(2))
    assert [each.id for each in queries.for_nobody()] == [payment.id]
    with unit_of_work():
        payments.send_back(cashier, payment, later(1).date(), "查無此人", later(2))
    assert not queries.for_nobody() and [each.id for each in queries.settled()] == [payment.id]
    action = select(AuditEntry.subject).where(AuditEntry.action == "payment_sent_back")
    assert db.session.scalars(action).all() == ["T-lost"]


def test_two_cashiers_deal_with_the_same_payment_at_once(app: Flask) -> None:
    _case, invoice = asked_to_pay()
    _other, another = asked_to_pay()
    key, together = lost().id, Barrier(6)
    ids = (invoice.id, another.id)
    db.session.rollback()

    def settle(login: str, target: int | None) -> str:
        with app.app_context():
            payment, cashier = db.session.get_one(Payment, key), officer(login)
            together.wait(30)
            try:
                with unit_of_work():
                    if target is None:
                        payments.send_back(cashier, payment, NOW.date(), "查無此人", NOW)
                    else:
                        payments.assign(cashier, payment, db.session.get_one(Invoice, target), "同名", NOW)
            except Conflict:
                return "conflict"
            return "done"

    acts = [(login, target) for login in (CASHIER, "xu.yaqi") for target in (*ids, None)]
    with ThreadPoolExecutor(6) as pool:
        results = [each.result() for each in [pool.submit(settle, *act) for act in acts]]
    assert sorted(results) == ["conflict"] * 5 + ["done"]
    db.session.expire_all()
    payment = db.session.get_one(Payment, key)
    received = sum(invoices.balance(db.session.get_one(Invoice, each)).received for each in ids)
    assert received == (0 if payment.sent_back_on else TOTAL)


def test_reminded_once_and_lapsed_once() -> None:
    case, invoice = asked_to_pay()
    assert sweeps.run_payments(later(8)) == {"reminded": 0, "lapsed": 0, "failed": 0}
    assert sweeps.run_payments(later(9)) == {"reminded": 1, "lapsed": 0, "failed": 0}
    assert sweeps.run_payments(later(10)) == {"reminded": 0, "lapsed": 0, "failed": 0}
    # the last day is the 7th; banks tell of its payments on the 8th
    assert sweeps.run_payments(later(13)) == {"reminded": 0, "lapsed": 0, "failed": 0}
    assert sweeps.run_payments(later(14)) == {"reminded": 0, "lapsed": 1, "failed": 0}
    assert sweeps.run_payments(later(15)) == {"reminded": 0, "lapsed": 0, "failed": 0}
    case = fresh(case)
    assert (case.state, case.outcome, invoice.state) == ("returned", "returned", "lapsed")
    letter = db.session.scalars(select(Letter).where(Letter.case_id == case.id)).one()
    assert payments.REASON in "".join(letter.content["paragraphs"])
    assert told(case) == ["invoice", "payment_reminder", "payment_lapsed", "returned"]


def test_a_sweep_that_slept_for_a_month_reminds_nobody_of_what_lapsed() -> None:
    asked_to_pay()
    assert sweeps.run_payments(later(40)) == {"reminded": 0, "lapsed": 1, "failed": 0}


def test_paid_after_it_lapsed_is_kept_and_goes_back() -> None:
    case, invoice = asked_to_pay()
    sweeps.run_payments(later(14))
    recorded(payment(invoice, now=later(15)))
    assert (fresh(case).state, invoice.state) == ("returned", "lapsed")
    assert invoices.balance(invoice).too_much == TOTAL
    assert told(case)[-1] == "paid_too_much"


FRIDAY = date(2025, 10, 17)
FRIDAY_NIGHT = datetime(2025, 10, 17, 15, 0, tzinfo=UTC)
MONDAY = datetime(2025, 10, 20, 1, 0, tzinfo=UTC)


def due_on_friday() -> tuple[Case, Invoice]:
    case, invoice = asked_to_pay()
    with unit_of_work():
        db.session.get_one(Invoice, invoice.id).due_on = FRIDAY
    return case, invoice


def told_on(given: Notification, now: datetime) -> None:
    with unit_of_work():
        payments.record(SYSTEM, given, now)


def test_the_bank_has_a_working_day_to_tell_of_the_last_day() -> None:
    case, invoice = due_on_friday()
    for day in (FRIDAY, date(2025, 10, 18), date(2025, 10, 19), MONDAY.date()):
        assert list(payments.to_lapse(day)) == []
    assert list(payments.to_lapse(date(2025, 10, 21))) == [invoice.id]
    with unit_of_work():
        assert not payments.lapse(invoice.id, MONDAY - timedelta(days=1))
    told_on(payment(invoice, now=FRIDAY_NIGHT), MONDAY)
    case = fresh(case)
    assert (case.state, invoice.state, case.paid_at) == ("approve", "paid", FRIDAY_NIGHT)


def asked_by_the_factory_workflow() -> tuple[Case, Invoice]:
    serve(
        "fee_then_issue", fees=[{"key": "permit", "label": {"zh": "許可費", "en": "Permit"}, "amount": "500"}]
    )
    case = submitted("EC09")
    take(case, "request_payment")
    invoice = invoices.open_of(case.id)
    assert invoice is not None
    return case, invoice


def test_paid_in_time_and_told_after_the_invoice_lapsed() -> None:
    case, invoice = asked_by_the_factory_workflow()
    paid_at = datetime.combine(invoice.due_on, time(15), UTC)
    sweeps.run_payments(paid_at + timedelta(days=5))
    assert (fresh(case).state, invoice.state) == ("unpaid", "lapsed")
    told_on(payment(invoice, 500, paid_at), paid_at + timedelta(days=6))
    case = fresh(case)
    assert (case.state, invoice.state, case.paid_at) == ("produce", "paid", paid_at)
    assert invoices.balance(invoice).too_much == 0
    assert told(case)[-2:] == ["payment_lapsed", "paid"]


def test_paid_in_time_and_told_after_it_was_asked_for_again() -> None:
    case, first = asked_by_the_factory_workflow()
    paid_at = datetime.combine(first.due_on, time(15), UTC)
    sweeps.run_payments(paid_at + timedelta(days=5))
    take(fresh(case), "request_payment_again", now=paid_at + timedelta(days=5))
    second = invoices.open_of(case.id)
    assert second is not None and second.id != first.id
    told_on(payment(first, 500, paid_at), paid_at + timedelta(days=6))
    assert (fresh(case).state, first.state, second.state) == ("produce", "paid", "cancelled")
    assert clocks.of_case(case.id).state == "running"


def test_paid_after_its_day_does_not_wake_an_invoice() -> None:
    case, invoice = asked_by_the_factory_workflow()
    late = datetime.combine(invoice.due_on, time(17), UTC)  # the next day in Taipei
    sweeps.run_payments(late + timedelta(days=5))
    told_on(payment(invoice, 500, late), late + timedelta(days=6))
    assert (fresh(case).state, invoice.state) == ("unpaid", "lapsed")
    assert invoices.balance(invoice).too_much == 500


def test_a_receipt_may_bear_the_number_of_a_transfer() -> None:
    case, invoice = asked_to_pay()
    other, another = asked_to_pay()
    with unit_of_work():
        payments.at_counter(officer(CASHIER), invoice, payment(invoice, reference="20251017001"), NOW)
    recorded(payment(another, reference="20251017001"))
    assert (fresh(case).state, fresh(other).state) == ("approve", "approve")


def test_interest_runs_from_each_payment_at_the_rate_of_its_day(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "REFUND_INTEREST", dated_rates("3.65, 2025-10-01 7.3"))
    case, invoice = asked_to_pay()
    recorded(payment(invoice, 1200, later(0)))
    told_on(payment(invoice, 30_000, later(10)), later(12))
    case = fresh(case)
    assert case.paid_at == later(10), "the day of the payment, not that of the news"
    due = refunds.due_now(invoice, later(110))
    # 1,200 for 110 days at 3.65 %, and 30,000 for 100 days at 7.3 %
    assert (due.amount, due.interest, due.rates) == (TOTAL, Decimal(613), (Decimal("3.65"), Decimal("7.3")))


@pytest.mark.parametrize("text", ["", "x", "2024-03-27 1.7", "1.6, 2024-13-01 1.7", "-1", "1 2 3"])
def test_a_rate_that_is_none_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="REFUND_INTEREST"):
        dated_rates(text)


def test_a_cancelled_invoice_is_followed_by_another_with_its_own_account() -> None:
    case, first = asked_to_pay()
    take(case, "take_back", "yang.zhihao")
    assert (case.state, first.state) == ("review", "cancelled")
    take(case, "propose_approval", amounts={"permit": Decimal(10), "repair": Decimal(0)})
    second = invoices.newest_of(case.id)
    assert second is not None and second.account != first.account and second.total == 10
    recorded(payment(first, 1200))
    assert fresh(case).state == "fee", "what is paid on the old one pays not the new one"
    recorded(payment(second, 10))
    assert fresh(case).state == "approve"


def test_nobody_owes_anything_for_a_withdrawn_case() -> None:
    case, invoice = asked_to_pay()
    with unit_of_work():
        cases.take_as_citizen(SYSTEM, case, "withdraw", NOW, version=case.version)
    assert (case.outcome, invoice.state) == ("withdrawn", "cancelled")


def test_only_the_cashier_records_at_the_counter() -> None:
    case, invoice = asked_to_pay()
    with pytest.raises(Forbidden):
        payments.at_counter(officer("yang.zhihao"), invoice, payment(invoice), NOW)
    with pytest.raises(Refused):
        payments.at_counter(officer(CASHIER), invoice, payment(invoice, now=later(1)), NOW)
    given = payment(invoice)
    with unit_of_work():
        payments.at_counter(officer(CASHIER), invoice, given, NOW)
    assert fresh(case).state == "approve"
    with pytest.raises(Conflict) as conflict:
        payments.at_counter(officer(CASHIER), invoice, given, NOW)
    assert given.reference in conflict.value.text.zh


def test_two_notifications_of_one_payment_at_once(app: Flask) -> None:
    case, invoice = asked_to_pay()
    given, together = payment(invoice), Barrier(6)

    def send() -> bool:
        with app.app_context():
            together.wait(30)
            return recorded(given)[1]

    with ThreadPoolExecutor(6) as pool:
        results = [each.result() for each in [pool.submit(send) for _ in range(6)]]
    assert sorted(results) == [False] * 5 + [True]
    assert fresh(case).state == "approve"
    assert invoices.balance(invoice).received == TOTAL


def test_two_halves_at_once_are_a_whole(app: Flask) -> None:
    case, invoice = asked_to_pay()
    halves, together = [payment(invoice, TOTAL / 2) for _ in range(2)], Barrier(2)

    def send(given: Notification) -> None:
        with app.app_context():
            together.wait(30)
            recorded(given)

    with ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(send, half) for half in halves]:
            each.result()
    assert fresh(case).state == "approve"
    assert len(open_tasks(case)) == 1


# --- the database refuses -------------------------------------------------------------------------------------


def refused_by_the_database(statement: object, **values: object) -> str:
    with pytest.raises(IntegrityError) as refusal:
        db.session.execute(statement, values)
    db.session.rollback()
    return str(refusal.value.orig)


def test_the_database_refuses_what_must_not_be() -> None:
    _case, invoice = asked_to_pay()
    row = {"id": invoice.id, "now": NOW}
    copy = (
        "insert into invoice (public_id, case_id, lines, total, account, due_on, state, opened_at, version) "
        "select 'another', case_id, lines, {total}, {account}, due_on, 'open', opened_at, 1 from invoice where id = :id"
    )
    paid = text("update invoice set state = 'paid', closed_at = :now where id = :id")
    assert "uq_invoice_open" in refused_by_the_database(
        text(copy.format(total="total", account="'99371000000999'")), id=invoice.id
    )
    assert "uq_invoice_account" in refused_by_the_database(
        text(copy.format(total="total", account="account")), id=invoice.id
    )
    assert "total_is_not_negative" in refused_by_the_database(
        text(copy.format(total="-1", account="'99371000000999'")), id=invoice.id
    )
    assert "not covered" in refused_by_the_database(paid, **row)
    recorded(payment(invoice, 1200))
    assert "not covered" in refused_by_the_database(paid, **row)
    assert "does not change" in refused_by_the_database(
        update(Invoice).where(Invoice.id == invoice.id).values(total=1200)
    )
    add = text(
        "insert into payment (invoice_id, account, source, reference, amount, paid_at, recorded_at) "
        "values (:id, '1', 'webhook', :reference, :amount, :now, :now)"
    )
    assert "amount_is_positive" in refused_by_the_database(add, **row, reference="a", amount=-1)
    known = db.session.scalars(select(Payment.reference)).one()
    assert "uq_payment_source_reference" in refused_by_the_database(add, **row, reference=known, amount=1)
    assert "append-only" in refused_by_the_database(text("update payment set amount = 1"))
    assert "append-only" in refused_by_the_database(text("delete from payment"))
    lost()
    mine = (
        "update payment set invoice_id = :id, settled_at = recorded_at, settled_by_id = 1 {more} "
        "where reference = 'T-lost'"
    )
    assert "settled_by_somebody" in refused_by_the_database(text(mine.format(more="")), **row)
    both = text(mine.format(more=", settled_reason = '', sent_back_on = current_date"))
    assert "settled_one_way" in refused_by_the_database(both, **row)
    changed = text(mine.format(more=", settled_reason = '', amount = 1"))
    assert "append-only" in refused_by_the_database(changed, **row)
    assert "append-only" in refused_by_the_database(text("delete from payment"))
    sweeps.run_payments(NOW + timedelta(days=30))
    assert "does not change" in refused_by_the_database(
        text("update invoice set state = 'open', closed_at = null where id = :id"), id=invoice.id
    )
