"""Where a goal's row span is divided: what is taller than a page cannot be set, and what is nearly so leaves a hole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from webapp.letters.contents import ScoreGoal, ScoreGroup, ScoreLine

#: characters on a line of the columns, in the widths of performance.html
GOAL, INDICATOR, VALUE, REMARK = 11, 12, 5, 11
#: of one part, in lines of text: a third of a page
MOST_LINES = 22


@dataclass(frozen=True)
class Span:
    """Rows that share one cell with their goal; the second and later parts of a goal say so."""

    title: str
    weight: str
    continued: bool
    lines: tuple[ScoreLine, ...]


def spans(group: ScoreGroup) -> Iterator[Span]:
    for goal in group.goals:
        for n, lines in enumerate(_parts(goal)):
            yield Span(goal.title, goal.weight, n > 0, lines)


def _parts(goal: ScoreGoal) -> Iterator[tuple[ScoreLine, ...]]:
    part: list[ScoreLine] = []
    used = 0
    for line in goal.lines:
        needed = height(line)
        if part and used + needed > MOST_LINES:
            yield tuple(part)
            part, used = [], 0
        part.append(line)
        used += needed
    if part:
        yield tuple(part)


def height(line: ScoreLine) -> int:
    """Lines of text that the row needs."""
    cells = (
        (line.indicator, INDICATOR),
        (line.target, VALUE),
        (line.achieved, VALUE),
        (line.remark, REMARK),
    )
    return max(ceil(_width(text) / room) for text, room in cells) or 1


def _width(text: str) -> float:
    """In characters as wide as a Chinese one."""
    return sum(1 if ord(character) > 255 else 0.55 for character in text)
