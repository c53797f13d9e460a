"""From an empty database to an open counter: schema, definitions, and the demonstration county where wanted."""

from __future__ import annotations

import os

from webapp import create_app, demo, migrate
from webapp.extensions import db
from webapp.moments import utc_now
from webapp.permissions import SYSTEM
from webapp.services import publishing
from webapp.uow import unit_of_work


def prepare(database_url: str) -> None:
    """Migrates, syncs the definitions, and loads the demonstration county if DEMO is on and no county is there."""
    migrate.upgrade(database_url)
    app = create_app({"DATABASE_URL": database_url})
    with app.app_context():
        now = utc_now()
        with unit_of_work():
            done = publishing.sync(SYSTEM, now)
        print(f"  definitions: {len(done.published)} published, {done.unchanged} unchanged", flush=True)
        for conflict in done.conflicts:
            print(
                f"  kept the administrator's version of {conflict}; the file waits as a revision", flush=True
            )
        if app.config["DEMO"]:
            with unit_of_work():
                loaded = demo.load(app.config["SECRET_KEY"], now)
            print(f"  demonstration county: {'loaded' if loaded else 'already there'}", flush=True)
        db.engine.dispose()


def demo_logins() -> list[tuple[str, str, str]]:
    """Role, login and password of the demonstration accounts; none outside the demonstration."""
    if os.environ.get("DEMO", "0") != "1":
        return []
    return demo.logins(os.environ["SECRET_KEY"])
