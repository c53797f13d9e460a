"""Cases: drafts, submissions, parties, tasks, clocks, history, and the record of every decision."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, Numeric, String, Text, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.org import Unit
from webapp.models.types import Encrypted, Instant, Json, Key, MaybeMoment, Moment, PublicId, ref

CHANNELS = ("web", "counter", "telephone", "post", "internal")


class Draft(db.Model):
    """What a citizen, or a clerk for them, has typed so far, valid or not. Gone once it is submitted."""

    __tablename__ = "draft"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    service_code: Mapped[str] = mapped_column(String(20))
    form_revision_id: Mapped[int] = ref("revision.id")
    account_id: Mapped[int | None] = ref("account.id", index=True)
    #: hash of the token in the browser's cookie, for drafts without an account
    device_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    #: flat form data, name to list of strings
    raw: Mapped[dict[str, list[str]]] = mapped_column(Encrypted, default=dict)
    #: intake of a paper or spoken application: channel, received on, postmark, originals seen, clerk's note
    intake: Mapped[dict[str, Any] | None] = mapped_column(Encrypted)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
    updated_at: Mapped[Moment]
    expires_on: Mapped[date]

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("account_id is not null or device_hash is not null", name="has_an_owner"),
    )


class Case(db.Model):
    __tablename__ = "case"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    #: EC06-115-000123, taken as the last statement before the commit
    number: Mapped[str | None] = mapped_column(String(30), unique=True)
    #: the draft that became this case: a second submit of it finds the first one
    draft_key: Mapped[str | None] = mapped_column(String(32), unique=True)
    service_code: Mapped[str] = mapped_column(String(20), index=True)
    service_revision_id: Mapped[int] = ref("revision.id")
    form_revision_id: Mapped[int] = ref("revision.id")
    workflow_revision_id: Mapped[int] = ref("revision.id")
    owner_unit_id: Mapped[int] = ref("unit.id", index=True)
    handling_unit_id: Mapped[int] = ref("unit.id", index=True)
    #: the applicant's account; none when applying without one or at the counter
    account_id: Mapped[int | None] = ref("account.id", index=True)
    #: only those who work on it and the heads of its unit may know of it (行政程序法 170 II)
    confidential: Mapped[bool] = mapped_column(default=False, server_default=false())
    channel: Mapped[str] = mapped_column(String(10))
    #: the Taipei day on which the clock starts: sent, received at the counter, or postmarked
    filed_on: Mapped[date]
    submitted_at: Mapped[Moment]
    state: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10), default="open")
    outcome: Mapped[str | None] = mapped_column(String(20))
    #: 併案: the open case of the same service in which this one is dealt with
    merged_into_id: Mapped[int | None] = ref("case.id", index=True)
    #: grant or reject, as the officer proposes; and who proposed it, for whom: they may not decide it
    proposal: Mapped[str | None] = mapped_column(String(10))
    proposed_by_id: Mapped[int | None] = ref("account.id")
    proposed_for_id: Mapped[int | None] = ref("account.id")
    #: counts the states entered, so that the tasks of the present visit are known
    visit: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    risk: Mapped[str | None] = mapped_column(String(10))
    fee_total: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    fee_lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    #: amounts that the proposal to grant awards, in the form of fee lines
    awards: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    #: when the payment that covered the fee of the last invoice was made; none while it is open
    paid_at: Mapped[MaybeMoment]
    intake: Mapped[dict[str, Any] | None] = mapped_column(Encrypted)
    language: Mapped[str] = mapped_column(String(5), default="zh")
    version: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[MaybeMoment]

    owner_unit: Mapped[Unit] = relationship(foreign_keys=[owner_unit_id], viewonly=True)
    handling_unit: Mapped[Unit] = relationship(foreign_keys=[handling_unit_id], viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("status in ('open','closed')", name="status_is_known"),
        CheckConstraint(
            "(status = 'closed') = (closed_at is not null and outcome is not null)", name="closed_has_outcome"
        ),
        CheckConstraint(
            "channel in ('web','counter','telephone','post','internal')", name="channel_is_known"
        ),
        CheckConstraint(
            "(coalesce(outcome, '') = 'merged') = (merged_into_id is not null)", name="merged_has_leading"
        ),
        CheckConstraint("merged_into_id <> id", name="leading_is_another"),
    )


class Submission(db.Model):
    """One immutable set of answers. A correction, an inspection record or an opinion adds another."""

    __tablename__ = "submission"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    #: application, or the key of the task form that was filled in
    kind: Mapped[str] = mapped_column(String(40), default="application")
    number: Mapped[int]
    form_revision_id: Mapped[int] = ref("revision.id")
    task_id: Mapped[int | None] = ref("task.id", index=True)
    answers: Mapped[Json]
    personal: Mapped[dict[str, Any]] = mapped_column(Encrypted)
    created_by_id: Mapped[int | None] = ref("account.id")
    created_at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("case_id", "kind", "number"),)

    @property
    def all_answers(self) -> dict[str, Any]:
        return {**self.answers, **self.personal}


class Party(db.Model):
    __tablename__ = "party"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id", index=True)
    role: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(Encrypted)
    identifier: Mapped[str | None] = mapped_column(Encrypted)
    #: finds the other cases of the same person or company
    identifier_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    phone: Mapped[str | None] = mapped_column(Encrypted)
    email: Mapped[str | None] = mapped_column(Encrypted)
    address: Mapped[str | None] = mapped_column(Encrypted)
    #: who stands for a company or an association
    responsible: Mapped[str | None] = mapped_column(Encrypted)
    #: by what right a representative acts
    relation: Mapped[str | None] = mapped_column(String(20))

    __table_args__ = (
        CheckConstraint("role in ('applicant','company','representative')", name="role_is_known"),
        CheckConstraint("relation is null or role = 'representative'", name="relation_of_a_representative"),
        CheckConstraint("relation in ('entrusted','parent','guardian')", name="relation_is_known"),
        CheckConstraint("responsible is null or role = 'company'", name="responsible_for_a_company"),
    )


class Task(db.Model):
    __tablename__ = "task"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id", index=True)
    visit: Mapped[int]
    key: Mapped[str] = mapped_column(String(40))
    #: the unit code of a parallel branch, else empty
    branch: Mapped[str] = mapped_column(String(20), default="")
    function: Mapped[str] = mapped_column(String(40))
    unit_id: Mapped[int] = ref("unit.id")
    form_key: Mapped[str | None] = mapped_column(String(80))
    #: what the officer asks another unit (加會); such a task is of the case, visit 0, not of a state
    question: Mapped[str | None] = mapped_column(Encrypted)
    assignee_id: Mapped[int | None] = ref("account.id")
    state: Mapped[str] = mapped_column(String(10), default="open")
    due_on: Mapped[date | None]
    opened_at: Mapped[Moment]
    claimed_at: Mapped[MaybeMoment]
    done_at: Mapped[MaybeMoment]
    done_by_id: Mapped[int | None] = ref("account.id")
    #: whom the doer acted for as a deputy
    acting_for_id: Mapped[int | None] = ref("account.id")
    outcome: Mapped[str | None] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(default=1)

    case: Mapped[Case] = relationship(viewonly=True)
    unit: Mapped[Unit] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state in ('open','done','cancelled')", name="state_is_known"),
        CheckConstraint("(state = 'done') = (done_at is not null)", name="done_has_a_moment"),
        CheckConstraint("(visit = 0) = (question is not null)", name="question_is_of_the_case"),
        UniqueConstraint("case_id", "visit", "key", "branch"),
        Index(
            "ix_task_mine",
            "assignee_id",
            "due_on",
            "id",
            postgresql_where=text("state = 'open' and assignee_id is not null"),
        ),
        Index(
            "ix_task_pool",
            "unit_id",
            "function",
            "due_on",
            "id",
            postgresql_where=text("state = 'open' and assignee_id is null"),
        ),
        Index("ix_task_assignee_id", "assignee_id", "id"),
        Index("ix_task_done", "done_by_id", "done_at", "id", postgresql_where=text("state = 'done'")),
        Index("ix_task_due", "due_on", "id", postgresql_where=text("state = 'open'")),
    )


class Clock(db.Model):
    """The time limit of a case, or of one task of a parallel review."""

    __tablename__ = "clock"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id", index=True)
    task_id: Mapped[int | None] = ref("task.id", unique=True)
    kind: Mapped[str] = mapped_column(String(10))
    period: Mapped[int]
    started_on: Mapped[date]
    due_on: Mapped[date]
    #: a restart or an extension opens the next one
    period_number: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(10), default="running")
    stopped_on: Mapped[date | None]
    #: the Taipei day of the last sweep: one scheduler wins the conditional update
    swept_on: Mapped[date | None]
    #: the period whose end the applicant was told of
    told_period: Mapped[int | None]
    #: the moments of a limit in hours
    started_at: Mapped[MaybeMoment]
    due_at: Mapped[MaybeMoment]

    movements: Mapped[list[ClockMovement]] = relationship(order_by="ClockMovement.id")

    __table_args__ = (
        CheckConstraint("state in ('running','paused','stopped')", name="state_is_known"),
        CheckConstraint("(state = 'stopped') = (stopped_on is not null)", name="stopped_has_a_day"),
        CheckConstraint(
            "(kind = 'HOUR') = (started_at is not null) and (kind = 'HOUR') = (due_at is not null)",
            name="hours_have_moments",
        ),
        Index("ix_clock_running", "due_on", "id", postgresql_where=text("state = 'running'")),
        Index("uq_clock_case", "case_id", unique=True, postgresql_where=text("task_id is null")),
    )


class ClockMovement(db.Model):
    """Everything that moved a due date. The ledger in words is made from these rows."""

    __tablename__ = "clock_movement"

    id: Mapped[Key]
    clock_id: Mapped[int] = ref("clock.id", index=True)
    kind: Mapped[str] = mapped_column(String(10))
    on_date: Mapped[date]
    days: Mapped[int | None]
    reason: Mapped[str] = mapped_column(Encrypted, default="")
    due_before: Mapped[date]
    due_after: Mapped[date]
    actor_id: Mapped[int | None] = ref("account.id")
    at: Mapped[Moment]

    __table_args__ = (
        CheckConstraint(
            "kind in ('pause','resume','restart','extend','until','override')", name="kind_is_known"
        ),
    )


class CorrectionRequest(db.Model):
    """補正: the named fields are open to the applicant until they answer or the days run out."""

    __tablename__ = "correction_request"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    fields: Mapped[list[str]] = mapped_column(JSONB)
    message: Mapped[str] = mapped_column(Encrypted)
    requested_by_id: Mapped[int | None] = ref("account.id")
    requested_at: Mapped[Moment]
    due_on: Mapped[date]
    #: what the applicant has typed so far
    raw: Mapped[dict[str, list[str]] | None] = mapped_column(Encrypted)
    version: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[MaybeMoment]
    closed_reason: Mapped[str | None] = mapped_column(String(10))

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("closed_reason in ('answered','lapsed','withdrawn')", name="reason_is_known"),
        CheckConstraint("(closed_at is null) = (closed_reason is null)", name="closed_has_a_reason"),
        Index(
            "uq_correction_request_open",
            "case_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
        ),
        Index("ix_correction_request_case", "case_id"),
    )


class CaseEvent(db.Model):
    """The history of a case: ids and salted digests only, chained, never updated or deleted by anybody."""

    __tablename__ = "case_event"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    seq: Mapped[int]
    at: Mapped[Moment]
    kind: Mapped[str] = mapped_column(String(40))
    #: anonymous: the applicant without an account
    actor_kind: Mapped[str] = mapped_column(String(10))
    actor_id: Mapped[int | None] = ref("account.id")
    acting_for_id: Mapped[int | None] = ref("account.id")
    task_id: Mapped[int | None] = ref("task.id")
    from_state: Mapped[str | None] = mapped_column(String(40))
    to_state: Mapped[str | None] = mapped_column(String(40))
    #: salted digest of the payload; the salt goes when the payload is erased
    payload_digest: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))

    payload: Mapped[EventPayload | None] = relationship(lazy="joined")

    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        CheckConstraint("actor_kind in ('anonymous','citizen','staff','system')", name="actor_is_known"),
        CheckConstraint(
            "(actor_kind in ('citizen','staff')) = (actor_id is not null)", name="people_have_accounts"
        ),
    )


class CaseMove(db.Model):
    """A running case went on under another revision; with the event that says so. Never updated or deleted."""

    __tablename__ = "case_move"

    id: Mapped[Key]
    case_id: Mapped[int] = ref("case.id")
    #: the number of the event
    seq: Mapped[int]
    from_revision_id: Mapped[int] = ref("revision.id")
    to_revision_id: Mapped[int] = ref("revision.id")
    #: the names of states that changed, or that a person looked at
    states: Mapped[dict[str, str]] = mapped_column(JSONB)

    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        CheckConstraint("from_revision_id <> to_revision_id", name="moves"),
    )


class EventPayload(db.Model):
    """Comments and other content of an event. Erasable without breaking the chain."""

    __tablename__ = "event_payload"

    event_id: Mapped[int] = ref("case_event.id", primary_key=True)
    salt: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]] = mapped_column(Encrypted)


class Firing(db.Model):
    """Which ruleset revision decided what, from which facts, and why: of a case, or of a plan's report."""

    __tablename__ = "firing"

    id: Mapped[Key]
    case_id: Mapped[int | None] = ref("case.id", index=True)
    progress_report_id: Mapped[int | None] = ref("progress_report.id", index=True)
    ruleset_revision_id: Mapped[int] = ref("revision.id")
    #: which time limit of the case was looked at; none when the case came in
    clock_id: Mapped[int | None] = ref("clock.id", index=True)
    as_of: Mapped[date]
    at: Mapped[Moment]
    #: the snapshot that a dry run can use again; personal facts do not enter it
    facts: Mapped[Json]
    outcomes: Mapped[Json]
    explanation: Mapped[Json]
    engine: Mapped[str] = mapped_column(String(12))

    __table_args__ = (
        CheckConstraint("num_nonnulls(case_id, progress_report_id) = 1", name="of_one_thing"),
        # a trial reads a period of one ruleset
        Index("ix_firing_ruleset_revision_id_as_of", "ruleset_revision_id", "as_of"),
        # one evaluation of a ruleset revision for a case and day; those of a clock follow its escalations
        Index(
            "uq_firing_evaluation",
            "case_id",
            "ruleset_revision_id",
            "as_of",
            unique=True,
            postgresql_where=text("clock_id is null"),
        ),
    )


