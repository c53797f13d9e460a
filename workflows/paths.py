"""How a case moves through a workflow: the way out of every state, the main path, and what lies beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rules.conditions import evaluate, facts_of
from rules.values import Text
from workflows.model import Actor, Guard, State, WorkflowDefinition

NOTHING: Mapping[str, object] = MappingProxyType({})
Stage = Literal["done", "current", "next"]
_STYLES = ("primary", "secondary", "warning")


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out of a state: an action, or what happens when its parallel tasks are finished."""

    name: str
    label: Text
    by: Actor
    #: None where the action only finishes the actor's own task
    target: str | None
    style: str
    when: Guard


def exits(definition: WorkflowDefinition, state: State) -> tuple[Exit, ...]:
    """The main ones first, for a stored definition keeps no order; `joined` of parallel tasks last."""
    actions = [Exit(t.name, t.label, t.by, t.to, t.style, t.when) for t in state.transitions.values()]
    joins = [
        Exit(
            "joined",
            _joined_label(state, definition.states[j.to]),
            "task",
            j.to,
            "primary" if j.when is None else "secondary",
            j.when,
        )
        for j in state.joined
    ]
    return (*sorted(actions, key=lambda way: _STYLES.index(way.style)), *joins)


def everywhere(definition: WorkflowDefinition) -> dict[tuple[str, str], Exit]:
    """What applicant or system can do in every open state, by (name, target): told once, drawn never."""
    states = [state for state in definition.states.values() if state.kind != "closed"]
    if len(states) < 2:
        return {}
    shared = {(e.name, e.target): e for e in exits(definition, states[0]) if e.by != "task"}
    for state in states[1:]:
        offered = {(e.name, e.target) for e in exits(definition, state)}
        shared = {key: each for key, each in shared.items() if key in offered}
    return {(name, target): each for (name, target), each in shared.items() if target is not None}


def main_path(
    definition: WorkflowDefinition,
    facts: Mapping[str, object] = NOTHING,
    params: Mapping[str, object] = NOTHING,
) -> tuple[str, ...]:
    """From the initial state to a favourable end, by the primary actions. What the facts exclude is left out."""
    granted = {state.key for state in definition.states.values() if state.outcome == "granted"}
    closed = {state.key for state in definition.states.values() if state.kind == "closed"}
    known = {**definition.parameters, **params}
    start = definition.initial
    return _walk(definition, granted, facts, known) or _walk(definition, closed, facts, known) or (start,)


def of_service(
    definition: WorkflowDefinition,
    level: int,
    stages: Collection[str],
    keep: Collection[str] = (),
    *,
    deemed: bool = False,
) -> WorkflowDefinition:
    """The workflow without what a service of this decision level, with these stages, never comes to.

    Only guards on level, stages and deemed approval are looked at; states in `keep` stay whatever they say.
    """
    fixed = {
        "service.decision_level": level,
        "service.stages": tuple(stages),
        "service.deemed": deemed,
    }
    worlds = [{**fixed, "case.stages_left": left} for left in {(), tuple(stages)}]

    def possible(when: Guard) -> bool:
        if when is None or facts_of(when).isdisjoint(worlds[0]):
            return True
        return any(evaluate(when, facts, definition.parameters) is not False for facts in worlds)

    states = {
        key: state.model_copy(
            update={
                "transitions": {name: t for name, t in state.transitions.items() if possible(t.when)},
                "joined": tuple(j for j in state.joined if possible(j.when)),
            }
        )
        for key, state in definition.states.items()
    }
    found = [definition.initial, *keep]
    for key in found:
        targets = (way.target for way in exits(definition, states[key]))
        found += [target for target in targets if target is not None and target not in found]
    return definition.model_copy(update={"states": {key: states[key] for key in states if key in found}})


def layers(definition: WorkflowDefinition, path: tuple[str, ...]) -> dict[str, int]:
    """How far along the path each state lies, in the order of drawing; side states beside where they begin."""
    closed = [state.key for state in definition.states.values() if state.kind == "closed"]
    found: dict[str, int] = {}
    for at, key in enumerate(path):
        if key in closed:
            continue
        queue = [key]
        for each in queue:
            if each in found:
                continue
            found[each] = at
            targets = (e.target for e in exits(definition, definition.states[each]) if e.target is not None)
            queue += [t for t in targets if t not in closed and t not in path and t not in found]
    last = max(len(path) - 1, 0)
    found |= {key: last for key in definition.states if key not in closed and key not in found}
    ends = sorted(closed, key=lambda key: key not in path)
    return found | dict.fromkeys(ends, last)


def stages(
    definition: WorkflowDefinition, path: tuple[str, ...], current: str, visited: Collection[str]
) -> list[tuple[str, Stage]]:
    """What of the path a case has behind it, where it stands, and what may come. A state beside the path is
    told only while the case is in it."""
    if definition.states[current].kind == "closed":
        behind: list[tuple[str, Stage]] = [(k, "done") for k in path if k in visited and k != current]
        return [*behind, (current, "done")]
    at, beside = layers(definition, path)[current], current not in path
    told: list[tuple[str, Stage]] = []
    for number, key in enumerate(path):
        if number < at + beside:
            told += [(key, "done")] if key in visited else []
        else:
            told.append((key, "current" if key == current else "next"))
        if number == at and beside:
            told.append((current, "current"))
    return told


def _walk(
    definition: WorkflowDefinition,
    goals: set[str],
    facts: Mapping[str, object],
    params: Mapping[str, object],
) -> tuple[str, ...]:
    """The first path that a search in the order of preference finds."""
    seen: set[str] = set()

    def search(key: str) -> tuple[str, ...]:
        if key in goals:
            return (key,)
        seen.add(key)
        state = definition.states[key]
        possible = [
            e
            for e in exits(definition, state)
            if e.when is None or evaluate(e.when, facts, params) is not False
        ]
        for each in sorted(possible, key=lambda e: _preference(definition, e)):
            rest = search(each.target) if each.target is not None and each.target not in seen else ()
            if rest:
                return (key, *rest)
        return ()

    return search(definition.initial)


def _preference(definition: WorkflowDefinition, way: Exit) -> tuple[int, int]:
    """Primary first, and onward to the next desk before the end; back to the applicant last."""
    kind = definition.states[way.target].kind if way.target is not None else "active"
    return _STYLES.index(way.style), ("active", "closed", "correction").index(kind)


def _joined_label(state: State, target: State) -> Text:
    join = state.parallel[0].join if state.parallel else "all"
    zh, en = {"all": ("全部完成後", "When all are done"), "any": ("任一份完成後", "When one is done")}.get(
        str(join), (f"{join} 份完成後", f"When {join} are done")
    )
    return Text(zh=f"{zh}：{target.label}", en=f"{en}: {target.label.in_('en')}")
