"""What is wrong with a planned curve, by row and part, in both languages."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from webapp.queries.plan_facts import Point
from webapp.services import curve_rules

PLAN = (date(2026, 2, 20), date(2026, 6, 5))


def rows(*said: tuple[int, str, int | None]) -> list[curve_rules.Numbered]:
    """Month, share and money, numbered from 3 on."""
    return [
        (number, Point(date(2026, month, 1), Decimal(share), None if money is None else Decimal(money)))
        for number, (month, share, money) in enumerate(said, start=3)
    ]


@pytest.mark.parametrize(
    ("said", "more", "found"),
    [
        ([(2, "0", None), (6, "100.0000", 5)], {"within": PLAN, "most": Decimal(5)}, []),
        ([(4, "100", 9), (2, "50", None), (3, "50", 9)], {}, []),
        ([(4, "100", None), (2, "50", None)], {"as_written": True}, [(4, "month"), (4, "planned"), (4, "planned")]),
        ([(2, "50", None), (3, "40", None), (4, "45", None), (5, "100", None)], {}, [(4, "planned"), (5, "planned")]),
        ([(2, "50", 7), (3, "60", None), (4, "70", 6), (5, "100", 8)], {}, [(5, "budget")]),
        ([(2, "100", 6)], {"most": Decimal(5)}, [(3, "budget")]),
        ([(1, "10", None), (2, "20", None), (7, "100", None)], {"within": PLAN}, [(3, "month"), (5, "month")]),
        ([(2, "10", None), (3, "20", None), (2, "100", None)], {"as_written": True}, [(5, "month")]),
        ([(2, "99.9999", None)], {}, [(3, "planned")]),
    ],
)  # fmt: skip
def test_every_mistake_names_its_row_and_part(
    said: list[tuple[int, str, int | None]], more: dict[str, Any], found: list[tuple[int, str]]
) -> None:
    mistakes = curve_rules.mistakes(rows(*said), **more)
    assert [(each.number, each.part) for each in mistakes] == found
    assert all(each.text.in_("en") != each.text.zh for each in mistakes)


def test_what_stands_already_is_named_where_it_stands() -> None:
    (falls, shrinks) = curve_rules.mistakes(rows((2, "50.50", 1_000), (3, "40", 999), (4, "100", None)))
    assert falls.text.zh == "累計預定進度不會倒退：第 3 列（115年2月）已是 50.5%。"
    assert shrinks.text.in_("en") == "the money does not fall: row 3 (Feb 2026) has NT$ 1,000 already."
