"""〓, the printers' mark for type that is not at hand."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import chain
from typing import Any, TypeVar

from webapp.letters import fonts

Document = TypeVar("Document")


def printable(document: Document) -> tuple[Document, tuple[str, ...]]:
    """The document with 〓 for every character that no typeface has, and the code points it stands for.

    What people wrote must not stop their receipt, nor a name the letter to it; what officers write is refused instead.
    """
    missing = fonts.missing(chain.from_iterable(_texts(document)))
    if missing:
        document = _translated(document, {ord(character): "〓" for character in missing})
    return document, tuple(f"U+{ord(character):04X}" for character in missing)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        yield from chain.from_iterable(map(_texts, value))
    elif is_dataclass(value):
        yield from chain.from_iterable(_texts(getattr(value, each.name)) for each in fields(value))


def _translated(value: Any, table: dict[int, str]) -> Any:
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, tuple):
        return tuple(_translated(item, table) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value, **{each.name: _translated(getattr(value, each.name), table) for each in fields(value)}
        )
    return value
