"""Lists that go on in a spreadsheet, and tables that come from one. What somebody typed is a text, never a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from rules.values import Text

Row = Sequence[str | int]
#: of a column, in characters
WIDEST = 40
#: of a table that comes in
MOST_BYTES = 5_000_000
MOST_UNPACKED = 50_000_000
MOST_ROWS, MOST_COLUMNS = 5_000, 200


class Unreadable(Exception):
    """A file that holds no table, or one that is too large; says which."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.zh)
        self.text = text


def as_csv(rows: Iterable[Row]) -> bytes:
    """The mark at the front tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerows([_harmless(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Sequence[Row], title: str) -> bytes:
    """One sheet; the first row is the head and stays in sight."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
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
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes) -> list[list[str]]:
    """The first sheet of an XLSX, a CSV in UTF-8 or Big5, or what was copied out of a spreadsheet. No empty rows."""
    if len(content) > MOST_BYTES:
        raise Unreadable(_TOO_LARGE)
    rows = _sheet(content) if content[:2] == b"PK" else _lines(content)
    found = [_filled(row) for row in rows if any(cell.strip() for cell in row)]
    if len(found) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in found):
        raise Unreadable(_TOO_LARGE)
    return found


def _filled(row: Sequence[str]) -> list[str]:
    """Without the empty cells at its end."""
    cells = [cell.strip() for cell in row]
    while not cells[-1]:
        cells.pop()
    return cells


def _sheet(content: bytes) -> list[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(each.file_size for each in packed.infolist()) > MOST_UNPACKED:
                raise Unreadable(_TOO_LARGE)
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        return [["" if cell is None else str(cell) for cell in row] for row in islice(rows, MOST_ROWS + 2)]
    except Unreadable:
        raise
    except Exception as fault:  # a broken file fails anywhere in the library
        raise Unreadable(_NO_TABLE) from fault


def _lines(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "cp950"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise Unreadable(_NO_TABLE)
    mark = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        return list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark), MOST_ROWS + 2))
    except csv.Error as fault:
        raise Unreadable(_NO_TABLE) from fault


_TOO_LARGE = Text(
    zh=f"表格太大，最多 {MOST_ROWS} 列、{MOST_COLUMNS} 欄、5 MB。",
    en=f"The table is too large: {MOST_ROWS} rows, {MOST_COLUMNS} columns and 5 MB at most.",
)
_NO_TABLE = Text(
    zh="讀不出表格，請用 CSV（UTF-8 或 Big5）或 XLSX。", en="No table could be read: use CSV or XLSX."
)


def _harmless(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value
