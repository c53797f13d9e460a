"""A publication says why, an audit entry what was said, a draft which publication its author knew"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("publication", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.alter_column("publication", "reason", server_default=None)
    op.add_column("audit_entry", sa.Column("detail", sa.Text(), nullable=False, server_default=""))
    op.alter_column("audit_entry", "detail", server_default=None)
    op.add_column("definition_draft", sa.Column("known_publication_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_definition_draft_known_publication_id_publication"),
        "definition_draft",
        "publication",
        ["known_publication_id"],
        ["id"],
    )


def downgrade() -> None:
    op.drop_column("definition_draft", "known_publication_id")
    op.drop_column("audit_entry", "detail")
    op.drop_column("publication", "reason")
