"""The examples that stand beside the rules: facts and the outcomes that an administrator expects."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from rules.chaining import PREFIX
from rules.decision import Decision, NotUnique
from rules.engine import compile
from rules.model import Example, Ruleset


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that came out otherwise."""

    example: str
    message: str

    def __str__(self) -> str:
        return f"{self.example}: {self.message}"


def run_examples(ruleset: Ruleset) -> list[Failure]:
    """Every example through the engine, compared with the reference too. Empty when all are as expected."""
    with closing(compile(ruleset)) as compiled:
        failures = []
        for example in ruleset.examples:
            try:
                decision = compiled.evaluate(example.facts, shadow=True)
            except NotUnique as error:
                failures.append(Failure(example.name, str(error)))
                continue
            if decision.engine != "durable":
                failures.append(Failure(example.name, "規則引擎與參考結果不一致"))
            failures += [Failure(example.name, message) for message in otherwise(example, decision)]
        return failures


def otherwise(example: Example, decision: Decision) -> list[str]:
    """What the decision does not have as the example expects it."""
    derived = {name.removeprefix(PREFIX): each.value for name, each in decision.derived.items()}
    found = [
        f"預期得出 {name}＝{value}，實際 {derived.get(name)}"
        for name, value in example.derived.items()
        if derived.get(name) != value
    ]
    outcomes = decision.to_json()["outcomes"]
    if not _as_expected(example, outcomes):
        found.append(f"預期 {_words(example.expect)}，實際 {_words(outcomes)}")
    return found


def _as_expected(example: Example, outcomes: Sequence[Mapping[str, Any]]) -> bool:
    """As many outcomes, in that order; each expectation names as much of its outcome as it wants to."""
    if len(outcomes) != len(example.expect):
        return False
    for expected, outcome in zip(example.expect, outcomes, strict=True):
        flat = {"rule": outcome["rule"], "action": outcome["action"], **outcome["params"]}
        if not expected.items() <= flat.items():
            return False
    return True


def _words(outcomes: Sequence[Mapping[str, object]]) -> str:
    return json.dumps(list(outcomes), ensure_ascii=False, default=str)
