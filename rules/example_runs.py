"""The examples of a draft, each with what came out and why, in a process of its own within a time limit."""

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import Any

from rules import engine, tryout
from rules.decision import NotUnique
from rules.model import Ruleset
from rules.testing import failures_of, flattened
from rules.values import DefinitionError, Problem, Text

COMMAND = (sys.executable, "-m", "rules.example_runs")


@dataclass(frozen=True, slots=True)
class Run:
    """One example: what came out, as an expectation would say it, and the rules with their sentences."""

    failures: list[Text]
    outcomes: list[dict[str, Any]] = field(default_factory=list)
    #: entries of the explanation: rule, label, status, sentence
    why: list[dict[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.failures


@dataclass(frozen=True, slots=True)
class Report:
    """Problems where the ruleset cannot be run at all; else one run for each example, in their order."""

    problems: list[Problem] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)


def run(
    mapping: Mapping[str, Any],
    functions: Iterable[str] | None = None,
    units: Iterable[str] | None = None,
    *,
    seconds: float = tryout.SECONDS,
) -> Report:
    found = tryout.apart(COMMAND, mapping, functions, units, seconds)
    if isinstance(found, Problem):
        return Report([found])
    problems = [Problem.model_validate(each) for each in found["problems"]]
    return Report(problems, [_read(each) for each in found["runs"]])


def _read(one: dict[str, Any]) -> Run:
    return Run(**{**one, "failures": [Text.model_validate(each) for each in one["failures"]]})


def _written(one: Run) -> dict[str, Any]:
    return {**asdict(one), "failures": [each.model_dump() for each in one.failures]}


def _report(mapping: Any, functions: list[str] | None, units: list[str] | None) -> dict[str, Any]:
    try:
        ruleset = tryout.loaded(mapping, functions, units)
    except DefinitionError as error:
        return {"problems": [each.model_dump() for each in error.problems], "runs": []}
    with closing(engine.compile(ruleset)) as compiled:
        return {"problems": [], "runs": [_written(each) for each in _runs(ruleset, compiled)]}


def _runs(ruleset: Ruleset, compiled: engine.Compiled) -> Iterable[Run]:
    for example in ruleset.examples:
        failures = [failure.message for failure in failures_of(compiled, example)]
        try:
            decision = compiled.evaluate(example.facts)
        except NotUnique:
            yield Run(failures)
            continue
        said = decision.to_json()
        why = [
            {name: entry[name] for name in ("rule", "label", "status", "sentence")}
            for entry in said["explanation"]
        ]
        yield Run(failures, [flattened(outcome) for outcome in said["outcomes"]], why)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps(_report(**given), default=str))
