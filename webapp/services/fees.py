"""What an application costs by its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import forms.answers
from forms.model import FormDefinition
from rules import conditions
from workflows.service import ServiceDefinition


@dataclass(frozen=True)
class Fee:
    """What an application costs. A line without an amount is fixed during the review."""

    lines: tuple[dict[str, Any], ...]
    total: Decimal | None


def counted(service: ServiceDefinition, form: FormDefinition, answers: Mapping[str, Any]) -> Fee:
    """The fee lines that apply to these answers. The total is unknown while one line is."""
    facts = forms.answers.facts(form, answers)
    lines = []
    for fee in service.fees:
        if not conditions.holds(fee.when, facts):
            continue
        count = fee.quantity(facts)
        if count == 0:
            continue
        amount = None if fee.amount is None else fee.amount * count
        lines.append(
            {
                "key": fee.key,
                "zh": fee.label.zh,
                "en": fee.label.in_("en"),
                "amount": None if amount is None else str(amount),
            }
        )
    amounts = [line["amount"] for line in lines]
    total = None if None in amounts else sum((Decimal(str(a)) for a in amounts), Decimal(0))
    return Fee(tuple(lines), total)
