"""One clock: the history of a time limit, its due date, and a ledger that explains it line by line.

A pause runs from the day a notice went out, which still counts, to the day the answer came in, which does
not. A restart counts the whole period again from its day. Source: 行政程序法 48 and 51.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

from rules.values import MAX_PERIOD, Text, format_day
from workflows.calendar import WorkingCalendar
from workflows.counting import KINDS, ClockError, ClockKind, Steps, amount, steps_for

__all__ = [
    "KINDS", "ClockError", "ClockKind", "Ledger", "LedgerLine", "Movement",
    "explain", "extension_problems", "only_extension", "parse_calendar", "parse_movements", "parse_start",
    "reader_of", "run", "used_days",
]  # fmt: skip

_DAY = timedelta(days=1)
_WEEKDAYS = "一二三四五六日"
#: a day on which something begins counts; a limit in hours stands still from the moment
_PAUSED = {
    False: ("暫停計算（當日仍計入）", "paused (this day still counts)"),
    True: ("暫停計算", "paused"),
}


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved the clock, on a day (for HOUR also at a moment). `days` is the length of an extension, or of the
    period that a restart begins where that is another one."""

    kind: Literal["pause", "resume", "restart", "extend"]
    on: date
    days: int | None = None
    #: in both languages where the system gives it
    reason: str | Text = ""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    on: date
    #: start, pause, resume, waiting, restart, extend, off, work, shift, due
    kind: str
    text: Text
    due: date


@dataclass(frozen=True, slots=True)
class Ledger:
    #: a datetime when the kind is HOUR
    due: date
    lines: tuple[LedgerLine, ...]
    #: counted in the present period up to today, or to the due date when no today is given
    used: int | Decimal
    paused: bool
    #: paused only when the due date had passed: it holds nothing up any more, and the delay remains the office's
    late: bool
    #: a restart or an extension opens the next one
    period_number: int


def run(
    kind: str,
    period: int,
    start: date,
    movements: Iterable[Movement] = (),
    *,
    calendar: WorkingCalendar,
    today: date | None = None,
    makeup_saturday_shifts: bool = False,
) -> Ledger:
    """The due date and why. A pause without an answer lasts until `today`.

    `makeup_saturday_shifts`: whether a last day on a make-up Saturday moves too; the law leaves it open.
    """
    steps = steps_for(kind, period, start, calendar, makeup_saturday_shifts=makeup_saturday_shifts)
    if kind != "HOUR":
        steps.moment(start)
    book = _Book(kind, calendar, _Period(steps, period, start))
    book.open()
    for movement in sorted((replace(m, on=steps.moment(m.on)) for m in movements), key=lambda m: m.on):
        book.move(movement)
    until = None if today is None else steps.moment(today)
    paused = book.paused
    if paused:
        book.wait(until)
    due = book.close()
    used = _used(kind, book.now, due if until is None else until)
    return Ledger(due, tuple(book.lines), used, paused, paused and book.late, book.number)


def explain(ledger: Ledger, lang: str = "zh") -> list[str]:
    """The ledger in words, one line for each thing that made the due date what it is."""
    return [line.text.in_(lang) for line in ledger.lines]


@dataclass(slots=True)
class _Period:
    """The running count of one period."""

    steps: Steps
    period: int
    start: date
    extra: int = 0
    pauses: list[tuple[date, date]] = field(default_factory=list)

    def last_day(self) -> date:
        """The last counted day, before it is moved off a rest day.

        A pause that begins no later than the due date always holds it, even when nothing is left to count:
        the case is then due when the answer comes in; asking the applicant does not make it overdue.
        """
        at, left = self.start, self.steps.length(self.start, self.period, self.extra)
        for begin, end in self.pauses:
            begin = max(begin, at)
            if begin > self.steps.settle(self.steps.forward(at, left)):
                break
            left = max(0, left - self.steps.elapsed(at, begin))
            at = max(end, at)
        return self.steps.forward(at, left)

    def due(self) -> date:
        return self.steps.settle(self.last_day())

    def counted(self, end: date) -> int:
        total = self.steps.elapsed(self.start, max(end, self.start))
        for begin, until in self.pauses:
            begin, until = max(begin, self.start), min(until, end)
            if begin < until:
                total -= self.steps.elapsed(begin, until)
        return total


