"""A decision table as rows of text: what the grid shows, what a spreadsheet holds, and the way back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from unicodedata import normalize

from rules import actions
from rules.cells import ANY, Domain, Notation, fold, of_action, of_fact
from rules.conditions import OPS, SYMBOLS, Op
from rules.editing import Body, copied, label_in, members, parameter_labels, text_of, text_to
from rules.facts import FACTS, Fact
from rules.model import Status
from rules.values import Text, normalise_text

Half = Literal["when", "then"]
COLUMNS: Mapping[Half, str] = {"when": "inputs", "then": "outputs"}
OP_NAMES: Mapping[Op, Text] = {
    "eq": Text(zh="等於", en="is"),
    "ne": Text(zh="不等於", en="is not"),
    "gt": Text(zh="大於", en="more than"),
    "ge": Text(zh="大於等於", en="at least"),
    "lt": Text(zh="小於", en="less than"),
    "le": Text(zh="小於等於", en="at most"),
    "in": Text(zh="屬於", en="one of"),
    "contains": Text(zh="包含", en="contains"),
}
#: beside the cells of a row: heading, item and part of it
DETAILS: Mapping[str, Text] = {
    "label_zh": Text(zh="列名稱", en="Row"),
    "label_en": Text(zh="列名稱（英文）", en="Row (English)"),
    "source_zh": Text(zh="依據", en="Source"),
    "source_en": Text(zh="依據（英文）", en="Source (English)"),
    "status": Text(zh="依據狀態", en="Status"),
}
STATUSES: tuple[Status, ...] = ("sourced", "seed", "to_be_verified")


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table, as it can be read: one that the loader would refuse is text."""

    half: Half
    #: from 0, within its half
    place: int
    label: Text
    notation: Notation
    unit: Text | None = None
    ops: tuple[Op, ...] = ()

    @property
    def op(self) -> Op | None:
        return self.notation.op

    @property
    def key(self) -> str:
        return f"{self.half}-{self.place}"

    def heading(self, lang: str) -> str:
        """As in a spreadsheet: the fact with its operator, or what follows."""
        name = self.label.in_(lang)
        if self.op in (None, "eq"):
            return name
        sign = normalize("NFKC", SYMBOLS[self.op]) if self.op in SYMBOLS else OP_NAMES[self.op].in_(lang)
        return f"{name} {sign}"

    def name(self, row: int) -> str:
        return f"{self.half}-{row}-{self.place}"


@dataclass(frozen=True)
class Table:
    """A table that has the shape of one. Its cells may hold anything."""

    data: Mapping[str, Any]
    columns: tuple[Column, ...]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return members(self.data.get("rows"))

    def cell(self, row: Mapping[str, Any], column: Column) -> Any:
        cells = members(row.get(column.half))
        return cells[column.place] if column.place < len(cells) else "-"

    def half(self, half: Half) -> list[Column]:
        return [column for column in self.columns if column.half == half]

    @cached_property
    def label(self) -> Text:
        return label_in(self.data, "table")


def read(body: Mapping[str, Any], place: int, functions: Mapping[str, Text]) -> Table | None:
    """The table, None where it cannot be shown as rows and columns."""
    tables = members(body.get("tables"))
    data = tables[place] if place < len(tables) else None
    if not isinstance(data, dict) or not all(
        _mappings(data.get(part)) for part in ("inputs", "outputs", "rows")
    ):
        return None
    for row in data["rows"]:
        if not all(isinstance(row.get(half), list) for half in COLUMNS):
            return None
    params = parameter_labels(body)
    inputs = [_input(n, each, params) for n, each in enumerate(data["inputs"])]
    outputs = [_output(n, each, params, functions) for n, each in enumerate(data["outputs"])]
    return Table(data, (*inputs, *outputs))


def _mappings(data: object) -> bool:
    return isinstance(data, list) and all(isinstance(each, dict) for each in data)


def _input(
    place: int, data: Mapping[str, Any], params: Mapping[str, Text], facts: Mapping[str, Fact] = FACTS
) -> Column:
    name, op = data.get("fact"), data.get("op", "eq")
    known: Op = op if op in OP_NAMES else "eq"
    fact = facts.get(name) if isinstance(name, str) else None
    if fact is None:
        return Column("when", place, Text(zh=str(name or "？")), Notation(Domain("text"), known, params))
    usable = tuple(each for each in OPS[fact.type] if each in OP_NAMES)
    ops = usable if known in usable else (known, *usable)
    return Column("when", place, fact.label, Notation(of_fact(fact), known, params), fact.unit, ops)


