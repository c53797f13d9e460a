"""The arithmetic of the six kinds of time limit, without a history.

行政程序法 48: the day of receipt is not counted; months end on the day before the corresponding day; a last
day on a rest day moves to the next working day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from types import MappingProxyType
from typing import Literal, Protocol

from rules.values import MAX_PERIOD, Text
from workflows.calendar import WorkingCalendar

ClockKind = Literal["WD", "CD", "CD-shift", "M-shift", "HOUR", "DATE"]

KINDS: Mapping[str, Text] = MappingProxyType(
    {
        "WD": Text(zh="工作天", en="working days"),
        "CD": Text(zh="日曆日（末日遇假日不順延）", en="calendar days, last day not moved"),
        "CD-shift": Text(zh="日曆日（末日遇假日順延）", en="calendar days, last day moved off a rest day"),
        "M-shift": Text(zh="月（末日遇假日順延）", en="months, last day moved off a rest day"),
        "HOUR": Text(zh="小時（自收件時起算）", en="hours from the moment of receipt"),
        "DATE": Text(zh="次月固定日（遇假日順延）", en="a day of the next month, moved off a rest day"),
    }
)
UNITS: Mapping[str, Text] = MappingProxyType(
    {
        "WD": Text(zh="個工作天", en="working days"),
        "CD": Text(zh="日", en="calendar days"),
        "CD-shift": Text(zh="日", en="calendar days"),
        "M-shift": Text(zh="個月", en="months"),
        "HOUR": Text(zh="小時", en="hours"),
        "DATE": Text(zh="日", en="days"),
    }
)
_YEARS = range(1900, 2201)
_DAY = timedelta(days=1)
_SATURDAY = 5


def amount(kind: str, n: int | Decimal) -> Text:
    """10 個工作天, 10 working days, 1 working day."""
    unit = UNITS[kind]
    return Text(zh=f"{n} {unit.zh}", en=f"{n} {unit.en.removesuffix('s') if n == 1 else unit.en}")


class ClockError(ValueError):
    """A limit or a movement that cannot be counted; `.text` says why."""

    def __init__(self, zh: str, en: str) -> None:
        self.text = Text(zh=zh, en=en)
        super().__init__(zh)


class Steps(Protocol):
    """How one kind counts. Its moments are days, or datetimes for hours."""

    def moment(self, on: date) -> date:
        """A day as this kind of limit sees it."""

    def length(self, start: date, period: int, extra: int) -> int:
        """What there is to count, in the unit of `elapsed`."""

    def elapsed(self, a: date, b: date) -> int:
        """What counts after `a` up to and including `b`."""

    def forward(self, a: date, n: int) -> date:
        """The moment at which `n` has been counted."""

    def settle(self, d: date) -> date:
        """Where a last day stands in the end."""


def steps_for(
    kind: str, period: int, start: date, calendar: WorkingCalendar, *, makeup_saturday_shifts: bool = False
) -> Steps:
    """The arithmetic of a limit; ClockError when there is no such limit."""
    if kind not in KINDS:
        raise ClockError(f"沒有「{kind}」這種期限，可用：{'、'.join(KINDS)}", f"unknown kind {kind!r}")
    highest = 31 if kind == "DATE" else MAX_PERIOD
    if not 1 <= period <= highest:
        raise ClockError(f"期限須為 1 至 {highest}，不是 {period}", f"the period must be 1 to {highest}")
    if kind != "HOUR":
        return _Days(kind, calendar, makeup_saturday_shifts)
    if not isinstance(start, datetime):
        raise ClockError("以小時計的期限需要收件時間", "a limit in hours needs the time of receipt")
    return _Hours(start.tzinfo)


@dataclass(frozen=True, slots=True)
class _Days:
    kind: str
    calendar: WorkingCalendar
    makeup_saturday_shifts: bool

    @property
    def stopped(self) -> frozenset[date]:
        """Days that do not count though others like them do; a fixed day, and CD, which nothing pauses, stay."""
        return self.calendar.stopped if self.kind in ("CD-shift", "M-shift") else frozenset()

    def moment(self, on: date) -> date:
        if isinstance(on, datetime):
            raise ClockError("這種期限以日計算，請只給日期", "this kind counts days: give a date only")
        return _in_range(on)

    def length(self, start: date, period: int, extra: int) -> int:
        if self.kind == "M-shift":
            return (_month_end(start, period + extra) - start).days
        if self.kind == "DATE":
            return (_fixed_day(start, period) - start).days + extra
        return period + extra

    def elapsed(self, a: date, b: date) -> int:
        if self.kind == "WD":
            return self.calendar.working_days_between(a, b)
        return (b - a).days - sum(a < day <= b for day in self.stopped)

    def forward(self, a: date, n: int) -> date:
        if self.kind == "WD":
            return self.calendar.add_working_days(a, n)
        if not self.stopped:
            return a + _DAY * n
        while n:
            a += _DAY
            n -= a not in self.stopped
        return a

    def settle(self, d: date) -> date:
        if self.kind == "CD":
            return d
        d = self.calendar.next_working_day(d)
        while self.makeup_saturday_shifts and self.kind != "WD" and d.weekday() == _SATURDAY:
            d = self.calendar.next_working_day(d + _DAY)
        return d


@dataclass(frozen=True, slots=True)
class _Hours:
    """Wall-clock time, counted in seconds. What is given by its day takes effect at the end of that day."""

    zone: tzinfo | None

    def moment(self, on: date) -> date:
        _in_range(on)
        if not isinstance(on, datetime):
            return datetime.combine(on + _DAY, time.min, tzinfo=self.zone)
        if (on.tzinfo is None) != (self.zone is None):
            raise ClockError("時間必須一致地註明時區", "give every moment with a time zone, or none")
        return on

    def length(self, start: date, period: int, extra: int) -> int:
        return (period + extra) * 3600

    def elapsed(self, a: date, b: date) -> int:
        return int((b - a).total_seconds())

    def forward(self, a: date, n: int) -> date:
        return a + timedelta(seconds=n)

    def settle(self, d: date) -> date:
        return d


def _in_range(on: date) -> date:
    if on.year not in _YEARS:
        raise ClockError(f"日期「{on}」超出可以計算的範圍", f"{on} is out of range")
    return on


def _month_end(start: date, months: int) -> date:
    """The day before the one that corresponds to the first counted day, or the month's end (48 III)."""
    first = start + _DAY
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    last = _last_of_month(year, month + 1)
    return last if first.day > last.day else date(year, month + 1, first.day) - _DAY


def _fixed_day(start: date, day: int) -> date:
    """That day of the month after the start, or the last one that the month has."""
    year, month = divmod(start.year * 12 + start.month, 12)
    last = _last_of_month(year, month + 1)
    return last.replace(day=min(day, last.day))


def _last_of_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - _DAY
