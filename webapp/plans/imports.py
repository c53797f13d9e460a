"""Planned curves and monthly reports from a spreadsheet: looked at first, every bad row named, then taken in."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules import sheets as cells
from rules.values import Text
from webapp import pending, sheets, spreadsheets
from webapp.errors import Conflict
from webapp.plans import bp
from webapp.plans.papers import XLSX
from webapp.presentation import in_language, language
from webapp.queries import plan_blanks, plans
from webapp.security import actor, now
from webapp.services import plan_tables
from webapp.services.plan_control import require
from webapp.services.plan_imports import Imported
from webapp.services.plan_tables import KINDS
from webapp.uow import unit_of_work

#: bad cells that the page names
MOST_NAMED = 100
#: of what is pasted, after a sign-in that had ended
MOST_CARRIED = 500_000
Typed = MultiDict[str, str]


@dataclass(frozen=True)
class Looked:
    """What would come in, or what is wrong with it."""

    imported: Imported | None = None
    problems: tuple[sheets.Problem, ...] = ()


@bp.get("/registers/<key>/import/<any(baselines,reports):kind>")
def import_table(key: str, kind: str) -> ResponseReturnValue:
    return _page(key, kind), 200


@bp.post("/registers/<key>/import/<any(baselines,reports):kind>")
def take_in_table(key: str, kind: str) -> ResponseReturnValue:
    """`do=import` takes it in; anything else looks at it. What is wrong stays on the page, to be corrected there."""
    require(actor())
    of, pasted, looked = plans.register(key), request.form.get("table", ""), Looked()
    try:
        content, pasted = _given(pasted)
        sheet = sheets.read_content(content, KINDS[kind].columns, KINDS[kind].needed, sheets.PAGES)
        if request.form.get("do") == "import":
            with unit_of_work():
                done = plan_tables.take_in(actor(), KINDS[kind], sheet, of.key, now())
            flash(_("已匯入 %(n)s 列，新增 %(new)s 筆。", n=done.rows, new=done.changed), "success")
            return redirect(url_for("plans.register", key=of.key))
        looked = Looked(plan_tables.look(actor(), KINDS[kind], sheet, of.key, now()))
    except sheets.BadSheet as bad:
        looked = Looked(problems=bad.problems)
    except Conflict as refusal:
        return _page(key, kind, pasted, Looked(problems=(sheets.Problem(None, "", refusal.text),))), 409
    return _page(key, kind, pasted, looked), 422 if looked.problems else 200


@bp.get("/registers/<key>/import/<any(baselines,reports):kind>.xlsx")
def import_blank(key: str, kind: str) -> ResponseReturnValue:
    """The table to fill in, with a row for all that is missing."""
    require(actor())
    of = plans.register(key)
    rows = plan_blanks.BLANKS[kind](of, now())
    head = [others[0] for others in KINDS[kind].columns.values()]
    filled = [[*row, *[""] * (len(head) - len(row))] for row in rows]
    content = spreadsheets.as_xlsx([head, *filled], in_language(KINDS[kind].title))
    return content, {
        "Content-Type": XLSX,
        "Content-Disposition": f'attachment; filename="{of.key}-{kind}.xlsx"',
    }


@pending.takes_in("plans.take_in_table", MOST_CARRIED)
def table_again(key: str, kind: str, typed: Typed) -> ResponseReturnValue:
    flash(_("登入曾經逾時，表格還沒有匯入。您貼上的內容都在下面，請再預覽一次。"), "warning")
    return _page(key, kind, typed.get("table", "")), 400


def _given(pasted: str) -> tuple[bytes, str]:
    """The chosen file, else what was pasted; and as it can be pasted again, with the rows where they were."""
    file = request.files.get("file")
    if file is not None and file.filename:
        content = file.read(sheets.PAGES.megabytes * 1024**2 + 1)
        return content, cells.to_text(sheets.open_table(content, sheets.PAGES).lines)
    if not pasted.strip():
        raise sheets.BadSheet(
            [
                sheets.Problem(
                    None, "", Text(zh="請選擇檔案或貼上表格。", en="Choose a file or paste a table.")
                )
            ]
        )
    return pasted.encode("utf-8", "replace"), pasted


def _page(key: str, kind: str, pasted: str = "", looked: Looked | None = None) -> str:
    require(actor())
    of = plans.register(key)
    return render_template(
        "plans/import.html",
        register=of,
        kind=kind,
        kinds=KINDS,
        columns=[(others[0], name in KINDS[kind].needed) for name, others in KINDS[kind].columns.items()],
        pasted=pasted,
        looked=looked or Looked(),
        problems=(looked.problems if looked else ())[:MOST_NAMED],
        more=max(len(looked.problems) - MOST_NAMED, 0) if looked else 0,
        limits=sheets.PAGES,
        zh=language() == "zh",
    )
