"""The webhook: a true notification pays once; forged, replayed, late, malformed and repeated ones change nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests import money, officers
from tests.journeys import NOW
from tests.money import TOTAL, asked_to_pay, payment
from webapp.extensions import db
from webapp.models import Case, Invoice, Payment
from webapp.payments import Notification, bank_transfer
from webapp.payments.bank_transfer import SIGNATURE, TIMESTAMP

URL = "/api/payments/bank-transfer"
Send = Callable[..., TestResponse]


@pytest.fixture
def invoice(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Invoice:
    officers.at(app, monkeypatch, NOW)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", True)

    def make() -> Invoice:
        money.open_service()
        return asked_to_pay()[1]

    return officers.made(app, make)


@pytest.fixture
def send(app: Flask) -> Send:
    """As the bank does: no cookie, no token."""

    def post(body: bytes, headers: dict[str, str], url: str = URL) -> TestResponse:
        return app.test_client().post(url, data=body, headers=headers)

    return post


def signed(app: Flask, given: Notification, now=NOW) -> tuple[bytes, dict[str, str]]:
    return bank_transfer.signed(app.config["PAYMENT_SECRET"], given, now)


def kept(app: Flask) -> tuple[int, str]:
    """How many payments there are, and where the case stands."""

    def look() -> tuple[int, str]:
        count = db.session.scalars(select(func.count()).select_from(Payment)).one()
        return count, db.session.scalars(select(Case.state)).one()

    return officers.made(app, look)


def test_a_true_notification_pays_and_the_same_again_changes_nothing(
    app: Flask, invoice: Invoice, send: Send
) -> None:
    body, headers = signed(app, payment(invoice, reference="B-77"))
    first, again = send(body, headers), send(body, headers)
    assert (first.status_code, first.json) == (200, {"status": "recorded", "account": "known"})
    assert (again.status_code, again.json) == (200, {"status": "already recorded", "account": "known"})
    assert kept(app) == (1, "approve")
    # the bank tries again later, as it must: signed anew
    later = NOW + timedelta(hours=3)
    app.config["CLOCK"] = lambda: later
    body, headers = signed(app, payment(invoice, reference="B-77"), later)
    assert send(body, headers).json == {"status": "already recorded", "account": "known"}
    assert kept(app) == (1, "approve")


@pytest.mark.parametrize("minutes", [-6, 6, 60 * 24])
def test_a_notification_sent_again_later_is_not_believed(
    app: Flask, invoice: Invoice, send: Send, minutes: int
) -> None:
    body, headers = signed(app, payment(invoice), NOW + timedelta(minutes=minutes))
    assert send(body, headers).status_code == 401
    assert kept(app) == (0, "fee")


def test_a_forged_notification_is_not_believed(app: Flask, invoice: Invoice, send: Send) -> None:
    body, headers = signed(app, payment(invoice))
    other = bank_transfer.signed("another secret", payment(invoice), NOW)
    moved = {**headers, TIMESTAMP: str(int(headers[TIMESTAMP]) + 1)}
    forged = [
        (body.replace(b"31200", b"31201"), headers),
        (body, moved),
        (body, {**headers, SIGNATURE: "sha256=" + "0" * 64}),
        (body, {**headers, SIGNATURE: "sha256=臺灣".encode().decode("latin-1")}),
        other,
    ]
    assert [send(*each).status_code for each in forged] == [401] * len(forged)
    assert kept(app) == (0, "fee")


def _with(changes: dict[str, object]) -> dict[str, object]:
    whole = {"reference": "M-1", "account": "99371000000017", "amount": "100", "paid_at": NOW.isoformat()}
    return {**whole, **changes}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not json",
        b"[]",
        b"\xff\xfe",
        b"[" * 4000,
        json.dumps({"reference": "M-1"}).encode(),
        *(
            json.dumps(_with(change)).encode()
            for change in (
                {"amount": 100},
                {"amount": "-100"},
                {"amount": "0"},
                {"amount": "1e9"},
                {"amount": "NaN"},
                {"amount": "999999999"},
                {"amount": "1.005"},
                {"paid_at": "yesterday"},
                {"paid_at": "2025-09-25T10:00:00"},
                {"account": "99371' or 1=1"},
                {"reference": ""},
                {"reference": "x" * 61},
                {"reference": "a\u0000b"},
                {"more": "x"},
            )
        ),
    ],
)
def test_what_cannot_be_read_is_refused(app: Flask, invoice: Invoice, send: Send, content: bytes) -> None:
    stamp = int(NOW.timestamp())
    signature = bank_transfer.sign(app.config["PAYMENT_SECRET"], stamp, content)
    answer = send(content, {TIMESTAMP: str(stamp), SIGNATURE: signature})
    assert answer.status_code == 400 and answer.json["error"]
    assert kept(app) == (0, "fee")


def test_without_signature_or_with_too_much_to_read(app: Flask, invoice: Invoice, send: Send) -> None:
    body, headers = signed(app, payment(invoice))
    assert send(body, {}).status_code == 400
    assert send(body, {**headers, TIMESTAMP: "soon"}).status_code == 400
    assert send(b"x" * 10_000, headers).status_code == 413
    assert send(body, headers, "/api/payments/another-bank").status_code == 404
    assert kept(app) == (0, "fee")


def test_one_reference_for_two_payments_is_told_to_the_bank(app: Flask, invoice: Invoice, send: Send) -> None:
    assert send(*signed(app, payment(invoice, 500, reference="B-1"))).status_code == 200
    assert send(*signed(app, payment(invoice, 700, reference="B-1"))).status_code == 409
    assert kept(app) == (1, "fee")


def test_money_for_an_unknown_account_is_kept(app: Flask, invoice: Invoice, send: Send) -> None:
    answer = send(*signed(app, Notification("B-9", "99371999999990", Decimal(5), NOW)))
    assert (answer.status_code, answer.json) == (200, {"status": "recorded", "account": "unknown"})
    assert kept(app) == (1, "fee")


def test_guessing_is_stopped_and_the_bank_is_not(app: Flask, invoice: Invoice, send: Send) -> None:
    body, headers = signed(app, payment(invoice))
    wrong = {**headers, SIGNATURE: "sha256=" + "0" * 64}
    answers = [send(body, wrong).status_code for _ in range(62)]
    assert answers[:60] == [401] * 60 and answers[60:] == [429] * 2
    assert send(body, headers).status_code == 200
    assert kept(app) == (1, "approve")


def test_nothing_is_believed_without_a_secret(
    app: Flask, invoice: Invoice, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, headers = bank_transfer.signed("", payment(invoice, TOTAL), NOW)
    monkeypatch.setitem(app.config, "PAYMENT_SECRET", "")
    assert send(body, headers).status_code == 503
    assert kept(app) == (0, "fee")


def test_production_has_no_secret_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from webapp.config import NO_DEFAULT_IN_PRODUCTION, settings

    given = {"DATABASE_URL": "postgresql://x", "SECRET_KEY": "s", "ECOUNTER_DATA_KEY": "k"}
    assert len(settings(given)["PAYMENT_SECRET"]) == 64
    monkeypatch.setenv("ECOUNTER_ENV", "production")
    brought = dict.fromkeys(NO_DEFAULT_IN_PRODUCTION, "https://x")
    whole = {**given, **brought}
    assert settings(whole)["PAYMENT_SECRET"] == ""
    assert settings({**whole, "PAYMENT_SECRET": "agreed"})["PAYMENT_SECRET"] == "agreed"


# the client is asked for so that the application is the test's own
def test_a_browser_that_comes_by_is_told_no(client: FlaskClient) -> None:
    assert client.get(URL).status_code == 405
