"""The effects of workflows that plan control carries out, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from webapp.models import Case
from webapp.permissions import Actor
from webapp.services import plan_proposals, plan_reports

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    **plan_proposals.EFFECTS,
}
