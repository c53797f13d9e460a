"""A service whose applicants pay, for tests of invoices and payments: PW01 by the workflow of tests/definitions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from flask import current_app

from rules.values import read_yaml
from tests.journeys import NOW, submitted, take
from webapp.extensions import db
from webapp.models import Case, Invoice
from webapp.payments import Notification, bank_transfer
from webapp.permissions import SYSTEM
from webapp.services import invoices, publishing
from webapp.uow import unit_of_work

WORKFLOW = Path(__file__).parent / "definitions" / "workflows" / "paid_review.yaml"
TOTAL = Decimal(31_200)
DAYS = 10

_references = count(1)


def open_service(**changes: object) -> None:
    """From now on PW01 asks for its fee before the decision."""
    service = {
        **publishing.READERS["service"]()["PW01"],
        "workflow": "paid_review",
        "parameters": {"payment_days": DAYS},
        **changes,
    }
    bodies = {"workflow": read_yaml(WORKFLOW), "service": service}
    with unit_of_work():
        for kind, body in bodies.items():
            plain = json.loads(json.dumps(body, ensure_ascii=False, default=str))
            key = plain.get("code") if kind == "service" else plain["key"]
            revision = publishing.insert(SYSTEM, kind, key, plain, NOW, origin="editor")
            publishing.publish(SYSTEM, revision, publishing.BEGINNING, NOW)


def asked_to_pay(now: datetime = NOW, **amounts: int) -> tuple[Case, Invoice]:
    """A case of which the officer has fixed the fees."""
    case = submitted("PW01", now)
    given = {key: Decimal(amount) for key, amount in (amounts or {"permit": 1200, "repair": 30_000}).items()}
    take(case, "propose_approval", now=now, amounts=given)
    invoice = invoices.newest_of(case.id)
    assert invoice is not None
    return case, invoice


def payment(
    invoice: Invoice, amount: int | Decimal = TOTAL, now: datetime = NOW, reference: str = ""
) -> Notification:
    return Notification(reference or f"T{next(_references):06d}", invoice.account, Decimal(amount), now)


def as_sent(given: Notification, now: datetime) -> tuple[bytes, dict[str, str]]:
    return bank_transfer.signed(current_app.config["PAYMENT_SECRET"], given, now)


def later(days: int) -> datetime:
    return NOW + timedelta(days=days)


def fresh(case: Case) -> Case:
    db.session.expire_all()
    return db.session.get_one(Case, case.id)
