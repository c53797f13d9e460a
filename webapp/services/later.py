"""A case of plan control has until a day that was agreed on."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from rules.values import Text
from webapp.errors import Refused
from webapp.models import Case
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.services import clocks

#: a later day is a slip of the pen
LONGEST = timedelta(days=3650)


def until(actor: Actor, case: Case, day: date, now: datetime, reason: str) -> None:
    """The limit is counted anew from today, and ends on that day: earlier or later than it did."""
    today = taipei_day(now)
    if not today <= day <= today + LONGEST:
        raise Refused(
            Text(
                zh="期限須在今天以後、十年以內，請確認年份。",
                en="It lies from today on, within ten years: check the year.",
            )
        )
    clock = clocks.of_case(case.id)
    if clock.due_on != day:
        clocks.move(actor, case, clock, "restart", now, days=(day - today).days, reason=reason)
