"""Averages of progress: of what is known, rounded half up once, with the decimals that plan_reporting says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from webapp.queries import definitions


def mean(values: Iterable[Decimal | None]) -> Decimal | None:
    """Of what is known; none where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def decimals(day: date) -> int:
    """Of an average, as plan_reporting says."""
    ruleset, _revision = definitions.deciding("plan_reporting", day)
    outcomes = ruleset.answer({"plan.completed": False}).outcomes
    return next(
        (
            int(o.params["decimals"])
            for o in outcomes
            if o.action == "set_rounding" and o.params["of"] == "average"
        ),
        0,
    )


def rounded(value: Decimal, day: date) -> Decimal:
    """Half up, once."""
    return value.quantize(Decimal(1).scaleb(-decimals(day)), ROUND_HALF_UP)
