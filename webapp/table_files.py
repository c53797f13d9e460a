"""Tables that come in as CSV or XLSX: read whole, with every mistake by row and column."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from rules.values import Text, normalise_text
from webapp.spreadsheets import MOST_UNPACKED, unpacked

_LEADING = re.compile(r"^[^0-9\-]*(-?[0-9][0-9,]*(?:\.[0-9]+)?)")
MOST_BYTES = 5 * 1024 * 1024
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Column:
    """By its name, or by the heading that a Chinese table has."""

    name: str
    heading: str
    required: bool = True


@dataclass(frozen=True)
class Mistake:
    #: as a spreadsheet counts; none: the file as a whole
    row: int | None
    column: str
    text: Text

    def in_(self, lang: str) -> str:
        if self.row is None:
            return self.text.in_(lang)
        at = f"第 {self.row} 列" if lang == "zh" else f"row {self.row}"
        if self.column:
            at += f"「{self.column}」" if lang == "zh" else f", {self.column}"
        return f"{at}：{self.text.in_(lang)}" if lang == "zh" else f"{at}: {self.text.in_(lang)}"


class BadTable(Exception):
    """A file that cannot be taken in: all its mistakes."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(each.in_("en") for each in mistakes))


@dataclass(frozen=True)
class Row:
    number: int
    cells: Mapping[str, str]

    def mistake(self, column: str, zh: str, en: str) -> Mistake:
        return Mistake(self.number, column, Text(zh=zh, en=en))


def read(content: bytes, columns: Sequence[Column]) -> list[Row]:
    """The rows that are not empty. Raises BadTable for a file that cannot be read or lacks a column."""
    if len(content) > MOST_BYTES:
        raise BadTable([_whole("檔案超過 5 MB。", "The file is larger than 5 MB.")])
    lines = _xlsx(content) if content[:2] == b"PK" else _csv(content)
    head, *body = lines or [[]]
    if len(body) > MOST_ROWS:
        raise BadTable([_whole(f"超過 {MOST_ROWS} 列。", f"More than {MOST_ROWS} rows.")])
    places = _places(head, columns)
    mistakes = [
        Mistake(
            number,
            "",
            Text(zh="這一列的欄位比標題多。", en="This row has more cells than there are headings."),
        )
        for number, line in enumerate(body, start=2)
        if any(cell.strip() for cell in line[len(head) :])
    ]
    if mistakes:
        raise BadTable(mistakes)
    return [
        Row(number, {name: line[at] if at < len(line) else "" for name, at in places.items()})
        for number, line in enumerate(body, start=2)
        if any(cell.strip() for cell in line)
    ]


def number(typed: str) -> Decimal | None:
    """A number as people write it: full-width digits, thousands marks, a per-cent sign or a unit behind it.

    None for what is none. Never a float.
    """
    plain = unicodedata.normalize("NFKC", typed).replace(",", "").replace("，", "").strip()
    try:
        found = Decimal(plain.removesuffix("%").strip()) if plain.isascii() else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def leading_number(typed: str) -> Decimal | None:
    """The number in a value with its unit: 378人, 20%, 約 1,069 份."""
    found = _LEADING.match(unicodedata.normalize("NFKC", typed))
    return number(found[1]) if found else None


def _places(head: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    known = {word: column.name for column in columns for word in (column.name, column.heading)}
    found: dict[str, int] = {}
    mistakes = []
    for at, cell in enumerate(head):
        name = known.get(normalise_text(cell))
        if name in found:
            mistakes.append(
                Mistake(1, name, Text(zh="這個欄位出現兩次。", en="This column stands there twice."))
            )
        elif name is not None:
            found[name] = at
    mistakes += [
        Mistake(
            1, f"{column.heading}（{column.name}）", Text(zh="缺少這個欄位。", en="This column is missing.")
        )
        for column in columns
        if column.required and column.name not in found
    ]
    if mistakes:
        raise BadTable(mistakes)
    return found


def _csv(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
        return [
            [_tidy(cell) for cell in line] for line in csv.reader(io.StringIO(text, newline=""), strict=True)
        ]
    except UnicodeDecodeError:
        raise BadTable(
            [
                _whole(
                    "檔案不是 UTF-8 編碼，請另存為「CSV UTF-8」或 XLSX。",
                    "Not UTF-8: save it as “CSV UTF-8” or XLSX.",
                )
            ]
        ) from None
    except csv.Error as error:
        raise BadTable([_whole(f"不是可讀的 CSV：{error}", f"Not a readable CSV: {error}")]) from None


def _xlsx(content: bytes) -> list[list[str]]:
    try:
        if unpacked(content) > MOST_UNPACKED:
            raise BadTable([_whole("檔案解開後太大。", "The file is too large once unpacked.")])
        sheet = load_workbook(io.BytesIO(content), data_only=True).worksheets[0]
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, OSError):
        raise BadTable([_whole("不是可讀的 XLSX 檔。", "Not a readable XLSX file.")]) from None
    merged = [
        Mistake(
            area.min_row,
            area.coord,
            Text(
                zh="合併儲存格，請取消合併並每列填值。", en="Merged cells: unmerge them and fill every row."
            ),
        )
        for area in sorted(sheet.merged_cells.ranges, key=lambda area: (area.min_row, area.min_col))
    ]
    if merged:
        raise BadTable(merged)
    return [[_tidy(_said(cell)) for cell in line] for line in _limited(sheet.iter_rows(values_only=True))]


def _limited(lines: Iterable[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    for n, line in enumerate(lines):
        if n > MOST_ROWS + 1:
            return
        yield line


def _said(cell: object) -> str:
    """What stands in a cell; a spreadsheet keeps 0.1 as a binary number that is written 0.1."""
    if cell is None:
        return ""
    return f"{Decimal(repr(cell)).normalize():f}" if isinstance(cell, float) else str(cell)


def _tidy(cell: str) -> str:
    return normalise_text(cell)


def _whole(zh: str, en: str) -> Mistake:
    return Mistake(None, "", Text(zh=zh, en=en))
