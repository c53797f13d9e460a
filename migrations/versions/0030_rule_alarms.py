"""Trouble with rules is kept: what the engine said, and what the reference"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("ruleset_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("facts_digest", sa.String(length=64), nullable=False),
        sa.Column("engine_said", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "reference_said", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.CheckConstraint(
            "kind in ('difference','fault','not_unique')", name=op.f("ck_rule_alarm_kind_is_known")
        ),
        sa.ForeignKeyConstraint(
            ["ruleset_revision_id"], ["revision.id"], name=op.f("fk_rule_alarm_ruleset_revision_id_revision")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_alarm")),
        sa.UniqueConstraint(
            "ruleset_revision_id",
            "kind",
            "as_of",
            "facts_digest",
            name=op.f("uq_rule_alarm_ruleset_revision_id_kind_as_of_facts_digest"),
        ),
    )


def downgrade() -> None:
    op.drop_table("rule_alarm")
