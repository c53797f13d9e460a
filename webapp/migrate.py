"""Brings a database to the newest schema. Several starts at once wait for one another."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import migrations
from webapp.config import driver_url

#: any constant: the advisory lock that one migration holds
LOCK = 115_11_22


def config() -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return settings


def upgrade(database_url: str, target: str = "head") -> None:
    engine = create_engine(driver_url(database_url))
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": LOCK})
            settings = config()
            settings.attributes["connection"] = connection
            command.upgrade(settings, target)
    finally:
        engine.dispose()
