"""Alembic's entry: one connection, given by webapp.migrate or made from DATABASE_URL."""

from __future__ import annotations

import os

from alembic import context
from sqlalchemy import Connection, create_engine

import webapp.models  # noqa: F401  fills the metadata
from webapp.config import driver_url
from webapp.extensions import db
from webapp.models.types import Encrypted, Instant


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=db.metadata, include_name=_ours, render_item=_plain_type
    )
    with context.begin_transaction():
        context.run_migrations()


def _ours(name: str | None, kind: str, parents: object) -> bool:
    """The job engine's tables are its own."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def _plain_type(kind: str, item: object, autogen: object) -> str | bool:
    """Migrations name plain column types: they must not change when the application's types do."""
    if kind == "type" and isinstance(item, Encrypted):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    return False


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with create_engine(driver_url(os.environ["DATABASE_URL"])).begin() as own:
        run(own)
