"""Which publications of a definition count, which is still to come, and what undoing the newest one would restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Publication, Revision

#: what a ruleset says itself of when it decides
DAYS = ("effective_from", "effective_to")
#: a publication, and whatever stands beside it
Row = TypeVar("Row", bound=tuple[Any, ...])


@dataclass(frozen=True)
class Undo:
    """The newest publication, and what is in force without it from which day on, with what follows later."""

    publication: Publication
    undone: Revision
    revision: Revision
    day: date
    #: what to publish again and from which day on, so that every day is as it was; `revision` is among it
    again: tuple[tuple[Revision, date], ...]

    @property
    def later(self) -> tuple[tuple[Revision, date], ...]:
        """What was approved for a day that is still to come, and keeps it."""
        return tuple(each for each in self.again if each[1] > self.day)


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


def to_come(published: Sequence[Row], today: date) -> list[Row]:
    """What takes effect after today, the nearest first: a later publication of an earlier day replaces it."""
    found: list[Row] = []
    for each in published:
        found = [other for other in found if other[0].effective_from < each[0].effective_from]
        if each[0].effective_from > today:
            found.append(each)
    current = in_force(published, today)
    before = current[0].revision_id if current else None
    changes = []
    for each in found:
        if each[0].revision_id != before:
            changes.append(each)
        before = each[0].revision_id
    return changes


def in_force(published: Sequence[Row], day: date) -> Row | None:
    return next((each for each in reversed(published) if _counts(*each, day)), None)


def _deciding(published: Sequence[Row], day: date) -> list[Row]:
    """All that decide on that day or on a later one, in the order in which they were published."""
    turns = {day} | {turn for each in published for turn in _turns(*each) if turn > day}
    found = [in_force(published, turn) for turn in turns]
    return [each for each in published if any(each is other for other in found)]


def _turns(publication: Publication, revision: Revision) -> list[date]:
    """The days on which it begins to count, and the first on which it no longer does."""
    turns = [publication.effective_from]
    if revision.kind == "ruleset":
        since, until = (revision.body.get(name) for name in DAYS)
        turns += [date.fromisoformat(since)] if since else []
        turns += [date.fromisoformat(until) + timedelta(days=1)] if until else []
    return turns


def _counts(publication: Publication, revision: Revision, day: date) -> bool:
    """From its own day on, within the days that a ruleset names itself."""
    if publication.effective_from > day or revision.kind != "ruleset":
        return publication.effective_from <= day
    since, until = (revision.body.get(name) for name in DAYS)
    return (not since or since <= day.isoformat()) and (not until or day.isoformat() <= until)


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
            again: list[tuple[Revision, date]] = []
            for each, revision in _deciding(published[:cut], day):
                since = max(each.effective_from, day)
                if not again or again[-1][0] is not revision or again[-1][1] > since:
                    again.append((revision, since))
            return Undo(publication, undone, before[1], day, tuple(again))
    return None
