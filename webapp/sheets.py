"""Tables that come in as CSV or XLSX: opened in one way, read by the names of their columns, every mistake named by
row and column.

What a table says is understood where it can be: full-width digits, cells merged downwards, results of formulas. An
exact table (rules, scores) is taken as it was typed: there, those are mistakes.
"""

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
from typing import NamedTuple, TypeVar

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from rules.values import Text, normalise_text, parse_roc_date
from webapp.errors import Refused
from webapp.periods import parse_month


class Limits(NamedTuple):
    megabytes: int
    rows: int
    #: merged cells and formulas are refused, not understood
    exact: bool = False


#: by the command; on a page; of scores; of rules
FILES, PAGES, SCORES, RULES = (
    Limits(20, 20_000),
    Limits(2, 2_000),
    Limits(5, 20_000, True),
    Limits(5, 5_000, True),
)
MOST_COLUMNS = 200
#: to how many bytes a file may unpack
MOST_UNPACKED = 50 * 1024**2
LONGEST_CELL = 2_000
#: rows of the head of a sheet among which the one with the column names is looked for
HEAD = 10
#: of a long table, how often it is told how far it is
TELL_EVERY = 500
#: what a spreadsheet would take for a formula; a text that begins so is kept behind an apostrophe
FORMULA = ("=", "+", "-", "@", "\t", "\r")
Item = TypeVar("Item")
#: a month without a mark between: 10902
_SOLID_MONTH = re.compile(r"([0-9]{2,4})([0-9]{2})")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEADING = re.compile(r"^[^0-9\-]*(-?[0-9][0-9,]*(?:\.[0-9]+)?)")


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
        return f"{self.words.zh} ({self.words.en})"


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
        value = self.cells.get(column, "")
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
        written = self.word(column, needed=needed)
        if not written:
            return None
        value = number(written)
        if value is None:
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
        solid = _SOLID_MONTH.fullmatch(written)
        try:
            return parse_month(f"{solid[1]}/{solid[2]}" if solid else written)
        except ValueError:
            pass
        try:
            return parse_roc_date(written).replace(day=1)
        except ValueError:
            self.wrong(
                column,
                f"「{written}」不是月份，請寫成 109/2 或 109M02。",
                f"“{written}” is no month: write it as 109/2 or 109M02.",
            )
            return None

    def problem(self, column: str, zh: str, en: str) -> Problem:
        return Problem(self.number, self.sheet.headings.get(column, column), Text(zh=zh, en=en))

    def wrong(self, column: str, zh: str, en: str) -> None:
        self.sheet.problems.append(self.problem(column, zh, en))


@dataclass
class Sheet:
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    #: what was understood otherwise than it stands there
    notes: list[Text] = field(default_factory=list)
    #: column -> its heading in the file, or what it is called where the file has none
    headings: dict[str, str] = field(default_factory=dict)
    #: is told how many of how many rows are done
    tell: Callable[[int, int], None] = lambda done, of: None

    def telling(self, items: Sequence[Item]) -> Iterator[Item]:
        """One after the other, telling how far it is."""
        for done, item in enumerate(items, start=1):
            yield item
            if done % TELL_EVERY == 0:
                self.tell(done, len(items))

    def require(self) -> None:
        """All or nothing."""
        if self.problems:
            raise BadSheet(sorted(self.problems, key=lambda problem: problem.row or 0))


def narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def number(written: str) -> Decimal | None:
    """A number as people write it: full-width digits, thousands marks, a per-cent sign behind it. Never a float."""
    plain = narrow(written).replace(",", "").replace(" ", "").removesuffix("%")
    try:
        found = Decimal(plain) if plain.isascii() and "_" not in plain else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def leading_number(written: str) -> Decimal | None:
    """The number in a value with its unit: 378人, 20%, 約 1,069 份."""
    found = _LEADING.match(unicodedata.normalize("NFKC", written))
    return number(found[1]) if found else None


