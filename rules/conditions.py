"""The one condition grammar: what a form shows, what a guard allows, what a rule matches.

A condition is data: `{all: […]}`, `{any: […]}`, `{not: …}` or `{fact, op, value}`, where the value is a
literal, `{param: name}` or `{fact: name}`. It is three-valued: a missing fact or one of the wrong type makes
a comparison unknown (None), `not unknown` is unknown, and unknown never holds.
"""

import difflib
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, TypeVar, get_args
from unicodedata import normalize

from rules.values import DefinitionError, Problem, Text, format_day, say

FactType = Literal["number", "text", "boolean", "date", "list"]
Op = Literal["eq", "ne", "gt", "ge", "lt", "le", "in", "contains", "exists", "missing"]
T = TypeVar("T")
Scalar = int | Decimal | str | bool | date

MAX_DEPTH = 12

OPS: Mapping[FactType, tuple[Op, ...]] = {
    "number": ("eq", "ne", "gt", "ge", "lt", "le", "in", "exists", "missing"),
    "date": ("eq", "ne", "gt", "ge", "lt", "le", "in", "exists", "missing"),
    "text": ("eq", "ne", "in", "contains", "exists", "missing"),
    "boolean": ("eq", "ne", "exists", "missing"),
    "list": ("contains", "exists", "missing"),
}
TYPE_NAMES: Mapping[str, Text] = {
    "number": Text(zh="數字", en="number"),
    "date": Text(zh="日期", en="date"),
    "text": Text(zh="文字", en="text"),
    "boolean": Text(zh="是非題", en="yes or no"),
    "list": Text(zh="清單", en="list"),
}
_TEXT_OR_NUMBER = Text(zh="文字或數字", en="text or number")


@dataclass(frozen=True, slots=True)
class ParamRef:
    name: str


@dataclass(frozen=True, slots=True)
class FactRef:
    name: str


Value = Scalar | tuple[Scalar, ...] | ParamRef | FactRef | None


@dataclass(frozen=True, slots=True)
class Leaf:
    fact: str
    op: Op
    value: Value
    type: FactType


@dataclass(frozen=True, slots=True)
class All:
    items: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Any_:
    items: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    item: "Condition"


Condition = All | Any_ | Not | Leaf


# --- semantics -------------------------------------------------------------------------------------------

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def coerce(type_: FactType, value: object) -> object | None:
    """The value as its type, also from parsed JSON (floats by their text, ISO dates); else None."""
    if type_ == "number":
        return _number(value)
    if type_ == "text":
        return value if isinstance(value, str) and value else None
    if type_ == "boolean":
        return value if isinstance(value, bool) else None
    if type_ == "date":
        return _date(value)
    return as_list(value)


def as_list(value: object) -> tuple[object, ...] | None:
    return tuple(value) if isinstance(value, (list, tuple, set, frozenset)) else None


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        value = Decimal(str(value))
    return value if isinstance(value, Decimal) and value.is_finite() else None


def _date(value: object) -> date | None:
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def is_missing(value: object) -> bool:
    """Nothing was said: no value, an empty text or an empty list."""
    return value is None or (isinstance(value, (str, list, tuple, set, frozenset)) and not value)


def _element(value: object) -> object | None:
    """A member of a list: text or number, so that 1 and True stay different."""
    return value if isinstance(value, str) else _number(value)


def _contains(whole: object, part: object) -> bool | None:
    wanted = _element(part)
    if isinstance(whole, str):
        return wanted in whole if isinstance(wanted, str) and wanted else None
    return None if wanted is None else any(_element(x) == wanted for x in as_list(whole) or ())


def compare(type_: FactType, op: Op, actual: object, expected: object) -> bool | None:
    """One comparison; the only place where the meaning of an operator is written. None is unknown."""
    if op == "exists":
        return not is_missing(actual)
    if op == "missing":
        return is_missing(actual)
    left = coerce(type_, actual)
    if left is None:
        return None
    if op == "contains":
        return _contains(left, expected)
    if op == "in":
        members = as_list(expected)
        return None if members is None else any(coerce(type_, x) == left for x in members)
    right = coerce(type_, expected)
    return None if right is None else _COMPARE[op](left, right)


def threshold(leaf: Leaf, facts: Mapping[str, object], params: Mapping[str, object]) -> object:
    """What the fact is compared with."""
    if isinstance(leaf.value, ParamRef):
        return params.get(leaf.value.name)
    if isinstance(leaf.value, FactRef):
        return facts.get(leaf.value.name)
    return leaf.value


def evaluate(c: Condition, facts: Mapping[str, object], params: Mapping[str, object] = {}) -> bool | None:
    """True, False, or None when it cannot be known."""
    if isinstance(c, Leaf):
        return compare(c.type, c.op, facts.get(c.fact), threshold(c, facts, params))
    if isinstance(c, Not):
        return negate(evaluate(c.item, facts, params))
    results = [evaluate(item, facts, params) for item in c.items]
    return all_of(results) if isinstance(c, All) else any_of(results)


