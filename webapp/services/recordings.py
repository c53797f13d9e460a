"""Turning a real case into a recorded test: what was done and how it stood, without a word about anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import yaml
from sqlalchemy import select

import forms.answers
from rules.conditions import facts_of
from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, ClockMovement, Submission, Task
from webapp.moments import taipei_day
from webapp.queries import definitions, moves, tracking
from webapp.queries.org import calendar
from webapp.services import cases, clocks, evaluation, steps
from workflows import replay
from workflows.model import Transition, WorkflowDefinition
from workflows.paths import exits

#: overrides this long after the last due date are of no consequence
HORIZON = timedelta(days=60)
#: what an event made of the appointment
BOOKED: Mapping[str, str | None] = {
    "slot_waited": "waiting",
    "slot_held": "held",
    "slot_confirmed": "confirmed",
    "slot_released": None,
    "slot_attended": None,
    "slot_no_show": None,
}


def record(number: str) -> dict[str, Any]:
    """The recording of a case, as plain data. Refused if the definitions of the case do not reproduce it."""
    case = db.session.scalars(select(Case).where(Case.number == number)).one_or_none()
    if case is None:
        raise Refused(Text(zh=f"沒有案件 {number}", en=f"There is no case {number}."))
    ctx, clock = steps.context(case), clocks.of_case(case.id)
    facts = evaluation.facts_of(case, ctx.service, ctx.form, _plain_answers(case))
    days, until = calendar(case.handling_unit_id), max(clock.due_on, case.filed_on) + HORIZON
    said = {
        "service": case.service_code,
        "filed_on": clock.started_on,
        "off": [day for day in sorted(days.off) if case.filed_on <= day <= until],
        "work": [day for day in sorted(days.work) if case.filed_on <= day <= until],
        "facts": _read_by(ctx.workflow, facts, ("service.", "applicant.", "answers.", "case.channel")),
        "state": ctx.workflow.initial,
        "due": _due(clock.movements, clock.due_on, case.submitted_at),
        "acts": list(_acts(ctx, clock.movements, clock.due_on)),
    }
    kept = {name: value for name, value in said.items() if value not in (None, [], {})}
    if found := replay.replay(replay.Recording.model_validate(kept), ctx.workflow, ctx.service):
        raise Refused(
            Text(
                zh=f"這個案件有流程以外的經過，不能錄成測試：{found}",
                en=f"What happened in this case lies outside its workflow; it makes no test: {found.text.in_('en')}",
            )
        )
    return kept


def written(said: Mapping[str, Any]) -> str:
    """As a file of workflows/recordings holds it."""
    return yaml.dump(said, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=110)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """The same day twice is written twice."""
        return True


def _acts(ctx: steps.Context, movements: list[ClockMovement], due_on: date) -> Iterator[dict[str, Any]]:
    """Transitions, and between them what the office did to the clock, in the order in which they happened."""
    case, then = ctx.case, moves.of_case(ctx.case, ctx.workflow)
    taken = [
        (event, then.at(event.seq).states.get(event.from_state or "")) for event in tracking.events(case.id)
    ]
    transitions = [
        (event, action)
        for event, state in taken
        if state is not None and (action := state.transition(event.kind)) is not None
    ]
    by_workflow = {event.at for event, _ in transitions}
    booked = _booked(event for event, _ in taken) if "case.booking" in _asked(ctx.workflow) else {}
    happened: list[tuple[datetime, int, dict[str, Any], str]] = [
        (
            event.at,
            event.seq,
            _action(ctx, event, action, booked.get(event.seq)),
            then.present(event.to_state or "", event.seq),
        )
        for event, action in transitions
    ]
    for moved in movements:
        if moved.kind != "override" and moved.at not in by_workflow:
            states = [state for at, _, _, state in happened if at <= moved.at]
            alone = {"clock": moved.kind, "days": moved.days}
            happened.append((moved.at, 0, alone, states[-1] if states else ctx.workflow.initial))
    day = clocks.of_case(case.id).started_on
    for at, _, act, state in sorted(happened, key=lambda each: each[:2]):
        closed = ctx.workflow.state(state).outcome
        told = {
            "after": (taipei_day(at) - day).days,
            **act,
            "state": state,
            "due": _due(movements, due_on, at),
            "outcome": closed,
        }
        day = taipei_day(at)
        yield {name: value for name, value in told.items() if value not in (None, "", 0, [], {})}


def _booked(history: Iterable[CaseEvent]) -> dict[int, str | None]:
    """How the appointment stood at each event: the applicant chooses a slot without an action of the workflow."""
    found, present = {}, None
    for event in history:
        found[event.seq] = present
        present = BOOKED.get(event.kind, present)
    return found


def _action(ctx: steps.Context, event: CaseEvent, action: Transition, booked: str | None) -> dict[str, Any]:
    task = db.session.get(Task, event.task_id) if event.task_id is not None else None
    body = event.payload.body if event.payload is not None else {}
    given = {*action.requires, *(name for name in ("comment", "fields", "date") if body.get(name))}
    filled = None
    if task is not None and "form" in action.requires:
        filled = db.session.scalars(select(Submission).where(Submission.task_id == task.id)).first()
    return {
        "do": event.kind,
        "by": action.by if action.by != "task" else None,
        "task": task.key if task else None,
        "branch": task.branch if task else None,
        "function": task.function if task else None,
        "given": sorted(given),
        "form": filled.kind if filled else None,
        "facts": (_of_form(ctx.workflow, filled) if filled else {})
        | ({"case.booking": booked} if booked else {}),
    }


def _of_form(workflow: WorkflowDefinition, filled: Submission) -> dict[str, Any]:
    answers = forms.answers.facts(definitions.form(filled.form_revision_id), filled.answers)
    facts = {name.replace("answers.", "task.", 1): value for name, value in answers.items()}
    return _read_by(workflow, facts, ("task.",))


def _plain_answers(case: Case) -> dict[str, Any]:
    """Without what is about a person."""
    form = definitions.form(case.form_revision_id)
    return forms.answers.split_personal(form, cases.answers_of(case))[0]


def _read_by(
    workflow: WorkflowDefinition, facts: Mapping[str, object], kinds: tuple[str, ...]
) -> dict[str, Any]:
    """Only what the workflow asks for: nobody need read the rest of an application in a test."""
    asked = _asked(workflow)
    asked |= {
        action.outcome_from
        for state in workflow.states.values()
        for action in state.transitions.values()
        if action.outcome_from
    }
    known = {name: facts[name] for name in sorted(asked & facts.keys()) if name.startswith(kinds)}
    return {name: _simple(value) for name, value in known.items() if value is not None}


def _asked(workflow: WorkflowDefinition) -> set[str]:
    return {
        name
        for state in workflow.states.values()
        for way in exits(workflow, state)
        if way.when is not None
        for name in facts_of(way.when)
    }


def _simple(value: object) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return list(value) if isinstance(value, tuple) else value


def _due(movements: list[ClockMovement], due_on: date, at: datetime) -> date | None:
    """The due date at a moment; unknown before the calendar was changed, for a recording has one calendar."""
    if any(moved.kind == "override" and moved.at > at for moved in movements):
        return None
    before = [moved.due_after for moved in movements if moved.at <= at]
    return before[-1] if before else (movements[0].due_before if movements else due_on)
