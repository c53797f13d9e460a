"""What workflows of plan control cause, by the names that they use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from webapp.models import Case
from webapp.permissions import Actor
from webapp.services import (
    journeys,
    plan_changes,
    plan_grades,
    plan_proposals,
    plan_releases,
    plan_reports,
    resolution_steps,
    verification_steps,
)

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    **plan_proposals.EFFECTS,
    "propose_change": plan_changes.propose,
    "apply_change": plan_changes.apply,
    "propose_release": plan_releases.propose,
    "apply_release": plan_releases.apply,
    "ask_approver": plan_changes.ask_approver,
    "end_request": plan_changes.end,
    **plan_grades.EFFECTS,
    **verification_steps.EFFECTS,
    **resolution_steps.EFFECTS,
    **journeys.EFFECTS,
}
