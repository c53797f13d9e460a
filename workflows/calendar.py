"""Working days of the public offices: the published calendar, changed by the days that no package knows."""

from calendar import isleap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType

import holidays

_DAY = timedelta(days=1)
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class _Year:
    working: frozenset[date]
    names: Mapping[date, str]


@lru_cache(maxsize=256)
def _year(year: int) -> _Year:
    """One year as the government published it, make-up Saturdays included."""
    official = holidays.country_holidays("TW", years=year, language="zh_TW")
    days = [date(year, 1, 1) + _DAY * i for i in range(366 if isleap(year) else 365)]
    working = frozenset(d for d in days if official.is_working_day(d))
    makeup = {d: "補行上班日" for d in working if d.weekday() >= _SATURDAY}
    return _Year(working, MappingProxyType({**official, **makeup}))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Immutable and hashable. `off` are stop-work days, `work` forced working days, each with its reason.

    Of the stop-work days, `stopped` also stop the limits in calendar days and months (行政程序法 51 V).
    """

    off: Mapping[date, str] = field(default_factory=dict)
    work: Mapping[date, str] = field(default_factory=dict)
    stopped: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if both := self.off.keys() & self.work.keys():
            raise ValueError(f"{min(both)} cannot be both off and working")
        object.__setattr__(self, "off", MappingProxyType(dict(self.off)))
        object.__setattr__(self, "work", MappingProxyType(dict(self.work)))

    def __hash__(self) -> int:
        return hash((frozenset(self.off.items()), frozenset(self.work.items()), self.stopped))

    def is_working_day(self, d: date) -> bool:
        if d in self.work:
            return True
        return d not in self.off and d in _year(d.year).working

    def next_working_day(self, d: date) -> date:
        """The day itself, or else the first working day after it."""
        while not self.is_working_day(d):
            d += _DAY
        return d

    def add_working_days(self, d: date, n: int) -> date:
        """The n-th working day after `d`, which is not counted; before it when n is negative."""
        step = _DAY if n >= 0 else -_DAY
        left = abs(n)
        while left:
            d += step
            left -= self.is_working_day(d)
        return d

    def working_days_between(self, a: date, b: date) -> int:
        """Working days after `a` up to and including `b`; negative when `b` is earlier."""
        if b < a:
            return -self.working_days_between(b, a)
        return sum(self.is_working_day(a + _DAY * i) for i in range(1, (b - a).days + 1))

    def name_of(self, d: date) -> str:
        """Why the day is off, or why a weekend day is worked; empty on an ordinary day."""
        return self.work.get(d) or self.off.get(d) or _year(d.year).names.get(d, "")

    def is_special(self, d: date) -> bool:
        """A weekday that is off, or a weekend day that is worked."""
        return self.is_working_day(d) == (d.weekday() >= _SATURDAY)
