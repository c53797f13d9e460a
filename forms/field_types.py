"""Every field type by the name that definitions use; a new type is one entry here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from forms.choice_types import CHOICE_TYPES
from forms.compound_types import COMPOUND_TYPES
from forms.date_types import DATE_TYPES
from forms.derived_types import DERIVED_TYPES
from forms.field_type import FieldType, Given, Json, Setting
from forms.map_types import MAP_TYPES
from forms.messages import Invalid, Mistake, refuse, words
from forms.simple_types import SIMPLE_TYPES, Number

if TYPE_CHECKING:
    from forms.model import Field

ANSWERABLE: dict[str, FieldType] = (
    SIMPLE_TYPES | CHOICE_TYPES | DATE_TYPES | COMPOUND_TYPES | MAP_TYPES | DERIVED_TYPES
)
#: beyond this no definition may go, and no more rows are kept of what was typed
MOST_ROWS = 200

Row = dict[str, dict[str, list[str]]]


def rows_of(given: Given) -> dict[int, Row]:
    """The inputs `<row>-<column>[-<part>]` of a table by row and column, in order of the rows."""
    rows: dict[int, Row] = {}
    for name, texts in given.items():
        number, _, rest = name.partition("-")
        column, _, part = rest.partition("-")
        if column and number.isascii() and number.isdecimal() and len(number) <= 5:
            rows.setdefault(int(number), {}).setdefault(column, {})[part] = list(texts)
    return dict(sorted(rows.items()))


class Table(FieldType):
    """Rows of columns; a row that was left empty does not count."""

    fact = "list"
    parts = ()
    column = False
    props = frozenset({"columns", "min_rows", "max_rows", "rows", "totals"})
    defaults: Mapping[str, object] = {"max_rows": 20}
    required = ("請至少填寫一列{label}", "Fill in at least one row of {label}")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        rows = {
            number: row
            for number, row in rows_of(given).items()
            if any(
                text and not text.isspace()
                for cell in row.values()
                for texts in cell.values()
                for text in texts
            )
        }
        least, most = field.min_rows or 0, field.max_rows or MOST_ROWS
        if len(rows) > most or (rows and len(rows) < least):
            raise refuse(
                field.label,
                "{label}須有 {least} 到 {most} 列，目前有 {n} 列",
                "{label} must have {least} to {most} rows, there are {n}",
                least=least,
                most=most,
                n=len(rows),
            )
        mistakes: list[Mistake] = []
        value: list[Json] = []
        for place, (number, row) in enumerate(rows.items(), 1):
            cells: dict[str, Json] = {}
            for column in field.columns:
                try:
                    cell = parse_required(column, row.get(column.key, {}), replace(at, answers=cells))
                except Invalid as error:
                    mistakes.extend(_in_row(place, number, column, error))
                    continue
                if cell is not None:
                    cells[column.key] = cell
            value.append(cells)
        if mistakes:
            raise Invalid(mistakes)
        return value or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        semicolon, colon = ("；", "：") if lang == "zh" else ("; ", ": ")
        lines = [
            semicolon.join(
                column.label.in_(lang) + colon + column.kind.show(column, cell, lang)
                for column, cell in _cells(field, row)
            )
            for row in _rows(value)
        ]
        totals = totals_of(field, _rows(value), lang)
        sums = [c.label.in_(lang) + colon + totals[c.key] for c in field.columns if c.key in totals]
        if sums:
            lines.append(f"{'合計' if lang == 'zh' else 'Total'}{colon}{semicolon.join(sums)}")
        return "\n".join(lines)

    def sentence(self, field: Field, value: Json, lang: str) -> str:
        """Each row in brackets of its own number, where there is more than one."""
        comma, semicolon = ("、", "；") if lang == "zh" else (", ", "; ")
        rows = [
            comma.join(
                column.label.in_(lang)
                + ("" if lang == "zh" else " ")
                + column.kind.sentence(column, cell, lang)
                for column, cell in _cells(field, row)
            )
            for row in _rows(value)
        ]
        if len(rows) == 1:
            return rows[0]
        brackets = "（{}）{}" if lang == "zh" else "({}) {}"
        return semicolon.join(brackets.format(number, row) for number, row in enumerate(rows, start=1))

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {
            f"{number}-{column.key}" + (f"-{part}" if part else ""): texts
            for number, row in enumerate(_rows(value))
            for column, cell in _cells(field, row)
            for part, texts in column.kind.to_raw(column, cell).items()
        }


def totals_of(field: Field, rows: Iterable[Mapping[str, Json]], lang: str) -> dict[str, str]:
    """The sums under the columns of a table that ask for one, in words, by the key of the column."""
    cells = list(rows)
    return {
        column.key: column.kind.amount(column, total).in_(lang)
        for column in field.columns
        if column.key in field.totals and isinstance(column.kind, Number)
        for total in (sum((Decimal(str(row[column.key])) for row in cells if column.key in row), Decimal(0)),)
    }


def parse_required(field: Field, given: Given, at: Setting) -> Json:
    """The answer to a field that is required unless it is optional."""
    value = field.kind.parse(field, given, at)
    if value is None and field.kind.asked and not field.optional:
        raise field.kind.missing(field)
    return value


def _in_row(place: int, number: int, column: Field, error: Invalid) -> Iterator[Mistake]:
    for mistake in error.mistakes:
        part = f"{number}-{column.key}" + (f"-{mistake.part}" if mistake.part else "")
        yield Mistake(words("第 {n} 列：{text}", "Row {n}: {text}", n=place, text=mistake.text), part)


def _rows(value: Json) -> list[dict[str, Json]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _cells(field: Field, row: dict[str, Json]) -> Iterator[tuple[Field, Json]]:
    return ((column, row[column.key]) for column in field.columns if row.get(column.key) is not None)


FIELD_TYPES: dict[str, FieldType] = {**ANSWERABLE, "table": Table()}
COLUMN_TYPES: frozenset[str] = frozenset(name for name, kind in FIELD_TYPES.items() if kind.column)