def negate(result: bool | None) -> bool | None:
    return None if result is None else not result


def all_of(results: Iterable[bool | None]) -> bool | None:
    results = list(results)
    return False if False in results else None if None in results else True


def any_of(results: Iterable[bool | None]) -> bool | None:
    results = list(results)
    return True if True in results else None if None in results else False


def holds(c: Condition | None, facts: Mapping[str, object], params: Mapping[str, object] = {}) -> bool:
    """Unknown does not hold; no condition always does."""
    return c is None or evaluate(c, facts, params) is True


def leaves_of(c: Condition) -> tuple[Leaf, ...]:
    if isinstance(c, Leaf):
        return (c,)
    items = (c.item,) if isinstance(c, Not) else c.items
    return tuple(leaf for item in items for leaf in leaves_of(item))


def facts_of(c: Condition) -> frozenset[str]:
    """Every fact that the condition reads."""
    leaves = leaves_of(c)
    compared = {leaf.value.name for leaf in leaves if isinstance(leaf.value, FactRef)}
    return frozenset({leaf.fact for leaf in leaves} | compared)


def params_of(c: Condition) -> frozenset[str]:
    return frozenset(leaf.value.name for leaf in leaves_of(c) if isinstance(leaf.value, ParamRef))


# --- reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reader:
    """Each method returns what it read, or raises DefinitionError with every mistake below its path."""

    facts: Mapping[str, FactType]
    params: Mapping[str, object]

    def condition(self, data: object, path: str, depth: int = 0) -> Condition:
        if depth > MAX_DEPTH:
            raise _refusal(
                path, say("條件最多 {most} 層", "A condition has at most {most} levels", most=MAX_DEPTH)
            )
        if not isinstance(data, Mapping):
            raise _refusal(
                path,
                say(
                    "條件必須是 all、any、not 或 fact 的組合，不是「{value}」",
                    "A condition must be made of all, any, not or fact; it is “{value}”",
                    value=shown(data),
                ),
            )
        kinds = [k for k in ("all", "any", "not", "fact") if k in data]
        if len(kinds) != 1:
            raise _refusal(
                path,
                say(
                    "條件必須恰有 all、any、not、fact 其中一項",
                    "A condition must have exactly one of all, any, not, fact",
                ),
            )
        kind = kinds[0]
        allowed = {"fact", "op", "value"} if kind == "fact" else {kind}
        if unknown := [shown(k) for k in data if k not in allowed]:
            raise _refusal(
                path,
                say(
                    "條件中有不認得的項目「{names}」",
                    "Unknown items in a condition: “{names}”",
                    names=unknown,
                ),
            )
        if kind == "fact":
            return self.leaf(data, path)
        if kind == "not":
            return Not(self.condition(data["not"], f"{path}.not", depth + 1))
        parts = data[kind]
        if not isinstance(parts, (list, tuple)) or not parts:
            said = say(
                "{kind} 之下至少要有一個條件", "There must be at least one condition below {kind}", kind=kind
            )
            raise _refusal(f"{path}.{kind}", said)
        items = _each(
            parts,
            f"{path}.{kind}",
            lambda part, at: self.condition(part, at, depth + 1),
        )
        return All(items) if kind == "all" else Any_(items)

    def leaf(self, data: Mapping[str, object], path: str) -> Leaf:
        fact, op = data["fact"], data.get("op")
        type_ = self.fact_type(fact, f"{path}.fact")
        if op not in get_args(Op):
            raise _refusal(
                f"{path}.op",
                say(
                    "不認得的比較方式「{op}」，可用：{usable}",
                    "Unknown operator “{op}”; there are: {usable}",
                    op=shown(op),
                    usable=get_args(Op),
                ),
            )
        if op not in OPS[type_]:
            raise _refusal(
                f"{path}.op",
                say(
                    "「{fact}」是{type}，不能用「{op}」，可用：{usable}",
                    "“{fact}” is of type {type} and cannot be compared by “{op}”; there are: {usable}",
                    fact=fact,
                    type=TYPE_NAMES[type_],
                    op=op,
                    usable=OPS[type_],
                ),
            )
        if op in ("exists", "missing"):
            if "value" in data:
                raise _refusal(f"{path}.value", say("「{op}」不需要 value", "“{op}” needs no value", op=op))
            return Leaf(str(fact), op, None, "text")  # whether there is one is asked of every type alike
        if "value" not in data:
            raise _refusal(
                path, say("「{fact} {op}」缺少 value", "“{fact} {op}” lacks a value", fact=fact, op=op)
            )
        return Leaf(str(fact), op, self.value(data["value"], type_, op, f"{path}.value"), type_)

    def fact_type(self, name: object, path: str) -> FactType:
        if isinstance(name, str) and name in self.facts:
            return self.facts[name]
        raise _refusal(path, no_fact(name, self.facts))

    def value(self, data: object, type_: FactType, op: Op, path: str) -> Value:
        if not isinstance(data, Mapping):
            return self.literal(data, type_, op, path)
        if set(data) == {"param"}:
            name = data["param"]
            if not isinstance(name, str) or name not in self.params:
                raise _refusal(path, no_parameter(name, self.params))
            self.literal(self.params[name], type_, op, path)
            return ParamRef(name)
        if set(data) == {"fact"}:
            name, other = data["fact"], self.fact_type(data["fact"], path)
            wanted: tuple[FactType, ...] = ("list",) if op == "in" else (type_,)
            if type_ == "list":
                wanted = ("text", "number")
            if other not in wanted:
                raise _refusal(
                    path,
                    say(
                        "「{fact}」是{type}，這裡需要{wanted}",
                        "“{fact}” is of type {type}; wanted here: {wanted}",
                        fact=name,
                        type=TYPE_NAMES[other],
                        wanted=_TEXT_OR_NUMBER if len(wanted) > 1 else TYPE_NAMES[wanted[0]],
                    ),
                )
            return FactRef(name)
        raise _refusal(
            path,
            say(
                "value 必須是一個值、{{param: 名稱}} 或 {{fact: 名稱}}",
                "value must be one value, {{param: name}} or {{fact: name}}",
            ),
        )

    def literal(self, data: object, type_: FactType, op: Op, path: str) -> Value:
        if op == "in":
            if not isinstance(data, (list, tuple)) or not data:
                raise _refusal(
                    path,
                    say(
                        "「in」的 value 必須是至少有一個值的清單",
                        "The value of “in” must be a list of at least one value",
                    ),
                )
            return _each(data, path, lambda x, at: _scalar(x, type_, at))
        if type_ == "list":
            return _scalar(data, "text" if isinstance(data, str) else "number", path)
        return _scalar(data, type_, path)


