"""Actions on a case that no workflow repeats: an opinion that the officer asks for."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("task", sa.Column("question", sa.LargeBinary(), nullable=True))
    op.create_check_constraint(
        op.f("ck_task_question_is_of_the_case"), "task", "(visit = 0) = (question is not null)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_task_question_is_of_the_case"), "task")
    op.drop_column("task", "question")
