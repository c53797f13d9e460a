"""How a cell of a table and the value of a parameter are written, by people and in spreadsheets.

    -            any value; in a result: nothing follows (also an empty cell)
    6.5          compared as the heading of its column says
    ≥ 6.5        compared in its own way: ＝ ≠ ＞ ≥ ＜ ≤ (also = != > >= < <=), 屬於 A、B, 包含 A
    A、B         one of these (also A, B)
    缺  有        there is no value; there is one
    是  否        yes; no
    {門檻}        the parameter of that name
    [事實]       another fact
    「A、B」      these very characters (also "A, B")
    JSON {…}     anything else

Words may be Chinese, English or the code itself. What cannot be read stays the text that was typed: what is
wrong with it says the loader. Every cell reads back as it was written.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal
from unicodedata import normalize

from rules.actions import ActionParam
from rules.conditions import SYMBOLS, Op, coerce
from rules.facts import FACTS, Fact
from rules.storable import read_json
from rules.values import Text, normalise_text, parse_roc_date

Type = Literal["number", "text", "boolean", "date", "month_day"]

YES, NO = Text(zh="是", en="yes"), Text(zh="否", en="no")
BOOLEANS: Mapping[str, Text] = MappingProxyType({"true": YES, "false": NO})
#: an empty cell
ANY = ("-", "", None)
LONGEST = 2000
_JSON = "JSON "

_ANY_WORDS = {"", "-", "不限", "無", "any", "none", "n/a"}
_WORD_OPS: Mapping[str, Text] = {
    "missing": Text(zh="缺", en="missing"),
    "exists": Text(zh="有", en="known"),
}
_PREFIX_OPS: Mapping[str, Text] = {"in": Text(zh="屬於", en="in"), "contains": Text(zh="包含", en="contains")}
_SIGNS: Mapping[str, Op] = {
    ">=": "ge", "<=": "le", "!=": "ne", "<>": "ne", "==": "eq", "≧": "ge", "≦": "le",
    "≥": "ge", "≤": "le", "≠": "ne", "=": "eq", ">": "gt", "<": "lt",
}  # fmt: skip
_AS_TYPED = str.maketrans({"≥": ">=", "≤": "<=", "≧": ">=", "≦": "<=", "≠": "!="})
_SIGNED = re.compile("(" + "|".join(map(re.escape, _SIGNS)) + r")\s*(.+)", re.DOTALL)
_SPELT = re.compile(
    "(" + "|".join(w for t in _PREFIX_OPS.values() for w in (t.zh, t.en)) + r")\s+(.+)", re.DOTALL
)
_NUMBER = re.compile(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?")
_MONTH_DAY = re.compile(r"([0-9]{1,2})(?:[-/.]|月)([0-9]{1,2})日?")
_DASHES = str.maketrans(
    dict.fromkeys("‐‑‒–—―−﹣－", "-")
)  # what keyboards and spreadsheets write for a minus
_PARTS = {  # a comma may stand within a number
    True: re.compile(r"「[^」]*」|\"[^\"]*\"|(?:[^、;；,，]|[,，](?!\s))+"),
    False: re.compile(r"「[^」]*」|\"[^\"]*\"|[^、;；,，]+"),
}


def fold(words: str) -> str:
    """Two writings of one word: width, case and spaces do not matter."""
    return "".join(normalize("NFKC", words).casefold().translate(_AS_TYPED).split())


class Words:
    """Names for codes, in both languages; a name that two codes share names neither."""

    def __init__(self, named: Mapping[str, Text]) -> None:
        self.named = named
        found: dict[str, set[str]] = {}
        for code, label in named.items():
            for word in (label.zh, label.en):
                if word:
                    found.setdefault(fold(word), set()).add(code)
        self.codes = {word: codes.pop() for word, codes in found.items() if len(codes) == 1}
        self.codes |= {fold(code): code for code in named}

    def code(self, word: str) -> str | None:
        return self.codes.get(fold(word))

    def word(self, code: str, lang: str) -> str:
        """The name, or the code where the name would not lead back to it."""
        label = self.named.get(code)
        name = label.in_(lang) if label else code
        return name if self.code(name) == code else code


@dataclass(frozen=True)
class Domain:
    """What may stand in a cell: its type, its values where they are closed, one or several of them."""

    type: Type
    options: Mapping[str, Text] = field(default_factory=dict)
    several: bool = False

    @cached_property
    def words(self) -> Words:
        return Words(BOOLEANS if self.type == "boolean" else self.options)


def of_fact(fact: Fact) -> Domain:
    """A list is asked for one of its members."""
    return Domain("text" if fact.type == "list" else fact.type, fact.options)


def of_action(param: ActionParam, functions: Mapping[str, Text]) -> Domain:
    several = param.type in ("choices", "functions")
    if param.type in ("number", "period"):
        return Domain("number")
    if param.type == "month_day":
        return Domain("month_day")
    if param.type in ("function", "functions"):
        return Domain("text", functions, several)
    return Domain("text", param.choices, several)


@dataclass(frozen=True)
class Notation:
    """Reads and writes the cells of one column, or a parameter. Without `op` it is a result."""

    domain: Domain
    op: Op | None = None
    params: Mapping[str, Text] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=lambda: FACTS)

    # --- reading -----------------------------------------------------------------------------------------

    def read(self, typed: str) -> Any:
        text = normalise_text(typed)
        plain = normalize("NFKC", text).translate(_DASHES).strip()
        if len(text) > LONGEST:
            return text
        if plain.casefold() in _ANY_WORDS and self.domain.words.code(text) is None:
            return "-"
        if text.startswith(_JSON) and (found := _json(text[len(_JSON) :])) is not None:
            return found
        if self.op is not None and self.domain.words.code(text) is None:
            for op, word in _WORD_OPS.items():
                if fold(text) in (word.zh, word.en, op):
                    return {"op": op}
            if signed := _SIGNED.fullmatch(plain):
                return {"op": _SIGNS[signed[1]], "value": self.value(text[_after(text, signed[1]) :].strip())}
            if spelt := _SPELT.fullmatch(text):
                op = next(op for op, word in _PREFIX_OPS.items() if spelt[1] in (word.zh, word.en))
                return {"op": op, "value": self.value(spelt[2], many=op == "in")}
        return self.value(text, many=self.op == "in" or self.domain.several)

    def value(self, text: str, *, many: bool = False) -> Any:
        """One value or several, a parameter, another fact."""
        if len(text) > 2 and (text[0], text[-1]) in (("{", "}"), ("｛", "｝")):
            name = text[1:-1].strip()
            return {"param": self.param_words.code(name) or name}
        if self.op is not None and len(text) > 2 and (text[0], text[-1]) in (("[", "]"), ("〔", "〕")):
            name = text[1:-1].strip()
            return {"fact": self.fact_words.code(name) or name}
        if self.domain.words.code(text) is not None:
            return [self.scalar(text)] if many else self.scalar(text)
        parts = [part.strip() for part in _PARTS[self.domain.type == "number"].findall(text) if part.strip()]
        if many or len(parts) > 1:
            return [self.scalar(part) for part in parts]
        return self.scalar(text)

    def scalar(self, text: str) -> Any:
        if len(text) > 2 and (text[0], text[-1]) in (("「", "」"), ('"', '"')):
            return text[1:-1]
        code = self.domain.words.code(text)
        if self.domain.type == "boolean":
            return text if code is None else code == "true"
        if code is not None or self.domain.type == "text":
            return code or text
        plain = normalize("NFKC", text).translate(_DASHES).replace(" ", "")
        read = {"number": _number, "date": _date, "month_day": _month_day}[self.domain.type](plain)
        return text if read is None else read

    def fits(self, value: object) -> bool:
        """Whether a value, or each of a list, is of the type and among the values."""
        if isinstance(value, list):
            return bool(value) and all(self.fits(each) for each in value)
        if self.domain.type in ("number", "boolean"):
            return coerce(self.domain.type, value) is not None
        if self.domain.type in ("date", "month_day"):
            return coerce("date", f"2000-{value}" if self.domain.type == "month_day" else value) is not None
        return (
            isinstance(value, str)
            and value != ""
            and (not self.domain.options or value in self.domain.options)
        )

    # --- writing -----------------------------------------------------------------------------------------

    def write(self, cell: object, lang: str = "zh") -> str:
        if not isinstance(cell, (Mapping, list)) and cell in ANY:
            return "-"
        natural = self._cell(cell, lang)
        for text in natural:
            if same(self.read(text), cell):
                return text
        text = _JSON + json.dumps(cell, ensure_ascii=False, default=str)
        return text if same(self.read(text), cell) else _JSON + json.dumps(cell, default=str)

    def _cell(self, cell: object, lang: str) -> Iterator[str]:
        if not (isinstance(cell, Mapping) and "op" in cell):
            yield from self._value(cell, lang)
            return
        op = str(cell["op"])
        if op in _WORD_OPS:
            yield _WORD_OPS[op].in_(lang)
        sign = normalize("NFKC", SYMBOLS[op]) if op in SYMBOLS else op
        if op in _PREFIX_OPS:
            sign = _PREFIX_OPS[op].in_(lang)
        for text in self._value(cell.get("value"), lang):
            yield f"{sign} {text}"

    def _value(self, value: object, lang: str) -> Iterator[str]:
        if isinstance(value, Mapping):
            if isinstance(name := value.get("param"), str):
                yield f"{{{self.param_words.word(name, lang)}}}"
            elif isinstance(name := value.get("fact"), str):
                yield f"[{self.fact_words.word(name, lang)}]"
        elif isinstance(value, list):
            between = "、" if lang == "zh" else ", "
            yield between.join(next(self._scalar(each, lang)) for each in value)
            yield between.join(list(self._scalar(each, lang))[-1] for each in value)
        else:
            yield from self._scalar(value, lang)

    def _scalar(self, value: object, lang: str) -> Iterator[str]:
        if isinstance(value, bool):
            yield (
                self.domain.words.word(str(value).lower(), lang)
                if self.domain.type == "boolean"
                else str(value)
            )
        elif isinstance(value, (int, float)):
            yield show(value)
        else:
            word = self.domain.words.word(str(value), lang)
            yield word
            yield f'"{value}"' if lang == "en" else f"「{value}」"

    @cached_property
    def param_words(self) -> Words:
        return Words(self.params)

    @cached_property
    def fact_words(self) -> Words:
        return Words({name: fact.label for name, fact in self.facts.items()})


def same(a: object, b: object) -> bool:
    """The same JSON: 1, 1.0, true and "1" are four values."""
    return json.dumps(a, sort_keys=True, default=str) == json.dumps(b, sort_keys=True, default=str)


def show(value: float) -> str:
    """6.5 as people write it, never 1e-05."""
    try:
        return format(Decimal(str(value)), "f")
    except (ValueError, OverflowError):
        return str(value)


def _after(text: str, sign: str) -> int:
    """Where the sign ends in what was typed: it may be full width, of one character or two."""
    end = next(n for n in range(1, len(text) + 1) if normalize("NFKC", text[:n]).strip() == sign)
    return end


def _json(text: str) -> Any:
    """None for what is no JSON, or could not be kept."""
    try:
        return read_json(text)
    except ValueError:
        return None


def _number(text: str) -> int | float | None:
    if len(text) > 40 or not _NUMBER.fullmatch(text):
        return None
    digits = text.replace(",", "")
    if "." not in digits:
        return int(digits)
    number = float(digits)
    return number if Decimal(str(number)) == Decimal(digits) else None


def _date(text: str) -> str | None:
    try:
        return (
            date.fromisoformat(text).isoformat()
            if re.fullmatch(r"\d{4}-\d\d-\d\d", text)
            else parse_roc_date(text).isoformat()
        )
    except ValueError:
        return None


def _month_day(text: str) -> str | None:
    found = _MONTH_DAY.fullmatch(text)
    return f"{int(found[1]):02}-{int(found[2]):02}" if found else None
