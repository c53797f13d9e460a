"""What the rules of one ruleset may speak of: the facts and actions that there are, and those that it declares."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.actions import ACTIONS, Action, ActionParam, deriving, find
from rules.declarations import Declarations
from rules.facts import FACTS, Fact


@dataclass(frozen=True, slots=True)
class Vocabulary:
    catalogue: Mapping[str, Fact]
    actions: Mapping[str, Action]

    def param(self, name: str, action: str) -> ActionParam | None:
        """The parameter of that name: of the action or, where none is named, of the first that has one."""
        if action:
            return find(action, name, self.actions) if action in self.actions else None
        return next((found for each in self.actions if (found := find(each, name, self.actions))), None)


FACTORY = Vocabulary(FACTS, ACTIONS)


def of(body: Mapping[str, Any]) -> Vocabulary:
    """Of a draft, however wrong: what it declares rightly counts."""
    declared = Declarations()
    declared.read_derived(body.get("derived"))
    if not declared.derived:
        return FACTORY
    return Vocabulary({**FACTS, **declared.derived}, deriving(declared.derived.values()))
