"""先期作業: calls for proposals, what units propose, and the sittings that decide."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from webapp.extensions import db
from webapp.models.plans import MaybeMoney
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref

#: what a subsidised call asks money of, by the fact plan.subsidy
SUBSIDIES = ("island_fund", "central_budget", "small_works")
#: of the county, or of the ministry whose answer is recorded
MODES = ("county", "central")
DECISIONS = ("kept", "amended", "dropped")


class ProposalCall(db.Model):
    """One call a register, which is of one year: whatever is approved goes into it."""

    __tablename__ = "proposal_call"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    register_id: Mapped[int] = ref("register.id", unique=True)
    title: Mapped[str] = mapped_column(String(120))
    subsidy: Mapped[str | None] = mapped_column(String(20))
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    note: Mapped[str] = mapped_column(Text, default="")
    origin: Mapped[str] = mapped_column(String(13), default="entered")
    version: Mapped[int] = mapped_column(default=1)
    #: who acted last: named to whoever is late
    changed_by_id: Mapped[int | None] = ref("account.id")
    changed_at: Mapped[Moment]

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("title <> ''", name="has_a_title"),
        CheckConstraint("closes_on > opens_on", name="closes_after_it_opens"),
        CheckConstraint("subsidy in ('island_fund','central_budget','small_works')", name="subsidy_is_known"),
        CheckConstraint("origin in ('entered','published','demonstration')", name="origin_is_known"),
    )


class ProposalLetIn(db.Model):
    """A unit that may propose until a day after the call has closed."""

    __tablename__ = "proposal_let_in"

    call_id: Mapped[int] = ref("proposal_call.id", primary_key=True)
    unit_id: Mapped[int] = ref("unit.id", primary_key=True)
    until: Mapped[date]
    reason: Mapped[str] = mapped_column(Text)
    by_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (CheckConstraint("reason <> ''", name="has_a_reason"),)


class ProposalSitting(db.Model):
    """審查會議: one of the sittings of a call. A central one records what the ministry approved."""

    __tablename__ = "proposal_sitting"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    call_id: Mapped[int] = ref("proposal_call.id")
    number: Mapped[int]
    mode: Mapped[str] = mapped_column(String(7), default="county")
    held_on: Mapped[date]
    place: Mapped[str] = mapped_column(String(120))
    chair: Mapped[str] = mapped_column(String(80))

    __table_args__ = (
        UniqueConstraint("call_id", "number"),
        # what its agenda refers to
        UniqueConstraint("id", "call_id"),
        CheckConstraint("mode in ('county','central')", name="mode_is_known"),
        CheckConstraint("number >= 1 and place <> '' and chair <> ''", name="says_where_and_who"),
    )


class Proposal(db.Model):
    """What a case proposes, for lists and totals; everything else stands in its form."""

    __tablename__ = "proposal"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id", unique=True)
    call_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = ref("unit.id", index=True)
    title: Mapped[str] = mapped_column(String(200))
    #: as it was first sent, and as it was asked for; none while it is written
    budget: Mapped[MaybeMoney]
    handed_in_at: Mapped[MaybeMoment]
    sitting_id: Mapped[int | None] = mapped_column(BigInteger)
    decision: Mapped[str | None] = mapped_column(String(7))
    #: where the meeting or the ministry left less than was asked for
    kept_amount: Mapped[MaybeMoney]
    #: what has to be amended, or why it was left out
    words: Mapped[str] = mapped_column(Text, default="")
    decided_at: Mapped[MaybeMoment]
    decided_by_id: Mapped[int | None] = ref("account.id")

    __table_args__ = (
        ForeignKeyConstraint(["call_id"], ["proposal_call.id"]),
        ForeignKeyConstraint(["sitting_id", "call_id"], ["proposal_sitting.id", "proposal_sitting.call_id"]),
        Index("ix_proposal_call_id_unit_id", "call_id", "unit_id"),
        Index("ix_proposal_sitting_id", "sitting_id"),
        CheckConstraint("title <> ''", name="has_a_title"),
        CheckConstraint("(budget is null) = (handed_in_at is null) and budget > 0", name="asks_for_money"),
        CheckConstraint("decision in ('kept','amended','dropped')", name="decision_is_known"),
        CheckConstraint(
            "(decision is null) = (decided_at is null) and (decision is null or sitting_id is not null)",
            name="is_decided_in_a_sitting",
        ),
        CheckConstraint("decision not in ('amended','dropped') or words <> ''", name="says_why"),
        CheckConstraint("kept_amount > 0 and kept_amount <= budget", name="keeps_no_more_than_was_asked"),
    )


class ProposalDecision(db.Model):
    """What a sitting decided of a proposal: a record, whatever becomes of it later."""

    __tablename__ = "proposal_decision"

    id: Mapped[Key]
    proposal_id: Mapped[int] = ref("proposal.id")
    sitting_id: Mapped[int] = ref("proposal_sitting.id", index=True)
    #: as it was called then
    title: Mapped[str] = mapped_column(String(200))
    decision: Mapped[str] = mapped_column(String(7))
    #: what is left of the money; none where it was left out
    amount: Mapped[MaybeMoney]
    words: Mapped[str] = mapped_column(Text, default="")
    by_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (
        # decided again in another sitting
        UniqueConstraint("proposal_id", "sitting_id"),
        CheckConstraint("decision in ('kept','amended','dropped')", name="decision_is_known"),
        CheckConstraint("decision = 'kept' or words <> ''", name="says_why"),
        CheckConstraint(
            "(decision = 'dropped') = (amount is null) and amount > 0", name="keeps_money_unless_dropped"
        ),
    )


class TaskDraft(db.Model):
    """What was typed so far into the form of a task, valid or not. Gone once it is sent."""

    __tablename__ = "task_draft"

    task_id: Mapped[int] = ref("task.id", primary_key=True)
    #: flat form data, name to list of strings
    raw: Mapped[dict[str, list[str]]] = mapped_column(Encrypted)
    version: Mapped[int] = mapped_column(default=1)
    saved_by_id: Mapped[int | None] = ref("account.id")
    saved_at: Mapped[Moment]
