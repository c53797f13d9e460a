"""Payments: each is recorded once, whatever it was for; the case goes on when its fee is covered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from rules.values import Text
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, Invoice, Payment
from webapp.moments import taipei_day
from webapp.payments import Notification
from webapp.permissions import Actor
from webapp.queries.org import calendar, chart
from webapp.services import cases, duties, effects, events, invoices, steps
from webapp.services.steps import Given
from workflows.model import PAID

#: how many days before the due date an unpaid invoice is called to mind
REMIND_BEFORE = timedelta(days=3)
#: working days in which a bank tells of the last day's payments
GRACE = 1

LONGEST_REASON = 500

LAPSED = "payment_lapsed"
#: letters are Chinese
REASON = "逾繳費期限未繳納規費。"


def record(
    actor: Actor, given: Notification, now: datetime, *, source: str = "webhook"
) -> tuple[Payment, bool]:
    """Keeps a payment, and whether it is new. The same one again changes nothing; another one of its source
    under its reference is a Conflict.

    What is too little, too much, too late or for an unknown account is kept all the same: the cashier sees it.
    """
    invoice = _hold(given.account)
    new = db.session.scalars(
        insert(Payment)
        .values(
            invoice_id=invoice.id if invoice is not None else None,
            account=given.account,
            source=source,
            reference=given.reference,
            amount=given.amount,
            paid_at=given.paid_at,
            recorded_at=now,
            recorded_by_id=actor.account_id,
        )
        .on_conflict_do_nothing(
            index_elements=["source", "reference"], index_where=Payment.taken_back_at.is_(None)
        )
        .returning(Payment.id)
    ).one_or_none()
    if new is None:
        return _same_again(given, source), False
    payment = db.session.get_one(Payment, new)
    if invoice is None:
        db.session.add(AuditEntry(at=now, action="payment_unknown_account", subject=given.reference))
    else:
        _take_in(actor, invoice, payment, now)
    db.session.flush()
    return payment, True


def at_counter(actor: Actor, invoice: Invoice, given: Notification, now: datetime) -> Payment:
    """What the cashier took in. A slip of the finger, the same receipt number twice, is told and not swallowed."""
    _cashier(actor)
    duties.require_stranger(invoice.case, actor.account_id)
    if taipei_day(given.paid_at) > taipei_day(now):
        raise Refused(Text(zh="收款日不能晚於今天。", en="The day of payment cannot lie in the future."))
    payment, is_new = record(actor, given, now, source="cashier")
    if not is_new:
        raise Conflict(
            Text(
                zh=f"收據編號 {given.reference} 已經登錄過，沒有重複登錄。",
                en=f"Receipt {given.reference} was recorded before; nothing was recorded twice.",
            )
        )
    return payment


def much_more(invoice: Invoice, amount: Decimal) -> Decimal | None:
    """What is owed, where an amount is more than twice as much: rather a slip of the finger."""
    owed = invoices.balance(invoice).missing or invoice.total
    return owed if amount > 2 * owed else None


def may_take_back(actor: Actor, payment: Payment, case: Case, now: datetime) -> bool:
    """Whoever recorded it at the counter, or a head of the case, on the same day."""
    if payment.source != "cashier" or payment.taken_back_at is not None:
        return False
    own = actor.may("take_payments") and payment.recorded_by_id == actor.account_id
    heads = duties.head_over(actor, case.handling_unit_id) is not None
    same_day = taipei_day(payment.recorded_at) == taipei_day(now)
    return same_day and (own or heads) and not duties.is_party(case, actor.account_id)


def take_back(
    actor: Actor, payment_id: int, reason: str, now: datetime, *, correct: Decimal | None = None
) -> Payment:
    """The payment counts no more; `correct` is what had really come in, under the same receipt.

    Refused once something rests on it: the case went on because the fee was covered, or money goes back.
    """
    payment = db.session.get(Payment, payment_id)
    if payment is None or payment.invoice_id is None:
        raise NotFound()
    invoice = _locked(payment.invoice_id)
    db.session.refresh(payment, with_for_update=True)
    case = db.session.get_one(Case, invoice.case_id)
    if payment.taken_back_at is not None:
        raise Conflict(Text(zh="這筆收款已經收回。", en="This payment was taken back before."))
    if not may_take_back(actor, payment, case, now):
        raise Forbidden(
            Text(
                zh="只有登錄的人或主管，可以在登錄當天收回。",
                en="Only whoever recorded it, or a head, may take it back, on the same day.",
            )
        )
    why = _reason(reason)
    left = invoices.balance(invoice).received - payment.amount + (correct or 0)
    if (invoice.state == "paid" and left < invoice.total) or left < invoices.balance(invoice).going_back:
        raise Refused(
            Text(
                zh="案件已因這筆收款續行，或已有退費，不能收回。只是金額打錯時，請填寫正確的金額。",
                en="The case went on because of this payment, or money goes back already. "
                "If only the amount is wrong, enter the right one.",
            )
        )
    payment.taken_back_at, payment.taken_back_by_id, payment.taken_back_reason = now, actor.account_id, why
    db.session.flush()
    was = {"key": "paid", "zh": "原登錄", "en": "Recorded before", "amount": f"{payment.amount:f}"}
    said = {"comment": why, "amounts": [was]}
    events.record(actor, case, "payment_taken_back", now, from_state=case.state, payload=said)
    invoices.tell(invoice, "payment_corrected", now, mark=f":{payment.id}-", amount=left)
    if invoice.state == "paid":
        effects.again(f"payment_receipt:{invoice.public_id}")
    if correct:
        _take_in(actor, invoice, _in_place_of(payment, correct, actor, now), now)
    return payment


def _in_place_of(payment: Payment, amount: Decimal, actor: Actor, now: datetime) -> Payment:
    """The same receipt with the amount that had really come in."""
    right = Payment(
        invoice_id=payment.invoice_id,
        account=payment.account,
        source=payment.source,
        reference=payment.reference,
        amount=amount,
        paid_at=payment.paid_at,
        recorded_at=now,
        recorded_by_id=actor.account_id,
    )
    db.session.add(right)
    db.session.flush()
    return right


def unknown(actor: Actor, payment_id: int) -> Payment:
    """A payment for nobody's account, settled or not. For cashiers."""
    _cashier(actor)
    payment = db.session.get(Payment, payment_id)
    if payment is None or (payment.invoice_id is not None and payment.settled_at is None):
        raise NotFound()
    return payment


