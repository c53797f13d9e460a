"""The engine: (definition, snapshot, action) → step. It knows no database, no clock and no person."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from rules.conditions import as_list, holds
from rules.values import Text
from workflows.functions import FUNCTION_LABELS
from workflows.model import (
    Actor,
    Joined,
    NewTask,
    Period,
    State,
    Step,
    TaskTemplate,
    Transition,
    WorkflowDefinition,
)

START = "start"


# --- what goes in ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenTask:
    id: int
    key: str
    #: the unit code of a parallel branch, else empty
    branch: str
    state: Literal["open", "done", "cancelled"]
    outcome: str | None
    function: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A case as the engine sees it."""

    state: str
    #: the tasks of the present visit of the state
    tasks: tuple[OpenTask, ...]
    facts: Mapping[str, object]
    #: the parameters of the service, which change those of the workflow
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    by: Actor
    task_id: int | None
    #: the functions that the actor may act in for this task
    functions: frozenset[str]
    #: which of comment, fields, form and date were supplied
    given: frozenset[str]


# --- what may go wrong -----------------------------------------------------------------------------------


class WorkflowError(ValueError):
    """The action cannot be taken; `.text` says why."""

    def __init__(self, zh: str, en: str) -> None:
        self.text = Text(zh=zh, en=en)
        super().__init__(zh)


class UnknownTransition(WorkflowError):
    pass


class GuardFailed(WorkflowError):
    pass


class TaskNotOpen(WorkflowError):
    pass


