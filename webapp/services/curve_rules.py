"""What is wrong with a planned curve, whoever typed it: a month once, nothing falls, the last month reaches 100.

How a month or a number is written is checked where it is read; here stand rows that could be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rules.values import Text
from webapp.periods import month_label
from webapp.queries.plan_facts import FULL, Point

#: a point with the number of its row
Numbered = tuple[int, Point]


@dataclass(frozen=True)
class Mistake:
    """`part` of the row with this number: month, planned or budget."""

    number: int
    part: str
    text: Text


def mistakes(
    rows: Sequence[Numbered],
    *,
    as_written: bool = False,
    within: tuple[date, date] | None = None,
    most: Decimal | None = None,
) -> list[Mistake]:
    """Every mistake of at least one row.

    `as_written`: the months stand in their order. `within`: first and last day of the plan. `most`: all its money.
    """
    ordered = list(rows) if as_written else sorted(rows, key=lambda each: each[1].month)
    return [*_months(ordered, within), *_shares(ordered), *_money(ordered, most)]


def _months(ordered: Sequence[Numbered], within: tuple[date, date] | None) -> Iterator[Mistake]:
    first: dict[date, int] = {}
    before = ordered[0]
    for number, point in ordered:
        label, at = month_label(point.month), first.setdefault(point.month, number)
        if within is not None and not within[0].replace(day=1) <= point.month <= within[1]:
            zh, en = f"{label.zh}不在計畫開始與完成之間。", f"{label.en} lies outside the plan’s period."
            yield Mistake(number, "month", Text(zh=zh, en=en))
        if at != number:
            zh = f"{label.zh}在第 {at} 列已經出現，一個月只能一列。"
            en = f"{label.en} stands in row {at} already: one row a month."
            yield Mistake(number, "month", Text(zh=zh, en=en))
        elif point.month < before[1].month:
            zh = f"月份比第 {before[0]} 列早，請依月份先後填寫。"
            en = f"the month lies before that of row {before[0]}: put the months in order."
            yield Mistake(number, "month", Text(zh=zh, en=en))
        before = (number, point)


def _shares(ordered: Sequence[Numbered]) -> Iterator[Mistake]:
    at, highest = ordered[0]
    for number, point in ordered:
        if point.planned >= highest.planned:
            at, highest = number, point
            continue
        label, share = month_label(highest.month), f"{highest.planned.normalize():f}"
        zh = f"累計預定進度不會倒退：第 {at} 列（{label.zh}）已是 {share}%。"
        en = f"the curve does not fall: row {at} ({label.en}) has {share} % already."
        yield Mistake(number, "planned", Text(zh=zh, en=en))
    number, last = ordered[-1]
    if last.planned != FULL:
        label, share = month_label(last.month), f"{last.planned.normalize():f}"
        zh = f"最後一個月（{label.zh}）的累計預定進度須為 100%，目前 {share}%。"
        en = f"the last month ({label.en}) must reach 100 %, it has {share} %."
        yield Mistake(number, "planned", Text(zh=zh, en=en))


def _money(ordered: Sequence[Numbered], most: Decimal | None) -> Iterator[Mistake]:
    (at, highest), spent = ordered[0], Decimal(0)
    for number, point in ordered:
        if point.budget is None:
            continue
        if point.budget >= spent:
            at, highest, spent = number, point, point.budget
        else:
            label = month_label(highest.month)
            zh = f"累計預定經費不會減少：第 {at} 列（{label.zh}）已是 {spent:,f} 元。"
            en = f"the money does not fall: row {at} ({label.en}) has NT$ {spent:,f} already."
            yield Mistake(number, "budget", Text(zh=zh, en=en))
        if most is not None and point.budget > most:
            zh = f"累計預定經費 {point.budget:,f} 元超過經費需求合計 {most:,f} 元。"
            en = f"NT$ {point.budget:,f} is more than the whole budget, NT$ {most:,f}."
            yield Mistake(number, "budget", Text(zh=zh, en=en))
