"""What workflows of plan control cause, by the names that they use; and what their forms begin with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

import forms.answers
from forms.model import FormDefinition
from webapp.models import Case
from webapp.permissions import Actor
from webapp.queries import submissions
from webapp.services import plan_changes, plan_releases, plan_reports

EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    **plan_reports.EFFECTS,
    "propose_change": plan_changes.propose,
    "apply_change": plan_changes.apply,
    "propose_release": plan_releases.propose,
    "apply_release": plan_releases.apply,
    "ask_approver": plan_changes.ask_approver,
    "end_request": plan_changes.end,
}
#: by the form of a task: what is known before anybody filled it in
KNOWN: Mapping[str, Callable[[Case], dict[str, Any]]] = {
    plan_changes.FORM: plan_changes.known,
    plan_releases.FORM: plan_releases.known,
}


def begins_with(case: Case, form: FormDefinition) -> dict[str, list[str]]:
    """What is filled in again within the office starts with what was said last, or with what is known of it."""
    if case.channel != "internal":
        return {}
    sent = submissions.newest(case.id, form.key)
    if sent is not None:
        said = sent.all_answers
    else:
        said = KNOWN[form.key](case) if form.key in KNOWN else {}
    files = {field.key for field in form.file_fields}
    return {name: texts for name, texts in forms.answers.to_raw(form, said).items() if name not in files}
