"""Plain inserts for the hot path: the unit of work of the ORM costs as much again as the rows that it writes.

A row written here is in the database at once and is no object of the session. Each travels as one JSON record, so that
a statement has as many parameters as rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, any_, inspect, literal
from sqlalchemy.dialects.postgresql import ARRAY

from webapp import crypto
from webapp.extensions import Base, db
from webapp.models.types import Encrypted


@dataclass(frozen=True)
class Beside:
    """What the statement does beside the inserts: SQL of our own, with parameters as the driver names them."""

    #: statements by name; the others may read what they return
    parts: tuple[tuple[str, str], ...]
    #: columns that the database fills in: (table, column, expression); `record` is the row as it was handed in
    columns: tuple[tuple[str, str, str], ...]
    #: expressions to return after the keys
    results: tuple[str, ...]


def write_together(rows: Sequence[Base], beside: Beside | None = None, **values: Any) -> list[Any]:
    """Inserts new objects of any classes in one statement, one round trip. Returns their primary keys in order.

    Foreign keys are looked at when all of them are there. `values` are the parameters of `beside`.
    """
    if not rows:
        return []
    records = [_record(row) for row in rows]
    shape = tuple((type(row), tuple(record)) for row, record in zip(rows, records, strict=True))
    values |= {f"row_{n}": json.dumps(record, default=_plain) for n, record in enumerate(records)}
    return list(db.session.connection().exec_driver_sql(_statement(shape, beside), values).one())


def _record(row: Base) -> dict[str, Any]:
    """The attributes that were set, and the defaults of the columns that were not."""
    record = {name: value for name, value in row.__dict__.items() if name[0] != "_"}
    for name, default, encrypted in _columns(type(row)):
        if name not in record and default is not None:
            record[name] = default.arg(None) if default.is_callable else default.arg
        if encrypted and record.get(name) is not None:
            record[name] = crypto.encrypt(record[name])
    return record


def _plain(value: object) -> str:
    """As PostgreSQL reads it out of a JSON record."""
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no column takes a {type(value).__name__}")


@cache
def _columns(model: type[Base]) -> list[tuple[str, Any, bool]]:
    """Name, default and whether it is encrypted, of the columns where one of the two is of interest."""
    columns = [(c.name, c.default, isinstance(c.type, Encrypted)) for c in inspect(model).local_table.columns]
    return [column for column in columns if column[1] is not None or column[2]]


@lru_cache(maxsize=256)
def _statement(shape: tuple[tuple[type[Base], tuple[str, ...]], ...], beside: Beside | None) -> str:
    parts = [f"{name} as ({statement})" for name, statement in (beside.parts if beside else ())]
    keys = []
    for n, (model, names) in enumerate(shape):
        table = inspect(model).local_table
        columns = {f'"{name}"': f'record."{name}"' for name in names}
        columns |= {
            f'"{c}"': sql for owner, c, sql in (beside.columns if beside else ()) if owner == table.name
        }
        record = f'jsonb_populate_record(cast(null as "{table.name}"), cast(%(row_{n})s as jsonb)) as record'
        # names of our own tables and columns, never of a user
        insert = f'insert into "{table.name}" ({", ".join(columns)}) select {", ".join(columns.values())}'
        key = next(iter(table.primary_key.columns)).name
        parts.append(f"row_{n} as ({insert} from {record} returning {key} as key)")
        keys.append(f"(select key from row_{n})")  # noqa: S608  n counts the rows
    return f"with {', '.join(parts)} select {', '.join([*keys, *(beside.results if beside else ())])}"


def write(row: Base) -> Any:
    """Inserts one new object and returns its primary key."""
    return write_together([row])[0]


def among(column: Any, values: Sequence[int]) -> ColumnElement[bool]:
    """`column in (…)` with one parameter, however many values: a statement of five hundred is slow to prepare."""
    return column == any_(literal(list(values), ARRAY(BigInteger)))
