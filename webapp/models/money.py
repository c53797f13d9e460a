"""Money: invoices, what was paid on them, what goes back, and the lists by which grants are paid out."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, Index, Numeric, String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapp.extensions import db
from webapp.models.cases import Case
from webapp.models.types import Encrypted, Key, MaybeMoment, Moment, PublicId, ref

Money = Numeric(12, 2)


class Invoice(db.Model):
    """繳費單: what a case costs, and the account number that is its alone. What it says never changes."""

    __tablename__ = "invoice"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id", index=True)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    total: Mapped[Decimal] = mapped_column(Money)
    #: the virtual account number; a payment is known by it
    account: Mapped[str] = mapped_column(String(20), unique=True)
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(10), default="open")
    opened_at: Mapped[Moment]
    opened_by_id: Mapped[int | None] = ref("account.id")
    #: paid, lapsed or cancelled
    closed_at: Mapped[MaybeMoment]
    reminded_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    case: Mapped[Case] = relationship(viewonly=True)
    payments: Mapped[list[Payment]] = relationship(order_by="Payment.id", viewonly=True)
    #: those that count
    standing: Mapped[list[Payment]] = relationship(
        order_by="Payment.id",
        primaryjoin="and_(Payment.invoice_id == Invoice.id, Payment.taken_back_at.is_(None))",
        viewonly=True,
    )
    refunds: Mapped[list[Refund]] = relationship(order_by="Refund.id", viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state in ('open','paid','lapsed','cancelled')", name="state_is_known"),
        CheckConstraint("(state = 'open') = (closed_at is null)", name="closed_has_a_moment"),
        CheckConstraint("total >= 0", name="total_is_not_negative"),
        Index("uq_invoice_open", "case_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_invoice_due", "due_on", "id", postgresql_where=text("state = 'open'")),
    )


class Payment(db.Model):
    """Money that came in, whatever it was for. Never deleted; one for nobody's account is settled once, for good.

    That an invoice or a refund rests on one that is taken back is refused by the trigger `is_needed`.
    """

    __tablename__ = "payment"

    id: Mapped[Key]
    #: none when the account number is nobody's: the cashier looks into it
    invoice_id: Mapped[int | None] = ref("invoice.id", index=True)
    account: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(10))
    #: the bank's own number of the transfer, or that of the counter's receipt
    reference: Mapped[str] = mapped_column(String(60))
    amount: Mapped[Decimal] = mapped_column(Money)
    paid_at: Mapped[Moment]
    recorded_at: Mapped[Moment]
    recorded_by_id: Mapped[int | None] = ref("account.id")
    #: the cashier found whose it is, or sent it back, and said why
    settled_at: Mapped[MaybeMoment]
    settled_by_id: Mapped[int | None] = ref("account.id")
    settled_reason: Mapped[str | None] = mapped_column(Encrypted)
    sent_back_on: Mapped[date | None]
    #: mistyped at the counter: it stays on record and counts no more
    taken_back_at: Mapped[MaybeMoment]
    taken_back_by_id: Mapped[int | None] = ref("account.id")
    taken_back_reason: Mapped[str | None] = mapped_column(Encrypted)

    __table_args__ = (
        CheckConstraint(
            "(taken_back_at is null) = (taken_back_by_id is null) "
            "and (taken_back_at is null) = (taken_back_reason is null)",
            name="taken_back_by_somebody",
        ),
        CheckConstraint("taken_back_at is null or source = 'cashier'", name="taken_back_at_the_counter"),
        CheckConstraint(
            "(settled_at is null) = (settled_by_id is null) and (settled_at is null) = (settled_reason is null)",
            name="settled_by_somebody",
        ),
        CheckConstraint(
            "settled_at is null or (invoice_id is null) = (sent_back_on is not null)", name="settled_one_way"
        ),
        CheckConstraint("sent_back_on is null or settled_at is not null", name="sent_back_is_settled"),
        Index(
            "ix_payment_for_nobody", "id", postgresql_where=text("invoice_id is null and settled_at is null")
        ),
        #: a receipt of the counter may bear a number that the bank has given to a transfer
        Index(
            "uq_payment_source_reference",
            "source",
            "reference",
            unique=True,
            postgresql_where=text("taken_back_at is null"),
        ),
        CheckConstraint("source in ('webhook','cashier')", name="source_is_known"),
        CheckConstraint("(source = 'cashier') = (recorded_by_id is not null)", name="cashier_is_named"),
        CheckConstraint("amount > 0", name="amount_is_positive"),
    )


class Refund(db.Model):
    """退費: proposed by one, approved by another, paid out on a day."""

    __tablename__ = "refund"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    invoice_id: Mapped[int] = ref("invoice.id", index=True)
    kind: Mapped[str] = mapped_column(String(20))
    amount: Mapped[Decimal] = mapped_column(Money)
    #: on a late decision, from the day of payment to that of the ending (規費法 19 II)
    interest: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    reason: Mapped[str] = mapped_column(Encrypted)
    state: Mapped[str] = mapped_column(String(10), default="proposed")
    #: the officer, or the applicant's account; none when the applicant has no account
    proposed_by_id: Mapped[int | None] = ref("account.id")
    #: in whose place, where a deputy acted
    proposed_for_id: Mapped[int | None] = ref("account.id")
    proposed_at: Mapped[Moment]
    decided_by_id: Mapped[int | None] = ref("account.id")
    decided_for_id: Mapped[int | None] = ref("account.id")
    decided_at: Mapped[MaybeMoment]
    paid_on: Mapped[date | None]
    paid_by_id: Mapped[int | None] = ref("account.id")
    version: Mapped[int] = mapped_column(default=1)

    invoice: Mapped[Invoice] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("kind in ('difference','late_decision','other')", name="kind_is_known"),
        CheckConstraint("state in ('proposed','approved','refused','paid')", name="state_is_known"),
        CheckConstraint("amount > 0 and interest >= 0", name="amounts_are_positive"),
        CheckConstraint("(state = 'proposed') = (decided_by_id is null)", name="decided_by_somebody"),
        CheckConstraint("(decided_by_id is null) = (decided_at is null)", name="decided_has_a_moment"),
        CheckConstraint(
            "decided_by_id <> proposed_by_id and decided_by_id <> proposed_for_id "
            "and decided_for_id <> proposed_by_id and decided_for_id <> proposed_for_id",
            name="decided_by_another",
        ),
        *(
            CheckConstraint(
                f"{verb}_for_id is null or ({verb}_by_id is not null and {verb}_for_id <> {verb}_by_id)",
                name=f"{verb}_for_another",
            )
            for verb in ("proposed", "decided")
        ),
        CheckConstraint(
            "(state = 'paid') = (paid_on is not null and paid_by_id is not null)", name="paid_has_a_day"
        ),
        Index("ix_refund_waiting", "id", postgresql_where=text("state in ('proposed','approved')")),
    )


class PayoutList(db.Model):
    """造冊: the granted amounts of one service and period, approved as one and paid from its export."""

    __tablename__ = "payout_list"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    service_code: Mapped[str] = mapped_column(String(20), index=True)
    #: as the office calls it, for example 115年11月
    period: Mapped[str] = mapped_column(String(40))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default="draft")
    total: Mapped[Decimal] = mapped_column(Money)
    created_at: Mapped[Moment]
    created_by_id: Mapped[int] = ref("account.id")
    proposed_at: Mapped[MaybeMoment]
    proposed_by_id: Mapped[int | None] = ref("account.id")
    #: why a head sent it back
    note: Mapped[str | None] = mapped_column(Encrypted)
    approved_at: Mapped[MaybeMoment]
    approved_by_id: Mapped[int | None] = ref("account.id")
    #: the absent head for whom a deputy approved
    approved_for_id: Mapped[int | None] = ref("account.id")
    #: how many of its grants the same person decided, who said so when approving the list
    same_hands: Mapped[int] = mapped_column(default=0)
    #: the day on which the treasury paid
    paid_on: Mapped[date | None]
    paid_by_id: Mapped[int | None] = ref("account.id")
    version: Mapped[int] = mapped_column(default=1)

    entries: Mapped[list[PayoutEntry]] = relationship(order_by="PayoutEntry.id", viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("state in ('draft','proposed','approved','paid','dissolved')", name="state_is_known"),
        CheckConstraint(
            "(state in ('proposed','approved','paid')) = (proposed_by_id is not null)",
            name="proposed_by_somebody",
        ),
        CheckConstraint("(proposed_by_id is null) = (proposed_at is null)", name="proposed_has_a_moment"),
        CheckConstraint(
            "(state in ('approved','paid')) = (approved_by_id is not null)", name="approved_by_somebody"
        ),
        CheckConstraint("(approved_by_id is null) = (approved_at is null)", name="approved_has_a_moment"),
        CheckConstraint(
            "approved_by_id <> created_by_id and approved_by_id <> proposed_by_id", name="approved_by_another"
        ),
        CheckConstraint(
            "approved_for_id is null or (approved_by_id is not null"
            " and approved_for_id <> created_by_id and approved_for_id <> proposed_by_id)",
            name="approved_for_another",
        ),
        CheckConstraint("same_hands >= 0", name="same_hands_are_counted"),
        CheckConstraint(
            "(state = 'paid') = (paid_on is not null) and (state = 'paid') = (paid_by_id is not null)",
            name="paid_has_a_day",
        ),
        CheckConstraint("total >= 0", name="total_is_not_negative"),
        UniqueConstraint("service_code", "number"),
    )


class PayoutClaim(db.Model):
    """What a granted case is to be paid, once or every month: who, how much, to which account."""

    __tablename__ = "payout_claim"

    id: Mapped[Key]
    public_id: Mapped[PublicId]
    case_id: Mapped[int] = ref("case.id")
    service_code: Mapped[str] = mapped_column(String(20), index=True)
    #: the award that it pays
    award: Mapped[str] = mapped_column(String(40))
    amount: Mapped[Decimal] = mapped_column(Money)
    payee: Mapped[str] = mapped_column(Encrypted)
    #: bank, account and holder; none when the form asks for no account
    account: Mapped[dict[str, str] | None] = mapped_column(Encrypted)
    created_at: Mapped[Moment]
    #: the last time that somebody confirmed that it is still due
    confirmed_on: Mapped[date]
    #: set by the yearly look: nothing is paid before somebody confirms it
    needs_confirming: Mapped[bool] = mapped_column(default=False)
    #: the first day of the first month that is paid; none where it is paid once
    first_month: Mapped[date | None]
    #: it is paid no more: the month of this day is the last one
    stopped_on: Mapped[date | None]
    stopped_reason: Mapped[str | None] = mapped_column(Encrypted)
    stopped_by_id: Mapped[int | None] = ref("account.id")
    version: Mapped[int] = mapped_column(default=1)

    case: Mapped[Case] = relationship(viewonly=True)

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_is_positive"),
        CheckConstraint("extract(day from first_month) = 1", name="month_is_its_first_day"),
        CheckConstraint(
            "(stopped_on is null) = (stopped_reason is null) and (stopped_on is null) = (stopped_by_id is null)",
            name="stopped_by_somebody",
        ),
        UniqueConstraint("case_id", "award"),
    )


class PayoutEntry(db.Model):
    """One line of a list. It stands on a second one, for the same month, only when the first payment came back.

    Payee and account are those that the head approves, whatever becomes of the claim afterwards.
    """

    __tablename__ = "payout_entry"

    id: Mapped[Key]
    list_id: Mapped[int] = ref("payout_list.id", index=True)
    claim_id: Mapped[int] = ref("payout_claim.id", index=True)
    #: the first day of the month that it pays; none where the claim is paid once
    month: Mapped[date | None]
    amount: Mapped[Decimal] = mapped_column(Money)
    payee: Mapped[str] = mapped_column(Encrypted)
    account: Mapped[dict[str, str]] = mapped_column(Encrypted)
    returned_on: Mapped[date | None]
    returned_reason: Mapped[str | None] = mapped_column(Encrypted)

    claim: Mapped[PayoutClaim] = relationship(viewonly=True)

    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_is_positive"),
        CheckConstraint("(returned_on is null) = (returned_reason is null)", name="returned_has_a_reason"),
        CheckConstraint("extract(day from month) = 1", name="month_is_its_first_day"),
        Index(
            "uq_payout_entry_standing",
            "claim_id",
            "month",
            unique=True,
            postgresql_where=text("returned_on is null"),
            postgresql_nulls_not_distinct=True,
        ),
    )
