"""A deputy is told for whom; an event says what kind of actor made it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("escalation_notice", sa.Column("acting_for_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_escalation_notice_acting_for_id"),
        "escalation_notice",
        "account",
        ["acting_for_id"],
        ["id"],
    )
    op.create_check_constraint(
        op.f("ck_escalation_notice_acts_for_another"), "escalation_notice", "acting_for_id <> account_id"
    )


def downgrade() -> None:
    op.drop_column("escalation_notice", "acting_for_id")