def invoice_of(payment: Payment) -> str | None:
    """The public id of the invoice that it was taken for."""
    return db.session.scalars(select(Invoice.public_id).where(Invoice.id == payment.invoice_id)).one_or_none()


def assign(actor: Actor, payment: Payment, invoice: Invoice, reason: str, now: datetime) -> None:
    """The cashier found out whose money it is: the case goes on as if it had been paid to its own account."""
    _cashier(actor)
    why = _reason(reason)
    invoice = _locked(invoice.id)
    duties.require_stranger(db.session.get_one(Case, invoice.case_id), actor.account_id)
    _settle(actor, payment, why, now)
    payment.invoice_id = invoice.id
    _log(actor, "payment_assigned", f"{payment.reference} {invoice.account}", now)
    _take_in(actor, invoice, payment, now)
    db.session.flush()


def send_back(actor: Actor, payment: Payment, on: date, reason: str, now: datetime) -> None:
    """Nobody knows whose it is: the bank sent it back on that day."""
    _cashier(actor)
    why = _reason(reason)
    if not taipei_day(payment.paid_at) <= on <= taipei_day(now):
        raise Refused(
            Text(
                zh="退回日不能早於收款日，也不能晚於今天。",
                en="The day cannot lie before the payment or in the future.",
            )
        )
    _settle(actor, payment, why, now)
    payment.sent_back_on = on
    _log(actor, "payment_sent_back", payment.reference, now)


def to_remind(today: date) -> Iterator[int]:
    yield from db.session.scalars(
        select(Invoice.id).where(
            Invoice.state == "open", Invoice.reminded_on.is_(None), Invoice.due_on <= today + REMIND_BEFORE
        )
    ).all()


def remind(invoice_id: int, now: datetime) -> bool:
    """Once for each invoice."""
    invoice = _locked(invoice_id)
    if invoice.state != "open" or invoice.reminded_on is not None:
        return False
    invoice.reminded_on = taipei_day(now)
    missing = invoices.balance(invoice).missing
    invoices.tell(invoice, "payment_reminder", now, amount=missing)
    db.session.flush()
    return True


def to_lapse(today: date) -> Iterator[int]:
    """Open invoices whose days are over, and those in which a bank tells of them."""
    late = select(Invoice.id, Invoice.due_on, Case.handling_unit_id).join(Case, Case.id == Invoice.case_id)
    rows = db.session.execute(late.where(Invoice.state == "open", Invoice.due_on < today)).all()
    yield from (key for key, due_on, unit_id in rows if _is_over(due_on, unit_id, today))


def _is_over(due_on: date, unit_id: int, today: date) -> bool:
    return calendar(unit_id).add_working_days(due_on, GRACE) < today


def lapse(invoice_id: int, now: datetime) -> bool:
    """The days are over. The case takes `payment_lapsed` where its state waits for it."""
    invoice = _locked(invoice_id)
    case = db.session.get_one(Case, invoice.case_id)
    if invoice.state != "open" or not _is_over(invoice.due_on, case.handling_unit_id, taipei_day(now)):
        return False
    invoices.close(case, invoice, "lapsed", now)
    invoices.tell(invoice, "payment_lapsed", now)
    cases.take_if_waited_for(case, LAPSED, now, Given(comment=REASON))
    return True


