"""From mappings to models: every structural mistake as a Problem with its path."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from rules.conditions import Condition, FactType, did_you_mean, parse, shown
from rules.values import DefinitionError, Problem, Text, read_yaml, say

Model = TypeVar("Model", bound=BaseModel)

_MAPPING = Text(zh="「{value}」必須是一組「鍵: 值」", en="“{value}” must be pairs of “key: value”")
_LIST = Text(zh="「{value}」必須是清單", en="“{value}” must be a list")
_MESSAGES: Mapping[str, Text] = {
    "missing": Text(zh="缺少這個必填的項目", en="This item is required and is missing"),
    "string_type": Text(zh="「{value}」必須是文字", en="“{value}” must be text"),
    "string_pattern_mismatch": Text(
        zh="「{value}」的寫法不對，須符合 {pattern}", en="“{value}” is not written as {pattern} wants it"
    ),
    "string_too_short": Text(zh="不可空白", en="It cannot be empty"),
    "int_type": Text(zh="「{value}」必須是整數", en="“{value}” must be a whole number"),
    "bool_type": Text(zh="「{value}」必須是 true 或 false", en="“{value}” must be true or false"),
    "literal_error": Text(
        zh="「{value}」不在可用的值之中，可用：{expected}",
        en="“{value}” is none of the values to choose from: {expected}",
    ),
    "greater_than_equal": Text(zh="「{value}」不可小於 {ge}", en="“{value}” cannot be less than {ge}"),
    "less_than_equal": Text(zh="「{value}」不可大於 {le}", en="“{value}” cannot be more than {le}"),
    "tuple_type": _LIST,
    "too_short": Text(zh="清單不可空白", en="The list cannot be empty"),
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
#: the folder of what several definitions share
SHARED = "_shared"
_WRONG = Text(zh="「{value}」不正確", en="“{value}” is not right")
#: the type of errors that our own validators raise with a sentence
_REFUSED = "refused"
#: what a definition refers to by name
_KINDS: Mapping[str, str] = {
    "action": "動作",
    "category": "類別",
    "effect": "效果",
    "fact": "事實",
    "function": "職務",
    "letter": "公文",
    "notice": "通知",
    "person to invite": "受邀的人",
    "stage": "階段",
    "state": "狀態",
    "task": "待辦",
    "unit": "單位",
}


def refused(zh: str, en: str) -> PydanticCustomError:
    """What a validator of a model raises."""
    return PydanticCustomError(_REFUSED, "{zh}", {"zh": zh, "en": en})


def unknown(path: str, kind: str, name: str, known: Iterable[str]) -> Problem:
    said = say(
        "沒有「{name}」這個{kind}{hint}",
        "There is no {kind} “{name}”{hint}",
        name=name,
        kind=Text(zh=_KINDS[kind], en=kind),
        hint=did_you_mean(name, known),
    )
    return Problem(path=path, message=said)


def unit_twice(path: str, unit: object) -> Problem:
    said = say(
        "單位「{unit}」重複，只能會辦一次",
        "The unit “{unit}” stands there twice; it can review once only",
        unit=unit,
    )
    return Problem(path=path, message=said)


def no_mapping(path: str, data: object) -> Problem:
    return Problem(path=path, message=say(_MAPPING.zh, _MAPPING.en, value=shown(data)))


def no_list(path: str, data: object) -> Problem:
    return Problem(path=path, message=say(_LIST.zh, _LIST.en, value=shown(data)))


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


def _message(error: ErrorDetails, model: type[BaseModel]) -> Text:
    if error["type"] == _REFUSED:
        return Text(**error["ctx"])
    if error["type"] == "extra_forbidden":
        name = error["loc"][-1]
        hint = did_you_mean(name, model.model_fields)
        return say("不認得的項目「{name}」{hint}", "Unknown item “{name}”{hint}", name=shown(name), hint=hint)
    context = {**error.get("ctx", {}), "value": shown(error["input"])}
    if "expected" in context:  # 'a', 'b' or 'c'
        context["expected"] = re.findall(r"'([^']*)'", context["expected"])
    said = _MESSAGES.get(error["type"], _WRONG)
    return say(said.zh, said.en, **context)


def mapping(data: object, path: str, problems: list[Problem]) -> Mapping[str, Any]:
    """The value as a mapping with text keys; an empty one after a mistake."""
    if isinstance(data, Mapping) and all(isinstance(key, str) for key in data):
        return data
    problems.append(no_mapping(path, data))
    return {}


def sequence(data: object, path: str, problems: list[Problem]) -> Sequence[Any]:
    """The value as a list; an empty one after a mistake."""
    if isinstance(data, list | tuple):
        return data
    problems.append(no_list(path, data))
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
            said = say(
                "檔名與內容的 {key}「{name}」必須相同",
                "The file must have the name of its {key} “{name}”",
                key=key,
                name=shown(name),
            )
            problems.append(Problem(path=path.name, message=said))
        elif name in found:
            said = say(
                "{key}「{name}」在兩個檔案中重複", "Two files have the {key} “{name}”", key=key, name=name
            )
            problems.append(Problem(path=path.name, message=said))
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
            problems += [problem.below(f"{name}.yaml") for problem in error.problems]
    if problems:
        raise DefinitionError(problems)
    return found


def repeated(units: Sequence[object]) -> list[tuple[int, object]]:
    """Each entry of a list that stands in it before, with its place."""
    return [(n, unit) for n, unit in enumerate(units) if unit in units[:n]]
