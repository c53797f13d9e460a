"""Why somebody is away is encrypted: it may speak of their health or their family"""

import os
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from webapp import crypto

revision = "0025"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rewrite(sa.LargeBinary(), crypto.encrypt)


def downgrade() -> None:
    _rewrite(sa.String(200), lambda blob: crypto.decrypt(bytes(blob)))


def _rewrite(kind: sa.types.TypeEngine[Any], written: Callable[[Any], Any]) -> None:
    absence = sa.table(
        "absence", sa.column("id", sa.BigInteger()), sa.column("reason"), sa.column("rewritten", kind)
    )
    connection = op.get_bind()
    op.add_column("absence", sa.Column("rewritten", kind))
    if rows := connection.execute(sa.select(absence.c.id, absence.c.reason)).all():
        crypto.configure(os.environ["ECOUNTER_DATA_KEY"])
        connection.execute(
            sa.update(absence)
            .where(absence.c.id == sa.bindparam("row"))
            .values(rewritten=sa.bindparam("text")),
            [{"row": number, "text": written(reason)} for number, reason in rows],
        )
    op.drop_column("absence", "reason")
    op.alter_column("absence", "rewritten", new_column_name="reason", nullable=False)
