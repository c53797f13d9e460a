"""What the cashier sees: invoices by number, payments that do not fit, refunds that wait."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Case, Invoice, Payment, Refund

MOST_LISTED = 200
MOST_SETTLED = 20


@dataclass(frozen=True)
class Difference:
    """An invoice on which not the right sum came in."""

    invoice: Invoice
    number: str
    received: Decimal
    missing: Decimal
    too_much: Decimal


@dataclass(frozen=True)
class Waiting:
    refund: Refund
    number: str


def of_case(case_id: int) -> Sequence[Invoice]:
    """Newest first."""
    return db.session.scalars(
        select(Invoice).where(Invoice.case_id == case_id).order_by(Invoice.id.desc())
    ).all()


def found(account: str, number: str | None) -> Sequence[Invoice]:
    """By an account number or a case number, whichever it is."""
    match = Invoice.account == account
    if number:
        match |= Case.number == number
    return db.session.scalars(
        select(Invoice).join(Case, Case.id == Invoice.case_id).where(match).order_by(Invoice.id.desc())
    ).all()


def differences() -> list[Difference]:
    """Paid in part, too much, twice, or when nothing was owed any more, and not yet going back."""
    paid = (
        select(Payment.invoice_id, func.sum(Payment.amount).label("received"))
        .where(Payment.invoice_id.is_not(None), Payment.taken_back_at.is_(None))
        .group_by(Payment.invoice_id)
        .subquery()
    )
    back = (
        select(Refund.invoice_id, func.sum(Refund.amount).label("back"))
        .where(Refund.state != "refused")
        .group_by(Refund.invoice_id)
        .subquery()
    )
    owed = db.case((Invoice.state.in_(("open", "paid")), Invoice.total), else_=Decimal(0))
    left = paid.c.received - func.coalesce(back.c.back, 0) - owed
    rows = db.session.execute(
        select(Invoice, Case.number, paid.c.received, left)
        .join(paid, paid.c.invoice_id == Invoice.id)
        .outerjoin(back, back.c.invoice_id == Invoice.id)
        .join(Case, Case.id == Invoice.case_id)
        .where((left > 0) | ((Invoice.state == "open") & (left != 0)))
        .order_by(Invoice.id)
        .limit(MOST_LISTED)
    )
    return [
        Difference(invoice, number or "", received, max(Decimal(0), -rest), max(Decimal(0), rest))
        for invoice, number, received, rest in rows
    ]


def for_nobody() -> Sequence[Payment]:
    """Payments whose account number is nobody's, until a cashier has found out whose they are."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.invoice_id.is_(None), Payment.settled_at.is_(None))
        .order_by(Payment.id)
        .limit(MOST_LISTED)
    ).all()


def settled() -> Sequence[Payment]:
    """Payments for nobody that a cashier has dealt with, the newest first."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.settled_at.is_not(None))
        .order_by(Payment.settled_at.desc())
        .limit(MOST_SETTLED)
    ).all()


def waiting() -> list[Waiting]:
    """Refunds to be decided or to be paid out."""
    rows = db.session.execute(
        select(Refund, Case.number)
        .join(Invoice, Invoice.id == Refund.invoice_id)
        .join(Case, Case.id == Invoice.case_id)
        .where(Refund.state.in_(("proposed", "approved")))
        .order_by(Refund.id)
        .limit(MOST_LISTED)
    )
    return [Waiting(refund, number or "") for refund, number in rows]
