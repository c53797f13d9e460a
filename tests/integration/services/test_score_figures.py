"""Figures that an indicator is fed from."""

from __future__ import annotations

from datetime import date

from flask import Flask

from tests.journeys import NOW, citizen, officer, submitted, take
from webapp.queries.org import chart
from webapp.queries.score_figures import FIGURES
from webapp.services import cases, internal_cases
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
