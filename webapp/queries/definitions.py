"""Published definitions, parsed once a process. At run time only the database is read, never the files."""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, case, select
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
from rules.values import Text, format_day
from webapp.errors import NotFound, NotInForce
from webapp.extensions import db
from webapp.models import Case, Publication, Revision
from webapp.queries.generations import cached
from webapp.queries.recent import Recent
from workflows.functions import FUNCTIONS
from workflows.model import WorkflowDefinition
from workflows.service import ServiceDefinition
from workflows.wording import WORDING

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Term:
    """The days on which one publication counts: from its own first day, within those that its ruleset names."""

    since: date
    until: date | None
    revision: int

    def holds(self, on: date) -> bool:
        return self.since <= on and (self.until is None or on <= self.until)


@dataclass(frozen=True)
class Published:
    """Where a definition stands: which revisions take effect when."""

    #: (kind, key) -> the terms in the order of publication
    history: dict[tuple[str, str], tuple[Term, ...]]
    #: revision id -> (kind, checksum)
    contents: dict[int, tuple[str, str]]


#: (kind, checksum) -> model: the same content is parsed once
_parsed = Recent(2000)
#: checksum -> a ruleset with its native memory, which is freed when the last thread that decides by it lets it go
_compiled = Recent(32)
#: (checksum of a workflow, checksum of a service) -> the workflow in its words
_worded = Recent(2000)


def in_force(kind: str, key: str, on: date) -> int | None:
    """The revision in force on a day: of all publications that count on it, the newest.

    So a ruleset that has come to its last day gives way to the one that was published before it.
    """
    terms = reversed(_published().history.get((kind, key), ()))
    return next((term.revision for term in terms if term.holds(on)), None)


def revision_id(kind: str, key: str, on: date) -> int:
    found = in_force(kind, key, on)
    if found is not None:
        return found
    if kind != "ruleset" or not _published().history.get((kind, key)):
        raise NotFound()
    _log.critical("no revision of ruleset %s is in force on %s: nothing is decided by it", key, on)
    raise NotInForce(
        Text(
            zh=f"規則集「{key}」在{format_day(on, 'zh')}沒有生效的版本，請管理員發布。",
            en=f"No revision of the ruleset {key} is in force on {format_day(on, 'en')}: publish one.",
        )
    )


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

    def make() -> WorkflowDefinition:
        made = workflows.wording.worded(whole, of_service.parameters)
        return workflows.confidential.kept_secret(made) if of_service.confidential else made

    worded: WorkflowDefinition = _worded.get((contents[revision][1], contents[service_revision][1]), make)
    return worded


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
    return decider(key, revision), revision


def decider(key: str, revision: int) -> rules.engine.Compiled | rules.engine.Unreadable:
    try:
        return ruleset(revision)
    except (SQLAlchemyError, NotFound):
        raise
    except Exception as fault:  # noqa: BLE001  whatever is wrong with it, nobody who applies is to pay for it
        return rules.engine.Unreadable(key, fault)


def current_form(key: str, on: date) -> FormDefinition:
    return form(revision_id("form", key, on))


def current_service(code: str, on: date) -> ServiceDefinition:
    """A service of the catalogue, as it stands on a day; nobody applies for an internal one."""
    found = service(revision_id("service", code, on))
    if found.internal:
        raise NotFound()
    return found


def current_services(on: date) -> list[ServiceDefinition]:
    """The catalogue."""
    all_services = [service(revision_id("service", code, on)) for code in keys("service")]
    return [each for each in all_services if not each.internal]


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

    def make() -> Any:
        return parse(kind, db.session.get_one(Revision, revision).mapping, published=True)

    return (_compiled if kind == "ruleset" else _parsed).get(content, make)


def _published() -> Published:
    return cached("definitions", _read_publications)


def _read_publications() -> Published:
    history: dict[tuple[str, str], list[Term]] = defaultdict(list)
    rows = db.session.execute(
        select(
            Revision.kind,
            Revision.key,
            Publication.effective_from,
            Revision.id,
            Revision.checksum,
            *(_of_ruleset(name) for name in ("effective_from", "effective_to")),
        )
        .join(Publication, Publication.revision_id == Revision.id)
        .order_by(Publication.id)
    )
    contents: dict[int, tuple[str, str]] = {}
    for kind, key, effective_from, revision, checksum, since, until in rows:
        first = max(effective_from, date.fromisoformat(since)) if since else effective_from
        term = Term(first, date.fromisoformat(until) if until else None, revision)
        history[kind, key].append(term)
        contents[revision] = (kind, checksum)
    return Published({name: tuple(entries) for name, entries in history.items()}, contents)


def _of_ruleset(name: str) -> ColumnElement[str | None]:
    """A day that the ruleset itself names; other definitions name none."""
    return case((Revision.kind == "ruleset", Revision.body[name].as_string()))
