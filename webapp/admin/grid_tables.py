"""A decision table as a grid: typed, checked while typing, its rows moved by buttons."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import actions, editing, sheets
from rules.cells import Notation, of_action
from rules.conditions import SYMBOLS
from rules.facts import FACTS
from rules.loader import MAX_RULES
from rules.model import Aggregate, HitPolicy
from rules.values import Text, normalise_text
from webapp.admin import bp, grid
from webapp.admin.grid_parameters import STATUSES
from webapp.admin.grid_problems import Checked, check
from webapp.errors import Conflict, NotFound, Refused
from webapp.presentation import language
from workflows.functions import FUNCTION_LABELS

#: what each hit policy means, in one line
POLICIES: Mapping[str, tuple[Text, Text]] = {
    "unique": (
        Text(zh="唯一", en="Unique"),
        Text(
            zh="只能有一列符合；不可重疊，原則上也不可有缺口",
            en="exactly one row matches; no overlap, and no gap unless allowed",
        ),
    ),
    "first": (
        Text(zh="由上而下第一列", en="First"),
        Text(
            zh="採用最上面符合的一列；原則上不可有缺口",
            en="the topmost row that matches counts; no gap unless allowed",
        ),
    ),
    "priority": (
        Text(zh="優先順序", en="Priority"),
        Text(
            zh="採用結果排在最前面的一列；原則上不可有缺口",
            en="the row whose result stands first in the order; no gap unless allowed",
        ),
    ),
    "collect": (
        Text(zh="合計", en="Collect"),
        Text(zh="所有符合的列合計成一個數字", en="all rows that match make one number"),
    ),
    "rule_order": (
        Text(zh="全部，依列的順序", en="All, in the order of rows"),
        Text(zh="所有符合的列都採用", en="every row that matches counts"),
    ),
    "output_order": (
        Text(zh="全部，依結果的順序", en="All, in the order of results"),
        Text(zh="所有符合的列都採用，依結果排序", en="every row that matches counts, sorted by result"),
    ),
}
AGGREGATES: Mapping[str, Text] = {
    "sum": Text(zh="總和", en="sum"),
    "min": Text(zh="最小", en="smallest"),
    "max": Text(zh="最大", en="largest"),
    "count": Text(zh="個數", en="count"),
}
assert set(POLICIES) == set(get_args(HitPolicy)) and set(AGGREGATES) == set(get_args(Aggregate))
_CELL = re.compile(r"(when|then)-([0-9]{1,5})-([0-9]{1,3})")
_DETAIL = re.compile(f"({'|'.join(sheets.DETAILS)})-([0-9]{{1,5}})")
COMPLETE = (
    ("", Text(zh="依命中方式", en="As the hit policy says")),
    ("true", Text(zh="不可有缺口", en="No gaps")),
    ("false", Text(zh="可以有缺口", en="Gaps are allowed")),
)


@dataclass(frozen=True)
class Cell:
    """An input of the grid."""

    name: str
    text: str
    label: str
    #: for a select: (what is sent, what is read)
    options: list[tuple[str, str]]
    column: str

    @property
    def size(self) -> int:
        """In letters; a character of Chinese takes two."""
        return min(28, max(8, sum(2 if ord(c) > 255 else 1 for c in self.text)))


@bp.get("/drafts/<int:draft>/edit/tables/<int:number>")
def edit_table(draft: int, number: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    table = table_of(ruleset, number)
    checked = check(ruleset.body, number - 1, table)
    return render_template(
        "admin/grid_table.html",
        opened=ruleset,
        number=number,
        table=table,
        checked=checked,
        examples=editing.examples_of(ruleset.body, number - 1),
        **(_view(ruleset, table) if table else {}),
    )


@bp.post("/drafts/<int:draft>/edit/tables/<int:number>")
def save_table(draft: int, number: int) -> ResponseReturnValue:
    """Whatever button was pressed, the whole grid is saved as it was typed; then the button does its work."""
    ruleset = grid.opened(draft)
    table = table_of(ruleset, number)
    if table is None:
        raise NotFound()
    data, anchor = _done(_typed(table), request.form.get("do", ""))
    try:
        grid.save(draft, sheets.with_table(ruleset.body, number - 1, data))
    except (Conflict, Refused) as error:
        return grid.overtaken(draft, error, as_typed(table, request.form))
    if request.form.get("do") in ("save", "check", None):
        flash(_("草稿已儲存。現行版本照常運作。"), "success")
    cells = request.args.get("cells")
    return redirect(url_for("admin.edit_table", draft=draft, number=number, cells=cells, _anchor=anchor))


@bp.post("/drafts/<int:draft>/edit/tables/<int:number>/check")
def check_table(draft: int, number: int) -> ResponseReturnValue:
    """While typing: what would be wrong, without saving anything."""
    ruleset = grid.opened(draft)
    table = table_of(ruleset, number)
    if table is None:
        raise NotFound()
    body = sheets.with_table(ruleset.body, number - 1, _typed(table))
    checked: Checked = check(body, number - 1, sheets.read(body, number - 1, FUNCTION_LABELS))
    return render_template("admin/grid_problems.html", checked=checked)


def table_of(ruleset: grid.Opened, number: int) -> sheets.Table | None:
    """None where it cannot be shown as a grid; not there is not found."""
    if not 0 < number <= len(editing.members(ruleset.body.get("tables"))):
        raise NotFound()
    return sheets.read(ruleset.body, number - 1, FUNCTION_LABELS)


# --- what is shown ---------------------------------------------------------------------------------------


def _view(ruleset: grid.Opened, table: sheets.Table) -> dict[str, Any]:
    lang = language()
    as_text = request.args.get("cells") == "text"
    options = {column: [] if as_text else _options(column, ruleset, lang) for column in table.columns}
    rows = [
        {
            "cells": [
                _cell(column, n, column.notation.write(table.cell(row, column), lang), options[column], lang)
                for column in table.columns
            ],
            "details": sheets.details_of(row),
        }
        for n, row in enumerate(table.rows)
    ]
    return {
        "rows": rows,
        "as_text": as_text,
        "columns": table.columns,
        "suggestions": {
            column: _suggestions(column, lang) for column in table.columns if not options[column]
        },
        "signs": {op: SYMBOLS.get(op, "") for op in sheets.OP_NAMES},
        "op_names": sheets.OP_NAMES,
        "details": sheets.DETAILS,
        "statuses": STATUSES,
        "settings": _settings(table, lang),
        "policies": POLICIES,
        "aggregates": AGGREGATES,
        "complete": COMPLETE,
        "facts": [(name, fact.label) for name, fact in FACTS.items()],
        "outputs": _outputs(),
    }


def _options(column: sheets.Column, ruleset: grid.Opened, lang: str) -> list[tuple[str, str]]:
    """For a select, where the values are closed; the parameters that hold one of them are among them."""
    domain = column.notation.domain
    if domain.several or column.op == "in" or not domain.words.named:
        return []
    nothing = _("不限") if column.half == "when" else _("無")
    found = [("-", nothing)]
    found += [(domain.words.word(code, lang), label.in_(lang)) for code, label in domain.words.named.items()]
    for name, one in editing.parameters(ruleset.body).items():
        if column.notation.fits(one.get("value")):
            text = column.notation.write({"param": name}, lang)
            found.append((text, text))
    if column.half == "when":
        found += [
            (text, text) for op in ("missing", "exists") for text in [column.notation.write({"op": op}, lang)]
        ]
    return found


def _suggestions(column: sheets.Column, lang: str) -> list[str]:
    """What an input offers while one types."""
    words, notation = column.notation.domain.words, column.notation
    found = [words.word(code, lang) for code in words.named]
    found += [notation.write({"param": name}, lang) for name in notation.params]
    return found + ([notation.write({"op": op}, lang) for op in ("missing", "exists")] if notation.op else [])


def _cell(column: sheets.Column, row: int, text: str, options: list[tuple[str, str]], lang: str) -> Cell:
    """What stands there is always among the options."""
    if options:
        options = options if text in dict(options) else [*options, (text, text)]
    elif text == "-":
        text = ""
    label = _("第 %(row)s 列 %(column)s", row=row + 1, column=column.heading(lang))
    return Cell(column.name(row), text, label, options, f"list-{column.half}-{column.place}")


def _outputs() -> list[tuple[str, Text]]:
    return [
        (f"{name}.{param.name}", sheets.output_label(name, param))
        for name, action in actions.ACTIONS.items()
        for param in action.params
    ]


def _output_of(data: Mapping[str, Any]) -> str:
    output = data.get("output")
    return f"{output.get('action')}.{output.get('param')}" if isinstance(output, Mapping) else ""


def _ordered(output: str) -> Notation | None:
    """How the order of values is written."""
    action, _dot, name = output.partition(".")
    param = actions.find(action, name) if action in actions.ACTIONS else None
    if param is None:
        return None
    domain = of_action(param, FUNCTION_LABELS)
    return Notation(type(domain)(domain.type, domain.options, several=True))


def _settings(table: sheets.Table, lang: str) -> dict[str, Any]:
    data, columns = table.data, table.half("then")
    output = _output_of(data)
    order = data.get("order")
    wanted = output
    if not output and len(columns) == 1:
        only = editing.members(data.get("outputs"))[0]
        wanted = f"{only.get('action')}.{only.get('param')}"
    notation = _ordered(wanted) or Notation(columns[0].notation.domain) if columns else None
    return {
        **sheets.details_of(data),
        "hit_policy": str(data.get("hit_policy") or ""),
        "output": output,
        "order": notation.write(order, lang) if order is not None and notation else "",
        "aggregate": str(data.get("aggregate") or ""),
        "complete": "" if "complete" not in data else str(data["complete"]).lower(),
        "notation": notation,
    }


# --- what is typed ---------------------------------------------------------------------------------------


def _typed(table: sheets.Table) -> dict[str, Any]:
    """The table as the form has it: rows beyond those that stand there were pasted by script."""
    ops = {column.place: request.form.get(f"op-{column.place}") for column in table.half("when")}
    rows, empty = table.rows, sheets.empty_row(table)
    count = request.form.get("rows", "")
    if count.isascii() and count.isdigit() and len(count) < 6:
        rows = [*rows, *([empty] * (min(int(count), MAX_RULES) - len(rows)))]
    typed = []
    for n, row in enumerate(rows):
        changed = sheets.typed_row(table, row, partial(_typed_cell, n))
        said = {name: request.form[f"{name}-{n}"] for name in sheets.DETAILS if f"{name}-{n}" in request.form}
        typed.append(sheets.with_details(changed, said))
    data = {**table.data, "rows": typed}
    for place, op in ops.items():
        if op in sheets.OP_NAMES:
            data = sheets.with_op(data, place, op)
    return _with_settings(table, data)


def _typed_cell(row: int, column: sheets.Column) -> str | None:
    return request.form.get(column.name(row))


def _with_settings(table: sheets.Table, data: dict[str, Any]) -> dict[str, Any]:
    before = _settings(table, language())
    said = {name: request.form[f"table-{name}"] for name in before if f"table-{name}" in request.form}
    typed = {
        name: normalise_text(text) for name, text in said.items() if normalise_text(text) != before[name]
    }
    data = sheets.with_details(data, {name: text for name, text in typed.items() if name in sheets.DETAILS})
    for name in ("hit_policy", "aggregate", "complete", "output", "order"):
        if name not in typed:
            continue
        text = typed[name]
        value: Any = text
        if name == "complete":
            value = text == "true"
        elif name == "output":
            action, _dot, param = text.partition(".")
            value = {"action": action, "param": param}
        elif name == "order":
            notation = _ordered(typed.get("output", before["output"])) or before["notation"]
            value = notation.read(text) if notation else text
        if text:
            data[name] = value
        else:
            data.pop(name, None)
    return data


def _done(data: dict[str, Any], do: str) -> tuple[dict[str, Any], str]:
    """The table after a button, and the id of what has the focus then: the same button, where it has gone."""
    verb, _colon, which = do.partition(":")
    rows = editing.members(data.get("rows"))
    place = int(which) if which.isascii() and which.isdigit() and len(which) < 6 else 0
    if verb in ("up", "down"):
        to = max(0, min(len(rows) - 1, place + (-1 if verb == "up" else 1)))
        return {**data, "rows": sheets.moved(rows, place, to - place)}, f"{verb}-{to}"
    if verb == "add" and len(rows) < MAX_RULES:
        empty = {half: ["-"] * len(editing.members(data.get(part))) for half, part in sheets.COLUMNS.items()}
        return {**data, "rows": [*rows[:place], empty, *rows[place:]]}, f"when-{place}-0"
    if verb == "delete" and place < len(rows):
        left = [row for n, row in enumerate(rows) if n != place]
        at = min(place, len(left) - 1)
        return {**data, "rows": left}, f"delete-{at}"
    if verb in ("remove-when", "remove-then"):
        half: sheets.Half = "when" if verb == "remove-when" else "then"
        if place < len(editing.members(data.get(sheets.COLUMNS[half]))):
            return sheets.without_column(data, half, place), "grid"
    if verb == "add-when" and (fact := request.form.get("new-fact", "")) in FACTS:
        op = request.form.get("new-op", "eq")
        column = {"fact": fact} | ({"op": op} if op != "eq" and op in sheets.OP_NAMES else {})
        return sheets.with_column(data, "when", column), "grid"
    if verb == "add-then" and _ordered(output := request.form.get("new-output", "")) is not None:
        action, _dot, param = output.partition(".")
        return sheets.with_column(data, "then", {"action": action, "param": param}), "grid"
    return data, "problems" if verb == "check" else ""


def as_typed(table: sheets.Table, form: Mapping[str, str]) -> list[tuple[object, str]]:
    """The grid as a form had it, whatever became of the table meanwhile: text that can be pasted again."""
    cells: dict[int, dict[tuple[int, int], str]] = {}
    for name, text in form.items():
        if found := _CELL.fullmatch(name):
            cells.setdefault(int(found[2]), {})[found[1] == "then", int(found[3])] = text
        elif found := _DETAIL.fullmatch(name):
            cells.setdefault(int(found[2]), {})[2, list(sheets.DETAILS).index(found[1])] = text
    places = sorted({place for row in cells.values() for place in row})
    lines = [[cells[row].get(place, "") for place in places] for row in sorted(cells)]
    heads = sheets.headings(table, language())
    if lines and len(heads) == len(places):
        lines.insert(0, heads)
    before = {f"table-{name}": text for name, text in _settings(table, language()).items()}
    settings = [
        text for name, text in form.items() if name in before and normalise_text(text) != before[name]
    ]
    shown: list[tuple[object, str]] = [(table.label, sheets.to_text(lines))]
    return shown + ([(_("表的設定"), "\n".join(settings))] if any(settings) else [])
