"""What is said when an answer cannot be taken: in Chinese and English, naming the field and the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rules.values import Text


@dataclass(frozen=True, slots=True)
class Mistake:
    """One sentence, and the part of the field that it is about ("" for the whole field)."""

    text: Text
    part: str = ""


class Invalid(ValueError):
    """An answer that is refused, with every mistake in it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.mistakes)


def words(zh: str, en: str, **values: object) -> Text:
    """A sentence with its values filled in; a Text among them in the language of the sentence."""

    def filled(template: str, lang: str) -> str:
        return template.format(**{k: v.in_(lang) if isinstance(v, Text) else v for k, v in values.items()})

    return Text(zh=filled(zh, "zh"), en=filled(en, "en"))


def refuse(label: Text, zh: str, en: str, *, part: str = "", **values: Any) -> Invalid:
    return Invalid([Mistake(words(zh, en, label=label, **values), part)])


def quoted(text: str, limit: int = 20) -> str:
    """What was typed, short enough and safe to repeat in a sentence."""
    safe = printable(text[: limit + 1])
    return safe if len(text) <= limit else f"{safe[:limit]}…"


def printable(text: str) -> str:
    """The text as typed, without what a page or a database cannot carry: NUL and half characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8") if text else text
