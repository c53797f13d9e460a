"""How the answers of an application, or the room for them, are laid out on the printed form."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from webapp.letters.contents import Grid, Heading, Row, Section

_FORM_WIDTH = 170  # millimetres
_HALF = 30  # columns of type (two a Chinese character) of an answer that shares its line
_LABEL = 14  # and of its label
_HAND = 16  # columns of type that a hand needs at least for a cell of a table
_LONG = 1000  # columns, or line ends, from which an answer is set as paragraphs
_LONG_LINES = 12
_MOST_ROWS = 100  # of one table: the time that a longer one takes grows with the square of its rows


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WFA" else 1 for character in text)


def _is_long(row: Row) -> bool:
    return _width(row.value) > _LONG or row.value.count("\n") > _LONG_LINES


def _is_short(row: Row | Heading) -> bool:
    if isinstance(row, Heading) or row.wide or row.statement or row.notes or row.lines > 1:
        return False
    if "\n" in row.value or _width(row.label) > _LABEL:
        return False
    if row.choices:
        return sum(_width(choice.label + choice.small) + 4 for choice in row.choices) <= _HALF
    return max(_width(row.value), 2 * row.frames) <= _HALF


@dataclass
class Block:
    """One of three: lines of one or two questions each, a grid with its column widths, or one answer of many words."""

    lines: list[list[Row | Heading]] = field(default_factory=list)
    grid: Grid | None = None
    widths: tuple[float, ...] = ()
    #: the grid goes on: its label stands above already
    more: bool = False
    long: Row | None = None


def blocks(section: Section) -> Iterator[Block]:
    """Short answers stand two in a line, as on a paper form; grids and long answers stand outside its lines.

    A long answer is set as paragraphs, since a table cell higher than a page is slow to lay out and hard to read.
    """
    lines: list[list[Row | Heading]] = []
    for row in section.rows:
        if isinstance(row, Grid) or (isinstance(row, Row) and _is_long(row)):
            if lines:
                yield Block(lines)
                lines = []
            yield from _grids(row) if isinstance(row, Grid) else (Block(long=row),)
        elif lines and len(lines[-1]) == 1 and _is_short(lines[-1][0]) and _is_short(row):
            lines[-1].append(row)
        else:
            lines.append([row])
    if lines:
        yield Block(lines)


def _grids(grid: Grid) -> Iterator[Block]:
    widths = _column_widths(grid)
    for start in range(0, max(len(grid.rows), 1), _MOST_ROWS):
        part = Grid(
            grid.label,
            grid.columns,
            grid.rows[start : start + _MOST_ROWS],
            grid.small,
            grid.notes,
            grid.small_columns,
        )
        yield Block(grid=part, widths=widths, more=start > 0)


def _column_widths(grid: Grid) -> tuple[float, ...]:
    """Millimetres for each column, by its longest text within reason."""
    longest = [max(map(_width, column)) for column in zip(grid.columns, *grid.rows, strict=True)]
    first = grid.rows[0] if grid.rows else grid.columns
    weights = [
        min(max(columns, 6 if cell else _HAND), 40) for columns, cell in zip(longest, first, strict=True)
    ]
    return tuple(round(_FORM_WIDTH * weight / sum(weights), 2) for weight in weights)
