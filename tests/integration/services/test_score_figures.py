"""Figures that an indicator is fed from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flask import Flask

from tests.journeys import NOW, citizen, officer, submitted, take
from tests.plan_world import entry
from webapp.extensions import db
from webapp.models import Plan, ProgressReport
from webapp.queries.org import chart
from webapp.queries.score_figures import FIGURES
from webapp.services import cases, internal_cases, plan_imports
from webapp.uow import unit_of_work


def test_what_the_county_asks_of_itself_is_no_application(app: Flask, committed: None) -> None:
    with app.app_context():
        unit = chart().by_code["EC"].id
        count = FIGURES["cases_on_time"].count
        with unit_of_work():
            filed = submitted("EC09")
            cases.take_as_citizen(citizen(), filed, "withdraw", NOW, version=filed.version)
        whole = count(unit, 114)
        with unit_of_work():
            asked = {"plan": "虛構計畫", "register": "選項列管", "month": "114年8月"}
            own = internal_cases.open_case(officer("guo.shiming"), "KM01", asked, unit, date(2025, 8, 1), NOW)
            cases.take_as_system(own, "lock", NOW)
        take(own, "close_missing", "guo.shiming", comment="未填報")
        assert own.status == "closed" and "應辦結 1 件" in whole.zh
        assert count(unit, 114) == whole


def test_plans_on_time_knows_the_last_day_and_published_classes(app: Flask, committed: None) -> None:
    """Completed and released on 31 December, it owes no report for December; a class without a percentage counts."""
    with app.app_context():
        unit, count = chart().by_code["EC-AFF"].id, FIGURES["plans_on_time"].count
        with unit_of_work():
            register = plan_imports.register_for("selected-98")
            done, told = entry(register, "年底完工", "EC-AFF"), entry(register, "只公布類別", "EC-AFF")
            done.released_on, done.release_reason = date(2009, 12, 31), "完工"
            db.session.get_one(Plan, done.plan_id).completed_on = date(2009, 12, 20)
            db.session.add_all(
                ProgressReport(
                    entry_id=of.id, register_id=register.id, month=date(2009, month, 1), origin="published",
                    state="reported", published_class="on_track", standing="on_track", light="green", reported_at=NOW,
                )
                for of, month in ((done, 11), (told, 12))
            )  # fmt: skip
        found = count(unit, 98)
        assert (found.value, found.zh) == (Decimal(100), "選項列管計畫年底未落後 2 件／已填報 2 件")
