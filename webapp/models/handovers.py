"""Help with filling in: a one-time code for a draft, and who used it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, ref


class Handover(db.Model):
    """One code, of which only a keyed digest is kept; once it is used, whoever helps until it is ended."""

    __tablename__ = "handover"

    id: Mapped[Key]
    #: no foreign key, since a submitted draft is gone and its helpers are still asked for
    draft_key: Mapped[str] = mapped_column(String(32), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[Moment]
    made_by_id: Mapped[int | None] = ref("account.id")
    #: hash of the token in the browser's cookie of an applicant without an account
    made_by_device: Mapped[str | None] = mapped_column(String(64))
    expires_at: Mapped[Moment]
    used_at: Mapped[MaybeMoment]
    helper_id: Mapped[int | None] = ref("account.id", index=True)
    helper_device: Mapped[str | None] = mapped_column(String(64), index=True)
    helper_name: Mapped[str | None] = mapped_column(Encrypted)
    ended_at: Mapped[MaybeMoment]
    #: the applicant took the draft back, or the helper gave it back
    ended_by: Mapped[str | None] = mapped_column(String(10))

    __table_args__ = (
        CheckConstraint("made_by_id is not null or made_by_device is not null", name="has_a_maker"),
        CheckConstraint(
            "(used_at is not null) = (helper_id is not null or helper_device is not null) "
            "and (used_at is not null) = (helper_name is not null)",
            name="used_has_a_helper",
        ),
        CheckConstraint("used_at < expires_at", name="used_in_time"),
        CheckConstraint("ended_at is null or used_at is not null", name="ended_was_used"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended_by_somebody"),
        CheckConstraint("ended_by in ('applicant','helper')", name="ender_is_known"),
        Index(
            "uq_handover_live",
            "draft_key",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )
