"""Periods of plan control: a month, a quarter, half a year or a year, by ROC years: 109M09, 109Q3, 109H2, 109."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date

from rules.values import Text

_WRITTEN = re.compile(
    r"(?P<year>[1-9][0-9]{0,2})(?:Q(?P<quarter>[1-4])|H(?P<half>[12])|M(?P<month>0[1-9]|1[0-2]))?"
)
_MONTH = re.compile(
    r"(?:(?:民國)?\s*(?P<roc>[1-9][0-9]{1,2})|(?:西元)?\s*(?P<gregorian>[1-9][0-9]{3}))"
    r"\s*[年\-/.M]\s*(?P<month>0?[1-9]|1[0-2])\s*月?"
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Period:
    key: str
    #: the first days of its first and last month
    first_month: date
    last_month: date

    @property
    def last_day(self) -> date:
        return last_day(self.last_month)

    @property
    def label(self) -> Text:
        year, gregorian = self.first_month.year - 1911, self.first_month.year
        first, last = self.first_month.month, self.last_month.month
        if first == last:
            return month_label(self.first_month)
        if last - first == 2:
            return Text(zh=f"{year}年第{last // 3}季", en=f"{gregorian} Q{last // 3}")
        if last - first == 5:
            return Text(zh=f"{year}年{'上' if last == 6 else '下'}半年", en=f"{gregorian} H{last // 6}")
        return Text(zh=f"{year}年", en=str(gregorian))


def parse(written: str) -> Period:
    """ValueError for what is no period."""
    key = unicodedata.normalize("NFKC", written[:20]).strip().upper()
    found = _WRITTEN.fullmatch(key)
    if found is None:
        raise ValueError(f"no period: {written[:20]!r}")
    year = int(found["year"]) + 1911
    first, last = 1, 12
    if found["quarter"]:
        last = int(found["quarter"]) * 3
        first = last - 2
    elif found["half"]:
        last = int(found["half"]) * 6
        first = last - 5
    elif found["month"]:
        first = last = int(found["month"])
    return Period(key, date(year, first, 1), date(year, last, 1))


def parse_month(written: str) -> date:
    """The first day of a month as people write it: 115-08, 115/8, 民國115年8月, 115M08, 2026-08. ValueError for others."""
    found = _MONTH.fullmatch(unicodedata.normalize("NFKC", written[:20]).strip().upper())
    year = 0 if found is None else int(found["gregorian"] or int(found["roc"]) + 1911)
    if found is None or year <= 1911:
        raise ValueError(f"no month: {written[:20]!r}")
    return date(year, int(found["month"]), 1)


def month_of(day: date) -> Period:
    return parse(f"{day.year - 1911}M{day.month:02}")


def quarter_of(day: date) -> Period:
    return parse(f"{day.year - 1911}Q{(day.month + 2) // 3}")


def last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def month_before(month: date, by: int = 1) -> date:
    count = month.year * 12 + month.month - 1 - by
    return date(count // 12, count % 12 + 1, 1)


def month_label(month: date) -> Text:
    return Text(zh=f"{month.year - 1911}年{month.month}月", en=f"{_MONTHS[month.month - 1]} {month.year}")
