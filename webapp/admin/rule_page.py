"""What the inputs of a rule offer: facts by group, comparisons that fit, parameters, typed values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rules import rule_editing
from rules.action_editing import LISTS, Act, Given
from rules.actions import ActionParam, mistake
from rules.conditions import FactType, coerce
from rules.facts import Fact
from rules.rule_editing import ROOT, Node
from rules.saying import Words, as_text
from rules.values import Text
from webapp.admin import rule_words
from webapp.presentation import in_language, language

#: value and text of an option
Option = tuple[str, str]


@dataclass(frozen=True)
class NodeView:
    """A part of a condition with what its inputs offer."""

    path: str
    node: Node
    #: 2.1 is the first part of the second
    number: str
    first: bool
    last: bool
    fact: Fact | None = None
    widget: str = "none"
    ops: Sequence[Option] = ()
    values: Sequence[Option] = ()
    params: Sequence[Option] = ()
    others: Sequence[Option] = ()
    by: Sequence[Option] = ()
    items: Sequence[NodeView] = ()


@dataclass(frozen=True)
class ParamView:
    """A parameter of an action with what its inputs offer."""

    id: str
    param: ActionParam
    given: Given
    widget: str
    values: Sequence[Option]
    params: Sequence[Option]
    by: Sequence[Option]


@dataclass(frozen=True)
class ActView:
    path: str
    act: Act
    number: int
    first: bool
    last: bool
    params: Sequence[ParamView] = field(default_factory=tuple)


class Offers:
    """What one ruleset offers to the inputs of its rules and examples."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.body = body
        self.names = rule_words.names()
        self.words = Words(body, self.names)
        self.vocabulary = self.words.vocabulary

    @cached_property
    def facts(self) -> list[tuple[str, list[Option]]]:
        """Grouped, for the picker."""
        groups: dict[str, list[Option]] = {}
        for name, fact in self.vocabulary.catalogue.items():
            groups.setdefault(name.partition(".")[0], []).append((name, in_language(fact.label)))
        return [
            (in_language(rule_words.FACT_GROUPS.get(group, Text(zh=group))), options)
            for group, options in groups.items()
        ]

    @cached_property
    def actions(self) -> list[Option]:
        return [(name, in_language(action.label)) for name, action in self.vocabulary.actions.items()]

    @cached_property
    def rules(self) -> list[Option]:
        """Rules and rows by their keys, as an outcome names them."""
        found = [
            (str(rule.get("key")), in_language(as_text(rule.get("label"))))
            for rule in self._mappings("rules")
        ]
        for table in self._mappings("tables"):
            rows = table.get("rows")
            for n, row in enumerate(rows if isinstance(rows, list) else [], start=1):
                label = row.get("label") if isinstance(row, Mapping) else None
                name = in_language(as_text(table.get("label")))
                own = in_language(as_text(label)) if label else str(n)
                found.append((f"{table.get('key')}.{n}", f"{name}：{own}"))
        return found

    def kept_rules(self, value: str) -> list[Option]:
        return kept(self.rules, value)

    def _mappings(self, name: str) -> list[Mapping[str, Any]]:
        items = self.body.get(name)
        return [each for each in items if isinstance(each, Mapping)] if isinstance(items, list) else []

    # --- conditions --------------------------------------------------------------------------------------

    def tree(
        self, node: Node | None, path: str = ROOT, number: str = "", of: int = 1, at: int = 0
    ) -> NodeView | None:
        if node is None:
            return None
        view = {"path": path, "node": node, "number": number, "first": at == 0, "last": at == of - 1}
        if node.kind != "fact":
            items = [
                self.tree(item, f"{path}-{i}", f"{number}.{i + 1}".lstrip("."), len(node.items), i)
                for i, item in enumerate(node.items)
            ]
            return NodeView(**view, items=[item for item in items if item])
        fact = self.vocabulary.catalogue.get(node.fact)
        widget = rule_editing.widget(node.op, node.values, fact)
        params = kept(self._params_for(fact, node.op), node.param if node.by == "param" else "")
        others = kept(self._facts_for(fact, node.op), node.other if node.by == "fact" else "")
        return NodeView(
            **view,
            fact=fact,
            widget=widget,
            ops=kept(
                [(op, in_language(_op(op, fact))) for op in rule_editing.ops_for(fact)],
                node.op,
                rule_words.OPS,
            ),
            values=option_texts(fact.options if fact else {}, node.values, widget),
            params=params,
            others=others,
            by=_by(("param", params), ("fact", others)),
        )

    def _params_for(self, fact: Fact | None, op: str) -> list[Option]:
        if fact is None:
            return []
        return [
            (name, self.parameter(name))
            for name, value in self.words.params.items()
            if isinstance(value, list) == (op == "in") and _is_of(fact.type, value)
        ]

    def _facts_for(self, fact: Fact | None, op: str) -> list[Option]:
        if fact is None:
            return []
        wanted = ("list",) if op == "in" else ("text", "number") if fact.type == "list" else (fact.type,)
        return [
            (other.name, in_language(other.label))
            for other in self.vocabulary.catalogue.values()
            if other.type in wanted and other.name != fact.name
        ]

    def parameter(self, name: str) -> str:
        """Its label with its value and unit: 預警天數（2 個工作天）."""
        given = self.body["parameters"][name]
        label = in_language(self.words.labels[f"param.{name}"])
        unit = in_language(as_text(given["unit"])) if given.get("unit") else ""
        value = given["value"]
        shown = "、".join(map(str, value)) if isinstance(value, list) else str(value)
        return (
            f"{label} ({f'{shown} {unit}'.strip()})"
            if language() == "en"
            else f"{label}（{f'{shown} {unit}'.strip()}）"
        )

    # --- actions -----------------------------------------------------------------------------------------

    def acts(self, acts: Sequence[Act], prefix: str, *, expected: bool = False) -> list[ActView]:
        """`expected`: of an example, where anything may be left out and no parameter of the ruleset stands."""
        return [
            ActView(
                f"{prefix}-{i}",
                act,
                i + 1,
                i == 0,
                i == len(acts) - 1,
                [
                    self._param(f"{prefix}-{i}-p-{param.name}", param, act, expected)
                    for param in self.asked(act)
                ],
            )
            for i, act in enumerate(acts)
        ]

    def asked(self, act: Act) -> list[ActionParam]:
        """All of the action; of an expectation that names none, those that it has."""
        if act.action in self.vocabulary.actions:
            return list(self.vocabulary.actions[act.action].params)
        found = (self.vocabulary.param(name, "") for name in act.params)
        return [] if act.action else [param for param in found if param]

    def _param(self, id_: str, param: ActionParam, act: Act, expected: bool) -> ParamView:
        given = act.params.get(param.name, Given())
        options = self.values_of(param)
        if param.type in LISTS:
            widget = "boxes"
        elif len(given.values) > 1:
            widget = "lines"
        elif param.type == "name":
            widget = "suggest"
        else:
            widget = "yes_no" if param.type == "boolean" else "options" if options else "line"
        params = [] if expected else kept(self._params_of(param), given.param if given.by == "param" else "")
        values = options if widget == "suggest" else option_texts(dict(options), given.values, widget)
        return ParamView(id_, param, given, widget, values, params, _by(("param", params)))

    def _params_of(self, param: ActionParam) -> list[Option]:
        return [
            (name, self.parameter(name))
            for name, value in self.words.params.items()
            if mistake(param, value, None, None) is None and (param.type != "name" or isinstance(value, str))
        ]

    def values_of(self, param: ActionParam) -> list[Option]:
        if param.choices:
            return [(value, in_language(label)) for value, label in param.choices.items()]
        kind = {"functions": "function"}.get(param.type, param.type)
        source = self.words.codes if kind == "name" else self.names
        start = f"{param.name if kind == 'name' else kind}:"
        return [
            (name.removeprefix(start), in_language(label))
            for name, label in source.items()
            if name.startswith(start)
        ]


