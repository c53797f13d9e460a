"""Which publications of a definition count, which is still to come, and what undoing the newest one would restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Publication, Revision


@dataclass(frozen=True)
class Undo:
    """The newest publication, and what is in force without it from which day on."""

    publication: Publication
    undone: Revision
    revision: Revision
    day: date


def of(kind: str, key: str) -> list[tuple[Publication, Revision]]:
    """In the order in which they were published."""
    rows = db.session.execute(
        select(Publication, Revision)
        .join(Revision, Revision.id == Publication.revision_id)
        .where(Revision.kind == kind, Revision.key == key)
        .order_by(Publication.id)
    )
    return [(publication, revision) for publication, revision in rows]


def newest(kind: str, key: str) -> Publication | None:
    return db.session.scalars(
        select(Publication)
        .join(Revision, Revision.id == Publication.revision_id)
        .where(Revision.kind == kind, Revision.key == key)
        .order_by(Publication.id.desc())
        .limit(1)
    ).first()


def to_come(
    published: Sequence[tuple[Publication, Revision]], today: date
) -> list[tuple[Publication, Revision]]:
    """What takes effect after today, the nearest first: a later publication of an earlier day replaces it."""
    found: list[tuple[Publication, Revision]] = []
    current = in_force(published, today)
    for publication, revision in published:
        found = [each for each in found if each[0].effective_from < publication.effective_from]
        if publication.effective_from > today:
            found.append((publication, revision))
    before = current[1].id if current else None
    changes = []
    for publication, revision in found:
        if revision.id != before:
            changes.append((publication, revision))
        before = revision.id
    return changes


def in_force(
    published: Sequence[tuple[Publication, Revision]], day: date
) -> tuple[Publication, Revision] | None:
    return next((each for each in reversed(published) if each[0].effective_from <= day), None)


def undo(kind: str, key: str, today: date) -> Undo | None:
    """None where nothing else was ever in force."""
    published = of(kind, key)
    if not published:
        return None
    publication, undone = published[-1]
    day = max(publication.effective_from, today)
    for cut in range(len(published) - 1, 0, -1):
        before = in_force(published[:cut], day)
        if before is not None and before[1].id != undone.id:
            return Undo(publication, undone, before[1], day)
    return None
