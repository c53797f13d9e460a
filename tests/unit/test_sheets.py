"""A file of a spreadsheet, whatever people did in it: opened in one way, with the place of everything that is wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from webapp import sheets

COLUMNS = {"title": ("名稱",), "share": ("進度", "進度%"), "day": ("日期",), "month": ("月份",)}
HEAD = "名稱,進度,日期,月份"


def table(content: bytes | str, limits: sheets.Limits = sheets.FILES) -> sheets.Sheet:
    given = content.encode() if isinstance(content, str) else content
    return sheets.read_content(given, COLUMNS, ("title", "share"), limits)


def book(change: Callable[[Any], object], *rows: list[object]) -> bytes:
    made, out = Workbook(), io.BytesIO()
    for row in rows or (["名稱", "進度"], ["甲", 5], ["乙", 6]):
        made.active.append(row)
    change(made.active)
    made.save(out)
    return out.getvalue()


def with_result(content: bytes, value: str) -> bytes:
    """As a spreadsheet keeps a formula: with what it worked out."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as read, zipfile.ZipFile(out, "w") as written:
        for name in read.namelist():
            part = read.read(name)
            written.writestr(
                name,
                part.replace(b"<v></v>", f"<v>{value}</v>".encode()).replace(
                    b"<v />", f"<v>{value}</v>".encode()
                ),
            )
    return out.getvalue()


def said(problems: Any) -> list[tuple[int | None, str, str]]:
    return [(each.row, each.column, each.text.zh) for each in problems]


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("12.5", "12.5"),
        ("１２．５％", "12.5"),
        (" 12.5 % ", "12.5"),
        ("0", "0"),
        ("１００", "100"),
        ('"0,012.5"', "12.5"),
    ],
)
def test_a_share_however_it_is_written(written: str, share: str) -> None:
    (row,) = table(f"{HEAD}\n甲,{written}").rows
    assert row.number_of("share", 0, 100) == Decimal(share) and not row.sheet.problems


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("101", "101 不在 0 到 100 之間"),
        ("-1", "-1 不在 0 到 100 之間"),
        ("12.34567", "最多 4 位小數"),
        ("一二", "「一二」不是數字"),
        ("NaN", "不是數字"),
        ("1e999999", "不在 0 到 100 之間"),
        ("1_0", "不是數字"),
        ("#DIV/0!", "不是數字"),
        ("=SUM(A1)", "不是數字"),
        ("", "必須填寫"),
    ],
)
def test_what_is_no_share_is_named(written: str, says: str) -> None:
    (row,) = table(f"{HEAD}\n甲,{written},,").rows
    assert row.number_of("share", 0, 100, needed=True) is None
    ((number, column, text),) = said(row.sheet.problems)
    assert (number, column) == (2, "進度") and says in text


@pytest.mark.parametrize(
    "written", ["109/6/30", "１０９年６月３０日", "1090630", "2020-06-30", "民國109年6月30日"]
)
def test_a_day_of_either_calendar(written: str) -> None:
    (row,) = table(f"{HEAD}\n甲,5,{written},").rows
    assert row.day("day") == date(2020, 6, 30)


@pytest.mark.parametrize(
    "written", ["109/2", "109M02", "109年2月", "10902", "2020-02", "109/2/29", "１０９／２", "109m2"]
)
def test_a_month_however_it_is_written(written: str) -> None:
    (row,) = table(f"{HEAD}\n甲,5,,{written}").rows
    assert row.month("month") == date(2020, 2, 1)


@pytest.mark.parametrize("written", ["二月", "109/13", "109/0", "109", "109Q1", "2020/2/30"])
def test_what_is_no_month_is_named(written: str) -> None:
    (row,) = table(f"{HEAD}\n甲,5,,{written}").rows
    assert row.month("month") is None and said(row.sheet.problems)[0][:2] == (2, "月份")


@pytest.mark.parametrize(
    ("content", "row", "column", "says"),
    [
        (f"{HEAD}\n\n甲\0,5".encode(), 3, "名稱", "控制字元"),
        (f"{HEAD}\n甲,5,,,多".encode(), 2, "", "儲存格比標題多"),
        (f"{HEAD},進度\n甲,5".encode(), None, "進度", "出現兩次"),
        (book(lambda page: page.cell(3, 2, "=1+1")), 3, "B3", "是公式，請改貼成值"),
        (book(lambda page: page.merge_cells("A3:B3"), ["名稱", "進度"], ["甲", 5], ["丙", 1]), 3, "A", "A3:B3 跨越欄位"),
        (book(lambda page: page.merge_cells("A12:B12"), ["名稱", "進度"], *[["丙", 1]] * 11), 12, "A", "A12:B12 跨越欄位"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(content: bytes, row: int | None, column: str, says: str) -> None:
    found = said(table(content).problems)
    assert found[0][:2] == (row, column) and says in found[0][2]
    with pytest.raises(sheets.BadSheet):
        table(content).require()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "找不到標題列"),
        ("計畫,5".encode(), "title（名稱）、share（進度／進度%）"),
        (HEAD.encode(), "沒有資料列"),
        (f"{HEAD}\n,,,\n".encode(), "沒有資料列"),
        (b"\xff\xfe\x00\x81", "也不是 UTF-8 或 Big5 的 CSV"),
        (f'{HEAD}\n"甲,5'.encode(), "CSV 格式有誤"),
        (b"PK\x03\x04 no workbook", "XLSX 檔案無法讀取"),
        (book(lambda page: page.cell(30_000, 1, "x")), "超過 20,000 列"),
        (book(lambda page: page.cell(1, 300, "x")), "或 200 欄"),
        (HEAD.encode() + b"\nx,5" * 20_001, "超過 20,000 列"),
        (b"x" * (20 * 1024**2 + 1), "檔案超過 20 MB"),
    ],
)
def test_what_is_no_table_says_why(content: bytes, says: str) -> None:
    with pytest.raises(sheets.BadSheet) as bad:
        table(content)
    assert says in bad.value.problems[0].text.zh and bad.value.problems[0].row is None


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (f"{HEAD}\n甲,5".encode("cp950"), "檔案以 Big5 讀取"),
        (f"{HEAD}\n甲,5".encode("utf-8-sig"), ""),
        (f"{HEAD}\r\n甲,5\r\n".encode(), ""),
        (f"{HEAD}\n甲,5".replace(",", "\t").encode(), ""),
        (f"列管計畫一覽\n\n{HEAD}\n甲,5".encode(), ""),
        (f"{HEAD},電話\n甲,5,,,1".encode(), "不匯入的欄位：「電話」"),
        (with_result(book(lambda page: page.cell(2, 2, "=2+3"), ["名稱", "進度"], ["甲", None]), "5"), ""),
        (book(lambda page: page.merge_cells("A2:A3"), ["名稱", "進度"], ["甲", 5], [None, 5]), "A2:A3 的值用於第 2 到 3 列"),
    ],
)  # fmt: skip
def test_what_is_understood(content: bytes, note: str) -> None:
    sheet = table(content)
    sheet.require()
    assert {(row.text("title"), row.number_of("share", 0, 100)) for row in sheet.rows} == {("甲", Decimal(5))}
    assert [each.zh.startswith(note) or note in each.zh for each in sheet.notes] == ([True] if note else [])


def test_an_exact_table_is_taken_as_it_was_typed() -> None:
    for change, place in (
        (lambda page: page.merge_cells("A2:A3"), "A2:A3"),
        (lambda page: page.cell(2, 2, "=1"), "B2"),
    ):
        assert said(table(book(change), sheets.SCORES).problems)[0][:2] == (2, place)
