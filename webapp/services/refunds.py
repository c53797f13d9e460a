"""退費: proposed by the officer or asked for by the applicant, decided by a head of the case, paid by the cashier."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from flask import current_app
from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, Invoice, Refund
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import Mandate
from webapp.services import cases, clocks, duties, events, invoices
from workflows.model import WITHDRAW

LATE = "超過處理期間，申請人依規費法第19條終止申請並請求返還規費。"
DAYS_OF_A_YEAR = 365


def may_propose(actor: Actor, case: Case) -> bool:
    mandate = _mandate_to_propose(actor, case)
    return mandate is not None and not duties.is_party(case, actor.account_id, mandate.acting_for_id)


def may_decide(actor: Actor, refund: Refund, case: Case) -> bool:
    mandate = duties.head_over(actor, case.handling_unit_id)
    if refund.state != "proposed" or mandate is None:
        return False
    people = cases.people_of(actor, mandate.acting_for_id)
    return _is_of_others(refund, people) and not duties.is_party(case, *people)


def may_pay(actor: Actor, case: Case) -> bool:
    return actor.may("take_payments") and not duties.is_party(case, actor.account_id)


def propose(actor: Actor, invoice: Invoice, amount: Decimal, reason: str, now: datetime) -> Refund:
    """An officer of the case or the cashier asks for money to go back; never more than came in."""
    mandate = require_proposer(actor, invoice.case)
    if not reason.strip():
        raise Refused(Text(zh="請寫明退費理由。", en="Give the reason of the refund."))
    _hold(invoice)
    present = invoices.balance(invoice)
    if not 0 < amount <= present.refundable:
        most = f"{present.refundable:,.0f}"
        raise Refused(
            Text(
                zh=f"退費金額須大於 0 元，且不得超過可退的 {most} 元。",
                en=f"The amount must be above 0 and at most NT$ {most}.",
            )
        )
    kind = "difference" if amount <= present.too_much else "other"
    return _add(actor, invoice, kind, amount, Decimal(0), reason.strip(), now, mandate.acting_for_id)


def offered(case: Case, now: datetime) -> Invoice | None:
    """The paid invoice whose fee the applicant may have back, since the decision is late (規費法 19)."""
    if case.status == "closed" or case.paid_at is None or case.due_on is None:
        return None
    if clocks.of_case(case.id).state != "running" or case.due_on >= taipei_day(now):
        return None
    invoice = invoices.newest_of(case.id)
    if invoice is None or invoice.state != "paid" or invoices.balance(invoice).refundable <= 0:
        return None
    return invoice


def end_late_case(actor: Actor, case: Case, now: datetime, *, version: int) -> Refund:
    """The applicant ends a case whose decision is late and gets the fee back with interest."""
    invoice = offered(case, now)
    if invoice is None:
        raise Refused(
            Text(
                zh="這個案件目前不符合終止申請退費的條件：須已繳費、超過辦理期限且期限未暫停計算。",
                en="This case cannot be ended with a refund now: it must be paid for, late, and its clock running.",
            )
        )
    cases.take_as_citizen(actor, case, WITHDRAW, now, version=version)
    _hold(invoice)
    due = due_now(invoice, now)
    return _add(actor, invoice, "late_decision", due.amount, due.interest, LATE, now)


@dataclass(frozen=True)
class Due:
    """What goes back if the applicant ends the case now."""

    amount: Decimal
    interest: Decimal
    #: percent a year, of the days on which it was paid
    rates: tuple[Decimal, ...]


def due_now(invoice: Invoice, now: datetime) -> Due:
    """Interest on each payment from its own day, at the rate of that day, to the day of the ending (規費法 19 II)."""
    amount, days = invoices.balance(invoice).refundable, invoices.kept_since(invoice)
    rates = {day: rate_on(day) for day, _ in days}
    exact = sum((by_days(part, rates[day], day, taipei_day(now)) for day, part in days), Decimal(0))
    return Due(amount, exact.quantize(Decimal(1), rounding=ROUND_HALF_UP), tuple(sorted({*rates.values()})))


def rate_on(day: date) -> Decimal:
    """The postal one-year deposit rate of a day, in percent."""
    return max(each for each in current_app.config["REFUND_INTEREST"] if each[0] <= day)[1]


def by_days(amount: Decimal, rate: Decimal, paid_on: date, until: date) -> Decimal:
    """Not rounded."""
    return amount * rate / 100 * max(0, (until - paid_on).days) / DAYS_OF_A_YEAR


def decide(actor: Actor, refund: Refund, approve: bool, now: datetime, *, version: int) -> None:
    """A head over the handling unit agrees or refuses; not whoever proposed it, in person or through a deputy."""
    case = refund.invoice.case
    mandate = duties.head_over(actor, case.handling_unit_id)
    if mandate is None:
        raise Forbidden(
            Text(zh="退費須由承辦單位的主管核定。", en="A head of the handling unit decides on refunds.")
        )
    people = cases.people_of(actor, mandate.acting_for_id)
    duties.require_stranger(case, *people)
    _lock(refund, "proposed", version)
    if not _is_of_others(refund, people):
        raise Refused(
            Text(
                zh="這筆退費由您提出，須由其他主管核定。",
                en="You proposed this refund; another head must decide.",
            )
        )
    refund.state = "approved" if approve else "refused"
    refund.decided_by_id, refund.decided_for_id = actor.account_id, mandate.acting_for_id
    refund.decided_at = now
    _told(actor, refund, "refund_approved" if approve else "refund_refused", now, mandate.acting_for_id)
    db.session.flush()


def pay_out(actor: Actor, refund: Refund, on: date, now: datetime, *, version: int) -> None:
    """The cashier has sent the money back on that day."""
    if not actor.may("take_payments"):
        raise Forbidden(Text(zh="只有出納人員可以登錄退費。", en="Only cashiers pay refunds out."))
    duties.require_stranger(refund.invoice.case, actor.account_id)
    if on > taipei_day(now):
        raise Refused(Text(zh="退費日不能晚於今天。", en="The day cannot lie in the future."))
    _lock(refund, "approved", version)
    if refund.decided_at is not None and on < taipei_day(refund.decided_at):
        raise Refused(Text(zh="退費日不能早於核定日。", en="The day cannot lie before the approval."))
    refund.state, refund.paid_on, refund.paid_by_id = "paid", on, actor.account_id
    _told(actor, refund, "refund_paid", now)
    db.session.flush()


def visible(actor: Actor, public_id: str) -> Refund:
    """The refund, for the cashier or whoever sees its case."""
    refund = db.session.scalars(select(Refund).where(Refund.public_id == public_id)).one_or_none()
    if refund is None:
        raise NotFound()
    if not actor.may("take_payments"):
        cases.visible(actor, db.session.get_one(Case, refund.invoice.case_id).public_id)
    return refund


def require_proposer(actor: Actor, case: Case) -> Mandate:
    mandate = _mandate_to_propose(actor, case)
    if mandate is None:
        raise Forbidden(
            Text(
                zh="只有承辦單位的承辦人或出納可以提出退費。",
                en="Only officers of the handling unit and cashiers propose refunds.",
            )
        )
    duties.require_stranger(case, actor.account_id, mandate.acting_for_id)
    return mandate


def _mandate_to_propose(actor: Actor, case: Case) -> Mandate | None:
    """As an officer of the handling unit, or as a cashier of whatever unit."""
    as_cashier = (m for m in actor.mandates if m.function == "cashier")
    return duties.mandate_over(actor, ("officer",), case.handling_unit_id) or next(as_cashier, None)


def _is_of_others(refund: Refund, people: Collection[int]) -> bool:
    return {refund.proposed_by_id, refund.proposed_for_id}.isdisjoint(people)


def _add(
    actor: Actor,
    invoice: Invoice,
    kind: str,
    amount: Decimal,
    extra: Decimal,
    reason: str,
    now: datetime,
    acting_for_id: int | None = None,
) -> Refund:
    refund = Refund(
        invoice_id=invoice.id,
        kind=kind,
        amount=amount,
        interest=extra,
        reason=reason,
        proposed_by_id=actor.account_id,
        proposed_for_id=acting_for_id,
        proposed_at=now,
    )
    db.session.add(refund)
    db.session.flush()
    _told(actor, refund, "refund_proposed", now, acting_for_id)
    return refund


def _told(actor: Actor, refund: Refund, kind: str, now: datetime, acting_for_id: int | None = None) -> None:
    invoice = db.session.get_one(Invoice, refund.invoice_id)
    case = db.session.get_one(Case, invoice.case_id)
    lines = [{"key": "refund", "zh": "退費", "en": "Refund", "amount": f"{refund.amount:f}"}]
    if refund.interest:
        lines.append({"key": "interest", "zh": "利息", "en": "Interest", "amount": f"{refund.interest:f}"})
    comment = refund.reason if kind == "refund_proposed" else ""
    events.record(
        actor,
        case,
        kind,
        now,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"amounts": lines, "comment": comment},
    )


def _hold(invoice: Invoice) -> None:
    db.session.refresh(db.session.get_one(Case, invoice.case_id), with_for_update={"key_share": True})
    db.session.refresh(invoice, with_for_update=True)


def _lock(refund: Refund, state: str, version: int) -> None:
    _hold(db.session.get_one(Invoice, refund.invoice_id))
    db.session.refresh(refund, with_for_update=True)
    if refund.state != state or refund.version != version:
        raise Conflict(
            Text(
                zh="這筆退費已有人先處理，請重新載入頁面。",
                en="Somebody handled this refund before you. Reload the page.",
            )
        )
