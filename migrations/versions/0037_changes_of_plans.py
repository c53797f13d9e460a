"""Changes of plans: requests of units, why a plan is controlled, how it left a register, versions for stale pages"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

VERSIONED = ("register", "plan", "register_entry")


def upgrade() -> None:
    for table in VERSIONED:
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column(
        "plan",
        sa.Column("origins", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_plan_origins_are_known"),
        "plan",
        'jsonb_typeof(origins) = \'array\' and origins <@ \'["pledge","directive","central_subsidy"]\'',
    )
    op.add_column("register_entry", sa.Column("released_as", sa.String(length=12), nullable=True))
    op.create_check_constraint(
        op.f("ck_register_entry_released_as_is_known"),
        "register_entry",
        "released_as in ('completed','withdrawn','carried_over')",
    )
    op.create_check_constraint(
        op.f("ck_register_entry_released_as_something"),
        "register_entry",
        "released_as is null or released_on is not null",
    )
    op.create_table(
        "plan_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("approver", sa.String(length=40), nullable=True),
        sa.Column("opened_by_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind in ('change','release')", name=op.f("ck_plan_request_kind_is_known")),
        sa.CheckConstraint(
            "state in ('open','granted','ended')", name=op.f("ck_plan_request_state_is_known")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_plan_request_case_id_case")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["register_entry.id"], name=op.f("fk_plan_request_entry_id_register_entry")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["account.id"], name=op.f("fk_plan_request_opened_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_request")),
        sa.UniqueConstraint("case_id", name=op.f("uq_plan_request_case_id")),
    )
    op.create_index(op.f("ix_plan_request_entry_id"), "plan_request", ["entry_id"], unique=False)
    op.create_index(
        "uq_plan_request_open",
        "plan_request",
        ["entry_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("plan_request")
    op.drop_constraint(op.f("ck_register_entry_released_as_something"), "register_entry", type_="check")
    op.drop_constraint(op.f("ck_register_entry_released_as_is_known"), "register_entry", type_="check")
    op.drop_column("register_entry", "released_as")
    op.drop_constraint(op.f("ck_plan_origins_are_known"), "plan", type_="check")
    op.drop_column("plan", "origins")
    for table in reversed(VERSIONED):
        op.drop_column(table, "version")
