"""Tables that come in as CSV or XLSX: read cell by cell, every mistake named by row and column."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from rules.values import Text, normalise_text, parse_roc_date
from webapp.spreadsheets import MOST_UNPACKED, unpacked

MOST_BYTES = 20 * 1024 * 1024
#: of what somebody pastes or chooses on a page
MOST_PASTED = 2 * 1024 * 1024
MOST_ROWS = 20_000
LONGEST_CELL = 2_000
#: rows of the head of a sheet among which the one with the column names is looked for
HEAD = 10
#: of a long table, how often it is told how far it is
TELL_EVERY = 500
Item = TypeVar("Item")
_MONTH = re.compile(r"([0-9]{2,4})\s*(?:[-/.年M]\s*([0-9]{1,2})\s*月?|([0-9]{2}))")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Problem:
    """What is wrong in one cell, row or file, in words for the person who made the table."""

    row: int | None
    column: str
    text: Text

    @property
    def words(self) -> Text:
        """With where it is."""
        zh = (f"第 {self.row} 列" if self.row else "") + (f"「{self.column}」" if self.column else "")
        en = ", ".join(filter(None, [f"row {self.row}" if self.row else "", self.column]))
        return Text(
            zh=f"{zh}：{self.text.zh}" if zh else self.text.zh,
            en=f"{en}: {self.text.en}" if en else self.text.en,
        )

    def __str__(self) -> str:
        return f"{self.words.zh} ({self.text.en})"


class BadSheet(Exception):
    """A table that is not taken in, with every mistake that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, problems)))


@dataclass
class Row:
    """One row by the names of its columns. What cannot be read is noted on the sheet and taken as nothing."""

    number: int
    cells: Mapping[str, str]
    sheet: Sheet

    def text(self, column: str, *, needed: bool = False, longest: int = LONGEST_CELL) -> str:
        value = normalise_text(self.cells.get(column, ""))
        if needed and not value:
            self.wrong(column, "這一格必須填寫。", "This cell must not be empty.")
        if len(value) > longest:
            self.wrong(column, f"最多 {longest} 字。", f"At most {longest} characters.")
            return ""
        return value

    def word(self, column: str, *, needed: bool = False, longest: int = 40) -> str:
        """A number or code, with full-width characters made narrow."""
        return narrow(self.text(column, needed=needed, longest=longest))

    def number_of(
        self, column: str, low: Decimal | int, high: Decimal | int, *, needed: bool = False, decimals: int = 4
    ) -> Decimal | None:
        """A number between two bounds; a percent sign, thousands separators and full-width digits are understood."""
        written = self.word(column, needed=needed).replace(",", "").replace(" ", "").removesuffix("%")
        if not written:
            return None
        try:
            value = Decimal(written)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite():
            self.wrong(column, f"「{self.cells[column]}」不是數字。", f"“{self.cells[column]}” is no number.")
            return None
        if not low <= value <= high:
            self.wrong(
                column, f"{value} 不在 {low} 到 {high} 之間。", f"{value} is not between {low} and {high}."
            )
            return None
        if value != round(value, decimals):
            self.wrong(column, f"最多 {decimals} 位小數。", f"At most {decimals} decimals.")
            return None
        return value

    def day(self, column: str) -> date | None:
        """A date by the ROC or the Gregorian calendar."""
        written = self.text(column, longest=40)
        if not written:
            return None
        try:
            return parse_roc_date(written)
        except ValueError:
            self.wrong(
                column,
                f"「{written}」不是日期，請寫成 109/6/30。",
                f"“{written}” is no date: write it as 109/6/30.",
            )
            return None

    def month(self, column: str, *, needed: bool = False) -> date | None:
        """The first day of a month that is written 109M02, 109/2, 109年2月, 10902 or as a date of the month."""
        written = self.word(column, needed=needed)
        if not written:
            return None
        found = _MONTH.fullmatch(written.upper())
        try:
            if found is None:
                return parse_roc_date(written).replace(day=1)
            year = int(found[1])
            return date(year if year > 999 else year + 1911, int(found[2] or found[3]), 1)
        except ValueError:
            self.wrong(
                column,
                f"「{written}」不是月份，請寫成 109/2 或 109M02。",
                f"“{written}” is no month: write it as 109/2 or 109M02.",
            )
            return None

    def wrong(self, column: str, zh: str, en: str) -> None:
        self.sheet.problems.append(Problem(self.number, self.sheet.heading(column), Text(zh=zh, en=en)))


