"""A ruleset as the text of its file: read with the line of every mistake, written as `definitions sync` reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from rules.values import DefinitionError, Problem, Text, compose_yaml, parse_yaml

#: no ruleset comes near it
MOST_BYTES = 512 * 1024
NAME = "yaml"
_TOO_LONG = Text(
    zh=f"內容超過 {MOST_BYTES // 1024} KB", en=f"There are more than {MOST_BYTES // 1024} KB of it"
)
_NO_PAIRS = Text(
    zh="內容必須是一組「名稱: 值」，例如 key: case_deadlines",
    en="It must be pairs of “name: value”, such as key: case_deadlines",
)


@dataclass(frozen=True, slots=True)
class Located:
    """A mistake and the line (from 1) where it is mended; 0 where it has none."""

    line: int
    problem: Problem


def read(text: str) -> dict[str, Any]:
    """The mapping, or DefinitionError with the line in its path."""
    if len(text.encode()) > MOST_BYTES:
        raise DefinitionError([Problem(path="", message=_TOO_LONG)])
    found = parse_yaml(text, NAME)
    if not isinstance(found, dict):
        raise DefinitionError([Problem(path="", message=_NO_PAIRS)])
    return found


def line_of_refusal(problem: Problem) -> int:
    """yaml:12 is line 12."""
    name, _colon, line = problem.path.rpartition(":")
    return int(line) if name == NAME and line.isdigit() else 0


def write(body: Mapping[str, Any]) -> str:
    return yaml.dump(dict(body), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


class _Dumper(yaml.SafeDumper):
    """No references, and decimals with their digits, as parse_yaml reads them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _decimal(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    text = f"{value:.15f}".rstrip("0")
    return dumper.represent_scalar("tag:yaml.org,2002:float", f"{text}0" if text.endswith(".") else text)


_Dumper.add_representer(float, _decimal)


def locate(text: str, problems: Iterable[Problem]) -> list[Located]:
    """Each problem with the line of its path or, where that is not there, of what should hold it; in that order."""
    lines = _lines(text)
    found = [Located(_line(problem.path, lines), problem) for problem in problems]
    return sorted(found, key=lambda each: each.line)


def _line(path: str, lines: Mapping[str, int]) -> int:
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path, 0)


def _lines(text: str) -> dict[str, int]:
    """The line of every key and every item, by its path."""
    lines: dict[str, int] = {}
    node = compose_yaml(text)
    if node is not None:
        _walk(node, "", lines)
    return lines


def _walk(node: yaml.Node, path: str, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[f"{path}[{i}]"] = item.start_mark.line + 1
            _walk(item, f"{path}[{i}]", lines)