@dataclass(slots=True)
class _Book:
    """Writes the ledger while the movements come in."""

    kind: str
    calendar: WorkingCalendar
    now: _Period
    number: int = 1
    #: pauses may overlap (a correction and a typhoon): the clock runs again when all have ended
    depth: int = 0
    paused_from: date = date.min
    late: bool = False
    lines: list[LedgerLine] = field(default_factory=list)

    @property
    def paused(self) -> bool:
        return self.depth > 0

    def write(self, on: date, kind: str, zh: str, en: str, reason: str | Text = "") -> None:
        due = self.now.due()
        if reason:
            why = reason if isinstance(reason, Text) else Text(zh=reason)
            zh, en = f"{zh}（{why.zh}）", f"{en} ({why.in_('en')})"
        text = Text(zh=f"{_zh(on)}：{zh}；到期日 {_zh(due)}", en=f"{_en(on)}: {en}; due {_en(due)}")
        self.lines.append(LedgerLine(on, kind, text, due))

    def open(self) -> None:
        zh, en = _limit(self.kind, self.now.period)
        self.write(self.now.start, "start", f"起算，{zh}", f"start, {en}")

    def move(self, m: Movement) -> None:
        match m.kind:
            case "pause":
                self.pause(m)
            case "resume":
                self.resume(m)
            case "restart":
                self.restart(m)
            case "extend":
                self.extend(m)

    def pause(self, m: Movement) -> None:
        self.depth += 1
        if self.depth > 1:
            return
        self.paused_from = m.on
        zh, en = _PAUSED[self.kind == "HOUR"]
        self.late = m.on > self.now.due()
        if self.late:
            zh, en = "到期後才暫停，不改變到期日", "paused after the due date, which does not move"
        self.write(m.on, "pause", zh, en, m.reason)

    def resume(self, m: Movement) -> None:
        if self.depth == 0:
            return
        self.depth -= 1
        if self.depth:
            return
        self.now.pauses.append((self.paused_from, m.on))
        zh = f"恢復計算，{_zh(self.paused_from)}之後至當日不計入"
        en = f"resumed, the days after {_en(self.paused_from)} up to this day are not counted"
        if self.kind == "HOUR":
            zh = f"恢復計算，自 {_zh(self.paused_from)} 至此時不計入"
            en = f"resumed, the time since {_en(self.paused_from)} is not counted"
        self.write(m.on, "resume", zh, en, m.reason)

    def wait(self, until: date | None) -> None:
        """No answer yet."""
        end = self.paused_from if until is None else max(until, self.paused_from)
        self.now.pauses.append((self.paused_from, end))
        zh, en = "尚未恢復，暫且算到當日", "not resumed yet, counted to this day for now"
        if self.kind == "HOUR":
            zh, en = "尚未恢復，暫且算到此時", "not resumed yet, counted to this moment for now"
        self.write(end, "waiting", zh, en)

    def restart(self, m: Movement) -> None:
        if m.on < self.now.start:
            raise ClockError("重新起算的日期不可早於起算日", "a restart cannot be before the start")
        if m.days is not None and not 0 <= m.days <= MAX_PERIOD:
            raise ClockError(
                f"重新起算的期限須為 0 至 {MAX_PERIOD}", f"the new period must be 0 to {MAX_PERIOD}"
            )
        self.number += 1
        self.depth = 0
        self.now = _Period(self.now.steps, self.now.period if m.days is None else m.days, m.on)
        zh, en = _limit(self.kind, self.now.period)
        self.write(m.on, "restart", f"重新起算，{zh}", f"counted again from here, {en}", m.reason)

    def extend(self, m: Movement) -> None:
        if m.days is None or not 1 <= m.days <= MAX_PERIOD:
            raise ClockError(
                f"展期長度須為 1 至 {MAX_PERIOD}", f"the length of an extension must be 1 to {MAX_PERIOD}"
            )
        if m.on > self.due_seen_on(m.on):
            zh, en = "到期後才展期，不改變到期日", "extended after the due date, which does not move"
        else:
            longer = amount(self.kind, m.days)
            zh, en = f"展期 {longer.zh}", f"extended by {longer.en}"
            self.now.extra += m.days
            self.number += 1
        self.write(m.on, "extend", zh, en, m.reason)

    def due_seen_on(self, day: date) -> date:
        """The due date with a pause that still lasts on that day."""
        lasting = [(self.paused_from, day)] if self.paused else []
        return replace(self.now, pauses=self.now.pauses + lasting).due()

    def close(self) -> date:
        """Adds why single days count or not, in the order of days, and the due date as the last line."""
        last, due = self.now.last_day(), self.now.due()
        if self.kind == "WD":
            self.explain_days(due)
        if self.kind in ("CD-shift", "M-shift"):
            self.explain_stopped(last)
        if self.kind != "WD" and last != due:
            zh = f"期間末日為{self.calendar.name_of(last) or '休息日'}，順延至次一上班日"
            self.note(last, "shift", zh, "the last day is a rest day and moves to the next working day")
        self.lines.sort(key=lambda line: line.on)
        weekday = _WEEKDAYS[due.weekday()]
        text = Text(zh=f"到期日：{_zh(due)}（星期{weekday}）", en=f"Due: {_en(due)} ({due:%a})")
        self.lines.append(LedgerLine(due, "due", text, due))
        return due

    def explain_stopped(self, last: date) -> None:
        for day in sorted(self.calendar.stopped):
            if self.now.start < day <= last and not any(a < day <= b for a, b in self.now.pauses):
                zh = f"{self.calendar.name_of(day)}，依行政程序法第51條第5項不計入"
                en = "a stop-work day, not counted (Administrative Procedure Act, article 51 V)"
                self.note(day, "off", zh, en)

    def explain_days(self, due: date) -> None:
        for i in range(1, (due - self.now.start).days + 1):
            day = self.now.start + _DAY * i
            if not self.calendar.is_special(day) or any(a < day <= b for a, b in self.now.pauses):
                continue
            name = self.calendar.name_of(day)
            if self.calendar.is_working_day(day):
                self.note(day, "work", f"{name}，計入", "a working weekend day, counted")
            else:
                self.note(day, "off", f"{name}，不計入", "a public day off, not counted")

    def note(self, on: date, kind: str, zh: str, en: str) -> None:
        text = Text(zh=f"{_zh(on)}：{zh}", en=f"{_en(on)}: {en}")
        self.lines.append(LedgerLine(on, kind, text, self.now.due()))


