"""What is asked and looked at after a case is closed: 滿意度調查 and 抽查."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.cases import Case
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref


class Survey(db.Model):
    """One question a case, by a link that nobody can guess; at most one answer."""

    __tablename__ = "survey"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id", unique=True)
    asked_at: Mapped[Moment]
    #: the last day on which it can be answered
    closes_on: Mapped[date]
    answered_at: Mapped[MaybeMoment]
    #: 5 is very satisfied
    grade: Mapped[int | None]
    comment: Mapped[str | None] = mapped_column(Encrypted)

    case: Mapped[Case] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("grade between 1 and 5", name="grade_is_one_of_five"),
        CheckConstraint("(answered_at is null) = (grade is null)", name="answered_has_a_grade"),
        CheckConstraint("answered_at is not null or comment is null", name="comment_is_of_an_answer"),
    )


class SampleAudit(db.Model):
    """Whether a case that one officer decided alone was drawn for a later check, and what the check found."""

    __tablename__ = "sample_audit"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id", unique=True)
    #: how many of a hundred were drawn when it was its turn
    percent: Mapped[int]
    drawn: Mapped[bool]
    at: Mapped[Moment]
    checked_at: Mapped[MaybeMoment]
    checked_by_id: Mapped[int | None] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    #: passed or irregular
    result: Mapped[str | None] = mapped_column(String(10))
    comment: Mapped[str | None] = mapped_column(Encrypted)

    case: Mapped[Case] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("percent between 1 and 100", name="percent_is_one"),
        CheckConstraint("result in ('passed','irregular')", name="result_is_known"),
        CheckConstraint(
            "(checked_at is null) = (result is null) and (checked_at is null) = (checked_by_id is null)",
            name="checked_has_a_result",
        ),
        CheckConstraint("drawn or checked_at is null", name="only_what_was_drawn"),
        CheckConstraint("result <> 'irregular' or comment is not null", name="irregular_says_why"),
        Index(
            "ix_sample_audit_to_check",
            "id",
            postgresql_where=text("drawn and checked_at is null"),
        ),
    )
