"""Confidential cases: only those who work on one, and the heads of its unit, may know of it"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("case", sa.Column("confidential", sa.Boolean(), server_default=sa.false(), nullable=False))
    # reports of corruption, the first service of the kind
    op.execute("UPDATE \"case\" SET confidential = true WHERE service_code = 'ET01'")


def downgrade() -> None:
    op.drop_column("case", "confidential")
