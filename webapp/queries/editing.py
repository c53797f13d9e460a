"""A draft of a ruleset before its editor: what it holds, what is in force beside it, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import rules.loader
from rules.values import DefinitionError, Problem
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Account, DefinitionDraft, Revision
from webapp.queries import definitions
from webapp.queries.org import chart
from workflows.functions import FUNCTIONS


def draft(draft_id: int) -> DefinitionDraft:
    found = db.session.get(DefinitionDraft, draft_id)
    if found is None or found.kind != "ruleset":
        raise NotFound()
    return found


def last_editor(of: DefinitionDraft) -> str:
    return db.session.get_one(Account, of.changed_by_id).name


def in_force(key: str, on: date) -> dict[str, Any]:
    """The mapping that decides on a day; empty where none does yet."""
    try:
        return db.session.get_one(Revision, definitions.revision_id("ruleset", key, on)).mapping
    except NotFound:
        return {}


def problems(body: Mapping[str, Any]) -> list[Problem]:
    """What the loader says. Examples are run at the desk, in a process of their own."""
    try:
        rules.loader.load(body, functions=FUNCTIONS, units=chart().codes)
    except DefinitionError as error:
        return list(error.problems)
    return []
