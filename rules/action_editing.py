"""Actions and whole rules as an editor holds them: typed texts, right or wrong, and back to their mappings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules import rule_editing, typed
from rules.actions import ActionParam
from rules.conditions import FactType, as_list
from rules.rule_editing import Node, Posted, TooLarge, many, one
from rules.values import Text
from rules.vocabulary import FACTORY, Vocabulary

MOST_ACTIONS = 30
TOO_MANY = Text(zh=f"一條規則最多 {MOST_ACTIONS} 個動作。", en=f"A rule has at most {MOST_ACTIONS} actions.")
#: parameters that take several values
LISTS = ("functions", "choices")


@dataclass(frozen=True, slots=True)
class Given:
    """What was typed for a parameter of an action: values, or the name of a parameter of the ruleset."""

    values: tuple[str, ...] = ()
    by: str = "value"
    param: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """An action with what was typed for its parameters; raw where it is none of the closed list."""

    action: str = ""
    params: Mapping[str, Given] = field(default_factory=dict)
    #: of an example: the rule that it should come from, "" for any
    rule: str = ""
    #: JSON of what no input shows
    raw: str = ""


def read(data: object, vocabulary: Vocabulary = FACTORY) -> Act:
    """An action of a rule, or an expectation of an example, which may name as little as one parameter."""
    if not isinstance(data, Mapping):
        return _raw(data)
    action, rule = data.get("action", ""), data.get("rule", "")
    if (
        not isinstance(action, str)
        or not isinstance(rule, str)
        or (action and action not in vocabulary.actions)
    ):
        return _raw(data)
    params = {}
    for name, value in data.items():
        if name in ("action", "rule"):
            continue
        param = vocabulary.param(str(name), action)
        given = _given(param, value) if param else None
        if given is None:
            return _raw(data)
        params[name] = given
    return Act(action, params, rule)


def _raw(data: object) -> Act:
    return Act(raw=typed.as_json(data))


def _given(param: ActionParam, value: object) -> Given | None:
    if isinstance(value, Mapping):
        fits = set(value) == {"param"} and isinstance(value["param"], str)
        return Given(by="param", param=value["param"]) if fits else None
    members = as_list(value)
    if (members is not None) != (param.type in LISTS):
        return None
    each = [value] if members is None else list(members)
    if any(isinstance(item, (Mapping, list)) or item is None for item in each):
        return None
    return Given(tuple(typed.shown(item, _type(param)) for item in each))


def _type(param: ActionParam) -> FactType:
    return (
        "boolean" if param.type == "boolean" else "number" if param.type in ("number", "period") else "text"
    )


def write(act: Act, vocabulary: Vocabulary = FACTORY) -> Any:
    """The mapping; a parameter without a value is left out, and the loader asks for it."""
    if act.raw:
        return typed.from_json(act.raw)
    data: dict[str, Any] = {name: word for name, word in (("rule", act.rule), ("action", act.action)) if word}
    for name, given in act.params.items():
        param = vocabulary.param(name, act.action)
        if param is None:
            continue
        if given.by == "param":
            data[name] = {"param": given.param}
        elif values := [_read(param, text) for text in given.values if text.strip()]:
            data[name] = values if param.type in LISTS or len(values) > 1 else values[0]
    return data or {"action": ""}


def _read(param: ActionParam, text: str) -> object:
    return typed.month_day(text) if param.type == "month_day" else typed.read(text, _type(param))


def from_form(form: Posted, prefix: str) -> tuple[Act, ...]:
    found: list[Act] = []
    while f"{prefix}-{len(found)}-action" in form or f"{prefix}-{len(found)}-raw" in form:
        if len(found) > MOST_ACTIONS * 2:
            raise TooLarge(TOO_MANY)
        found.append(_from_form(form, f"{prefix}-{len(found)}"))
    return tuple(found)


def _from_form(form: Posted, path: str) -> Act:
    if f"{path}-raw" in form:
        return Act(raw=one(form, f"{path}-raw").replace("\r\n", "\n") or '""')
    names = dict.fromkeys(
        rest.partition("-")[0] for name in form if (rest := name.removeprefix(f"{path}-p-")) != name
    )
    return Act(
        one(form, f"{path}-action"),
        {
            name: Given(
                many(form, f"{path}-p-{name}"),
                "param" if one(form, f"{path}-p-{name}-by") == "param" else "value",
                one(form, f"{path}-p-{name}-param"),
            )
            for name in names
        },
        one(form, f"{path}-rule"),
    )


def to_form(acts: Sequence[Act], prefix: str) -> dict[str, list[str]]:
    """What the page posts when nobody touches it."""
    form: dict[str, list[str]] = {}
    for i, act in enumerate(acts):
        path = f"{prefix}-{i}"
        if act.raw:
            form[f"{path}-raw"] = [act.raw]
            continue
        form |= {f"{path}-action": [act.action], f"{path}-rule": [act.rule]}
        for name, given in act.params.items():
            at = f"{path}-p-{name}"
            form |= {at: list(given.values), f"{at}-by": [given.by], f"{at}-param": [given.param]}
    return form


def apply(acts: tuple[Act, ...], prefix: str, action: str, at: int, new: Act) -> tuple[tuple[Act, ...], str]:
    """What a button does to a list of actions, and the id of the input that gets the focus afterwards."""
    if action == "add":
        if len(acts) >= MOST_ACTIONS:
            raise TooLarge(TOO_MANY)
        return (*acts, new), f"{prefix}-{len(acts)}-action"
    if not 0 <= at < len(acts):
        return acts, ""
    if action == "delete":
        return (*acts[:at], *acts[at + 1 :]), f"{prefix}-add"
    to = at + (-1 if action == "up" else 1)
    if action not in ("up", "down") or not 0 <= to < len(acts):
        return acts, f"{prefix}-{at}-{action}"
    moved = list(acts)
    moved[at], moved[to] = moved[to], moved[at]
    return tuple(moved), f"{prefix}-{to}-{action}"


# --- a whole rule ----------------------------------------------------------------------------------------

#: lines of a rule, beside its condition and actions
LINES = (
    "key",
    "label_zh",
    "label_en",
    "plain_zh",
    "plain_en",
    "priority",
    "source_zh",
    "source_en",
    "status",
)


@dataclass(frozen=True, slots=True)
class RuleForm:
    lines: Mapping[str, str]
    when: Node | None
    then: tuple[Act, ...]


def read_rule(rule: Mapping[str, Any], vocabulary: Vocabulary = FACTORY) -> RuleForm:
    when = rule_editing.read(rule.get("when"), vocabulary.catalogue)
    return RuleForm(_lines_of(rule), when, _acts_of(rule.get("then"), vocabulary))


def _acts_of(then: object, vocabulary: Vocabulary) -> tuple[Act, ...]:
    return (
        ()
        if then is None
        else tuple(read(each, vocabulary) for each in (then if isinstance(then, list) else [then]))
    )


def _lines_of(rule: Mapping[str, Any]) -> dict[str, str]:
    label, source = two_languages(rule.get("label")), two_languages(rule.get("source"))
    said = two_languages(rule.get("plain"))
    priority = rule.get("priority", "")
    return {
        "key": plain(rule.get("key")),
        "label_zh": label[0],
        "label_en": label[1],
        "plain_zh": said[0],
        "plain_en": said[1],
        "priority": priority if isinstance(priority, str) else str(priority),
        "source_zh": source[0],
        "source_en": source[1],
        "status": plain(rule.get("status")),
    }


def plain(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else typed.as_json(value)


def two_languages(value: object) -> tuple[str, str]:
    if isinstance(value, Mapping) and set(value) <= {"zh", "en"}:
        return plain(value.get("zh")), plain(value.get("en"))
    return plain(value), ""


def one_text(zh: str, en: str) -> Any:
    """As the files have it: a bare string is Chinese."""
    return {"zh": zh, "en": en} if en else zh


def rule_from_form(form: Posted) -> RuleForm:
    lines = {name: one(form, name).strip() for name in LINES}
    return RuleForm(lines, rule_editing.from_form(form), from_form(form, "t"))


def write_rule(
    given: RuleForm, stored: Mapping[str, Any], vocabulary: Vocabulary = FACTORY
) -> dict[str, Any]:
    """The rule as it was stored, with what was changed; what the page does not show stays."""
    before, now = _lines_of(stored), given.lines
    rule: dict[str, Any] = {}
    for name in ("key", "label", "plain", "source", "status"):
        parts = [part for part in LINES if part.partition("_")[0] == name]
        if all(before[part] == now[part] for part in parts):
            rule |= {name: stored[name]} if name in stored else {}
        elif any(now[part] for part in parts):
            rule[name] = one_text(*(now[part] for part in parts)) if len(parts) > 1 else now[name]
    if given.when is not None:
        rule["when"] = rule_editing.write(given.when, vocabulary.catalogue)
    unchanged = given.then == _acts_of(stored.get("then"), vocabulary)
    rule["then"] = stored.get("then", []) if unchanged else [write(act, vocabulary) for act in given.then]
    if now["priority"] == before["priority"]:
        rule |= {"priority": stored["priority"]} if "priority" in stored else {}
    elif now["priority"]:
        number = typed.read(now["priority"], "number")
        rule["priority"] = number
    return rule | {name: value for name, value in stored.items() if name not in (*rule, *_KNOWN)}


_KNOWN = ("key", "label", "plain", "source", "status", "when", "then", "priority")


# --- the list of rules -----------------------------------------------------------------------------------


def rules_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules that can be edited one by one; what is no rule at all is found in the YAML."""
    rules = body.get("rules")
    return (
        [dict(rule) if isinstance(rule, Mapping) else {} for rule in rules] if isinstance(rules, list) else []
    )


def index_of(body: Mapping[str, Any], key: str) -> int | None:
    return next((i for i, rule in enumerate(rules_of(body)) if rule.get("key") == key), None)


def with_rules(body: Mapping[str, Any], rules: Sequence[object]) -> dict[str, Any]:
    """The ruleset with other rules, at the place where they stood."""
    if "rules" in body:
        return {name: list(rules) if name == "rules" else value for name, value in body.items()}
    tail = {name: body[name] for name in ("tables", "examples") if name in body}
    return {name: value for name, value in body.items() if name not in tail} | {"rules": list(rules)} | tail


def new_key(body: Mapping[str, Any], wanted: str) -> str:
    """wanted, wanted_2, …: one that neither a rule nor a table has."""
    tables = body.get("tables")
    members = [*rules_of(body), *(tables if isinstance(tables, list) else [])]
    taken = {key for each in members if isinstance(each, Mapping) and isinstance(key := each.get("key"), str)}
    candidates = (wanted[:55] if n == 1 else f"{wanted[:55]}_{n}" for n in range(1, len(taken) + 2))
    return next(key for key in candidates if key not in taken)
