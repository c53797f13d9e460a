"""Revisions of forms, workflows, rulesets and services: one append-only table, their publications and drafts."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Json, Key, MaybeMoment, Moment, ref

KINDS = ("form", "workflow", "ruleset", "service")


class Revision(db.Model):
    """One version of one definition. Never updated and never deleted: a trigger refuses it."""

    __tablename__ = "revision"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80))
    number: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64))
    #: not JSONB: the order of its keys is the order in which people wrote and read them
    body: Mapped[Any] = mapped_column(JSON)
    #: file (the factory setting) or editor
    origin: Mapped[str] = mapped_column(String(10))
    created_by_id: Mapped[int | None] = ref("account.id")
    created_at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("kind", "key", "number"),
        CheckConstraint("kind in ('form','workflow','ruleset','service')", name="kind_is_known"),
        CheckConstraint("origin in ('file','editor')", name="origin_is_known"),
        Index("ix_revision_kind_key_checksum", "kind", "key", "checksum"),
    )

    @property
    def mapping(self) -> dict[str, Any]:
        return dict(self.body)


class Publication(db.Model):
    """A revision takes effect on a date. The newest publication wins; a rollback publishes an older revision again."""

    __tablename__ = "publication"

    id: Mapped[Key]
    revision_id: Mapped[int] = ref("revision.id", index=True)
    effective_from: Mapped[date]
    published_by_id: Mapped[int | None] = ref("account.id")
    published_at: Mapped[Moment]
    #: why: of the draft that was approved, or of the rollback; of factory files nothing is said
    reason: Mapped[str] = mapped_column(Text, default="")


class DefinitionDraft(db.Model):
    """A working copy of one definition; what it holds may be wrong in any way, and decides nothing."""

    __tablename__ = "definition_draft"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80))
    #: what it was made from
    base_revision_id: Mapped[int | None] = ref("revision.id")
    #: the newest publication when it was made or last caught up: one that came later is not published over
    known_publication_id: Mapped[int | None] = ref("publication.id")
    body: Mapped[Any] = mapped_column(JSON)
    #: editing -> submitted -> published; a second person sends it back to editing; editing -> discarded
    state: Mapped[str] = mapped_column(String(10), default="editing")
    version: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[int] = ref("account.id")
    created_at: Mapped[Moment]
    changed_by_id: Mapped[int] = ref("account.id")
    changed_at: Mapped[Moment]
    #: everybody who ever saved it: none of them may approve it
    editor_ids: Mapped[list[int]] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text, default="")
    effective_from: Mapped[date | None]
    submitted_by_id: Mapped[int | None] = ref("account.id")
    submitted_at: Mapped[MaybeMoment]
    #: what was submitted, and what the second person approves: exactly this revision
    revision_id: Mapped[int | None] = ref("revision.id")
    #: of whoever sent it back last
    comment: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        CheckConstraint("kind in ('form','workflow','ruleset','service')", name="kind_is_known"),
        CheckConstraint("state in ('editing','submitted','published','discarded')", name="state_is_known"),
        CheckConstraint(
            "state not in ('submitted','published') or (submitted_by_id is not null and submitted_at is not null"
            " and revision_id is not null and effective_from is not null and reason <> '')",
            name="submitted_whole",
        ),
        # two people do not edit the same definition past each other
        Index(
            "uq_definition_draft_live",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("state in ('editing', 'submitted')"),
        ),
    )

    @property
    def mapping(self) -> dict[str, Any]:
        return dict(self.body)


class RuleAlarm(db.Model):
    """Trouble with rules, once for equal facts of a day: what the engine said, and what the reference."""

    __tablename__ = "rule_alarm"

    id: Mapped[Key]
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    kind: Mapped[str] = mapped_column(String(12))
    as_of: Mapped[date]
    at: Mapped[Moment]
    #: in Chinese and in English
    text: Mapped[Json]
    facts: Mapped[Json]
    facts_digest: Mapped[str] = mapped_column(String(64))
    #: keys of rules; none: it gave no answer, or was not asked
    engine_said: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))
    reference_said: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))

    __table_args__ = (
        CheckConstraint("kind in ('difference','fault','not_unique')", name="kind_is_known"),
        UniqueConstraint("ruleset_revision_id", "kind", "as_of", "facts_digest"),
    )
