"""What the deadline sweep did, who was told, opinions on late files; a clock that moved is looked at again.

A time limit may be decided twice on one day, when it moved in between: its explanations are kept one a look. An
escalation stays unique by (clock, period, rung).
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sweep_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("milliseconds", sa.Integer(), nullable=True),
        sa.Column("clocks", sa.Integer(), nullable=False),
        sa.Column("lapsed", sa.Integer(), nullable=False),
        sa.Column("digests", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "clocks >= 0 and lapsed >= 0 and digests >= 0 and failed >= 0",
            name=op.f("ck_sweep_run_counts_are_counts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_run")),
    )
    op.create_index(op.f("ix_sweep_run_started_at"), "sweep_run", ["started_at"], unique=False)
    op.add_column("escalation", sa.Column("sweep_run_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_escalation_sweep_run_id"), "escalation", "sweep_run", ["sweep_run_id"], ["id"]
    )
    op.create_index(op.f("ix_escalation_sweep_run_id"), "escalation", ["sweep_run_id"], unique=False)
    op.create_table(
        "escalation_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("escalation_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("told_on", sa.Date(), nullable=True),
        sa.Column("digest", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "told_on is not null or not digest", name=op.f("ck_escalation_notice_digest_has_a_day")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_escalation_notice_account_id")),
        sa.ForeignKeyConstraint(
            ["escalation_id"], ["escalation.id"], name=op.f("fk_escalation_notice_escalation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_notice")),
        sa.UniqueConstraint(
            "escalation_id", "account_id", name=op.f("uq_escalation_notice_escalation_id_account_id")
        ),
    )
    op.create_index("ix_escalation_notice_told", "escalation_notice", ["account_id", "told_on"], unique=False)
    op.create_index(
        "ix_escalation_notice_untold",
        "escalation_notice",
        ["account_id"],
        unique=False,
        postgresql_where=sa.text("told_on is null"),
    )
    op.create_table(
        "file_review",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("opinion", sa.LargeBinary(), nullable=False),
        sa.Column("written_by_id", sa.BigInteger(), nullable=False),
        sa.Column("acting_for_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["acting_for_id"], ["account.id"], name=op.f("fk_file_review_acting_for_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_file_review_case_id")),
        sa.ForeignKeyConstraint(["written_by_id"], ["account.id"], name=op.f("fk_file_review_written_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_review")),
    )
    op.create_index(op.f("ix_file_review_case_id"), "file_review", ["case_id"], unique=False)
    op.execute(
        "create trigger append_only before update or delete on file_review "
        "for each row execute function refuse_change()"
    )
    op.drop_constraint("uq_firing_evaluation", "firing", type_="unique")
    op.create_index(
        "uq_firing_evaluation",
        "firing",
        ["case_id", "ruleset_revision_id", "as_of"],
        unique=True,
        postgresql_where=sa.text("clock_id is null"),
    )
    op.create_index("ix_firing_case_id", "firing", ["case_id"], unique=False)
    op.execute(
        """
        create function look_again() returns trigger language plpgsql as $$
        begin
            new.swept_on = null;
            return new;
        end $$
        """
    )
    op.execute(
        """
        create trigger moved before update of due_on, period_number, state on clock for each row
        when ((old.due_on, old.period_number, old.state) is distinct from (new.due_on, new.period_number, new.state))
        execute function look_again()
        """
    )


def downgrade() -> None:
    op.execute("drop trigger moved on clock")
    op.execute("drop function look_again()")
    op.drop_index("ix_firing_case_id", table_name="firing")
    op.drop_index("uq_firing_evaluation", table_name="firing")
    op.create_unique_constraint(
        "uq_firing_evaluation",
        "firing",
        ["case_id", "ruleset_revision_id", "as_of", "clock_id"],
        postgresql_nulls_not_distinct=True,
    )
    op.drop_table("file_review")
    op.drop_table("escalation_notice")
    op.drop_index(op.f("ix_escalation_sweep_run_id"), table_name="escalation")
    op.drop_column("escalation", "sweep_run_id")
    op.drop_table("sweep_run")
