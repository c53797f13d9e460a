"""From a mapping to a workflow that cannot get stuck; every mistake at once, each with its path."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rules.conditions import FactType, leaves_of
from rules.values import DefinitionError, Problem, Text, say
from workflows.fragments import expand
from workflows.functions import FUNCTIONS
from workflows.model import (
    DECIDES,
    EFFECTS,
    NOTICE_EFFECT,
    NOTICES,
    WITHDRAW,
    Joined,
    State,
    TaskTemplate,
    Transition,
    WorkflowDefinition,
)
from workflows.reading import (
    build,
    join,
    mapping,
    read_joined,
    repeated,
    sequence,
    unit_twice,
    unknown,
    with_guard,
)

#: What guards of workflows ask for: the engine knows the last three, webapp collects the others.
WORKFLOW_FACTS: Mapping[str, FactType] = MappingProxyType(
    {
        "case.proposal": "text",  # grant or reject: what was proposed last
        "case.paid": "boolean",  # the fee of the last invoice is covered
        "service.decision_level": "number",  # 分層負責: 1 magistrate, 2 department head, 3 section head, 4 officer
        "service.stages": "list",  # the stages that the service switches on
        "case.booking": "text",  # of the appointment: waiting, held or confirmed
        "service.deemed": "boolean",  # the law takes silence for consent
        "service.answer": "text",  # decision, booking, reply, record or hearing
        "case.actions": "list",  # names of the transitions taken so far
        "case.inspections": "number",  # inspection records before this action
        "task.result": "text",  # of the last inspection record, the one given with the action included
        "task.opinion": "text",  # of the co-review opinion given with the action
        "case.stages_left": "list",  # stages switched on and not completed
        "task.outcomes": "list",  # how the finished tasks of this state ended
        "case.state": "text",
        "plan.approver": "text",  # the function that the rules name for what a unit asks of a plan
    }
)

#: the units that a task may name without knowing their code
PLACES = frozenset({"handling", "owner", "township", "county"})

_OF_TASKS = Text(
    zh="只有 by: task 的動作可以有 task、functions、completes、outcome_from、proposes 或 carries",
    en="Only actions by: task have task, functions, completes, outcome_from, proposes or carries",
)
_WHICH_TASK = Text(
    zh="這個狀態不是只有一項待辦，必須寫明是哪一項待辦的動作",
    en="This state has not just one task; say whose action it is",
)
_NO_OUTCOME = Text(zh="結束的狀態必須寫明結果", en="A state that ends the case must say its outcome")
_OVER = Text(zh="結束的狀態不可再有待辦或動作", en="A state that ends the case has no tasks and no actions")
_NOT_OVER = Text(zh="只有結束的狀態才有結果", en="Only a state that ends the case has an outcome")
_TO_IN_JOINED = Text(
    zh="completes 的動作只完成自己的待辦，去向要寫在 joined",
    en="An action that completes its task goes nowhere itself; joined says where to",
)
_NO_JOINED = Text(
    zh="這個狀態沒有 joined，完成待辦之後不會前進",
    en="This state has no joined, so nothing follows when its tasks are completed",
)
_NO_REPLY = Text(
    zh="補正中的狀態必須有申請人隨時可做的回覆動作",
    en="A state of correction needs a reply that the applicant can always give",
)
_NO_TASKS = Text(
    zh="這個狀態沒有待辦，案件會停在這裡沒有人處理",
    en="This state has no task: the case would stay here and nobody would work on it",
)
_NEVER_JOINED = Text(
    zh="沒有任何動作以 completes 完成待辦，永遠不會會合", en="No action completes a task, so they never join"
)
_LAST_JOINED = Text(
    zh="最後一項不可有條件，否則完成之後可能無處可去",
    en="The last one cannot have a condition, or there could be nowhere to go",
)
_NEVER_COUNTED = Text(
    zh="沒有任何動作以 completes 完成這項待辦，會合永遠不會算到它",
    en="No action completes this task, so the join never counts it",
)
_EACH_COMPLETES = Text(
    zh="分送多個單位的待辦必須有以 completes 完成的動作",
    en="A task for several units needs an action that completes it",
)
_NO_TARGET = Text(zh="動作必須寫明去向", en="An action must say where it leads")
_NO_END = Text(
    zh="從這個狀態走不到任何結束的狀態（撤回除外）",
    en="From this state no end can be reached (except by withdrawing)",
)
_STOP_CLOCK = Text(
    zh="結束案件的動作必須有 stop_clock", en="An action that ends the case must have stop_clock"
)
_DECIDED_CORRECTION = Text(
    zh="已發文的狀態不能再請申請人補正", en="After the decision was issued no correction can be asked for"
)
_DECIDED_WITHDRAWN = Text(
    zh="已發文之後不能再撤回申請", en="After the decision was issued the application cannot be withdrawn"
)
_DECIDED_TWICE = Text(
    zh="已發文的案件不能再發一次；更正、撤銷或廢止要用新的公文",
    en="A decided case is not decided again; correct, revoke or withdraw it by a new letter",
)


def read_all(root: Path | None = None) -> dict[str, dict[str, Any]]:
    """The factory definitions, by key, with their fragments in place."""
    return read_joined(root or Path(__file__).parent / "definitions", "key", "fragment", expand)


def load(
    data: object,
    *,
    facts: Mapping[str, FactType] = MappingProxyType({}),
    functions: frozenset[str] = FUNCTIONS,
    units: frozenset[str] | None = None,
    published: bool = False,
) -> WorkflowDefinition:
    """The definition, or DefinitionError with all problems. `facts` adds to WORKFLOW_FACTS.

    Of a `published` revision, by which cases run, only the parts are read: checks that came later do not undo it.
    """
    reader = _Reader({**WORKFLOW_FACTS, **facts}, functions, units)
    definition = reader.read(data)
    if definition is not None and not published:
        reader.check(definition)
    if definition is None or reader.problems:
        raise DefinitionError(reader.problems)
    return definition


class _Reader:
    def __init__(
        self, facts: Mapping[str, FactType], functions: frozenset[str], units: frozenset[str] | None
    ) -> None:
        self.facts = facts
        self.functions = functions
        self.units = units
        self.params: Mapping[str, Any] = {}
        self.names: frozenset[str] = frozenset()
        self.problems: list[Problem] = []
        #: whether all parts could be read and all targets exist, so that paths mean something
        self.complete = True

    def report(self, path: str, message: Text) -> None:
        self.problems.append(Problem(path=path, message=message))

    def read(self, data: object) -> WorkflowDefinition | None:
        top = mapping(data, "", self.problems)
        self.params = mapping(top.get("parameters", {}), "parameters", self.problems)
        raw = mapping(top.get("states", {}), "states", self.problems)
        everywhere = mapping(top.get("everywhere", {}), "everywhere", self.problems)
        self.names = frozenset(raw)
        states = {key: self.state(key, part, everywhere, f"states.{key}") for key, part in raw.items()}
        head = {k: v for k, v in top.items() if k not in ("everywhere", "states")}
        whole = {key: state for key, state in states.items() if state is not None}
        definition = build(WorkflowDefinition, {**head, "states": whole}, "", self.problems)
        if definition is None or len(whole) < len(raw):
            return None
        self.check_target(definition.initial, "initial")
        return definition

    def check(self, definition: WorkflowDefinition) -> None:
        self.check_stages(definition)
        self.check_guards(definition)
        self.check_branches(definition)
        if self.complete:
            self.check_paths(definition)
            self.check_decided(definition)

    # --- reading the parts ---

    def state(self, key: str, data: object, everywhere: Mapping[str, Any], path: str) -> State | None:
        raw = dict(mapping(data, path, self.problems))
        tasks = [
            build(TaskTemplate, part, f"{path}.tasks[{i}]", self.problems)
            for i, part in enumerate(sequence(raw.pop("tasks", ()), f"{path}.tasks", self.problems))
        ]
        own = mapping(raw.pop("transitions", {}), f"{path}.transitions", self.problems)
        common = {} if raw.get("kind") == "closed" or raw.get("decided") is True else everywhere
        actions = {**own, **{name: part for name, part in common.items() if name not in own}}
        transitions = [
            self.transition(name, part, f"{path}.transitions.{name}") for name, part in actions.items()
        ]
        joins = [
            self.joined(part, f"{path}.joined[{i}]")
            for i, part in enumerate(sequence(raw.pop("joined", ()), f"{path}.joined", self.problems))
        ]
        told = sequence(raw.pop("citizen_labels", ()), f"{path}.citizen_labels", self.problems)
        labels = [self.guarded(part, f"{path}.citizen_labels[{i}]") for i, part in enumerate(told)]
        state = build(State, {**raw, "key": key, "citizen_labels": labels}, path, self.problems)
        if state is None or None in tasks or None in transitions or None in joins:
            return None
        known = tuple(task for task in tasks if task is not None)
        state = state.model_copy(
            update={
                "tasks": known,
                "transitions": {t.name: self.assigned(t, known, path) for t in transitions if t is not None},
                "joined": tuple(part for part in joins if part is not None),
            }
        )
        self.check_state(state, path)
        return state

    def transition(self, name: str, data: object, path: str) -> Transition | None:
        raw = self.guarded(data, path)
        if isinstance(raw, Mapping):
            raw = {**raw, "name": name}
        transition = build(Transition, raw, path, self.problems)
        if transition is not None:
            self.check_effects(transition.effects, path)
        return transition

    def joined(self, data: object, path: str) -> Joined | None:
        joined = build(Joined, self.guarded(data, path), path, self.problems)
        if joined is not None:
            self.check_effects(joined.effects, path)
        return joined

    def guarded(self, data: object, path: str) -> object:
        return with_guard(data, path, facts=self.facts, params=self.params, problems=self.problems)

    def assigned(self, t: Transition, tasks: tuple[TaskTemplate, ...], path: str) -> Transition:
        """The transition with its task and its functions said."""
        where = f"{path}.transitions.{t.name}"
        if t.by != "task":
            if t.task or t.functions or t.completes or t.outcome_from or t.proposes or t.carries:
                self.report(where, _OF_TASKS)
            return t
        if t.task is None and len(tasks) != 1:
            self.report(f"{where}.task", _WHICH_TASK)
            return t
        key = t.task or tasks[0].key
        task = next((task for task in tasks if task.key == key), None)
        if task is None:
            self.unknown(f"{where}.task", "task", key, [task.key for task in tasks])
            return t
        if "form" in t.requires and task.form is None:
            said = say(
                "待辦「{task}」沒有表單可填", "The task “{task}” has no form to fill in", task=task.key
            )
            self.report(f"{where}.requires", said)
        return t.model_copy(update={"task": key, "functions": t.functions or (task.function,)})

    # --- checks of one state ---

    def check_state(self, state: State, path: str) -> None:
        for i, task in enumerate(state.tasks):
            self.check_task(task, state, f"{path}.tasks[{i}]")
        for t in state.transitions.values():
            self.check_transition(t, state, f"{path}.transitions.{t.name}")
        for i, joined in enumerate(state.joined):
            self.check_target(joined.to, f"{path}.joined[{i}].to")
        if state.kind == "closed":
            if state.outcome is None:
                self.report(f"{path}.outcome", _NO_OUTCOME)
            if state.tasks or state.transitions or state.joined:
                self.report(path, _OVER)
            return
        if state.outcome is not None:
            self.report(f"{path}.outcome", _NOT_OVER)
        self.check_ways_out(state, path)
        self.check_join(state, path)

    def check_task(self, task: TaskTemplate, state: State, path: str) -> None:
        self.check_function(task.function, f"{path}.function")
        if self.units is not None and task.unit not in PLACES | self.units:
            self.unknown(f"{path}.unit", "unit", task.unit, self.units)
        if [other.key for other in state.tasks].count(task.key) > 1:
            self.report(
                f"{path}.key",
                say("待辦「{task}」重複", "The task “{task}” stands there twice", task=task.key),
            )
        mine = [t for t in state.transitions.values() if t.task == task.key]
        if not any(t.when is None and task.function in t.functions for t in mine):
            said = say(
                "「{task}」沒有一個隨時可做的動作，案件可能卡住",
                "“{task}” has no action that is always possible; the case could get stuck",
                task=task.label,
            )
            self.report(path, said)

    def check_transition(self, t: Transition, state: State, path: str) -> None:
        if t.outcome_from is not None and t.outcome_from not in self.facts:
            self.unknown(f"{path}.outcome_from", "fact", t.outcome_from, self.facts)
        for function in t.functions:
            if all(function != task.function for task in state.tasks):
                self.check_function(function, f"{path}.functions")
        if t.completes is None:
            self.check_target(t.to, f"{path}.to")
        elif t.to is not None:
            self.report(f"{path}.to", _TO_IN_JOINED)
        elif not state.joined:
            self.report(path, _NO_JOINED)

    def check_ways_out(self, state: State, path: str) -> None:
        answers = [t for t in state.transitions.values() if t.by == "citizen" and t.name != WITHDRAW]
        if state.kind == "correction" and all(t.when is not None for t in answers):
            self.report(path, _NO_REPLY)
        if state.kind == "active" and not state.tasks:
            self.report(path, _NO_TASKS)

    def check_join(self, state: State, path: str) -> None:
        waited = state.parallel
        if state.joined and not waited:
            self.report(f"{path}.joined", _NEVER_JOINED)
        if state.joined and state.joined[-1].when is not None:
            self.report(f"{path}.joined", _LAST_JOINED)
        for i, task in enumerate(state.tasks):
            if task in waited and task.each is None and task.needed(1) > 1:
                said = say(
                    "只有一項待辦，卻要等 {n} 項完成，永遠不會會合",
                    "There is one task and {n} are waited for; they never join",
                    n=task.join,
                )
                self.report(f"{path}.tasks[{i}].join", said)
            if task not in waited and "join" in task.model_fields_set and task.each is None:
                self.report(f"{path}.tasks[{i}].join", _NEVER_COUNTED)
            if task.each is not None and task not in waited:
                self.report(f"{path}.tasks[{i}]", _EACH_COMPLETES)

    def check_effects(self, effects: tuple[str, ...], path: str) -> None:
        for i, effect in enumerate(effects):
            where = f"{path}.effects[{i}]"
            if effect.startswith(NOTICE_EFFECT):
                notice = effect.removeprefix(NOTICE_EFFECT)
                if notice not in NOTICES:
                    self.unknown(where, "notice", notice, NOTICES)
            elif effect not in EFFECTS:
                self.unknown(where, "effect", effect, EFFECTS)

    def check_function(self, function: str, path: str) -> None:
        if function not in self.functions:
            self.unknown(path, "function", function, self.functions)

    def check_target(self, target: str | None, path: str) -> None:
        if target is None:
            self.report(path, _NO_TARGET)
        elif target not in self.names:
            self.unknown(path, "state", target, self.names)
        self.complete = self.complete and target in self.names

    def unknown(self, path: str, kind: str, name: str, known: Iterable[str]) -> None:
        self.problems.append(unknown(path, kind, name, known))

    # --- checks of the whole ---

    def check_stages(self, definition: WorkflowDefinition) -> None:
        """What completes a stage is an action of the workflow: else the stage would never be done."""
        actions = {name for state in definition.states.values() for name in state.transitions}
        for stage, completing in definition.stages.items():
            for i, name in enumerate(completing):
                if name not in actions:
                    self.unknown(f"stages.{stage}[{i}]", "action", name, actions)

    def check_guards(self, definition: WorkflowDefinition) -> None:
        """A guard that waits for a stage or an action which the workflow does not have would never hold."""
        actions = {name for state in definition.states.values() for name in state.transitions}
        known = {
            "service.stages": ("stage", definition.stages),
            "case.stages_left": ("stage", definition.stages),
            "case.actions": ("action", actions),
        }
        for state in definition.states.values():
            path = join("states", state.key)
            guards = [(join(path, "transitions", t.name, "when"), t.when) for t in state.transitions.values()]
            guards += [
                (join(path, "joined", i, "when"), joined.when) for i, joined in enumerate(state.joined)
            ]
            for where, guard in guards:
                for leaf in leaves_of(guard) if guard is not None else ():
                    what, names = known.get(leaf.fact, ("", ()))
                    if what and isinstance(leaf.value, str) and leaf.value not in names:
                        self.unknown(where, what, leaf.value, names)

    def check_branches(self, definition: WorkflowDefinition) -> None:
        """The units that the workflow itself lists are enough for its joins; a service's own list is checked there."""
        for state in definition.states.values():
            for i, task in enumerate(state.tasks):
                units = definition.parameters.get(task.each or "")
                if isinstance(units, list | tuple):
                    for n, unit in repeated(units):
                        self.problems.append(unit_twice(join("parameters", task.each or "", n), unit))
                if isinstance(units, list | tuple) and units and task.needed(len(units)) > len(units):
                    message = say(
                        "只列了 {n} 個單位，永遠不會會合",
                        "Too few units are listed ({n}); they never join",
                        n=len(units),
                    )
                    self.report(join("states", state.key, "tasks", i, "join"), message)

    def check_paths(self, definition: WorkflowDefinition) -> None:
        """Every state can be reached, every state leads to an end, and an end stops the clock."""
        closed = {state.key for state in definition.states.values() if state.kind == "closed"}
        after = {state.key: {to for _, to, _ in _edges(state)} for state in definition.states.values()}
        reached = _closure({definition.initial}, after)
        # withdrawing is always possible; it must not hide that the case itself cannot be finished
        onward = {
            state.key: {to for name, to, _ in _edges(state) if name != WITHDRAW}
            for state in definition.states.values()
        }
        for state in definition.states.values():
            path = join("states", state.key)
            if state.key not in reached:
                self.report(
                    path,
                    say(
                        "從「{initial}」走不到這個狀態",
                        "This state cannot be reached from “{initial}”",
                        initial=definition.initial,
                    ),
                )
            if not closed & _closure({state.key}, onward):
                self.report(path, _NO_END)
            for name, to, effects in _edges(state):
                if to in closed and "stop_clock" not in effects:
                    self.report(join(path, "transitions", name), _STOP_CLOCK)

    def check_decided(self, definition: WorkflowDefinition) -> None:
        """A case is decided once: what comes after the decision was issued hands it over, and never goes back."""
        for state in definition.states.values():
            path = join("states", state.key)
            if state.decided and state.kind == "correction":
                self.report(path, _DECIDED_CORRECTION)
            if state.decided and WITHDRAW in state.transitions:
                self.report(join(path, "transitions", WITHDRAW), _DECIDED_WITHDRAWN)
            for name, to, effects in _edges(state):
                target, issues = definition.states[to], not DECIDES.isdisjoint(effects)
                where = join(path, "transitions", name)
                if state.decided and issues:
                    self.report(where, _DECIDED_TWICE)
                elif state.decided and not (target.decided or target.kind == "closed"):
                    said = say(
                        "已發文的案件不能回到「{state}」",
                        "A decided case cannot go back to “{state}”",
                        state=target.label,
                    )
                    self.report(where, said)
                elif issues and not (target.decided or target.kind == "closed"):
                    said = say(
                        "發文之後的狀態「{state}」必須寫明 decided: true",
                        "“{state}” comes after the decision was issued and must say decided: true",
                        state=target.label,
                    )
                    self.report(where, said)


def _edges(state: State) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    for transition in state.transitions.values():
        if transition.to is not None:
            yield transition.name, transition.to, transition.effects
    for joined in state.joined:
        yield "joined", joined.to, joined.effects


def _closure(start: set[str], after: Mapping[str, set[str]]) -> set[str]:
    found, fresh = set(start), set(start)
    while fresh:
        fresh = set().union(*(after[key] for key in fresh)) - found
        found |= fresh
    return found
