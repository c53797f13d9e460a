"""A decision table from a spreadsheet and into one: pasted or as a file, looked at before it is taken over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import editing, sheets
from rules.loader import MAX_RULES
from rules.values import Text
from webapp import spreadsheets
from webapp.admin import bp, grid
from webapp.admin.grid_problems import Checked, check
from webapp.errors import Conflict, NotFound, Refused
from webapp.presentation import in_language, language
from webapp.sheets import RULES, cells_of
from workflows.functions import FUNCTION_LABELS

MIME = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: no name of a sheet has these
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")


@dataclass(frozen=True)
class Preview:
    """What would be taken over, and what would then be wrong."""

    lines: list[list[str]]
    #: columns of the table, and details that its rows have, that the sheet has not: they stay empty
    without: list[str]
    replaced: Checked
    appended: Checked


@bp.get("/drafts/<int:draft>/edit/tables/<int:number>/table.<any(csv,xlsx):kind>")
def table_file(draft: int, number: int, kind: str) -> Response:
    ruleset = grid.opened(draft)
    table = _table(ruleset.body, number)
    lines = sheets.to_sheet(table, language())
    title = _NOT_IN_NAMES.sub(" ", in_language(table.label))[:31].strip() or "table"
    content = spreadsheets.as_csv(lines) if kind == "csv" else spreadsheets.as_xlsx(lines, title)
    answer = make_response(content)
    answer.headers["Content-Type"] = MIME[kind]
    name = f"{ruleset.draft.key}-{number}.{kind}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.route("/drafts/<int:draft>/edit/tables/<int:number>/paste", methods=["GET", "POST"])
def paste_table(draft: int, number: int) -> ResponseReturnValue:
    """Without `do` it is looked at; `replace` and `append` take it over."""
    ruleset = grid.opened(draft)
    table = _table(ruleset.body, number)
    text, preview, mistake = request.form.get("sheet", ""), None, None
    if request.method == "POST":
        try:
            text = _given(text)
            lines = sheets.from_text(text)
            rows = sheets.from_sheet(table, lines)
            taken = _taken(table, rows)
            if (do := request.form.get("do")) in taken:
                return _take_over(ruleset, number, table, taken[do], len(rows), text)
            preview = _preview(ruleset.body, number, table, lines, taken)
        except (sheets.SheetError, Refused) as error:
            mistake = error.text
    page = render_template(
        "admin/grid_paste.html",
        opened=ruleset,
        version=grid.version() if request.method == "POST" else ruleset.draft.version,
        number=number,
        table=table,
        headings=sheets.headings(table, language()),
        sheet=text,
        preview=preview,
        mistake=mistake,
        has_errors=mistake,
    )
    return page, 422 if mistake else 200


def _table(body: editing.Body, number: int) -> sheets.Table:
    table = sheets.read(body, number - 1, FUNCTION_LABELS) if number else None
    if table is None:
        raise NotFound()
    return table


def _given(text: str) -> str:
    """What was pasted, or the file as if it had been pasted."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return text
    lines = cells_of(file.read(RULES.megabytes * 1024**2 + 1))
    return sheets.to_text(lines)


def _taken(table: sheets.Table, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The table after either button."""
    both = {"replace": rows, "append": [*table.rows, *rows]}
    if len(both["append"]) > MAX_RULES:
        raise sheets.SheetError(
            Text(
                zh=f"合起來超過 {MAX_RULES} 列，請分成幾個表。", en=f"That makes more than {MAX_RULES} rows."
            )
        )
    return {do: {**table.data, "rows": all_rows} for do, all_rows in both.items()}


def _preview(
    body: editing.Body,
    number: int,
    table: sheets.Table,
    lines: list[list[str]],
    taken: dict[str, dict[str, Any]],
) -> Preview:
    checked = []
    for do in ("replace", "append"):
        after = sheets.with_table(body, number - 1, taken[do])
        checked.append(check(after, number - 1, sheets.read(after, number - 1, FUNCTION_LABELS)))
    replaced = sheets.read(sheets.with_table(body, number - 1, taken["replace"]), number - 1, FUNCTION_LABELS)
    assert replaced is not None
    given = sheets.places(table, next(line for line in lines if any(cell.strip() for cell in line)))
    without = [column.heading(language()) for column in table.columns if column.key not in given]
    used = {name for row in table.rows for name, text in sheets.details_of(row).items() if text}
    without += [in_language(text) for name, text in sheets.DETAILS.items() if name in used - given.keys()]
    return Preview(sheets.to_sheet(replaced, language())[1:], without, *checked)


def _take_over(
    ruleset: grid.Opened, number: int, table: sheets.Table, data: dict[str, Any], rows: int, text: str
) -> ResponseReturnValue:
    try:
        grid.save(ruleset.draft.id, sheets.with_table(ruleset.body, number - 1, data))
    except (Conflict, Refused) as error:
        return grid.overtaken(ruleset.draft.id, error, [(table.label, text)])
    flash(_("已放入 %(n)s 列。現行版本照常運作。", n=rows), "success")
    return redirect(url_for("admin.edit_table", draft=ruleset.draft.id, number=number))
