"""Curves as people write and paste them, and months as people write them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from webapp.periods import parse_month
from webapp.queries.plan_facts import Version, in_force, planned_at
from webapp.services import plan_curves
from webapp.services.plan_curves import Row

AUGUST = date(2026, 8, 1)


@pytest.mark.parametrize(
    "written",
    [
        "115-08", "115/8", "115年8月", "１１５－０８", "115M08", "2026-08", " 115.8 ", "115 年 8 月", "115  / 08",
        "民國115年8月", "民國 115 年 8 月", "西元2026年8月", "2026年08月",
    ],
)  # fmt: skip
def test_a_month_as_people_write_it(written: str) -> None:
    assert parse_month(written) == AUGUST


@pytest.mark.parametrize(
    "written",
    [
        "", "8", "115", "115-13", "115-00", "八月", "0-08", "9/2", "115-08-01", "115-8-", "11115-08", "1500-08",
        "民國2026年8月", "西元115年8月", "115/8" * 9,
    ],
)  # fmt: skip
def test_what_is_no_month(written: str) -> None:
    with pytest.raises(ValueError, match="no month"):
        parse_month(written)


@pytest.mark.parametrize(
    "pasted",
    [
        "115-08\t20.5\t200,000\n115-09\t100\t",
        "115-08,20.5,200000\r\n115-09,100\r\n",
        '115-08,20.5,"200,000"\n\n115-09,100%',
        "115-08 20.5 200,000\n115-09 100",
        "月份,進度,經費\n115-08，20.5，200000\n115-09，100",
    ],
)
def test_what_is_pasted_is_read(pasted: str) -> None:
    points, mistakes = plan_curves.read(plan_curves.lines(pasted))
    assert mistakes == []
    assert [(p.month, p.planned, p.budget) for p in points] == [
        (AUGUST, Decimal("20.5"), 200_000),
        (date(2026, 9, 1), Decimal(100), None),
    ]
    again, _none = plan_curves.read(plan_curves.lines(plan_curves.written(points)))
    assert again == points


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "請填寫預定進度"),
        ([("115-08", "99.9999", "")], "第 1 列：最後一個月"),
        ([("115-08", "100.1", "")], "第 1 列：累計預定進度是 0 到 100"),
        ([("115-08", "1.23456", ""), ("115-09", "100", "")], "小數最多 4 位"),
        ([("115-08", "NaN", "")], "不是「NaN」"),
        ([("115-08", "", "")], "第 1 列：累計預定進度"),
        ([("115-08", "100", "12.5")], "第 1 列：累計預定經費是整數元"),
        (
            [("115-08", "50", "900"), ("115-09", "100", "800")],
            "第 2 列：累計預定經費不會減少：第 1 列（115年8月）已是 900 元",
        ),
        (
            [("115-09", "40", ""), ("115-08", "50", ""), ("115-10", "100", "")],
            "第 1 列：累計預定進度不會倒退",
        ),
        ([("115-08", "100", "")] * 121, "最多 120 列"),
    ],
)
def test_every_mistake_is_named_by_its_row(rows: list[tuple[str, str, str]], words: str) -> None:
    _points, mistakes = plan_curves.read([Row(n, *row) for n, row in enumerate(rows, start=1)])
    assert any(words in each.zh for each in mistakes), mistakes
    assert all(each.en for each in mistakes)


def test_the_curve_of_a_month_is_the_last_approved_that_had_taken_effect() -> None:
    def version(number: int, month: int) -> Version:
        return Version(number, date(2026, month, 1), [plan_curves.Point(AUGUST, Decimal(number), None)])

    held = [version(1, 1), version(2, 6), version(3, 3)]
    found = [in_force(held, date(2026, month, 1))[0].planned for month in (1, 2, 3, 5, 6, 12)]
    assert found == [1, 1, 3, 3, 3, 3], "the third was approved last and begins in March"
    assert in_force([version(1, 6)], date(2026, 1, 1))[0].planned == 1
    assert in_force([], AUGUST) == [] and planned_at([], AUGUST) is None
