"""Payment gateways: what the citizen sees, and what the gateway's notification says. docs/payment-gateways.md.

A gateway touches no database and no request: it is handed plain values and hands plain values back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from rules.values import Text


@dataclass(frozen=True)
class Slip:
    """How an invoice is paid, as page and paper show it."""

    amount: Decimal
    due_on: date
    #: the account number in groups, to read and to type
    account: str
    #: name and value of each thing to type at the machine
    fields: tuple[tuple[Text, str], ...]
    steps: tuple[Text, ...]


@dataclass(frozen=True)
class Notification:
    """One payment, as the gateway vouches for it."""

    reference: str
    account: str
    amount: Decimal
    paid_at: datetime


class BadNotification(Exception):
    """The notification is not believed; `status` is the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gateway(Protocol):
    name: str

    def account(self, serial: int) -> str:
        """The account number of an invoice; each serial has another."""

    def owns(self, account: str) -> bool:
        """Whether the number can be one of ours: its check digit is right."""

    def slip(self, account: str, amount: Decimal, due_on: date) -> Slip: ...

    def webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        """The notification, or BadNotification: unsigned, forged, too old or unreadable."""


def configured(config: Mapping[str, Any]) -> Gateway:
    """The gateway of this installation."""
    from webapp.payments.bank_transfer import BankTransfer

    return BankTransfer(
        bank_code=config["PAYMENT_BANK_CODE"],
        bank_name=config["PAYMENT_BANK_NAME"],
        agency_code=config["PAYMENT_AGENCY_CODE"],
        secret=config["PAYMENT_SECRET"],
    )
