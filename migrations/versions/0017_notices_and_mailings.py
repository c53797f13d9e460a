"""What officers have read of their notices; letters handed to the post office"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_message_inbox",
        "message",
        ["account_id", "id"],
        unique=False,
        postgresql_where=sa.text("channel = 'inbox'"),
    )
    op.create_table(
        "notice_read",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notice_read_account_id")),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_notice_read_message_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "message_id", name=op.f("pk_notice_read")),
    )
    op.create_index(op.f("ix_notice_read_message_id"), "notice_read", ["message_id"], unique=False)


def downgrade() -> None:
    op.drop_table("notice_read")
    op.drop_index("ix_message_inbox", table_name="message")
