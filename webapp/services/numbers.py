"""Numbers without gaps, one row a name and ROC year: of cases and of letters."""

from __future__ import annotations

from sqlalchemy import text

from webapp.extensions import db


def next_of(name: str, year: int) -> int:
    """The next number; the row stays locked until the commit, so it is taken last."""
    return db.session.execute(
        text(
            "insert into counter (name, year, value) values (:name, :year, 1) "
            "on conflict (name, year) do update set value = counter.value + 1 returning value"
        ),
        {"name": name, "year": year},
    ).scalar_one()