class Escalation(db.Model):
    """A rung of the reminder ladder that was reached."""

    __tablename__ = "escalation"

    id: Mapped[Key]
    clock_id: Mapped[int] = ref("clock.id")
    period_number: Mapped[int]
    rung: Mapped[str] = mapped_column(String(40))
    firing_id: Mapped[int] = ref("firing.id")
    sweep_run_id: Mapped[int | None] = ref("sweep_run.id", index=True)
    at: Mapped[Moment]

    __table_args__ = (UniqueConstraint("clock_id", "period_number", "rung"),)


class Counter(db.Model):
    """Running numbers of a service or a letter word, by ROC year."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[int]


class Effect(db.Model):
    """Something that must happen outside the transaction: a PDF, a message. The job carries only the id."""

    __tablename__ = "effect"

    id: Mapped[Key]
    kind: Mapped[str] = mapped_column(String(20))
    case_id: Mapped[int | None] = ref("case.id", index=True)
    payload: Mapped[dict[str, Any]] = mapped_column(Encrypted)
    idempotency_key: Mapped[str] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(10), default="pending")
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Moment]
    done_at: Mapped[MaybeMoment]

    __table_args__ = (
        CheckConstraint("state in ('pending','done','dead')", name="state_is_known"),
        Index("ix_effect_pending", "created_at", "id", postgresql_where=text("state = 'pending'")),
    )


class Message(db.Model):
    """The outbox: one message to one person by one channel."""

    __tablename__ = "message"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int | None] = ref("case.id", index=True)
    account_id: Mapped[int | None] = ref("account.id", index=True)
    channel: Mapped[str] = mapped_column(String(10))
    recipient: Mapped[str] = mapped_column(Encrypted)
    subject: Mapped[str] = mapped_column(Encrypted)
    body: Mapped[str] = mapped_column(Encrypted)
    idempotency_key: Mapped[str] = mapped_column(String(160), unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant, index=True)
    sent_at: Mapped[MaybeMoment]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[MaybeMoment]
    last_error: Mapped[str | None] = mapped_column(String(200))
    #: given up: it is not tried again
    dead: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (
        CheckConstraint("channel in ('email','sms','post','inbox')", name="channel_is_known"),
        Index(
            "ix_message_to_send",
            "attempts",
            "id",
            postgresql_where=text("channel = 'email' and sent_at is null and not dead"),
        ),
        Index("ix_message_inbox", "account_id", "id", postgresql_where=text("channel = 'inbox'")),
    )

    @property
    def way(self) -> str:
        """The channel; what stands in nobody's own inbox is told by telephone, by whoever has the case."""
        return "call" if self.channel == "inbox" and self.account_id is None else self.channel

    @property
    def waits_for_a_hand(self) -> bool:
        """No machine delivers it: somebody rings or posts it and notes that."""
        return self.way in ("call", "post") and self.sent_at is None


class NoticeRead(db.Model):
    """That somebody has read a notice, their own or that of whom they stand in for."""

    __tablename__ = "notice_read"

    account_id: Mapped[int] = ref("account.id", primary_key=True)
    message_id: Mapped[int] = ref("message.id", primary_key=True, index=True, ondelete="CASCADE")
    at: Mapped[Moment]
