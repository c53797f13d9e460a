"""Calls for proposals of plans, what units propose, sittings that decide; what is typed into a task's form is kept"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal_call",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("subsidy", sa.String(length=20), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')", name=op.f("ck_proposal_call_origin_is_known")
        ),
        sa.CheckConstraint(
            "subsidy in ('island_fund','central_budget','small_works')",
            name=op.f("ck_proposal_call_subsidy_is_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_proposal_call_has_a_title")),
        sa.CheckConstraint("closes_on > opens_on", name=op.f("ck_proposal_call_closes_after_it_opens")),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["account.id"], name=op.f("fk_proposal_call_changed_by_id")
        ),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_proposal_call_register_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_call")),
        sa.UniqueConstraint("public_id", name=op.f("uq_proposal_call_public_id")),
        sa.UniqueConstraint("register_id", name=op.f("uq_proposal_call_register_id")),
    )
    op.create_table(
        "proposal_let_in",
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_proposal_let_in_has_a_reason")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_proposal_let_in_by_id")),
        sa.ForeignKeyConstraint(["call_id"], ["proposal_call.id"], name=op.f("fk_proposal_let_in_call_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_proposal_let_in_unit_id")),
        sa.PrimaryKeyConstraint("call_id", "unit_id", name=op.f("pk_proposal_let_in")),
    )
    op.create_table(
        "proposal_sitting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=7), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("chair", sa.String(length=80), nullable=False),
        sa.CheckConstraint("mode in ('county','central')", name=op.f("ck_proposal_sitting_mode_is_known")),
        sa.CheckConstraint(
            "number >= 1 and place <> '' and chair <> ''", name=op.f("ck_proposal_sitting_says_where_and_who")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["proposal_call.id"], name=op.f("fk_proposal_sitting_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_sitting")),
        sa.UniqueConstraint("call_id", "number", name=op.f("uq_proposal_sitting_call_id_number")),
        sa.UniqueConstraint("id", "call_id", name=op.f("uq_proposal_sitting_id_call_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_proposal_sitting_public_id")),
    )
    op.create_table(
        "proposal",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("budget", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.Column("handed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sitting_id", sa.BigInteger(), nullable=True),
        sa.Column("decision", sa.String(length=7), nullable=True),
        sa.Column("kept_amount", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "decision in ('kept','amended','dropped')", name=op.f("ck_proposal_decision_is_known")
        ),
        sa.CheckConstraint(
            "decision not in ('amended','dropped') or words <> ''", name=op.f("ck_proposal_says_why")
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_proposal_has_a_title")),
        sa.CheckConstraint(
            "(budget is null) = (handed_in_at is null) and budget > 0",
            name=op.f("ck_proposal_asks_for_money"),
        ),
        sa.CheckConstraint(
            "(decision is null) = (decided_at is null) and (decision is null or sitting_id is not null)",
            name=op.f("ck_proposal_is_decided_in_a_sitting"),
        ),
        sa.CheckConstraint(
            "kept_amount > 0 and kept_amount <= budget", name=op.f("ck_proposal_keeps_no_more_than_was_asked")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["proposal_call.id"], name=op.f("fk_proposal_call_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_proposal_case_id")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["account.id"], name=op.f("fk_proposal_decided_by_id")),
        sa.ForeignKeyConstraint(
            ["sitting_id", "call_id"],
            ["proposal_sitting.id", "proposal_sitting.call_id"],
            name=op.f("fk_proposal_sitting_id_call_id"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_proposal_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("case_id", name=op.f("uq_proposal_case_id")),
    )
    op.create_index("ix_proposal_call_id_unit_id", "proposal", ["call_id", "unit_id"], unique=False)
    op.create_index("ix_proposal_sitting_id", "proposal", ["sitting_id"], unique=False)
    op.create_index(op.f("ix_proposal_unit_id"), "proposal", ["unit_id"], unique=False)
    op.create_table(
        "task_draft",
        sa.Column("task_id", sa.BigInteger(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saved_by_id", sa.BigInteger(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["saved_by_id"], ["account.id"], name=op.f("fk_task_draft_saved_by_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_draft_task_id")),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_task_draft")),
    )


def downgrade() -> None:
    op.drop_table("task_draft")
    op.drop_index(op.f("ix_proposal_unit_id"), table_name="proposal")
    op.drop_index("ix_proposal_sitting_id", table_name="proposal")
    op.drop_index("ix_proposal_call_id_unit_id", table_name="proposal")
    op.drop_table("proposal")
    op.drop_table("proposal_sitting")
    op.drop_table("proposal_let_in")
    op.drop_table("proposal_call")
