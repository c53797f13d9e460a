"""Actions on a case that no workflow repeats: an opinion that the officer asks for; one absence a day."""

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
    op.execute(
        "alter table absence add constraint ex_absence_once_a_day exclude using gist "
        "(int8range(account_id, account_id, '[]') with &&, daterange(starts_on, ends_on, '[]') with &&)"
    )


def downgrade() -> None:
    op.execute("alter table absence drop constraint ex_absence_once_a_day")
    op.drop_constraint(op.f("ck_task_question_is_of_the_case"), "task")
    op.drop_column("task", "question")
