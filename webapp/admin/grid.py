"""The editor of a ruleset: its parts, and what every page of them needs to open, to save, to be overtaken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.routing import BuildError

from rules import editing
from rules.values import Problem, Text
from webapp.admin import bp, words
from webapp.errors import DomainError
from webapp.models import DefinitionDraft
from webapp.moments import taipei_day
from webapp.presentation import in_language
from webapp.queries import editing as queries
from webapp.security import actor, now
from webapp.services import desk
from webapp.uow import unit_of_work

#: (endpoint, name): pages of other rooms, linked where they are
OTHER_PAGES = (
    ("admin.edit_rules", Text(zh="規則", en="Rules")),
    ("admin.edit_examples", Text(zh="測試案例", en="Examples")),
    ("admin.edit_yaml", Text(zh="YAML", en="YAML")),
)


@dataclass(frozen=True)
class Part:
    """A page of the editor. `paths`: the beginnings of the problems that are shown there."""

    title: Text
    url: str
    hint: Text | None
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """A draft as it is shown; what was typed may stand in for what is saved."""

    draft: DefinitionDraft
    body: editing.Body

    @property
    def title(self) -> Text:
        return editing.text_of(self.body.get("title")) or Text(zh=self.draft.key)

    @property
    def can_edit(self) -> bool:
        return self.draft.state == "editing"

    @property
    def state(self) -> tuple[Text, str]:
        return words.STATES[self.draft.state]

    @property
    def draft_url(self) -> str | None:
        """The desk's page of the draft."""
        return url_of("admin.draft", draft=self.draft.id)

    @property
    def saved_by(self) -> str:
        return queries.last_editor(self.draft)

    @cached_property
    def problems(self) -> list[Problem]:
        return queries.problems(self.body)

    @cached_property
    def in_force(self) -> dict[str, Any]:
        return queries.in_force(self.draft.key, taipei_day(now()))

    @cached_property
    def parts(self) -> list[Part]:
        number = len(editing.parameters(self.body))
        parts = [
            Part(
                Text(zh="參數", en="Parameters"),
                url_for("admin.edit_parameters", draft=self.draft.id),
                Text(zh=f"{number} 個可以調整的數字或文字", en=f"{number} numbers or words to adjust"),
                ("parameters",),
            )
        ]
        for n, table in editing.mappings(self.body.get("tables")):
            rows = len(editing.members(table.get("rows")))
            parts.append(
                Part(
                    editing.label_in(table, f"tables[{n}]"),
                    url_for("admin.edit_table", draft=self.draft.id, number=n + 1),
                    Text(zh=f"決策表，{rows} 列", en=f"decision table, {rows} rows"),
                    (f"tables[{n}]",),
                )
            )
        paths = {
            "admin.edit_rules": ("rules",),
            "admin.edit_examples": ("examples",),
            "admin.edit_yaml": ("",),
        }
        for endpoint, name in OTHER_PAGES:
            if url := url_of(endpoint, draft=self.draft.id):
                parts.append(Part(name, url, None, paths[endpoint]))
        return parts

    def problems_of(self, *paths: str) -> list[Problem]:
        """Those of a part; what no other part shows, where the path is empty."""
        if paths == ("",):
            mine = tuple(path for part in self.parts for path in part.paths if path)
            return [each for each in self.problems if not each.path.startswith(mine)]
        return [each for each in self.problems if each.path.startswith(paths)]

    def tabs(self) -> list[dict[str, object]]:
        first = {
            "title": Text(zh="總覽", en="Overview"),
            "url": url_for("admin.edit_draft", draft=self.draft.id),
        }
        all_parts = [first, *({"title": part.title, "url": part.url} for part in self.parts)]
        here = max(
            (str(tab["url"]) for tab in all_parts if f"{request.path}/".startswith(f"{tab['url']}/")), key=len
        )
        return [tab | {"current": tab["url"] == here} for tab in all_parts]


def opened(draft_id: int) -> Opened:
    draft = queries.draft(draft_id)
    return Opened(draft, editing.copied(draft.mapping))


def save(draft_id: int, body: Mapping[str, Any]) -> None:
    """In one unit of work, against the version of the page."""
    with unit_of_work():
        desk.save(actor(), draft_id, body, now(), version=version())


def version() -> int:
    """A page without a version is as good as stale."""
    typed = request.form.get("version", "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def overtaken(draft_id: int, error: DomainError, typed: Sequence[tuple[object, str]]) -> ResponseReturnValue:
    """Somebody was faster: who, and what was typed here, to be copied."""
    page = render_template("admin/grid_stale.html", draft=draft_id, error=error, typed=typed)
    return page, error.status


def url_of(endpoint: str, **values: object) -> str | None:
    """The address of a page that may not be there."""
    try:
        return url_for(endpoint, **values)
    except BuildError:
        return None


@bp.get("/drafts/<int:draft>/edit")
def edit_draft(draft: int) -> ResponseReturnValue:
    ruleset = opened(draft)
    items = []
    for part in ruleset.parts:
        found = len(ruleset.problems_of(*part.paths))
        status = _("%(n)s 個問題", n=found) if found else _("沒有問題")
        items.append(
            {
                "title": part.title,
                "url": part.url,
                "hint": part.hint and in_language(part.hint),
                "status": status,
                "colour": "red" if found else "",
            }
        )
    return render_template(
        "admin/grid_draft.html", opened=ruleset, items=items, others=ruleset.problems_of("")
    )
