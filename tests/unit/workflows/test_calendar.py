"""The working-day calendar against the official one, and the days that no package knows."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.calendar import WorkingCalendar

DATA = Path(__file__).parents[2] / "data"
CALENDAR = WorkingCalendar()
DAYS = st.dates(date(2010, 1, 1), date(2030, 12, 31))


def days(first, last):
    return [first + timedelta(i) for i in range((last - first).days + 1)]


def test_every_day_of_2019_to_2024_is_as_the_government_published_it():
    with (DATA / "working_days_truth.csv").open(encoding="utf-8") as file:
        truth = {
            date.fromisoformat(row["date"]): row["is_working_day"] == "1" for row in csv.DictReader(file)
        }
    wrong = [
        day
        for day in days(date(2019, 1, 1), date(2024, 12, 31))
        if CALENDAR.is_working_day(day) != truth.get(day, day.weekday() < 5)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("day", "working", "name"),
    [
        (date(2020, 9, 26), True, "補行上班日"),
        (date(2020, 10, 1), False, "中秋節"),
        (date(2020, 9, 28), True, ""),
        (date(2020, 9, 27), False, ""),
    ],
)
def test_a_special_day_has_a_name(day, working, name):
    assert (CALENDAR.is_working_day(day), CALENDAR.name_of(day)) == (working, name)
    assert CALENDAR.is_special(day) == bool(name)


def test_overrides_win_over_the_published_calendar():
    typhoon, saturday, festival = date(2020, 9, 28), date(2020, 10, 17), date(2020, 10, 1)
    calendar = WorkingCalendar(
        off={typhoon: "颱風停班"}, work={saturday: "防疫加班", festival: "中秋照常上班"}
    )
    assert not calendar.is_working_day(typhoon)
    assert calendar.is_working_day(saturday)
    assert calendar.is_working_day(festival)
    assert [calendar.name_of(d) for d in (typhoon, saturday, festival)] == [
        "颱風停班",
        "防疫加班",
        "中秋照常上班",
    ]
    assert not WorkingCalendar(off={date(2020, 9, 26): "停班"}).is_working_day(date(2020, 9, 26))


def test_a_day_cannot_be_both_off_and_working():
    with pytest.raises(ValueError, match="2020-09-28"):
        WorkingCalendar(off={date(2020, 9, 28): "a"}, work={date(2020, 9, 28): "b"})


def test_a_calendar_is_a_value_that_nobody_can_change():
    days_off = {date(2020, 9, 28): "颱風"}
    calendar = WorkingCalendar(off=days_off)
    days_off.clear()
    assert not calendar.is_working_day(date(2020, 9, 28))
    assert calendar == WorkingCalendar(off={date(2020, 9, 28): "颱風"})
    assert len({calendar, WorkingCalendar(off={date(2020, 9, 28): "颱風"}), CALENDAR}) == 2
    with pytest.raises(TypeError):
        calendar.off[date(2020, 9, 29)] = "x"
    with pytest.raises(AttributeError):
        calendar.off = {}


def test_next_working_day_is_the_day_itself_when_it_works():
    assert CALENDAR.next_working_day(date(2020, 9, 26)) == date(2020, 9, 26)
    assert CALENDAR.next_working_day(date(2020, 10, 1)) == date(2020, 10, 5)


@given(DAYS, st.integers(1, 60))
def test_adding_and_counting_agree(day, n):
    later = CALENDAR.add_working_days(day, n)
    assert CALENDAR.is_working_day(later)
    assert CALENDAR.working_days_between(day, later) == n
    assert CALENDAR.working_days_between(later, day) == -n
    earlier = CALENDAR.add_working_days(day, -n)
    assert CALENDAR.is_working_day(earlier)
    assert earlier < day


@given(DAYS, DAYS, DAYS)
def test_counts_add_up(a, b, c):
    a, b, c = sorted((a, b, c))
    between = CALENDAR.working_days_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, a) == 0
