"""What an officer has typed so far into the form of a task: kept until it is sent; a form that was sent back begins
with what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

import forms.answers
from forms.model import FormDefinition
from rules.values import Text
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import Case, Task, TaskDraft
from webapp.permissions import Actor
from webapp.queries import submissions
from webapp.queries.org import chart
from webapp.services import plan_changes, plan_proposals, plan_releases, plan_reports, verification_steps

Raw = Mapping[str, Sequence[str]]
#: answers that a new form begins with, by its key
STARTING: Mapping[str, Callable[[Case], dict[str, Any]]] = {
    plan_proposals.FORM: plan_proposals.starting,
    plan_changes.FORM: plan_changes.known,
    plan_releases.FORM: plan_releases.known,
    verification_steps.IMPROVEMENT: verification_steps.to_report,
    plan_reports.FORM: plan_reports.starting,
}
#: what they begin with holds what was sent before, as far as it is still asked for
ANEW = frozenset({verification_steps.IMPROVEMENT, plan_reports.FORM})


def version_of(task: Task) -> int:
    """Of what is kept; 0 while nothing is."""
    kept = _kept(task)
    return kept.version if kept is not None else 0


def begin(case: Case, task: Task, form: FormDefinition) -> dict[str, list[str]]:
    """The inputs of the page: what is kept, else what was sent before, else what the form starts with."""
    # also of an earlier task of the same work, which was closed before it was sent
    kept = db.session.scalars(_of_case(case.id, form.key).order_by(TaskDraft.task_id.desc()).limit(1)).first()
    if kept is not None:
        return dict(kept.raw)
    sent = submissions.newest(case.id, form.key) if form.key not in ANEW else None
    if sent is not None:
        answers = sent.all_answers
    else:
        start = STARTING.get(form.key)
        answers = start(case) if start is not None else {}
    files = {field.key for field in form.file_fields}
    return forms.answers.to_raw(form, {key: value for key, value in answers.items() if key not in files})


def keep(actor: Actor, task: Task, form: FormDefinition, raw: Raw, now: datetime, *, version: int) -> None:
    """As typed, valid or not. A page that is older than what is kept overwrites nothing, nor does one that was sent."""
    held = db.session.get_one(Task, task.id, with_for_update={"key_share": True}, populate_existing=True)
    if held.state != "open":
        who = chart().names.get(held.done_by_id or 0, "")
        raise Conflict(
            Text(
                zh=f"這份表單已由{who or '別的視窗'}送出或已經結束，您的內容還在下面，沒有存入。",
                en=f"{who or 'Another window'} has sent this form meanwhile, or it is not asked for any more. What you "
                "typed is below and was not stored.",
            )
        )
    _require_newest(task, version)
    kept = _kept(task)
    if kept is None:
        kept = TaskDraft(task_id=task.id, version=0)
        db.session.add(kept)
    kept.raw = forms.answers.keep(form, raw)
    kept.version, kept.saved_by_id, kept.saved_at = version + 1, actor.account_id, now
    db.session.flush()


def sent(case: Case, task: Task, *, version: int) -> None:
    """What is kept is done with. Conflict if somebody stored more of it since the page that was sent was made."""
    _require_newest(task, version)
    forget(case, task.form_key)


def forget(case: Case, form_key: str | None = None) -> None:
    """It was sent, or will never be: of one form, or of all of a case that ends."""
    for kept in db.session.scalars(_of_case(case.id, form_key)):
        db.session.delete(kept)
    db.session.flush()


def _require_newest(task: Task, version: int) -> None:
    kept = _kept(task)
    if version == (kept.version if kept is not None else 0):
        return
    who = chart().names.get(kept.saved_by_id or 0, "") if kept is not None else ""
    raise Conflict(
        Text(
            zh=f"{who or '別的視窗'}剛剛暫存過這份表單，您的內容還在下面，沒有存入；請重新開啟後再填，以免互相覆蓋。",
            en=f"{who or 'Another window'} has stored this form meanwhile. What you typed is below and was not "
            "stored: open the form again so that nothing is overwritten.",
        )
    )


def _of_case(case_id: int, form_key: str | None) -> Select[tuple[TaskDraft]]:
    found = select(TaskDraft).join(Task, Task.id == TaskDraft.task_id).where(Task.case_id == case_id)
    return found if form_key is None else found.where(Task.form_key == form_key)


def _kept(task: Task) -> TaskDraft | None:
    return db.session.scalars(
        select(TaskDraft).where(TaskDraft.task_id == task.id).execution_options(populate_existing=True)
    ).one_or_none()
