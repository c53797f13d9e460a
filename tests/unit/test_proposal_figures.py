"""What a proposal says in figures is checked row by row; every mistake is named at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from webapp.services import proposal_figures
from webapp.services.proposal_figures import Figures, in_language


def read(said: dict[str, Any], year: int = 116) -> Figures | list[proposal_figures.Mistake]:
    return proposal_figures.read(said, year)


def answers(**changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "starts_on": "2027-01-15",
        "ends_on": "2027-03-10",
        "budget": [
            {"year": 116, "source": "county", "amount": "600"},
            {"year": 116, "source": "central", "amount": "400"},
        ],
        "milestones": [{"what": "發包", "month": "116/2"}],
        "curve": curve(("116/1", "10"), ("116/2", "60.5"), ("116/3", "100")),
    }
    return {**said, **changes}


def curve(*points: tuple[str, ...]) -> list[dict[str, str]]:
    return [dict(zip(("month", "planned", "spend"), point, strict=False)) for point in points]


def test_figures_that_fit() -> None:
    found = read(answers(curve=curve(("116/1", "10", "0"), ("116/2", "60.5"), ("116/3", "100", "1000"))))
    assert isinstance(found, Figures)
    assert (found.total, found.milestones[0].month) == (Decimal(1000), date(2027, 2, 1))
    assert [(p.month.month, p.planned, p.budget) for p in found.curve] == [
        (1, Decimal(10), Decimal(0)),
        (2, Decimal("60.5"), None),
        (3, Decimal(100), Decimal(1000)),
    ]


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"curve": curve(("116/1", "10"), ("116/2", "99.99"))}, "curve",
         "預定進度第 2 列：最後一個月（116年2月）的累計預定進度須為 100%，目前 99.99%"),
        ({"curve": curve(("116/1", "50"), ("116/2", "40"), ("116/3", "100"))}, "curve",
         "第 2 列：累計預定進度不會倒退：第 1 列（116年1月）已是 50%"),
        ({"curve": curve(("116/2", "50"), ("116/1", "60"), ("116/3", "100"))}, "curve", "第 2 列：月份比第 1 列早"),
        ({"curve": curve(("116/2", "50"), ("116/2", "100"))}, "curve", "第 2 列：116年2月在第 1 列已經出現，一個月只能一列"),
        ({"curve": curve(("115/12", "50"), ("116/1", "100"))}, "curve", "第 1 列：115年12月不在計畫開始與完成之間"),
        ({"curve": curve(("116/1", "50"), ("116/4", "100"))}, "curve", "第 2 列：116年4月不在"),
        (
            {"curve": curve(("116/1", "50", "500"), ("116/2", "60", "400"), ("116/3", "100"))},
            "curve", "第 2 列：累計預定經費不會減少：第 1 列（116年1月）已是 500 元",
        ),
        ({"curve": curve(("116/1", "50"), ("116/3", "100", "1001"))}, "curve", "1,001 元超過經費需求合計 1,000 元"),
        ({"curve": curve(("一月", "50"), ("116/3", "100"))}, "curve", "第 1 列的月份「一月」無法辨識"),
        ({"milestones": [{"what": "發包", "month": "x"}]}, "milestones", "查核點第 1 列的月份「x」無法辨識"),
        ({"milestones": [{"what": "發包", "month": "116/4"}]}, "milestones", "第 1 列的116年4月不在"),
        ({"budget": [{"year": 117, "source": "county", "amount": "1"}]}, "budget", "第 1 列的 117 年度不在計畫期程"),
        ({"budget": [{"year": 116, "source": "county", "amount": "1"}] * 2}, "budget", "第 2 列與第 1 列是同一年度"),
        (
            {"budget": [{"year": 116, "source": source, "amount": "9" * 14} for source in ("county", "central")]},
            "budget", "各列合計 199,999,999,999,998 元超過系統所能記載的 99,999,999,999,999 元",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(changes: dict[str, Any], field: str, said: str) -> None:
    found = read(answers(**changes))
    assert not isinstance(found, Figures)
    assert {name for name, _words in found} == {field}
    assert any(said in words.zh for _name, words in found), found
    assert all(words.en and words.en != words.zh for _name, words in found)


def test_every_mistake_at_once() -> None:
    found = read(
        answers(
            budget=[{"year": 200, "source": "county", "amount": "1"}],
            milestones=[{"what": "發包", "month": "117/1"}],
            curve=curve(("116/1", "20"), ("116/2", "10")),
        )
    )
    assert not isinstance(found, Figures)
    by_field = in_language(found, "zh")
    assert {name: len(words) for name, words in by_field.items()} == {
        "budget": 2,
        "milestones": 1,
        "curve": 2,
    }


def test_a_milestone_may_lie_anywhere_in_the_last_month() -> None:
    assert isinstance(read(answers(milestones=[{"what": "驗收", "month": "116/3"}])), Figures)


@pytest.mark.parametrize(
    ("year", "said"),
    [
        (115, {"starts_on": "這次提報的是 115 年度", "budget": "沒有 115 年度的經費"}),
        (117, {"ends_on": "這次提報的是 117 年度", "budget": "沒有 117 年度的經費"}),
    ],
)
def test_a_plan_is_proposed_for_the_year_of_its_call(year: int, said: dict[str, str]) -> None:
    found = read(answers(), year)
    assert not isinstance(found, Figures)
    words = in_language(found, "zh")
    assert words.keys() == said.keys() and all(part in words[field][0] for field, part in said.items())


def test_a_plan_over_several_years_needs_money_in_that_of_its_call() -> None:
    """The years before and after are its own affair."""
    several = answers(starts_on="2026-01-01", ends_on="2029-12-31")
    assert isinstance(read(several), Figures)
    found = read(several, 117)
    assert not isinstance(found, Figures) and in_language(found, "zh").keys() == {"budget"}
