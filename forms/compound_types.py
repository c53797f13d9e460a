"""Field types with several inputs (date, address, bank account, route) or several values (files)."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import MAXYEAR, date
from typing import TYPE_CHECKING

from forms.field_type import FieldType, Given, Json, folded, one, unknown_option
from forms.identifiers import normalise
from forms.messages import Invalid, Mistake, quoted, refuse, words
from forms.places import ADDRESS_PLACES, ELSEWHERE, read_points
from forms.simple_types import CODE_LENGTH
from rules.conditions import FactType
from rules.values import Text, format_day, parse_roc_date

if TYPE_CHECKING:
    from forms.model import Field


def text_of(value: Json, part: str) -> str:
    """A part of a stored answer; "" where it was left empty."""
    found = value.get(part) if isinstance(value, dict) else None
    return str(found) if found else ""


class Parts(FieldType):
    """An answer of several texts, stored as an object of the parts that were filled in."""

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {part: [text] for part in self.parts if (text := text_of(value, part))}


# --- date ------------------------------------------------------------------------------------------------

_PART_NAMES = {
    "year": Text(zh="年", en="the year"),
    "month": Text(zh="月", en="the month"),
    "day": Text(zh="日", en="the day"),
}
_FIRST_GREGORIAN_YEAR = 1000
_YEAR = re.compile("^(?:民國|西元)?[0-9]{1,4}年?$")


def shown_date(day: date) -> Text:
    return Text(zh=format_day(day, "zh"), en=format_day(day, "en"))


class Date(FieldType):
    """Three boxes, or a whole date in one. A year from 1000 on is Gregorian, below it is an ROC year."""

    fact = "date"
    parts = ("year", "month", "day", "")
    props = frozenset({"min", "max", "not_before", "autocomplete"})
    example = Text(zh="民國 47 年 3 月 9 日", en="year 1958, month 3, day 9")

    def parse(self, field: Field, given: Given, today: date) -> Json:
        boxes = {part: one(field, given, part, limit=CODE_LENGTH) for part in self.parts}
        whole = boxes.pop("")
        if boxes["year"] and not (boxes["month"] or boxes["day"] or _YEAR.search(folded(boxes["year"]))):
            whole, boxes = boxes["year"], {}  # pasted into the first box
        if any(boxes.values()):
            day = self.from_boxes(field, boxes)
        elif whole:
            day = self.from_text(field, whole)
        else:
            return None
        self.check_range(field, day, today)
        return day.isoformat()

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

    def show(self, field: Field, value: Json, lang: str) -> str:
        return shown_date(date.fromisoformat(str(value))).in_(lang)

    def typed(self, field: Field, value: Json) -> object:
        return date.fromisoformat(str(value))

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        day = date.fromisoformat(str(value))
        year = day.year - 1911 if day.year > 1911 else day.year
        return {"year": [str(year)], "month": [str(day.month)], "day": [str(day.day)]}


# --- address ---------------------------------------------------------------------------------------------

_PLAIN = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code - 0xFEE0).isalnum()} | {
    0xFF0D: "-"
}
_SHORTEST_ADDRESS = 6
_ELSEWHERE_EXAMPLE = Text(zh="臺北市信義區市府路1號", en="No. 1, Shifu Rd., Xinyi District, Taipei City")
#: a whole address pasted into the last box repeats what was chosen above it
_LEADING = "^(?:(?:[0-9]{{3,6}} ?)?(?:福建省)?(?:金門縣(?:{place})?|{place}))+"


class Address(Parts):
    """Township, village and the rest. Many addresses of Kinmen have a settlement instead of a road."""

    parts = ("township", "village", "detail")
    fixed: Mapping[str, Mapping[str, Text]] = {"township": ADDRESS_PLACES}
    props = frozenset({"autocomplete"})
    column = False
    personal = True
    example = Text(zh="金城鎮民生路60號", en="No. 60, Minsheng Rd., Jincheng Township")

    def parse(self, field: Field, given: Given, today: date) -> Json:
        township = one(field, given, "township", limit=CODE_LENGTH)
        village = one(field, given, "village", limit=50).translate(_PLAIN)
        detail = " ".join(one(field, given, "detail", limit=200).translate(_PLAIN).split())
        if not (township or village or detail):
            return None
        if township and township not in ADDRESS_PLACES:
            raise unknown_option(field, township, "township")
        if mistakes := list(self.mistakes(field, township, detail)):
            raise Invalid(mistakes)
        if township == ELSEWHERE:
            return {"township": township, "detail": detail}
        detail = re.sub(_LEADING.format(place=ADDRESS_PLACES[township].zh), "", detail) or detail
        detail = detail.removeprefix(village) or detail
        parts: dict[str, Json] = {"township": township, "village": village, "detail": detail}
        return {part: text for part, text in parts.items() if text}

    def mistakes(self, field: Field, township: str, detail: str) -> Iterator[Mistake]:
        if not township:
            zh, en = (
                "請選擇{label}的鄉鎮，住在其他縣市請選「其他縣市」",
                "{label}: choose the township, or “Elsewhere in Taiwan”",
            )
            yield Mistake(words(zh, en, label=field.label), "township")
        if not detail:
            zh = "請填寫{label}的路名或聚落和門牌，例如 民生路60號、雙口12號"
            en = "{label}: enter the road or settlement and the number, for example No. 60, Minsheng Rd."
            yield Mistake(words(zh, en, label=field.label), "detail")
        elif township == ELSEWHERE and len(detail) < _SHORTEST_ADDRESS:
            zh, en = "請填寫完整的{label}，例如 {example}", "Enter the full {label}, for example {example}"
            yield Mistake(words(zh, en, label=field.label, example=_ELSEWHERE_EXAMPLE), "detail")

    def show(self, field: Field, value: Json, lang: str) -> str:
        township, village, detail = (text_of(value, part) for part in self.parts)
        if township == ELSEWHERE:
            return detail
        place = ADDRESS_PLACES[township].in_(lang)
        if lang == "en":
            return ", ".join(filter(None, (detail, village, place, "Kinmen County")))
        return f"金門縣{place}{village}{detail}"

    def typed(self, field: Field, value: Json) -> object:
        return self.show(field, value, "zh")

    def fact_types(self, key: str) -> dict[str, FactType]:
        return {f"answers.{key}": "text", f"answers.{key}.township": "text"}

    def facts(self, field: Field, value: Json) -> dict[str, object]:
        name = f"answers.{field.key}"
        return {name: self.typed(field, value), f"{name}.township": text_of(value, "township")}


# --- bank account ----------------------------------------------------------------------------------------


class BankAccount(Parts):
    """Where a payment goes: bank (3 digits, or 7 with the branch), account number, name of its holder."""

    parts = ("bank", "account", "holder")
    column = False
    personal = True
    example = Text(zh="銀行代碼 700、帳號、戶名", en="bank code 700, account number and holder")

    def parse(self, field: Field, given: Given, today: date) -> Json:
        texts = {part: one(field, given, part, limit=100) for part in self.parts}
        if not any(texts.values()):
            return None
        value: dict[str, Json] = {}
        mistakes = []
        for part, text in texts.items():
            try:
                value[part] = self.read(part, text)
            except ValueError:
                mistakes.append(Mistake(self.complaint(field, part, text), part))
        if mistakes:
            raise Invalid(mistakes)
        return value

    def read(self, part: str, text: str) -> str:
        if not text:
            raise ValueError(part)
        return (
            " ".join(text.split())
            if part == "holder"
            else normalise(f"bank_{part}" if part == "account" else "bank_code", text)
        )

    def complaint(self, field: Field, part: str, text: str) -> Text:
        zh, en = {
            "bank": (
                "{label}的銀行代碼須為 3 位數字（含分行為 7 位），例如 004 或郵局 700",
                "{label}: the bank code has 3 digits (7 with the branch), for example 004",
            ),
            "account": (
                "{label}的帳號須為 6 到 16 位數字，例如 012345678901",
                "{label}: the account number has 6 to 16 digits, for example 012345678901",
            ),
            "holder": (
                "請填寫{label}的戶名，與存摺封面相同，例如 王小明",
                "{label}: enter the holder’s name as in the passbook",
            ),
        }[part]
        if text:
            zh, en = zh + "；您輸入了「{text}」", en + "; you entered “{text}”"
        return words(zh, en, label=field.label, text=quoted(text))

    def show(self, field: Field, value: Json, lang: str) -> str:
        bank, account, holder = (text_of(value, part) for part in self.parts)
        if lang == "en":
            return f"bank {bank}, account {account}, holder {holder}"
        return f"銀行代碼 {bank}，帳號 {account}，戶名 {holder}"

    def typed(self, field: Field, value: Json) -> object:
        return self.show(field, value, "zh")


# --- route -----------------------------------------------------------------------------------------------

_MOST_POINTS = 200


class Route(Parts):
    """A stretch of road in words, and for those who know them the points of its line."""

    parts = ("description", "line")
    props = frozenset({"min_length", "max_length"})
    defaults: Mapping[str, object] = {"max_length": 1000}
    column = False
    example = Text(zh="從民生路 60 號前往東到復興路口", en="from 60 Minsheng Road eastwards to Fuxing Road")

    def parse(self, field: Field, given: Given, today: date) -> Json:
        description = one(field, given, "description", limit=field.max_length or 1000)
        line = one(field, given, "line", limit=_MOST_POINTS * 30)
        if line and not description:
            raise Invalid([Mistake(m.text, "description") for m in self.missing(field).mistakes])
        if not line:
            return {"description": description} if description else None
        points = read_points(field.label, line, "line")
        if not 2 <= len(points) <= _MOST_POINTS:
            raise refuse(
                field.label,
                "{label}的座標須有 2 到 {most} 個點，用分號隔開，目前有 {n} 個；不清楚可以空白",
                "{label}: the line needs 2 to {most} points, split by semicolons, not {n}; it may stay empty",
                part="line",
                most=_MOST_POINTS,
                n=len(points),
            )
        return {"description": description, "line": "; ".join(points)}

    def show(self, field: Field, value: Json, lang: str) -> str:
        description, line = text_of(value, "description"), text_of(value, "line")
        if not line:
            return description
        return f"{description}\n座標：{line}" if lang == "zh" else f"{description}\nPoints: {line}"

    def sentence(self, field: Field, value: Json, lang: str) -> str:
        """The words; the points stand in the application."""
        description, points = text_of(value, "description"), len(text_of(value, "line").split(";"))
        if not text_of(value, "line"):
            return description
        return description + (
            f"（座標 {points} 點如申請書）" if lang == "zh" else f" ({points} points as in the application)"
        )

    def typed(self, field: Field, value: Json) -> object:
        return text_of(value, "description")


# --- files -----------------------------------------------------------------------------------------------

_DOCUMENT_ID = re.compile("[A-Za-z0-9_-]{1,64}")


class File(FieldType):
    """Public ids of documents that were uploaded; whose they are and what they hold is checked there."""

    fact = "list"
    many = True
    column = False
    props = frozenset({"accept", "max_mb", "max_files"})
    defaults: Mapping[str, object] = {"accept": ("pdf", "jpg", "png"), "max_mb": 10, "max_files": 5}
    required = ("請上傳{label}", "{label}: upload a file")

    def parse(self, field: Field, given: Given, today: date) -> Json:
        ids = list(dict.fromkeys(text for text in given.get("", ()) if text and not text.isspace()))
        most = field.max_files or 1
        if len(ids) > most:
            raise refuse(
                field.label,
                "{label}最多上傳 {most} 個檔案，目前有 {n} 個，請移除多的檔案",
                "{label}: {most} files at most, there are {n}. Remove some",
                most=most,
                n=len(ids),
            )
        if any(not _DOCUMENT_ID.fullmatch(text) for text in ids):
            raise refuse(
                field.label,
                "{label}的檔案沒有上傳成功，請重新上傳",
                "{label}: a file was not uploaded properly. Upload it again",
            )
        found: list[Json] = list(ids)
        return found or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        n = len(value) if isinstance(value, list) else 0
        return f"{n} 個檔案" if lang == "zh" else f"{n} file{'' if n == 1 else 's'}"

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [str(item) for item in value]} if isinstance(value, list) else {}


COMPOUND_TYPES: dict[str, FieldType] = {
    "date": Date(),
    "address": Address(),
    "bank_account": BankAccount(),
    "route": Route(),
    "file": File(),
}
