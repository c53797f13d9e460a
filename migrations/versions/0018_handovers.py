"""A draft is handed to a relative or a clerk by a one-time code"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("draft_key", sa.String(32), nullable=False),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.BigInteger(), nullable=True),
        sa.Column("made_by_device", sa.String(64), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("helper_id", sa.BigInteger(), nullable=True),
        sa.Column("helper_device", sa.String(64), nullable=True),
        sa.Column("helper_name", sa.LargeBinary(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(10), nullable=True),
        sa.CheckConstraint(
            "made_by_id is not null or made_by_device is not null", name=op.f("ck_handover_has_a_maker")
        ),
        sa.CheckConstraint(
            "(used_at is not null) = (helper_id is not null or helper_device is not null) "
            "and (used_at is not null) = (helper_name is not null)",
            name=op.f("ck_handover_used_has_a_helper"),
        ),
        sa.CheckConstraint("used_at < expires_at", name=op.f("ck_handover_used_in_time")),
        sa.CheckConstraint(
            "ended_at is null or used_at is not null", name=op.f("ck_handover_ended_was_used")
        ),
        sa.CheckConstraint(
            "(ended_at is null) = (ended_by is null)", name=op.f("ck_handover_ended_by_somebody")
        ),
        sa.CheckConstraint("ended_by in ('applicant','helper')", name=op.f("ck_handover_ender_is_known")),
        sa.ForeignKeyConstraint(["made_by_id"], ["account.id"], name=op.f("fk_handover_made_by_id")),
        sa.ForeignKeyConstraint(["helper_id"], ["account.id"], name=op.f("fk_handover_helper_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_handover_code_hash")),
    )
    for column in ("draft_key", "helper_id", "helper_device"):
        op.create_index(op.f(f"ix_handover_{column}"), "handover", [column], unique=False)
    op.create_index(
        "uq_handover_live",
        "handover",
        ["draft_key"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )


def downgrade() -> None:
    op.drop_table("handover")