def _limit(kind: str, period: int) -> tuple[str, str]:
    if kind == "DATE":
        return f"期限為次月 {period} 日", f"limit is day {period} of the next month"
    limit = amount(kind, period)
    if kind == "HOUR":
        return f"期限 {limit.zh}", f"limit {limit.en}"
    return f"期限 {limit.zh}（當日不計）", f"limit {limit.en}, this day not counted"


def _zh(d: date) -> str:
    return _day_of(d, "zh")


def _en(d: date) -> str:
    return _day_of(d, "en")


def _day_of(d: date, lang: str) -> str:
    return format_day(d, lang) + (f" {d:%H:%M}" if isinstance(d, datetime) else "")


# --- days used, extensions -------------------------------------------------------------------------------


def _used(kind: str, period: _Period, end: date) -> int | Decimal:
    """Done on the day of receipt counts as half a day (文書流程管理作業規範)."""
    counted = period.counted(end)
    if kind == "HOUR":
        return round(Decimal(counted) / 3600, 1)
    return Decimal("0.5") if end == period.start else counted


def used_days(
    kind: str, start: date, end: date, calendar: WorkingCalendar, movements: Iterable[Movement] = ()
) -> int | Decimal:
    """使用日數 from receipt to completion: working days for WD, calendar days or hours for the others."""
    if end < start:
        raise ClockError("辦結日不可早於收件日", "completion cannot be before receipt")
    return run(kind, 1, start, movements, calendar=calendar, today=end).used


def extension_problems(
    kind: str,
    period: int,
    start: date,
    movements: Sequence[Movement] = (),
    *,
    days: int,
    reason: str,
    on: date,
    calendar: WorkingCalendar,
    times: int = 1,
    at_most: int | None = None,
) -> tuple[Text, ...]:
    """Why an extension must be refused (行政程序法 51 III, IV). Empty when it may be granted."""
    longest = period if at_most is None else at_most
    due = run(kind, period, start, movements, calendar=calendar, today=on).due
    found = []
    if not reason.strip():
        found.append(("請寫明展期的理由，申請人會看到", "Give the reason; the applicant will see it."))
    if sum(m.kind == "extend" for m in movements) >= times:
        found.append(
            (f"最多展期 {times} 次，已經用完", f"No extension is left; at most {times} can be given.")
        )
    if not 1 <= days <= longest:
        most = amount(kind, longest)
        found.append((f"展期長度須為 1 至 {most.zh}", f"An extension is 1 to {most.en}."))
    if on > due:
        found.append((f"期限已於 {_zh(due)} 屆滿，不能再展期", f"Too late: the period ended on {_en(due)}."))
    return tuple(Text(zh=zh, en=en) for zh, en in found)


