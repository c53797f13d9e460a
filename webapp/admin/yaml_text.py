"""The whole ruleset of a draft as the text of its file: typed, brought as a file, or taken away as one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import yaml_text
from rules.values import DefinitionError, Problem, Text, say
from rules.yaml_text import MOST_BYTES, Located
from webapp.admin import bp, grid
from webapp.errors import Conflict, Refused
from webapp.queries import editing

_TOO_LARGE = Text(
    zh=f"檔案超過 {MOST_BYTES // 1024} KB", en=f"The file is larger than {MOST_BYTES // 1024} KB"
)
_NO_TEXT = Text(zh="檔案必須是 UTF-8 編碼的文字檔", en="The file must be text in UTF-8")


@bp.get("/drafts/<int:draft>/edit/yaml")
def edit_yaml(draft: int) -> ResponseReturnValue:
    opened = grid.opened(draft)
    text = yaml_text.write(opened.body)
    return _page(opened, text, yaml_text.locate(text, opened.problems))


@bp.get("/drafts/<int:draft>/edit/yaml/file")
def yaml_file(draft: int) -> ResponseReturnValue:
    """As `definitions sync` reads it."""
    opened = grid.opened(draft)
    answer = Response(yaml_text.write(opened.body), mimetype="application/yaml")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{opened.draft.key}.yaml")
    return answer


@bp.post("/drafts/<int:draft>/edit/yaml")
def change_yaml(draft: int) -> ResponseReturnValue:
    """Kept where it is a mapping, right or wrong; else shown again with what is wrong."""
    opened = grid.opened(draft)
    text, unreadable = _given()
    try:
        if unreadable:
            raise DefinitionError([unreadable])
        body = yaml_text.read(text)
        _require_key(body, opened.draft.key)
    except DefinitionError as error:
        found = [Located(yaml_text.line_of_refusal(each), each) for each in error.problems]
        return _page(opened, text, found, refused=True), 422
    if request.form.get("action") != "save":
        return _page(opened, text, yaml_text.locate(text, editing.problems(body)))
    try:
        grid.save(draft, body)
    except Conflict as conflict:
        return grid.overtaken(draft, conflict, [("YAML", text)])
    except Refused as refusal:
        found = [Located(0, Problem(path="", message=refusal.text))]
        return _page(opened, text, found, refused=True), refusal.status
    flash(_("已儲存。"), "success")
    return redirect(url_for("admin.edit_yaml", draft=draft))


def _given() -> tuple[str, Problem | None]:
    """What was typed or, where there is one, the file that was brought."""
    brought = request.files.get("file")
    typed = request.form.get("text", "").replace("\r\n", "\n")
    if brought is None or not brought.filename:
        return typed, None
    content = brought.stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return typed, Problem(path="", message=_TOO_LARGE)
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n"), None
    except UnicodeDecodeError:
        return typed, Problem(path="", message=_NO_TEXT)


def _require_key(body: Mapping[str, Any], key: str) -> None:
    if body.get("key") != key:
        message = say(
            "key 必須是「{key}」：這份草稿是這個規則集的，不能改成另一個",
            "key must be “{key}”: this draft is of that ruleset and cannot become another",
            key=key,
        )
        raise DefinitionError([Problem(path="", message=message)])


def _page(opened: grid.Opened, text: str, found: list[Located], *, refused: bool = False) -> str:
    return render_template(
        "admin/yaml_text.html",
        opened=opened,
        version=request.form.get("version", opened.draft.version),
        form=None,
        text=text,
        found=found,
        wrong={each.line for each in found},
        lines=text.split("\n"),
        refused=refused,
        most=MOST_BYTES // 1024,
        has_errors=bool(found),
    )
