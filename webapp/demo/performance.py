"""Two performance tables: that of 100, as it was published, and an invented one of this year that is being reported."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.services import score_import
from webapp.services.score_import import Source

HERE = Path(__file__).parent
#: the office of then is a section of today
PUBLISHED = Source(100, "AD-RES", "計畫室", "published")
INVENTED, INVENTED_UNIT = HERE / "performance_now.csv", "EC"


def load(now: datetime) -> None:
    table, annex = ((HERE / f"performance_100{what}.csv").read_bytes() for what in ("", "_annex"))
    score_import.take_in(SYSTEM, PUBLISHED, table, annex, now)
    invented = Source(taipei_day(now).year - 1911, INVENTED_UNIT, origin="demonstration")
    score_import.take_in(SYSTEM, invented, INVENTED.read_bytes(), None, now)
