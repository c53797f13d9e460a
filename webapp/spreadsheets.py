"""Lists that go on in a spreadsheet, and come back. What somebody typed is a text there, never a formula."""

from __future__ import annotations

import csv
import io
import zipfile
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from rules.values import Text
from webapp.errors import Refused

Row = Sequence[str | int | Decimal]
#: of a column, in characters
WIDEST = 40
#: of what is read: the file, what it unpacks to, its lines and columns
MOST_BYTES, MOST_UNPACKED, MOST_LINES, MOST_COLUMNS = 5 * 1024**2, 50 * 1024**2, 5_000, 200
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        _fill(book.create_sheet(title), rows)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


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
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULA else value


# --- back again ------------------------------------------------------------------------------------------


def read(name: str, content: bytes) -> list[list[str]]:
    """The cells of the first sheet, or of a CSV file, as texts. Refused with what is wrong and where."""
    if len(content) > MOST_BYTES:
        raise Refused(Text(zh="檔案超過 5 MB。", en="The file is larger than 5 MB."))
    lines = _xlsx(content) if zipfile.is_zipfile(io.BytesIO(content)) else _csv(content)
    if len(lines) > MOST_LINES or any(len(line) > MOST_COLUMNS for line in lines):
        raise _refused(
            f"「{name}」超過 {MOST_LINES} 行或 {MOST_COLUMNS} 欄。",
            f"“{name}” has more than {MOST_LINES} lines or {MOST_COLUMNS} columns.",
        )
    return lines


def _csv(content: bytes) -> list[list[str]]:
    """UTF-8, or Big5 as older spreadsheets write it."""
    for encoding in ("utf-8-sig", "cp950"):
        try:
            text = content.decode(encoding)
            first = text.partition("\n")[0]
            return [
                [_as_typed(cell) for cell in line]
                for line in csv.reader(
                    io.StringIO(text, newline=""), delimiter="\t" if "\t" in first else ","
                )
            ]
        except UnicodeDecodeError:
            continue
        except csv.Error:
            break
    raise _refused("這個檔案不是 XLSX，也不是 CSV。", "This file is neither XLSX nor CSV.")


def _as_typed(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


def unpacked(content: bytes) -> int:
    """To how many bytes an XLSX file says that it unpacks: more than MOST_UNPACKED is an attack, not a table."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return sum(each.file_size for each in packed.infolist())


def _xlsx(content: bytes) -> list[list[str]]:
    try:
        if unpacked(content) > MOST_UNPACKED:
            raise _refused("檔案的內容太多。", "There is too much in the file.")
        sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    except Refused:
        raise
    except Exception as error:  # whatever is wrong with a file, openpyxl has an exception of its own for it
        raise _refused("這個 XLSX 檔案無法讀取。", "This XLSX file cannot be read.") from error
    return _cells(sheet)


def _cells(sheet: Worksheet) -> list[list[str]]:
    if sheet.max_row > MOST_LINES or sheet.max_column > MOST_COLUMNS:
        raise _refused(
            f"工作表超過 {MOST_LINES} 行或 {MOST_COLUMNS} 欄。",
            f"The sheet has more than {MOST_LINES} lines or {MOST_COLUMNS} columns.",
        )
    for merged in sheet.merged_cells.ranges:
        where = f"{get_column_letter(merged.min_col)}{merged.min_row}"
        raise _refused(
            f"第 {merged.min_row} 行「{where}」是合併的儲存格，請先取消合併。",
            f"The cell {where} in line {merged.min_row} is merged; split it first.",
        )
    lines = []
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                raise _refused(
                    f"第 {cell.row} 行「{cell.coordinate}」是公式，請改貼成值。",
                    f"The cell {cell.coordinate} in line {cell.row} is a formula; paste it as a value.",
                )
        lines.append([_as_text(cell.value) for cell in row])
    return lines


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _refused(zh: str, en: str) -> Refused:
    return Refused(Text(zh=zh, en=en))
