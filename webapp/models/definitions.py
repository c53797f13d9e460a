"""Revisions of forms, workflows, rulesets and services: one append-only table, and their publications."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Json, Key, Moment, ref

KINDS = ("form", "workflow", "ruleset", "service")


class Revision(db.Model):
    """One version of one definition. Never updated and never deleted: a trigger refuses it."""

    __tablename__ = "revision"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(10))
    key: Mapped[str] = mapped_column(String(80))
    number: Mapped[int]
    checksum: Mapped[str] = mapped_column(String(64))
    body: Mapped[Json]
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
