"""Letters: their drafts in versions, reusable reasons, what was issued, how it was sent and served."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref

#: kinds of letters that decide a case; the others name the letter that they change
DECISIONS = ("grant", "reject", "return")


class LetterDraft(db.Model):
    """擬稿: one version of the wording of a letter. Versions are only added; the last one is what is sent."""

    __tablename__ = "letter_draft"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[int]
    #: subject, paragraphs, parts, reason, conditions
    body: Mapped[dict[str, Any]] = mapped_column(Encrypted)
    #: somebody changed the words of the template
    edited: Mapped[bool]
    written_by_id: Mapped[int | None] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (
        UniqueConstraint("case_id", "kind", "number"),
        CheckConstraint("number >= 1", name="counts_from_one"),
    )


class Phrase(db.Model):
    """片語: a reason that the officers of a unit use again, for one service or for all of them."""

    __tablename__ = "phrase"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    unit_id: Mapped[int] = ref("unit.id", index=True)
    service_code: Mapped[str | None] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    written_by_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]
    withdrawn_at: Mapped[MaybeMoment]


class Letter(db.Model):
    """A letter that was issued (發文): its content as sent. The PDF is a document of the case."""

    __tablename__ = "letter"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id", index=True)
    kind: Mapped[str] = mapped_column(String(20))
    number: Mapped[str] = mapped_column(String(60), unique=True)
    issued_on: Mapped[date]
    issued_by_id: Mapped[int | None] = ref("account.id")
    content: Mapped[dict[str, Any]] = mapped_column(Encrypted)
    document_id: Mapped[int | None] = ref("document.id")

    __table_args__ = (
        CheckConstraint("kind in ('grant','reject','return','correction')", name="kind_is_known"),
        # one decision a case: a sent one is changed by a new kind of letter only
        Index(
            "uq_letter_decision",
            "case_id",
            unique=True,
            postgresql_where=text("kind in ('grant','reject','return')"),
        ),
    )
