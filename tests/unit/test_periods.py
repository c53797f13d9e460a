"""Periods of plan control, as people write them."""

from __future__ import annotations

from datetime import date

import pytest

from webapp.periods import month_before, month_of, parse, quarter_of


@pytest.mark.parametrize(
    ("written", "first", "last", "zh", "en"),
    [
        ("109Q3", date(2020, 7, 1), date(2020, 9, 1), "109年第3季", "2020 Q3"),
        ("１０９ｑ４ ", date(2020, 10, 1), date(2020, 12, 1), "109年第4季", "2020 Q4"),
        ("109H1", date(2020, 1, 1), date(2020, 6, 1), "109年上半年", "2020 H1"),
        ("109M02", date(2020, 2, 1), date(2020, 2, 1), "109年2月", "Feb 2020"),
        ("109", date(2020, 1, 1), date(2020, 12, 1), "109年", "2020"),
    ],
)
def test_a_period(written: str, first: date, last: date, zh: str, en: str) -> None:
    period = parse(written)
    assert (period.first_month, period.last_month) == (first, last)
    assert (period.label.zh, period.label.en) == (zh, en)
    assert parse(period.key) == period


@pytest.mark.parametrize(
    "written", ["", "109Q5", "0109Q1", "2020Q3", "109M13", "109M9", "109H3", "Q3", "109Q3x"]
)
def test_what_is_no_period(written: str) -> None:
    with pytest.raises(ValueError, match="no period"):
        parse(written)


def test_around_a_day() -> None:
    day = date(2020, 2, 29)
    assert (month_of(day).key, quarter_of(day).key) == ("109M02", "109Q1")
    assert parse("109M02").last_day == day
    assert [month_before(day.replace(day=1), n) for n in (2, 0, -11)] == [
        date(2019, 12, 1),
        date(2020, 2, 1),
        date(2021, 1, 1),
    ]
