"""A refund says in whose place a deputy proposed or decided it; neither of the two who proposed it decides."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0012"
branch_labels = None
depends_on = None

PEOPLE = ("proposed_for_id", "decided_for_id")
ANOTHER = op.f("ck_refund_decided_by_another")


def upgrade() -> None:
    for column in PEOPLE:
        op.add_column("refund", sa.Column(column, sa.BigInteger(), nullable=True))
        op.create_foreign_key(op.f(f"fk_refund_{column}_account"), "refund", "account", [column], ["id"])
    op.drop_constraint(ANOTHER, "refund")
    op.create_check_constraint(
        ANOTHER,
        "refund",
        "decided_by_id <> proposed_by_id and decided_by_id <> proposed_for_id "
        "and decided_for_id <> proposed_by_id and decided_for_id <> proposed_for_id",
    )
    for verb in ("proposed", "decided"):
        op.create_check_constraint(
            op.f(f"ck_refund_{verb}_for_another"),
            "refund",
            f"{verb}_for_id is null or ({verb}_by_id is not null and {verb}_for_id <> {verb}_by_id)",
        )


def downgrade() -> None:
    for verb in ("proposed", "decided"):
        op.drop_constraint(op.f(f"ck_refund_{verb}_for_another"), "refund")
    op.drop_constraint(ANOTHER, "refund")
    op.create_check_constraint(ANOTHER, "refund", "decided_by_id <> proposed_by_id")
    for column in PEOPLE:
        op.drop_column("refund", column)
