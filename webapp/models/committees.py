"""Committees: members, sessions with an agenda of cases, conflicts of interest, ballots and results."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.cases import Case
from webapp.models.identity import Account
from webapp.models.org import Unit
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref

RESULTS = ("pass", "pass_with_changes", "defer", "reject")


class Committee(db.Model):
    __tablename__ = "committee"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    unit_id: Mapped[int] = ref("unit.id", index=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(120))
    #: vote: more than half of those who voted; score: the mean decides, and the budget by rank; consent: the
    #: parties decide, the committee mediates and nobody votes
    mode: Mapped[str] = mapped_column(String(10))
    #: majority: more than half of those who may decide an item; two_thirds: at least two thirds of them; three: of
    #: a mediation (鄉鎮市調解條例 7)
    quorum: Mapped[str] = mapped_column(String(10))
    #: score mode: the lowest mean that passes
    pass_score: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    #: score mode: the answer that says how much money is asked for
    amount_field: Mapped[str | None] = mapped_column(String(80))
    service_codes: Mapped[list[str]] = mapped_column(JSONB)
    #: vote mode: as many for as against, and the chair decides, as the committee's statute says
    chair_breaks_ties: Mapped[bool] = mapped_column(default=False)
    #: takes no cases any more
    closed_at: Mapped[MaybeMoment]
    version: Mapped[int] = mapped_column(default=1)

    unit: Mapped[Unit] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    # that no case comes before a closed committee is a trigger of the migration
    __table_args__ = (
        CheckConstraint("mode = 'vote' or not chair_breaks_ties", name="only_votes_tie"),
        CheckConstraint("mode in ('vote','score','consent')", name="mode_is_known"),
        CheckConstraint("quorum in ('majority','two_thirds','three')", name="quorum_is_known"),
        CheckConstraint("(mode = 'consent') = (quorum = 'three')", name="consent_needs_three"),
        CheckConstraint("(mode = 'score') = (pass_score is not null)", name="score_has_a_line"),
    )


class CommitteeMember(db.Model):
    """One term of one member: somebody of the staff, or an outside expert, whose ballots the secretary enters."""

    __tablename__ = "committee_member"

    id: Mapped[Key]
    committee_id: Mapped[int] = ref("committee.id")
    #: nobody has an account only to sit in a committee
    account_id: Mapped[int | None] = ref("account.id", index=True)
    #: of an outside expert
    name: Mapped[str | None] = mapped_column(Encrypted)
    organisation: Mapped[str | None] = mapped_column(Encrypted)
    #: who has no vote advises (列席) and counts for no quorum
    votes: Mapped[bool] = mapped_column(default=True)
    chairs: Mapped[bool] = mapped_column(default=False)
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]

    account: Mapped[Account | None] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("ends_on is null or ends_on >= starts_on", name="ends_after_start"),
        CheckConstraint(
            "(account_id is null) = (name is not null) and (name is null) = (organisation is null)",
            name="inside_or_outside",
        ),
        CheckConstraint("votes or not chairs", name="chair_votes"),
        UniqueConstraint("committee_id", "account_id", "starts_on"),
        ExcludeConstraint(
            (text("int8range(account_id, account_id, '[]')"), "&&"),
            (text("int8range(committee_id, committee_id, '[]')"), "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            where=text("account_id is not null"),
            name="ex_committee_member_once_a_day",
        ),
        ExcludeConstraint(
            (text("int8range(committee_id, committee_id, '[]')"), "&&"),
            (text("daterange(starts_on, ends_on, '[]')"), "&&"),
            where=text("chairs"),
            name="ex_committee_member_one_chair",
        ),
    )

    @property
    def is_outside(self) -> bool:
        return self.account_id is None

    @property
    def called(self) -> str:
        return self.account.name if self.account is not None else self.name or ""

    def sits_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


class CommitteeSession(db.Model):
    __tablename__ = "committee_session"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    committee_id: Mapped[int] = ref("committee.id", index=True)
    starts_at: Mapped[Moment]
    place: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(20), default="planned")
    #: score mode: what may be granted in all
    budget: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    secretary_id: Mapped[int] = ref("account.id")
    #: the draft, then the minutes as they were approved
    minutes: Mapped[dict[str, Any] | None] = mapped_column(Encrypted)
    #: who recorded the results last, and so may not approve them
    drafted_by_id: Mapped[int | None] = ref("account.id")
    approved_by_id: Mapped[int | None] = ref("account.id")
    approved_at: Mapped[MaybeMoment]
    #: the printed minutes, sealed; made by the worker
    pdf: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    version: Mapped[int] = mapped_column(default=1)

    committee: Mapped[Committee] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state in ('planned','held','minutes_approved','cancelled')", name="state_is_known"),
        CheckConstraint("budget is null or budget >= 0", name="budget"),
        CheckConstraint(
            "(state = 'minutes_approved') = (approved_by_id is not null and approved_at is not null)",
            name="approved_by_somebody",
        ),
        CheckConstraint(
            "approved_by_id is null or (approved_by_id <> secretary_id and approved_by_id <> drafted_by_id)",
            name="approved_by_another",
        ),
        CheckConstraint("state in ('planned','cancelled') or minutes is not null", name="held_has_minutes"),
    )


class AgendaItem(db.Model):
    """A case before a committee; without a session it waits for the next one."""

    __tablename__ = "agenda_item"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    committee_id: Mapped[int] = ref("committee.id")
    case_id: Mapped[int] = ref("case.id")
    #: the visit of the state in which the case waits; once it has left, the item is void
    visit: Mapped[int]
    session_id: Mapped[int | None] = ref("committee_session.id", index=True)
    position: Mapped[int | None]
    result: Mapped[str | None] = mapped_column(String(20))
    #: how the chair decided a tie
    casting_vote: Mapped[str | None] = mapped_column(String(3))
    #: what has to change, or why it was deferred or rejected; of a settlement its terms
    remark: Mapped[str | None] = mapped_column(Encrypted)
    #: where the parties decide: who came, and which members mediated (webapp.services.hearings.Hearing)
    hearing: Mapped[dict[str, Any] | None] = mapped_column(Encrypted)
    #: 續行調解: the day on which it goes on
    continues_on: Mapped[date | None]
    created_at: Mapped[Moment]
    #: decided by approved minutes, or void
    closed_at: Mapped[MaybeMoment]

    case: Mapped[Case] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("result in ('pass','pass_with_changes','defer','reject')", name="result_is_known"),
        CheckConstraint("casting_vote in ('yes','no')", name="casting_vote_is_known"),
        # that only a committee where the parties decide hears them, and always says so, is a trigger of the migration
        CheckConstraint(
            "continues_on is null or (result = 'defer' and hearing is not null)", name="continues_where_heard"
        ),
        CheckConstraint("(session_id is null) = (position is null)", name="placed_in_a_session"),
        CheckConstraint("result is null or session_id is not null", name="decided_in_a_session"),
        # a case is before one committee and in one session at a time
        Index("uq_agenda_item_open", "case_id", unique=True, postgresql_where=text("closed_at is null")),
        UniqueConstraint("session_id", "position"),
        Index("ix_agenda_item_waiting", "committee_id", postgresql_where=text("session_id is null")),
    )


class ConflictOfInterest(db.Model):
    """迴避: a member neither sees nor decides an item."""

    __tablename__ = "conflict_of_interest"

    id: Mapped[Key]
    item_id: Mapped[int] = ref("agenda_item.id")
    member_id: Mapped[int] = ref("committee_member.id")
    reason: Mapped[str] = mapped_column(Encrypted)
    declared_by_id: Mapped[int] = ref("account.id")
    declared_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("item_id", "member_id"),)


class Ballot(db.Model):
    """One member's vote or score; nobody else reads it, the results are counted from all."""

    __tablename__ = "ballot"

    id: Mapped[Key]
    item_id: Mapped[int] = ref("agenda_item.id")
    member_id: Mapped[int] = ref("committee_member.id")
    #: the member, or the secretary for an outside one
    entered_by_id: Mapped[int] = ref("account.id")
    #: yes, no, abstain, or a score as a decimal string
    choice: Mapped[str] = mapped_column(Encrypted)
    cast_at: Mapped[Moment]

    # that nobody with a conflict of interest, or without a vote, or where nobody votes, has a ballot is a trigger of
    # the migration
    __table_args__ = (UniqueConstraint("item_id", "member_id"),)
