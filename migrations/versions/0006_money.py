"""Money: invoices, payments, refunds, and the lists by which grants are paid out.

Two sums that no single row shows are held by triggers: a paid invoice is covered by its payments, and no more goes
back than came in.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payout_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("service_code", sa.String(length=20), nullable=False),
        sa.Column("period", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'approved') = (approved_by_id is not null)",
            name=op.f("ck_payout_list_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "paid_on is null or state = 'approved'", name=op.f("ck_payout_list_paid_when_approved")
        ),
        sa.CheckConstraint(
            "state in ('draft','approved','dissolved')", name=op.f("ck_payout_list_state_is_known")
        ),
        sa.CheckConstraint(
            "(approved_by_id is null) = (approved_at is null)",
            name=op.f("ck_payout_list_approved_has_a_moment"),
        ),
        sa.CheckConstraint(
            "approved_by_id <> created_by_id", name=op.f("ck_payout_list_approved_by_another")
        ),
        sa.CheckConstraint("total >= 0", name=op.f("ck_payout_list_total_is_not_negative")),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["account.id"], name=op.f("fk_payout_list_approved_by_id")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["account.id"], name=op.f("fk_payout_list_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_list")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_list_public_id")),
        sa.UniqueConstraint("service_code", "number", name=op.f("uq_payout_list_service_code_number")),
    )
    op.create_index(op.f("ix_payout_list_service_code"), "payout_list", ["service_code"], unique=False)
    op.create_table(
        "invoice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("total", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by_id", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at is null)", name=op.f("ck_invoice_closed_has_a_moment")
        ),
        sa.CheckConstraint(
            "state in ('open','paid','lapsed','cancelled')", name=op.f("ck_invoice_state_is_known")
        ),
        sa.CheckConstraint("total >= 0", name=op.f("ck_invoice_total_is_not_negative")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_invoice_case_id")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["account.id"], name=op.f("fk_invoice_opened_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("account", name=op.f("uq_invoice_account")),
        sa.UniqueConstraint("public_id", name=op.f("uq_invoice_public_id")),
    )
    op.create_index(op.f("ix_invoice_case_id"), "invoice", ["case_id"], unique=False)
    op.create_index(
        "ix_invoice_due",
        "invoice",
        ["due_on", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_invoice_open", "invoice", ["case_id"], unique=True, postgresql_where=sa.text("state = 'open'")
    )
    op.create_table(
        "payout_claim",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("service_code", sa.String(length=20), nullable=False),
        sa.Column("award", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("payee", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=False),
        sa.Column("needs_confirming", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_claim_amount_is_positive")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_payout_claim_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_claim")),
        sa.UniqueConstraint("case_id", "award", name=op.f("uq_payout_claim_case_id_award")),
        sa.UniqueConstraint("public_id", name=op.f("uq_payout_claim_public_id")),
    )
    op.create_index(op.f("ix_payout_claim_service_code"), "payout_claim", ["service_code"], unique=False)
    op.create_table(
        "payment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=True),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(source = 'cashier') = (recorded_by_id is not null)", name=op.f("ck_payment_cashier_is_named")
        ),
        sa.CheckConstraint("source in ('webhook','cashier')", name=op.f("ck_payment_source_is_known")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payment_amount_is_positive")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_payment_invoice_id")),
        sa.ForeignKeyConstraint(["recorded_by_id"], ["account.id"], name=op.f("fk_payment_recorded_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("reference", name=op.f("uq_payment_reference")),
    )
    op.create_index(op.f("ix_payment_invoice_id"), "payment", ["invoice_id"], unique=False)
    op.create_table(
        "payout_entry",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("returned_reason", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "(returned_on is null) = (returned_reason is null)",
            name=op.f("ck_payout_entry_returned_has_a_reason"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_payout_entry_amount_is_positive")),
        sa.ForeignKeyConstraint(["claim_id"], ["payout_claim.id"], name=op.f("fk_payout_entry_claim_id")),
        sa.ForeignKeyConstraint(["list_id"], ["payout_list.id"], name=op.f("fk_payout_entry_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_entry")),
    )
    op.create_index(op.f("ix_payout_entry_claim_id"), "payout_entry", ["claim_id"], unique=False)
    op.create_index(op.f("ix_payout_entry_list_id"), "payout_entry", ["list_id"], unique=False)
    op.create_index(
        "uq_payout_entry_standing",
        "payout_entry",
        ["claim_id"],
        unique=True,
        postgresql_where=sa.text("returned_on is null"),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("invoice_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("interest", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("proposed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("paid_by_id", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state = 'paid') = (paid_on is not null and paid_by_id is not null)",
            name=op.f("ck_refund_paid_has_a_day"),
        ),
        sa.CheckConstraint(
            "(state = 'proposed') = (decided_by_id is null)", name=op.f("ck_refund_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "kind in ('difference','late_decision','other')", name=op.f("ck_refund_kind_is_known")
        ),
        sa.CheckConstraint(
            "state in ('proposed','approved','refused','paid')", name=op.f("ck_refund_state_is_known")
        ),
        sa.CheckConstraint(
            "(decided_by_id is null) = (decided_at is null)", name=op.f("ck_refund_decided_has_a_moment")
        ),
        sa.CheckConstraint("amount > 0 and interest >= 0", name=op.f("ck_refund_amounts_are_positive")),
        sa.CheckConstraint("decided_by_id <> proposed_by_id", name=op.f("ck_refund_decided_by_another")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["account.id"], name=op.f("fk_refund_decided_by_id")),
        sa.ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name=op.f("fk_refund_invoice_id")),
        sa.ForeignKeyConstraint(["paid_by_id"], ["account.id"], name=op.f("fk_refund_paid_by_id")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["account.id"], name=op.f("fk_refund_proposed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("public_id", name=op.f("uq_refund_public_id")),
    )
    op.create_index(op.f("ix_refund_invoice_id"), "refund", ["invoice_id"], unique=False)
    op.create_index(
        "ix_refund_waiting",
        "refund",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state in ('proposed','approved')"),
    )
    op.add_column("case", sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "create trigger append_only before update or delete on payment "
        "for each row execute function refuse_change()"
    )
    op.execute("create sequence invoice_serial maxvalue 99999999")
    op.execute(
        """
        create function refuse_uncovered_invoice() returns trigger language plpgsql as $$
        begin
            if (select coalesce(sum(amount), 0) from payment where invoice_id = new.id) < new.total then
                raise exception 'invoice % is not covered by its payments', new.id
                    using errcode = 'check_violation', constraint = 'ck_invoice_paid_is_covered';
            end if;
            return new;
        end $$
        """
    )
    op.execute(
        "create trigger covered before insert or update on invoice "
        "for each row when (new.state = 'paid') execute function refuse_uncovered_invoice()"
    )
    op.execute(
        """
        create function refuse_changed_invoice() returns trigger language plpgsql as $$
        begin
            raise exception 'what invoice % asks for does not change', old.id
                using errcode = 'restrict_violation';
        end $$
        """
    )
    op.execute(
        "create trigger unchanged before update on invoice for each row "
        "when (old.total <> new.total or old.account <> new.account or old.case_id <> new.case_id "
        "or old.lines <> new.lines or old.state in ('paid', 'lapsed', 'cancelled')) "
        "execute function refuse_changed_invoice()"
    )
    op.execute(
        """
        create function refuse_refund_of_nothing() returns trigger language plpgsql as $$
        begin
            perform 1 from invoice where id = new.invoice_id for update;
            if (select coalesce(sum(amount), 0) from refund where invoice_id = new.invoice_id and state <> 'refused')
               > (select coalesce(sum(amount), 0) from payment where invoice_id = new.invoice_id) then
                raise exception 'more than was paid on invoice % would go back', new.invoice_id
                    using errcode = 'check_violation', constraint = 'ck_refund_was_paid';
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger was_paid after insert or update on refund "
        "for each row execute function refuse_refund_of_nothing()"
    )


def downgrade() -> None:
    for table in ("payout_entry", "payout_claim", "payout_list", "refund", "payment", "invoice"):
        op.drop_table(table)
    for function in ("refuse_refund_of_nothing", "refuse_changed_invoice", "refuse_uncovered_invoice"):
        op.execute(f"drop function {function}()")
    op.execute("drop sequence invoice_serial")
    op.drop_column("case", "paid_at")
