"""A running case that goes on under another revision leaves a row: under which one it was before."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_move",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("from_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("to_revision_id", sa.BigInteger(), nullable=False),
        sa.Column("states", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_case_move_case_id_case")),
        sa.ForeignKeyConstraint(
            ["from_revision_id"], ["revision.id"], name=op.f("fk_case_move_from_revision_id_revision")
        ),
        sa.ForeignKeyConstraint(
            ["to_revision_id"], ["revision.id"], name=op.f("fk_case_move_to_revision_id_revision")
        ),
        sa.CheckConstraint("from_revision_id <> to_revision_id", name=op.f("ck_case_move_moves")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_move")),
        sa.UniqueConstraint("case_id", "seq", name=op.f("uq_case_move_case_id_seq")),
    )
    op.execute(
        "create trigger append_only before update or delete on case_move "
        "for each row execute function refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("case_move")