def _scalar(data: object, type_: FactType, path: str) -> Scalar:
    typed = coerce(type_, data)
    if isinstance(typed, (int, Decimal, str, bool, date)):
        return typed
    said = say(
        "「{value}」不是{type}", "“{value}” is not of type {type}", value=shown(data), type=TYPE_NAMES[type_]
    )
    if is_missing(data):
        said = say("{said}（空白請用 missing）", "{said} (for nothing use missing)", said=said)
    raise _refusal(path, said)


def _each(data: Iterable[object], path: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    result: list[T] = []
    problems: list[Problem] = []
    for i, item in enumerate(data):
        try:
            result.append(read(item, f"{path}[{i}]"))
        except DefinitionError as error:
            problems.extend(error.problems)
    if problems:
        raise DefinitionError(problems)
    return tuple(result)


def _refusal(path: str, message: Text) -> DefinitionError:
    return DefinitionError([Problem(path=path, message=message)])


def did_you_mean(name: object, known: Iterable[str]) -> Text | None:
    """The end of a sentence about a name that is not known."""
    close = difflib.get_close_matches(str(name)[:100], list(known), n=1)
    return say("，是否為「{name}」？", "; did you mean “{name}”?", name=close[0]) if close else None


def no_fact(name: object, known: Iterable[str]) -> Text:
    hint = did_you_mean(name, known)
    return say("沒有「{name}」這項事實{hint}", "There is no fact “{name}”{hint}", name=shown(name), hint=hint)


def no_parameter(name: object, known: Iterable[str]) -> Text:
    hint = did_you_mean(name, known)
    return say(
        "沒有「{name}」這個參數{hint}", "There is no parameter “{name}”{hint}", name=shown(name), hint=hint
    )


def shown(value: object) -> str:
    """A bad value, short enough for a message."""
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def parse(
    data: object,
    *,
    path: str,
    facts: Mapping[str, FactType],
    params: Mapping[str, object],
    problems: list[Problem],
) -> Condition | None:
    """The condition, or None after adding every mistake to `problems`."""
    try:
        return _Reader(facts, params).condition(data, path)
    except DefinitionError as error:
        problems.extend(error.problems)
        return None


# --- sentences -------------------------------------------------------------------------------------------

COMPLEMENT: Mapping[Op, Op] = {
    "eq": "ne",
    "ne": "eq",
    "gt": "le",
    "le": "gt",
    "lt": "ge",
    "ge": "lt",
    "exists": "missing",
    "missing": "exists",
}
SYMBOLS: Mapping[str, str] = {
    "eq": "＝",
    "ne": "≠",
    "gt": "＞",
    "ge": "≥",
    "lt": "＜",
    "le": "≤",
}
_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "eq": "{a}為{b}",
        "ne": "{a}不是{b}",
        "in": "{a}為{b}之一",
        "not in": "{a}不是{b}其中之一",
        "contains": "{a}包含{b}",
        "not contains": "{a}不包含{b}",
        "exists": "有{a}的資料",
        "missing": "沒有{a}的資料",
        "all": "，且",
        "any": "，或",
        "not": "並非（{a}）",
        "group": "（{a}）",
        "quote": "「{a}」",
        "list": "、",
        "yes": "是",
        "no": "否",
    },
    "en": {
        "eq": "{a} is {b}",
        "ne": "{a} is not {b}",
        "in": "{a} is one of {b}",
        "not in": "{a} is none of {b}",
        "contains": "{a} contains {b}",
        "not contains": "{a} does not contain {b}",
        "exists": "{a} is known",
        "missing": "{a} is missing",
        "all": " and ",
        "any": " or ",
        "not": "not ({a})",
        "group": "({a})",
        "quote": "“{a}”",
        "list": ", ",
        "yes": "yes",
        "no": "no",
    },
}


