"""Bank transfer to a virtual account; the bank tells of each payment by a webhook signed with a shared secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from rules.values import Text
from webapp.payments import BadNotification, Notification, Slip, virtual_account

TIMESTAMP = "X-Payment-Timestamp"
SIGNATURE = "X-Payment-Signature"
#: an older notification may be a recorded one; the bank signs anew for each try
FRESH = timedelta(minutes=5)
LONGEST_BODY = 8 * 1024
FIELDS = {"reference", "account", "amount", "paid_at"}
MOST = Decimal(99_999_999)


@dataclass(frozen=True)
class BankTransfer:
    bank_code: str
    bank_name: str
    agency_code: str
    secret: str
    name: str = "bank-transfer"

    def account(self, serial: int) -> str:
        return virtual_account.number(self.bank_code, self.agency_code, serial)

    def owns(self, account: str) -> bool:
        return virtual_account.is_valid(self.bank_code, self.agency_code, account)

    def slip(self, account: str, amount: Decimal, due_on: date) -> Slip:
        grouped = virtual_account.grouped(account)
        return Slip(
            amount=amount,
            due_on=due_on,
            account=grouped,
            fields=(
                (
                    Text(zh="銀行代碼", en="Bank code"),
                    f"{self.bank_code} {self.bank_name}",
                ),
                (Text(zh="轉入帳號", en="Account number"), grouped),
            ),
            steps=(
                Text(
                    zh="自動櫃員機、網路銀行或行動銀行：選擇「轉帳」，輸入銀行代碼、轉入帳號和金額。",
                    en="ATM, online or mobile banking: choose a transfer; enter bank code, account and amount.",
                ),
                Text(
                    zh="銀行臨櫃：以匯款單填寫上列銀行、帳號和金額。",
                    en="At a bank: fill in a transfer form with this bank, account and amount.",
                ),
                Text(
                    zh="縣府出納櫃檯：出示案件編號或繳費單，以現金繳納。",
                    en="At the county cashier: show the case number or this slip and pay in cash.",
                ),
                Text(
                    zh="金額須與繳費單相同，一次繳清；帳號只供本案使用。",
                    en="Pay exactly this amount at once; the account is for this case alone.",
                ),
            ),
        )

    def webhook(self, body: bytes, headers: Mapping[str, str], now: datetime) -> Notification:
        if not self.secret:
            raise BadNotification(503, "no secret is set")
        if len(body) > LONGEST_BODY:
            raise BadNotification(413, "the body is too long")
        stamp, signature = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
        if not re.fullmatch(r"[0-9]{1,12}", stamp) or not signature:
            raise BadNotification(400, "timestamp and signature are missing")
        expected = sign(self.secret, int(stamp), body)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            raise BadNotification(401, "the signature is wrong")
        if abs(now.timestamp() - int(stamp)) > FRESH.total_seconds():
            raise BadNotification(401, "the notification is too old")
        return _read(body)


def sign(secret: str, stamp: int, body: bytes) -> str:
    """HMAC-SHA256 over the moment and the body: neither can be changed or sent again later."""
    return "sha256=" + hmac.new(secret.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()


def signed(secret: str, notification: Notification, now: datetime) -> tuple[bytes, dict[str, str]]:
    """Body and headers as the bank sends them; for the trial command and the tests."""
    body = json.dumps(
        {
            "reference": notification.reference,
            "account": notification.account,
            "amount": f"{notification.amount:f}",
            "paid_at": notification.paid_at.isoformat(),
        }
    ).encode()
    stamp = int(now.timestamp())
    return body, {
        "Content-Type": "application/json",
        TIMESTAMP: str(stamp),
        SIGNATURE: sign(secret, stamp, body),
    }


def _read(body: bytes) -> Notification:
    try:
        data = json.loads(body)
        if not isinstance(data, dict) or set(data) != FIELDS:
            raise ValueError("the fields are not those of a notification")
        texts = {name: _text(data[name]) for name in FIELDS}
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", texts["reference"]):
            raise ValueError("the reference is not one")
        if not re.fullmatch(r"[0-9]{1,20}", texts["account"]):
            raise ValueError("the account is not one")
        if not re.fullmatch(r"[0-9]{1,8}(\.[0-9]{1,2})?", texts["amount"]):
            raise ValueError("the amount is not one")
        amount, paid_at = Decimal(texts["amount"]), datetime.fromisoformat(texts["paid_at"])
        if not 0 < amount <= MOST or paid_at.tzinfo is None:
            raise ValueError("amount or moment cannot be")
    except (ValueError, RecursionError) as error:
        raise BadNotification(400, str(error)) from None
    return Notification(texts["reference"], texts["account"], amount, paid_at)


def _text(value: object) -> str:
    """Amounts are texts: no float ever touches money."""
    if not isinstance(value, str):
        raise ValueError("every value is a text")
    return value
