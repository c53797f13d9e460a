"""What was sent from the editor after the sign-in had ended: shown with a button that sends it again."""

from __future__ import annotations

from functools import partial

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from rules.yaml_text import MOST_BYTES
from webapp import pending
from webapp.admin import grid, grid_tables

Typed = MultiDict[str, str]

EDITED = (
    "admin.add_parameter",
    "admin.add_table",
    "admin.change_example",
    "admin.change_rule",
    "admin.change_rules",
    "admin.change_yaml",
    "admin.paste_table",
    "admin.remove_table",
    "admin.save_parameters",
    "admin.save_table",
)
#: a file that was chosen goes with none of them
WITH_FILES = ("admin.change_yaml", "admin.paste_table")
#: what a form says about itself
_OWN = ("csrf_token", "version", "rows", "action", "do")


def shown(endpoint: str, *, draft: int, typed: Typed, **args: str | int) -> ResponseReturnValue:
    """Nothing is stored yet. The version of the page goes along: whoever was overtaken meanwhile is told then."""
    ruleset = grid.opened(draft)
    page = render_template(
        "admin/grid_again.html",
        opened=ruleset,
        action=url_for(endpoint, draft=draft, **args),
        fields=[(name, text) for name, text in typed.items(multi=True) if name != "csrf_token"],
        typed=_said(endpoint, ruleset, typed, args.get("number")),
        choose_again=endpoint in WITH_FILES,
    )
    return page, 400


def _said(
    endpoint: str, ruleset: grid.Opened, typed: Typed, number: str | int | None
) -> list[tuple[object, str]]:
    if endpoint == "admin.save_table":
        table = grid_tables.table_of(ruleset, int(number or 0))
        return grid_tables.as_typed(table, typed) if table else []
    texts = [text for name, text in typed.items(multi=True) if name not in _OWN and text.strip()]
    return [(_("內容"), "\n".join(texts))] if texts else []


for _endpoint in EDITED:
    pending.takes_in(_endpoint, MOST_BYTES)(partial(shown, _endpoint))
