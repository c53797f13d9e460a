"""`ecounter pay` against the running product: the signed webhook over HTTP, and the worker's papers after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from tests import money, walks
from tests.programs import Counter, open_counter
from tests.visitor import over_http
from webapp import create_app
from webapp.cli import main
from webapp.extensions import db
from webapp.models import Case, Payment
from webapp.moments import utc_now


@pytest.fixture
def shop(new_database: Callable[[], str]) -> Iterator[Counter]:
    with open_counter(new_database()) as opened:
        yield opened


def test_a_fee_is_paid_from_the_command_to_the_receipt(
    shop: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Flask = create_app({"DATABASE_URL": shop.database_url})
    with app.app_context():
        money.open_service()
        case, invoice = money.asked_to_pay(utc_now())
        pid, account = case.public_id, invoice.account
        db.session.remove()
        db.engine.dispose()
    monkeypatch.setenv("DATABASE_URL", shop.database_url)
    run = CliRunner()
    lost = run.invoke(main, ["pay", "99371000000024"])
    assert lost.exit_code == 1 and "no invoice" in lost.output
    first = run.invoke(main, ["pay", account, "--url", shop.address, "--reference", "K-1"])
    assert (first.exit_code, first.output[:4]) == (0, "200 "), first.output
    assert (
        "already recorded"
        in run.invoke(main, ["pay", account, "--url", shop.address, "--reference", "K-1"]).output
    )
    refused = run.invoke(main, ["pay", account, "--url", shop.address, "--reference", "K-1", "--amount", "1"])
    assert refused.exit_code == 1 and refused.output.startswith("409"), refused.output
    assert "no answer" in run.invoke(main, ["pay", account, "--url", "http://127.0.0.1:9"]).output
    with app.app_context():
        assert db.session.scalars(select(Case.state).where(Case.public_id == pid)).one() == "approve"
        assert db.session.scalars(select(Payment.reference)).all() == ["K-1"]
        db.session.remove()
        db.engine.dispose()
    citizen = over_http(shop.address)
    walks.sign_in(citizen, "chen.meiling")
    assert "31,200" in walks.printed(citizen, "下載規費收據（PDF）", f"/applications/{pid}")
