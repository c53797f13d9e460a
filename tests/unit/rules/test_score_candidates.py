"""Which arithmetic the published table of 100 proves: every other way of computing it misses one of its figures."""

import csv
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from rules import engine
from rules.loader import load, read_all
from rules.scoring import Branch, Method, Rounding, Score, counted_weights, rate, score, wrong_sums

with (Path(__file__).parents[2] / "data" / "scoring.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
ASPECTS = {"B": "business", "H": "staff", "F": "budget"}
Change = Callable[[Method], Method]
HALF_UP_1, HALF_UP_2 = Rounding(1, "half_up"), Rounding(2, "half_up")


@pytest.fixture(scope="module")
def methods() -> list[Method]:
    """As the ruleset has it, by row."""
    compiled = engine.compile(load(read_all()["performance_scoring"]))
    found = []
    for row in ROWS:
        facts = {
            "score.direction": row["direction"].removesuffix("_better"),
            "score.dimension": ASPECTS[row["dim_code"][0]],
            "score.target": Decimal(row["target_A"]),
            "score.achieved": Decimal(row["achieved_B"]),
            "score.assessable": True,
        }
        found.append(Method.of(compiled.evaluate(facts).outcomes))
    compiled.close()
    return found


def scored(methods: list[Method], change: Change = lambda method: method) -> list[Score]:
    return [
        score(change(method), *(Decimal(row[name]) for name in ("weight", "target_A", "achieved_B")))
        for method, row in zip(methods, ROWS, strict=True)
    ]


def figures(methods: list[Method], change: Change = lambda method: method) -> dict[str, Decimal]:
    """The total, the rate of the business dimension, and the three rows below 100%."""
    found = scored(methods, change)
    points = [each.score for each in found]
    business = [n for n, row in enumerate(ROWS) if row["dim_code"][0] == "B"]
    weights = [Decimal(ROWS[n]["weight"]) for n in business]
    return {
        "total": sum(points, Decimal(0)),
        "rate": rate(methods[0], [points[n] for n in business], weights),
        "C of English": found[30].ratio,
        **{f"row {n}": points[n - 1] for n in (26, 31, 33)},
    }


PUBLISHED = {
    "total": Decimal("96.25"),
    "rate": Decimal("98.9"),
    "C of English": Decimal(66),
    "row 26": Decimal("4.2"),
    "row 31": Decimal("3.3"),
    "row 33": Decimal("3.75"),
}


def test_the_ruleset_gives_what_was_published(methods: list[Method]) -> None:
    assert figures(methods) == PUBLISHED


@pytest.mark.parametrize(
    ("change", "misses"),
    [
        (
            lambda method: replace(method, score=HALF_UP_2),
            {"row 26": "4.17", "row 31": "3.33", "rate": "98.8"},
        ),
        (lambda method: replace(method, score=HALF_UP_1), {"row 33": "3.8", "total": "96.3"}),
        (lambda method: replace(method, ratio=Rounding(0, "half_up")), {"C of English": "67"}),
        (lambda method: replace(method, cap=Fraction(1000)), {"total": "106.43"}),
        (
            lambda method: replace(method, formula="achieved_by_target"),
            {"row 33": "5.00", "total": "97.50"},
        ),
        (
            lambda method: replace(method, score=replace(method.score, mode="truncate")),
            {"row 26": "4.1", "total": "96.15"},
        ),
    ],
    ids=["two decimals", "one decimal", "C rounded", "no cap", "no inverse", "truncated scores"],
)
def test_other_arithmetic_misses(methods: list[Method], change: Change, misses: dict[str, str]) -> None:
    found = figures(methods, change)
    assert {name: found[name] for name in misses} == {name: Decimal(value) for name, value in misses.items()}
    assert all(found[name] != PUBLISHED[name] for name in misses)


def test_the_exact_sum_misses_the_rate(methods: list[Method]) -> None:
    """Without rounding the total agrees, since +1/30 and -1/30 cancel; the rate and the sums do not."""
    exact = [Fraction(Decimal(row["weight"])) * min(_ratio(row), Fraction(1)) for row in ROWS]
    business = [value for value, row in zip(exact, ROWS, strict=True) if row["dim_code"][0] == "B"]
    assert sum(exact) == Fraction("96.25")
    assert rate(methods[0], business, [70]) == Decimal("98.8")
    assert sum(business) != Fraction("69.2")


def test_the_truncated_c_misses_the_total(methods: list[Method]) -> None:
    """Two decimals from the printed C: 4.15 and 96.20."""
    cut = [
        HALF_UP_2.of(Fraction(Decimal(row["weight"])) * Fraction(each.ratio) / 100)
        for row, each in zip(ROWS, scored(methods), strict=True)
    ]
    assert (cut[25], sum(cut)) == (Decimal("4.15"), Decimal("96.20"))


def test_a_half_goes_up() -> None:
    """Where bankers' rounding goes down, and a binary number may lie below."""
    assert HALF_UP_1.of(Fraction("0.25")) == Decimal("0.3")
    assert HALF_UP_2.of(Fraction("4.145")) == Decimal("4.15")


def _ratio(row: dict[str, str]) -> Fraction:
    target, achieved = Fraction(row["target_A"]), Fraction(row["achieved_B"])
    return target / achieved if row["direction"] == "lower_better" else achieved / target


# --- weights -------------------------------------------------------------------------------------------------


def tree(*, left_out: tuple[str, ...] = (), goal: int = 6) -> Branch:
    def leaf(key: str, weight: int) -> Branch:
        return Branch(key, weight, assessable=key not in left_out)

    first = Branch("first", goal, (leaf("a", 2), leaf("b", 4)))
    second = Branch("second", 4, (leaf("c", 4),))
    return Branch("all", 10, (first, second))


def test_weights_that_do_not_add_up_are_named() -> None:
    assert list(wrong_sums(tree())) == []
    wrong = [(branch.key, total) for branch, total in wrong_sums(tree(goal=5))]
    assert wrong == [("all", 9), ("first", 6)]


@pytest.mark.parametrize(
    ("left_out", "rescaled", "kept"),
    [
        ((), {"a": 2, "b": 4, "c": 4}, {"a": 2, "b": 4, "c": 4}),
        (("a",), {"b": 6, "c": 4}, {"b": 4, "c": 4}),
        (("a", "b"), {"c": 10}, {"c": 4}),
        (("c",), {"a": Fraction(10, 3), "b": Fraction(20, 3)}, {"a": 2, "b": 4}),
        (("a", "b", "c"), {}, {}),
    ],
)
def test_what_is_left_out_goes_to_the_nearest(
    left_out: tuple[str, ...], rescaled: dict[str, Fraction], kept: dict[str, Fraction]
) -> None:
    for rescale, expected in ((True, rescaled), (False, kept)):
        found = counted_weights(tree(left_out=left_out), rescale=rescale)
        assert {key: weight for key, weight in found.items() if key in "abc"} == expected
