"""A table of facts that somebody brings: a name in the first column, facts by name or label in the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from rules.conditions import TYPE_NAMES, coerce
from rules.facts import FACTS, Fact
from rules.values import Problem, Text, parse_roc_date, say

#: what is computed where it is not given: fact, minuend, subtrahend
DIFFERENCES = (("plan.lag", "plan.planned", "plan.actual"),)

_YES, _NO = frozenset(("是", "true", "yes", "1", "y", "✓")), frozenset(("否", "false", "no", "0", "n"))


@dataclass(frozen=True)
class FactTable:
    rows: tuple[tuple[str, Mapping[str, object]], ...]
    #: columns that are no facts
    ignored: tuple[str, ...]
    problems: tuple[Problem, ...]


def read(lines: Sequence[Sequence[str]]) -> FactTable:
    """Every mistake with its row and column; an empty cell is a fact that is missing, an empty row is none."""
    rows = [[cell.strip() for cell in line] for line in lines if any(cell.strip() for cell in line)]
    if len(rows) < 2:
        return FactTable((), (), (Problem(path="", message=_TOO_SHORT),))
    by_word = {fact.label.zh: fact for fact in FACTS.values()} | {
        fact.label.in_("en").casefold(): fact for fact in FACTS.values()
    }
    heads = [FACTS.get(head) or by_word.get(head) or by_word.get(head.casefold()) for head in rows[0][1:]]
    if not any(heads):
        return FactTable((), tuple(rows[0][1:]), (Problem(path="", message=_NO_HEADS),))
    found, problems = [], []
    for number, row in enumerate(rows[1:], start=2):
        facts: dict[str, object] = {}
        for column, (fact, cell) in enumerate(zip(heads, row[1:], strict=False), start=2):
            if fact is None or not cell:
                continue
            value = _value(fact, cell)
            if value is None:
                message = say(
                    "第 {row} 列第 {column} 欄「{label}」：「{cell}」不是{kind}",
                    "Row {row}, column {column} “{label}”: “{cell}” is not of type {kind}",
                    row=number,
                    column=column,
                    label=fact.label,
                    cell=cell[:40],
                    kind=_KINDS[fact.type],
                )
                problems.append(Problem(path=f"{number}.{column}", message=message))
            else:
                facts[fact.name] = value
        for name, whole, part in DIFFERENCES:
            if name not in facts and whole in facts and part in facts:
                facts[name] = Decimal(str(facts[whole])) - Decimal(str(facts[part]))
        found.append((row[0] or f"第 {number} 列", facts))
    ignored = tuple(head for head, fact in zip(rows[0][1:], heads, strict=True) if fact is None and head)
    return FactTable(tuple(found), ignored, tuple(problems))


_KINDS: Mapping[str, Text] = {**TYPE_NAMES, "boolean": Text(zh="是或否", en="yes or no")}
_TOO_SHORT = Text(
    zh="至少要有標題列與一列資料", en="There must be a row of headings and at least one of data"
)
_NO_HEADS = Text(
    zh="標題列沒有任何事實的名稱，例如 plan.lag 或「進度落後」",
    en="The headings name no fact, such as plan.lag or “Lag”",
)


def _value(fact: Fact, cell: str) -> object:
    if fact.type == "boolean":
        word = cell.casefold()
        return True if word in _YES else False if word in _NO else None
    if fact.type == "number":
        try:
            return coerce("number", Decimal(cell.replace(",", "").removesuffix("%").strip()))
        except InvalidOperation:
            return None
    if fact.type == "date":
        try:
            return coerce("date", cell[:10]) or parse_roc_date(cell)
        except ValueError:
            return None
    if fact.type == "list":
        return [each.strip() for each in cell.replace("、", ",").split(",") if each.strip()]
    named = {label.zh: value for value, label in fact.options.items()}
    return named.get(cell, cell)
