"""Effects of the workflows of plan control, and the rooms that carry them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from webapp.models import Case
from webapp.permissions import Actor
from webapp.services import plan_reports, resolution_steps, verification_steps

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    **verification_steps.EFFECTS,
    **resolution_steps.EFFECTS,
}
