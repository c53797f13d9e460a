"""The bank of a trial: sends the signed notification of a payment to the counter that runs here."""

from __future__ import annotations

import secrets
import urllib.error
import urllib.request
from decimal import Decimal

from flask import current_app
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Invoice
from webapp.moments import utc_now
from webapp.payments import Notification, bank_transfer

SECONDS = 30


class Unpaid(RuntimeError):
    """Nothing was sent, or nobody answered."""


def play_bank(account: str, amount: int | None, reference: str | None, url: str | None) -> tuple[int, str]:
    """Status and text of the counter's answer."""
    digits = "".join(c for c in account if c.isdigit())
    total = db.session.scalars(select(Invoice.total).where(Invoice.account == digits)).one_or_none()
    db.session.remove()
    db.engine.dispose()
    if total is None and amount is None:
        raise Unpaid(
            f"沒有帳號 {account} 的繳費單 (no invoice has this account number; --amount pays it anyway)"
        )
    now = utc_now()
    given = Notification(
        reference or f"TRIAL-{secrets.token_hex(6)}",
        digits,
        Decimal(amount) if amount is not None else total or Decimal(0),
        now,
    )
    body, headers = bank_transfer.signed(current_app.config["PAYMENT_SECRET"], given, now)
    target = f"{(url or current_app.config['BASE_URL']).rstrip('/')}/api/payments/bank-transfer"
    if not target.startswith(("http://", "https://")):
        raise Unpaid(f"{target} is no address of a counter")
    request = urllib.request.Request(target, data=body, headers=headers, method="POST")  # noqa: S310  checked above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310  checked above
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError as error:
        raise Unpaid(f"{target} 沒有回應 (no answer: {error})") from None
