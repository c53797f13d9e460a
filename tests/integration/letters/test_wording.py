"""Numbers, dates and money as letters write them."""

from datetime import UTC, date, datetime

import pytest

from webapp.letters import wording


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1, "一"), (9, "九"), (10, "十"), (11, "十一"), (20, "二十"), (21, "二十一"), (99, "九十九"),
        (100, "一百"), (105, "一百零五"), (110, "一百一十"), (115, "一百一十五"), (1000, "一千"),
        (1005, "一千零五"), (1050, "一千零五十"), (9999, "九千九百九十九"),
    ],
)  # fmt: skip
def test_numeral(number, written):
    assert wording.numeral(number) == written


@pytest.mark.parametrize("number", [0, -1, 10_000])
def test_no_point_has_such_a_number(number):
    with pytest.raises(ValueError, match=str(number)):
        wording.numeral(number)


def test_dates_are_days_in_taiwan():
    late = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    assert wording.full_date(date(2026, 11, 22)) == "中華民國115年11月22日"
    assert wording.full_date(late) == "中華民國116年1月1日"
    assert wording.full_time(late) == "中華民國116年1月1日 00時30分"
    assert wording.short_date(late) == "116.01.01"


@pytest.mark.parametrize(
    ("amount", "printed"),
    [
        ("500", "新臺幣 500 元"),
        ("1234567.00", "新臺幣 1,234,567 元"),
        ("免費", "免費"),
        ("12.50", "12.50"),
        ("", ""),
    ],
)
def test_dollars(amount, printed):
    assert wording.dollars(amount) == printed


@pytest.mark.parametrize(
    ("code", "printed"), [("9f2c41d70b", "9f2c 41d7 0b"), ("AB-12345", "AB-12345"), ("", "")]
)
def test_grouped(code, printed):
    assert wording.grouped(code) == printed


def test_a_line_is_set_wide_as_a_whole_or_not_at_all():
    assert wording.spaced("金門縣政府", "函") == "金\xa0門\xa0縣\xa0政\xa0府"
    assert wording.spaced("金門縣政府", "農業用地作農業使用證明書") == "金門縣政府"
    assert wording.spaced("函", "金門縣政府") == "函"
