"""What can be kept and shown of a definition: values of JSON, not endlessly nested, in characters of a text."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from rules.values import MOST_LEVELS, TOO_DEEP, Problem, say

#: controls that lay out no text, and halves of a character
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def problems(data: object, path: str = "", level: int = 0) -> Iterator[Problem]:
    """What a database would refuse, and no page could show, each with its place."""
    if isinstance(data, str):
        if _UNUSABLE.search(data):
            said = say(
                "「{value}」含有不能使用的控制字元或不完整的字元",
                "“{value}” has control characters or halves of a character, which cannot be used",
                value=_visible(data),
            )
            yield Problem(path=path, message=said)
    elif isinstance(data, float):
        if not math.isfinite(data):
            said = say(
                "「{value}」不是可以計算的數字", "“{value}” is no number to calculate with", value=data
            )
            yield Problem(path=path, message=said)
    elif isinstance(data, (Mapping, list, tuple)):
        if level == MOST_LEVELS:
            yield Problem(path=path, message=TOO_DEEP)
            return
        for inner, each in _members(data, path):
            yield from problems(each, inner, level + 1)


def _members(
    data: Mapping[Any, Any] | list[Any] | tuple[Any, ...], path: str
) -> Iterator[tuple[str, object]]:
    """Names too, each at the place of what it names."""
    if not isinstance(data, Mapping):
        yield from ((f"{path}[{n}]", each) for n, each in enumerate(data))
        return
    for name, each in data.items():
        inner = f"{path}.{_visible(str(name))}" if path else _visible(str(name))
        yield inner, name
        yield inner, each


def read_json(text: str) -> Any:
    """The values of a JSON text, or ValueError where it is none or could not be kept."""
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    for problem in problems(found):
        raise ValueError(str(problem))
    return found


def _visible(text: str) -> str:
    """Short enough for a message, and with a name for what cannot be shown."""
    return _UNUSABLE.sub(lambda found: f"<U+{ord(found[0]):04X}>", text[:60])
