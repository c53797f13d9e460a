"""What a proposal says in figures: budget, milestones and planned curve, checked row by row before anybody reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rules.values import Text
from webapp.periods import month_label, parse_month
from webapp.queries.plan_facts import Point
from webapp.services import curve_rules
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


def _milestones(found: Figures) -> Iterator[Mistake]:
    for n, row in enumerate(found.milestones, start=1):
        if not found.starts_on.replace(day=1) <= row.month <= found.ends_on:
            label = month_label(row.month)
            zh = f"第 {n} 列的{label.zh}不在計畫開始與完成之間。"
            en = f"Row {n}: {label.in_('en')} lies outside the plan’s period."
            yield "milestones", _named("milestones", zh, en)


def _curve(found: Figures) -> Iterator[Mistake]:
    """Its months in order, within the plan, and no more money than the plan has."""
    for each in curve_rules.mistakes(
        list(enumerate(found.curve, start=1)),
        as_written=True,
        within=(found.starts_on, found.ends_on),
        most=found.total,
    ):
        en = f"Row {each.number}: {each.text.in_('en')}"
        yield "curve", _named("curve", f"第 {each.number} 列：{each.text.zh}", en)


def in_language(mistakes: Sequence[Mistake], language: str) -> dict[str, list[str]]:
    """By field, as pages show them."""
    found: dict[str, list[str]] = {}
    for field, words in mistakes:
        found.setdefault(field, []).append(words.in_(language))
    return found
