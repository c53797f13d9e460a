"""A payment list as a file for the bank: CSV and XLSX with the same head, lines and totals."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import date

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.worksheet import Worksheet

from rules.values import format_roc_date
from webapp.models import PayoutList
from webapp.queries.payouts import Line
from webapp.spreadsheets import sheet_title

HEAD = ("序號", "案號", "受款人", "銀行代碼", "帳號", "戶名", "所屬月份", "金額")
WIDTHS = (6, 20, 24, 12, 22, 24, 12, 14)
#: a spreadsheet would calculate what begins with one of these
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(of: PayoutList, lines: Sequence[Line]) -> bytes:
    """With the mark that tells spreadsheets that it is UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([_plain(title(of))])
    writer.writerow(HEAD)
    for line in lines:
        writer.writerow([line.number, *map(_plain, _texts(line)), f"{line.entry.amount:f}"])
    writer.writerow(["合計", f"{len(lines)} 筆", *[""] * 5, f"{of.total:f}"])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_xlsx(of: PayoutList, lines: Sequence[Line]) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = sheet_title("撥款清冊")
    _write(sheet, 1, [title(of)], bold=True)
    sheet.merge_cells(start_row=1, end_row=1, start_column=1, end_column=len(HEAD))
    _write(sheet, 2, HEAD, bold=True)
    for line in lines:
        row = line.number + 2
        sheet.cell(row, 1, line.number)
        _write(sheet, row, _texts(line), first=2)
        _amount(sheet.cell(row, len(HEAD), line.entry.amount))
    last = len(lines) + 3
    _write(sheet, last, ["合計", f"{len(lines)} 筆"], bold=True)
    _amount(sheet.cell(last, len(HEAD), of.total)).font = Font(bold=True)
    for column, width in zip("ABCDEFGH", WIDTHS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes, sheet.print_title_rows = "A3", "2:2"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", 9
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


MAKERS: dict[str, Callable[[PayoutList, Sequence[Line]], bytes]] = {"csv": as_csv, "xlsx": as_xlsx}


def title(of: PayoutList) -> str:
    paid = f"，{format_roc_date(of.paid_on)}撥款" if of.paid_on else ""
    return f"{of.service_code} 撥款清冊第 {of.number} 號（{of.period}{paid}）"


def month_of(month: date | None) -> str:
    return f"{month.year - 1911}年{month.month}月" if month else ""


def _texts(line: Line) -> list[str]:
    account = line.entry.account
    to = [account.get(part, "") for part in ("bank", "account", "holder")]
    return [line.case.number or "", line.entry.payee, *to, month_of(line.entry.month)]


def _write(sheet: Worksheet, row: int, texts: Sequence[str], *, first: int = 1, bold: bool = False) -> None:
    """As texts, whatever they look like: account numbers keep their zeros, and nothing is calculated."""
    for column, text in enumerate(texts, start=first):
        cell = sheet.cell(row, column)
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
        cell.data_type, cell.number_format = "s", "@"
        cell.alignment = Alignment(vertical="center")
        if text.startswith(FORMULA):
            cell.quotePrefix = True
        if bold:
            cell.font = Font(bold=True)


def _amount(cell: Cell) -> Cell:
    cell.number_format = "#,##0"
    return cell


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
