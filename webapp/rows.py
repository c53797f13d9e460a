"""Plain inserts for the hot path: the unit of work of the ORM costs as much again as the rows that it writes.

A row written here is in the database at once and is no object of the session. Write parents first.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, inspect, select

from webapp.extensions import Base, db


def write(row: Base) -> Any:
    """Inserts one new object and returns its primary key."""
    return write_together([row])[0]


def write_together(rows: Sequence[Base]) -> list[Any]:
    """Inserts new objects of any classes in one statement, one round trip. Returns their primary keys in order.

    None may refer to another of them: a key is known only afterwards.
    """
    if not rows:
        return []
    given = [_values(row) for row in rows]
    shape = tuple((type(row), tuple(values)) for row, values in zip(rows, given, strict=True))
    parameters = {f"{name}_{n}": value for n, values in enumerate(given) for name, value in values.items()}
    return list(db.session.execute(_statement(shape), parameters).one())


def _values(row: Base) -> dict[str, Any]:
    """The attributes that were set, and the defaults of the columns that were not."""
    values = {name: value for name, value in row.__dict__.items() if name[0] != "_"}
    for name, default in _defaults(type(row)):
        if name not in values:
            values[name] = default.arg(None) if default.is_callable else default.arg
    return values


@cache
def _defaults(model: type[Base]) -> list[tuple[str, Any]]:
    columns = inspect(model).local_table.columns
    return [(column.name, column.default) for column in columns if column.default is not None]


@lru_cache(maxsize=256)
def _statement(shape: tuple[tuple[type[Base], tuple[str, ...]], ...]) -> Select[Any]:
    inserts = []
    for n, (model, names) in enumerate(shape):
        table = inspect(model).local_table
        values = {name: bindparam(f"{name}_{n}", type_=table.c[name].type) for name in names}
        key = next(iter(table.primary_key.columns))
        inserts.append(table.insert().values(values).returning(key.label("key")).cte(f"row_{n}"))
    return select(*(select(row.c.key).scalar_subquery() for row in inserts))
