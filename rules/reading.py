"""Small readers of a definition: each returns what it read, or notes what is wrong and where."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from pydantic import ValidationError

from rules.conditions import coerce, did_you_mean, shown
from rules.values import Problem, Text, say

#: stands for a required item that is not there; its absence was reported, so nothing more is said
ABSENT = object()

_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}")


class Reader:
    """Collects the problems of one definition."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.keys: set[str] = set()

    def refuse(
        self, path: str, message: Text, *, rows: tuple[int, ...] = (), choices: tuple[str, ...] = ()
    ) -> None:
        self.problems.append(Problem(path=path, message=message, rows=rows, choices=choices))

    def mapping(
        self, data: object, path: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> dict[str, Any] | None:
        if not isinstance(data, Mapping):
            said = say(
                "「{value}」必須是一組「名稱: 值」",
                "“{value}” must be pairs of “name: value”",
                value=shown(data),
            )
            self.refuse(path, said)
            return None
        prefix = f"{path}." if path else ""
        known = (*required, *optional)
        for name in data:
            if name not in known:
                hint = did_you_mean(name, known)
                said = say(
                    "不認得的項目「{name}」{hint}", "Unknown item “{name}”{hint}", name=shown(name), hint=hint
                )
                self.refuse(f"{prefix}{shown(name)}", said)
        for name in required:
            if name not in data:
                self.refuse(f"{prefix}{name}", say("缺少「{name}」", "“{name}” is missing", name=name))
        return dict.fromkeys(required, ABSENT) | dict(data)

    def items(self, data: object, path: str) -> list[Any]:
        if data is None or data is ABSENT:
            return []
        if not isinstance(data, list):
            self.refuse(path, say("「{value}」必須是清單", "“{value}” must be a list", value=shown(data)))
            return []
        return data

    def key(self, data: object, path: str) -> str | None:
        if isinstance(data, str) and _KEY.fullmatch(data):
            return data
        if data is not ABSENT:
            self.refuse(
                path,
                say(
                    "代碼「{key}」只能用小寫英文字母開頭的字母、數字與底線",
                    "The key “{key}” can only have lower-case letters, digits and underscores, a letter first",
                    key=shown(data),
                ),
            )
        return None

    def new_key(self, data: object, path: str) -> str | None:
        key = self.key(data, path)
        if key in self.keys:
            self.refuse(path, say("代碼「{key}」重複", "The key “{key}” is used twice", key=key))
        elif key is not None:
            self.keys.add(key)
        return key

    def text(self, data: object, path: str) -> Text | None:
        try:
            return Text.model_validate(data)
        except ValidationError:
            if data is not ABSENT:
                self.refuse(
                    path,
                    say(
                        "「{value}」必須是文字，或 {{zh: 中文, en: 英文}}",
                        "“{value}” must be text, or {{zh: Chinese, en: English}}",
                        value=shown(data),
                    ),
                )
            return None

    def day(self, data: object, path: str) -> date | None:
        if data is None:
            return None
        day = coerce("date", data)
        if isinstance(day, date):
            return day
        said = say(
            "「{value}」不是日期，請寫成 2026-01-31",
            "“{value}” is no date; write it like 2026-01-31",
            value=shown(data),
        )
        self.refuse(path, said)
        return None

    def choice(self, data: object, path: str, choices: tuple[Any, ...]) -> Any:
        if data in choices:
            return data
        if data is not ABSENT:
            self.refuse(
                path,
                say(
                    "「{value}」不在可選的值之中：{choices}",
                    "“{value}” is none of the values to choose from: {choices}",
                    value=shown(data),
                    choices=choices,
                ),
            )
        return choices[0]