def _output(
    place: int, data: Mapping[str, Any], params: Mapping[str, Text], functions: Mapping[str, Text]
) -> Column:
    action, name = data.get("action"), data.get("param")
    param = actions.find(action, str(name)) if isinstance(action, str) and action in actions.ACTIONS else None
    if param is None:
        return Column("then", place, Text(zh=f"{action}.{name}"), Notation(Domain("text"), None, params))
    return Column(
        "then", place, output_label(str(action), param), Notation(of_action(param, functions), None, params)
    )


def output_label(action: str, param: actions.ActionParam) -> Text:
    """燈號, or 訂定處理期限：期間 where the action says more than the parameter."""
    whole = actions.ACTIONS[action].label
    if param.label.zh in whole.zh:
        return whole
    return Text(zh=f"{whole.zh}：{param.label.zh}", en=f"{whole.en}: {param.label.en}")


# --- as typed --------------------------------------------------------------------------------------------


def typed_row(table: Table, row: Mapping[str, Any], typed: Callable[[Column], str | None]) -> dict[str, Any]:
    """The row with what was typed; a cell that reads as it stood stays what it was."""
    changed = dict(row)
    for half in COLUMNS:
        columns = table.half(half)
        beyond = members(row.get(half))[len(columns) :]
        changed[half] = [
            _typed_cell(table.cell(row, column), column, typed(column)) for column in columns
        ] + beyond
    return changed


def _typed_cell(cell: Any, column: Column, typed: str | None) -> Any:
    if typed is None:
        return cell
    read = column.notation.read(typed)
    unchanged = (read == "-" and not isinstance(cell, (dict, list)) and cell in ANY) or any(
        normalise_text(typed) == column.notation.write(cell, lang) for lang in ("zh", "en")
    )
    return cell if unchanged else read


def details_of(row: Mapping[str, Any]) -> dict[str, str]:
    """Name, source and status of a row, as texts."""
    found = {"status": str(row.get("status") or "")}
    for item in ("label", "source"):
        text = text_of(row.get(item))
        found |= {f"{item}_zh": text.zh if text else "", f"{item}_en": text.en if text else ""}
    return found


def with_details(row: Mapping[str, Any], typed: Mapping[str, str]) -> dict[str, Any]:
    """The row with its name, source and status as typed; those that are not typed stay."""
    before = details_of(row)
    after = before | {name: normalise_text(text) for name, text in typed.items()}
    changed = dict(row)
    for item in ("label", "source", "status"):
        names = [name for name in before if name.partition("_")[0] == item]
        if all(before[name] == after[name] for name in names):
            continue
        value = after["status"] if item == "status" else text_to(after[f"{item}_zh"], after[f"{item}_en"])
        if value and value != {"zh": "", "en": ""}:
            changed[item] = value
        else:
            changed.pop(item, None)
    return changed


# --- rows and columns ------------------------------------------------------------------------------------


def with_table(body: Mapping[str, Any], place: int, table: Mapping[str, Any]) -> Body:
    changed = copied(body)
    changed["tables"][place] = dict(table)
    return changed


def empty_row(table: Table) -> dict[str, Any]:
    return {half: ["-"] * len(table.half(half)) for half in COLUMNS}


def moved(rows: Sequence[Any], place: int, by: int) -> list[Any]:
    """One row up or down; at the end it stays."""
    changed = list(rows)
    to = place + by
    if 0 <= place < len(changed) and 0 <= to < len(changed):
        changed[place], changed[to] = changed[to], changed[place]
    return changed


def with_column(data: Mapping[str, Any], half: Half, column: Mapping[str, Any]) -> dict[str, Any]:
    """The table with one column more, at the end of its half, empty in every row."""
    rows = [{**row, half: [*members(row.get(half)), "-"]} for row in members(data.get("rows"))]
    return {**data, COLUMNS[half]: [*members(data.get(COLUMNS[half])), dict(column)], "rows": rows}


def without_column(data: Mapping[str, Any], half: Half, place: int) -> dict[str, Any]:
    def less(cells: Sequence[Any]) -> list[Any]:
        return [cell for n, cell in enumerate(cells) if n != place]

    rows = [{**row, half: less(members(row.get(half)))} for row in members(data.get("rows"))]
    return {**data, COLUMNS[half]: less(members(data.get(COLUMNS[half]))), "rows": rows}