class Missing(WorkflowError):
    """Something that the action requires was not supplied; `.name` is the requirement."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(*_REQUIRED[name])


_REQUIRED: Mapping[str, tuple[str, str]] = {
    "comment": ("請寫明理由", "Give a reason."),
    "fields": ("請勾選要補正的項目", "Choose the fields to be corrected."),
    "form": ("請填寫表單", "Fill in the form."),
    "date": ("請填寫日期", "Give a date."),
}


# --- the engine ------------------------------------------------------------------------------------------


def start(
    definition: WorkflowDefinition,
    facts: Mapping[str, object],
    params: Mapping[str, object],
    *,
    way: str | None = None,
) -> Step:
    """The step into the initial state. It is the same state whatever the facts are.

    `way`: an action of the system there which the case takes as it opens; it begins where that leads.
    """
    state = definition.states[definition.initial]
    if way is not None:
        state = definition.states[state.transitions[way].to or state.key]
    return Step(
        transition=START,
        from_state=None,
        to_state=state.key,
        moved=True,
        finish=(),
        cancel=(),
        open=tuple(_new_tasks(state, {**definition.parameters, **params})),
        effects=(),
        proposal=None,
        carried=False,
        closed=state.kind == "closed",
        outcome=state.outcome,
    )


def take(definition: WorkflowDefinition, snapshot: Snapshot, action: Action) -> Step:
    """The step that an action makes; WorkflowError when it cannot be taken."""
    state, params = definition.states[snapshot.state], {**definition.parameters, **snapshot.params}
    transition = state.transitions.get(action.name)
    if transition is None or transition.by != action.by:
        raise UnknownTransition(
            f"案件現在是「{state.label}」，不能做這個動作，可能已有人先處理",
            f"The case is now “{state.label.in_('en')}”, where this cannot be done.",
        )
    task = _task_of(snapshot, transition, action)
    facts = _facts(definition, snapshot, snapshot.tasks)
    _check_guards(transition, action, facts, params)
    for name in transition.requires:
        if name not in action.given:
            raise Missing(name)

    outcome = _outcome(transition, facts)
    tasks = tuple(replace(t, state="done", outcome=outcome) if t is task else t for t in snapshot.tasks)
    target, effects = transition.to, transition.effects
    if transition.completes:
        joined = _joined(state, tasks, _facts(definition, snapshot, tasks), params)
        target = joined.to if joined else None
        effects += joined.effects if joined else ()
    entered = definition.states[target] if target else None
    return Step(
        transition=action.name,
        from_state=state.key,
        to_state=entered.key if entered else state.key,
        moved=entered is not None,
        finish=((task.id, outcome),) if task else (),
        cancel=tuple(t.id for t in tasks if t.state == "open") if entered else (),
        open=tuple(_new_tasks(entered, params)) if entered else (),
        effects=effects,
        proposal=transition.proposes,
        carried=transition.carries,
        closed=entered is not None and entered.kind == "closed",
        outcome=entered.outcome if entered else None,
    )


def allowed(
    definition: WorkflowDefinition,
    snapshot: Snapshot,
    by: Actor,
    functions: frozenset[str],
    task_id: int | None = None,
) -> list[Transition]:
    """The actions that may be offered now, in the order of the definition: which buttons show."""
    params, facts = {**definition.parameters, **snapshot.params}, _facts(definition, snapshot, snapshot.tasks)
    mine = {t.key for t in snapshot.tasks if t.state == "open" and task_id in (None, t.id)}
    return [
        transition
        for transition in definition.states[snapshot.state].transitions.values()
        if transition.by == by
        and (by != "task" or (transition.task in mine and functions & frozenset(transition.functions)))
        and holds(transition.when, _before_the_form(transition, facts), params)
    ]


def _facts(
    definition: WorkflowDefinition, snapshot: Snapshot, tasks: tuple[OpenTask, ...]
) -> dict[str, object]:
    return {
        **snapshot.facts,
        "case.state": snapshot.state,
        "case.stages_left": _stages_left(definition, snapshot.facts),
        "task.outcomes": tuple(t.outcome for t in tasks if t.state == "done"),
    }


def _stages_left(definition: WorkflowDefinition, facts: Mapping[str, object]) -> tuple[str, ...]:
    """The stages that the service switches on and that no action has completed so far."""
    switched, taken = (as_list(facts.get(name)) or () for name in ("service.stages", "case.actions"))
    return tuple(
        stage
        for stage, completing in definition.stages.items()
        if stage in switched and completing and not set(completing) & set(taken)
    )


def _before_the_form(transition: Transition, facts: Mapping[str, object]) -> Mapping[str, object]:
    """An action with a form is offered before the form is filled in: what an earlier one said is no answer."""
    if "form" not in transition.requires:
        return facts
    return {name: value for name, value in facts.items() if not name.startswith("task.")}


def _outcome(transition: Transition, facts: Mapping[str, object]) -> str:
    said = facts.get(transition.outcome_from) if transition.outcome_from else None
    return str(said) if said else transition.name


def _task_of(snapshot: Snapshot, transition: Transition, action: Action) -> OpenTask | None:
    if transition.by != "task":
        return None
    for task in snapshot.tasks:
        if task.id == action.task_id and task.key == transition.task and task.state == "open":
            return task
    raise TaskNotOpen("這項待辦已經結束，可能已有人先處理", "This task is no longer open.")


def _check_guards(
    transition: Transition, action: Action, facts: Mapping[str, object], params: Mapping[str, object]
) -> None:
    if transition.by == "task" and not action.functions & frozenset(transition.functions):
        holders = [FUNCTION_LABELS.get(name, Text(zh=name)) for name in transition.functions]
        raise GuardFailed(
            f"「{transition.label}」須由{'或'.join(str(label) for label in holders)}執行",
            f"Only {' or '.join(label.in_('en') for label in holders)} may do this.",
        )
    if not holds(transition.when, facts, params):
        refusal = transition.refusal or Text(
            zh=f"目前還不能「{transition.label}」", en=f"“{transition.label.in_('en')}” is not possible now."
        )
        raise GuardFailed(refusal.zh, refusal.in_("en"))


def _joined(
    state: State, tasks: tuple[OpenTask, ...], facts: Mapping[str, object], params: Mapping[str, object]
) -> Joined | None:
    """Where the state goes, once enough branches of every parallel task are done."""
    for template in state.parallel:
        branches = [t for t in tasks if t.key == template.key and t.state != "cancelled"]
        if sum(t.state == "done" for t in branches) < min(template.needed(len(branches)), len(branches)):
            return None
    return next(joined for joined in state.joined if holds(joined.when, facts, params))


def _new_tasks(state: State, params: Mapping[str, object]) -> Iterator[NewTask]:
    for template in state.tasks:
        for branch in _branches(template, params):
            yield NewTask(
                key=template.key,
                branch=branch,
                function=template.function,
                unit=branch or template.unit,
                period=_period(template, params),
                label=template.label,
                form=template.form,
            )


def _period(template: TaskTemplate, params: Mapping[str, object]) -> Period | None:
    """The limit of the task: that of the service (`periods`, by the key of the task), else the workflow's."""
    periods = params.get("periods")
    own = periods.get(template.key) if isinstance(periods, Mapping) else None
    return template.period if own is None else Period.model_validate(own)


def _branches(template: TaskTemplate, params: Mapping[str, object]) -> tuple[str, ...]:
    if template.each is None:
        return ("",)
    units = params.get(template.each)
    branches = tuple(map(str, units)) if isinstance(units, list | tuple) else ()
    if not branches or template.needed(len(branches)) > len(branches):
        raise WorkflowError(
            f"申辦項目沒有設定足夠的單位來做「{template.label}」",
            f"The service names too few units for “{template.label.in_('en')}”.",
        )
    return branches
