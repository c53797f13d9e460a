"""A case of plan control has until a day that was agreed on."""

from __future__ import annotations

from datetime import date, datetime

from webapp.models import Case
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.services import clocks


def until(actor: Actor, case: Case, day: date, now: datetime, reason: str) -> None:
    """Moves the limit to the day, also one that has passed; never to an earlier day."""
    clock = clocks.of_case(case.id)
    if clock.due_on < day:
        clocks.move(actor, case, clock, "until", now, days=(day - taipei_day(now)).days, reason=reason)
