"""The mapping of a ruleset as a reader sees it, however wrong it may be: parameters, sentences, tables, examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml
from pydantic import ValidationError

from rules import conditions, facts
from rules.actions import ACTIONS, Action, ActionParam
from rules.conditions import FactType, Leaf, coerce, parse, sentence, show_number, show_threshold
from rules.facts import Fact
from rules.values import Problem, Text

LANGUAGES = ("zh", "en")
ANY = ("-", None, "")
NOTHING = Text(zh="—", en="—")
_NO_MORE = 400
_NO_QUOTES = str.maketrans("", "", "「」“”")

SETTINGS: Mapping[str, Text] = {
    "title": Text(zh="名稱", en="Title"),
    "revision_date": Text(zh="依哪一天選版本", en="Day that selects the version"),
    "hit_policy": Text(zh="命中方式", en="Hit policy"),
    "output": Text(zh="依據的結果", en="Output"),
    "order": Text(zh="先後", en="Order"),
    "aggregate": Text(zh="彙總", en="Aggregate"),
    "effective_from": Text(zh="最早適用日", en="Not before"),
    "effective_to": Text(zh="最後適用日", en="Not after"),
    "complete": Text(zh="不得有缺口", en="Without gaps"),
    "plain": Text(zh="給當事人看的說明", en="Said to whoever it decides about"),
    "derived": Text(zh="得出的事實", en="Derived facts"),
}
VALUES: Mapping[str, Text] = {
    "filing": Text(zh="申請日", en="day of filing"),
    "reporting_period": Text(zh="填報期", en="reporting period"),
    "evaluation": Text(zh="判斷當日", en="day of the decision"),
    "unique": Text(zh="恰好一條", en="exactly one"),
    "first": Text(zh="先列先用", en="the first"),
    "priority": Text(zh="依先後取一", en="the one that ranks first"),
    "collect": Text(zh="彙總", en="all, added up"),
    "rule_order": Text(zh="全部，依順序", en="all, as written"),
    "output_order": Text(zh="全部，依結果排序", en="all, ranked"),
    "sum": Text(zh="合計", en="sum"),
    "min": Text(zh="最小", en="smallest"),
    "max": Text(zh="最大", en="largest"),
    "count": Text(zh="件數", en="count"),
    "handling": Text(zh="該項目的承辦單位", en="handling unit of the service"),
    "owner": Text(zh="該項目的主管單位", en="owner unit of the service"),
}
STATUSES: Mapping[str, Text] = {
    "sourced": Text(zh="有依據", en="sourced"),
    "seed": Text(zh="本縣報告數值", en="from the county's reports"),
    "to_be_verified": Text(zh="建議值，待機關核定", en="proposal, to be verified"),
}


#: actions that give something a name
NAMING = frozenset(name for name, action in ACTIONS.items() if any(p.type == "name" for p in action.params))


@dataclass(frozen=True, slots=True)
class Origin:
    source: Text | None = None
    status: str = ""


@dataclass(frozen=True, slots=True)
class ShownParameter:
    name: str
    label: Text
    value: Text
    unit: Text | None
    origin: Origin


#: further items with their names
More = tuple[tuple[Text, Text], ...]


@dataclass(frozen=True, slots=True)
class ShownRule:
    key: str
    label: Text
    when: Text
    then: tuple[Text, ...]
    priority: str
    origin: Origin
    more: More


@dataclass(frozen=True, slots=True)
class ShownRow:
    label: Text | None
    when: tuple[Text, ...]
    then: tuple[Text, ...]
    origin: Origin
    more: More


@dataclass(frozen=True, slots=True)
class ShownTable:
    key: str
    label: Text
    settings: More
    inputs: tuple[Text, ...]
    outputs: tuple[Text, ...]
    rows: tuple[ShownRow, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class ShownExample:
    name: str
    facts: tuple[Text, ...]
    expect: tuple[Text, ...]
    more: More


@dataclass(frozen=True, slots=True)
class Shown:
    title: Text
    settings: More
    parameters: tuple[ShownParameter, ...]
    rules: tuple[ShownRule, ...]
    tables: tuple[ShownTable, ...]
    examples: tuple[ShownExample, ...]

    @property
    def to_be_verified(self) -> int:
        """How much of it is a proposal that nobody has confirmed."""
        origins = [each.origin for each in self.parameters]
        origins += [each.origin for each in self.rules]
        origins += [each.origin for each in self.tables]
        origins += [row.origin for table in self.tables for row in table.rows]
        return sum(origin.status == "to_be_verified" for origin in origins)


def show(mapping: Mapping[str, Any], names: Mapping[str, Text] | None = None) -> Shown:
    """What is there, in words; what cannot be read is shown as it was written. `names`: of functions and units."""
    words = Words(mapping, names or {})
    return Shown(
        _text(mapping.get("title")) or Text(zh=str(mapping.get("key") or "—")),
        words.more(mapping, "key", "parameters", "rules", "tables", "examples"),
        tuple(words.parameters.values()),
        tuple(words.rule(each) for each in _items(mapping.get("rules"))),
        tuple(words.table(each) for each in _items(mapping.get("tables"))),
        tuple(words.example(each) for each in _items(mapping.get("examples"))),
    )


class Words:
    """The words of one ruleset: its parameters, the facts, the functions and units."""

    def __init__(self, mapping: Mapping[str, Any], names: Mapping[str, Text]) -> None:
        self.names = {**VALUES, **names}
        self.values: dict[str, object] = {}
        self.parameters: dict[str, ShownParameter] = {}
        given = mapping.get("parameters")
        for name, each in given.items() if isinstance(given, Mapping) else ():
            one = each if isinstance(each, Mapping) else {"value": each}
            value = one.get("value")
            self.values[str(name)] = coerce("number", value) if isinstance(value, float) else value
            self.parameters[str(name)] = ShownParameter(
                str(name),
                _text(one.get("label")) or Text(zh=str(name) or "—"),
                self.value(value),
                _text(one.get("unit")),
                self.origin(one),
            )
        #: what rules give a name of its own, such as a rung: called as its rule
        self.called: dict[str, Text] = {}
        for each in _items(mapping.get("rules")):
            one = each if isinstance(each, Mapping) else {}
            label = _text(one.get("label"))
            for outcome in _items(one.get("then")):
                action = str(outcome.get("action")) if isinstance(outcome, Mapping) else ""
                named = (
                    next(p for p in ACTIONS[action].params if p.type == "name") if action in NAMING else None
                )
                if named and label:
                    self.called.setdefault(str(outcome.get(named.name)), label)
        derived = _derived(mapping.get("derived"))
        self.catalogue = {**facts.FACTS, **{fact.name: fact for fact in derived}}
        self.actions = {**ACTIONS, "derive": _deriving(derived)} if derived else ACTIONS
        self.types = facts.types(self.catalogue)
        self.labels = {name: fact.label for name, fact in self.catalogue.items()}
        self.labels |= {
            f"{name}={value}": label
            for name, fact in self.catalogue.items()
            for value, label in fact.options.items()
        }
        self.labels |= {f"param.{name}": each.label for name, each in self.parameters.items()}

    def param(self, action: object, param: object) -> ActionParam | None:
        return param_of(action, param, self.actions)

    def more(self, one: Mapping[Any, Any], *known: str) -> More:
        """All other items, so that nothing that a draft holds stays unseen."""
        return tuple(
            (
                SETTINGS.get(name, Text(zh=_cut(str(name)) or "—")),
                (_text(value) or NOTHING) if name in ("title", "plain") else self.value(value),
            )
            for name, value in one.items()
            if name not in known and name not in ("source", "status")
        )

    def value(self, value: object) -> Text:
        """A value as people write it, a parameter by its name."""
        if value is None or value == "":
            return NOTHING
        if isinstance(value, bool):
            return Text(zh="是", en="yes") if value else Text(zh="否", en="no")
        if isinstance(value, (int, float, Decimal)):
            return Text(zh=show_number(value))
        if isinstance(value, (list, tuple)):
            return _joined([self.value(each) for each in value], "、", ", ")
        if isinstance(value, Mapping):
            if set(value) == {"param"} and str(value["param"]) in self.parameters:
                named = self.parameters[str(value["param"])]
                return _said("{} {}", named.label, named.value)
            if set(value) == {"action", "param"} and (param := self.param(value["action"], value["param"])):
                return _said("{}：{}", self.actions[value["action"]].label, param.label)
            return Text(zh=_written(value))
        return self.names.get(str(value)) or Text(zh=_cut(str(value)))

    def origin(self, one: Mapping[Any, Any]) -> Origin:
        return Origin(_text(one.get("source")), str(one.get("status") or ""))

    def rule(self, data: object) -> ShownRule:
        one = data if isinstance(data, Mapping) else {"key": _written(data)}
        key = str(one.get("key") or "")
        return ShownRule(
            key,
            _text(one.get("label")) or Text(zh=key or "—"),
            self.condition(one["when"]) if "when" in one else Text(zh="一律適用", en="always"),
            tuple(self.action(each) for each in _items(one.get("then"))),
            "" if one.get("priority") is None else str(one["priority"]),
            self.origin(one),
            self.more(one, "key", "label", "when", "then", "priority"),
        )

    def condition(self, data: object) -> Text:
        problems: list[Problem] = []
        read = parse(data, path="", facts=self.types, params=self.values, problems=problems)
        if read is None:
            return Text(zh=_written(data))
        return Text(**{lang: sentence(read, self.labels, self.values, lang) for lang in LANGUAGES})

    def action(self, data: object) -> Text:
        """稽催：階段 warn、通知職務 承辦人、種類 預警"""
        if not isinstance(data, Mapping):
            return Text(zh=_written(data))
        name = data.get("action")
        given = {param: value for param, value in data.items() if param != "action"}
        if not isinstance(name, str) or name not in self.actions:
            rest = [
                _said("{} {}", self._param_label(param, value), self.of(param, value))
                for param, value in given.items()
            ]
            said = _joined(rest, "、", ", ")
            return said if name is None else _said("{}：{}", Text(zh=_cut(str(name)) or "—"), said)
        action = self.actions[name]
        if not given:
            return action.label
        if len(action.params) == 1 and len(given) == 1:
            param, value = next(iter(given.items()))
            return _said("{}：{}", action.label, self.of(param, value, self.param(name, param)))
        parts = [
            _said(
                "{} {}",
                found.label if (found := self.param(name, param)) else Text(zh=str(param) or "—"),
                self.of(param, value, found),
            )
            for param, value in given.items()
        ]
        return _said("{}：{}", action.label, _joined(parts, "、", ", "))

    def of(self, name: object, value: object, param: ActionParam | None = None) -> Text:
        """A value of an action's parameter; without its action, of the first parameter of that name."""
        found = param or self._likely(name, value)
        if found is None or isinstance(value, Mapping):
            return self.value(value)
        if isinstance(value, (list, tuple)):
            return _joined([self.of(name, each, found) for each in value], "、", ", ")
        return found.choices.get(str(value)) or self.called.get(str(value)) or self.value(value)

    def _likely(self, name: object, value: object) -> ActionParam | None:
        """The first parameter of that name that has such a value, else the first of that name."""
        named = [p for a in self.actions.values() for p in a.params if p.name == name]
        return next((p for p in named if str(value) in p.choices), named[0] if named else None)

    def _param_label(self, name: object, value: object) -> Text:
        if name == "rule":
            return Text(zh="規則", en="rule")
        found = self._likely(name, value)
        return found.label if found else Text(zh=_cut(str(name)) or "—")

    def table(self, data: object) -> ShownTable:
        one = data if isinstance(data, Mapping) else {"key": _written(data)}
        key = str(one.get("key") or "")
        inputs = [each if isinstance(each, Mapping) else {} for each in _items(one.get("inputs"))]
        outputs = [each if isinstance(each, Mapping) else {} for each in _items(one.get("outputs"))]
        return ShownTable(
            key,
            _text(one.get("label")) or Text(zh=key or "—"),
            self.more(one, "key", "label", "inputs", "outputs", "rows"),
            tuple(self.head(each) for each in inputs),
            tuple(self.output(each) for each in outputs),
            tuple(self.row(each, inputs, outputs) for each in _items(one.get("rows"))),
            self.origin(one),
        )

    def head(self, column: Mapping[str, Any]) -> Text:
        """進度落後（個百分點） ≥"""
        name = str(column.get("fact") or "—")
        fact = self.catalogue.get(name)
        label = fact.label if fact else Text(zh=name)
        if fact and fact.unit:
            label = _said("{}（{}）", label, fact.unit)
        op = str(column.get("op") or "eq")
        if op == "eq":
            return label
        return Text(
            **{
                lang: f"{label.in_(lang)} {conditions.symbol(op, lang) if op in conditions.SYMBOLS else op}"
                for lang in LANGUAGES
            }
        )

    def output(self, column: Mapping[str, Any]) -> Text:
        action, param = column.get("action"), column.get("param")
        found = self.param(action, param)
        if found is None:
            return Text(zh=_cut(f"{action} {param}"))
        label = self.actions[str(action)].label
        return label if label.zh == found.label.zh else _said("{}：{}", label, found.label)

    def row(
        self, data: object, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]
    ) -> ShownRow:
        one = data if isinstance(data, Mapping) else {"label": _written(data)}
        when, then = _items(one.get("when")), _items(one.get("then"))
        return ShownRow(
            _text(one.get("label")),
            tuple(self.cell(value, inputs[i] if i < len(inputs) else {}) for i, value in enumerate(when)),
            tuple(
                NOTHING
                if not isinstance(value, (Mapping, list)) and value in ANY
                else self.of(
                    column.get("param"), value, self.param(column.get("action"), column.get("param"))
                )
                for i, value in enumerate(then)
                for column in [outputs[i] if i < len(outputs) else {}]
            ),
            self.origin(one),
            self.more(one, "label", "when", "then"),
        )

    def cell(self, value: object, column: Mapping[str, Any]) -> Text:
        """What the cell adds to the head of its column."""
        if not isinstance(value, (Mapping, list)) and value in ANY:
            return Text(zh="不限", en="any")
        op = str(column.get("op") or "eq")
        data: dict[str, Any] = {"fact": column.get("fact"), "op": op, "value": value}
        if isinstance(value, Mapping) and "op" in value:
            data = {"fact": column.get("fact"), **value}
        elif isinstance(value, list) and op == "eq":
            data["op"] = "in"
        read = parse(data, path="", facts=self.types, params=self.values, problems=[])
        if not isinstance(read, Leaf):
            return self.value(value)
        if read.op in ("missing", "exists"):
            return (
                Text(zh="沒有資料", en="missing") if read.op == "missing" else Text(zh="有資料", en="known")
            )
        return Text(**{lang: self._cell(read, op, lang) for lang in LANGUAGES})

    def _cell(self, leaf: Leaf, op: str, lang: str) -> str:
        said = show_threshold(leaf, self.labels, self.values, lang).translate(_NO_QUOTES)
        if leaf.op == op or (leaf.op == "in" and op == "eq"):
            return said
        return f"{conditions.symbol(leaf.op, lang) if leaf.op in conditions.SYMBOLS else leaf.op} {said}"

    def example(self, data: object) -> ShownExample:
        one = data if isinstance(data, Mapping) else {"name": _written(data)}
        given = one.get("facts")
        return ShownExample(
            _cut(str(one.get("name") or "—")),
            tuple(self.fact(str(name), value) for name, value in given.items())
            if isinstance(given, Mapping)
            else (Text(zh=_written(given)),),
            tuple(self.action(each) for each in _items(one.get("expect"))),
            self.more(one, "name", "facts", "expect"),
        )

    def fact(self, name: str, value: object) -> Text:
        """進度落後 6.5 個百分點"""
        known = self.catalogue.get(name)
        if known is None:
            return _said("{} {}", Text(zh=_cut(name) or "—"), self.value(value))
        read = known.options.get(str(value)) or self.value(value)
        if known.reading and isinstance(value, (int, float, Decimal)):
            return Text(
                zh=known.reading.zh.format(value=read.zh),
                en=known.reading.in_("en").format(value=read.in_("en")),
            )
        said = _said("{} {}", known.label, read)
        return (
            _said("{} {}", said, known.unit) if known.unit and not isinstance(value, (list, bool)) else said
        )


