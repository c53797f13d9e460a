"""Milestones: rows as the plan-control office types them, as a report says them, and when one is late."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from webapp.models import Milestone
from webapp.queries.milestones import standing
from webapp.queries.plan_facts import checkpoint_late
from webapp.services import plan_milestones
from webapp.services.plan_milestones import Rows

MAY, JUNE, JULY = (date(2026, month, 1) for month in (5, 6, 7))
STARTS, ENDS = date(2026, 3, 15), date(2026, 8, 10)
#: of the report that is being sent, and of another
OWN, OTHER = 7, 8


def milestone(
    what: str, due: date, reached_on: date | None = None, report_id: int | None = None
) -> Milestone:
    made = Milestone(plan_id=1, ordinal=1, what=what, due_month=due)
    made.reached_on, made.report_id = reached_on, report_id
    return made


def row(what: str, month: str, reached_on: str | None = None) -> dict[str, Any]:
    return {"what": what, "month": month} | ({"reached_on": reached_on} if reached_on else {})


def test_rows_of_a_plan_are_read_in_their_order() -> None:
    rows = [row("驗收", "115年8月"), row("發包", "115-03"), row("發包", "2026/4")]
    expected = [("驗收", date(2026, 8, 1)), ("發包", date(2026, 3, 1)), ("發包", date(2026, 4, 1))]
    assert plan_milestones.read(rows, STARTS, ENDS) == (expected, [])
    assert plan_milestones.read([row("發包", "120-01")], None, None) == ([("發包", date(2031, 1, 1))], [])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("發包", "115-06"), row("驗收", "115-13")], "第 2 列：月份「115-13」無法辨識"),
        ([row("發包", "明年" * 9)], "第 1 列：月份「明年"),
        ([row("發包", "115-02")], "第 1 列：115年2月不在計畫開始與結束之間"),
        ([row("發包", "115-09")], "第 1 列：115年9月不在計畫開始與結束之間"),
        ([row("發包", "115-06"), row("發包", "115年6月")], "第 2 列：和第 1 列是同一個查核點"),
    ],
)
def test_rows_of_a_plan_that_cannot_be(rows: Rows, words: str) -> None:
    (mistake,) = plan_milestones.read(rows, STARTS, ENDS)[1]
    assert mistake.zh.startswith(words) and mistake.in_("en").startswith("Row ")


def test_rows_of_a_report_say_what_was_reached() -> None:
    first, second = milestone("發包", MAY), milestone("驗收", JUNE, date(2026, 6, 9), OWN)
    rows = [row("驗收", "115-06"), row("發包", "115/5", "2026-05-30")]
    said = plan_milestones.reached(rows, [first, second], OWN)
    assert said == ([(second, None), (first, date(2026, 5, 30))], [])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [row("發包", "115-06")],
            "第 1 列：「發包」（115-06）不是這個計畫的查核點；尚未達成的是「發包」（115-05）",
        ),
        ([row("發包", "什麼"), row("發包", "115-05")], "第 1 列：「發包」（什麼）不是這個計畫的查核點"),
        ([row("<script>", "115-05")], "第 1 列：「<script>」（115-05）不是這個計畫的查核點"),
        ([row("發包", "115-05"), row("發包", "115/5", "2026-05-30")], "第 2 列：和第 1 列是同一個查核點"),
        ([row("設計", "115-05", "2026-05-03")], "第 1 列：「設計」在別份填報已於 民國115年5月2日 達成"),
        ([row("設計", "115-05")], "第 1 列：「設計」在別份填報已於"),
    ],
)
def test_rows_of_a_report_that_cannot_be(rows: Rows, words: str) -> None:
    held = [milestone("發包", MAY), milestone("設計", MAY, date(2026, 5, 2), OTHER)]
    (mistake,) = plan_milestones.reached(rows, held, OWN)[1]
    assert mistake.zh.startswith(words) and mistake.in_("en").startswith(
        "Row 1" if len(rows) == 1 else "Row "
    )


@pytest.mark.parametrize(
    ("due", "month", "late"),
    [
        ([], JUNE, None),
        ([(JULY, None)], JUNE, False),
        ([(JUNE, None)], JUNE, True),
        ([(JUNE, None), (MAY, date(2026, 5, 31))], JUNE, True),
        ([(JUNE, date(2026, 6, 30))], JUNE, False),
        ([(JUNE, date(2026, 7, 1))], JUNE, True),
        ([(JUNE, date(2026, 7, 1))], JULY, False),
    ],
)
def test_late_is_what_was_not_reached_by_the_end_of_the_month(
    due: list[tuple[date, date | None]], month: date, late: bool | None
) -> None:
    """A report of June says ever after what was so at the end of June, whenever it is decided."""
    assert checkpoint_late(due, month) is late


@pytest.mark.parametrize(
    ("reached_on", "today", "said"),
    [
        (None, date(2026, 6, 30), "due"),
        (None, date(2026, 7, 1), "late"),
        (date(2026, 7, 9), date(2026, 7, 10), "reached"),
    ],
)
def test_where_a_milestone_stands(reached_on: date | None, today: date, said: str) -> None:
    assert standing(milestone("發包", JUNE, reached_on, OWN if reached_on else None), today) == said
