"""From mappings to models: every structural mistake as a Problem, in Chinese, with its path."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rules.conditions import Condition, FactType, did_you_mean, parse, shown
from rules.values import DefinitionError, Problem, read_yaml

Model = TypeVar("Model", bound=BaseModel)

_MAPPING = "「{value}」必須是一組「鍵: 值」"
_MESSAGES: Mapping[str, str] = {
    "missing": "缺少這個必填的項目",
    "string_type": "「{value}」必須是文字",
    "string_pattern_mismatch": "「{value}」的寫法不對，須符合 {pattern}",
    "string_too_short": "不可空白",
    "int_type": "「{value}」必須是整數",
    "bool_type": "「{value}」必須是 true 或 false",
    "literal_error": "「{value}」不在可用的值之中，可用：{expected}",
    "greater_than_equal": "「{value}」不可小於 {ge}",
    "less_than_equal": "「{value}」不可大於 {le}",
    "tuple_type": "「{value}」必須是清單",
    "too_short": "清單不可空白",
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
#: the folder of what several definitions share
SHARED = "_shared"
#: the type of errors that our own validators raise with a Chinese sentence
REFUSED = "refused"


def join(path: str, *parts: str | int) -> str:
    """states.review.tasks[0].label"""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path


def build(model: type[Model], data: object, path: str, problems: list[Problem]) -> Model | None:
    """The model, or None after adding every mistake to `problems`."""
    try:
        return model.model_validate(data)
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            message = _message(error, model)
            problems.append(Problem(path=join(path, *error["loc"]), message=message))
        return None


def _message(error: ErrorDetails, model: type[BaseModel]) -> str:
    if error["type"] == REFUSED:
        return error["msg"]
    if error["type"] == "extra_forbidden":
        name = error["loc"][-1]
        return f"不認得的項目「{shown(name)}」{did_you_mean(name, model.model_fields)}"
    context = {**error.get("ctx", {}), "value": shown(error["input"])}
    if "expected" in context:  # 'a', 'b' or 'c'
        context["expected"] = "、".join(re.findall(r"'([^']*)'", context["expected"]))
    return _MESSAGES.get(error["type"], "「{value}」不正確").format_map(context)


def mapping(data: object, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    """The value as a mapping with text keys; an empty one after a mistake."""
    if isinstance(data, Mapping) and all(isinstance(key, str) for key in data):
        return data
    problems.append(Problem(path=path, message=f"「{shown(data)}」必須是一組「鍵: 值」"))
    return {}


def sequence(data: object, path: str, problems: list[Problem]) -> Sequence[Any]:
    """The value as a list; an empty one after a mistake."""
    if isinstance(data, list | tuple):
        return data
    problems.append(Problem(path=path, message=f"「{shown(data)}」必須是清單"))
    return ()


def with_guard(
    data: object,
    path: str,
    *,
    facts: Mapping[str, FactType],
    params: Mapping[str, object],
    problems: list[Problem],
) -> object:
    """The part with its `when` parsed."""
    if not isinstance(data, Mapping) or data.get("when") is None:
        return data
    when: Condition | None = parse(
        data["when"], path=join(path, "when"), facts=facts, params=params, problems=problems
    )
    return {**data, "when": when}


def read_folder(root: Path, key: str) -> dict[str, dict[str, Any]]:
    """Every YAML file below a folder, by the value of one of its keys; all mistakes at once.

    What several definitions share is a folder of its own.
    """
    found: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for path in sorted(root.rglob("*.yaml")):
        if SHARED in path.relative_to(root).parts:
            continue
        try:
            data = read_yaml(path)
        except DefinitionError as error:
            problems.extend(error.problems)
            continue
        name = data.get(key) if isinstance(data, dict) else None
        if not isinstance(name, str) or path.stem != name:
            problems.append(Problem(path=path.name, message=f"檔名與內容的 {key}「{shown(name)}」必須相同"))
        elif name in found:
            problems.append(Problem(path=path.name, message=f"{key}「{name}」在兩個檔案中重複"))
        else:
            found[name] = data
    if problems:
        raise DefinitionError(problems)
    return found


def read_joined(
    root: Path, key: str, part: str, expand: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The definitions of a folder with what they share in place: `expand` joins one with the parts of `_shared`."""
    parts = read_folder(root / SHARED, part) if (root / SHARED).is_dir() else {}
    found: dict[str, dict[str, Any]] = {}
    problems: list[Problem] = []
    for name, data in read_folder(root, key).items():
        try:
            found[name] = expand(data, parts)
        except DefinitionError as error:
            problems += [Problem(path=f"{name}.yaml {p.path}", message=p.message) for p in error.problems]
    if problems:
        raise DefinitionError(problems)
    return found


def repeated(units: Sequence[object]) -> list[tuple[int, object]]:
    """Each entry of a list that stands in it before, with its place."""
    return [(n, unit) for n, unit in enumerate(units) if unit in units[:n]]
