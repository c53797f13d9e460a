"""Published definitions, parsed once a process. At run time only the database is read, never the files."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

import forms.loader
import rules.engine
import rules.facts
import rules.loader
import workflows.confidential
import workflows.loader
import workflows.service
import workflows.wording
from forms.model import FormDefinition
from rules.model import Ruleset
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Publication, Revision
from webapp.queries.generations import cached
from workflows.functions import FUNCTIONS
from workflows.model import WorkflowDefinition
from workflows.service import ServiceDefinition
from workflows.wording import WORDING


@dataclass(frozen=True)
class Published:
    """Where a definition stands: which revisions take effect when."""

    #: (kind, key) -> ((effective_from, revision id), …) in the order of publication
    history: dict[tuple[str, str], tuple[tuple[date, int], ...]]
    #: revision id -> (kind, checksum)
    contents: dict[int, tuple[str, str]]


#: (kind, checksum) -> model: the same content is parsed once
_parsed: dict[tuple[str, str], Any] = {}
#: (checksum of a workflow, checksum of a service) -> the workflow in its words
_worded: dict[tuple[str, str], WorkflowDefinition] = {}
_lock = Lock()


def revision_id(kind: str, key: str, on: date) -> int:
    """The revision in force on a day: of all publications that took effect by then, the newest."""
    found = None
    for effective_from, candidate in _published().history.get((kind, key), ()):
        if effective_from <= on:
            found = candidate
    if found is None:
        raise NotFound()
    return found


def keys(kind: str) -> list[str]:
    return sorted(key for of_kind, key in _published().history if of_kind == kind)


def is_published(revision: int) -> bool:
    return revision in _published().contents


def name_of(revision: int) -> tuple[str, int]:
    """Key and number of a revision, as people cite it."""
    row = db.session.execute(select(Revision.key, Revision.number).where(Revision.id == revision)).one()
    return row[0], row[1]


def form(revision: int) -> FormDefinition:
    return _load(revision, "form")


def workflow(revision: int) -> WorkflowDefinition:
    return _load(revision, "workflow")


def worded(revision: int, service_revision: int) -> WorkflowDefinition:
    """The workflow in the words of a service, and in the hands of its own officers where it is confidential."""
    whole, of_service = workflow(revision), service(service_revision)
    if WORDING not in of_service.parameters and not of_service.confidential:
        return whole
    contents = _published().contents
    key = (contents[revision][1], contents[service_revision][1])
    with _lock:
        held = _worded.get(key)
    if held is None:
        held = workflows.wording.worded(whole, of_service.parameters)
        if of_service.confidential:
            held = workflows.confidential.kept_secret(held)
        with _lock:
            held = _worded.setdefault(key, held)
    return held


def workflow_of(case: Case) -> WorkflowDefinition:
    """As the case is pinned to it, in the words of its service."""
    return worded(case.workflow_revision_id, case.service_revision_id)


def service(revision: int) -> ServiceDefinition:
    return _load(revision, "service")


def ruleset(revision: int) -> rules.engine.Compiled:
    return _load(revision, "ruleset")


def deciding(key: str, on: date) -> tuple[rules.engine.Compiled | rules.engine.Unreadable, int]:
    """What decides on a day, and its revision. Only the database may fail: a ruleset that cannot be read decides
    nothing and says so."""
    revision = revision_id("ruleset", key, on)
    try:
        return ruleset(revision), revision
    except (SQLAlchemyError, NotFound):
        raise
    except Exception as fault:  # noqa: BLE001  whatever is wrong with it, nobody who applies is to pay for it
        return rules.engine.Unreadable(key, fault), revision


def current_form(key: str, on: date) -> FormDefinition:
    return form(revision_id("form", key, on))


def current_service(code: str, on: date) -> ServiceDefinition:
    return service(revision_id("service", code, on))


def current_services(on: date) -> list[ServiceDefinition]:
    return [current_service(code, on) for code in keys("service")]


def parse(kind: str, body: dict[str, Any], *, published: bool = False) -> Any:
    """The one way from a stored mapping to a model. Raises DefinitionError with every mistake."""
    if kind == "form":
        return forms.loader.load(body, facts=rules.facts.types())
    if kind == "workflow":
        return workflows.loader.load(body, facts=rules.facts.types(), published=published)
    if kind == "service":
        return workflows.service.load(body, facts=None)
    ruleset: Ruleset = rules.loader.load(body, functions=FUNCTIONS, published=published)
    return rules.engine.compile(ruleset)


def _load(revision: int, kind: str) -> Any:
    content = _published().contents.get(revision)
    if content is None or content[0] != kind:
        raise NotFound()
    with _lock:
        held = _parsed.get(content)
    if held is None:
        held = parse(kind, db.session.get_one(Revision, revision).mapping, published=True)
        with _lock:
            held = _parsed.setdefault(content, held)
    return held


def _published() -> Published:
    return cached("definitions", _read_publications)


def _read_publications() -> Published:
    history: dict[tuple[str, str], list[tuple[date, int]]] = defaultdict(list)
    rows = db.session.execute(
        select(Revision.kind, Revision.key, Publication.effective_from, Revision.id, Revision.checksum)
        .join(Publication, Publication.revision_id == Revision.id)
        .order_by(Publication.id)
    )
    contents: dict[int, tuple[str, str]] = {}
    for kind, key, effective_from, revision, checksum in rows:
        history[kind, key].append((effective_from, revision))
        contents[revision] = (kind, checksum)
    return Published({name: tuple(entries) for name, entries in history.items()}, contents)
