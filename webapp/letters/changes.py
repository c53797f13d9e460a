"""What changed between two versions of a text, in pieces that a reader or a screen reader can tell apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

Kind = Literal["same", "added", "removed"]
#: two texts less alike than this are shown one after the other: shreds cannot be read
_ALIKE = 0.5


@dataclass(frozen=True)
class Piece:
    kind: Kind
    text: str


def pieces(old: str, new: str) -> list[Piece]:
    """The removed words stand before those that replace them."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if old and new and matcher.ratio() < _ALIKE:
        return [Piece("removed", old), Piece("added", new)]
    found: list[Piece] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            found.append(Piece("same", old[a:b]))
            continue
        found += [Piece(k, text) for k, text in (("removed", old[a:b]), ("added", new[c:d])) if text]
    return found


def paragraphs(old: list[str], new: list[str]) -> Iterator[list[Piece]]:
    """Paragraph by paragraph; one that moved, came or went is wholly added or removed."""
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from ([Piece("same", text)] for text in old[a:b])
        else:
            yield from (pieces(*pair) for pair in zip_longest(old[a:b], new[c:d], fillvalue=""))
