"""What an application costs by its answers, and the amounts that are fixed when an officer proposes to grant it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
from workflows.answers import DECISION
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
    #: a fee that was paid stays as it was paid
    is_paid: bool = False
    is_award: bool = False

    def among(self, amounts: Mapping[str, Decimal]) -> Decimal | None:
        return self.fixed if self.is_paid else amounts.get(self.key)

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
    """Every amount that the definition leaves to the review of this case."""
    lines = {line["key"]: line["amount"] for line in case.fee_lines}
    awarded = {line["key"]: line["amount"] for line in case.awards}
    fees = [
        OpenAmount(fee.key, fee.label, MOST, _read(lines[fee.key]), case.paid_at is not None)
        for fee in service.fees
        if fee.amount is None and fee.key in lines
    ]
    awards = [
        OpenAmount(
            award.key,
            award.label,
            min(MOST, award.at_most or MOST),
            _read(awarded.get(award.key)),
            is_award=True,
        )
        for award in service.awards
    ]
    return (*fees, *awards)


def asked(
    service: ServiceDefinition, case: Case, proposal: str | None, effects: Collection[str]
) -> tuple[OpenAmount, ...]:
    """What an action must fix: everything when it proposes to grant, the fees when it sends an invoice."""
    found = [each for each in open_amounts(service, case) if not each.is_paid]
    if proposal == "grant":
        return tuple(found)
    if "open_invoice" not in effects:
        return ()
    return tuple(each for each in found if not each.is_award)


def fixed(service: ServiceDefinition, case: Case) -> dict[str, Decimal]:
    return {each.key: each.fixed for each in open_amounts(service, case) if each.fixed is not None}


def require(asked_for: Sequence[OpenAmount], amounts: Mapping[str, Decimal]) -> None:
    """Nothing is granted, and no invoice sent, while an amount is open."""
    for each in asked_for:
        try:
            each.read(str(amounts.get(each.key, "")))
        except Invalid as invalid:
            raise Refused(invalid.mistakes[0].text) from invalid


def total(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> Decimal | None:
    """What an invoice would ask for, once these amounts are fixed; None while one is open."""
    return _total(_lines(service, case, amounts))


def fix(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> None:
    """Writes what a proposal to grant says; without amounts, everything that was open is open again."""
    case.fee_lines = _lines(service, case, amounts)
    case.fee_total = _total(case.fee_lines)
    case.awards = [_line(award, amounts[award.key]) for award in service.awards if award.key in amounts]


def _lines(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    left_open = {each.key: each for each in open_amounts(service, case)}
    return [
        _line(each, each.among(amounts)) if (each := left_open.get(line["key"])) else line
        for line in case.fee_lines
    ]


def lines_of(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    """As an event keeps them."""
    return [
        {**_line(each, amounts[each.key]), "award": each.is_award}
        for each in open_amounts(service, case)
        if each.key in amounts
    ]


def announced(service: ServiceDefinition, case: Case, lang: str = "zh") -> str:
    """What was fixed, for a message: fees are owed or paid, awards are granted. 已繳規費：許可費新臺幣 1,200 元。"""
    amounts, every = fixed(service, case), open_amounts(service, case)
    due = _PAID if case.paid_at is not None else _DUE
    granted = _AWARDED if service.answer == DECISION else _AGREED
    said = []
    for title, of_kind in (
        (due, [each for each in every if not each.is_award]),
        (granted, [each for each in every if each.is_award]),
    ):
        known = [each for each in of_kind if each.among(amounts) is not None]
        if known:
            said.append(title.in_(lang).format(_in_words(known, amounts, lang)))
    return "".join(said)


_DUE = Text(zh="應繳規費：{}。", en="Fee to pay: {}. ")
_PAID = Text(zh="已繳規費：{}。", en="Fee paid: {}. ")
_AWARDED = Text(zh="核定補助金額：{}。", en="Amount granted: {}. ")
_AGREED = Text(zh="金額：{}。", en="Amount: {}. ")


def in_words(service: ServiceDefinition, case: Case, amounts: Mapping[str, Decimal], lang: str = "zh") -> str:
    """許可費新臺幣 1,200 元、路面修復費新臺幣 30,000 元."""
    return _in_words(open_amounts(service, case), amounts, lang)


def _in_words(every: Sequence[OpenAmount], amounts: Mapping[str, Decimal], lang: str) -> str:
    parts = []
    for each in every:
        amount, label = each.among(amounts), each.label.in_(lang)
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
