"""稽催: what each deadline sweep did, who was told of which rung, and opinions on files that took too long."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Encrypted, Instant, Key, MaybeMoment, Moment, ref


class SweepRun(db.Model):
    """One walk over the running clocks that found something to look at."""

    __tablename__ = "sweep_run"

    id: Mapped[Key]
    started_at: Mapped[datetime] = mapped_column(Instant, index=True)
    #: none: under way, or the worker was killed
    finished_at: Mapped[MaybeMoment]
    milliseconds: Mapped[int | None]
    clocks: Mapped[int] = mapped_column(default=0)
    lapsed: Mapped[int] = mapped_column(default=0)
    digests: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    #: when a later walk found nothing left to do
    checked_at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(
            "clocks >= 0 and lapsed >= 0 and digests >= 0 and failed >= 0", name="counts_are_counts"
        ),
    )


class EscalationNotice(db.Model):
    """Who is to hear of a rung: the escalation log names everybody who was pressed, supervisors included."""

    __tablename__ = "escalation_notice"

    id: Mapped[Key]
    escalation_id: Mapped[int] = ref("escalation.id")
    account_id: Mapped[int] = ref("account.id")
    #: the absent colleague in whose place they hear of it
    acting_for_id: Mapped[int | None] = ref("account.id")
    #: the Taipei day of the message that told it
    told_on: Mapped[date | None]
    #: told by the digest of that day, not by a message of its own
    digest: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        CheckConstraint("told_on is not null or not digest", name="digest_has_a_day"),
        CheckConstraint("acting_for_id <> account_id", name="acts_for_another"),
        UniqueConstraint("escalation_id", "account_id"),
        Index("ix_escalation_notice_told", "account_id", "told_on"),
        Index("ix_escalation_notice_untold", "account_id", postgresql_where=text("told_on is null")),
    )


class FileReview(db.Model):
    """調卷分析: the opinion of a head on who is responsible for the delay. A later one stands beside it."""

    __tablename__ = "file_review"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id", index=True)
    opinion: Mapped[str] = mapped_column(Encrypted)
    written_by_id: Mapped[int] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]


class OverdueList(db.Model):
    """每月逾期未辦畢清單: one a month; which cases were late when it was made never changes."""

    __tablename__ = "overdue_list"

    id: Mapped[Key]
    #: its first day
    month: Mapped[date] = mapped_column(unique=True)
    made_at: Mapped[Moment]

    __table_args__ = (CheckConstraint("extract(day from month) = 1", name="month_is_its_first_day"),)


class OverdueLine(db.Model):
    """One late time limit, with who held it, in the words of that day."""

    __tablename__ = "overdue_line"

    id: Mapped[Key]
    list_id: Mapped[int] = ref("overdue_list.id", index=True)
    case_id: Mapped[int] = ref("case.id", index=True)
    content: Mapped[dict[str, Any]] = mapped_column(Encrypted)
