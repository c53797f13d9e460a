"""A resolution as its case brings it: reported, released or kept, as the ruleset directive_followup says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Resolution
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import submissions
from webapp.services import evaluation, later
from webapp.services.plan_progress import said

RULESET = "directive_followup"
FORM = "resolution_report"
AGREED = Text(zh="續管所定期限", en="the date set when it was kept")


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit reports."""
    resolution, sent = _of(case), submissions.newest(case.id, FORM)
    assert sent is not None, "the transition requires the form"
    resolution.done, resolution.reported_on = str(sent.all_answers["done"]), taipei_day(now)


def release(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """解除列管: the control office finds it done."""
    resolution = _of(case)
    _decide(resolution, now, done=True)
    resolution.released_on = taipei_day(now)


def go_on(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """續管 until a day, for the next meeting."""
    assert on_date is not None, "the transition requires the date"
    if on_date <= taipei_day(now):
        raise Refused(Text(zh="續管期限須在今天之後。", en="The new date lies after today."))
    resolution = _of(case)
    _decide(resolution, now, done=False)
    resolution.due_on = on_date
    later.until(actor, case, on_date, now, AGREED.zh)


#: effects of workflows that this room carries out
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_resolution": keep,
    "release_resolution": release,
    "continue_resolution": go_on,
}


def _of(case: Case) -> Resolution:
    return db.session.scalars(select(Resolution).where(Resolution.case_id == case.id)).one()


def _decide(resolution: Resolution, now: datetime, *, done: bool) -> None:
    facts = {
        "directive.due_given": resolution.due_given,
        "directive.done": done,
        "directive.long_term": not done,
    }
    decision, revision = evaluation.decide(RULESET, facts, taipei_day(now))
    resolution.state, resolution.ruleset_revision_id = said(decision, "set_control"), revision
