"""Field types with one input: text, codes and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import cycle
from typing import TYPE_CHECKING, Any

from forms.bounds import NUMBER_BOUNDS
from forms.field_type import CODE_LENGTH, Blank, FieldType, Given, Json, Setting, folded, long_enough, one
from forms.identifiers import normalise, phone_kind, plate_styles
from forms.messages import quoted, refuse, words
from rules.conditions import show_number
from rules.values import Text, normalise_code

if TYPE_CHECKING:
    from forms.model import Field


#: what a hand writes into half the width of a page
_HALF_A_LINE = 60

# --- text ------------------------------------------------------------------------------------------------


class Line(FieldType):
    props = frozenset({"min_length", "max_length", "pattern", "autocomplete"})
    defaults: Mapping[str, object] = {"max_length": 200}

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text = self.tidy(one(field, given, limit=field.max_length or 200))
        if text and field.pattern:
            return _fitted(field, text, field.pattern)
        return long_enough(field, text) or None

    def tidy(self, text: str) -> str:
        return " ".join(text.split())

    def blank(self, field: Field) -> Blank:
        return Blank(wide=(field.max_length or 200) > _HALF_A_LINE)


class Paragraphs(Line):
    props = frozenset({"min_length", "max_length"})
    defaults: Mapping[str, object] = {"max_length": 4000}
    column = False

    def tidy(self, text: str) -> str:
        return text

    def blank(self, field: Field) -> Blank:
        return Blank(lines=4 if (field.max_length or 4000) <= 500 else 8, wide=True)


def _fitted(field: Field, text: str, mask: str) -> str:
    """The code written as its mask: 9 a digit, A a letter, * either, anything else itself."""
    code, wanted = normalise_code(text), [c for c in mask if c not in "- "]
    if len(code) == len(wanted) and all(_fits(c, m) for c, m in zip(code, wanted, strict=True)):
        typed = iter(code)
        return "".join(c if c in "- " else next(typed) for c in mask)
    digits, letters = cycle("1234567890"), cycle("ABCDEFGH")
    example = "".join(next(digits) if c in "9*" else next(letters) if c == "A" else c for c in mask)
    if set(mask) == {"9"}:
        zh, en = (
            "{label}須為 {size} 位數字，您輸入了「{text}」",
            "{label} must be {size} digits, not “{text}”",
        )
    else:
        zh, en = "{label}的格式不正確，您輸入了「{text}」", "{label} is not in the right form: “{text}”"
    raise refuse(
        field.label,
        f"{zh}，例如 {{example}}",
        f"{en}. For example {{example}}",
        size=len(mask),
        text=quoted(text),
        example=example,
    )


def _fits(c: str, wanted: str) -> bool:
    if wanted not in "9A*":
        return c == wanted.upper()
    if not c.isascii():
        return False
    return (wanted in "9*" and c.isdigit()) or (wanted in "A*" and c.isalpha())


class Code(FieldType):
    """An identifier that `forms.identifiers` knows."""

    props = frozenset({"autocomplete"})

    def __init__(
        self, kind: str, zh: str, en: str, example: str, *, personal: bool = False, frames: int = 0
    ) -> None:
        self.identifier, self.zh, self.en, self.frames = kind, zh, en, frames
        self.example = Text(zh=example, en=example)
        self.personal = personal

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text = one(field, given, limit=254 if self.identifier == "email" else CODE_LENGTH)
        try:
            return normalise(self.identifier, text) if text else None
        except ValueError as error:
            raise refuse(field.label, self.zh, self.en, example=self.example) from error

    def blank(self, field: Field) -> Blank:
        return Blank(frames=self.frames, wide=self.identifier == "email")


class Share(Code):
    def show(self, field: Field, value: Json, lang: str) -> str:
        return "all" if lang == "en" and value == "全部" else str(value)


class Phone(Code):
    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        value = super().parse(field, given, at)
        if isinstance(value, str) and phone_kind(value) == "other":
            raise refuse(field.label, self.zh, self.en, example=self.example)
        return value


class Plate(Code):
    def remark(self, field: Field, value: Json) -> Text | None:
        """Trailers, imports and old series are written in many ways, so a rare one is no mistake."""
        if plate_styles(str(value)) != ("lenient",):
            return None
        return words(
            "「{plate}」不是常見的車牌寫法，請再確認一次",
            "“{plate}” is not a usual plate. Please look again",
            plate=value,
        )


# --- numbers ---------------------------------------------------------------------------------------------

_NUMBER = re.compile(r"[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_CURRENCY = re.compile(r"^(?:NT\$|TWD|\$|新[臺台]幣)", re.IGNORECASE)
_LARGEST = Decimal(10) ** 15


class Number(FieldType):
    """Answers are JSON: an integer stays one, anything with decimals is a text without trailing zeros."""

    fact = "number"
    props = frozenset({"min", "max", "unit", *NUMBER_BOUNDS})
    as_integer = False

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text = one(field, given, limit=CODE_LENGTH)
        if not text:
            return None
        number = self.read(field, text)
        self.check_range(field, number)
        if self.as_integer:
            return int(number)
        return f"{number.normalize():f}" if number else "0"

    def read(self, field: Field, text: str) -> Decimal:
        plain = _CURRENCY.sub("", folded(text)).replace("\u2212", "-")
        for unit in self.units(field):
            plain = plain.removesuffix(folded(unit))
        if not _NUMBER.fullmatch(plain):
            raise refuse(
                field.label,
                "{label}須為數字，您輸入了「{text}」，例如 {example}",
                "{label} must be a number, not “{text}”, for example {example}",
                text=quoted(text),
                example=self.sample(field),
            )
        number = Decimal(plain.replace(",", ""))
        places = field.decimals or 0
        if -int(number.as_tuple().exponent) > places and number != round(number, places):
            kind = ("須為整數", "must be a whole number")
            if places:
                kind = (f"最多 {places} 位小數", f"can have {places} decimal places at most")
            raise refuse(
                field.label,
                "{label}" + kind[0] + "，您輸入了「{text}」，例如 {example}",
                "{label} " + kind[1] + ", not “{text}”, for example {example}",
                text=quoted(text),
                example=self.sample(field),
            )
        return number

    def units(self, field: Field) -> tuple[str, ...]:
        return (field.unit.zh, field.unit.en) if field.unit else ()

    def sample(self, field: Field) -> str:
        low, high = (x if isinstance(x, Decimal) else None for x in (field.min, field.max))
        for number in map(Decimal, (10, 100, 1000, 1)):
            if (low is None or number >= low) and (high is None or number <= high):
                return show_number(number)
        return show_number(low if low is not None else high or 0)

    def check_range(self, field: Field, number: Decimal) -> None:
        low, high = (x if isinstance(x, Decimal) else None for x in (field.min, field.max))
        below, above = low is not None and number < low, high is not None and number > high
        if not (below or above or abs(number) >= _LARGEST):
            return
        if low is not None and high is not None:
            zh, en = "{label}須介於 {low} 至 {high}", "{label} must be between {low} and {high}"
        elif below:
            zh, en = "{label}不能小於 {low}", "{label} cannot be less than {low}"
        elif above:
            zh, en = "{label}不能大於 {high}", "{label} cannot be more than {high}"
        else:
            zh, en = "{label}的數字太大，請檢查是否多打了數字", "{label} is too large. Check for extra digits"
        bounds: dict[str, Any] = {
            n: self.amount(field, x) for n, x in (("low", low), ("high", high)) if x is not None
        }
        raise refuse(field.label, zh, en, **bounds)

    def show(self, field: Field, value: Json, lang: str) -> str:
        return self.amount(field, Decimal(str(value))).in_(lang)

    def blank(self, field: Field) -> Blank:
        return Blank(f"{'　' * 8}{field.unit.zh}" if field.unit else "")

    def amount(self, field: Field, number: Decimal) -> Text:
        text = show_number(number)
        return words("{n} {unit}", "{n} {unit}", n=text, unit=field.unit) if field.unit else Text(zh=text)

    def typed(self, field: Field, value: Json) -> object:
        return value if self.as_integer else Decimal(str(value))


class Integer(Number):
    as_integer = True


class DecimalNumber(Number):
    props = Number.props | {"decimals"}
    defaults: Mapping[str, object] = {"decimals": 2}


class Money(Number):
    """New Taiwan dollars, whole ones unless the definition says otherwise."""

    props = frozenset({"min", "max", "decimals", *NUMBER_BOUNDS})
    defaults: Mapping[str, object] = {"min": Decimal(0), "decimals": 0}

    def units(self, field: Field) -> tuple[str, ...]:
        return ("元整", "元", "圓", "NTD", "TWD")

    def blank(self, field: Field) -> Blank:
        return Blank(f"新臺幣{'　' * 9}元")

    def amount(self, field: Field, number: Decimal) -> Text:
        return words("{n} 元", "NT$ {n}", n=show_number(number))


SIMPLE_TYPES: dict[str, FieldType] = {
    "text": Line(),
    "textarea": Paragraphs(),
    "integer": Integer(),
    "decimal": DecimalNumber(),
    "money": Money(),
    "phone": Phone(
        "phone",
        "{label}不正確，請填含區號的市話或手機號碼，例如 {example}",
        "{label} is not correct. Enter a mobile, or a landline with its area code, for example {example}",
        "0953-803-516",
        personal=True,
    ),
    "email": Code(
        "email",
        "{label}不正確，請檢查是否漏字，例如 {example}",
        "{label} is not correct. Check for missing characters, for example {example}",
        "name@example.com",
        personal=True,
    ),
    "national_id": Code(
        "person_id",
        "{label}不正確，請檢查是否漏字，例如 {example}",
        "{label} is not correct. Check for missing characters, for example {example}",
        "A123456789",
        personal=True,
        frames=10,
    ),
    "company_number": Code(
        "ubn",
        "{label}不正確，請填 8 位數字並檢查是否漏字，例如 {example}",
        "{label} is not correct. Enter 8 digits and check for missing ones, for example {example}",
        "04595257",
        frames=8,
    ),
    "nid_or_company": Code(
        "person_or_company",
        "{label}不正確，請填身分證或居留證號碼（例如 {example}），或 8 位數字的統一編號（例如 04595257）",
        "{label} is not correct. Enter an ID or residence permit number (for example {example}) "
        "or a company number of 8 digits (for example 04595257)",
        "A123456789",
        personal=True,
        frames=10,
    ),
    "land_parcel": Code(
        "land_parcel",
        "{label}不正確，請填母號，有子號再加「-」和子號，例如 {example}",
        "{label} is not correct. Enter the number, with “-” and the sub-number if any, for example {example}",
        "123-1",
    ),
    "share": Share(
        "share",
        "{label}不正確，請填「全部」，或分子不大於分母的分數，例如 {example}；公同共有請寫「公同共有」，有分數時接著寫",
        "{label} is not correct. Enter all, or a fraction that is no more than one, for example {example}; for joint "
        "ownership 公同共有, followed by the fraction if there is one",
        "1/2",
    ),
    "household_no": Code(
        "household_no",
        "{label}不正確，請填戶口名簿上的戶號，1 個字母加 7 位數字，例如 {example}",
        "{label} is not correct. Enter the letter and 7 digits of the household register, for example {example}",
        "W1234567",
        personal=True,
        frames=8,
    ),
    "vehicle_plate": Plate(
        "plate",
        "{label}不正確，請連同「-」填寫，例如 {example}",
        "{label} is not correct. Enter it with its “-”, for example {example}",
        "ABC-1235",
        personal=True,
    ),
}
