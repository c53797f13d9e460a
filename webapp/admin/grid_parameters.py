"""The parameter panel: what an administrator may change without touching a rule, with where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules import editing
from rules.cells import Notation
from rules.conditions import TYPE_NAMES
from rules.values import Text, normalise_text, say
from webapp.admin import bp, grid
from webapp.errors import Conflict, Refused
from webapp.presentation import in_language, language
from workflows.functions import FUNCTION_LABELS

#: how sure the source is: its name, the colour of its tag
STATUSES: Mapping[str, tuple[Text, str]] = {
    "sourced": (Text(zh="有法源", en="Sourced"), "green"),
    "seed": (Text(zh="本縣資料", en="From the county's reports"), "blue"),
    "to_be_verified": (Text(zh="待確認", en="To be verified"), "yellow"),
}
DAY = Text(zh="月日，例如 01-31", en="a day of the year, such as 01-31")
#: the details of a parameter that are texts: (item, its language)
TEXTS = (("label", "zh"), ("label", "en"), ("unit", "zh"), ("unit", "en"), ("source", "zh"), ("source", "en"))


@dataclass(frozen=True)
class Row:
    """A parameter on the page."""

    name: str
    notation: Notation
    typed: str
    texts: dict[str, str]
    status: str
    uses: list[tuple[Text, str | None]]
    #: the value in force, where it is another one
    before: str | None
    mistakes: list[str]

    @property
    def label(self) -> Text:
        return Text(zh=self.texts["label_zh"] or self.name, en=self.texts["label_en"])

    @property
    def unit(self) -> Text | None:
        zh = self.texts["unit_zh"]
        return Text(zh=zh, en=self.texts["unit_en"]) if zh else None

    @property
    def options(self) -> list[tuple[str, str]]:
        """For a select; what is there now stays among them, right or wrong. Several are typed."""
        if self.notation.domain.several:
            return []
        words = self.notation.domain.words
        known = [(words.word(code, language()), in_language(label)) for code, label in words.named.items()]
        return [*([] if self.typed in dict(known) else [(self.typed, self.typed)]), *known] if known else []


@bp.get("/drafts/<int:draft>/edit/parameters")
def edit_parameters(draft: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    rows = _rows(ruleset)
    links = [
        (
            f"#value-{row.name}",
            in_language(say("{label}：{said}", "{label}: {said}", label=row.label, said=mistake)),
        )
        for row in rows
        for mistake in row.mistakes
    ]
    shown = {f"parameters.{row.name}" for row in rows}
    for problem in ruleset.problems_of("parameters"):
        if not problem.path.startswith(tuple(shown)):
            links.append(("", in_language(problem.message)))
    return render_template(
        "admin/grid_parameters.html",
        opened=ruleset,
        rows=rows,
        links=links,
        statuses=STATUSES,
        has_errors=links,
    )


@bp.post("/drafts/<int:draft>/edit/parameters")
def save_parameters(draft: int) -> ResponseReturnValue:
    ruleset = grid.opened(draft)
    body, changed = ruleset.body, []
    used = editing.uses(body)
    for name, one in editing.parameters(ruleset.body).items():
        changes = _changes(one, name, _notation(one, used.get(name, [])))
        if changes:
            body = editing.set_parameter(body, name, changes)
            said = [request.form.get(f"{item}-{name}", "") for item in _items(changes)]
            changed.append((editing.label_in(one, name), "\n".join(said)))
    verb, _colon, name = request.form.get("do", "").partition(":")
    if verb == "remove" and name in editing.parameters(body) and not used.get(name):
        body = editing.without_parameter(body, name)
    try:
        grid.save(draft, body)
    except (Conflict, Refused) as error:
        return grid.overtaken(draft, error, changed)
    flash(_("草稿已儲存。現行版本照常運作。"), "success")
    return redirect(url_for("admin.edit_parameters", draft=draft))


def _rows(ruleset: grid.Opened) -> list[Row]:
    used = editing.uses(ruleset.body)
    in_force = editing.parameters(ruleset.in_force)
    rows = []
    for name, one in editing.parameters(ruleset.body).items():
        notation = _notation(one, used.get(name, []))
        typed = _shown(notation, one.get("value"))
        there = name in in_force
        before = _shown(notation, in_force[name].get("value")) if there else None
        rows.append(
            Row(
                name,
                notation,
                typed,
                {f"{item}_{lang}": _part(one.get(item), lang) for item, lang in TEXTS},
                str(one.get("status") or ""),
                [(use.label, _url_of_use(ruleset.draft.id, use)) for use in _once(used.get(name, []))],
                before if before != typed else None,
                _mistakes(ruleset, name, notation, one.get("value")),
            )
        )
    return rows


def _mistakes(ruleset: grid.Opened, name: str, notation: Notation, value: object) -> list[str]:
    """A value of another type breaks the rules that use it; it is said here, where it was typed."""
    path = f"parameters.{name}"
    if value not in (None, "") and not notation.fits(value):
        wanted = DAY if notation.domain.type == "month_day" else TYPE_NAMES[notation.domain.type]
        wrong = _("「%(typed)s」不是%(kind)s", typed=_shown(notation, value), kind=in_language(wanted))
        return [
            wrong,
            *(in_language(each.message) for each in ruleset.problems if each.path.startswith(path + ".")),
        ]
    return [
        in_language(each.message)
        for each in ruleset.problems
        if each.path == path or each.path.startswith(path + ".")
    ]


def _notation(one: Mapping[str, Any], used: list[editing.Use]) -> Notation:
    return editing.parameter_notation(one.get("value"), used, FUNCTION_LABELS)


def _shown(notation: Notation, value: object) -> str:
    return "" if value is None else notation.write(value, language())


def _part(data: object, lang: str) -> str:
    text = editing.text_of(data)
    return getattr(text, lang) if text else ""


def _once(used: list[editing.Use]) -> list[editing.Use]:
    return list({use.path: use for use in used}.values())


def _url_of_use(draft: int, use: editing.Use) -> str | None:
    if use.path.startswith("tables["):
        return url_for("admin.edit_table", draft=draft, number=int(use.path[7:-1]) + 1)
    return grid.url_of("admin.edit_rule", draft=draft, key=use.key)


def _items(changes: Mapping[str, Any]) -> list[str]:
    return [each for item in changes for each in (item, f"{item}_zh", f"{item}_en")]


def _changes(one: Mapping[str, Any], name: str, notation: Notation) -> dict[str, Any]:
    """What was typed otherwise than it stands; an item that the form lacks is no change."""
    changes: dict[str, Any] = {}
    typed = request.form.get(f"value-{name}")
    if typed is not None and normalise_text(typed) != _shown(notation, one.get("value")):
        changes["value"] = notation.read(typed) if typed.strip() else ""
    status = request.form.get(f"status-{name}")
    if status is not None and status != str(one.get("status") or ""):
        changes["status"] = normalise_text(status)
    for item in ("label", "unit", "source"):
        said = {lang: request.form.get(f"{item}_{lang}-{name}") for lang in ("zh", "en")}
        texts = {lang: normalise_text(each) for lang, each in said.items() if each is not None}
        if len(texts) == 2 and texts != {lang: _part(one.get(item), lang) for lang in texts}:
            empty = None if item == "unit" else ""
            changes[item] = editing.text_to(texts["zh"], texts["en"]) if any(texts.values()) else empty
    return changes
