"""How cells are written: every cell of every shipped table reads back as it was, in both languages and as a sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import editing, sheets
from rules.cells import Domain, Notation, same
from rules.facts import FACTS
from rules.loader import read_all
from rules.values import Text, normalise_text
from workflows.functions import FUNCTION_LABELS

SHIPPED = read_all()
TABLES = [(key, place) for key, body in SHIPPED.items() for place in range(len(body.get("tables", ())))]
PARAMS = {"severe_lag": Text(zh="嚴重落後門檻", en="Severe from"), "warn": Text(zh="預警", en="Warn")}

NUMBER = Notation(Domain("number"), "ge", PARAMS)
WORD = Notation(Domain("text", FACTS["plan.level"].options), "eq", PARAMS)
OPEN = Notation(Domain("text"), "eq", PARAMS)
YES_NO = Notation(Domain("boolean"), "eq", PARAMS)
DAY = Notation(Domain("date"), "le", PARAMS)
RESULT = Notation(Domain("month_day"), None, PARAMS)
SEVERAL = Notation(Domain("text", FUNCTION_LABELS, several=True), None, PARAMS)


def table_of(key: str, place: int) -> sheets.Table:
    table = sheets.read(SHIPPED[key], place, FUNCTION_LABELS)
    assert table is not None
    return table


def cells() -> Iterator[tuple[sheets.Column, Any]]:
    for key, place in TABLES:
        table = table_of(key, place)
        for row in table.rows:
            for column in table.columns:
                yield column, table.cell(row, column)


def test_every_cell_of_every_shipped_table_reads_back_as_it_was() -> None:
    several = list(cells())
    assert len(several) > 100
    for column, cell in several:
        for lang in ("zh", "en"):
            text = column.notation.write(cell, lang)
            assert same(column.notation.read(text), cell), (column.label, text)
            assert not text.startswith("JSON"), "a person could not write it"


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize(("key", "place"), TABLES)
def test_out_and_in_again_is_the_same_table(key: str, place: int, lang: str) -> None:
    table = table_of(key, place)
    lines = sheets.from_text(sheets.to_text(sheets.to_sheet(table, lang)))
    assert sheets.from_sheet(table, lines) == table.rows


@pytest.mark.parametrize("key", SHIPPED)
def test_every_parameter_reads_back_as_it_was(key: str) -> None:
    used = editing.uses(SHIPPED[key])
    for name, one in editing.parameters(SHIPPED[key]).items():
        notation = editing.parameter_notation(one["value"], used[name], FUNCTION_LABELS)
        assert notation.fits(one["value"]), name
        assert same(notation.read(notation.write(one["value"])), one["value"])


@pytest.mark.parametrize(
    ("notation", "typed", "cell"),
    [
        (NUMBER, "", "-"),
        (NUMBER, "－", "-"),
        (NUMBER, "不限", "-"),
        (NUMBER, "６．５", 6.5),
        (NUMBER, "−5", -5),
        (NUMBER, "50,000,000", 50_000_000),
        (NUMBER, "1.0", 1.0),
        (NUMBER, "＞＝ 5", {"op": "ge", "value": 5}),
        (NUMBER, "≧5", {"op": "ge", "value": 5}),
        (NUMBER, "<{預警}", {"op": "lt", "value": {"param": "warn"}}),
        (NUMBER, "｛嚴重落後門檻｝", {"param": "severe_lag"}),
        (NUMBER, "{severe from}", {"param": "severe_lag"}),
        (NUMBER, "{沒有的}", {"param": "沒有的"}),
        (NUMBER, "〔計畫經費〕", {"fact": "plan.budget"}),
        (NUMBER, "缺", {"op": "missing"}),
        (NUMBER, "known", {"op": "exists"}),
        (NUMBER, "5、6", [5, 6]),
        (NUMBER, "5, 6,000", [5, 6000]),
        (NUMBER, "5–12", "5–12"),
        (NUMBER, "六", "六"),
        (NUMBER, "0.12345678901234567890", "0.12345678901234567890"),
        (WORD, "府列管", "county"),
        (WORD, "By the County", "county"),
        (WORD, "縣長列管，府列管", ["magistrate", "county"]),
        (WORD, "屬於 府列管", {"op": "in", "value": ["county"]}),
        (WORD, "≠ 府列管", {"op": "ne", "value": "county"}),
        (WORD, "市列管", "市列管"),
        (OPEN, "「缺」", "缺"),
        (OPEN, "「A、B」", "A、B"),
        (OPEN, '"A, B"', "A, B"),
        (NUMBER, "[Budget]", {"fact": "plan.budget"}),
        (OPEN, "5", "5"),
        (YES_NO, "是", True),
        (YES_NO, "NO", False),
        (YES_NO, "也許", "也許"),
        (DAY, "115/01/31", "2026-01-31"),
        (DAY, "2026-01-31", "2026-01-31"),
        (RESULT, "1月31日", "01-31"),
        (RESULT, "缺", "缺"),
        (SEVERAL, "科長", ["section_head"]),
        (SEVERAL, "科長、縣長", ["section_head", "magistrate"]),
        (OPEN, "包含 甲", {"op": "contains", "value": "甲"}),
        (OPEN, 'JSON {"op": "in", "value": 5}', {"op": "in", "value": 5}),
        (OPEN, "JSON 是什麼", "JSON 是什麼"),
        (OPEN, "JSON 1e999", "JSON 1e999"),
        (OPEN, 'JSON "\\ud800"', 'JSON "\\ud800"'),
        (OPEN, "JSON " + "[" * 500 + "]" * 500, "JSON " + "[" * 500 + "]" * 500),
    ],
)
def test_what_people_write(notation: Notation, typed: str, cell: object) -> None:
    assert same(notation.read(typed), cell)
    assert same(notation.read(notation.write(cell)), cell)


PLAIN = st.one_of(
    st.text(max_size=12).map(normalise_text),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
)
CELLS = st.one_of(
    PLAIN,
    st.lists(PLAIN, max_size=3),
    st.fixed_dictionaries({"param": st.sampled_from(["severe_lag", "nobody", "缺"])}),
    st.fixed_dictionaries(
        {"op": st.sampled_from(["ge", "in", "missing", "contains", "odd"]), "value": PLAIN}
    ),
)


@settings(max_examples=150, deadline=None)
@given(cell=CELLS, notation=st.sampled_from([NUMBER, WORD, OPEN, YES_NO, DAY, RESULT, SEVERAL]))
def test_whatever_stands_in_a_cell_reads_back(cell: Any, notation: Notation) -> None:
    for lang in ("zh", "en"):
        read = notation.read(notation.write(cell, lang))
        assert same(read, cell) or (read == "-" and cell in ("", "-"))


def test_a_cell_that_nobody_touched_stays_as_it_was() -> None:
    table = table_of("progress_lag", 0)
    row = {"when": [None, "", "beyond"], "then": ["grey"], "label": "x"}
    lang = "en"
    typed = sheets.typed_row(table, row, lambda column: column.notation.write(table.cell(row, column), lang))
    assert typed == {"when": [None, "", "beyond"], "then": ["grey", "-"], "label": "x"}


def test_columns_come_in_any_order_and_strange_ones_are_named() -> None:
    table = table_of("year_end_grade", 0)
    heads = sheets.headings(table, "zh")
    [row] = sheets.from_sheet(table, [[heads[1], "Final score >=", ""], ["甲等", "８０"]])
    assert row == {"when": [80], "then": ["a"]}
    for lines, said in (
        ([["等級"], ["甲等"]], "沒有「等級」這一欄"),
        ([[heads[0], heads[0]], ["1", "2"]], "出現兩次"),
        ([[heads[0]], ["1"], ["1", "多"]], "第 3 行比標題多出一格：「多」"),
        ([["", ""]], "沒有任何內容"),
    ):
        with pytest.raises(sheets.SheetError, match=said):
            sheets.from_sheet(table, lines)


def test_text_of_a_spreadsheet_with_quotes_and_line_ends() -> None:
    assert sheets.from_text('a\t"b ""c""\nd"\r\n\te\n') == [["a", 'b "c"\nd'], ["", "e"], [""]]
    lines = [['"', "a\tb"], ["x\ny", ""]]
    assert sheets.from_text(sheets.to_text(lines)) == lines
