"""What workflows of plan control cause, by the names that they use; and what their forms begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from webapp.models import Case
from webapp.permissions import Actor
from webapp.services import (
    plan_changes,
    plan_grades,
    plan_releases,
    plan_reports,
    resolution_steps,
    verification_steps,
)

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    "propose_change": plan_changes.propose,
    "apply_change": plan_changes.apply,
    "propose_release": plan_releases.propose,
    "apply_release": plan_releases.apply,
    "ask_approver": plan_changes.ask_approver,
    "end_request": plan_changes.end,
    **plan_grades.EFFECTS,
    **verification_steps.EFFECTS,
    **resolution_steps.EFFECTS,
}
#: by the form of a task: what is known before anybody filled it in
KNOWN: Mapping[str, Callable[[Case], dict[str, Any]]] = {
    plan_changes.FORM: plan_changes.known,
    plan_releases.FORM: plan_releases.known,
}


def known(case: Case, form: str) -> dict[str, Any]:
    return KNOWN[form](case) if form in KNOWN else {}
