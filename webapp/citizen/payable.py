"""The fee of a case as its progress page shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.models import Case, Invoice, Refund
from webapp.payments import Slip
from webapp.queries import effects, money
from webapp.services import invoices


@dataclass(frozen=True)
class Payable:
    invoice: Invoice
    balance: invoices.Balance
    #: how to pay, while it can be paid
    slip: Slip | None
    slip_ready: bool
    receipt_ready: bool
    #: of every invoice of the case
    refunds: Sequence[Refund]


def of_case(case: Case) -> Payable | None:
    """None when nothing was ever asked for; a fee of nothing is not shown."""
    of_it = [invoice for invoice in money.of_case(case.id) if invoice.total or invoice.standing]
    if not of_it:
        return None
    newest = of_it[0]
    slip = None
    if newest.state == "open":
        slip = invoices.gateway().slip(newest.account, newest.total, newest.due_on)
    return Payable(
        newest,
        invoices.balance(newest),
        slip,
        # the paper of an earlier invoice names an account that is closed
        effects.is_done(f"payment_slip:{newest.public_id}"),
        effects.is_done(f"payment_receipt:{newest.public_id}"),
        [refund for invoice in of_it for refund in invoice.refunds],
    )
