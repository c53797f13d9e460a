"""Monthly reports that are opened for correction keep the case that first asked for them, and when they came"""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("progress_report", sa.Column("first_case_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "progress_report", sa.Column("first_reported_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_foreign_key(
        op.f("fk_progress_report_first_case_id"), "progress_report", "case", ["first_case_id"], ["id"]
    )
    op.create_unique_constraint(
        op.f("uq_progress_report_first_case_id"), "progress_report", ["first_case_id"]
    )
    op.create_check_constraint(
        op.f("ck_progress_report_corrected_by_another_case"),
        "progress_report",
        "first_case_id is null or (first_case_id <> case_id and first_reported_at is not null)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_progress_report_corrected_by_another_case"), "progress_report", type_="check")
    op.drop_column("progress_report", "first_reported_at")
    op.drop_column("progress_report", "first_case_id")
