"""Definitions become revisions. Files are the factory setting; an administrator's edit is never overwritten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

import forms.loader
import rules.loader
import workflows.loader
import workflows.replay
import workflows.service
from rules import yaml_text
from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Publication, Revision
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.queries.generations import bump
from webapp.services import plan_progress

#: from this day on the factory definitions hold, so that any case of the demonstration finds one
BEGINNING = date(2000, 1, 1)


@dataclass(frozen=True)
class Synced:
    """What a sync did: inserted and published, unchanged, or kept as a draft beside an administrator's edit."""

    published: tuple[str, ...]
    unchanged: int
    conflicts: tuple[str, ...]


#: how the definition files of each kind are read
READERS: Mapping[str, Callable[[], Mapping[str, Mapping[str, Any]]]] = {
    "form": forms.loader.read_all,
    "workflow": workflows.loader.read_all,
    "service": lambda: {**workflows.service.read_all(), **workflows.service.read_internal()},
    "ruleset": rules.loader.read_all,
}


def factory() -> dict[tuple[str, str], Mapping[str, Any]]:
    """Every definition file of the product by kind and key, expanded."""
    return {(kind, key): body for kind, read in READERS.items() for key, body in read().items()}


def sync(actor: Actor, now: datetime, *, accept: bool = False) -> Synced:
    """Inserts changed files as revisions and publishes them, except where an administrator's revision is in force.

    What replaces a definition in force is refused when a recorded case would go otherwise, unless that is accepted.
    """
    published, conflicts, unchanged, replaced = [], [], 0, set()
    files = factory()
    alone(*sorted(files))
    in_force, newest_files = _in_force(), _newest_files()
    for (kind, key), body in files.items():
        mapping = json.loads(json.dumps(body, ensure_ascii=False, default=str))
        digest = checksum(mapping)
        current = in_force.get((kind, key))
        if digest == newest_files.get((kind, key)) or (current is not None and digest == current.checksum):
            unchanged += 1
            continue
        definitions.parse(kind, mapping)
        revision = insert(actor, kind, key, mapping, now, origin="file")
        if current is None:
            publish(actor, revision, _since(kind, mapping, BEGINNING), now)
        elif current.origin == "file":
            publish(actor, revision, _since(kind, mapping, taipei_day(now)), now)
            replaced.add(kind)
        else:
            conflicts.append(f"{kind}/{key}")
            continue
        published.append(f"{kind}/{key}")
    if not accept and replaced & {"workflow", "service"}:
        _require_recordings()
    return Synced(tuple(published), unchanged, tuple(conflicts))


def alone(*which: tuple[str, str]) -> None:
    """Nobody else publishes them until this transaction ends."""
    names = [f"publish:{kind}:{key}" for kind, key in which]
    db.session.execute(
        text(
            "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest(cast(:names as text[])) name"
        ),
        {"names": names},
    )


def _since(kind: str, mapping: Mapping[str, Any], day: date) -> date:
    """A ruleset may name its first day; it takes effect no earlier."""
    named = mapping.get("effective_from") if kind == "ruleset" else None
    return max(day, date.fromisoformat(named)) if named else day


def _require_recordings() -> None:
    """Every recorded case goes through the definition files as it went then."""
    files = factory()
    loaded = {
        kind: {key: definitions.parse(kind, dict(body)) for (of, key), body in files.items() if of == kind}
        for kind in ("workflow", "service")
    }
    recorded = workflows.replay.read_all()
    if found := list(workflows.replay.broken(recorded, loaded["workflow"], loaded["service"])):
        lines = "\n".join(found)
        raise Refused(
            Text(
                zh=f"沒有發布：錄下的案件會走得不一樣。確定要這樣改，請加 --accept。\n{lines}",
                en=f"Nothing was published: recorded cases would go otherwise. If that is meant, say --accept.\n"
                f"{lines}",
            )
        )


def insert(
    actor: Actor, kind: str, key: str, body: Mapping[str, Any], now: datetime, *, origin: str
) -> Revision:
    """Appends a revision; it takes effect only when it is published."""
    newest = db.session.scalars(
        select(func.max(Revision.number)).where(Revision.kind == kind, Revision.key == key)
    ).one()
    revision = Revision(
        kind=kind,
        key=key,
        number=(newest or 0) + 1,
        checksum=checksum(body),
        body=dict(body),
        origin=origin,
        created_by_id=actor.account_id,
        created_at=now,
    )
    db.session.add(revision)
    db.session.flush()
    return revision


def publish(
    actor: Actor, revision: Revision, effective_from: date, now: datetime, *, reason: str = ""
) -> None:
    """Puts a revision into force from a day on. Publishing an older one again is the rollback."""
    db.session.add(
        Publication(
            revision_id=revision.id,
            effective_from=effective_from,
            published_by_id=actor.account_id,
            published_at=now,
            reason=reason,
        )
    )
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action="published",
            subject=f"{revision.kind}/{revision.key}#{revision.number} {revision.checksum[:12]}",
            detail=reason,
        )
    )
    bump("definitions")
    db.session.flush()
    if (revision.kind, revision.key) == ("ruleset", plan_progress.RULESET):
        plan_progress.refresh(now)


def checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class InForce:
    """The revision of a definition that was published last."""

    origin: str
    checksum: str


def _in_force() -> dict[tuple[str, str], InForce]:
    rows = db.session.execute(
        select(Revision.kind, Revision.key, Revision.origin, Revision.checksum)
        .join(Publication, Publication.revision_id == Revision.id)
        .order_by(Publication.id)
    )
    return {(kind, key): InForce(origin, digest) for kind, key, origin, digest in rows}


def _newest_files() -> dict[tuple[str, str], str]:
    """The content of each definition file when it was last read, by kind and key."""
    rows = db.session.execute(
        select(Revision.kind, Revision.key, Revision.checksum)
        .where(Revision.origin == "file")
        .order_by(Revision.number)
    )
    return {(kind, key): digest for kind, key, digest in rows}


#: where each kind of definition lives in the tree of files
FOLDERS = {
    "form": "forms/definitions",
    "workflow": "workflows/definitions",
    "service": "workflows/services",
    "ruleset": "rules/definitions",
}


def export(folder: Path, on: date) -> list[Path]:
    """Writes every definition in force on a day as a YAML file. Returns the paths."""
    written = []
    for kind in FOLDERS:
        for key in definitions.keys(kind):
            in_force = definitions.in_force(kind, key, on)
            if in_force is None:
                continue
            revision = db.session.get_one(Revision, in_force)
            path = folder / FOLDERS[kind] / f"{key}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml_text.write(revision.mapping), encoding="utf-8")
            written.append(path)
    return written
