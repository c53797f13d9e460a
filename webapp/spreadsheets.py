"""Lists that go on in a spreadsheet. What somebody typed is a text there, never a formula."""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from webapp.sheets import FORMULA

Row = Sequence[str | int | Decimal]
#: what a spreadsheet refuses in the title of a sheet, and how long one may be
_NOT_IN_TITLES = re.compile(r"[\\*?:/\[\]\x00-\x1f\x7f]")
LONGEST_TITLE = 31
#: of a column, in characters
WIDEST = 40


def as_csv(rows: Iterable[Row]) -> bytes:
    return b"".join(csv_parts(rows))


def csv_parts(rows: Iterable[Row]) -> Iterator[bytes]:
    """Row by row, for lists that need not be in memory. The mark at the front tells spreadsheets that it is UTF-8."""
    yield BOM_UTF8
    out = io.StringIO()
    line = csv.writer(out)
    for row in rows:
        line.writerow([_harmless(value) for value in row])
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()


def as_xlsx(rows: Sequence[Row], title: str) -> bytes:
    """One sheet; the first row is the head and stays in sight."""
    return as_workbook({title: rows})


def as_workbook(sheets: Mapping[str, Sequence[Row]]) -> bytes:
    """Several of them, by their titles."""
    book = Workbook(write_only=True)
    for title, rows in sheets.items():
        _fill(book.create_sheet(sheet_title(title)), rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet_title(words: str) -> str:
    """As a spreadsheet takes it, whatever somebody typed."""
    return _NOT_IN_TITLES.sub(" ", words)[:LONGEST_TITLE].strip(" '") or "1"


def _fill(sheet: Any, rows: Sequence[Row]) -> None:
    sheet.freeze_panes = "A2"
    for n, values in enumerate(zip(*rows, strict=True), start=1):
        width = max(sum(2 if ord(c) > 255 else 1 for c in str(value)) for value in values)
        sheet.column_dimensions[get_column_letter(n)].width = min(width + 2, WIDEST)
    for n, row in enumerate(rows):
        cells = []
        for value in row:
            text = isinstance(value, str)
            cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value) if text else value)
            if text:
                cell.data_type = "s"
            if n == 0:
                cell.font = Font(bold=True)
            cells.append(cell)
        sheet.append(cells)


def _harmless(value: str | int | Decimal) -> str | int | Decimal:
    return f"'{value}" if isinstance(value, str) and value[:1] in FORMULA else value
