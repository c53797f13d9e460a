"""What moves the time limit of a case by a decision of its own: extensions and suspensions."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref


class ExtensionRequest(db.Model):
    """展期: asked by the officer, approved or refused by the level that the rules name."""

    __tablename__ = "extension_request"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id")
    #: in the unit of the case's period
    days: Mapped[int]
    reason: Mapped[str] = mapped_column(Encrypted)
    asked_by_id: Mapped[int] = ref("account.id")
    asked_for_id: Mapped[int | None] = ref("account.id")
    asked_at: Mapped[Moment]
    #: who approves: the holders of this function in this unit, as the ruleset decided from the working days
    function: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = ref("unit.id")
    working_days: Mapped[int]
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    due_before: Mapped[date]
    #: when it was asked; what was decided is written by the approval
    due_after: Mapped[date]
    state: Mapped[str] = mapped_column(String(10), default="open")
    decided_by_id: Mapped[int | None] = ref("account.id")
    decided_for_id: Mapped[int | None] = ref("account.id")
    decided_at: Mapped[MaybeMoment]
    answer: Mapped[str | None] = mapped_column(Encrypted)

    __table_args__ = (
        CheckConstraint("state in ('open','approved','refused','lapsed','withdrawn')", name="state_is_known"),
        CheckConstraint("days > 0", name="is_longer"),
        CheckConstraint("(state = 'open') = (decided_at is null)", name="decided_has_a_moment"),
        CheckConstraint(
            "(state in ('approved','refused')) = (decided_by_id is not null)", name="decided_by_somebody"
        ),
        CheckConstraint("state <> 'refused' or answer is not null", name="refused_has_a_reason"),
        CheckConstraint(
            "decided_by_id <> asked_by_id and decided_by_id <> asked_for_id"
            " and decided_for_id <> asked_by_id",
            name="decided_by_another",
        ),
        Index("uq_extension_request_open", "case_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_extension_request_case", "case_id"),
        Index("ix_extension_request_desk", "function", "unit_id", postgresql_where=text("state = 'open'")),
    )


class Suspension(db.Model):
    """天災或其他不可歸責之事由: the clock stands still until the cause ends (行政程序法 51 V)."""

    __tablename__ = "suspension"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    reason: Mapped[str] = mapped_column(Encrypted)
    began_at: Mapped[Moment]
    began_by_id: Mapped[int] = ref("account.id")
    ended_at: Mapped[MaybeMoment]
    ended_by_id: Mapped[int | None] = ref("account.id")

    __table_args__ = (
        # nobody's own act where the law or the applicant ends the case
        CheckConstraint("ended_by_id is null or ended_at is not null", name="ended_by_somebody"),
        CheckConstraint("ended_at >= began_at", name="ends_after_start"),
        Index("uq_suspension_open", "case_id", unique=True, postgresql_where=text("ended_at is null")),
        Index("ix_suspension_case", "case_id"),
    )
