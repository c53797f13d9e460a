"""Two people act at the same moment, each in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from flask import Flask
from sqlalchemy import text

from webapp.errors import DomainError
from webapp.extensions import db
from webapp.uow import unit_of_work

PATIENCE = 30


def at_once(app: Flask, first: Callable[[], None], second: Callable[[], None]) -> list[str]:
    """The second begins when the first has acted but not committed. Returns the words of refusal."""
    refused: list[str] = []
    acted = Event()

    def act_first() -> None:
        with app.app_context(), unit_of_work():
            first()
            acted.set()
            with db.engine.connect() as other:
                blocked = text("select count(*) from pg_locks where not granted")
                while follower.is_alive() and not other.execute(blocked).scalar_one():
                    other.rollback()

    def act_second() -> None:
        assert acted.wait(PATIENCE)
        with app.app_context():
            try:
                with unit_of_work():
                    second()
            except DomainError as refusal:
                refused.append(str(refusal))

    leader, follower = Thread(target=act_first), Thread(target=act_second)
    follower.start()
    leader.start()
    for thread in (leader, follower):
        thread.join(PATIENCE)
        assert not thread.is_alive()
    return refused
