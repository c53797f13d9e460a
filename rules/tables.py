"""Gaps, overlaps and rows without effect in a decision table.

Every column splits its fact into regions (each value named by a cell, and what lies between). A region of
the whole table is one region of each column; the rows that match it are the common bits of the columns.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from rules.conditions import (
    FactRef,
    Leaf,
    as_list,
    coerce,
    evaluate,
    label_of,
    show_value,
    threshold,
)
from rules.model import HitPolicy
from rules.values import Text, say

#: a table this finely divided is not checked to the end
MAX_REGIONS = 50_000
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in the table as a whole; rows and columns count from 1."""

    message: Text
    row: int | None = None
    column: int | None = None
    #: all that the message names
    rows: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of the values of a fact, of which one stands for all, and how it is said between its bounds."""

    fact: str
    words: Text
    bounds: tuple[object, ...]
    value: object


Cell = Leaf | None
Grid = Sequence[Sequence[Cell]]
#: per region of a column: the rows that match it as bits
_Column = tuple[tuple[_Region, int], ...]

_NOTHING = Text(zh="沒有資料", en="is missing")
_YES, _NO = Text(zh="為「是」", en="is yes"), Text(zh="為「否」", en="is no")
_IS, _OTHER = Text(zh="為{0}", en="is {0}"), Text(zh="為其他值", en="is anything else")
_ANY = Text(zh="為任何值", en="is any value")
_LESS, _MORE = Text(zh="小於 {0}", en="is less than {0}"), Text(zh="大於 {0}", en="is more than {0}")
_EQUAL = Text(zh="等於 {0}", en="is {0}")
_BETWEEN = Text(zh="介於 {0} 與 {1} 之間", en="is between {0} and {1}")
_ANYTHING = Text(zh="任何情形", en="in every case")
_NO_CHECK = Text(
    zh="這一欄與其他事實或清單比較，無法檢查缺口，請加上 complete: false",
    en="This column compares with other facts or with lists, so gaps cannot be found; add complete: false",
)
_TOO_LARGE = Text(
    zh="表格太大，無法檢查重疊與缺口，請分成幾個表",
    en="The table is too large to look for overlaps and gaps; divide it into several",
)


def check(
    grid: Grid,
    policy: HitPolicy,
    *,
    complete: bool,
    labels: Mapping[str, Text],
    params: Mapping[str, object],
    ranks: Sequence[int] | None = None,
) -> list[Finding]:
    """What is wrong with the rows together. `ranks`: where the output of each stands in its order of values."""
    by_fact: dict[str, list[Sequence[Cell]]] = {}
    for number, cells in enumerate(zip(*grid, strict=True), start=1):
        if leaves := [cell for cell in cells if cell]:
            by_fact.setdefault(leaves[0].fact, []).append(cells)
        if any(isinstance(leaf.value, FactRef) or leaf.op == "contains" for leaf in leaves):
            return [Finding(_NO_CHECK, column=number)] if complete else []
    columns = [_column(list(zip(*cells, strict=True)), params) for cells in by_fact.values()]
    findings: list[Finding] = []
    effective, overlapping = 0, set[int]()
    for visited, (regions, rows) in enumerate(_regions(columns, (1 << len(grid)) - 1)):
        if visited == MAX_REGIONS:
            return [*findings, Finding(_TOO_LARGE)]
        if len(findings) == MAX_FINDINGS:
            return findings
        effective |= _counting(rows, policy, ranks)
        if not rows and complete:
            where = _where(regions, labels)
            findings.append(
                Finding(say("缺口：{where}，沒有任何一列符合", "Gap: {where}: no row matches", where=where))
            )
        if policy == "unique" and rows & (rows - 1) and rows not in overlapping:
            overlapping.add(rows)
            several = [number for number in range(1, len(grid) + 1) if rows & _bit(number)]
            said = say(
                "重疊：{where}，第 {rows} 列都符合",
                "Overlap: {where}: rows {rows} all match",
                where=_where(regions, labels),
                rows=several,
            )
            findings.append(Finding(said, row=several[1], rows=tuple(several)))
    idle = [number for number in range(1, len(grid) + 1) if not effective & _bit(number)]
    return [*findings, *map(_idle, idle)]


def _idle(row: int) -> Finding:
    return Finding(say("第 {row} 列永遠不會被採用", "Row {row} is never used", row=row), row=row, rows=(row,))


def _counting(rows: int, policy: HitPolicy, ranks: Sequence[int] | None) -> int:
    """Of the rows that match a region, as bits, those that the policy lets count."""
    if policy == "first":
        return rows & -rows
    if policy == "priority" and ranks:
        matching = [number for number in range(1, len(ranks) + 1) if rows & _bit(number)]
        return _bit(min(matching, key=lambda number: ranks[number - 1])) if matching else 0
    return rows


def _bit(row: int) -> int:
    return 1 << (row - 1)


def _regions(columns: Sequence[_Column], rows: int) -> Iterator[tuple[tuple[_Region, ...], int]]:
    if not columns:
        yield (), rows
        return
    seen = set()
    for region, matching in columns[0]:
        common = rows & matching
        if common in seen:
            continue
        seen.add(common)
        if common:
            for more, final in _regions(columns[1:], common):
                yield (region, *more), final
        else:
            yield (region,), 0


def _where(regions: Sequence[_Region], labels: Mapping[str, Text]) -> Text:
    """Said only of what is wrong: a table has many regions."""
    said = {lang: [_words(region, labels, lang) for region in regions] for lang in ("zh", "en")}
    return Text(zh="、".join(said["zh"]), en=", ".join(said["en"])) if regions else _ANYTHING


def _words(region: _Region, labels: Mapping[str, Text], lang: str) -> str:
    bounds = [show_value(each, fact=region.fact, labels=labels, lang=lang) for each in region.bounds]
    words, label = region.words.in_(lang).format(*bounds), label_of(region.fact, labels, lang)
    return f"{label}{words}" if lang == "zh" else f"“{label}” {words}"


def _column(rows: Sequence[Sequence[Cell]], params: Mapping[str, object]) -> _Column:
    """The columns that ask for one fact, taken together."""
    leaves = [cell for row in rows for cell in row if cell]
    fact = leaves[0].fact
    result = []
    for region in _split(leaves, params):
        known = {fact: region.value}
        bits = sum(
            1 << i for i, row in enumerate(rows) if all(evaluate(cell, known, params) for cell in row if cell)
        )
        result.append((region, bits))
    return tuple(result)


def _split(leaves: Sequence[Leaf], params: Mapping[str, object]) -> list[_Region]:
    fact = leaves[0].fact
    compared = [leaf for leaf in leaves if leaf.op not in ("exists", "missing")]
    type_ = compared[0].type if compared else "text"  # whether there is a value is asked of every type alike
    regions = [_Region(fact, _NOTHING, (), None)] if len(compared) < len(leaves) else []
    if type_ == "boolean":
        return [*regions, _Region(fact, _YES, (), True), _Region(fact, _NO, (), False)]
    named: list[object] = []
    for leaf in compared:
        value = threshold(leaf, {}, params)
        named += [x for each in as_list(value) or (value,) if (x := coerce(type_, each)) is not None]
    if type_ in ("number", "date"):
        return regions + _intervals(named, fact)
    other = "其他" + "".join(str(x) for x in named)  # equal to none of them
    return [
        *regions,
        *(_Region(fact, _IS, (x,), x) for x in dict.fromkeys(named)),
        _Region(fact, _OTHER, (), other),
    ]


def _intervals(named: Sequence[Any], fact: str) -> list[_Region]:
    if not named:
        return [_Region(fact, _ANY, (), Decimal(0))]
    points = sorted(set(named))
    regions = [_Region(fact, _LESS, (points[0],), _beside(points[0], -1))]
    for i, point in enumerate(points):
        regions.append(_Region(fact, _EQUAL, (point,), point))
        if i + 1 == len(points):
            regions.append(_Region(fact, _MORE, (point,), _beside(point, 1)))
        elif (between := _between(point, points[i + 1])) is not None:
            regions.append(_Region(fact, _BETWEEN, (point, points[i + 1]), between))
    return regions


def _beside(point: Decimal | date, step: int) -> object:
    if not isinstance(point, date):
        return point + step
    try:
        return point + timedelta(days=step)
    except OverflowError:
        return point


def _between(low: Decimal | date, high: Decimal | date) -> object | None:
    """A value strictly between two neighbours; days that follow each other have none."""
    if isinstance(low, date) and isinstance(high, date):
        return low + timedelta(days=1) if (high - low).days > 1 else None
    return (Decimal(str(low)) + Decimal(str(high))) / 2
