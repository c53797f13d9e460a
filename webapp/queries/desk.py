"""What the editorial desk shows: where each definition stands, its revisions, drafts, publications and audit record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select

from rules import merging
from rules.places import place
from rules.shown import show
from rules.values import Text, say
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import AuditEntry, DefinitionDraft, Publication, Revision
from webapp.moments import taipei_day
from webapp.queries import publications
from webapp.queries.org import chart
from workflows.functions import FUNCTION_LABELS

MOST_ENTRIES = 100
LIVE = ("editing", "submitted")


def other_key(key: str) -> Text:
    """Why a draft with the key of another ruleset is refused."""
    return say("代碼必須是「{key}」，不能改", "The key must be “{key}” and cannot be changed", key=key)


@dataclass(frozen=True)
class Listed:
    """A definition as the list has it."""

    kind: str
    key: str
    title: Text
    number: int
    since: date
    changed_by: str
    changed_at: datetime
    #: (number, day) of what is still to come
    coming: tuple[int, date] | None
    draft: DefinitionDraft | None
    #: of a ruleset: parameters, rules and rows that are proposals
    to_be_verified: int
    #: the newest factory file was not taken over
    waiting: bool


@dataclass(frozen=True)
class Line:
    """Of a revision what a list shows; its body is the days that it names itself, the rest stays in the database."""

    id: int
    kind: str
    number: int
    title: Any
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Version:
    """A revision in the history of its definition, with every time that it was published."""

    id: int
    number: int
    origin: str
    created_by: str
    created_at: datetime
    published: tuple[Publication, ...]
    state: str


@dataclass(frozen=True)
class Standing:
    """Everything about one definition."""

    kind: str
    key: str
    title: Text
    in_force: Revision
    since: Publication
    coming: tuple[tuple[Publication, Revision], ...]
    draft: DefinitionDraft | None
    #: the newest factory file, where it was not taken over
    waiting: Version | None
    undo: publications.Undo | None
    history: tuple[Version, ...]
    newest: Publication


def names() -> dict[str, Text]:
    """What rulesets call by a code: functions and units."""
    units = {unit.code: Text(zh=unit.zh, en=unit.en) for unit in chart().units.values()}
    return {**FUNCTION_LABELS, **units}


def listing(kinds: Sequence[str], today: date) -> list[Listed]:
    """In the order of kinds and keys."""
    rows = db.session.execute(
        select(
            Publication,
            Revision.kind,
            Revision.key,
            Revision.id,
            Revision.number,
            Revision.body["title"],
            *(Revision.body[name].as_string() for name in publications.DAYS),
        )
        .join(Revision, Revision.id == Publication.revision_id)
        .where(Revision.kind.in_(kinds))
        .order_by(Publication.id)
    )
    published: dict[tuple[str, str], list[tuple[Publication, Line]]] = defaultdict(list)
    for publication, kind, key, revision_id, number, title, *days in rows:
        line = Line(revision_id, kind, number, title, dict(zip(publications.DAYS, days, strict=True)))
        published[kind, key].append((publication, line))
    drafts = {
        (draft.kind, draft.key): draft
        for draft in db.session.scalars(select(DefinitionDraft).where(DefinitionDraft.state.in_(LIVE)))
    }
    current: dict[tuple[str, str], tuple[Publication, Line]] = {}
    for name, each in published.items():
        found = publications.in_force(each, today)
        if found is not None:
            current[name] = found
    rulesets = [line.id for _, line in current.values() if line.kind == "ruleset"]
    rows = db.session.execute(select(Revision.id, Revision.body).where(Revision.id.in_(rulesets)))
    bodies = dict(rows.all())
    files = db.session.execute(
        select(Revision.kind, Revision.key, func.max(Revision.id))
        .where(Revision.kind.in_(kinds), Revision.origin == "file")
        .group_by(Revision.kind, Revision.key)
    )
    newest_file = {(kind, key): revision for kind, key, revision in files}
    listed = []
    for (kind, key), (publication, line) in sorted(
        current.items(), key=lambda item: (kinds.index(item[0][0]), item[0][1])
    ):
        coming = publications.to_come(published[kind, key], today)
        newest = published[kind, key][-1][0]
        listed.append(
            Listed(
                kind,
                key,
                title_of(line.title, key),
                line.number,
                publication.effective_from,
                chart().names.get(newest.published_by_id or 0, ""),
                newest.published_at,
                (coming[0][1].number, coming[0][0].effective_from) if coming else None,
                drafts.get((kind, key)),
                show(bodies[line.id]).to_be_verified if line.id in bodies else 0,
                newest_file.get((kind, key)) not in {None, *(each.id for _, each in published[kind, key])},
            )
        )
    return listed


def standing(kind: str, key: str, today: date) -> Standing:
    published = publications.of(kind, key)
    current = publications.in_force(published, today)
    if current is None:
        raise NotFound()
    coming = publications.to_come(published, today)
    live = db.session.scalars(
        select(DefinitionDraft).where(
            DefinitionDraft.kind == kind, DefinitionDraft.key == key, DefinitionDraft.state.in_(LIVE)
        )
    ).first()
    history = _history(kind, key, published, current, coming)
    files = [each for each in history if each.origin == "file"]
    waiting = files[0] if files and not files[0].published else None
    return Standing(
        kind,
        key,
        title_of(current[1].mapping.get("title"), key),
        current[1],
        current[0],
        tuple(coming),
        live,
        waiting,
        publications.undo(kind, key, today),
        tuple(history),
        published[-1][0],
    )


def _history(
    kind: str,
    key: str,
    published: Sequence[tuple[Publication, Revision]],
    current: tuple[Publication, Revision],
    coming: Sequence[tuple[Publication, Revision]],
) -> list[Version]:
    """Newest first."""
    times: dict[int, list[Publication]] = defaultdict(list)
    for publication, revision in published:
        times[revision.id].append(publication)
    scheduled = {revision.id for _, revision in coming}
    rows = db.session.execute(
        select(Revision.id, Revision.number, Revision.origin, Revision.created_by_id, Revision.created_at)
        .where(Revision.kind == kind, Revision.key == key)
        .order_by(Revision.number.desc())
    )
    people = chart().names
    return [
        Version(
            revision_id,
            number,
            origin,
            people.get(created_by or 0, ""),
            created_at,
            tuple(times[revision_id]),
            "in_force"
            if revision_id == current[1].id
            else "scheduled"
            if revision_id in scheduled
            else "past"
            if times[revision_id]
            else "unpublished",
        )
        for revision_id, number, origin, created_by, created_at in rows
    ]


def revision(kind: str, key: str, number: int) -> Revision:
    found = db.session.scalars(
        select(Revision).where(Revision.kind == kind, Revision.key == key, Revision.number == number)
    ).first()
    if found is None:
        raise NotFound()
    return found


def draft(draft_id: int) -> DefinitionDraft:
    found = db.session.get(DefinitionDraft, draft_id)
    if found is None:
        raise NotFound()
    return found


def base(draft: DefinitionDraft) -> Revision | None:
    """What it was made from."""
    return db.session.get(Revision, draft.base_revision_id) if draft.base_revision_id else None


def caught_up(draft: DefinitionDraft) -> tuple[dict[str, Any], list[Text]]:
    """The draft with what was published since it was begun, and the places that both changed, where it stays.

    A draft of an older version means to undo what came after it: that is its change, not theirs.
    """
    published = publications.of(draft.kind, draft.key)
    known = [each for each in published if each[0].id <= (draft.known_publication_id or 0)]
    current = publications.in_force(known, taipei_day(draft.created_at))
    if current is None or current[1].id != draft.base_revision_id:
        current = known[-1] if known else None
    before = current[1].mapping if current else {}
    merged = merging.merge(before, published[-1][1].mapping, draft.mapping)
    return merged.value, [place(path, merged.value) for path in merged.both]


def audit(kind: str, key: str) -> list[AuditEntry]:
    """What was done with the definition, the newest first."""
    subject = AuditEntry.subject
    return list(
        db.session.scalars(
            select(AuditEntry)
            .where(
                or_(
                    subject.startswith(f"{kind}/{key}#", autoescape=True),
                    subject.startswith(f"{kind}/{key} ", autoescape=True),
                )
            )
            .order_by(AuditEntry.id.desc())
            .limit(MOST_ENTRIES)
        )
    )


def title_of(data: object, otherwise: str) -> Text:
    """As it was written, which may be wrong in any way."""
    if isinstance(data, str) and data:
        return Text(zh=data)
    if isinstance(data, Mapping) and isinstance(data.get("zh"), str) and data["zh"]:
        return Text(zh=data["zh"], en=data["en"] if isinstance(data.get("en"), str) else "")
    return Text(zh=otherwise)
