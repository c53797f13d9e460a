"""The clock: the published vectors, the semantics of a pause, and what other systems got wrong."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.values import MAX_PERIOD
from workflows import clock
from workflows.calendar import WorkingCalendar
from workflows.clock import ClockError, Movement

DATA = Path(__file__).parents[2] / "data"
CALENDAR = WorkingCalendar()
D = date.fromisoformat


def due(kind, period, start, movements=(), today=None, calendar=CALENDAR):
    return clock.run(kind, period, start, movements, calendar=calendar, today=today).due


def paused(first, last):
    return Movement("pause", D(first)), Movement("resume", D(last))


# --- vectors ---------------------------------------------------------------------------------------------

#: vector -> how its rule in words is asked of the clock
LIMITS = {
    "D01": ("CD", 10, {}),
    "D02": ("CD", 30, {}),
    "D05": ("WD", 1, {}),
    "D07": ("WD", 6, {}),
    "D16": ("M-shift", 3, {}),
    "D17": ("M-shift", 3, {"extend": 2}),
    "D18": ("CD-shift", 15, {}),
    "D19": ("CD-shift", 30, {"restarts": ["2020-09-10"]}),
    "D20": ("WD", 7, {"pauses": ["2020-09-03..2020-09-10"]}),
    "D21": ("WD", 3, {}),
    "D23": ("CD-shift", 30, {}),
    "D24": ("DATE", 7, {}),
    "D27": ("WD", 3, {"off": "2020-09-28"}),
}
USED = {"D03", "D04", "D10"}


def vectors():
    with (DATA / "deadline_vectors.csv").open(encoding="utf-8") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_every_vector_is_a_test():
    assert vectors().keys() == LIMITS.keys() | USED


@pytest.mark.parametrize("name", LIMITS)
def test_due_date_vectors(name):
    row, (kind, period, moves) = vectors()[name], LIMITS[name]
    start = clock.parse_start(kind, "2020-08-20" if name == "D19" else row["start"])
    off = {D(moves["off"]): "停止上班"} if "off" in moves else {}
    movements = clock.parse_movements(start, **{k: v for k, v in moves.items() if k != "off"})
    assert due(kind, period, start, movements, calendar=WorkingCalendar(off=off)) == D(row["expected"])


@pytest.mark.parametrize("name", sorted(USED))
def test_used_days_vectors(name):
    row = vectors()[name]
    start, end = map(D, row["start"].split(".."))
    assert clock.used_days("WD", start, end, CALENDAR) == Decimal(row["expected"])


def test_used_days_do_not_count_a_pause():
    moves = paused("2020-09-03", "2020-09-10")
    assert clock.used_days("WD", D("2020-09-01"), D("2020-09-17"), CALENDAR, moves) == 7
    assert clock.used_days("CD", D("2020-09-01"), D("2020-09-17"), CALENDAR, moves) == 9
    with pytest.raises(ClockError):
        clock.used_days("WD", D("2020-09-02"), D("2020-09-01"), CALENDAR)


# --- kinds -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2020-11-30", 3, "2021-03-02"),  # 02-28 is a holiday, 03-01 its substitute
        ("2020-11-29", 3, "2021-03-02"),  # no 02-30: the month's end
        ("2023-11-30", 3, "2024-02-29"),
        ("2020-12-15", 1, "2021-01-15"),
        ("2020-10-31", 1, "2020-11-30"),
        ("2020-11-30", 1, "2020-12-31"),  # the first counted day is 12-01, its month ends on 12-31
        ("2019-12-31", 24, "2022-01-03"),  # 2021-12-31 is off, then New Year
    ],
)
def test_months_end_the_day_before_the_corresponding_day(start, months, expected):
    assert due("M-shift", months, D(start)) == D(expected)


def test_a_month_pauses_by_days():
    assert due("M-shift", 1, D("2021-03-01"), paused("2021-03-10", "2021-03-20")) == D("2021-04-12")


def test_a_fixed_day_falls_on_the_last_day_of_a_short_month():
    assert due("DATE", 31, D("2023-01-10")) == D("2023-03-01")  # 02-28 is a holiday
    assert due("DATE", 7, D("2020-12-01")) == D("2021-01-07")


def test_hours_run_on_the_wall_clock():
    start = datetime(2020, 9, 25, 16, 30, tzinfo=UTC)
    assert due("HOUR", 24, start) == datetime(2020, 9, 26, 16, 30, tzinfo=UTC)
    asked, answered = (Movement(k, start + timedelta(hours=h)) for k, h in (("pause", 2), ("resume", 7)))
    assert due("HOUR", 24, start, (asked, answered)) == start + timedelta(hours=29)
    ledger = clock.run("HOUR", 24, start, (asked,), calendar=CALENDAR, today=start + timedelta(hours=90))
    assert (ledger.used, ledger.paused) == (Decimal("2.0"), True)


def test_hours_stand_still_from_the_moment_and_not_from_the_next_day():
    start = datetime(2020, 9, 25, 16, 30, tzinfo=UTC)
    moves = (
        clock.Movement("pause", start + timedelta(hours=1)),
        clock.Movement("resume", start + timedelta(hours=3)),
    )
    said = clock.explain(clock.run("HOUR", 24, start, moves, calendar=CALENDAR))
    assert (
        "17:30：暫停計算；" in said[1]
        and "19:30：恢復計算，自 民國109年9月25日 17:30 至此時不計入" in said[2]
    )
    waiting = clock.explain(
        clock.run("HOUR", 24, start, moves[:1], calendar=CALENDAR, today=start + timedelta(hours=9))
    )
    assert "算到此時" in waiting[2] and all("當日" not in line for line in said + waiting)


def test_hours_take_a_day_by_its_end():
    start = datetime(2020, 9, 25, 16, 0)  # noqa: DTZ001  # a command line gives no zone
    moves = clock.parse_movements(start, pauses=["2020-09-25..2020-09-26"])
    assert due("HOUR", 10, start, moves) == datetime(2020, 9, 27, 2, 0)  # noqa: DTZ001  # as above


def test_a_make_up_saturday_may_move_the_last_day_where_the_county_reads_the_law_so():
    start = D("2020-09-16")
    assert due("CD-shift", 10, start) == D("2020-09-26")
    ledger = clock.run("CD-shift", 10, start, calendar=CALENDAR, makeup_saturday_shifts=True)
    assert ledger.due == D("2020-09-28")


# --- pauses ----------------------------------------------------------------------------------------------


def test_a_pause_without_an_answer_lasts_until_today():
    asked = (Movement("pause", D("2020-09-03")),)
    assert due("WD", 7, D("2020-09-01"), asked, today=D("2020-09-10")) == D("2020-09-17")
    assert due("WD", 7, D("2020-09-01"), asked, today=D("2020-09-11")) == D("2020-09-18")
    assert due("WD", 7, D("2020-09-01"), asked) == due("WD", 7, D("2020-09-01"))


def test_asking_again_moves_the_due_date_again():
    twice = paused("2020-09-03", "2020-09-10") + paused("2020-09-17", "2020-09-25")
    assert due("WD", 7, D("2020-09-01"), twice[:2]) == D("2020-09-17")
    assert due("WD", 7, D("2020-09-01"), twice) == D("2020-09-25"), "asked on the last day: not overdue"
    assert due("WD", 7, D("2020-09-01"), paused("2020-09-10", "2020-09-13")) == D("2020-09-14")


def test_asking_after_the_due_date_does_not_help():
    late = paused("2020-09-11", "2020-09-20")
    assert due("WD", 7, D("2020-09-01"), late) == due("WD", 7, D("2020-09-01"))
    ledger = clock.run("WD", 7, D("2020-09-01"), late, calendar=CALENDAR)
    assert "不改變到期日" in ledger.lines[1].text.zh


def test_a_pause_after_the_due_date_leaves_the_delay_with_the_office():
    start, late, in_time = (
        D("2020-09-25"),
        paused("2020-12-01", "2020-12-04"),
        paused("2020-09-28", "2020-09-30"),
    )
    ledgers = {
        key: clock.run("WD", 6, start, moves, calendar=CALENDAR, today=D("2020-12-02"))
        for key, moves in {
            "late": late[:1],
            "over": late,
            "time": in_time[:1],
            "both": (*in_time[:1], late[0]),
        }.items()
    }
    assert {key: (found.paused, found.late) for key, found in ledgers.items()} == {
        "late": (True, True), "over": (False, False), "time": (True, False), "both": (True, False),
    }  # fmt: skip


def test_an_answer_on_the_day_of_the_request_changes_nothing():
    assert due("WD", 7, D("2020-09-01"), paused("2020-09-03", "2020-09-03")) == due("WD", 7, D("2020-09-01"))


def test_overlapping_pauses_count_once():
    union = due("CD", 10, D("2020-09-01"), paused("2020-09-03", "2020-09-12"))
    overlapping = paused("2020-09-03", "2020-09-08") + paused("2020-09-06", "2020-09-12")
    touching = paused("2020-09-03", "2020-09-06") + paused("2020-09-06", "2020-09-12")
    assert due("CD", 10, D("2020-09-01"), overlapping) == due("CD", 10, D("2020-09-01"), touching) == union


def test_an_answer_to_nothing_is_ignored():
    assert due("WD", 7, D("2020-09-01"), [Movement("resume", D("2020-09-03"))]) == due(
        "WD", 7, D("2020-09-01")
    )


# --- restarts and extensions -----------------------------------------------------------------------------


def test_a_restart_ends_a_pause_and_opens_a_new_period():
    moves = (Movement("pause", D("2020-09-03")), Movement("restart", D("2020-09-10"), reason="補正到件"))
    ledger = clock.run("CD-shift", 30, D("2020-08-20"), moves, calendar=CALENDAR)
    assert (ledger.due, ledger.paused, ledger.period_number) == (D("2020-10-12"), False, 2)


def test_a_restart_forgets_an_earlier_extension():
    moves = (Movement("extend", D("2020-09-02"), days=5), Movement("restart", D("2020-09-10")))
    ledger = clock.run("WD", 7, D("2020-09-01"), moves, calendar=CALENDAR)
    assert (ledger.due, ledger.period_number) == (due("WD", 7, D("2020-09-10")), 3)


def test_an_extension_shifts_once_at_the_end():
    ledger = clock.run(
        "CD-shift", 4, D("2020-09-16"), [Movement("extend", D("2020-09-18"), 4)], calendar=CALENDAR
    )
    assert (ledger.due, ledger.period_number) == (D("2020-09-24"), 2)  # not 4 days after Monday the 21st


def test_an_extension_after_the_due_date_does_not_heal_it():
    late = [Movement("extend", D("2020-09-11"), days=5)]
    ledger = clock.run("WD", 7, D("2020-09-01"), late, calendar=CALENDAR)
    assert (ledger.due, ledger.period_number) == (D("2020-09-10"), 1)


def test_an_extension_during_a_pause_is_before_the_due_date():
    moves = (Movement("pause", D("2020-09-03")), Movement("extend", D("2020-09-21"), days=2))
    moves += (Movement("resume", D("2020-09-22")),)
    assert due("WD", 7, D("2020-09-01"), moves) == CALENDAR.add_working_days(D("2020-09-22"), 7)


def extension(movements=(), **change):
    asked = {"days": 7, "reason": "會勘日期未定", "on": D("2020-09-10"), **change}
    return clock.extension_problems("WD", 7, D("2020-09-01"), movements, calendar=CALENDAR, **asked)


def test_an_extension_in_time_with_a_reason_is_allowed():
    assert extension() == ()
    assert extension([Movement("pause", D("2020-09-03"))], on=D("2020-09-30")) == ()
    assert extension(days=9, at_most=10) == ()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": "  "}, "理由"),
        ({"days": 8}, "1 至 7"),
        ({"days": 0}, "1 至 7"),
        ({"on": D("2020-09-11")}, "屆滿"),
        ({"movements": [Movement("extend", D("2020-09-02"), days=1)]}, "1 次"),
    ],
)
def test_an_extension_is_refused(change, says):
    (problem,) = extension(**change)
    assert says in problem.zh
    assert problem.en


def test_every_reason_against_an_extension_is_told_at_once():
    assert (
        len(extension([Movement("extend", D("2020-09-02"), 1)], days=99, reason="", on=D("2020-12-01"))) == 4
    )


# --- the ledger ------------------------------------------------------------------------------------------


def test_the_ledger_explains_the_due_date_line_by_line():
    moves = (
        Movement("pause", D("2020-09-28"), reason="補正：土地登記謄本"),
        Movement("resume", D("2020-09-30")),
    )
    ledger = clock.run("WD", 6, D("2020-09-25"), moves, calendar=CALENDAR, today=D("2020-10-05"))
    assert ledger.due == D("2020-10-08")
    assert ledger.used == 3
    assert clock.explain(ledger) == [
        "民國109年9月25日：起算，期限 6 個工作天（當日不計）；到期日 民國109年10月6日",
        "民國109年9月26日：補行上班日，計入",
        "民國109年9月28日：暫停計算（當日仍計入）（補正：土地登記謄本）；到期日 民國109年10月6日",
        "民國109年9月30日：恢復計算，民國109年9月28日之後至當日不計入；到期日 民國109年10月8日",
        "民國109年10月1日：中秋節，不計入",
        "民國109年10月2日：放假日（2020-09-26 補班），不計入",
        "到期日：民國109年10月8日（星期四）",
    ]
    assert clock.explain(ledger, "en")[0] == (
        "25 September 2020: start, limit 6 working days, this day not counted; due 6 October 2020"
    )


STOPPED = WorkingCalendar({D("2020-09-24"): "颱風停班"}, stopped=frozenset({D("2020-09-24")}))


@pytest.mark.parametrize(
    ("kind", "period", "without", "stopped"),
    [
        # a limit that ends on the day itself moves off it
        ("CD-shift", 8, "2020-09-24", "2020-09-25"),
        ("CD-shift", 13, "2020-09-29", "2020-09-30"),
        ("M-shift", 1, "2020-10-16", "2020-10-19"),
        ("CD", 13, "2020-09-29", "2020-09-29"),
        ("WD", 6, "2020-09-24", "2020-09-25"),
        ("DATE", 7, "2020-10-07", "2020-10-07"),
    ],
)
def test_a_stop_work_day_may_stop_limits_in_days_and_months(kind, period, without, stopped):
    start = D("2020-09-16")
    assert due(kind, period, start) == D(without)
    assert due(kind, period, start, calendar=STOPPED) == D(stopped)


def test_a_stop_work_day_inside_a_pause_is_not_taken_off_twice():
    start, moves = D("2020-09-16"), paused("2020-09-22", "2020-09-28")
    assert due("CD-shift", 13, start, moves, calendar=STOPPED) == due("CD-shift", 13, start, moves)
    lines = clock.explain(clock.run("CD-shift", 13, start, calendar=STOPPED))
    assert any("颱風停班，依行政程序法第51條第5項不計入" in line for line in lines)
    inside = clock.explain(clock.run("CD-shift", 13, start, moves, calendar=STOPPED))
    assert all("颱風" not in line for line in inside)


def test_the_ledger_says_why_a_last_day_moved():
    lines = clock.run("CD-shift", 15, D("2020-09-16"), calendar=CALENDAR).lines
    assert [line.kind for line in lines] == ["start", "shift", "due"]
    assert "中秋節" in lines[1].text.zh


@pytest.mark.parametrize("kind", ["WD", "CD", "CD-shift", "M-shift", "DATE"])
def test_a_day_that_was_set_is_the_due_day_and_a_pause_moves_it(kind):
    """Also after the limit has passed, and on a rest day: whoever set it saw that."""
    sunday = D("2023-05-14")
    until = Movement("until", D("2023-05-02"), days=12)
    found = clock.run(kind, 5, D("2023-03-01"), [until], calendar=CALENDAR)
    assert found.due == sunday
    assert any("另訂到期日為" in line for line in clock.explain(found))
    assert due(kind, 5, D("2023-03-01"), [until, *paused("2023-05-04", "2023-05-12")]) > sunday


@given(st.sampled_from(["WD", "CD", "CD-shift", "M-shift", "DATE"]), st.integers(1, 20), st.data())
def test_a_pause_never_brings_the_due_date_nearer(kind, period, data):
    start = data.draw(st.dates(D("2019-01-01"), D("2022-12-31")))
    plain = due(kind, period, start)
    begin = start + timedelta(data.draw(st.integers(0, 40)))
    end = begin + timedelta(data.draw(st.integers(0, 40)))
    ledger = clock.run(
        kind, period, start, (Movement("pause", begin), Movement("resume", end)), calendar=CALENDAR
    )
    assert ledger.due >= plain
    assert begin > plain or ledger.due >= end, (
        "a case is never overdue because the applicant was asked in time"
    )
    assert ledger.lines[-1].due == ledger.due


@given(
    st.integers(1, 20), st.dates(D("2019-01-01"), D("2022-12-31")), st.lists(st.integers(0, 15), max_size=6)
)
def test_working_days_of_a_paused_case_are_the_days_that_count(period, start, gaps):
    """Against a walk over single days, the plainest reading of the rule."""
    edges = [start + timedelta(sum(gaps[: i + 1]) + 1) for i in range(len(gaps))]
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    moves = [m for a, b in spans for m in (Movement("pause", a), Movement("resume", b))]
    day, left = start, period
    while left:
        day += timedelta(1)
        left -= CALENDAR.is_working_day(day) and not any(a < day <= b for a, b in spans)
    result = due("WD", period, start, moves)
    asked_on_the_last_day = any(a == day and b > a for a, b in spans)
    assert result > day if asked_on_the_last_day else result == day


# --- what other systems got wrong ------------------------------------------------------------------------


def test_one_day_is_one_working_day_and_not_the_next_tick():
    friday = D("2020-09-11")
    assert due("WD", 1, friday) == D("2020-09-14")
    assert clock.used_days("WD", friday, D("2020-09-14"), CALENDAR) == 1, "the weekend is nobody's time"


def test_resuming_moves_the_due_date_by_what_was_not_counted():
    before = due("WD", 7, D("2020-09-01"))
    for answered in ("2020-09-04", "2020-09-10", "2020-12-01"):
        held = CALENDAR.working_days_between(D("2020-09-03"), D(answered))
        moved = due("WD", 7, D("2020-09-01"), paused("2020-09-03", answered))
        assert CALENDAR.working_days_between(before, moved) == held > 0


@given(st.integers(1, 15), st.lists(st.integers(1, 30), min_size=2, max_size=6))
def test_asking_again_in_time_never_makes_a_case_overdue(period, gaps):
    """Every further request, made no later than the due date of its day, leaves the case in time that day."""
    start, moves = D("2020-09-01"), ()
    day = start
    for gap in gaps:
        day = min(day + timedelta(gap), due("WD", period, start, moves, today=day))
        moves += (Movement("pause", day),)
        assert due("WD", period, start, moves, today=day) >= day
        day += timedelta(gap)
        assert due("WD", period, start, moves, today=day) >= day, (
            "nobody is late while the applicant is asked"
        )
        moves += (Movement("resume", day),)
        assert due("WD", period, start, moves, today=day) >= day


# --- bad input -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        lambda: due("XX", 1, D("2020-09-01")),
        lambda: due("WD", 0, D("2020-09-01")),
        lambda: due("WD", 10**9, D("2020-09-01")),
        lambda: due("DATE", 32, D("2020-09-01")),
        lambda: due("HOUR", 1, D("2020-09-01")),
        lambda: due("WD", 1, datetime(2020, 9, 1, tzinfo=UTC)),
        lambda: due("WD", 1, date.max),
        lambda: due("WD", 1, D("2020-09-01"), [Movement("restart", D("2020-08-01"))]),
        lambda: due("WD", 1, D("2020-09-01"), [Movement("extend", D("2020-09-01"))]),
        lambda: due("WD", 1, D("2020-09-01"), [Movement("pause", date.max)]),
        # without a time zone on purpose
        lambda: due("HOUR", 1, datetime(2020, 9, 1, tzinfo=UTC), today=datetime(2020, 9, 1)),  # noqa: DTZ001
        lambda: clock.parse_start("WD", "yesterday"),
        lambda: clock.parse_movements(D("2020-09-01"), pauses=["2020-09-05,2020-09-07"]),
        lambda: clock.parse_movements(D("2020-09-01"), pauses=["2020-09-05..2020-09-01"]),
    ],
)
def test_what_cannot_be_counted_is_said_in_both_languages(broken):
    with pytest.raises(ClockError) as refused:
        broken()
    assert refused.value.text.zh
    assert refused.value.text.en


def test_a_restart_inside_a_pause_leaves_the_rest_uncounted():
    start = D("2020-09-01")
    moves = clock.parse_movements(start, pauses=["2020-09-03..2020-09-17"], restarts=["2020-09-10"])
    assert due("WD", 7, start, moves) == CALENDAR.add_working_days(D("2020-09-17"), 7)


@pytest.mark.parametrize("words", ["2020-09-03..", "2020-09-03"])
def test_a_pause_may_have_no_end_yet(words):
    start = D("2020-09-01")
    moves = clock.parse_movements(start, pauses=[words], extend=2)
    assert moves == (Movement("pause", D("2020-09-03")), Movement("extend", start, days=2))


@pytest.mark.parametrize("kind", ["WD", "CD", "CD-shift", "M-shift", "HOUR"])
def test_the_longest_period_that_a_ruleset_may_set_can_be_counted(kind):
    start = datetime(2026, 11, 22, 9, tzinfo=UTC) if kind == "HOUR" else D("2026-11-22")
    assert due(kind, MAX_PERIOD, start, today=start) > start
    with pytest.raises(ClockError, match=str(MAX_PERIOD)):
        due(kind, MAX_PERIOD + 1, start, today=start)
