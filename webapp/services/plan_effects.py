"""Effects of the workflows of plan control, by name: which room carries out what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from webapp.models import Case
from webapp.permissions import Actor
from webapp.services import journeys, plan_grades, plan_reports

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    **plan_grades.EFFECTS,
    **journeys.EFFECTS,
}
