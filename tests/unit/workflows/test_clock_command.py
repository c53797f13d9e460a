"""`ecounter clock due`: the due date is the last line, the ledger stands above it, and bad input is told plainly."""

import pytest
from click.testing import CliRunner

from tests.unit.workflows.test_clock import LIMITS, vectors
from webapp.cli import main


def ask(*words):
    return CliRunner().invoke(main, ["clock", "due", *words])


def asked(kind, period, start, moves):
    words = ["--kind", kind, "--period", str(period), "--start", start]
    for pause in moves.get("pauses", ()):
        words += ["--pause", pause]
    for again in moves.get("restarts", ()):
        words += ["--restart", again]
    for name in ("extend", "off"):
        if name in moves:
            words += [f"--{name}", str(moves[name])]
    return ask(*words)


@pytest.mark.parametrize("name", LIMITS)
def test_every_vector_as_a_command(name):
    row, (kind, period, moves) = vectors()[name], LIMITS[name]
    answer = asked(kind, period, "2020-08-20" if name == "D19" else row["start"], moves)
    assert answer.exit_code == 0, answer.output
    assert answer.output.splitlines()[-1] == row["expected"]


def test_every_option_together():
    answer = ask(
        *("--kind", "WD", "--period", "6", "--start", "2020-09-25", "--lang", "en"),
        *("--pause", "2020-09-28..2020-09-30", "--off", "2020-10-05", "--work", "2020-10-03"),
        *("--restart", "2020-10-06", "--extend", "2"),
    )
    assert answer.output.splitlines() == [
        "25 September 2020: start, limit 6 working days, this day not counted; due 6 October 2020",
        "28 September 2020: paused (this day still counts); due 6 October 2020",
        "30 September 2020: resumed, the days after 28 September 2020 up to this day are not counted;"
        " due 8 October 2020",
        "6 October 2020: counted again from here, limit 6 working days, this day not counted; due 15 October 2020",
        "6 October 2020: extended by 2 working days; due 19 October 2020",
        "9 October 2020: a public day off, not counted",
        "Due: 19 October 2020 (Mon)",
        "2020-10-19",
    ]


def test_a_request_without_an_answer_pauses_until_today():
    words = ("--kind", "WD", "--period", "7", "--start", "2020-09-01", "--pause", "2020-09-03")
    assert ask(*words, "--today", "2020-09-10").output.splitlines()[-1] == "2020-09-17"
    assert ask(*words).output.splitlines()[-1] > "2026-01-01", "today is the default"


def test_hours_take_moments():
    words = ("--kind", "HOUR", "--period", "24", "--start", "2020-09-25T16:00")
    paused = ask(*words, "--pause", "2020-09-25T18:00..2020-09-25T20:00", "--today", "2020-09-26")
    assert paused.output.splitlines()[-1] == "2020-09-26T18:00:00"
    open_pause = ask(*words, "--pause", "2020-09-25T18:00", "--today", "2020-09-26T01:00")
    assert open_pause.output.splitlines()[-1] == "2020-09-26T23:00:00"
    zoned = ask(*words[:-1], "2020-09-25T16:00+08:00", "--today", "2020-09-26")
    assert zoned.output.splitlines()[-1] == "2020-09-26T16:00:00+08:00"


WD = ("--kind", "WD", "--period", "6", "--start", "2020-09-25")


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        ((*WD[:3], "0", *WD[4:]), "期限須為", "the period must be"),
        ((*WD[:5], "yesterday"), "看不懂日期", "not a date"),
        ((*WD, "--off", "09/28"), "看不懂日期", "not a date"),
        ((*WD, "--work", "2020-02-30"), "看不懂日期", "not a date"),
        ((*WD, "--today", "now"), "看不懂日期", "not a date"),
        ((*WD, "--restart", ""), "看不懂日期", "not a date"),
        ((*WD, "--pause", "2020-09-30..2020-09-28"), "迄日早於起日", "ends before it begins"),
        ((*WD, "--pause", "..2020-09-28"), "看不懂日期", "not a date"),
        ((*WD, "--restart", "2020-01-01"), "不可早於起算日", "cannot be before the start"),
        ((*WD, "--extend", "7"), "1 至 6 個工作天", "1 to 6 working days"),
        ((*WD, "--extend", "2", "--extend", "2"), "一次為限", "only once"),
        ((*WD, "--off", "109/2/3"), "2020-09-25", "write it like 2020-09-25"),
        ((*WD, "--extend", "0"), "展期長度須為", "the length of an extension"),
        ((*WD, "--extend", "99999"), "展期長度須為", "the length of an extension"),
        ((*WD, "--off", "2020-09-28", "--work", "2020-09-28"), "不能同時", "both off and working"),
        (("--kind", "HOUR", "--period", "24", "--start", "2020-09-25"), "需要時刻", "needs a moment"),
        ((*WD[:5], "9999-12-31"), "超出", "out of range"),
    ],
)
def test_bad_input_is_told_in_both_languages(words, zh, en):
    for lang, says in (("zh", zh), ("en", en)):
        answer = ask(*words, "--lang", lang)
        assert (answer.exit_code, says in answer.output) == (1, True), answer.output
        assert "Traceback" not in answer.output


def test_an_unknown_kind_and_a_missing_option_show_the_usage():
    assert ask("--kind", "XX", *WD[2:]).exit_code == ask(*WD[:4]).exit_code == 2