def symbol(op: str, lang: str) -> str:
    """Full width among Chinese characters, plain in English."""
    return SYMBOLS[op] if lang == "zh" else normalize("NFKC", SYMBOLS[op])


def label_of(name: str, labels: Mapping[str, Text], lang: str) -> str:
    label = labels.get(name)
    return label.in_(lang) if label else name


def show_value(value: object, *, fact: str, labels: Mapping[str, Text], lang: str) -> str:
    """A value in words; `labels["<fact>=<value>"]` names an option."""
    words = _WORDS[lang]
    if isinstance(value, bool):
        return words["quote"].format(a=words["yes" if value else "no"])
    if isinstance(value, date):
        return format_day(value, lang)
    if isinstance(value, (list, tuple, set, frozenset)):
        return words["list"].join(show_value(x, fact=fact, labels=labels, lang=lang) for x in value)
    if isinstance(value, (int, float, Decimal)):
        return show_number(value)
    option = labels.get(f"{fact}={value}")
    return words["quote"].format(a=option.in_(lang) if option else value)


def show_number(value: float | Decimal) -> str:
    """12345.60 as 12,345.6."""
    number = Decimal(value) if isinstance(value, int) else Decimal(str(value))
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return shown(number)
    text = f"{number:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def show_threshold(leaf: Leaf, labels: Mapping[str, Text], params: Mapping[str, object], lang: str) -> str:
    """What the fact is compared with: a parameter by its name and value, another fact by its name."""
    if isinstance(leaf.value, FactRef):
        return label_of(leaf.value.name, labels, lang)
    value = threshold(leaf, {}, params)
    text = show_value(value, fact=leaf.fact, labels=labels, lang=lang)
    if unit := labels.get(f"unit.{leaf.fact}"):
        text = f"{text} {unit.in_(lang)}"
    if isinstance(leaf.value, ParamRef) and (label := labels.get(f"param.{leaf.value.name}")):
        return f"{label.in_(lang)} {text}"
    return text


def sentence(
    c: Condition,
    labels: Mapping[str, Text],
    params: Mapping[str, object] = {},
    lang: str = "zh",
) -> str:
    """The condition in words. Labels: `<fact>`, `<fact>=<option>`, `unit.<fact>`, `param.<name>`; names stand in."""
    words = _WORDS[lang]
    if isinstance(c, Leaf):
        return _leaf_sentence(c, c.op, labels, params, lang)
    if isinstance(c, Not):
        if isinstance(c.item, Leaf):
            op = COMPLEMENT.get(c.item.op, f"not {c.item.op}")
            return _leaf_sentence(c.item, op, labels, params, lang)
        return words["not"].format(a=sentence(c.item, labels, params, lang))
    parts = [
        words["group"].format(a=text) if isinstance(item, (All, Any_)) and type(item) is not type(c) else text
        for item in c.items
        for text in [sentence(item, labels, params, lang)]
    ]
    return words["all" if isinstance(c, All) else "any"].join(parts)


def _leaf_sentence(
    leaf: Leaf,
    op: str,
    labels: Mapping[str, Text],
    params: Mapping[str, object],
    lang: str,
) -> str:
    words, name = _WORDS[lang], label_of(leaf.fact, labels, lang)
    if op in ("exists", "missing"):
        return words[op].format(a=words["quote"].format(a=name) if lang == "zh" else name)
    other = show_threshold(leaf, labels, params, lang)
    if op in SYMBOLS and leaf.type in ("number", "date"):
        return f"{name} {symbol(op, lang)} {other}"
    return words[op].format(a=name, b=other)
