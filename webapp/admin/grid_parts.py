"""A parameter or a decision table comes, and goes."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import editing
from rules.values import Text, normalise_text
from webapp.admin import bp, grid
from webapp.errors import Conflict, NotFound, Refused


@bp.post("/drafts/<int:draft>/edit/parameters/new")
def add_parameter(draft: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    code, label = _typed("code"), _typed("label")
    try:
        body, name = editing.with_parameter(ruleset.body, code, label)
        grid.save(draft, body)
    except TypeError:
        raise _no_shape() from None
    except (Conflict, Refused) as error:
        return grid.overtaken(draft, error, [(_("新增參數"), f"{code} {label}".strip())])
    return redirect(url_for("admin.edit_parameters", draft=draft, _anchor=f"value-{name}"))


@bp.post("/drafts/<int:draft>/edit/tables/new")
def add_table(draft: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    code, label = _typed("code"), _typed("label")
    try:
        body, place = editing.with_empty_table(ruleset.body, code, label)
        grid.save(draft, body)
    except TypeError:
        raise _no_shape() from None
    except (Conflict, Refused) as error:
        return grid.overtaken(draft, error, [(_("新增決策表"), f"{code} {label}".strip())])
    return redirect(url_for("admin.edit_table", draft=draft, number=place + 1))


@bp.post("/drafts/<int:draft>/edit/tables/<int:number>/remove")
def remove_table(draft: int, number: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    if not 0 < number <= len(editing.members(ruleset.body.get("tables"))):
        raise NotFound()
    try:
        grid.save(draft, editing.without_table(ruleset.body, number - 1))
    except (Conflict, Refused) as error:
        return grid.overtaken(draft, error, [])
    flash(_("表已從草稿刪除。現行版本照常運作。"), "success")
    return redirect(url_for("admin.edit_draft", draft=draft))


def _typed(name: str) -> str:
    return normalise_text(request.form.get(name, ""))[:200]


def _no_shape() -> Refused:
    return Refused(
        Text(
            zh="草稿的這一部分形式不對，請先到 YAML 修改。",
            en="This part of the draft has the wrong shape; change it as YAML first.",
        )
    )
