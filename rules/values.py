"""What forms, workflows and rules share: bilingual text, problems of a definition, ROC dates, YAML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

#: the longest time limit, of a service or a ruleset, in units of any kind
MAX_PERIOD = 3660


class Text(BaseModel):
    """A text in Traditional Chinese and, where it exists, in English. A bare string is Chinese."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str = Field(min_length=1)
    en: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare_string_is_chinese(cls, data: object) -> object:
        return {"zh": data} if isinstance(data, str) else data

    def in_(self, lang: str) -> str:
        return self.en if lang == "en" and self.en else self.zh

    def __str__(self) -> str:
        return self.zh


#: what stands between the items of a list
COMMAS: Mapping[str, str] = {"zh": "、", "en": ", "}


def say(zh: str, en: str, /, **parts: object) -> Text:
    """A sentence in both languages. A Text among its parts is said in each, a list one by one, None not at all."""
    return Text(
        zh=zh.format_map({name: _said(part, "zh") for name, part in parts.items()}),
        en=en.format_map({name: _said(part, "en") for name, part in parts.items()}),
    )


def _said(part: object, lang: str) -> object:
    if isinstance(part, Text):
        return part.in_(lang)
    if isinstance(part, (list, tuple)):
        return COMMAS[lang].join(str(_said(each, lang)) for each in part)
    return "" if part is None else part


class Problem(BaseModel):
    """One mistake in a definition: where it is, and one sentence for an administrator."""

    model_config = ConfigDict(frozen=True)

    path: str
    message: Text
    #: the rows of a table that the message names, from 1
    rows: tuple[int, ...] = ()
    #: the values to choose from; where the message lists them, it ends with them
    choices: tuple[str, ...] = ()

    @property
    def text(self) -> Text:
        """With its place."""
        return (
            say("{path}: {said}", "{path}: {said}", path=self.path, said=self.message)
            if self.path
            else self.message
        )

    def below(self, name: str) -> Problem:
        """The same, of a file or another whole that its path is part of."""
        return self.model_copy(update={"path": f"{name} {self.path}".strip()})

    def __str__(self) -> str:
        return str(self.text)


