"""The examples that stand beside the rules: facts and the outcomes that an administrator expects."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from rules.chaining import PREFIX
from rules.conditions import coerce, shown
from rules.decision import Decision, NotUnique
from rules.engine import Compiled, compile
from rules.model import Example, Ruleset
from rules.values import Text, say

_DISAGREE = Text(
    zh="規則引擎與參考結果不一致", en="The rule engine and the reference do not come to the same result"
)


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that came out otherwise."""

    example: str
    message: Text

    @property
    def text(self) -> Text:
        """With the name of the example."""
        return say("{example}: {said}", "“{example}”: {said}", example=self.example, said=self.message)

    def __str__(self) -> str:
        return str(self.text)


def run_examples(ruleset: Ruleset) -> list[Failure]:
    """Every example through the engine, compared with the reference too. Empty when all are as expected."""
    with closing(compile(ruleset)) as compiled:
        return [failure for example in ruleset.examples for failure in failures_of(compiled, example)]


def failures_of(compiled: Compiled, example: Example) -> list[Failure]:
    try:
        decision = compiled.evaluate(example.facts, shadow=True)
    except NotUnique as error:
        return [Failure(example.name, error.text)]
    found = [] if decision.engine == "durable" else [_DISAGREE]
    return [Failure(example.name, message) for message in (*found, *otherwise(example, decision))]


def otherwise(example: Example, decision: Decision) -> list[Text]:
    """What the decision does not have as the example expects it."""
    derived = {name: each.value for name, each in decision.derived.items()}
    found = [
        say(
            "預期得出 {name}＝{value}，實際 {found}",
            "“{name} = {value}” was to be derived, it is “{found}”",
            name=name,
            value=shown(value),
            found=shown(derived.get(PREFIX + name)),
        )
        for name, value in example.derived.items()
        if derived.get(PREFIX + name) != value
    ]
    outcomes = decision.to_json()["outcomes"]
    if not as_expected(example, outcomes):
        found.append(
            say(
                "預期 {expected}，實際 {found}",
                "“{expected}” was expected, it is “{found}”",
                expected=_words(example.expect),
                found=_words(outcomes),
            )
        )
    return found


def as_expected(example: Example, outcomes: Sequence[Mapping[str, Any]]) -> bool:
    """As many outcomes, in that order; each expectation names as much of its outcome as it wants to."""
    if len(outcomes) != len(example.expect):
        return False
    return all(map(meets, example.expect, map(flattened, outcomes)))


def meets(expected: Mapping[str, object], outcome: Mapping[str, Any]) -> bool:
    """Whether a flattened outcome is what was expected of it."""
    return all(name in outcome and _same(value, outcome[name]) for name, value in expected.items())


def flattened(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """An outcome of a decision as an expectation is written."""
    return {"rule": outcome["rule"], "action": outcome["action"], **outcome["params"]}


def _same(expected: object, found: object) -> bool:
    """A decision says its decimals as text."""
    if isinstance(expected, (int, float)) and isinstance(found, str):
        with suppress(InvalidOperation):
            return Decimal(found) == coerce("number", expected)
    return expected == found and isinstance(expected, bool) == isinstance(found, bool)


def _words(outcomes: Sequence[Mapping[str, object]]) -> str:
    return json.dumps(list(outcomes), ensure_ascii=False, default=str)