def _op(op: str, fact: Fact | None) -> Text:
    dates = rule_words.DATE_OPS if fact and fact.type == "date" else {}
    return dates.get(op) or rule_words.OPS[op]


def _is_of(type_: FactType, value: object) -> bool:
    """Whether a parameter has values that can be compared with such a fact."""
    if type_ == "list":  # of words or numbers
        return _is_of("text", value) or _is_of("number", value)
    return all(coerce(type_, each) is not None for each in (value if isinstance(value, list) else [value]))


def _by(*sources: tuple[str, Sequence[Option]]) -> list[Option]:
    """What may stand on the other side, where there is a choice."""
    found = [source for source, options in sources if options]
    return (
        [(name, in_language(rule_words.COMPARED_WITH[name])) for name in ("value", *found)] if found else []
    )


def kept(options: Iterable[Option], value: str, names: Mapping[str, Text] = {}) -> list[Option]:
    """The options, and what stands there now even where it is none of them, by its name if it has one."""
    found = list(options)
    if value and value not in (known for known, _ in found):
        found.append((value, f"{in_language(names.get(value, value))} ⚠"))
    return found


def option_texts(options: Mapping[str, Any], chosen: Sequence[str], widget: str) -> list[Option]:
    """Boxes keep the order in which they were ticked, so that nothing moves in the ruleset."""
    named = [(value, in_language(label)) for value, label in options.items()]
    if widget != "boxes":
        return kept(named, chosen[0] if chosen and options else "")
    known = dict(named)
    first = [(value, known.get(value, f"{value} ⚠")) for value in chosen]
    return first + [option for option in named if option[0] not in chosen]
