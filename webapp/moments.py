"""Taipei days. `now` is always an argument; only the edge of the program asks the real clock."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

TAIPEI = ZoneInfo("Asia/Taipei")


def utc_now() -> datetime:
    return datetime.now(UTC)


def taipei(moment: datetime) -> datetime:
    return moment.astimezone(TAIPEI)


def taipei_day(moment: datetime) -> date:
    return moment.astimezone(TAIPEI).date()