# --- reading a history from words ------------------------------------------------------------------------


def parse_start(kind: str, text: str) -> date:
    """An ISO date; for HOUR an ISO moment; for DATE a month (2020-09) is enough."""
    if kind == "HOUR" and len(text) <= len("2020-09-25"):
        raise ClockError(
            f"以小時計的期限需要時刻，例如 2020-09-25T16:00，不是「{text}」",
            f"a limit in hours needs a moment such as 2020-09-25T16:00, not {text}",
        )
    try:
        if kind == "HOUR":
            return datetime.fromisoformat(text)
        return date.fromisoformat(f"{text}-01" if kind == "DATE" and len(text) == 7 else text)
    except ValueError:
        form = {"HOUR": "2020-09-25T16:00", "DATE": "2020-09"}.get(kind, "2020-09-25")
        raise ClockError(
            f"看不懂日期「{text}」，請用西元寫成 {form}", f"not a date: {text}; write it like {form}"
        ) from None


def parse_movements(
    start: date,
    *,
    pauses: Iterable[str] = (),
    restarts: Iterable[str] = (),
    extend: int | None = None,
) -> tuple[Movement, ...]:
    """Movements from `FROM..TO` (`FROM`: no answer yet), restart days, and the length of an extension.

    A restart inside a pause leaves the rest of the pause uncounted. The extension is of the last period.
    """
    read = reader_of(start)
    spans = [_span(text, read) for text in pauses]
    again = [read(text) for text in restarts]
    found = []
    for begin, end in spans:
        found.append(Movement("pause", begin))
        if end is not None:
            found.append(Movement("resume", end))
    for day in again:
        found.append(Movement("restart", day))
        inside = [begin for begin, end in spans if begin <= day and (end is None or day < end)]
        found += [Movement("pause", day) for _ in inside]
    if extend is not None:
        found.append(Movement("extend", max(again, default=start), days=extend))
    return tuple(found)


def only_extension(kind: str, period: int, given: Sequence[int]) -> int | None:
    """A limit is extended once, by no more than its first period (行政程序法 51 III)."""
    if len(given) > 1:
        raise ClockError("展期以一次為限", "a limit is extended only once")
    if given and not 1 <= given[0] <= period:
        most = amount(kind, period)
        raise ClockError(
            f"展期長度須為 1 至 {most.zh}（不超過原處理期間）",
            f"the length of an extension must be 1 to {most.en}, no longer than the first period",
        )
    return given[0] if given else None


def parse_calendar(off: Iterable[str], work: Iterable[str]) -> WorkingCalendar:
    """The published calendar with stop-work days and extra working days."""
    days = {parse_day(text) for text in off}, {parse_day(text) for text in work}
    if both := sorted(days[0] & days[1]):
        raise ClockError(f"{both[0]} 不能同時是停班日和上班日", f"{both[0]} cannot be both off and working")
    return WorkingCalendar(dict.fromkeys(days[0], "停止上班"), dict.fromkeys(days[1], "補行上班"))


def parse_day(text: str) -> date:
    return parse_start("CD", text)


def reader_of(start: date) -> Callable[[str], date]:
    """Reads days; after a start in hours also moments, beside which a day takes effect at its end."""
    if not isinstance(start, datetime):
        return parse_day
    steps = steps_for("HOUR", 1, start, WorkingCalendar())
    return lambda text: steps.moment(parse_start("HOUR" if "T" in text else "CD", text))


def _span(text: str, read: Callable[[str], date]) -> tuple[date, date | None]:
    first, _, second = text.partition("..")
    begin, end = read(first), read(second) if second else None
    if end is not None and end < begin:
        raise ClockError(f"暫停的迄日早於起日：「{text}」", f"a pause ends before it begins: {text}")
    return begin, end
