"""What a service calls the steps of its workflow: a township has no 處長, and mediation is no 審議.

    parameters:
      wording:
        states: {approve_department: {label: {zh: 鎮長核定, en: Township head}}}
        tasks: {approve_department: {zh: 核定, en: Decide}}
        actions: {approve.forward: {zh: 核稿，陳鎮長, en: Pass on to the township head}}
        functions: {department_head: {zh: 鎮長, en: Township head}}

Only words: who acts, when and where the case goes stay those of the workflow.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from rules.conditions import did_you_mean, shown
from rules.values import Problem, Text, say
from workflows.functions import FUNCTIONS
from workflows.model import Frozen, State, WorkflowDefinition

#: the parameter of a service
WORDING = "wording"


class StateWords(Frozen):
    label: Text | None = None
    citizen_label: Text | None = None


class Wording(Frozen):
    states: Mapping[str, StateWords] = {}
    tasks: Mapping[str, Text] = {}
    #: by state and action, joined by a dot
    actions: Mapping[str, Text] = {}
    functions: Mapping[str, Text] = {}


def worded(definition: WorkflowDefinition, parameters: Mapping[str, Any]) -> WorkflowDefinition:
    """The workflow as the service speaks of it."""
    if WORDING not in parameters:
        return definition
    said = Wording.model_validate(parameters[WORDING])
    states = {key: _state(state, said) for key, state in definition.states.items()}
    return definition.model_copy(update={"states": states})


def _state(state: State, said: Wording) -> State:
    own = said.states.get(state.key, StateWords())
    tasks = tuple(
        task.model_copy(
            update={
                "label": said.tasks.get(task.key, task.label),
                "holder": said.functions.get(task.function, task.holder),
            }
        )
        for task in state.tasks
    )
    transitions = {
        name: action.model_copy(update={"label": said.actions.get(f"{state.key}.{name}", action.label)})
        for name, action in state.transitions.items()
    }
    return state.model_copy(
        update={
            "label": own.label or state.label,
            "citizen_label": own.citizen_label or state.citizen_label,
            "citizen_labels": () if own.citizen_label else state.citizen_labels,
            "tasks": tasks,
            "transitions": transitions,
        }
    )


def mistakes(said: Wording, definition: WorkflowDefinition) -> Iterator[Problem]:
    """Words for what the workflow does not have."""
    known = {
        "states": set(definition.states),
        "tasks": {task.key for state in definition.states.values() for task in state.tasks},
        "actions": {
            f"{key}.{name}" for key, state in definition.states.items() for name in state.transitions
        },
        "functions": set(FUNCTIONS),
    }
    for part, names in known.items():
        for name in getattr(said, part):
            if name not in names:
                message = say(
                    "流程「{workflow}」沒有「{name}」{hint}",
                    "The workflow “{workflow}” has no “{name}”{hint}",
                    workflow=definition.title,
                    name=shown(name),
                    hint=did_you_mean(name, names),
                )
                yield Problem(path=f"parameters.{WORDING}.{part}.{name}", message=message)
