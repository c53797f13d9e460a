"""What every field type can do; the methods here are the behaviour of one line of text."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias

from forms.messages import Invalid, quoted, refuse
from rules.conditions import FactType
from rules.values import Text, normalise_text

if TYPE_CHECKING:
    from forms.model import Field
    from forms.places import Point

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"
#: what was typed into one field, by part: {"year": ["47"], …}, or {"": […]} where there is one input
Given: TypeAlias = Mapping[str, Sequence[str]]
#: options from elsewhere by the name of their list, each by its value
Lists: TypeAlias = Mapping[str, Mapping[str, Text]]
NO_LISTS: Lists = {}
#: no code, number, date or value of an option is longer
CODE_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Setting:
    """What an answer is read in, beside what was typed."""

    today: date
    #: the clock on the wall in Taipei, where the answers are sent
    moment: datetime | None = None
    lang: str = "zh"
    lists: Lists = field(default_factory=dict)
    #: the valid answers so far, of the form or of the row of a table
    answers: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blank:
    """What stands on paper where nothing is answered yet."""

    #: words to complete: 民國　　年　　月　　日
    text: str = ""
    #: frames, one for each character of a code
    frames: int = 0
    #: lines to write on, where it is more than one
    lines: int = 1
    #: takes the whole width of the page
    wide: bool = False


class FieldType(ABC):
    """Stateless; one instance a type stands in `forms.field_types.FIELD_TYPES`."""

    fact: FactType = "text"
    #: names behind `<key>-`; "" is the input that bears the key itself
    parts: tuple[str, ...] = ("",)
    #: several values under one name
    many = False
    #: may be a column of a table
    column = True
    #: tells something about a person, unless the definition says otherwise
    personal = False
    #: somebody is asked; what is not asked follows from other answers and takes no input
    asked = True
    #: the applicant's own word (a consent, a signature): who only helps to fill in cannot give it
    own_word = False
    #: properties that a definition may set, beside those of every field
    props: frozenset[str] = frozenset()
    defaults: Mapping[str, object] = {}
    #: options that are the same in every form, by part
    fixed: Mapping[str, Mapping[str, Text]] = {}
    example: Text | None = None
    required = ("請填寫{label}", "{label} is required")

    @abstractmethod
    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        """The canonical answer, None where nothing was given; Invalid says what is wrong."""

    def reusable(self, field: Field) -> bool:
        """Whether a later application may start from the answer."""
        return True

    def reads(self, field: Field) -> frozenset[str]:
        """The keys of the other fields whose answers this one depends on."""
        return frozenset()

    def show(self, field: Field, value: Json, lang: str) -> str:
        return str(value)

    def blank(self, field: Field) -> Blank:
        """The room for an answer that is written by hand."""
        return Blank()

    def remark(self, field: Field, value: Json) -> Text | None:
        """What to look at again before sending, although it was taken."""
        return None

    def points(self, value: Json) -> tuple[Point, ...]:
        """Where the answer lies on the map: latitude and longitude, of a line one after another."""
        return ()

    def sentence(self, field: Field, value: Json, lang: str) -> str:
        """The answer as a letter quotes it in the middle of a sentence: one line."""
        return " ".join(line.strip() for line in self.show(field, value, lang).splitlines() if line.strip())

    def typed(self, field: Field, value: Json) -> object:
        """The answer as conditions compare it."""
        return value

    def fact_types(self, key: str) -> dict[str, FactType]:
        return {f"answers.{key}": self.fact}

    def facts(self, field: Field, value: Json) -> dict[str, object]:
        return {f"answers.{field.key}": self.typed(field, value)}

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [str(value)]}

    def choices(self, field: Field, part: str = "", lists: Lists = NO_LISTS) -> Mapping[str, Text]:
        """The options of an input, by value."""
        return self.fixed.get(part, {})

    def missing(self, field: Field) -> Invalid:
        zh, en = self.required
        if self.example:
            zh, en = f"{zh}，例如 {{example}}", f"{en}, for example {{example}}"
        return refuse(field.label, zh, en, example=self.example)


def one(field: Field, given: Given, part: str = "", *, limit: int) -> str:
    """The single text of an input, normalised; refused when it is several or longer than the limit."""
    texts = [text for text in given.get(part, ()) if text and not text.isspace()]
    if not texts:
        return ""
    if len(texts) > 1:
        raise refuse(
            field.label,
            "{label}只能有一個答案，請只保留一個",
            "{label} takes one answer only. Keep one of them",
            part=part,
        )
    text = texts[0]
    if len(text) <= 4 * limit + 1000:  # longer is too long whatever normalising does, and costs nothing
        check_characters(field, text, part)
        text = normalise_text(text)
        if len(text) <= limit:
            return text
    raise refuse(
        field.label,
        "{label}最多 {limit} 個字，您輸入了 {size:,} 個字，請縮短",
        "{label} can have {limit} characters at most; you entered {size:,}. Please shorten it",
        part=part,
        limit=limit,
        size=len(text),
    )


def long_enough(field: Field, text: str, part: str = "") -> str:
    if text and len(text) < (field.min_length or 0):
        raise refuse(
            field.label,
            "{label}至少 {limit} 個字，請寫得更完整",
            "{label} needs at least {limit} characters. Please write more",
            part=part,
            limit=field.min_length,
        )
    return text


def check_characters(field: Field, text: str, part: str = "") -> None:
    """Half characters (surrogates) cannot be stored; other control characters are dropped quietly."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise refuse(
            field.label,
            "{label}第 {place} 個字無法辨識，請刪除後重新輸入",
            "Character {place} of {label} cannot be read. Delete it and type it again",
            part=part,
            place=error.start + 1,
        ) from error


def folded(text: str) -> str:
    """Full-width forms to plain ones, without spaces."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def unknown_option(field: Field, text: str, part: str = "") -> Invalid:
    return refuse(
        field.label,
        "{label}沒有「{text}」這個選項，請從列出的選項中選擇",
        "{label} has no option “{text}”. Choose one of those listed",
        part=part,
        text=quoted(text),
    )
