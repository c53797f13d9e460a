"""Actions on a case that no workflow repeats: an opinion that the officer asks for; one absence a day;
a case that is merged into another.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
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
    op.add_column(
        "case",
        sa.Column(
            "merged_into_id", sa.BigInteger(), sa.ForeignKey("case.id", name=op.f("fk_case_merged_into_id"))
        ),
    )
    op.create_index(op.f("ix_case_merged_into_id"), "case", ["merged_into_id"])
    op.create_check_constraint(
        op.f("ck_case_merged_has_leading"),
        "case",
        "(coalesce(outcome, '') = 'merged') = (merged_into_id is not null)",
    )
    op.create_check_constraint(op.f("ck_case_leading_is_another"), "case", "merged_into_id <> id")
    op.execute(
        """
        create function refuse_closed_leading_case() returns trigger language plpgsql as $$
        begin
            perform from "case" where id = new.merged_into_id and status = 'open'
                and service_code = new.service_code for no key update;
            if not found then
                raise exception 'a case is merged into an open one of its service'
                    using errcode = 'check_violation', constraint = 'leading_case_is_open';
            end if;
            return new;
        end $$
        """
    )
    op.execute(
        'create trigger leading_case_is_open before insert or update of merged_into_id on "case" for each row '
        "when (new.merged_into_id is not null) execute function refuse_closed_leading_case()"
    )


def downgrade() -> None:
    op.execute('drop trigger leading_case_is_open on "case"')
    op.execute("drop function refuse_closed_leading_case()")
    op.drop_column("case", "merged_into_id")
    op.execute("alter table absence drop constraint ex_absence_once_a_day")
    op.drop_constraint(op.f("ck_task_question_is_of_the_case"), "task")
    op.drop_column("task", "question")
