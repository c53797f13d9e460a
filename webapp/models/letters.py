"""Letters: their drafts in versions, reusable reasons, what was issued, how it was sent and served."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref

#: kinds of letters that decide a case; the others name the letter that they change
DECISIONS = ("grant", "reject", "return")

#: those that decide nothing: an invitation to a session, that the parties did not settle
PLAIN = ("invitation", "certificate")


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
        UniqueConstraint("case_id", "kind", "number", name="uq_letter_draft_case_id"),
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
    #: electronic, post (registered), counter, or public notice
    channel: Mapped[str] = mapped_column(String(10))
    #: where the addressee lives, for the days in transit (workflows.remedy.TRANSIT)
    transit: Mapped[str] = mapped_column(String(10), default="kinmen")
    #: 交寄: the day on which the post office took it, and its 掛號號碼 once that is known
    posted_on: Mapped[date | None]
    registered_number: Mapped[str | None] = mapped_column(String(20))
    served_on: Mapped[date | None]
    service_method: Mapped[str | None] = mapped_column(String(15))
    served_recorded_by_id: Mapped[int | None] = ref("account.id")
    #: why it was served by public notice (workflows.remedy.GROUNDS)
    notice_ground: Mapped[str | None] = mapped_column(String(10))
    #: the return slip
    slip_id: Mapped[int | None] = ref("document.id")
    #: the letter that this one corrects, revokes or withdraws
    changes_id: Mapped[int | None] = ref("letter.id", index=True)

    __table_args__ = (
        CheckConstraint(
            "kind in ('grant','reject','return','correction','correction_of','revocation','withdrawal',"
            "'invitation','certificate')",
            name="kind_is_known",
        ),
        CheckConstraint("channel in ('electronic','post','counter','notice')", name="channel_is_known"),
        CheckConstraint(
            "service_method in ('opened','return_slip','handed_over','deposited','public_notice')",
            name="service_method_is_known",
        ),
        CheckConstraint("notice_ground in ('unknown','abroad','again')", name="notice_ground_is_known"),
        CheckConstraint(
            "notice_ground is null or service_method = 'public_notice'", name="ground_of_a_public_notice"
        ),
        CheckConstraint("(served_on is null) = (service_method is null)", name="served_has_a_method"),
        CheckConstraint("posted_on is null or channel = 'post'", name="posted_by_post"),
        CheckConstraint("posted_on is null or posted_on >= issued_on", name="posted_after_it_was_issued"),
        CheckConstraint("registered_number is null or posted_on is not null", name="registered_when_posted"),
        CheckConstraint("served_on is null or served_on >= issued_on", name="served_after_it_was_issued"),
        CheckConstraint(
            "(changes_id is not null) = (kind in ('correction_of','revocation','withdrawal'))",
            name="a_change_names_what_it_changes",
        ),
        Index("ix_letter_to_send", "channel", "issued_on", "id"),
        # one decision a case: a sent one is changed by a new kind of letter only
        Index(
            "uq_letter_decision",
            "case_id",
            unique=True,
            postgresql_where=text("kind in ('grant','reject','return')"),
        ),
    )

    @property
    def recipient(self) -> str:
        """Into whose hands it goes: those of the agent, if there is one (行政程序法 71)."""
        addressee, agent = self.content["addressee"], self.content.get("agent")
        return f"{agent}（{addressee}之代理人）" if agent else str(addressee)


class LetterChange(db.Model):
    """更正、撤銷、廢止 of a letter that was sent, proposed and waiting for whoever may approve it."""

    __tablename__ = "letter_change"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    letter_id: Mapped[int] = ref("letter.id")
    kind: Mapped[str] = mapped_column(String(20))
    #: the content of the new letter
    body: Mapped[dict[str, Any]] = mapped_column(Encrypted)
    state: Mapped[str] = mapped_column(String(10), default="open")
    proposed_by_id: Mapped[int] = ref("account.id")
    proposed_for_id: Mapped[int | None] = ref("account.id")
    proposed_at: Mapped[Moment]
    decided_by_id: Mapped[int | None] = ref("account.id")
    decided_at: Mapped[MaybeMoment]
    #: why it was not approved
    answer: Mapped[str | None] = mapped_column(Encrypted)

    __table_args__ = (
        CheckConstraint("kind in ('correction_of','revocation','withdrawal')", name="kind_is_known"),
        CheckConstraint("state in ('open','issued','declined')", name="state_is_known"),
        CheckConstraint("(state = 'open') = (decided_at is null)", name="decided_has_a_moment"),
        CheckConstraint("decided_by_id <> proposed_by_id", name="decided_by_another"),
        Index("uq_letter_change_open", "letter_id", unique=True, postgresql_where=text("state = 'open'")),
    )


class LetterBatch(db.Model):
    """Letters that are printed as one PDF with their registered-mail list."""

    __tablename__ = "letter_batch"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    letter_ids: Mapped[list[int]] = mapped_column(JSONB)
    ordered_by_id: Mapped[int] = ref("account.id")
    ordered_at: Mapped[Moment]
    document_id: Mapped[int | None] = ref("document.id")
