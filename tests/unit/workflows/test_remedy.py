"""The last day of an appeal."""

from datetime import date

import pytest

from workflows.calendar import WorkingCalendar
from workflows.remedy import TRANSIT, appeal_until, served_by_notice


@pytest.mark.parametrize(
    ("served", "place", "until"),
    [
        (date(2025, 9, 25), "kinmen", date(2025, 10, 27)),  # the 25th is a Saturday and a holiday
        (date(2025, 9, 29), "kinmen", date(2025, 10, 29)),
        (date(2025, 9, 29), "wuqiu", date(2025, 11, 28)),
        (date(2025, 9, 29), "taiwan", date(2025, 11, 28)),
        (date(2025, 9, 29), "mainland", date(2025, 12, 5)),
        (date(2025, 9, 29), "overseas", date(2025, 12, 12)),
        (date(2025, 9, 29), "africa", date(2026, 1, 9)),
    ],
)
def test_the_last_day_of_an_appeal(served: date, place: str, until: date) -> None:
    assert appeal_until(served, place, WorkingCalendar()) == until


def test_a_stop_work_day_moves_the_last_day() -> None:
    calendar = WorkingCalendar(off={date(2025, 10, 29): "颱風"})
    assert appeal_until(date(2025, 9, 29), "kinmen", calendar) == date(2025, 10, 30)


def test_days_in_transit_are_those_of_the_regulation() -> None:
    assert {name: place.days for name, place in TRANSIT.items()} == {
        "kinmen": 0, "wuqiu": 30, "taiwan": 30, "mainland": 37, "asia": 37, "overseas": 44, "africa": 72,
    }  # fmt: skip


def test_a_public_notice_takes_effect_after_twenty_days() -> None:
    assert served_by_notice(date(2025, 9, 25)) == date(2025, 10, 15)
