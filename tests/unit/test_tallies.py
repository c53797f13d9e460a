"""Votes and scores as tables: exact, with ties, missing quorum and a budget that is used up."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from webapp.services.tallies import Count, quorum_met, ranked, rounded, scores, votes


@pytest.mark.parametrize(
    ("rule", "voters", "eligible", "met"),
    [
        ("majority", 3, 5, True),
        ("majority", 2, 4, False),
        ("majority", 3, 4, True),
        ("majority", 0, 0, False),
        ("two_thirds", 4, 6, True),
        ("two_thirds", 3, 5, False),
        ("two_thirds", 2, 3, True),
    ],
)
def test_quorum(rule: str, voters: int, eligible: int, met: bool) -> None:
    assert quorum_met(rule, voters, eligible) is met


@pytest.mark.parametrize(
    ("ballots", "eligible", "verdict"),
    [
        ("yyn", 5, "pass"),
        ("ynn", 5, "reject"),
        ("yn", 3, "tie"),
        ("yyna", 5, "reject"),
        ("yynaa", 5, "reject"),
        ("aaa", 5, "tie"),
        ("yy", 4, "no_quorum"),
        ("yy", 3, "pass"),
        ("", 3, "no_quorum"),
    ],
)
def test_votes(ballots: str, eligible: int, verdict: str) -> None:
    words = {"y": "yes", "n": "no", "a": "abstain"}
    assert votes([words[b] for b in ballots], eligible, "majority").verdict == verdict


def test_a_mean_is_compared_exactly_and_shown_rounded() -> None:
    line = Decimal("70")
    assert scores(["69.99", "70", "70"], 3, "majority", line).verdict == "reject"
    assert scores(["69.99", "70", "70.01"], 3, "majority", line).verdict == "pass"
    count = scores(["66.67", "66.67", "66.68"], 3, "majority", line)
    assert count.mean == Fraction(20002, 300) and count.shown_mean == "66.67"
    assert [str(rounded(Fraction(n, 8))) for n in (1, 3)] == ["0.13", "0.38"]


def test_the_budget_goes_by_rank_and_stops_at_the_first_that_does_not_fit() -> None:
    def count(mean: int, verdict: str = "pass") -> Count:
        return Count(3, 3, verdict, mean=Fraction(mean))

    counts = [count(80), count(95), count(60, "reject"), count(90), Count(3, 1, "no_quorum")]
    amounts = [Decimal(n) for n in (10, 60, 5, 50, 1)]
    found = ranked(counts, amounts, Decimal(100))
    assert [(c.rank, c.verdict) for c in found] == [
        (3, "budget"),
        (1, "pass"),
        (4, "reject"),
        (2, "budget"),
        (None, "no_quorum"),
    ]
    unlimited = ranked(counts, amounts, None)
    assert [c.verdict for c in unlimited] == ["pass", "pass", "reject", "pass", "no_quorum"]


def test_equal_means_share_a_rank_and_are_not_cut_by_chance() -> None:
    same = [Count(3, 3, "pass", mean=Fraction(80)) for _ in range(2)]
    lower = Count(3, 3, "pass", mean=Fraction(75))
    amounts = [Decimal(60), Decimal(60), Decimal(1)]
    enough = ranked([*same, lower], amounts, Decimal(121))
    assert [(c.rank, c.verdict) for c in enough] == [(1, "pass"), (1, "pass"), (3, "pass")]
    short = ranked([*same, lower], amounts, Decimal(100))
    assert [(c.rank, c.verdict) for c in short] == [(1, "tie"), (1, "tie"), (3, "budget")]
