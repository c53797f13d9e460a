"""Verifications of plans with their findings; review meetings with their agenda and resolutions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TABLES = (
    "meeting_item",
    "verification_finding",
    "verification",
    "resolution_unit",
    "resolution",
    "review_meeting",
)


def upgrade() -> None:
    op.create_table(
        "review_meeting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("register_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("chair", sa.String(length=80), nullable=False),
        sa.Column("minutes", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=13), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind in ('quarterly_review','monthly_review','project','policy','heads','briefing','visit','other')",
            name=op.f("ck_review_meeting_kind_is_known"),
        ),
        sa.CheckConstraint(
            "origin in ('entered','published','demonstration')",
            name=op.f("ck_review_meeting_origin_is_known"),
        ),
        sa.CheckConstraint("title <> ''", name=op.f("ck_review_meeting_has_a_title")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_review_meeting_by_id")),
        sa.ForeignKeyConstraint(["register_id"], ["register.id"], name=op.f("fk_review_meeting_register_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_meeting")),
        sa.UniqueConstraint("public_id", name=op.f("uq_review_meeting_public_id")),
        sa.UniqueConstraint(
            "register_id",
            "kind",
            "held_on",
            "title",
            name="uq_review_meeting_once",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_review_meeting_register_id"), "review_meeting", ["register_id"], unique=False)
    op.create_table(
        "resolution",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_given", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column("released_on", sa.Date(), nullable=True),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'released') = (released_on is not null)", name=op.f("ck_resolution_released_has_a_day")
        ),
        sa.CheckConstraint(
            "state in ('executing','continued','released')", name=op.f("ck_resolution_state_is_known")
        ),
        sa.CheckConstraint("text <> '' and number >= 1", name=op.f("ck_resolution_says_something")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_resolution_case_id")),
        sa.ForeignKeyConstraint(["meeting_id"], ["review_meeting.id"], name=op.f("fk_resolution_meeting_id")),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_resolution_ruleset_revision_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_resolution_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolution")),
        sa.UniqueConstraint("case_id", name=op.f("uq_resolution_case_id")),
        sa.UniqueConstraint("meeting_id", "number", name=op.f("uq_resolution_meeting_id_number")),
        sa.UniqueConstraint("public_id", name=op.f("uq_resolution_public_id")),
    )
    op.create_index(op.f("ix_resolution_unit_id"), "resolution", ["unit_id"], unique=False)
    op.create_table(
        "resolution_unit",
        sa.Column("resolution_id", sa.BigInteger(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"],
            ["resolution.id"],
            name=op.f("fk_resolution_unit_resolution_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_resolution_unit_unit_id")),
        sa.PrimaryKeyConstraint("resolution_id", "unit_id", name=op.f("pk_resolution_unit")),
    )
    op.create_index(op.f("ix_resolution_unit_unit_id"), "resolution_unit", ["unit_id"], unique=False)
    op.create_table(
        "verification",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(length=32), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("kind", sa.String(length=13), nullable=False),
        sa.Column("picked_by", sa.String(length=4), nullable=False),
        sa.Column("public_concern", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("why", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reported", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("seen", sa.Numeric(precision=9, scale=4), nullable=True),
        sa.Column("seen_on", sa.Date(), nullable=True),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("conclusion", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=11), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=True),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at is not null)", name=op.f("ck_verification_closed_has_a_moment")
        ),
        sa.CheckConstraint(
            "case when state = 'passed_over' or kind = 'heads_meeting' then case_id is null else case_id is not null end",
            name=op.f("ck_verification_is_worked_on_as_a_case"),
        ),
        sa.CheckConstraint(
            "kind in ('on_site','written','heads_meeting')", name=op.f("ck_verification_kind_is_known")
        ),
        sa.CheckConstraint("picked_by in ('rule','hand')", name=op.f("ck_verification_picked_by_is_known")),
        sa.CheckConstraint(
            "reason <> '' or (picked_by = 'rule' and state <> 'passed_over')",
            name=op.f("ck_verification_says_why_against_the_rule"),
        ),
        sa.CheckConstraint(
            "state in ('open','closed','passed_over')", name=op.f("ck_verification_state_is_known")
        ),
        sa.CheckConstraint("points >= 0", name=op.f("ck_verification_points_are_not_negative")),
        sa.CheckConstraint("seen between 0 and 100", name=op.f("ck_verification_seen_is_a_share")),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_verification_by_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_verification_case_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["register_entry.id"], name=op.f("fk_verification_entry_id")),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_verification_ruleset_revision_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification")),
        sa.UniqueConstraint("case_id", name=op.f("uq_verification_case_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_verification_public_id")),
    )
    op.create_index(op.f("ix_verification_entry_id"), "verification", ["entry_id"], unique=False)
    op.create_index(op.f("ix_verification_period"), "verification", ["period"], unique=False)
    op.create_index(
        "uq_verification_entry_id_period",
        "verification",
        ["entry_id", "period"],
        unique=True,
        postgresql_where=sa.text("state <> 'passed_over'"),
    )
    op.create_table(
        "verification_finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("verification_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("required", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done", sa.Text(), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "accepted_at is null or done <> ''", name=op.f("ck_verification_finding_accepted_after_a_report")
        ),
        sa.CheckConstraint(
            "finding <> '' and required <> ''", name=op.f("ck_verification_finding_says_what_to_do")
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_verification_finding_number_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_verification_finding_verification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_finding")),
        sa.UniqueConstraint(
            "verification_id", "number", name=op.f("uq_verification_finding_verification_id_number")
        ),
    )
    op.create_table(
        "meeting_item",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("meeting_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("verification_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("text <> ''", name=op.f("ck_meeting_item_says_something")),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["review_meeting.id"], name=op.f("fk_meeting_item_meeting_id")
        ),
        sa.ForeignKeyConstraint(
            ["verification_id"], ["verification.id"], name=op.f("fk_meeting_item_verification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_item")),
        sa.UniqueConstraint("meeting_id", "position", name=op.f("uq_meeting_item_meeting_id_position")),
        sa.UniqueConstraint("verification_id", name=op.f("uq_meeting_item_verification_id")),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
