"""檢討會議與決議: meetings on a register or on none, what stood on the agenda, and what was resolved."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.types import Key, Moment, PublicId, ref

MEETING_KINDS = (
    "quarterly_review",
    "monthly_review",
    "project",
    "policy",
    "heads",
    "briefing",
    "visit",
    "other",
)
#: the reviews of a register, which take what was picked for the heads as the heads themselves do
REVIEW_KINDS = ("quarterly_review", "monthly_review")


class ReviewMeeting(db.Model):
    """A meeting or visit as the control office entered it."""

    __tablename__ = "review_meeting"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    register_id: Mapped[int | None] = ref("register.id", index=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(120))
    held_on: Mapped[date]
    place: Mapped[str] = mapped_column(String(120), default="")
    chair: Mapped[str] = mapped_column(String(80), default="")
    minutes: Mapped[str] = mapped_column(Text, default="")
    origin: Mapped[str] = mapped_column(String(13), default="entered")
    version: Mapped[int] = mapped_column(default=1)
    by_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(f"kind in ({','.join(repr(kind) for kind in MEETING_KINDS)})", name="kind_is_known"),
        CheckConstraint("origin in ('entered','published','demonstration')", name="origin_is_known"),
        CheckConstraint("title <> ''", name="has_a_title"),
        UniqueConstraint(
            "register_id",
            "kind",
            "held_on",
            "title",
            name="uq_review_meeting_once",
            postgresql_nulls_not_distinct=True,
        ),
    )


class MeetingItem(db.Model):
    """What stands on the agenda: free words, or a plan that was picked for the heads."""

    __tablename__ = "meeting_item"

    id: Mapped[Key]
    meeting_id: Mapped[int] = ref("review_meeting.id")
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    verification_id: Mapped[int | None] = ref("verification.id", unique=True)

    __table_args__ = (
        UniqueConstraint("meeting_id", "position"),
        CheckConstraint("text <> ''", name="says_something"),
    )


class Resolution(db.Model):
    """決議: what a unit has to do by a day, followed up as a case until it is released (解除列管)."""

    __tablename__ = "resolution"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    meeting_id: Mapped[int] = ref("review_meeting.id")
    number: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    unit_id: Mapped[int] = ref("unit.id", index=True)
    due_on: Mapped[date]
    #: else by the ruleset directive_followup
    due_given: Mapped[bool]
    #: as directive_followup says
    state: Mapped[str] = mapped_column(String(9), default="executing")
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    #: what the unit reported last
    done: Mapped[str] = mapped_column(Text, default="")
    reported_on: Mapped[date | None]
    released_on: Mapped[date | None]
    case_id: Mapped[int] = ref("case.id", unique=True)

    __table_args__ = (
        UniqueConstraint("meeting_id", "number"),
        CheckConstraint("text <> '' and number >= 1", name="says_something"),
        CheckConstraint("state in ('executing','continued','released','withdrawn')", name="state_is_known"),
        CheckConstraint("(state = 'released') = (released_on is not null)", name="released_has_a_day"),
    )


class ResolutionUnit(db.Model):
    """A further unit that helps with a resolution."""

    __tablename__ = "resolution_unit"

    resolution_id: Mapped[int] = ref("resolution.id", primary_key=True, ondelete="CASCADE")
    unit_id: Mapped[int] = ref("unit.id", primary_key=True, index=True)
