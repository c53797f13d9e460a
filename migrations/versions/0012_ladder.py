"""A deputy is told for whom; an event says what kind of actor made it; the overdue lists of each month.

What is asked (滿意度調查) and looked at (抽查) after a case is closed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
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
    op.add_column("case_event", sa.Column("actor_kind", sa.String(10), nullable=True))
    # what was not known before is filled in once; the digests do not cover it
    op.execute("alter table case_event disable trigger append_only")
    op.execute(
        """
        update case_event set actor_kind = coalesce(
            (select kind from account where account.id = case_event.actor_id),
            case when kind in ('submitted', 'resubmit', 'improved', 'withdraw', 'slot_held', 'slot_waited')
                then 'anonymous' else 'system' end
        )
        """
    )
    op.execute("alter table case_event enable trigger append_only")
    op.alter_column("case_event", "actor_kind", nullable=False)
    op.create_check_constraint(
        op.f("ck_case_event_actor_is_known"),
        "case_event",
        "actor_kind in ('anonymous','citizen','staff','system')",
    )
    op.create_check_constraint(
        op.f("ck_case_event_people_have_accounts"),
        "case_event",
        "(actor_kind in ('citizen','staff')) = (actor_id is not null)",
    )
    op.create_table(
        "overdue_list",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "extract(day from month) = 1", name=op.f("ck_overdue_list_month_is_its_first_day")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overdue_list")),
        sa.UniqueConstraint("month", name=op.f("uq_overdue_list_month")),
    )
    op.create_table(
        "overdue_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_overdue_line_case_id")),
        sa.ForeignKeyConstraint(["list_id"], ["overdue_list.id"], name=op.f("fk_overdue_line_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_overdue_line")),
    )
    op.create_index(op.f("ix_overdue_line_case_id"), "overdue_line", ["case_id"], unique=False)
    op.create_index(op.f("ix_overdue_line_list_id"), "overdue_line", ["list_id"], unique=False)
    for table in ("overdue_list", "overdue_line"):
        op.execute(
            f"create trigger append_only before update or delete on {table} "
            "for each row execute function refuse_change()"
        )
    op.create_table(
        "survey",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("grade between 1 and 5", name=op.f("ck_survey_grade_is_one_of_five")),
        sa.CheckConstraint(
            "(answered_at is null) = (grade is null)", name=op.f("ck_survey_answered_has_a_grade")
        ),
        sa.CheckConstraint(
            "answered_at is not null or comment is null", name=op.f("ck_survey_comment_is_of_an_answer")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_survey_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey")),
        sa.UniqueConstraint("case_id", name=op.f("uq_survey_case_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_survey_public_id")),
    )
    op.create_table(
        "sample_audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checked_by_id", sa.BigInteger(), nullable=True),
        sa.Column("acting_for_id", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.String(10), nullable=True),
        sa.Column("comment", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("percent between 1 and 100", name=op.f("ck_sample_audit_percent_is_one")),
        sa.CheckConstraint("result in ('passed','irregular')", name=op.f("ck_sample_audit_result_is_known")),
        sa.CheckConstraint(
            "(checked_at is null) = (result is null) and (checked_at is null) = (checked_by_id is null)",
            name=op.f("ck_sample_audit_checked_has_a_result"),
        ),
        sa.CheckConstraint("drawn or checked_at is null", name=op.f("ck_sample_audit_only_what_was_drawn")),
        sa.CheckConstraint(
            "result <> 'irregular' or comment is not null", name=op.f("ck_sample_audit_irregular_says_why")
        ),
        sa.ForeignKeyConstraint(
            ["acting_for_id"], ["account.id"], name=op.f("fk_sample_audit_acting_for_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_sample_audit_case_id")),
        sa.ForeignKeyConstraint(
            ["checked_by_id"], ["account.id"], name=op.f("fk_sample_audit_checked_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_audit")),
        sa.UniqueConstraint("case_id", name=op.f("uq_sample_audit_case_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_sample_audit_public_id")),
    )
    op.create_index(
        "ix_sample_audit_to_check",
        "sample_audit",
        ["id"],
        unique=False,
        postgresql_where=sa.text("drawn and checked_at is null"),
    )


def downgrade() -> None:
    op.drop_table("sample_audit")
    op.drop_table("survey")
    op.drop_table("overdue_line")
    op.drop_table("overdue_list")
    op.drop_column("case_event", "actor_kind")
    op.drop_column("escalation_notice", "acting_for_id")
