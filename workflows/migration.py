"""Whether a running case may go on under another revision of its workflow, and what stands against it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rules.conditions import did_you_mean
from rules.values import Text, say
from workflows.model import State, WorkflowDefinition


class BadMapping(ValueError):
    """A mapping of states that names what is not there; `.text` says what."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.zh)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a case has behind it and holds, in the names of the old revision."""

    state: str
    passed: frozenset[str]


def check_mapping(old: WorkflowDefinition, new: WorkflowDefinition, mapping: Mapping[str, str]) -> None:
    """Every name on the left is a state of the old revision, every name on the right one of the new."""
    for names, definition in ((mapping.keys(), old), (mapping.values(), new)):
        for name in names:
            if name not in definition.states:
                raise BadMapping(
                    say(
                        "沒有「{name}」這個狀態{hint}",
                        "There is no state “{name}”{hint}",
                        name=name,
                        hint=did_you_mean(name, definition.states),
                    )
                )


def obstacles(
    old: WorkflowDefinition, new: WorkflowDefinition, standing: Standing, mapping: Mapping[str, str]
) -> list[Text]:
    """Why the case may not move; empty when it may. A state that is mapped was looked at by a person."""
    found = []
    for name in old.states:
        if name == standing.state:
            found += _against_holding(old.states[name], new, mapping)
        elif name in standing.passed:
            found += _against_changed(old.states[name], new, mapping)
    return found


def _against_changed(state: State, new: WorkflowDefinition, mapping: Mapping[str, str]) -> list[Text]:
    if state.key in mapping:
        return []
    same = new.states.get(state.key)
    hint = f"--map {state.key}=…"
    if same is None:
        return [
            Text(
                zh=f"新版沒有「{state.label}」（{state.key}），請以 {hint} 指明對應的狀態",
                en=f"The new revision has no “{state.label.in_('en')}” ({state.key}); say {hint}.",
            )
        ]
    if same != state:
        hint = f"--map {state.key}={state.key}"
        return [
            Text(
                zh=f"「{state.label}」（{state.key}）的內容已改變；確認可以移轉請加 {hint}",
                en=f"“{state.label.in_('en')}” ({state.key}) has changed; if that is right say {hint}.",
            )
        ]
    return []


def _against_holding(state: State, new: WorkflowDefinition, mapping: Mapping[str, str]) -> list[Text]:
    """Also with a mapping the open tasks must exist there, and the applicant must be asked for the same."""
    if found := _against_changed(state, new, mapping):
        return found
    target = new.states[mapping.get(state.key, state.key)]
    if target.kind != state.kind:
        return [
            Text(
                zh=f"「{target.label}」和「{state.label}」不是同一種狀態，案件不能直接進入",
                en=f"“{target.label.in_('en')}” is not the kind of state that “{state.label.in_('en')}” is.",
            )
        ]
    if _desks(target) != _desks(state):
        return [
            Text(
                zh=f"「{target.label}」的待辦和「{state.label}」不同，已開的待辦會沒有人接手",
                en=f"The tasks of “{target.label.in_('en')}” differ from those of “{state.label.in_('en')}”.",
            )
        ]
    return []


def _desks(state: State) -> Collection[tuple[str, str, str, str | None, str | None]]:
    return {(task.key, task.function, task.unit, task.each, task.form) for task in state.tasks}
