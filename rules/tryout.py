"""A draft loaded, compiled, opened and tested in a process of its own, within a time limit.

Whatever a draft does to the native engine, it does not do it to a web server.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rules import engine, loader
from rules.model import Ruleset
from rules.testing import run_examples
from rules.values import DefinitionError, Problem, Text, say

SECONDS = 20.0
COMMAND = (sys.executable, "-m", "rules.tryout")
_NOT_COMPILED = Text(zh="規則引擎無法編譯這個規則集", en="The rule engine cannot compile this ruleset")


def try_out(
    mapping: Mapping[str, Any],
    functions: Iterable[str] | None = None,
    units: Iterable[str] | None = None,
    *,
    seconds: float = SECONDS,
) -> list[Problem]:
    """What is wrong with the draft, its examples included; empty when it may be published."""
    found = apart(COMMAND, mapping, functions, units, seconds)
    return [found] if isinstance(found, Problem) else [Problem.model_validate(each) for each in found]


def apart(
    command: Sequence[str],
    mapping: Mapping[str, Any],
    functions: Iterable[str] | None,
    units: Iterable[str] | None,
    seconds: float,
) -> Any:
    """What a process of its own says of the draft, or the problem that it said nothing."""
    known = {
        name: None if codes is None else sorted(codes)
        for name, codes in (("functions", functions), ("units", units))
    }
    given = json.dumps({"mapping": mapping, **known}, default=str)
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
            check=True,
            # the process needs the code and nothing that the counter keeps secret
            env={
                "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path]),
                "PYTHONUTF8": "1",
            },
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        said = say(
            "規則集在 {seconds:g} 秒內無法編譯完成，請減少規則或條件",
            "The ruleset cannot be compiled within {seconds:g} seconds; it needs fewer rules or conditions",
            seconds=seconds,
        )
        return Problem(path="", message=said)
    except (subprocess.CalledProcessError, ValueError):
        return Problem(path="", message=_NOT_COMPILED)


def loaded(mapping: Any, functions: list[str] | None, units: list[str] | None) -> Ruleset:
    """As they came into the process."""
    return loader.load(
        mapping,
        functions=None if functions is None else frozenset(functions),
        units=None if units is None else frozenset(units),
    )


def _problems(mapping: Any, functions: list[str] | None, units: list[str] | None) -> list[Problem]:
    try:
        ruleset = loaded(mapping, functions, units)
    except DefinitionError as error:
        return list(error.problems)
    with closing(engine.compile(ruleset)) as compiled:
        compiled.evaluate({})  # the native part is built at the first decision
    return [Problem(path="examples", message=failure.text) for failure in run_examples(ruleset)]


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps([each.model_dump() for each in _problems(**given)]))
