"""Extensions and suspensions of a case's time limit; limits in hours; which period's end was told."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "extension_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("asked_by_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_for_id", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("function", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("working_days", sa.Integer(), nullable=False),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("due_before", sa.Date(), nullable=False),
        sa.Column("due_after", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_by_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_for_id", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state in ('open','approved','refused','lapsed')",
            name=op.f("ck_extension_request_state_is_known"),
        ),
        sa.CheckConstraint("days > 0", name=op.f("ck_extension_request_is_longer")),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at is null)", name=op.f("ck_extension_request_decided_has_a_moment")
        ),
        sa.CheckConstraint(
            "(state in ('approved','refused')) = (decided_by_id is not null)",
            name=op.f("ck_extension_request_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' or answer is not null",
            name=op.f("ck_extension_request_refused_has_a_reason"),
        ),
        sa.CheckConstraint(
            "decided_by_id <> asked_by_id and decided_by_id <> asked_for_id"
            " and decided_for_id <> asked_by_id",
            name=op.f("ck_extension_request_decided_by_another"),
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_extension_request_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_extension_request_unit_id")),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_extension_request_ruleset_revision_id")
        ),
        *(
            sa.ForeignKeyConstraint([column], ["account.id"], name=op.f(f"fk_extension_request_{column}"))
            for column in ("asked_by_id", "asked_for_id", "decided_by_id", "decided_for_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_request")),
        sa.UniqueConstraint("public_id", name=op.f("uq_extension_request_public_id")),
    )
    op.create_index("ix_extension_request_case", "extension_request", ["case_id"])
    still_open = sa.text("state = 'open'")
    op.create_index(
        "uq_extension_request_open",
        "extension_request",
        ["case_id"],
        unique=True,
        postgresql_where=still_open,
    )
    op.create_index(
        "ix_extension_request_desk", "extension_request", ["function", "unit_id"], postgresql_where=still_open
    )
    op.create_table(
        "suspension",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_by_id", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(ended_at is null) = (ended_by_id is null)", name=op.f("ck_suspension_ended_by_somebody")
        ),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_suspension_ends_after_start")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_suspension_case_id")),
        *(
            sa.ForeignKeyConstraint([column], ["account.id"], name=op.f(f"fk_suspension_{column}"))
            for column in ("began_by_id", "ended_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
    )
    op.create_index("ix_suspension_case", "suspension", ["case_id"])
    op.create_index(
        "uq_suspension_open",
        "suspension",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.add_column("clock", sa.Column("told_period", sa.Integer(), nullable=True))
    op.add_column("clock", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clock", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_clock_hours_have_moments"),
        "clock",
        "(kind = 'HOUR') = (started_at is not null) and (kind = 'HOUR') = (due_at is not null)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_clock_hours_have_moments"), "clock")
    for column in ("due_at", "started_at", "told_period"):
        op.drop_column("clock", column)
    op.drop_table("suspension")
    op.drop_table("extension_request")