def param_of(action: object, param: object, among: Mapping[str, Action] = ACTIONS) -> ActionParam | None:
    if not isinstance(action, str) or action not in among:
        return None
    return next((each for each in among[action].params if each.name == param), None)


def _derived(data: object) -> list[Fact]:
    """Facts that the ruleset states itself, as far as they can be read."""
    found = []
    for name, each in data.items() if isinstance(data, Mapping) else ():
        one = each if isinstance(each, Mapping) else {}
        type_: FactType = (
            "number" if one.get("type") == "number" else "boolean" if one.get("type") == "boolean" else "text"
        )
        options = one.get("options")
        found.append(
            Fact(
                f"derived.{name}",
                type_,
                _text(one.get("label")) or Text(zh=str(name) or "—"),
                _text(one.get("unit")),
                options={
                    str(value): _text(label) or Text(zh=str(value) or "—") for value, label in options.items()
                }
                if isinstance(options, Mapping)
                else {},
            )
        )
    return found


def _deriving(derived: Sequence[Fact]) -> Action:
    params = [
        ActionParam(fact.name.partition(".")[2], fact.label, "choice", fact.options) for fact in derived
    ]
    return Action("derive", Text(zh="得出", en="Derive"), tuple(params))


def _text(data: object) -> Text | None:
    try:
        return None if data is None else Text.model_validate(data)
    except ValidationError:
        return Text(zh=_written(data))


def _items(data: object) -> list[Any]:
    return data if isinstance(data, list) else []


def _said(form: str, *parts: Text) -> Text:
    return Text(
        zh=form.format(*(part.zh for part in parts)),
        en=form.replace("：", ": ")
        .replace("（", " (")
        .replace("）", ")")
        .format(*(part.in_("en") for part in parts)),
    )


def _joined(parts: Sequence[Text], zh: str, en: str) -> Text:
    if not parts:
        return NOTHING
    return Text(zh=zh.join(part.zh for part in parts), en=en.join(part.in_("en") for part in parts))


def _written(data: object) -> str:
    """As it was written, for what cannot be read."""
    text = yaml.safe_dump(data, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10_000)
    return _cut(text.strip().removesuffix("\n...")) or "—"


def _cut(text: str) -> str:
    return text if len(text) <= _NO_MORE else f"{text[:_NO_MORE]}…"
