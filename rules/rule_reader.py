"""Rules as they are written: conditions over facts that there are, and actions with their parameters."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, get_args

from rules import actions, facts
from rules.actions import DERIVE, Action
from rules.conditions import (
    Condition,
    FactType,
    Leaf,
    as_list,
    coerce,
    did_you_mean,
    leaves_of,
    no_parameter,
    params_of,
    parse,
    shown,
    threshold,
)
from rules.declarations import Declarations
from rules.facts import Fact
from rules.model import Outcome, Policy, Rule, Status
from rules.normal import TooComplex, alternatives
from rules.numbers import MAX_NUMBER, is_exact
from rules.reading import ABSENT
from rules.values import Text, say


class RuleReader(Declarations):
    """Reads on after a mistake, as the reader of the whole."""

    def __init__(
        self,
        catalogue: Mapping[str, Fact],
        functions: frozenset[str] | None,
        units: frozenset[str] | None,
        published: bool,
    ) -> None:
        super().__init__()
        self.given = catalogue
        #: the given facts and those that the ruleset derives
        self.catalogue = catalogue
        self.actions: Mapping[str, Action] = actions.ACTIONS
        self.functions = functions
        self.units = units
        self.published = published
        self.types: dict[str, FactType] = facts.types(catalogue)
        self.used_params: set[str] = set()
        self.policies: dict[str, Policy] = {}
        self.paths: dict[str, str] = {}

    def rule(self, data: object, path: str) -> Rule | None:
        one = self.mapping(
            data, path, ("key", "label", "then"), ("when", "priority", "source", "status", "plain")
        )
        if one is None:
            return None
        key = self.new_key(one["key"], f"{path}.key")
        label = self.text(one["label"], f"{path}.label")
        when = self.condition(one["when"], f"{path}.when") if "when" in one else None
        then = [
            outcome
            for i, each in enumerate(self.items(one["then"], f"{path}.then"))
            if (outcome := self.outcome(key, each, f"{path}.then[{i}]"))
        ]
        if isinstance(one["then"], list) and not one["then"]:
            self.refuse(f"{path}.then", Text(zh="規則至少要有一個動作", en="A rule has at least one action"))
        source, status = self.origin(one, path)
        priority = one.get("priority", 0)
        if not isinstance(priority, int) or isinstance(priority, bool):
            said = say(
                "優先順序「{value}」必須是整數",
                "The priority “{value}” must be a whole number",
                value=shown(priority),
            )
            self.refuse(f"{path}.priority", said)
            return None
        if key is None or label is None or ("when" in one and when is None):
            return None
        plain = self.text(one["plain"], f"{path}.plain") if "plain" in one else None
        return Rule(key, label, when, tuple(then), priority, source=source, status=status, plain=plain)

    def origin(self, one: Mapping[str, Any], path: str) -> tuple[Text | None, Status | None]:
        """Where a rule, a table or a row comes from: both said, or neither."""
        if "source" not in one and "status" not in one:
            return None, None
        for name in ("source", "status"):
            if name not in one:
                said = say(
                    "source 與 status 必須一起寫，缺少「{name}」",
                    "source and status are written together; “{name}” is missing",
                    name=name,
                )
                self.refuse(f"{path}.{name}", said)
        source = self.text(one.get("source", ABSENT), f"{path}.source")
        return source, self.choice(one.get("status", ABSENT), f"{path}.status", get_args(Status))

    def condition(self, data: object, path: str) -> Condition | None:
        condition = parse(data, path=path, facts=self.types, params=self.params, problems=self.problems)
        if condition is None:
            return None
        self.used_params |= params_of(condition)
        for leaf in leaves_of(condition):
            self.comparable(leaf, path)
        try:
            alternatives(condition)
        except TooComplex as error:
            self.refuse(path, error.text)
        return condition

    def comparable(self, leaf: Leaf, path: str) -> None:
        """The engine compares six decimals exactly, no more; a fact with options takes no other word."""
        value = threshold(leaf, {}, self.params)
        options = self.catalogue[leaf.fact].options
        for each in as_list(value) or (value,):
            if options and not self.published and isinstance(each, str) and each not in options:
                label = self.catalogue[leaf.fact].label
                usable = say("，可用：{options}", "; there are: {options}", options=list(options))
                said = say(
                    "「{label}」沒有「{value}」這個值{hint}",
                    "“{label}” has no value “{value}”{hint}",
                    label=label,
                    value=shown(each),
                    hint=did_you_mean(each, options) or usable,
                )
                self.refuse(path, said, choices=tuple(options))
            if leaf.type == "number" and each is not None and not is_exact(coerce("number", each)):
                said = say(
                    "「{value}」超過六位小數或大於 {most:,}",
                    "“{value}” has more than six decimals or is above {most:,}",
                    value=shown(each),
                    most=MAX_NUMBER,
                )
                self.refuse(path, said)

    def outcome(self, rule: str | None, data: object, path: str) -> Outcome | None:
        if not isinstance(data, Mapping) or "action" not in data:
            self.refuse(
                path,
                say(
                    "動作必須寫成 {{action: 名稱, 參數: 值}}",
                    "An action is written {{action: name, parameter: value}}",
                ),
            )
            return None
        if not self.known_action(data["action"], f"{path}.action"):
            return None
        given = {name: (value, f"{path}.{name}") for name, value in data.items() if name != "action"}
        return self.call(rule, data["action"], given, path)

    def known_action(self, name: object, path: str) -> bool:
        if isinstance(name, str) and name in self.actions:
            return True
        hint = did_you_mean(name, self.actions)
        self.refuse(
            path,
            say(
                "沒有「{name}」這個動作{hint}",
                "There is no action “{name}”{hint}",
                name=shown(name),
                hint=hint,
            ),
        )
        return False

    def call(
        self, rule: str | None, action: str, given: Mapping[str, tuple[object, str]], path: str
    ) -> Outcome | None:
        """An action with its parameters; each given value comes with its path."""
        wanted = {param.name: param for param in self.actions[action].params}
        before = len(self.problems)
        for name in given.keys() - wanted.keys():
            said = say(
                "{said}，只有：{wanted}",
                "{said}; it has: {wanted}",
                said=no_param(action, name),
                wanted=list(wanted),
            )
            self.refuse(given[name][1], said)
        values: dict[str, object] = {}
        for name, param in wanted.items():
            if name not in given:
                if param.optional:
                    continue
                said = say(
                    "動作「{action}」缺少「{label}」（{name}）",
                    "The action “{action}” lacks “{label}” ({name})",
                    action=action,
                    label=param.label,
                    name=name,
                )
                self.refuse(path, said)
                continue
            value, where = given[name]
            if isinstance(value, Mapping) and set(value) == {"param"}:
                reference = value["param"]
                if not isinstance(reference, str) or reference not in self.params:
                    self.refuse(where, no_parameter(reference, self.params))
                    continue
                self.used_params.add(reference)
                value = self.params[reference]
            if mistake := actions.mistake(param, value, self.functions, self.units):
                self.refuse(where, mistake, choices=tuple(param.choices))
            values[name] = coerce("number", value) if isinstance(value, float) else value
        if action == DERIVE and not given:
            said = say(
                "動作「{action}」至少要得出一項：{wanted}",
                "The action “{action}” derives at least one of: {wanted}",
                action=action,
                wanted=list(wanted),
            )
            self.refuse(path, said)
        if rule is None or len(self.problems) > before:
            return None
        return Outcome(rule, action, MappingProxyType(values))


def no_param(action: object, param: object) -> Text:
    return say(
        "動作「{action}」沒有參數「{param}」",
        "The action “{action}” has no parameter “{param}”",
        action=action,
        param=shown(param),
    )
