"""Field types of days and moments, in ROC or Gregorian years."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import MAXYEAR, date
from typing import TYPE_CHECKING

from forms.bounds import DATE_BOUNDS
from forms.field_type import CODE_LENGTH, Blank, FieldType, Given, Json, Setting, folded, one
from forms.messages import Invalid, quoted, refuse, words
from rules.values import Text, format_day, parse_roc_date

if TYPE_CHECKING:
    from forms.model import Field


_PART_NAMES = {
    "year": Text(zh="年", en="the year"),
    "month": Text(zh="月", en="the month"),
    "day": Text(zh="日", en="the day"),
}
_FIRST_GREGORIAN_YEAR = 1000
_DAY_TO_WRITE = "民國　　　年　　　月　　　日"
_YEAR = re.compile("^(?:民國|西元)?[0-9]{1,4}年?$")


def pasted(boxes: Mapping[str, str]) -> bool:
    """A whole date stands in the first of its boxes."""
    return not (boxes["month"] or boxes["day"] or not boxes["year"] or _YEAR.search(folded(boxes["year"])))


def shown_date(day: date) -> Text:
    return Text(zh=format_day(day, "zh"), en=format_day(day, "en"))


class Date(FieldType):
    """Three boxes, or a whole date in one. A year from 1000 on is Gregorian, below it is an ROC year."""

    fact = "date"
    parts: tuple[str, ...] = ("year", "month", "day", "")
    props = frozenset({"min", "max", "autocomplete", *DATE_BOUNDS})
    example = Text(zh="民國 47 年 3 月 9 日", en="year 1958, month 3, day 9")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        day = self.read_day(field, {part: one(field, given, part, limit=CODE_LENGTH) for part in self.parts})
        if day is None:
            return None
        self.check_range(field, day, at.today)
        return day.isoformat()

    def read_day(self, field: Field, typed: Mapping[str, str]) -> date | None:
        boxes = {part: typed[part] for part in _PART_NAMES}
        if any(boxes.values()) and not pasted(boxes):
            return self.from_boxes(field, boxes)
        whole = boxes["year"] or typed[""]
        return self.from_text(field, whole) if whole else None

    def from_text(self, field: Field, text: str) -> date:
        try:
            return parse_roc_date(text)
        except ValueError as error:
            raise self.wrong(
                field,
                "不是真實存在的日期（您輸入了「{text}」）",
                " is not a real date: “{text}”",
                text=quoted(text),
            ) from error

    def from_boxes(self, field: Field, boxes: Mapping[str, str]) -> date:
        if absent := [part for part in boxes if not boxes[part]]:
            names = [_PART_NAMES[part] for part in absent]
            zh, en = "、".join(n.zh for n in names), " and ".join(n.en for n in names)
            raise self.wrong(field, f"缺少{zh}", f" lacks {en}", part=absent[0])
        year, month, day = (self.number(field, part, text) for part, text in boxes.items())
        if year == 0 or year > MAXYEAR:
            raise self.wrong(field, "的年份不正確（民國沒有 0 年）", ": the year is not correct", part="year")
        if not 1 <= month <= 12:
            raise self.wrong(field, "的月份須為 1 到 12", ": the month must be 1 to 12", part="month")
        gregorian = year if year >= _FIRST_GREGORIAN_YEAR else year + 1911
        length = monthrange(gregorian, month)[1]
        if not 1 <= day <= length:
            era = "西元" if year >= _FIRST_GREGORIAN_YEAR else "民國"
            raise self.wrong(
                field,
                "不存在：{era} {year} 年 {month} 月只有 1 日到 {length} 日，沒有 {day} 日",
                " does not exist: month {month} of {year} has {length} days, there is no day {day}",
                part="day",
                era=era,
                year=year,
                month=month,
                length=length,
                day=day,
            )
        return date(gregorian, month, day)

    def number(self, field: Field, part: str, text: str) -> int:
        digits = re.sub("民國|西元|[年月日]", "", folded(text))
        if re.fullmatch("[0-9]{1,4}", digits):
            return int(digits)
        name = _PART_NAMES[part]
        raise self.wrong(
            field,
            "的{name}須為數字，您輸入了「{text}」",
            ": {name} must be a number, not “{text}”",
            part=part,
            name=name,
            text=quoted(text),
        )

    def wrong(self, field: Field, zh: str, en: str, *, part: str = "", **values: object) -> Invalid:
        return refuse(
            field.label,
            "{label}" + zh + "，請檢查後重新填寫，例如 {example}",
            "{label}" + en + ". Please check it, for example {example}",
            part=part,
            example=self.example,
            **values,
        )

    def check_range(self, field: Field, day: date, today: date) -> None:
        for limit, late in ((field.min, False), (field.max, True)):
            bound = today if limit == "today" else limit
            if not isinstance(bound, date) or (day <= bound if late else day >= bound):
                continue
            now = words("今天（{day}）", "today ({day})", day=shown_date(today))
            raise refuse(
                field.label,
                "{label}不能晚於{bound}，您填的是{day}" if late else "{label}不能早於{bound}，您填的是{day}",
                "{label} cannot be after {bound}; you entered {day}"
                if late
                else "{label} cannot be before {bound}; you entered {day}",
                part="year",
                bound=now if limit == "today" else shown_date(bound),
                day=shown_date(day),
            )

    def blank(self, field: Field) -> Blank:
        return Blank(_DAY_TO_WRITE)

    def show(self, field: Field, value: Json, lang: str) -> str:
        return shown_date(date.fromisoformat(str(value))).in_(lang)

    def typed(self, field: Field, value: Json) -> object:
        return date.fromisoformat(str(value))

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        day = date.fromisoformat(str(value))
        if day.year < _FIRST_GREGORIAN_YEAR:  # a box would take the year for one of the republic
            return {"": [f"西元{day.year}/{day.month}/{day.day}"]}
        year = day.year - 1911 if day.year > 1911 else day.year
        return {"year": [str(year)], "month": [str(day.month)], "day": [str(day.day)]}


# --- day and time ----------------------------------------------------------------------------------------

_MORNING, _AFTERNOON = "上午|早上|凌晨|AM", "下午|晚上|中午|PM"
_TIME = re.compile(
    rf"(?P<before>{_MORNING}|{_AFTERNOON})?(?P<hour>[0-9]{{1,2}})"
    r"(?:[:時點](?:(?P<minute>[0-9]{2})分?|(?P<half>半))?|(?P<compact>[0-9]{2}))?"
    r"(?P<after>AM|PM)?",
    re.IGNORECASE,
)
#: 115/11/22 14:30, also with the T of ISO 8601
_DAY_AND_TIME = re.compile(r"(?P<day>.*[0-9日])(?:\s+|\s*T)(?P<time>\S.*)", re.IGNORECASE)


def read_time(text: str) -> str:
    """A time of day as people write it, as HH:MM: 14:30, 1430, 14 時 30 分, 下午 2 點半, 2:30 pm."""
    found = _TIME.fullmatch(folded(text))
    if found is None:
        raise ValueError(f"not a time: {text[:60]!r}")
    hour = int(found["hour"])
    minute = 30 if found["half"] else int(found["minute"] or found["compact"] or 0)
    half = (found["before"] or found["after"] or "").upper()
    if half and hour <= 12:
        hour = hour % 12 + (12 if re.fullmatch(_AFTERNOON, half) else 0)
    if hour > 23 or minute > 59:
        raise ValueError(f"no such time: {text[:60]!r}")
    return f"{hour:02}:{minute:02}"


class DateTime(Date):
    """A day in three boxes and a time of day in a fourth."""

    parts = ("year", "month", "day", "time", "")
    props = frozenset({"min", "max", *DATE_BOUNDS})
    example = Text(zh="民國 116 年 3 月 2 日 14:30", en="year 2027, month 3, day 2, 14:30")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        typed = {part: one(field, given, part, limit=CODE_LENGTH) for part in self.parts}
        whole = typed["year"] if pasted(typed) else "" if any(typed[p] for p in _PART_NAMES) else typed[""]
        if not typed["time"] and (found := _DAY_AND_TIME.fullmatch(whole)):
            typed |= {"year": found["day"], "time": found["time"]}
        day = self.read_day(field, typed)
        if day is None and not typed["time"]:
            return None
        if day is None:
            raise self.wrong(field, "缺少日期", " lacks the day", part="year")
        self.check_range(field, day, at.today)
        return f"{day.isoformat()}T{self.time(field, typed['time'])}"

    def time(self, field: Field, text: str) -> str:
        if not text:
            raise self.wrong(field, "缺少時間", " lacks the time", part="time")
        try:
            return read_time(text)
        except ValueError as error:
            raise self.wrong(
                field,
                "的時間不正確，您輸入了「{text}」",
                ": the time is not correct: “{text}”",
                part="time",
                text=quoted(text),
            ) from error

    def blank(self, field: Field) -> Blank:
        return Blank(f"{_DAY_TO_WRITE}　　　時　　　分", wide=True)

    def show(self, field: Field, value: Json, lang: str) -> str:
        day, _, time = str(value).partition("T")
        return super().show(field, day, lang) + (f" {time}" if lang == "zh" else f", {time}")

    def typed(self, field: Field, value: Json) -> object:
        """Conditions compare the day."""
        return date.fromisoformat(str(value)[:10])

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        day, _, time = str(value).partition("T")
        return super().to_raw(field, day) | {"time": [time]}


DATE_TYPES: dict[str, FieldType] = {"date": Date(), "datetime": DateTime()}
