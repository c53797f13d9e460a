"""What a computed field says: one operation over other answers, declared by data.

An operand is a number, the key of a field, or `table.column` for a column of every row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext
from math import prod
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from forms.field_type import Json, Setting

Operation: TypeAlias = Literal["sum", "product", "difference", "count", "age"]
#: how many operands each may have
OPERATIONS: Mapping[str, tuple[int, int]] = {
    "sum": (1, 12),
    "product": (2, 12),
    "difference": (2, 2),
    "count": (1, 1),
    "age": (1, 2),
}
LARGEST = Decimal(10) ** 15
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: digits enough for the largest product of twelve answers
_PRECISION = 400


class Formula(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Operation
    operands: tuple[Decimal | str, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The fields that it reads."""
        return frozenset(name.partition(".")[0] for name in self.operands if isinstance(name, str))


def compute(formula: Formula, at: Setting, decimals: int) -> Decimal | None:
    """The result, rounded half up once; None while an answer that it needs is missing, or beyond all measure."""
    with localcontext() as context:
        context.prec = _PRECISION
        result = _OPERATIONS[formula.operation](formula, at)
        if result is None or abs(result) >= LARGEST:
            return None
        return result.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _sum(formula: Formula, at: Setting) -> Decimal | None:
    """Of what was answered: an optional amount that was left empty adds nothing."""
    found = [n for operand in formula.operands for n in _values(operand, at) if isinstance(n, Decimal)]
    return sum(found, Decimal(0)) if found else None


def _product(formula: Formula, at: Setting) -> Decimal | None:
    found = [_value(operand, at) for operand in formula.operands]
    numbers = [n for n in found if isinstance(n, Decimal)]
    return prod(numbers, start=Decimal(1)) if len(numbers) == len(found) else None


def _difference(formula: Formula, at: Setting) -> Decimal | None:
    """Of two numbers, or the days between two dates."""
    first, second = (_value(operand, at) for operand in formula.operands)
    if isinstance(first, date) and isinstance(second, date):
        return Decimal((first - second).days)
    return first - second if isinstance(first, Decimal) and isinstance(second, Decimal) else None


def _count(formula: Formula, at: Setting) -> Decimal | None:
    """Rows of a table, or what was chosen of several."""
    value = at.answers.get(str(formula.operands[0]))
    return Decimal(len(value) if isinstance(value, list) else 0)


def _age(formula: Formula, at: Setting) -> Decimal | None:
    """Full years on a day, today unless another date is named."""
    birth, *rest = (_value(operand, at) for operand in formula.operands)
    day = rest[0] if rest else at.today
    if not isinstance(birth, date) or not isinstance(day, date) or day < birth:
        return None
    return Decimal(day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)))


_OPERATIONS = {
    "sum": _sum,
    "product": _product,
    "difference": _difference,
    "count": _count,
    "age": _age,
}


def _value(operand: Decimal | str, at: Setting) -> Decimal | date | None:
    return next(_values(operand, at), None)


def _values(operand: Decimal | str, at: Setting) -> Iterator[Decimal | date]:
    if isinstance(operand, Decimal):
        yield operand
        return
    key, _, column = operand.partition(".")
    answer = at.answers.get(key)
    if not column:
        answers = [answer]
    else:
        answers = (
            [row.get(column) for row in answer if isinstance(row, dict)] if isinstance(answer, list) else []
        )
    yield from (_read(value) for value in answers if isinstance(value, int | str) and value != "")


def _read(value: Json) -> Decimal | date:
    """A stored answer to a question about a number or a day."""
    text = str(value)
    return date.fromisoformat(text[:10]) if _DAY.match(text) else Decimal(text)
