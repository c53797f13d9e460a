"""A service names its handling unit in words; what the org chart does not know is said at the start."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import update

from tests.journeys import NOW
from webapp import setup
from webapp.extensions import db
from webapp.models import Unit
from webapp.queries import definitions
from webapp.queries.generations import bump
from webapp.uow import unit_of_work


def test_a_handling_unit_that_nobody_knows_is_named(app: Flask, committed: None) -> None:
    with app.app_context():
        unit = definitions.current_service("EC09", NOW.date()).handling_unit.zh
        assert ("EC09", unit) not in setup.strangers(NOW)
        with unit_of_work():
            db.session.execute(update(Unit).where(Unit.name_zh == unit).values(name_zh="改了名的科"))
            bump("org")
        assert ("EC09", unit) in setup.strangers(NOW)
