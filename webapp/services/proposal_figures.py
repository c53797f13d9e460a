"""What a proposal says in figures: budget, milestones and planned curve, checked row by row before anybody reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rules.values import Text
from webapp.periods import month_label, parse_month
from webapp.queries.plan_facts import FULL, Point
from webapp.services.plan_curves import MOST_MONEY

#: the field of the form that is to blame, and the words
Mistake = tuple[str, Text]


@dataclass(frozen=True)
class Money:
    year: int
    source: str
    amount: Decimal


@dataclass(frozen=True)
class Milestone:
    what: str
    month: date


@dataclass(frozen=True)
class Figures:
    starts_on: date
    ends_on: date
    budget: tuple[Money, ...]
    milestones: tuple[Milestone, ...]
    curve: tuple[Point, ...]

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.budget), Decimal(0))


def read(answers: Mapping[str, Any], year: int) -> Figures | list[Mistake]:
    """The figures of answers that the form took, for a ROC year; every mistake at once where they do not fit."""
    starts_on, ends_on = (date.fromisoformat(answers[name]) for name in ("starts_on", "ends_on"))
    mistakes: list[Mistake] = []
    months = {
        field: [_month(field, n, row, mistakes) for n, row in enumerate(answers[field], start=1)]
        for field in ("milestones", "curve")
    }
    if mistakes:
        return mistakes
    found = Figures(
        starts_on,
        ends_on,
        tuple(Money(int(row["year"]), row["source"], Decimal(row["amount"])) for row in answers["budget"]),
        tuple(
            Milestone(row["what"], month)
            for row, month in zip(answers["milestones"], months["milestones"], strict=True)
            if month
        ),
        tuple(
            Point(month, Decimal(row["planned"]), Decimal(row["spend"]) if row.get("spend") else None)
            for row, month in zip(answers["curve"], months["curve"], strict=True)
            if month
        ),
    )
    mistakes = [
        *_of_year(found, year),
        *_budget(found),
        *_milestones(found),
        *_curve(found),
        *_spending(found),
    ]
    return mistakes or found


def _month(field: str, n: int, row: Mapping[str, Any], mistakes: list[Mistake]) -> date | None:
    try:
        return parse_month(row["month"])
    except ValueError:
        zh = f"第 {n} 列的月份「{row['month'][:20]}」無法辨識，請填年/月，例如 116/3。"
        en = f"Row {n}: “{row['month'][:20]}” is no month; write year/month, such as 116/3."
        mistakes.append((field, _named(field, zh, en)))
    return None


_NAMES = {
    "budget": Text(zh="經費需求", en="Budget"),
    "milestones": Text(zh="查核點", en="Milestones"),
    "curve": Text(zh="預定進度", en="Planned progress"),
}


def _named(field: str, zh: str, en: str) -> Text:
    name = _NAMES[field]
    return Text(zh=name.zh + zh, en=f"{name.in_('en')}, {en[0].lower()}{en[1:]}")


def _of_year(found: Figures, year: int) -> Iterator[Mistake]:
    """The plan runs in the year that it is proposed for, and asks for money in it."""
    zh, en = f"這次提報的是 {year} 年度的計畫", f"Plans of the ROC year {year} are proposed here"
    if found.starts_on.year - 1911 > year:
        yield "starts_on", Text(zh=f"{zh}，不能到隔年才開始。", en=f"{en}: it cannot begin after that year.")
    if found.ends_on.year - 1911 < year:
        yield "ends_on", Text(zh=f"{zh}，不能在那之前就完成。", en=f"{en}: it cannot end before that year.")
    if all(row.year != year for row in found.budget):
        yield (
            "budget",
            _named("budget", f"沒有 {year} 年度的經費。", f"There is no row of the ROC year {year}."),
        )


def _budget(found: Figures) -> Iterator[Mistake]:
    """A year and a source have one amount, in a year of the plan."""
    first: dict[tuple[int, str], int] = {}
    years = range(found.starts_on.year - 1911, found.ends_on.year - 1911 + 1)
    for n, row in enumerate(found.budget, start=1):
        before = first.setdefault((row.year, row.source), n)
        if before != n:
            zh = f"第 {n} 列與第 {before} 列是同一年度、同一來源，請合併成一列。"
            en = f"Row {n} has the year and the source of row {before}: make them one."
            yield "budget", _named("budget", zh, en)
        if row.year not in years:
            zh = f"第 {n} 列的 {row.year} 年度不在計畫期程（{years[0]} 至 {years[-1]} 年）內。"
            en = f"Row {n}: {row.year} is no year of the plan ({years[0]} to {years[-1]})."
            yield "budget", _named("budget", zh, en)
    if found.total > MOST_MONEY:
        zh = f"各列合計 {found.total:,} 元超過系統所能記載的 {MOST_MONEY:,} 元。"
        en = f"The rows add up to NT$ {found.total:,}; at most NT$ {MOST_MONEY:,} can be kept."
        yield "budget", _named("budget", zh, en)


def _outside(found: Figures, month: date) -> bool:
    return month < found.starts_on.replace(day=1) or month > found.ends_on


def _milestones(found: Figures) -> Iterator[Mistake]:
    for n, row in enumerate(found.milestones, start=1):
        if _outside(found, row.month):
            yield "milestones", _named("milestones", *_not_within(n, row.month))


def _not_within(n: int, month: date) -> tuple[str, str]:
    label = month_label(month)
    return (
        f"第 {n} 列的{label.zh}不在計畫開始與完成之間。",
        f"Row {n}: {label.in_('en')} lies outside the plan’s period.",
    )


def _curve(found: Figures) -> Iterator[Mistake]:
    """Months in order and once, within the plan; progress never falls and ends at exactly 100."""
    before: Point | None = None
    for n, point in enumerate(found.curve, start=1):
        if _outside(found, point.month):
            yield "curve", _named("curve", *_not_within(n, point.month))
        if before is not None and point.month == before.month:
            label = month_label(point.month)
            zh = f"第 {n} 列的{label.zh}和上一列重複，一個月只能一列。"
            yield "curve", _named("curve", zh, f"Row {n} repeats {label.in_('en')}: one row a month.")
        elif before is not None and point.month < before.month:
            zh = f"第 {n} 列的月份比上一列早，請依月份先後填寫。"
            yield "curve", _named("curve", zh, f"Row {n} lies before the row above: put the months in order.")
        if before is not None and point.planned < before.planned:
            zh = f"第 {n} 列的 {point.planned}% 比上一列的 {before.planned}% 低，累計進度不會倒退。"
            en = f"Row {n}: {point.planned} % is less than {before.planned} % above; progress never falls."
            yield "curve", _named("curve", zh, en)
        before = point
    if before is not None and before.planned != FULL:
        zh = f"最後一列須為 100%，您填的是 {before.planned}%。"
        yield "curve", _named("curve", zh, f"The last row must be 100 %, not {before.planned} %.")


def _spending(found: Figures) -> Iterator[Mistake]:
    """Cumulative spending never falls and stays within the budget."""
    before: tuple[int, Decimal] | None = None
    for n, point in enumerate(found.curve, start=1):
        if point.budget is None:
            continue
        if before is not None and point.budget < before[1]:
            zh = f"第 {n} 列的累計支用比第 {before[0]} 列少，累計金額不會倒退。"
            en = f"Row {n}: less is spent than in row {before[0]}; what is cumulative never falls."
            yield "curve", _named("curve", zh, en)
        if point.budget > found.total:
            zh = f"第 {n} 列的累計支用 {point.budget:,} 元超過經費需求合計 {found.total:,} 元。"
            en = f"Row {n}: NT$ {point.budget:,} is more than the whole budget, NT$ {found.total:,}."
            yield "curve", _named("curve", zh, en)
        before = (n, point.budget)


def in_language(mistakes: Sequence[Mistake], language: str) -> dict[str, list[str]]:
    """By field, as pages show them."""
    found: dict[str, list[str]] = {}
    for field, words in mistakes:
        found.setdefault(field, []).append(words.in_(language))
    return found
