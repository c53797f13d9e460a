"""A ruleset's mapping as it is edited: it may be wrong in any way, and what nobody touched stays as it was."""

import copy
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rules import actions
from rules.cells import Domain, Notation, of_action, of_fact
from rules.facts import FACTS, Fact
from rules.values import Text

Body = dict[str, Any]


def copied(body: Mapping[str, Any]) -> Body:
    return copy.deepcopy(dict(body))


def text_of(data: object) -> Text | None:
    """A label as it is written, None where it is none."""
    if isinstance(data, str) and data:
        return Text(zh=data)
    if isinstance(data, Mapping) and isinstance(data.get("zh"), str) and data["zh"]:
        english = data.get("en")
        return Text(zh=data["zh"], en=english if isinstance(english, str) else "")
    return None


def text_to(zh: str, en: str) -> str | dict[str, str]:
    return {"zh": zh, "en": en} if en else zh


def mappings(data: object) -> list[tuple[int, dict[str, Any]]]:
    """The members of a list that can be worked on, with their places."""
    members = data if isinstance(data, list) else []
    return [(n, each) for n, each in enumerate(members) if isinstance(each, dict)]


def label_in(one: Mapping[str, Any], otherwise: str) -> Text:
    return text_of(one.get("label")) or Text(zh=str(one.get("key") or otherwise))


# --- parameters ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Use:
    """A rule or table that reads a parameter, and what it puts it beside."""

    label: Text
    path: str
    fact: str | None = None
    output: tuple[str, str] | None = None
    many: bool = False
    #: of the rule
    key: str | None = None


def parameters(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Those that can be worked on."""
    data = body.get("parameters")
    return {str(k): v for k, v in data.items() if isinstance(v, dict)} if isinstance(data, Mapping) else {}


def parameter_labels(body: Mapping[str, Any]) -> dict[str, Text]:
    return {name: label_in(one, name) for name, one in parameters(body).items()}


def uses(body: Mapping[str, Any]) -> dict[str, list[Use]]:
    """Where each parameter is used, in the order of the rules."""
    found: dict[str, list[Use]] = {}
    for name, use in _uses(body):
        if use not in found.setdefault(name, []):
            found[name].append(use)
    return found


def _uses(body: Mapping[str, Any]) -> Iterator[tuple[str, Use]]:
    for i, rule in mappings(body.get("rules")):
        label, path, key = label_in(rule, f"rules[{i}]"), f"rules[{i}]", str(rule.get("key"))
        for fact, op, value in _leaves(rule.get("when")):
            if name := _param(value):
                yield name, Use(label, path, fact=fact, many=op == "in", key=key)
        for _, action in mappings(rule.get("then")):
            for item, value in action.items():
                if name := _param(value):
                    yield name, Use(label, path, output=(str(action.get("action")), str(item)), key=key)
    for i, table in mappings(body.get("tables")):
        label, path = label_in(table, f"tables[{i}]"), f"tables[{i}]"
        inputs, outputs = (members(table.get(part)) for part in ("inputs", "outputs"))
        for _, row in mappings(table.get("rows")):
            for column, cell in zip(inputs, members(row.get("when")), strict=False):
                op = cell.get("op") if isinstance(cell, Mapping) else None
                value = cell.get("value") if op else cell
                if name := _param(value):
                    op = op or column.get("op")
                    yield name, Use(label, path, fact=str(column.get("fact")), many=op == "in")
            for column, cell in zip(outputs, members(row.get("then")), strict=False):
                if name := _param(cell):
                    yield name, Use(label, path, output=(str(column.get("action")), str(column.get("param"))))


def members(data: object) -> list[Any]:
    return data if isinstance(data, list) else []


def _param(value: object) -> str | None:
    name = value.get("param") if isinstance(value, Mapping) and set(value) == {"param"} else None
    return name if isinstance(name, str) else None


def _leaves(condition: object) -> Iterator[tuple[str, object, object]]:
    if not isinstance(condition, Mapping):
        return
    if "fact" in condition:
        yield str(condition["fact"]), condition.get("op"), condition.get("value")
    for part in ("all", "any"):
        for each in members(condition.get(part)):
            yield from _leaves(each)
    yield from _leaves(condition.get("not"))


def parameter_notation(
    value: object, used: list[Use], functions: Mapping[str, Text], facts: Mapping[str, Fact] = FACTS
) -> Notation:
    """How a parameter is written: as what it is put beside asks; unused, as what it is now."""
    for use in used:
        if use.fact and use.fact in facts:
            domain = of_fact(facts[use.fact])
            return Notation(Domain(domain.type, domain.options, several=use.many))
        if use.output and use.output[0] in actions.ACTIONS and (param := actions.find(*use.output)):
            return Notation(of_action(param, functions))
    several, first = isinstance(value, list), value[0] if isinstance(value, list) and value else value
    if isinstance(first, bool):
        return Notation(Domain("boolean", several=several))
    return Notation(Domain("number" if isinstance(first, (int, float)) else "text", several=several))


def set_parameter(body: Mapping[str, Any], name: str, changes: Mapping[str, Any]) -> Body:
    """The body with items of one parameter changed; None takes an item away."""
    changed = copied(body)
    one = changed["parameters"][name]
    for item, value in changes.items():
        if value is None:
            one.pop(item, None)
        else:
            one[item] = value
    return changed


# --- parts come and go -----------------------------------------------------------------------------------


def with_parameter(body: Mapping[str, Any], code: str, label: str) -> tuple[Body, str]:
    """One parameter more, to be filled in, and its code: as asked for, or the next that is free."""
    changed = copied(body)
    there = changed.setdefault("parameters", {})
    if not isinstance(there, dict):
        raise TypeError("parameters are no mapping")
    name = _free(code or "parameter", there)
    there[name] = {"value": "", "label": label or name, "source": "", "status": "to_be_verified"}
    return changed, name


def without_parameter(body: Mapping[str, Any], name: str) -> Body:
    changed = copied(body)
    changed["parameters"].pop(name, None)
    return changed


def with_empty_table(body: Mapping[str, Any], code: str, label: str) -> tuple[Body, int]:
    """One table more, without columns and rows, and its place."""
    changed = copied(body)
    there = changed.setdefault("tables", [])
    if not isinstance(there, list):
        raise TypeError("tables are no list")
    key = _free(code or "table", {str(table.get("key")) for _, table in mappings(there)})
    there.append(
        {"key": key, "label": label or key, "hit_policy": "first", "inputs": [], "outputs": [], "rows": []}
    )
    return changed, len(there) - 1


def without_table(body: Mapping[str, Any], place: int) -> Body:
    changed = copied(body)
    changed["tables"] = [table for n, table in enumerate(changed["tables"]) if n != place]
    return changed


def examples_of(body: Mapping[str, Any], place: int) -> list[str]:
    """The examples that expect a row of the table."""
    table = members(body.get("tables"))[place]
    key = table.get("key") if isinstance(table, Mapping) else None
    return [
        str(example.get("name"))
        for _, example in mappings(body.get("examples"))
        if any(str(each.get("rule")).startswith(f"{key}.") for _, each in mappings(example.get("expect")))
    ]


def _free(code: str, taken: Container[str]) -> str:
    number, free = 1, code
    while free in taken:
        number += 1
        free = f"{code}_{number}"
    return free
