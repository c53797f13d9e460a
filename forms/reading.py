"""Small readers of a form: each returns what it read, or reports what is wrong and where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import ValidationError

from forms.field_types import MOST_ROWS
from rules.conditions import did_you_mean, shown
from rules.values import Problem, Text, say

KEY = re.compile("[a-z][a-z0-9_]{0,39}")
LONGEST_TEXT = 2000

#: least and most of the properties that are whole numbers
SIZES: Mapping[str, tuple[int, int]] = {
    "min_length": (0, 20_000),
    "max_length": (1, 20_000),
    "decimals": (0, 6),
    "max_mb": (1, 100),
    "max_files": (1, 50),
    "min_rows": (0, MOST_ROWS),
    "max_rows": (1, MOST_ROWS),
}


class Reader:
    """Collects the problems of one form."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def report(self, path: str, message: Text) -> None:
        self.problems.append(Problem(path=path.lstrip("."), message=message))

    def key(self, data: Mapping[str, Any], path: str) -> str | None:
        value = data.get("key")
        if isinstance(value, str) and KEY.fullmatch(value):
            return value
        said = say(
            "key「{value}」須以小寫英文字母開頭，只用小寫字母、數字和 _",
            "The key “{value}” must begin with a lower-case letter and have lower-case letters, digits and _ only",
            value=shown(value),
        )
        self.report(f"{path}.key", _missing("key") if value is None else said)
        return None

    def text(self, data: Mapping[str, Any], name: str, path: str, *, required: bool = False) -> Text | None:
        if data.get(name) is not None:
            return self.as_text(data[name], f"{path}.{name}")
        if required:
            self.report(f"{path}.{name}", _missing(name))
        return None

    def flag(self, data: Mapping[str, Any], name: str, path: str) -> bool | None:
        value = data.get(name)
        if value is not None and not isinstance(value, bool):
            said = say(
                "{name}「{value}」須為 true 或 false",
                "{name} “{value}” must be true or false",
                name=name,
                value=shown(value),
            )
            self.report(f"{path}.{name}", said)
            return None
        return value

    def whole(self, data: Mapping[str, Any], name: str, path: str) -> int | None:
        value, (least, most) = data[name], SIZES[name]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.report(f"{path}.{name}", no_whole(name, value, least, most))
        return None

    def as_text(self, data: object, path: str) -> Text | None:
        try:
            text = Text.model_validate(data)
        except ValidationError:
            said = say(
                "「{value}」須為文字，或 {{zh: 中文, en: English}}",
                "“{value}” must be text, or {{zh: Chinese, en: English}}",
                value=shown(data),
            )
            self.report(path, said)
            return None
        if len(text.zh) > LONGEST_TEXT or len(text.en) > LONGEST_TEXT:
            self.report(
                path, say("文字最多 {most} 字", "Text has at most {most} characters", most=LONGEST_TEXT)
            )
        return text

    def only(self, data: Mapping[str, Any], allowed: Collection[str], path: str, *, type_: str = "") -> None:
        for name in data:
            if name not in allowed:
                parts = {"name": shown(name), "hint": did_you_mean(name, allowed), "type": type_}
                said = (
                    say(
                        "型別 {type} 沒有「{name}」這個設定{hint}",
                        "Type {type} has no setting “{name}”{hint}",
                        **parts,
                    )
                    if type_
                    else say("沒有「{name}」這個設定{hint}", "There is no setting “{name}”{hint}", **parts)
                )
                self.report(f"{path}.{shown(name)}", said)

    def unique(self, keys: list[str], path: str, what: Text) -> None:
        for key, n in Counter(keys).items():
            if n > 1:
                said = say(
                    "{what}「{key}」重複 {n} 次",
                    "The {what} “{key}” stands there {n} times",
                    what=what,
                    key=key,
                    n=n,
                )
                self.report(path, said)


def _missing(name: str) -> Text:
    return say("缺少 {name}", "{name} is missing", name=name)


def no_whole(name: str, value: object, least: int, most: int) -> Text:
    return say(
        "{name}「{value}」須為 {least} 到 {most} 的整數",
        "{name} “{value}” must be a whole number from {least} to {most}",
        name=name,
        value=shown(value),
        least=least,
        most=most,
    )
