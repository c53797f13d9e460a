"""Scores in exact arithmetic, by the formula, cap and decimals that `performance_scoring` chose."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

from rules.model import Outcome

Exact = int | Decimal
Mode = Literal["half_up", "truncate"]


@dataclass(frozen=True, slots=True)
class Rounding:
    decimals: int
    mode: Mode

    def of(self, value: Fraction) -> Decimal:
        scaled = abs(value) * 10**self.decimals
        whole = floor(scaled + Fraction(1, 2)) if self.mode == "half_up" else floor(scaled)
        return Decimal(-whole if value < 0 else whole).scaleb(-self.decimals)


@dataclass(frozen=True, slots=True)
class Method:
    """How one indicator is scored."""

    formula: str
    cap: Fraction
    ratio: Rounding
    score: Rounding
    rate: Rounding

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> "Method":
        """What the ruleset decided about an indicator; KeyError where it left something open."""
        said = {(outcome.action, outcome.params.get("of")): outcome.params for outcome in outcomes}

        def rounding(of: str) -> Rounding:
            params = said["set_rounding", of]
            return Rounding(int(params["decimals"]), params["mode"])

        return cls(
            formula=said["score_by", None]["formula"],
            cap=Fraction(said["cap_ratio", None]["percent"]) / 100,
            ratio=rounding("ratio"),
            score=rounding("score"),
            rate=rounding("rate"),
        )


@dataclass(frozen=True, slots=True)
class Score:
    #: C as it is printed, in per cent
    ratio: Decimal
    score: Decimal


def score(method: Method, weight: Exact, target: Exact, achieved: Exact) -> Score:
    """weight × C, from the exact ratio, rounded once."""
    ratio = min(_ratio(method.formula, Fraction(target), Fraction(achieved)), method.cap)
    return Score(method.ratio.of(ratio * 100), method.score.of(Fraction(weight) * ratio))


def rate(method: Method, scores: Iterable[Exact], weights: Iterable[Exact]) -> Decimal:
    """The rounded scores together as per cent of their weights."""
    return method.rate.of(
        Fraction(sum(map(Fraction, scores), Fraction()) / sum(map(Fraction, weights))) * 100
    )


def _ratio(formula: str, target: Fraction, achieved: Fraction) -> Fraction:
    if formula == "full":
        return Fraction(1)
    if formula == "equal":
        return Fraction(target == achieved)
    return target / achieved if formula == "target_by_achieved" else achieved / target
