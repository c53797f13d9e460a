"""年終考核: what a unit says of its plan after the year, and how the plan-control office graded it.

What is published never changes (trigger of migration 0040).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Numeric, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Key, MaybeMoment, Moment, ref

MaybeJson = Annotated[Any | None, mapped_column(JSONB(none_as_null=True), nullable=True)]


class PlanGrade(db.Model):
    """The evaluation of an entry of a register, for the year of the register."""

    __tablename__ = "plan_grade"

    id: Mapped[Key]
    entry_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    register_id: Mapped[int] = mapped_column(BigInteger, index=True)
    #: none: invented for the demonstration
    case_id: Mapped[int | None] = ref("case.id", unique=True)
    #: open: the unit or the plan-control office is at work; reviewed: to be published
    state: Mapped[str] = mapped_column(String(10), default="open")
    #: what the unit gives itself, by item; none: not yet
    self_points: Mapped[MaybeJson]
    self_words: Mapped[str] = mapped_column(Text, default="")
    #: what the plan-control office typed, and what the rules made of it: see services.plan_grades
    said: Mapped[MaybeJson]
    result: Mapped[MaybeJson]
    total: Mapped[Decimal | None] = mapped_column(Numeric(9, 4))
    grade: Mapped[str | None] = mapped_column(String(10))
    ruleset_revision_id: Mapped[int | None] = ref("revision.id")
    origin: Mapped[str] = mapped_column(String(13), default="entered")
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[Moment]
    reviewed_by_id: Mapped[int | None] = ref("account.id")
    reviewed_at: Mapped[MaybeMoment]
    published_by_id: Mapped[int | None] = ref("account.id")
    published_at: Mapped[MaybeMoment]

    __table_args__ = (
        ForeignKeyConstraint(
            ["entry_id", "register_id"], ["register_entry.id", "register_entry.register_id"]
        ),
        CheckConstraint("state in ('open','reviewed','published')", name="state_is_known"),
        CheckConstraint("grade in ('excellent','a','b','c')", name="grade_is_known"),
        CheckConstraint("origin in ('entered','demonstration')", name="origin_is_known"),
        CheckConstraint("case_id is not null or origin = 'demonstration'", name="entered_by_a_case"),
        CheckConstraint("total between 0 and 100", name="total_is_a_score"),
        CheckConstraint(
            "state = 'open' or (total is not null and grade is not null and result is not null and said is not null"
            " and ruleset_revision_id is not null and reviewed_at is not null)",
            name="reviewed_is_graded",
        ),
        CheckConstraint("(state = 'published') = (published_at is not null)", name="published_has_a_moment"),
    )
    __mapper_args__ = {"version_id_col": version}
