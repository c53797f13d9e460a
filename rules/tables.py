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
from rules.values import Text

#: a table this finely divided is not checked to the end
MAX_REGIONS = 50_000
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """A mistake in the table as a whole; rows and columns count from 1."""

    message: str
    row: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class _Region:
    words: str
    value: object


Cell = Leaf | None
Grid = Sequence[Sequence[Cell]]
#: per region of a column: its words, and the rows that match it as bits
_Column = tuple[tuple[str, int], ...]


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
            message = "這一欄與其他事實或清單比較，無法檢查缺口，請加上 complete: false"
            return [Finding(message, column=number)] if complete else []
    columns = [_column(list(zip(*cells, strict=True)), labels, params) for cells in by_fact.values()]
    findings: list[Finding] = []
    effective, overlapping = 0, set[int]()
    for visited, (words, rows) in enumerate(_regions(columns, (1 << len(grid)) - 1)):
        if visited == MAX_REGIONS:
            return [*findings, Finding("表格太大，無法檢查重疊與缺口，請分成幾個表")]
        if len(findings) == MAX_FINDINGS:
            return findings
        effective |= _counting(rows, policy, ranks)
        where = "、".join(filter(None, words)) or "任何情形"
        if not rows and complete:
            findings.append(Finding(f"缺口：{where}，沒有任何一列符合"))
        if policy == "unique" and rows & (rows - 1) and rows not in overlapping:
            overlapping.add(rows)
            several = [number for number in range(1, len(grid) + 1) if rows & _bit(number)]
            listed = "、".join(map(str, several))
            findings.append(Finding(f"重疊：{where}，第 {listed} 列都符合", row=several[1]))
    idle = [number for number in range(1, len(grid) + 1) if not effective & _bit(number)]
    return [*findings, *(Finding(f"第 {number} 列永遠不會被採用", row=number) for number in idle)]


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


def _regions(columns: Sequence[_Column], rows: int) -> Iterator[tuple[tuple[str, ...], int]]:
    if not columns:
        yield (), rows
        return
    seen = set()
    for words, matching in columns[0]:
        common = rows & matching
        if common in seen:
            continue
        seen.add(common)
        if common:
            for more, final in _regions(columns[1:], common):
                yield (words, *more), final
        else:
            yield (words,), 0


def _column(
    rows: Sequence[Sequence[Cell]], labels: Mapping[str, Text], params: Mapping[str, object]
) -> _Column:
    """The columns that ask for one fact, taken together."""
    leaves = [cell for row in rows for cell in row if cell]
    fact = leaves[0].fact
    result = []
    for region in _split(leaves, labels, params):
        known = {fact: region.value}
        bits = sum(
            1 << i for i, row in enumerate(rows) if all(evaluate(cell, known, params) for cell in row if cell)
        )
        result.append((f"{label_of(fact, labels, 'zh')}{region.words}", bits))
    return tuple(result)


def _split(leaves: Sequence[Leaf], labels: Mapping[str, Text], params: Mapping[str, object]) -> list[_Region]:
    fact = leaves[0].fact
    compared = [leaf for leaf in leaves if leaf.op not in ("exists", "missing")]
    type_ = compared[0].type if compared else "text"  # whether there is a value is asked of every type alike
    regions = [_Region("沒有資料", None)] if len(compared) < len(leaves) else []
    if type_ == "boolean":
        return [*regions, _Region("為「是」", True), _Region("為「否」", False)]
    named: list[object] = []
    for leaf in compared:
        value = threshold(leaf, {}, params)
        named += [x for each in as_list(value) or (value,) if (x := coerce(type_, each)) is not None]
    if type_ in ("number", "date"):
        return regions + _intervals(named, fact=fact, labels=labels)
    other = "其他" + "".join(str(x) for x in named)  # equal to none of them
    shown = [_Region(f"為{_words(x, fact, labels)}", x) for x in dict.fromkeys(named)]
    return [*regions, *shown, _Region("為其他值", other)]


def _intervals(named: Sequence[Any], *, fact: str, labels: Mapping[str, Text]) -> list[_Region]:
    if not named:
        return [_Region("為任何值", Decimal(0))]
    points = sorted(set(named))
    words = [_words(point, fact, labels) for point in points]
    regions = [_Region(f"小於 {words[0]}", _beside(points[0], -1))]
    for i, point in enumerate(points):
        regions.append(_Region(f"等於 {words[i]}", point))
        if i + 1 == len(points):
            regions.append(_Region(f"大於 {words[i]}", _beside(point, 1)))
        elif (between := _between(point, points[i + 1])) is not None:
            regions.append(_Region(f"介於 {words[i]} 與 {words[i + 1]} 之間", between))
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


def _words(value: object, fact: str, labels: Mapping[str, Text]) -> str:
    return show_value(value, fact=fact, labels=labels, lang="zh")
