"""One mutating request, or one case in a job, is one unit of work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from webapp.extensions import db


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Commit on return, roll back on raise."""
    try:
        yield
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
