"""A table of facts as people bring it: by name or label, with their way of writing numbers, days, yes and no."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from rules.fact_tables import read


def test_facts_by_name_and_label_in_the_words_of_people() -> None:
    table = read(
        [
            ["計畫", "plan.lag", "當期未填報", "計畫經費", "Planned progress", "備註"],
            ["甲", "6.5", "是", "50,000,000", "80%", "x"],
            ["", "", "FALSE", "", "", ""],
        ]
    )
    assert table.problems == ()
    assert table.ignored == ("備註",)
    assert table.rows == (
        (
            "甲",
            {
                "plan.lag": Decimal("6.5"),
                "plan.report_missing": True,
                "plan.budget": Decimal(50_000_000),
                "plan.planned": Decimal(80),
            },
        ),
        ("第 3 列", {"plan.report_missing": False}),
    )


def test_the_lag_is_computed_where_it_is_not_given() -> None:
    rows = read(
        [["計畫", "預定進度", "實際進度", "進度落後"], ["甲", "30", "20.55"], ["乙", "30", "20", "1"]]
    ).rows
    assert [facts["plan.lag"] for _, facts in rows] == [Decimal("9.45"), Decimal(1)]


def test_days_and_options() -> None:
    (row, other) = read(
        [
            ["案件", "申請日期", "petition.kind", "service.stages"],
            ["a", "114/9/25", "首長信箱", "fee、inspection"],
            ["b", "2025-09-25", "petition", ""],
        ]
    ).rows
    assert row[1] == {
        "case.filed_on": date(2025, 9, 25),
        "petition.kind": "mailbox",
        "service.stages": ["fee", "inspection"],
    }
    assert other[1] == {"case.filed_on": date(2025, 9, 25), "petition.kind": "petition"}


def test_mistakes_name_row_and_column() -> None:
    found = read([["計畫", "進度落後", "當期未填報"], ["甲", "很多", "也許"], ["乙", "NaN", "否"]]).problems
    assert [str(each.message) for each in found] == [
        "第 2 列第 2 欄「進度落後」：「很多」不是數字",
        "第 2 列第 3 欄「當期未填報」：「也許」不是是或否",
        "第 3 列第 2 欄「進度落後」：「NaN」不是數字",
    ]
    assert "至少要有標題列" in read([["計畫"]]).problems[0].message.zh
    assert "沒有任何事實的名稱" in read([["計畫", "x"], ["甲", "1"]]).problems[0].message.zh
