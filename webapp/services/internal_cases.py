"""Cases that no citizen files: the counter or a unit opens them; inbox, clock, sending back and ladder are the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import forms.answers
from rules.values import roc_year
from webapp.extensions import db
from webapp.models import Case, Submission
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.rows import write_together
from webapp.services import clocks, evaluation, events, numbers, steps
from workflows import engine


def open_case(
    actor: Actor,
    code: str,
    answers: Mapping[str, Any],
    unit_id: int,
    start: date,
    now: datetime,
    *,
    period: int | None = None,
    way: str | None = None,
) -> Case:
    """A case of an internal service for a unit, its limit counted from `start`; `answers` say what it is about.

    Its tasks fall to whoever alone holds their function in the unit, or wait in the unit's pool.
    """
    today = taipei_day(now)
    revision = definitions.revision_id("service", code, today)
    service = definitions.service(revision)
    form_revision = definitions.revision_id("form", service.form, today)
    form = definitions.form(form_revision)
    case = Case(
        service_code=code,
        service_revision_id=revision,
        form_revision_id=form_revision,
        workflow_revision_id=definitions.revision_id("workflow", service.workflow, today),
        owner_unit_id=chart().by_code[service.owner].id,
        handling_unit_id=unit_id,
        channel="internal",
        filed_on=today,
        submitted_at=now,
        state="",
    )
    ctx = steps.Context(case, service, form, definitions.worded(case.workflow_revision_id, revision))
    facts = evaluation.facts_of(case, service, form, answers)
    step = engine.start(ctx.workflow, facts, service.parameters, way=way)
    kind, limit = service.period.kind, period or service.period.period
    case.state, case.visit = step.to_state, 1
    case.due_on = clocks.due_on(kind, limit, start, unit_id)
    db.session.add(case)
    db.session.flush()
    plain, personal = forms.answers.split_personal(form, dict(answers))
    db.session.add_all(
        [
            Submission(
                case_id=case.id,
                number=1,
                form_revision_id=form_revision,
                answers=plain,
                personal=personal,
                created_by_id=actor.account_id,
                created_at=now,
            ),
            clocks.started(case.id, kind, limit, start, case.due_on),
            events.first(actor, case, "opened", now),
        ]
    )
    tasks = steps.new_tasks(ctx, step, now)
    write_together(steps.task_clocks(step, tasks, write_together(tasks), now))
    # last, so that the counter row is held as short as possible
    case.number = f"{code}-{roc_year(today)}-{numbers.next_of(code, roc_year(today)):06d}"
    db.session.flush()
    return case
