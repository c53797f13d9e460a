"""What is wrong with a table, each problem led back to its row and column."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from rules.sheets import COLUMNS, Column, Half, Table
from rules.values import COMMAS, Problem
from webapp.presentation import language
from webapp.queries import editing as queries

_PATH = re.compile(r"\.(rows|inputs|outputs)(?:\[(\d+)\])?(?:\.(when|then)(?:\[(\d+)\])?)?")


@dataclass(frozen=True)
class Located:
    """A problem, and the ids of what it marks; the first is where its link leads."""

    message: str
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    problems: list[Located]
    #: problems of the ruleset's other parts
    elsewhere: int
    milliseconds: float

    @property
    def marks(self) -> dict[str, str]:
        """Id of what is marked -> ids of what is said about it."""
        marks: dict[str, str] = {}
        for n, problem in enumerate(self.problems, start=1):
            for mark in problem.marks:
                marks[mark] = f"{marks.get(mark, '')} problem-{n}".strip()
        return marks


def check(body: Mapping[str, Any], place: int, table: Table | None) -> Checked:
    """The whole ruleset as the loader reads it: what it says of this table, and how much of the rest."""
    began = time.perf_counter()
    problems = queries.problems(body)
    took = (time.perf_counter() - began) * 1000
    prefix = f"tables[{place}]"
    mine = [each for each in problems if each.path == prefix or each.path.startswith(f"{prefix}.")]
    located = [_located(each, each.path[len(prefix) :], table) for each in mine]
    return Checked(located, len(problems) - len(mine), took)


def _located(problem: Problem, path: str, table: Table | None) -> Located:
    found, message = _PATH.match(path), problem.message.in_(language())
    if found is None or table is None:
        return Located(message, ("settings",))
    part, place, half, cell = found[1], int(found[2] or -1), found[3], int(found[4] or -1)
    if part != "rows":
        return Located(message, (f"column-{'when' if part == 'inputs' else 'then'}-{place}",))
    if len(problem.rows) > 1:
        return Located(message, tuple(f"row-{row - 1}" for row in problem.rows))
    if place < 0:
        return Located(message, ())
    marks = (f"row-{place}",)
    if half in COLUMNS and cell >= 0:
        marks = (f"{half}-{place}-{cell}", *marks)
    columns = table.half(half) if half else []
    if 0 <= cell < len(columns):
        message = _in_words(message, problem.choices, columns[cell])
    return Located(message if problem.rows else _named(message, table, place, half, cell), marks)


def _named(message: str, table: Table, row: int, half: Half | None, cell: int) -> str:
    """The sentence with its row and column before it."""
    columns = table.half(half) if half else []
    if 0 <= cell < len(columns):
        number = cell + 1 + (len(table.half("when")) if half == "then" else 0)
        return _(
            "第 %(row)s 列第 %(number)s 欄「%(column)s」：%(message)s",
            row=row + 1,
            number=number,
            column=columns[cell].heading(language()),
            message=message,
        )
    return _("第 %(row)s 列：%(message)s", row=row + 1, message=message)


def _in_words(message: str, choices: Sequence[str], column: Column) -> str:
    """What could be chosen, as cells write it."""
    listed, words = COMMAS[language()].join, column.notation.domain.words
    if not message.endswith(listed(choices)):
        return message
    return message.removesuffix(listed(choices)) + listed(words.word(code, language()) for code in choices)
