"""The record of each deadline sweep: when, how long, and what it did. Its rungs point at it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from webapp.extensions import db
from webapp.models import SweepRun


def begin(now: datetime) -> int:
    run = SweepRun(started_at=now, checked_at=now)
    db.session.add(run)
    db.session.flush()
    return run.id


def end(run_id: int | None, now: datetime, milliseconds: int, counts: Mapping[str, int]) -> None:
    """Closes the record; a walk that found nothing to do only says on the last one that it looked."""
    if run_id is None:
        newest = select(func.max(SweepRun.id)).scalar_subquery()
        db.session.execute(update(SweepRun).where(SweepRun.id == newest).values(checked_at=now))
        return
    done = {name: counts[name] for name in ("clocks", "lapsed", "digests", "failed")}
    finished = now + timedelta(milliseconds=milliseconds)
    db.session.execute(
        update(SweepRun)
        .where(SweepRun.id == run_id)
        .values(finished_at=finished, checked_at=now, milliseconds=milliseconds, **done)
    )