class DefinitionError(ValueError):
    """A definition that is refused, with every mistake that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


# --- ROC dates -------------------------------------------------------------------------------------------

_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "○": 0}
_SCORES = {"廿": 20, "卅": 30}
_COUNTED = re.compile(
    "(?:([一二三四五六七八九]?)百)?零?(?:([一二三四五六七八九]?)十|([廿卅]))?([一二三四五六七八九])?"
)
_NUMERAL = r"[0-9]{1,4}|[〇○零一二三四五六七八九十廿卅百]{1,7}"
_WRITTEN = re.compile(
    rf"(?P<era>(?:中華)?民國前|(?:中華)?民國|西元)?(?P<year>{_NUMERAL}|元)年"
    rf"(?P<month>{_NUMERAL})月(?P<day>{_NUMERAL})[日號]?"
)
_SEPARATED = re.compile(
    r"(?P<era>(?:中華)?民國前|(?:中華)?民國|西元)?(?P<year>[0-9]{1,4})(?P<sep>[/.-])"
    r"(?P<month>[0-9]{1,2})(?P=sep)(?P<day>[0-9]{1,2})"
)
_COMPACT = re.compile(r"(?P<era>(?:中華)?民國|西元)?(?P<year>[0-9]{2,4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
_LAST_ROC_YEAR = 999


def _numeral(text: str) -> int:
    """Arabic or Chinese numeral: 109, 一百零九, 一〇九, 廿三, 元 (the first year)."""
    if text == "元":
        return 1
    if text.isascii():
        return int(text)
    if all(c in _DIGITS for c in text):
        return int("".join(str(_DIGITS[c]) for c in text))
    counted = _COUNTED.fullmatch(text)
    if counted is None:
        raise ValueError(f"not a numeral: {text!r}")
    hundreds, tens, score, ones = counted.groups()
    total = _SCORES.get(score, 0) + _DIGITS.get(ones, 0)
    for digit, unit in ((hundreds, 100), (tens, 10)):
        if digit is not None:
            total += unit * _DIGITS.get(digit, 1)  # 十 alone is ten
    return total


def parse_roc_date(text: str) -> date:
    """A date as people write it: 109/10/16, 1091016, 991231, 民國一百零九年十月十六日, 民國前1年1月1日.

    A year of up to three digits is always an ROC year; only a four-digit year is Gregorian.
    """
    compact = "".join(unicodedata.normalize("NFKC", text[:60]).split())
    found = _WRITTEN.fullmatch(compact) or _SEPARATED.fullmatch(compact) or _COMPACT.fullmatch(compact)
    if len(text) > 60 or found is None:
        raise ValueError(f"not a date: {text[:60]!r}")
    era, year = found["era"] or "", _numeral(found["year"])
    gregorian = era == "西元" or (not era and year > _LAST_ROC_YEAR)
    if year == 0 or (not gregorian and year > _LAST_ROC_YEAR):
        raise ValueError(f"not a year: {text!r}")
    if era.endswith("前"):
        year = 1912 - year
    elif not gregorian:
        year += 1911
    return date(year, _numeral(found["month"]), _numeral(found["day"]))


def roc_year(d: date) -> int:
    """ROC year; there is no year 0, so 1911 is -1 (民國前1年)."""
    return d.year - 1911 if d.year > 1911 else d.year - 1912


def format_roc_date(d: date, style: Literal["long", "short"] = "long") -> str:
    """民國115年11月22日, or 115.11.22 when short."""
    year = roc_year(d)
    if style == "short":
        return f"{'民國前' if year < 0 else ''}{abs(year)}.{d.month:02}.{d.day:02}"
    return f"民國{'前' if year < 0 else ''}{abs(year)}年{d.month}月{d.day}日"


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def format_day(d: date, lang: str, style: Literal["long", "short"] = "long") -> str:
    """A day as people write it: 民國115年11月22日 or 115.11.22; in English 22 November 2026 or 22 Nov 2026."""
    if lang != "en":
        return format_roc_date(d, style)
    month = _MONTHS[d.month - 1]
    return f"{d.day} {month if style == 'long' else month[:3]} {d.year}"


# --- text ------------------------------------------------------------------------------------------------

_LINE_ENDS = re.compile("\r\n|[\r\u2028\u2029]")
_HYPHENS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")


def normalise_text(s: str) -> str:
    """NFC, stripped, without control and invisible format characters; line ends stay as \\n."""
    s = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", s)).replace("\t", " ")
    return "".join(c for c in s if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def normalise_code(s: str) -> str:
    """The canonical writing of an identifier: NFKC, upper case, no spaces or hyphens."""
    return _HYPHENS.sub("", unicodedata.normalize("NFKC", s)).upper()


# --- YAML ------------------------------------------------------------------------------------------------


#: no definition is nested deeper
MOST_LEVELS = 60
TOO_DEEP = Text(zh=f"最多 {MOST_LEVELS} 層", en=f"At most {MOST_LEVELS} levels")
_NO_REFERENCE = Text(zh="不可使用 YAML 參照（*）", en="References of YAML (*) cannot be used")
#: in C where it was built so, five times as fast
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(yaml.MarkedYAMLError):
    """YAML that is right and that no definition may hold."""

    def __init__(self, said: Text, mark: Any) -> None:
        super().__init__(problem=said.zh, problem_mark=mark)
        self.said = said


class _Loader(_SafeLoader):  # type: ignore[misc]  # one of two classes
    """JSON values only: a date stays a string, `no` and `on` are words, 0826 keeps its zero."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                said = say(
                    "鍵「{key}」必須是文字，請加上引號",
                    "The key “{key}” must be text: put it in quotes",
                    key=key,
                )
            elif key in seen:
                said = say("鍵「{key}」重複", "The key “{key}” stands there twice", key=key)
            else:
                seen.add(key)
                continue
            raise _Refused(said, key_node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return mapping


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+", "-+0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first))


