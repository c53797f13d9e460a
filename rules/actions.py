"""The closed list of actions: all that a rule may ask for. webapp carries them out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from rules.conditions import did_you_mean, shown
from rules.values import Text

ParamType = Literal["unit", "function", "functions", "choice", "period", "name"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_UNIT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
#: a unit that the service itself names
RELATIVE_UNITS = frozenset({"handling", "owner"})


@dataclass(frozen=True, slots=True)
class ActionParam:
    name: str
    label: Text
    type: ParamType
    choices: tuple[str, ...] = ()
    #: a rule may leave it out
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    name: str
    label: Text
    params: tuple[ActionParam, ...]


_ACTIONS = (
    Action(
        "assign_unit",
        Text(zh="指定承辦單位", en="Assign the unit"),
        (ActionParam("unit", Text(zh="單位", en="unit"), "unit"),),
    ),
    Action(
        "assign_function",
        Text(zh="指定承辦職務", en="Assign the function"),
        (ActionParam("function", Text(zh="職務", en="function"), "function"),),
    ),
    Action(
        "pick_officer",
        Text(zh="選派承辦人", en="Pick the officer"),
        (ActionParam("by", Text(zh="選派方式", en="by"), "choice", ("township", "turn", "load")),),
    ),
    Action(
        "set_period",
        Text(zh="訂定處理期限", en="Set the period"),
        (
            ActionParam(
                "kind", Text(zh="計算方式", en="kind"), "choice", ("WD", "CD", "CD-shift", "M-shift", "HOUR")
            ),
            ActionParam("period", Text(zh="期間", en="period"), "period"),
        ),
    ),
    Action(
        "set_risk",
        Text(zh="訂定風險等級", en="Set the risk"),
        (ActionParam("level", Text(zh="等級", en="level"), "choice", ("low", "medium", "high")),),
    ),
    Action(
        "require_approval",
        Text(zh="指定核定職務", en="Name who approves"),
        (ActionParam("function", Text(zh="職務", en="function"), "function"),),
    ),
    Action(
        "escalate",
        Text(zh="稽催", en="Escalate"),
        (
            ActionParam("rung", Text(zh="階段", en="rung"), "name"),
            ActionParam("to", Text(zh="通知職務", en="to"), "functions"),
            ActionParam("kind", Text(zh="種類", en="kind"), "choice", ("warn", "due", "overdue", "review")),
            # in the digest of the day unless the rule says at once
            ActionParam(
                "delivery", Text(zh="通知方式", en="delivery"), "choice", ("digest", "at_once"), optional=True
            ),
        ),
    ),
)

ACTIONS: Mapping[str, Action] = MappingProxyType({action.name: action for action in _ACTIONS})


def find(action: str, param: str) -> ActionParam | None:
    return next((p for p in ACTIONS[action].params if p.name == param), None)


def mistake(
    param: ActionParam, value: object, functions: frozenset[str] | None, units: frozenset[str] | None
) -> str | None:
    """What is wrong with a value, or None. Functions and units are checked where their names are given."""
    if param.type == "choice":
        if isinstance(value, str) and value in param.choices:
            return None
        return f"{param.label}「{shown(value)}」不在可選的值之中：{'、'.join(param.choices)}"
    if param.type == "period":
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 9999:
            return None
        return f"{param.label}「{shown(value)}」必須是 1 到 9999 的整數"
    if param.type == "functions":
        if not isinstance(value, (list, tuple)) or not value:
            return f"{param.label}必須是至少有一個職務的清單"
        mistakes = (_unknown_name(param, item, _NAME, functions) for item in value)
        return next((m for m in mistakes if m), None)
    if param.type == "unit":
        return _unknown_name(param, value, _UNIT, None if units is None else units | RELATIVE_UNITS)
    return _unknown_name(param, value, _NAME, functions if param.type == "function" else None)


def _unknown_name(
    param: ActionParam, value: object, pattern: re.Pattern[str], known: frozenset[str] | None
) -> str | None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        return f"{param.label}「{shown(value)}」不是有效的代碼"
    if known is not None and value not in known:
        return f"沒有「{value}」這個{param.label}{did_you_mean(value, sorted(known))}"
    return None