def visible(actor: Actor, public_id: str) -> Invoice:
    """The invoice, for the cashier or whoever sees its case."""
    invoice = db.session.scalars(select(Invoice).where(Invoice.public_id == public_id)).one_or_none()
    if invoice is None:
        raise NotFound()
    if not actor.may("take_payments"):
        cases.visible(actor, db.session.get_one(Case, invoice.case_id).public_id)
    return invoice


def recorded(payment_id: int) -> Invoice:
    """The invoice on which a payment came in; whoever may not see it is refused there."""
    payment = db.session.get(Payment, payment_id)
    if payment is None or payment.invoice_id is None:
        raise NotFound()
    return db.session.get_one(Invoice, payment.invoice_id)


def _settle(actor: Actor, payment: Payment, reason: str, now: datetime) -> None:
    """Once. Of two cashiers at the same moment the second is told who was first."""
    db.session.refresh(payment, with_for_update=True)
    if payment.settled_by_id is not None or payment.invoice_id is not None:
        name = chart().names.get(payment.settled_by_id or 0, "")
        raise Conflict(
            Text(
                zh=f"這筆款項已由{name}處理，沒有重複登錄。",
                en=f"{name} has dealt with this payment before; nothing was recorded twice.",
            )
        )
    payment.settled_at, payment.settled_by_id, payment.settled_reason = now, actor.account_id, reason


def _cashier(actor: Actor) -> None:
    if not actor.may("take_payments"):
        raise Forbidden(Text(zh="只有出納人員可以登錄收款。", en="Only cashiers record payments."))


def _reason(reason: str) -> str:
    given = reason.strip()
    if not 0 < len(given) <= LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"請填寫處理理由，最多 {LONGEST_REASON} 字。",
                en=f"Give the reason, at most {LONGEST_REASON} characters.",
            )
        )
    return given


def _log(actor: Actor, action: str, subject: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))
    db.session.flush()


def _take_in(actor: Actor, invoice: Invoice, payment: Payment, now: datetime) -> None:
    case = db.session.get_one(Case, invoice.case_id)
    paid = {"key": "paid", "zh": "收到款項", "en": "Received", "amount": f"{payment.amount:f}"}
    events.record(actor, case, "payment_received", now, from_state=case.state, payload={"amounts": [paid]})
    is_late_news = _is_paid_in_time(case, invoice)
    if is_late_news:
        # asked for again meanwhile: nobody need pay twice
        invoices.cancel_invoice(case, now)
    present, mark = invoices.balance(invoice), f":{payment.id}"
    if is_late_news or (invoice.state == "open" and not present.missing):
        invoices.close(case, invoice, "paid", now, paid_at=payment.paid_at)
        effects.enqueue(
            effects.effect("payment_receipt", invoice.public_id, now, case_id=case.id, invoice_id=invoice.id)
        )
        invoices.tell(invoice, "paid", now, mark=mark)
        cases.take_if_waited_for(case, PAID, now)
    elif invoice.state == "open":
        invoices.tell(invoice, "paid_in_part", now, mark=mark, amount=present.missing)
    present = invoices.balance(invoice)
    if present.too_much:
        invoices.tell(invoice, "paid_too_much", now, mark=f"{mark}+", amount=present.too_much)


def _is_paid_in_time(case: Case, invoice: Invoice) -> bool:
    """Whether a lapsed invoice was covered within its days, told late, and its case still waits for that fee."""
    if invoice.state != "lapsed" or case.status == "closed" or case.fee_total != invoice.total:
        return False
    if PAID not in steps.context(case).workflow.states[case.state].transitions:
        return False
    payments = db.session.scalars(
        select(Payment).where(Payment.invoice_id == invoice.id, Payment.taken_back_at.is_(None))
    )
    in_time = [each.amount for each in payments if taipei_day(each.paid_at) <= invoice.due_on]
    return sum(in_time) >= invoice.total


def _same_again(given: Notification, source: str) -> Payment:
    same = Payment.source == source, Payment.reference == given.reference
    before = db.session.scalars(select(Payment).where(*same, Payment.taken_back_at.is_(None))).one()
    if (before.account, before.amount) != (given.account, given.amount):
        raise Conflict(
            Text(
                zh="這個交易序號已登錄過另一筆款項。",
                en="This reference was recorded before, for another payment.",
            )
        )
    return before


def _hold(account: str) -> Invoice | None:
    """Locks the case and its invoice: of two payments at once, the second sees what the first brought."""
    found = db.session.scalars(select(Invoice.id).where(Invoice.account == account)).one_or_none()
    return None if found is None else _locked(found)


def _locked(invoice_id: int) -> Invoice:
    """The case before its invoice, as every action locks them."""
    invoice = db.session.get_one(Invoice, invoice_id)
    db.session.refresh(db.session.get_one(Case, invoice.case_id), with_for_update={"key_share": True})
    db.session.refresh(invoice, with_for_update=True)
    return invoice
