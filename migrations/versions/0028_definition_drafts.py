"""Drafts of definitions; the text of a definition keeps the order in which it was written"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

LIVE = sa.text("state in ('editing', 'submitted')")


def upgrade() -> None:
    op.alter_column("revision", "body", type_=sa.JSON(), postgresql_using="body::json")
    op.create_table(
        "definition_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("base_revision_id", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("editor_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=True),
        sa.Column("submitted_by_id", sa.BigInteger(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision_id", sa.BigInteger(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind in ('form','workflow','ruleset','service')", name=op.f("ck_definition_draft_kind_is_known")
        ),
        sa.CheckConstraint(
            "state in ('editing','submitted','published','discarded')",
            name=op.f("ck_definition_draft_state_is_known"),
        ),
        sa.CheckConstraint(
            "state not in ('submitted','published') or (submitted_by_id is not null and submitted_at is not null"
            " and revision_id is not null and effective_from is not null and reason <> '')",
            name=op.f("ck_definition_draft_submitted_whole"),
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_definition_draft_{column}_{table}"))
            for column, table, target in (
                ("base_revision_id", "revision", "revision.id"),
                ("revision_id", "revision", "revision.id"),
                ("author_id", "account", "account.id"),
                ("changed_by_id", "account", "account.id"),
                ("submitted_by_id", "account", "account.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_definition_draft")),
    )
    op.create_index(
        "uq_definition_draft_live", "definition_draft", ["kind", "key"], unique=True, postgresql_where=LIVE
    )


def downgrade() -> None:
    op.drop_table("definition_draft")
    op.alter_column(
        "revision", "body", type_=postgresql.JSONB(astext_type=sa.Text()), postgresql_using="body::jsonb"
    )
