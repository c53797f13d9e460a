"""Limits that an answer finds elsewhere: in another answer, in today, or in a fact of the case.

A date lies `not_before`, `not_after`, `after` or `before` a day; a number is `at_least` or `at_most` another one;
a table has as many `rows` as a number says.
Each is the key of another field, or a mapping with `of` (a key, `today`, or a fact from outside), `days` to add, a
condition `when` and an `advice` that ends the message, or several of them in a list.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from forms.field_type import Json
from forms.messages import Invalid, Mistake, refuse, words
from rules.conditions import Condition, holds
from rules.values import Text, format_day

if TYPE_CHECKING:
    from forms.model import Field, FormDefinition

TODAY = "today"
#: days that are no answers, and what they are called
OUTSIDE: Mapping[str, Text] = {
    TODAY: Text(zh="今天", en="today"),
    "case.filed_on": Text(zh="收件日", en="the day of filing"),
}
MOST_DAYS = 36_600

DATE_BOUNDS = ("not_before", "not_after", "after", "before")
NUMBER_BOUNDS = ("at_least", "at_most")
ROW_BOUNDS = ("rows",)

_FITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "not_before": operator.ge,
    "not_after": operator.le,
    "after": operator.gt,
    "before": operator.lt,
    "at_least": operator.ge,
    "at_most": operator.le,
    "rows": operator.eq,
}
_SAID: Mapping[str, tuple[str, str]] = {
    "not_before": ("不能早於", "cannot be before"),
    "not_after": ("不能晚於", "cannot be after"),
    "after": ("必須晚於", "must be after"),
    "before": ("必須早於", "must be before"),
    "at_least": ("不能小於", "cannot be less than"),
    "at_most": ("不能大於", "cannot be more than"),
}


@dataclass(frozen=True)
class Bound:
    """One limit: of which field or day, how many days later, when it holds, and what to do where it is not kept."""

    of: str
    days: int = 0
    when: Condition | None = None
    advice: Text | None = None


#: as a definition says it
Said: TypeAlias = "str | Bound | tuple[str | Bound, ...] | None"


def listed(said: Said) -> tuple[Bound, ...]:
    if said is None:
        return ()
    every = said if isinstance(said, tuple) else (said,)
    return tuple(Bound(each) if isinstance(each, str) else each for each in every)


def broken(
    definition: FormDefinition,
    field: Field,
    answers: Mapping[str, Json],
    facts: Mapping[str, object],
    today: date,
) -> Invalid | None:
    """The first limit that the answer does not keep."""
    value = answers.get(field.key)
    if value is None:
        return None
    for column in field.columns:
        for row in value if column.bounds and isinstance(value, list) else ():
            cells = {**answers, column.key: row.get(column.key) if isinstance(row, dict) else None}
            if refusal := broken(definition, column, cells, facts, today):
                return Invalid(Mistake(mistake.text) for mistake in refusal.mistakes)
    for name, said in field.bounds.items():
        for bound in listed(said):
            if holds(bound.when, facts) and (
                refusal := _refusal(definition, field, value, name, bound, answers, facts, today)
            ):
                return refusal
    return None


def _refusal(
    definition: FormDefinition,
    field: Field,
    value: Json,
    name: str,
    bound: Bound,
    answers: Mapping[str, Json],
    facts: Mapping[str, object],
    today: date,
) -> Invalid | None:
    is_number = name in NUMBER_BOUNDS
    other = definition.field(bound.of) if bound.of in definition else None
    found = answers.get(bound.of) if other is not None else _from_outside(bound.of, facts, today)
    if found is None:
        return None
    if name in ROW_BOUNDS:
        return _rows_refusal(field, value, Decimal(str(found)), other)
    given: Any
    limit: Any
    given, limit = (
        (Decimal(str(value)), Decimal(str(found)))
        if is_number
        else _comparable(str(value), str(found), bound.days)
    )
    if _FITS[name](given, limit):
        return None
    zh, en = _SAID[name]
    if other is not None and not bound.days:
        pattern, where, shown = ("{other}（{bound}）", "{other} ({bound})"), other.label, _shown(other, found)
    else:
        label = other.label if other is not None else OUTSIDE[bound.of]
        pattern, where, shown = (
            ("{bound}（{other}）", "{bound} ({other})"),
            _away(label, bound.days),
            _day(limit),
        )
    return refuse(
        field.label,
        "{label}" + zh + pattern[0] + "，您填的是{value}" + ("。{advice}" if bound.advice else ""),
        "{label} " + en + " " + pattern[1] + "; you entered {value}" + (". {advice}" if bound.advice else ""),
        part="" if is_number else "year",
        advice=bound.advice,
        other=where,
        bound=shown,
        value=_shown(field, value),
    )


def _rows_refusal(field: Field, value: Json, wanted: Decimal, other: Field | None) -> Invalid | None:
    count = len(value) if isinstance(value, list) else 0
    if other is None or _FITS["rows"](count, wanted):
        return None
    return refuse(
        field.label,
        "{label}要有 {wanted} 列，和「{other}」相同，您填了 {count} 列。請增減列數，或更正「{other}」",
        "{label} needs {wanted} rows, as many as “{other}” says; you filled in {count}. Add or remove rows, or correct "
        "“{other}”",
        wanted=int(wanted),
        other=other.label,
        count=count,
    )


def _from_outside(name: str, facts: Mapping[str, object], today: date) -> str | None:
    day = today if name == TODAY else facts.get(name)
    return day.isoformat() if isinstance(day, date) else None


def _comparable(value: str, found: str, days: int) -> tuple[str, str]:
    """A day and a moment are compared by their days, and so is what is so many days away."""
    if days:
        found = _days_from(date.fromisoformat(found[:10]), days).isoformat()
    size = min(len(value), len(found))
    return value[:size], found[:size]


def _days_from(day: date, days: int) -> date:
    """The calendar ends: what lies beyond it is its last day, or its first."""
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return date.max if days > 0 else date.min


def _away(label: Text, days: int) -> Text:
    if not days:
        return label
    if days > 0:
        return words("{label}之後 {n} 天", "{n} days after {label}", label=label, n=days)
    return words("{label}之前 {n} 天", "{n} days before {label}", label=label, n=-days)


def _day(iso: str) -> Text:
    day = date.fromisoformat(iso[:10])
    return Text(zh=format_day(day, "zh"), en=format_day(day, "en"))


def _shown(field: Field, value: Json) -> Text:
    return Text(zh=field.kind.show(field, value, "zh"), en=field.kind.show(field, value, "en"))
