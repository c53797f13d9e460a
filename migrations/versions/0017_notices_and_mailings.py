"""What officers have read of their notices; letters handed to the post office"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

POSTED = {
    "posted_by_post": "posted_on is null or channel = 'post'",
    "posted_after_it_was_issued": "posted_on is null or posted_on >= issued_on",
    "registered_when_posted": "registered_number is null or posted_on is not null",
}


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

    op.add_column("letter", sa.Column("posted_on", sa.Date(), nullable=True))
    op.add_column("letter", sa.Column("registered_number", sa.String(20), nullable=True))
    for name, condition in POSTED.items():
        op.create_check_constraint(op.f(f"ck_letter_{name}"), "letter", condition)


def downgrade() -> None:
    for name in POSTED:
        op.drop_constraint(op.f(f"ck_letter_{name}"), "letter")
    op.drop_column("letter", "registered_number")
    op.drop_column("letter", "posted_on")
    op.drop_table("notice_read")
    op.drop_index("ix_message_inbox", table_name="message")
