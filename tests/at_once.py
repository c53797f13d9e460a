"""Two people act at the same moment, each in a transaction of their own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread, current_thread
from types import ModuleType
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from webapp.errors import DomainError
from webapp.extensions import db
from webapp.uow import unit_of_work

PATIENCE = 30


def at_once(
    app: Flask,
    first: Callable[[], None],
    second: Callable[[], None],
    midway: tuple[ModuleType, str] | None = None,
) -> list[str]:
    """The second begins when the first has acted but not committed; `midway`: when it comes to that function, which is
    where two that hold the same rows in different orders would wait for each other. Returns the words of refusal.
    """
    refused: list[str] = []
    acted = Event()

    def let_the_second_in() -> None:
        acted.set()
        with db.engine.connect() as other:
            blocked = text("select count(*) from pg_locks where not granted")
            while follower.is_alive() and not other.execute(blocked).scalar_one():
                other.rollback()

    def act_first() -> None:
        with app.app_context(), unit_of_work(), pytest.MonkeyPatch.context() as patch:
            if midway is not None:
                go_on = getattr(*midway)

                def stopped(*given: Any, **more: Any) -> Any:
                    if current_thread() is leader:
                        let_the_second_in()
                    return go_on(*given, **more)

                patch.setattr(*midway, stopped)
            first()
            if midway is None:
                let_the_second_in()

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
