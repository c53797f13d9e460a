"""What an application costs by its answers, and the amounts that are fixed when an officer proposes to grant it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import forms.answers
from forms.field_type import Setting
from forms.messages import Invalid
from forms.model import Field, FormDefinition
from rules import conditions
from rules.values import Text
from webapp.errors import Refused
from workflows.service import UNFILLED, Award, ServiceDefinition
from workflows.service import Fee as FeeRule

if TYPE_CHECKING:
    from webapp.models import Case

#: what fits into the total of a case however many lines it has
MOST = Decimal(99_999_999)


@dataclass(frozen=True)
class Fee:
    """What an application costs. A line without an amount is fixed during the review."""

    lines: tuple[dict[str, Any], ...]
    total: Decimal | None


@dataclass(frozen=True)
class OpenAmount:
    """A fee or an award (核定金額) that the definition leaves to the review."""

    key: str
    label: Text
    at_most: Decimal
    #: as an earlier proposal fixed it
    fixed: Decimal | None

    def read(self, typed: str) -> Decimal:
        """Whole dollars; Invalid says what is wrong with them."""
        asked = Field(
            key=self.key, type="money", label=self.label, min=Decimal(0), max=self.at_most, decimals=0
        )
        given = asked.kind.parse(asked, {"": [typed]}, Setting(date.min))
        if given is None:
            raise asked.kind.missing(asked)
        return Decimal(str(given))


def counted(
    service: ServiceDefinition,
    form: FormDefinition,
    answers: Mapping[str, Any],
    fixed: Mapping[str, Decimal] = MappingProxyType({}),
) -> Fee:
    """The fee lines that apply to these answers. The total is unknown while one line is."""
    facts = forms.answers.facts(form, answers)
    lines = []
    for fee in service.fees:
        if not conditions.holds(fee.when, facts):
            continue
        count = fee.quantity(facts)
        if count == 0:
            continue
        lines.append(_line(fee, fixed.get(fee.key) if fee.amount is None else fee.amount * count))
    return Fee(tuple(lines), _total(lines))


def open_amounts(service: ServiceDefinition, case: Case) -> tuple[OpenAmount, ...]:
    """Every amount that a proposal to grant this case must fix."""
    lines = {line["key"]: line["amount"] for line in case.fee_lines}
    awarded = {line["key"]: line["amount"] for line in case.awards}
    fees = [
        OpenAmount(fee.key, fee.label, MOST, _read(lines[fee.key]))
        for fee in service.fees
        if fee.amount is None and fee.key in lines
    ]
    awards = [
        OpenAmount(award.key, award.label, min(MOST, award.at_most or MOST), _read(awarded.get(award.key)))
        for award in service.awards
    ]
    return (*fees, *awards)


def fixed(service: ServiceDefinition, case: Case) -> dict[str, Decimal]:
    return {each.key: each.fixed for each in open_amounts(service, case) if each.fixed is not None}


def require(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> None:
    """Nothing is granted while an amount is open."""
    for each in open_amounts(service, case):
        try:
            each.read(str(amounts.get(each.key, "")))
        except Invalid as invalid:
            raise Refused(invalid.mistakes[0].text) from invalid


def fix(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> None:
    """Writes what a proposal to grant says; without amounts, everything that was open is open again."""
    open_keys = {each.key for each in open_amounts(service, case)}
    rules = {fee.key: fee for fee in service.fees if fee.key in open_keys}
    case.fee_lines = [
        _line(rules[line["key"]], amounts.get(line["key"])) if line["key"] in rules else line
        for line in case.fee_lines
    ]
    case.fee_total = _total(case.fee_lines)
    case.awards = [_line(award, amounts[award.key]) for award in service.awards if award.key in amounts]


def lines_of(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    """As an event keeps them."""
    return [_line(each, amounts[each.key]) for each in open_amounts(service, case) if each.key in amounts]


def in_words(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal], lang: str = "zh") -> str:
    """許可費新臺幣 1,200 元、路面修復費新臺幣 30,000 元."""
    parts = []
    for each in open_amounts(service, case):
        amount, label = amounts.get(each.key), each.label.in_(lang)
        if amount is None:
            parts.append(f"{label}{UNFILLED}")
        elif lang == "en":
            parts.append(f"{label} NT$ {conditions.show_number(amount)}")
        else:
            parts.append(f"{label}新臺幣 {conditions.show_number(amount)} 元")
    return (", " if lang == "en" else "、").join(parts)


def _line(named: FeeRule | Award | OpenAmount, amount: Decimal | None) -> dict[str, Any]:
    return {
        "key": named.key,
        "zh": named.label.zh,
        "en": named.label.in_("en"),
        "amount": None if amount is None else str(amount),
    }


def _total(lines: Sequence[Mapping[str, Any]]) -> Decimal | None:
    amounts = [_read(line["amount"]) for line in lines]
    return None if None in amounts else sum(filter(None, amounts), Decimal(0))


def _read(stored: str | None) -> Decimal | None:
    return None if stored is None else Decimal(stored)