def with_op(data: Mapping[str, Any], place: int, op: str) -> dict[str, Any]:
    """The operator of a condition; `eq` need not be written."""
    inputs = [dict(each) for each in members(data.get("inputs"))]
    if inputs[place].get("op", "eq") != op:
        inputs[place]["op"] = op
        if op == "eq":
            del inputs[place]["op"]
    return {**data, "inputs": inputs}


# --- spreadsheets ----------------------------------------------------------------------------------------


class SheetError(ValueError):
    """A sheet that cannot be read as the table; says where, for people."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.zh)
        self.text = text


def headings(table: Table, lang: str) -> list[str]:
    """One a column, no two alike."""
    found: list[str] = []
    for name in (
        *(column.heading(lang) for column in table.columns),
        *(text.in_(lang) for text in DETAILS.values()),
    ):
        number, unique = 1, name
        while fold(unique) in map(fold, found):
            number += 1
            unique = f"{name} ({number})"
        found.append(unique)
    return found


def to_sheet(table: Table, lang: str) -> list[list[str]]:
    """Headings, then a row of text for each row; an empty cell for any value."""
    lines = [headings(table, lang)]
    for row in table.rows:
        cells = [column.notation.write(table.cell(row, column), lang) for column in table.columns]
        details = details_of(row)
        lines.append(["" if cell == "-" else cell for cell in cells] + [details[name] for name in DETAILS])
    return lines


def from_sheet(table: Table, lines: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """The rows of a sheet, its columns found by their headings in either language, in any order."""
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise SheetError(Text(zh="沒有任何內容。", en="There is nothing in it."))
    found = places(table, lines[0])
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line[len(lines[0]) :]):
            raise SheetError(
                Text(
                    zh=f"第 {number} 行比標題多出一格：「{line[len(lines[0])]}」。",
                    en=f"Line {number} has a cell beyond the headings: “{line[len(lines[0])]}”.",
                )
            )
        rows.append(_from_line(table, found, line))
    return rows


def places(table: Table, heads: Sequence[str]) -> dict[str, int]:
    """Which column and detail stands where, by the headings in either language."""
    known: dict[str, str] = {}
    names = [*(column.key for column in table.columns), *DETAILS]
    for lang in ("en", "zh"):
        known |= {fold(head): name for head, name in zip(headings(table, lang), names, strict=True)}
    found: dict[str, int] = {}
    for n, head in enumerate(heads):
        if not head.strip():
            continue
        name = known.get(fold(head))
        if name is None:
            has = "、".join(headings(table, "zh")[: len(table.columns)])
            raise SheetError(
                Text(
                    zh=f"沒有「{head}」這一欄。這張表的欄位：{has}。",
                    en=f"There is no column “{head}”. Columns: {has}.",
                )
            )
        if name in found:
            raise SheetError(Text(zh=f"「{head}」這一欄出現兩次。", en=f"The column “{head}” appears twice."))
        found[name] = n
    return found


def _from_line(table: Table, found: Mapping[str, int], line: Sequence[str]) -> dict[str, Any]:
    def at(name: str) -> str | None:
        place = found.get(name)
        return None if place is None else line[place] if place < len(line) else ""

    row = typed_row(table, empty_row(table), lambda column: at(column.key))
    return with_details(row, {name: text for name in DETAILS if (text := at(name)) is not None})


def from_text(text: str) -> list[list[str]]:
    """What was copied in a spreadsheet: cells between tabs, in quotes where they hold line ends."""
    lines: list[list[str]] = [[]]
    cell, quoted, n = "", False, 0
    while n < len(text):
        c = text[n]
        if quoted:
            if c == '"' and text[n + 1 : n + 2] == '"':
                cell, n = cell + c, n + 1
            elif c == '"':
                quoted = False
            else:
                cell += c
        elif c == '"' and not cell:
            quoted = True
        elif c == "\t":
            lines[-1].append(cell)
            cell = ""
        elif c in "\r\n":
            lines[-1].append(cell)
            lines.append([])
            cell = ""
            n += text[n : n + 2] == "\r\n"
        else:
            cell += c
        n += 1
    lines[-1].append(cell)
    return lines


def to_text(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("\t".join(_quoted(cell) for cell in line) for line in lines)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(c in cell for c in '\t\r\n"') else cell
