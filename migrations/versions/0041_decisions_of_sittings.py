"""What a sitting decided of a proposal is a record of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "proposal_decision",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("sitting_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("decision", sa.String(length=7), nullable=False),
        sa.Column("amount", sa.Numeric(precision=14, scale=0), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "decision in ('kept','amended','dropped')", name=op.f("ck_proposal_decision_decision_is_known")
        ),
        sa.CheckConstraint("decision = 'kept' or words <> ''", name=op.f("ck_proposal_decision_says_why")),
        sa.CheckConstraint(
            "(decision = 'dropped') = (amount is null) and amount > 0",
            name=op.f("ck_proposal_decision_keeps_money_unless_dropped"),
        ),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_proposal_decision_by_id")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_proposal_decision_proposal_id")
        ),
        sa.ForeignKeyConstraint(
            ["sitting_id"], ["proposal_sitting.id"], name=op.f("fk_proposal_decision_sitting_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal_decision")),
        sa.UniqueConstraint(
            "proposal_id", "sitting_id", name=op.f("uq_proposal_decision_proposal_id_sitting_id")
        ),
    )
    op.create_index(
        op.f("ix_proposal_decision_sitting_id"), "proposal_decision", ["sitting_id"], unique=False
    )
    op.execute(
        """
        insert into proposal_decision (proposal_id, sitting_id, title, decision, amount, words, by_id, at)
        select id, sitting_id, title, decision,
            case when decision <> 'dropped' then coalesce(kept_amount, budget) end, words, decided_by_id, decided_at
        from proposal where decision is not null order by id
        """
    )
    op.execute(
        "create trigger append_only before update or delete on proposal_decision "
        "for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("proposal_decision")
