"""Counting of votes and scores, exact: plain functions of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import groupby

from rules.values import Text

CHOICES = ("yes", "no", "abstain")
HIGHEST = Decimal(100)
CENT = Decimal("0.01")

LABELS: dict[str, Text] = {
    "pass": Text(zh="通過", en="Pass"),
    "pass_with_changes": Text(zh="修正後通過", en="Pass with changes"),
    "defer": Text(zh="緩議", en="Defer"),
    "reject": Text(zh="不通過", en="Reject"),
}
#: where the parties decide
CONSENT_LABELS: dict[str, Text] = {
    "pass": Text(zh="調解成立", en="Settled"),
    "defer": Text(zh="續行調解", en="Goes on another day"),
    "reject": Text(zh="調解不成立", en="Not settled"),
}
#: what the count says, and what may then be recorded
ALLOWED: dict[str, frozenset[str]] = {
    "pass": frozenset({"pass", "pass_with_changes", "defer"}),
    "reject": frozenset({"reject", "defer"}),
    "budget": frozenset({"pass_with_changes", "reject", "defer"}),
    "tie": frozenset({"defer"}),
    "no_quorum": frozenset({"defer"}),
    "consent": frozenset(CONSENT_LABELS),
}
WHY: dict[str, Text] = {
    "pass": Text(zh="通過", en="Carried"),
    "reject": Text(zh="未通過", en="Not carried"),
    "budget": Text(zh="達標但預算不足", en="Good enough, but the budget is used up"),
    "tie": Text(zh="同數或同分，請再表決或緩議", en="A tie: vote again or defer"),
    "no_quorum": Text(zh="人數不足，只能緩議", en="No quorum: it can only be deferred"),
    "consent": Text(zh="由當事人同意成立，不表決", en="The parties decide; nobody votes"),
}


@dataclass(frozen=True)
class Count:
    """How one item was decided. `verdict` is a key of ALLOWED."""

    eligible: int
    voters: int
    verdict: str
    yes: int = 0
    no: int = 0
    abstain: int = 0
    mean: Fraction | None = None
    rank: int | None = None
    #: how the chair decided the tie
    casting: str = ""

    @property
    def shown_mean(self) -> str:
        return "" if self.mean is None else str(rounded(self.mean))


def labels(mode: str) -> dict[str, Text]:
    """What a committee of this mode may record."""
    return CONSENT_LABELS if mode == "consent" else LABELS


def rounded(mean: Fraction) -> Decimal:
    """Two places, half up, for the eye only: what is compared is the fraction."""
    exact = Decimal(mean.numerator) / Decimal(mean.denominator)
    return exact.quantize(CENT, ROUND_HALF_UP)


def quorum_met(rule: str, voters: int, eligible: int) -> bool:
    """Of those who may decide the item; whoever has a conflict of interest counts on neither side."""
    if voters == 0:
        return False
    return 3 * voters >= 2 * eligible if rule == "two_thirds" else 2 * voters > eligible


def votes(ballots: Sequence[str], eligible: int, rule: str) -> Count:
    """Carried by more than half of those who voted; as many for as against is a tie."""
    yes, no, abstain = (sum(ballot == choice for ballot in ballots) for choice in CHOICES)
    if not quorum_met(rule, len(ballots), eligible):
        verdict = "no_quorum"
    elif yes == no:
        verdict = "tie"
    else:
        verdict = "pass" if 2 * yes > len(ballots) else "reject"
    return Count(eligible, len(ballots), verdict, yes, no, abstain)


def broken(count: Count, casting: str | None) -> Count:
    """可否同數時，取決於主席: of a tie what the chair decided; anything else stays as it was counted."""
    if count.verdict != "tie" or casting not in ("yes", "no"):
        return count
    return replace(count, verdict="pass" if casting == "yes" else "reject", casting=casting)


def scores(ballots: Sequence[str], eligible: int, rule: str, pass_score: Decimal) -> Count:
    """The exact mean against the line."""
    if not quorum_met(rule, len(ballots), eligible):
        return Count(eligible, len(ballots), "no_quorum")
    mean = sum((Fraction(ballot) for ballot in ballots), Fraction()) / len(ballots)
    return Count(eligible, len(ballots), "pass" if mean >= Fraction(pass_score) else "reject", mean=mean)


def ranked(counts: Sequence[Count], amounts: Sequence[Decimal], budget: Decimal | None) -> list[Count]:
    """The counts with their ranks; with a budget, those who passed get it in order of rank until it is used up.

    Nobody lower is preferred because they ask for less. Where several have the same mean and the rest is not
    enough for all of them, it is for the committee to decide between them.
    """
    found = list(counts)
    by_mean = sorted(
        (i for i, c in enumerate(found) if c.mean is not None), key=lambda i: -(found[i].mean or 0)
    )
    left, rank, is_used_up = budget, 1, False
    for _mean, group in groupby(by_mean, key=lambda i: found[i].mean):
        same = list(group)
        wanted = sum((amounts[i] for i in same), Decimal())
        verdict = found[same[0]].verdict
        if verdict == "pass" and left is not None:
            if is_used_up or wanted > left:
                verdict = "tie" if not is_used_up and len(same) > 1 else "budget"
                is_used_up = True
            else:
                left -= wanted
        for i in same:
            found[i] = replace(found[i], rank=rank, verdict=verdict)
        rank += len(same)
    return found
