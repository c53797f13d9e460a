"""Why a clock moved is encrypted, as the requests are that it comes from"""

import os
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from webapp import crypto

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _rewrite(sa.LargeBinary(), crypto.encrypt)


def downgrade() -> None:
    _rewrite(sa.String(200), lambda blob: crypto.decrypt(bytes(blob)))


def _rewrite(kind: sa.types.TypeEngine[Any], written: Callable[[Any], Any]) -> None:
    movement = sa.table(
        "clock_movement", sa.column("id", sa.BigInteger()), sa.column("reason"), sa.column("rewritten", kind)
    )
    connection = op.get_bind()
    op.add_column("clock_movement", sa.Column("rewritten", kind))
    if rows := connection.execute(sa.select(movement.c.id, movement.c.reason)).all():
        crypto.configure(os.environ["ECOUNTER_DATA_KEY"])
        connection.execute(
            sa.update(movement)
            .where(movement.c.id == sa.bindparam("row"))
            .values(rewritten=sa.bindparam("text")),
            [{"row": number, "text": written(reason)} for number, reason in rows],
        )
    op.drop_column("clock_movement", "reason")
    op.alter_column("clock_movement", "rewritten", new_column_name="reason", nullable=False)
