"""Milestones of a plan: what is to be reached by the end of a month, and the report that said when it was"""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_milestone",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=120), nullable=False),
        sa.Column("due_month", sa.Date(), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=True),
        sa.Column("report_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "extract(day from due_month) = 1", name=op.f("ck_plan_milestone_due_month_is_a_first_day")
        ),
        sa.CheckConstraint("ordinal >= 1 and what <> ''", name=op.f("ck_plan_milestone_says_what")),
        sa.CheckConstraint(
            "(reached_on is null) = (report_id is null)", name=op.f("ck_plan_milestone_reached_as_reported")
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_milestone_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["report_id"], ["progress_report.id"], name=op.f("fk_plan_milestone_report_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_milestone")),
        sa.UniqueConstraint("plan_id", "ordinal", name=op.f("uq_plan_milestone_plan_id_ordinal")),
        sa.UniqueConstraint(
            "plan_id", "what", "due_month", name=op.f("uq_plan_milestone_plan_id_what_due_month")
        ),
    )


def downgrade() -> None:
    op.drop_table("plan_milestone")
