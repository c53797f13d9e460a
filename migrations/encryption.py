"""Texts that become encrypted: what the revisions that do so share."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from webapp import crypto


def encrypt(table: str, column: str) -> None:
    """A text that is never null."""
    _rewrite(table, column, sa.LargeBinary(), crypto.encrypt)


def decrypt(table: str, column: str, length: int) -> None:
    _rewrite(table, column, sa.String(length), lambda blob: crypto.decrypt(bytes(blob)))


def _rewrite(table: str, column: str, kind: sa.types.TypeEngine[Any], written: Callable[[Any], Any]) -> None:
    rows = sa.table(table, sa.column("id", sa.BigInteger()), sa.column(column), sa.column("rewritten", kind))
    connection = op.get_bind()
    op.add_column(table, sa.Column("rewritten", kind))
    if found := connection.execute(sa.select(rows.c.id, rows.c[column])).all():
        crypto.configure(os.environ["ECOUNTER_DATA_KEY"])
        connection.execute(
            sa.update(rows).where(rows.c.id == sa.bindparam("row")).values(rewritten=sa.bindparam("text")),
            [{"row": number, "text": written(text)} for number, text in found],
        )
    op.drop_column(table, column)
    op.alter_column(table, "rewritten", new_column_name=column, nullable=False)