# --- by the names of its columns --------------------------------------------------------------------------


def read(path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> Sheet:
    """The table of a file."""
    with path.open("rb") as file:
        return read_content(file.read(FILES.megabytes * 1024**2 + 1), columns, needed)


def read_content(
    content: bytes, columns: Mapping[str, Sequence[str]], needed: Sequence[str], limits: Limits = FILES
) -> Sheet:
    """`columns`: name -> other headings that mean the same. BadSheet when it is no such table."""
    opened = open_table(content, limits)
    names = {narrow(alias).casefold(): name for name, others in columns.items() for alias in (name, *others)}
    known = [[names.get(narrow(cell).casefold()) for cell in line] for line in opened.lines[:HEAD]]
    head = next((at for at, line in enumerate(known) if set(needed) <= set(line)), None)
    if head is None:
        lost = [name for name in needed if not any(name in line for line in known)] or needed
        wanted = "、".join(f"{name}（{'／'.join(columns[name])}）" for name in lost)
        raise _refused(
            f"找不到標題列，缺少欄位：{wanted}。", f"No row of headings; these columns are missing: {wanted}."
        )
    headings = opened.lines[head]
    # a title above the headings may span them
    across = [problem for problem in opened.across if (problem.row or 0) > head + 1]
    sheet = Sheet(problems=opened.problems + across, notes=opened.notes)
    sheet.headings = {name: next(iter(others), name) for name, others in columns.items()}
    places = _places(headings, names, sheet)
    for at, line in enumerate(opened.lines[head + 1 :], start=head + 2):
        if not any(cell.strip() for cell in line):
            continue
        cells = {name: line[place] if place < len(line) else "" for name, place in places.items()}
        row = Row(at, {name: normalise_text(cell) for name, cell in cells.items()}, sheet)
        sheet.rows.append(row)
        for name in (name for name, cell in cells.items() if _CONTROL.search(cell)):
            row.wrong(
                name,
                "含有不能顯示的控制字元，請重新輸入這一格。",
                "Control characters: type this cell again.",
            )
        if any(cell.strip() for cell in line[len(headings) :]):
            row.wrong("", "這一列的儲存格比標題多。", "This row has more cells than there are headings.")
    if not sheet.rows:
        raise _refused("表格沒有資料列。", "The table has no rows.")
    return sheet


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


# --- opened -----------------------------------------------------------------------------------------------


@dataclass
class Opened:
    """Every cell as it is read, the empty lines too; the first line is row 1."""

    lines: list[list[str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    #: cells merged over columns, which no column of a table can read
    across: list[Problem] = field(default_factory=list)


def cells_of(content: bytes) -> list[list[str]]:
    """Of a table of rules. Refused with what is wrong and where."""
    try:
        opened = open_table(content, RULES)
    except BadSheet as bad:
        raise Refused(bad.problems[0].words) from None
    if opened.problems:
        raise Refused(opened.problems[0].words)
    return opened.lines


def open_table(content: bytes, limits: Limits) -> Opened:
    """The first sheet of a workbook, or a CSV file in UTF-8, or in Big5 as older spreadsheets write it."""
    if len(content) > limits.megabytes * 1024**2:
        raise _refused(f"檔案超過 {limits.megabytes} MB。", f"The file is larger than {limits.megabytes} MB.")
    opened = Opened()
    if content[:2] == b"PK":
        _from_xlsx(content, limits, opened)
    else:
        _from_csv(content, opened)
    _measure(len(opened.lines), max(map(len, opened.lines), default=0), limits)
    return opened


def _measure(rows: int, columns: int, limits: Limits) -> None:
    if rows > limits.rows or columns > MOST_COLUMNS:
        raise _refused(
            f"超過 {limits.rows:,} 列或 {MOST_COLUMNS} 欄，請分成幾個檔案。",
            f"More than {limits.rows:,} rows or {MOST_COLUMNS} columns: split the file.",
        )


def _from_csv(content: bytes, opened: Opened) -> None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp950")
        except UnicodeDecodeError:
            raise _refused(
                "檔案不是 XLSX，也不是 UTF-8 或 Big5 的 CSV。",
                "The file is neither XLSX nor a CSV in UTF-8 or Big5.",
            ) from None
        opened.notes.append(Text(zh="檔案以 Big5 讀取。", en="The file was read as Big5."))
    between = "\t" if "\t" in text.partition("\n")[0] else ","
    try:
        for line in csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=between):
            opened.lines.append([_as_typed(cell) for cell in line])
    except csv.Error as error:
        raise _refused(f"CSV 格式有誤：{error}。", f"The CSV is malformed: {error}.") from None


def _as_typed(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA else cell


def _from_xlsx(content: bytes, limits: Limits, opened: Opened) -> None:
    page = results = _first_sheet(content)
    _measure(page.max_row, page.max_column, limits)
    filled = _merged(page, limits, opened)
    formulas = [cell for line in page.iter_rows() for cell in line if cell.data_type == "f"]
    if formulas and not limits.exact:
        results = _first_sheet(content, data_only=True)
    for cell in formulas:
        if limits.exact or results[cell.coordinate].value is None:
            _wrong(opened, cell, cell.coordinate, "是公式，請改貼成值。", "A formula: paste it as a value.")
    opened.lines += [
        [_shown(results[filled.get(cell.coordinate, cell.coordinate)]) for cell in line]
        for line in page.iter_rows()
    ]


def _first_sheet(content: bytes, *, data_only: bool = False) -> Worksheet:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(each.file_size for each in packed.infolist())
        book = load_workbook(io.BytesIO(content), data_only=data_only) if size <= MOST_UNPACKED else None
    except Exception as error:  # whatever is wrong with a file, openpyxl has an exception of its own for it
        raise _refused("這個 XLSX 檔案無法讀取。", "This XLSX file cannot be read.") from error
    if book is None:  # an attack, not a table
        raise _refused("檔案解開後太大。", "The file is too large once unpacked.")
    if not book.worksheets:
        raise _refused("這個 XLSX 檔案沒有工作表。", "This XLSX file has no sheet.")
    return book.worksheets[0]


def _merged(page: Worksheet, limits: Limits, opened: Opened) -> dict[str, str]:
    """Whose value each cell has that is merged with those above it."""
    filled: dict[str, str] = {}
    for area in sorted(page.merged_cells.ranges, key=lambda area: (area.min_row, area.min_col)):
        top = page.cell(area.min_row, area.min_col)
        if limits.exact:
            _wrong(
                opened,
                top,
                area.coord,
                "是合併的儲存格，請取消合併並每列填值。",
                "Merged cells: unmerge them.",
            )
        elif area.min_col == area.max_col:
            column = get_column_letter(area.min_col)
            filled |= {f"{column}{row}": top.coordinate for row in range(area.min_row + 1, area.max_row + 1)}
            rows = (area.min_row, area.max_row)
            opened.notes.append(
                Text(
                    zh=f"合併儲存格 {area.coord} 的值用於第 {rows[0]} 到 {rows[1]} 列。",
                    en=f"The value of merged cells {area.coord} counts for rows {rows[0]} to {rows[1]}.",
                )
            )
        elif top.value is not None:
            said = Text(
                zh=f"合併儲存格 {area.coord} 跨越欄位，看不出是哪一欄的值，請取消合併。",
                en=f"Merged cells {area.coord} span columns: unmerge them, so that each column says its value.",
            )
            opened.across.append(Problem(area.min_row, top.column_letter, said))
    return filled


def _wrong(opened: Opened, cell: Cell | MergedCell, where: str, zh: str, en: str) -> None:
    opened.problems.append(Problem(cell.row, where, Text(zh=zh, en=en)))


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
