"""查證: which plans of a register were picked for a period, what was found, and what the unit has to improve."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.plans import MaybePercent
from webapp.models.types import Json, Key, MaybeMoment, Moment, PublicId, ref

VERIFICATION_KINDS = ("on_site", "written", "heads_meeting")


class Verification(db.Model):
    """An entry of a register picked for a period: visited, asked in writing, put before the heads, or passed over."""

    __tablename__ = "verification"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    entry_id: Mapped[int] = ref("register_entry.id", index=True)
    period: Mapped[str] = mapped_column(String(7), index=True)
    #: the month whose report was read: 109M09, 109Q3 and what else ends there are one
    last_month: Mapped[date]
    kind: Mapped[str] = mapped_column(String(13))
    #: by the rule, or by the control office with a reason
    picked_by: Mapped[str] = mapped_column(String(4))
    public_concern: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(Text, default="")
    points: Mapped[int]
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    #: the sentences of the rules that picked it
    why: Mapped[Json]
    #: actual progress as reported when it was picked, and as it was seen
    reported: Mapped[MaybePercent]
    seen: Mapped[MaybePercent]
    seen_on: Mapped[date | None]
    place: Mapped[str] = mapped_column(Text, default="")
    conclusion: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(11), default="open")
    case_id: Mapped[int | None] = ref("case.id", unique=True)
    by_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]
    closed_at: Mapped[MaybeMoment]

    __table_args__ = (
        CheckConstraint("kind in ('on_site','written','heads_meeting')", name="kind_is_known"),
        CheckConstraint("picked_by in ('rule','hand')", name="picked_by_is_known"),
        CheckConstraint("state in ('open','closed','passed_over','withdrawn')", name="state_is_known"),
        CheckConstraint("points >= 0", name="points_are_not_negative"),
        CheckConstraint(
            "reason <> '' or (picked_by = 'rule' and state <> 'passed_over')",
            name="says_why_against_the_rule",
        ),
        CheckConstraint(
            "case when state = 'passed_over' or kind = 'heads_meeting' then case_id is null"
            " else case_id is not null end",
            name="is_worked_on_as_a_case",
        ),
        CheckConstraint("(state = 'closed') = (closed_at is not null)", name="closed_has_a_moment"),
        CheckConstraint("seen between 0 and 100", name="seen_is_a_share"),
        Index(
            "uq_verification_entry_id_last_month",
            "entry_id",
            "last_month",
            unique=True,
            postgresql_where=text("state in ('open','closed')"),
        ),
    )


class VerificationFinding(db.Model):
    """What was found and must be improved, by when; reported by the unit, accepted by the control office."""

    __tablename__ = "verification_finding"

    id: Mapped[Key]
    verification_id: Mapped[int] = ref("verification.id")
    number: Mapped[int]
    finding: Mapped[str] = mapped_column(Text)
    required: Mapped[str] = mapped_column(Text)
    due_on: Mapped[date]
    done: Mapped[str] = mapped_column(Text, default="")
    done_on: Mapped[date | None]
    #: what the control office still misses
    remark: Mapped[str] = mapped_column(Text, default="")
    accepted_at: Mapped[MaybeMoment]

    __table_args__ = (
        UniqueConstraint("verification_id", "number"),
        CheckConstraint("number >= 1", name="number_counts_from_one"),
        CheckConstraint("finding <> '' and required <> ''", name="says_what_to_do"),
        CheckConstraint("accepted_at is null or done <> ''", name="accepted_after_a_report"),
    )
