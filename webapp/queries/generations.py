"""Copies of slow-changing data (definitions, org chart, calendar) that are exactly as old as the session's snapshot.

The counters are read once a session; a process keeps one copy a name and reads it again only when its counter moved.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from webapp.extensions import db
from webapp.models import Generation

T = TypeVar("T")

_copies: dict[tuple[str, str], tuple[int, Any]] = {}
_lock = Lock()


def cached(name: str, load: Callable[[], T]) -> T:
    """The process's copy of `name`, loaded anew when its generation moved. Within a session it is always the same."""
    copies: dict[str, Any] = db.session.info.setdefault("copies", {})
    if name not in copies:
        copies[name] = _newest(name, load)
    return copies[name]


def _newest(name: str, load: Callable[[], T]) -> T:
    database = str(db.engine.url)
    current = _counters().get(name, 0)
    with _lock:
        held = _copies.get((database, name))
    if held is not None and held[0] == current:
        return held[1]
    value = load()
    if name not in db.session.info.get("bumped", ()):
        with _lock:
            _copies[database, name] = (current, value)
    return value


#: the counters as one value, for a statement that reads something else anyway
COUNTERS = select(func.json_object_agg(Generation.name, Generation.value)).scalar_subquery()


def prime(counters: dict[str, int] | None) -> None:
    """Takes counters that another statement of this session has read."""
    db.session.info.setdefault("generations", counters or {})


def bump(name: str) -> None:
    """Tells every process, at commit, that its copy of `name` is old."""
    statement = insert(Generation).values(name=name, value=1)
    db.session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": Generation.value + 1})
    )
    db.session.info.pop("generations", None)
    db.session.info.pop("copies", None)
    # what this session reads from here on may be rolled back: it is its own and never the process's
    db.session.info.setdefault("bumped", set()).add(name)


def _counters() -> dict[str, int]:
    counters: dict[str, int] | None = db.session.info.get("generations")
    if counters is None:
        rows = db.session.execute(select(Generation.__table__)).all()
        counters = db.session.info["generations"] = dict(rows)
    return counters