def _look_into(text: str) -> None:
    """References are refused, and depth: the loader in C would follow brackets until the process crashes."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise _Refused(_NO_REFERENCE, mark)
        if depth > MOST_LEVELS:
            raise _Refused(TOO_DEEP, mark)


def read_yaml(path: Path | str) -> Any:
    """The values of a YAML file; duplicate keys, references and bad syntax are refused with their line."""
    path = Path(path)
    return parse_yaml(path.read_bytes(), path.name)


def parse_yaml(data: bytes | str, name: str) -> Any:
    """The values of a YAML text; `name` stands before the line of a mistake."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        _look_into(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark
        where = f"{name}:{min(at.line + 1, text.count(chr(10)) + 1)}" if at else name
        said = error.said if isinstance(error, _Refused) else _in_words(error.problem or "")
        raise DefinitionError([Problem(path=where, message=said)]) from error
    except yaml.reader.ReaderError as error:
        raise DefinitionError([Problem(path=name, message=_UNREADABLE)]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError([Problem(path=name, message=_NO_TEXT)]) from error


_UNREADABLE = Text(
    zh="檔案無法讀取：有不能使用的字元", en="The file cannot be read: it has characters that cannot be used"
)
_NO_TEXT = Text(
    zh="檔案無法讀取：數字太長，或不是 UTF-8 文字",
    en="The file cannot be read: a number is too long, or it is no UTF-8 text",
)

_NO_TAG = Text(zh="不可使用 YAML 標籤（!）", en="Tags of YAML (!) cannot be used")
_NO_KEY = Text(zh="縮排不一致，或少了「鍵: 值」", en="The indentation differs, or “key: value” is missing")
#: what the parser says, and what an administrator reads
_SYNTAX = (
    ("tab", Text(zh="縮排不可使用 Tab，請改用空格", en="Do not indent with tabs; use spaces")),
    (
        "cannot start any token",
        Text(
            zh="這裡不能以這個字元開頭；請把這段文字加上引號，縮排請用空格而不用 Tab",
            en="Nothing can begin with this character here; put the text in quotes, and indent with spaces, not tabs",
        ),
    ),
    (
        "mapping values are not allowed",
        Text(
            zh="這裡不能再有冒號；請檢查縮排，或把含有冒號的文字加上引號",
            en="No other colon can stand here; check the indentation, or put text with a colon in quotes",
        ),
    ),
    (
        "expected ':'",
        Text(zh="少了冒號（:），或縮排不一致", en="A colon (:) is missing, or the indentation differs"),
    ),
    (
        "',' or ']'",
        Text(
            zh="方括號 [ ] 沒有結束，或少了逗號", en="The brackets [ ] are not closed, or a comma is missing"
        ),
    ),
    (
        "',' or '}'",
        Text(zh="大括號 { } 沒有結束，或少了逗號", en="The braces { } are not closed, or a comma is missing"),
    ),
    (
        "node content",
        Text(zh="括號沒有結束，或少了內容", en="A bracket is not closed, or something is missing"),
    ),
    (
        "'-' indicator",
        Text(
            zh="清單的每一項要以「- 」開頭，縮排要一致",
            en="Each item of a list begins with “- ”, all indented alike",
        ),
    ),
    ("expected key", _NO_KEY),
    ("<block end>", _NO_KEY),
    ("unexpected end of stream", Text(zh="引號沒有結束", en="A quotation mark is not closed")),
    (
        "document",
        Text(
            zh="只能有一份內容，中間不可有 --- 或 ...",
            en="There can be one document only, without --- or ... in between",
        ),
    ),
    ("constructor", _NO_TAG),
    ("tag", _NO_TAG),
    ("anchor", Text(zh="不可使用 YAML 參照（&）", en="References of YAML (&) cannot be used")),
    ("alias", _NO_REFERENCE),
    (
        "escape",
        Text(
            zh="雙引號裡的反斜線（\\）後面有不能使用的字元",
            en="In double quotes a character after a backslash (\\) cannot be used",
        ),
    ),
)
_NO_YAML = Text(
    zh="不是有效的 YAML，請檢查縮排、引號與括號",
    en="This is not valid YAML; check the indentation, quotation marks and brackets",
)


def _in_words(problem: str) -> Text:
    return next((words for part, words in _SYNTAX if part in problem), _NO_YAML)


def compose_yaml(text: str) -> yaml.Node | None:
    """The nodes of a text that parse_yaml reads, with their lines."""
    node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return node