@dataclass
class Sheet:
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: what was understood otherwise than it stands there
    notes: list[Text] = field(default_factory=list)
    #: column -> its heading in the file
    headings: dict[str, str] = field(default_factory=dict)
    #: is told how many of how many rows are done
    tell: Callable[[int, int], None] = lambda done, of: None

    def telling(self, items: Sequence[Item]) -> Iterator[Item]:
        """One after the other, telling how far it is."""
        for done, item in enumerate(items, start=1):
            yield item
            if done % TELL_EVERY == 0:
                self.tell(done, len(items))

    def heading(self, column: str) -> str:
        return self.headings.get(column, column)

    def require(self) -> None:
        """All or nothing."""
        if self.problems:
            raise BadSheet(sorted(self.problems, key=lambda problem: problem.row or 0))


def narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def read(path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Sheet:
    """The table of a file."""
    with path.open("rb") as file:
        return read_content(file.read(MOST_BYTES + 1), columns, needed)


def read_content(
    content: bytes, columns: Mapping[str, Sequence[str]], needed: Sequence[str], most: int = MOST_BYTES
) -> Sheet:
    """`columns`: name -> other headings that mean the same. BadSheet when it is no such table."""
    sheet = Sheet()
    table = _open(content, sheet, most)
    names = {narrow(alias).casefold(): name for name, others in columns.items() for alias in (name, *others)}
    head = next(
        (
            number
            for number, cells in table[:HEAD]
            if all(any(names.get(narrow(c).casefold()) == name for c in cells) for name in needed)
        ),
        None,
    )
    if head is None:
        first = [narrow(cell).casefold() for _number, cells in table[:HEAD] for cell in cells]
        lost = [name for name in needed if not any(names.get(cell) == name for cell in first)]
        wanted = "、".join(f"{name}（{'／'.join(columns[name])}）" for name in lost or needed)
        raise _refused(
            f"找不到標題列，缺少欄位：{wanted}。", f"No row of headings; these columns are missing: {wanted}."
        )
    headings = next(cells for number, cells in table if number == head)
    places = _places(headings, names, sheet)
    for number, cells in table:
        if number > head and any(cell.strip() for cell in cells):
            values = {name: cells[place] if place < len(cells) else "" for name, place in places.items()}
            row = Row(number, values, sheet)
            sheet.rows.append(row)
            for name in (name for name, cell in values.items() if _CONTROL.search(cell)):
                row.wrong(
                    name,
                    "含有不能顯示的控制字元，請重新輸入這一格。",
                    "Control characters: type this cell again.",
                )
            if len(cells) > len(headings) and any(cell.strip() for cell in cells[len(headings) :]):
                sheet.problems.append(
                    Problem(number, "", Text(zh="儲存格比標題多。", en="More cells than headings."))
                )
    if not sheet.rows:
        raise _refused("表格沒有資料列。", "The table has no rows.")
    return sheet


def lines_of(content: bytes, most: int = MOST_BYTES) -> list[list[str]]:
    """Every cell of a file as it is read, the empty rows too."""
    return [cells for _number, cells in _open(content, Sheet(), most)]


def _open(content: bytes, sheet: Sheet, most: int) -> list[tuple[int, list[str]]]:
    if len(content) > most:
        size = most // 1024**2
        raise _refused(f"檔案超過 {size} MB。", f"The file is larger than {size} MB.")
    return _xlsx(content, sheet) if content[:2] == b"PK" else _csv(content, sheet)


def _places(headings: Sequence[str], names: Mapping[str, str], sheet: Sheet) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, heading in enumerate(headings):
        name = names.get(narrow(heading).casefold())
        if name is None:
            if heading.strip():
                sheet.notes.append(
                    Text(
                        zh=f"不匯入的欄位：「{heading.strip()}」。",
                        en=f"Not imported: column “{heading.strip()}”.",
                    )
                )
        elif name in places:
            said = Text(zh=f"欄位「{heading}」出現兩次。", en=f"Column “{heading}” stands there twice.")
            sheet.problems.append(Problem(None, heading, said))
        else:
            places[name], sheet.headings[name] = place, heading.strip()
    return places


def _csv(content: bytes, sheet: Sheet) -> list[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp950")
        except UnicodeDecodeError:
            raise _refused(
                "檔案不是 UTF-8 或 Big5 的 CSV。", "The file is no CSV in UTF-8 or Big5."
            ) from None
        sheet.notes.append(Text(zh="檔案以 Big5 讀取。", en="The file was read as Big5."))
    try:
        rows = []
        between = "\t" if "\t" in text.partition("\n")[0] else ","
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=between)
        for number, cells in enumerate(reader, start=1):
            rows.append((number, cells))
            if len(rows) > MOST_ROWS:
                raise _too_many()
    except csv.Error as error:
        raise _refused(f"CSV 格式有誤：{error}。", f"The CSV is malformed: {error}.") from None
    return rows


def _xlsx(content: bytes, sheet: Sheet) -> list[tuple[int, list[str]]]:
    try:
        if unpacked(content) > MOST_UNPACKED:
            raise _refused("檔案解開後太大。", "The file is too large once unpacked.")
        book = load_workbook(io.BytesIO(content))
        worked_out = load_workbook(io.BytesIO(content), data_only=True) if _has_formulas(book) else book
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, ParseError, EOFError, OSError):
        raise _refused("檔案不是可以讀取的 XLSX。", "The file is no readable XLSX.") from None
    page, values = book.worksheets[0], worked_out.worksheets[0]
    if (page.max_row or 0) > MOST_ROWS:
        raise _too_many()
    filled: dict[tuple[int, int], Cell | MergedCell] = {}
    for merged in sorted(page.merged_cells.ranges, key=lambda cells: (cells.min_row, cells.min_col)):
        if merged.min_col != merged.max_col:
            top = page.cell(merged.min_row, merged.min_col)
            if merged.min_row > HEAD and top.value is not None:
                said = Text(
                    zh=f"合併儲存格 {merged.coord} 跨越欄位，看不出是哪一欄的值，請取消合併。",
                    en=f"Merged cells {merged.coord} span columns: unmerge them, so that each column says its value.",
                )
                sheet.problems.append(Problem(merged.min_row, get_column_letter(merged.min_col), said))
            continue
        for row in range(merged.min_row + 1, merged.max_row + 1):
            filled[row, merged.min_col] = values.cell(merged.min_row, merged.min_col)
        sheet.notes.append(
            Text(
                zh=f"合併儲存格 {merged.coord} 的值用於第 {merged.min_row} 到 {merged.max_row} 列。",
                en=f"The value of merged cells {merged.coord} counts for rows {merged.min_row} to {merged.max_row}.",
            )
        )
    for cell in (cell for cells in page.iter_rows() for cell in cells if cell.data_type == "f"):
        if values[cell.coordinate].value is None:
            said = Text(
                zh=f"{cell.coordinate} 是沒有算出結果的公式，請改貼成值。",
                en=f"{cell.coordinate} is a formula without a result: paste it as a value.",
            )
            sheet.problems.append(Problem(cell.row, get_column_letter(cell.column), said))
    return [
        (number, [_shown(filled.get((number, place), cell)) for place, cell in enumerate(cells, start=1)])
        for number, cells in enumerate(values.iter_rows(), start=1)
    ]


def _has_formulas(book: Workbook) -> bool:
    return any(cell.data_type == "f" for cells in book.worksheets[0].iter_rows() for cell in cells)


def _shown(cell: Cell | MergedCell) -> str:
    """A cell as people read it: a share that is formatted as a percentage is one."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float | int) and not isinstance(value, bool):
        number = Decimal(repr(value))
        if "%" in (cell.number_format or ""):
            number = round(number * 100, 10)
        return f"{number.normalize():f}"
    return str(value)


def _refused(zh: str, en: str) -> BadSheet:
    return BadSheet([Problem(None, "", Text(zh=zh, en=en))])


def _too_many() -> BadSheet:
    return _refused(
        f"超過 {MOST_ROWS:,} 列，請分成幾個檔案。", f"More than {MOST_ROWS:,} rows: split the file."
    )
