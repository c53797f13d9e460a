"""Scores in exact arithmetic, by the formula, cap and decimals that `performance_scoring` chose."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Literal

from rules.model import Outcome

Exact = int | Decimal | Fraction
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
    points = sum((Fraction(each) for each in scores), Fraction())
    return method.rate.of(points / sum((Fraction(each) for each in weights), Fraction()) * 100)


@dataclass(frozen=True, slots=True)
class Branch:
    """A table, a heading or an indicator, with its weight and what is below it."""

    key: Hashable
    weight: Exact
    below: tuple["Branch", ...] = ()
    #: of an indicator: whether anything can be said of it
    assessable: bool = True

    @property
    def counts(self) -> bool:
        return any(each.counts for each in self.below) if self.below else self.assessable


def wrong_sums(branch: Branch) -> Iterator[tuple[Branch, Fraction]]:
    """The branches whose weight is not the sum of the weights below them, and that sum."""
    if branch.below:
        total = sum((Fraction(each.weight) for each in branch.below), Fraction())
        if total != Fraction(branch.weight):
            yield branch, total
        for each in branch.below:
            yield from wrong_sums(each)


def counted_weights(branch: Branch, *, rescale: bool) -> dict[Hashable, Fraction]:
    """The weights of all branches that count. Rescaled, what is left out is shared by its nearest neighbours."""
    return dict(_counted(branch, Fraction(branch.weight), rescale))


def _counted(branch: Branch, weight: Fraction, rescale: bool) -> Iterator[tuple[Hashable, Fraction]]:
    if not branch.counts:
        return
    yield branch.key, weight
    left = [each for each in branch.below if each.counts]
    total = sum((Fraction(each.weight) for each in left), Fraction())
    everything = sum((Fraction(each.weight) for each in branch.below), Fraction())
    for each in left:
        share = Fraction(each.weight) * (weight / Fraction(branch.weight))
        yield from _counted(each, share * everything / total if rescale else share, rescale)


def _ratio(formula: str, target: Fraction, achieved: Fraction) -> Fraction:
    if formula == "full":
        return Fraction(1)
    if formula == "equal":
        return Fraction(target == achieved)
    return target / achieved if formula == "target_by_achieved" else achieved / target
