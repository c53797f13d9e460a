"""繳費單: opened with the fees of a case, closed by payment, by the days that run out, or with the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy import func, select, text

from rules.values import Text
from webapp import payments as gateways
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Invoice, Payment, Refund
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import calendar
from webapp.services import effects, events, notices

if TYPE_CHECKING:
    from webapp.services.steps import Context

#: how long an invoice can be paid, unless the service's parameter `payment_days` says otherwise
DAYS = 15


@dataclass(frozen=True)
class Balance:
    """What came in on an invoice, and what of it is ours."""

    received: Decimal
    #: what the applicant owes: the total while it is open or paid, nothing once it lapsed or was cancelled
    owed: Decimal
    #: proposed, approved or paid out
    going_back: Decimal

    @property
    def missing(self) -> Decimal:
        return max(Decimal(0), self.owed - self.received)

    @property
    def too_much(self) -> Decimal:
        """What must go back though nobody asked for it."""
        return max(Decimal(0), self.received - self.owed - self.going_back)

    @property
    def refundable(self) -> Decimal:
        """The most that can still go back, the fee itself included."""
        return self.received - self.going_back


def gateway() -> gateways.Gateway:
    """The installation's own; its settings are the application's, not a request's."""
    return gateways.configured(current_app.config)


def open_invoice(actor: Actor, ctx: Context, now: datetime) -> Invoice:
    """Asks for the fees that the review fixed. A fee of nothing is paid at once."""
    case = ctx.case
    if case.fee_total is None:
        raise Refused(
            Text(
                zh="規費還沒有全部核定，不能開立繳費單。請先填寫每一項金額。",
                en="Not every fee is fixed yet, so no invoice can be issued. Enter each amount first.",
            )
        )
    cancel_invoice(case, now)
    serial = db.session.execute(text("select nextval('invoice_serial')")).scalar_one()
    invoice = Invoice(
        case_id=case.id,
        lines=case.fee_lines,
        total=case.fee_total,
        account=gateway().account(serial),
        due_on=last_day(ctx, now),
        opened_at=now,
        opened_by_id=actor.account_id,
    )
    db.session.add(invoice)
    case.paid_at = None
    db.session.flush()
    if invoice.total == 0:
        close(case, invoice, "paid", now)
        return invoice
    events.record(
        actor, case, "invoice_opened", now, from_state=case.state, payload={"amounts": [_line(invoice.total)]}
    )
    effects.enqueue(
        effects.effect("payment_slip", invoice.public_id, now, case_id=case.id, invoice_id=invoice.id)
    )
    tell(invoice, "invoice", now)
    return invoice


def last_day(ctx: Context, now: datetime) -> date:
    """Until when an invoice that is opened now can be paid; a working day."""
    days = int(ctx.service.parameters.get("payment_days", DAYS))
    return calendar(ctx.case.handling_unit_id).next_working_day(taipei_day(now) + timedelta(days=days))


def in_words(total: Decimal, account: str, bank: str) -> dict[str, str]:
    """What the messages about an invoice quote."""
    return {"amount": f"{total:,.0f}", "account": account, "bank": bank}


def cancel_invoice(case: Case, now: datetime) -> None:
    """Nobody need pay any more. What was paid meanwhile stays on the list of the cashier and goes back."""
    invoice = open_of(case.id)
    if invoice is not None:
        close(case, invoice, "cancelled", now)


def close(
    case: Case, invoice: Invoice, state: str, now: datetime, *, paid_at: datetime | None = None
) -> None:
    """`paid_at`: when the money was sent, which is before we hear of it."""
    invoice.state, invoice.closed_at = state, now
    if state == "paid":
        case.paid_at = paid_at or now
    db.session.flush()


def open_of(case_id: int) -> Invoice | None:
    return db.session.scalars(
        select(Invoice).where(Invoice.case_id == case_id, Invoice.state == "open")
    ).one_or_none()


def newest_of(case_id: int) -> Invoice | None:
    return db.session.scalars(
        select(Invoice).where(Invoice.case_id == case_id).order_by(Invoice.id.desc()).limit(1)
    ).first()


def balance(invoice: Invoice) -> Balance:
    received = db.session.scalars(
        select(func.coalesce(func.sum(Payment.amount), 0)).where(
            Payment.invoice_id == invoice.id, Payment.taken_back_at.is_(None)
        )
    ).one()
    back = db.session.scalars(
        select(func.coalesce(func.sum(Refund.amount), 0)).where(
            Refund.invoice_id == invoice.id, Refund.state != "refused"
        )
    ).one()
    owed = invoice.total if invoice.state in ("open", "paid") else Decimal(0)
    return Balance(Decimal(received), owed, Decimal(back))


def kept_since(invoice: Invoice) -> list[tuple[date, Decimal]]:
    """What came in and stayed, by the day on which it was paid: what goes back is of the newest payments."""
    left, parts = balance(invoice).refundable, []
    for payment in db.session.scalars(
        select(Payment)
        .where(Payment.invoice_id == invoice.id, Payment.taken_back_at.is_(None))
        .order_by(Payment.paid_at, Payment.id)
    ):
        part = min(left, payment.amount)
        if part:
            parts.append((taipei_day(payment.paid_at), part))
        left -= part
    return parts


def tell(
    invoice: Invoice, template: str, now: datetime, *, mark: str = "", amount: Decimal | None = None
) -> None:
    """A message about an invoice; `amount` where it is about another sum than the total."""
    case = db.session.get_one(Case, invoice.case_id)
    shown = invoice.total if amount is None else amount
    slip = gateway().slip(invoice.account, invoice.total, invoice.due_on)
    effects.enqueue(
        notices.effect(
            case,
            template,
            now,
            on_date=invoice.due_on,
            occasion=f"{invoice.account}{mark}",
            words=in_words(shown, slip.account, slip.fields[0][1]),
        )
    )


def _line(amount: Decimal) -> dict[str, str]:
    return {"key": "total", "zh": "應繳金額", "en": "Amount due", "amount": f"{amount:f}"}
