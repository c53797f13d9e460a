"""From an empty database to an open counter: schema, definitions, and the demonstration county where wanted."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from webapp import create_app, demo, migrate
from webapp.extensions import db
from webapp.moments import taipei_day, utc_now
from webapp.permissions import SYSTEM
from webapp.queries import definitions
from webapp.queries.org import chart
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
        with unit_of_work():
            unknown = strangers(now)
        for code, unit in unknown:
            print(f"  {code}: {unit} is not in the org chart; its owner handles it", flush=True)
        db.engine.dispose()


def strangers(now: datetime) -> list[tuple[str, str]]:
    """Services in force and the handling unit that they name, where the org chart has no unit of that name."""
    known = chart().by_name
    return [
        (service.code, service.handling_unit.zh)
        for service in definitions.current_services(taipei_day(now))
        if service.handling_unit.zh not in known
    ]


def demo_logins() -> list[tuple[str, str, str]]:
    """Role, login and password of the demonstration accounts; none outside the demonstration."""
    if os.environ.get("DEMO", "0") != "1":
        return []
    return demo.logins(os.environ["SECRET_KEY"])


def list_demo_people(path: Path) -> None:
    """Writes who works in the demonstration county: login, name, unit and position."""
    lines = [f"{login:<44}{name}\t{seats}\n" for login, name, seats in demo.directory()]
    path.write_text("".join(lines), encoding="utf-8")
