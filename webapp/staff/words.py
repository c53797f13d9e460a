"""Words that several staff pages share: channels, ways of routing, outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.actions import ACTIONS, ActionParam
from rules.values import Text
from webapp.models.cases import CHANNELS as CHANNEL_KEYS
from webapp.queries.org import chart
from workflows.functions import FUNCTION_LABELS
from workflows.service import ServiceDefinition

CHANNELS: Mapping[str, Text] = {
    "web": Text(zh="網路申辦", en="Online"),
    "counter": Text(zh="臨櫃", en="At the counter"),
    "telephone": Text(zh="電話", en="By telephone"),
    "post": Text(zh="郵寄", en="By post"),
    "internal": Text(zh="內部立案", en="Opened within the county"),
}
assert set(CHANNELS) == set(CHANNEL_KEYS)

MESSAGE_CHANNELS: Mapping[str, Text] = {
    "email": Text(zh="電子郵件", en="E-mail"),
    "sms": Text(zh="簡訊", en="Text message"),
    "post": Text(zh="郵寄", en="Post"),
    "call": Text(zh="電話告知", en="By telephone"),
    "inbox": Text(zh="系統通知", en="Notice in the system"),
}

#: of what was not answered
_ENDS: Mapping[str, Text] = {
    "withdrawn": Text(zh="已撤回", en="Withdrawn"),
    "missing": Text(zh="未填報", en="Not reported"),
    "merged": Text(zh="已併案", en="Merged"),
    "transferred": Text(zh="已移送其他機關", en="Transferred"),
}
#: colours of tags; the words say the same
OUTCOME_COLOURS: Mapping[str, str] = {
    "granted": "green",
    "rejected": "red",
    "returned": "orange",
    "withdrawn": "grey",
    "recorded": "green",
    "missing": "orange",
    "merged": "grey",
    "transferred": "grey",
}
STATE_COLOURS: Mapping[str, str] = {"active": "blue", "correction": "yellow", "closed": "grey"}

TASK_STATES: Mapping[str, Text] = {
    "open": Text(zh="辦理中", en="Under way"),
    "done": Text(zh="已完成", en="Done"),
    "cancelled": Text(zh="已取消", en="Cancelled"),
}

RULE_STATUS: Mapping[str, tuple[Text, str]] = {
    "fired": (Text(zh="成立，採用", en="Applied"), "green"),
    "superseded": (Text(zh="成立，未採用", en="Holds, not applied"), "yellow"),
    "not_met": (Text(zh="不成立", en="Does not hold"), "grey"),
    "unknown": (Text(zh="無法判斷", en="Cannot be judged"), "grey"),
    "undecided": (Text(zh="成立，無法採用", en="Holds, nothing decided"), "red"),
}

#: of one comparison: words, a sign, and the style of the sign
RESULTS: Mapping[bool | None, tuple[Text, str, str]] = {
    True: (Text(zh="成立：", en="Holds:"), "✓", "yes"),
    False: (Text(zh="不成立：", en="Does not hold:"), "✗", "no"),
    None: (Text(zh="無法判斷：", en="Cannot be judged:"), "?", "unknown"),
}

#: words, a sign, and the colour of a tag
RISKS: Mapping[str, tuple[Text, str, str]] = {
    "high": (Text(zh="高風險", en="High risk"), "▲", "red"),
    "medium": (Text(zh="中風險", en="Medium risk"), "◆", "yellow"),
    "low": (Text(zh="低風險", en="Low risk"), "●", "grey"),
}

#: how sure a parameter or a rule is
ORIGINS: Mapping[str, Text] = {
    "sourced": Text(zh="有依據", en="Has a source"),
    "seed": Text(zh="取自本縣報告", en="From the county's own reports"),
    "to_be_verified": Text(zh="建議值，待機關核定", en="Proposed, to be confirmed by the office"),
}

_RELATIVE_UNITS: Mapping[str, Text] = {
    "handling": Text(zh="該項目的承辦單位", en="the handling unit of the service"),
    "owner": Text(zh="該項目的主管單位", en="the owner unit of the service"),
}


def ended(name: str, service: ServiceDefinition) -> Text:
    """How a case ended."""
    if name == "recorded":
        return service.outcome
    said = service.answers.said(name)
    return said.outcome if said is not None else _ENDS[name]


def function_label(function: str) -> Text:
    return FUNCTION_LABELS.get(function, Text(zh=function))


def outcome(entry: Mapping[str, Any]) -> Text:
    """What a rule asked for, in words: 指定承辦單位：農林科. A name of the rules' own (a rung) is left out."""
    action, given = ACTIONS[entry["action"]], entry["params"]
    values = [
        _value(param, given[param.name])
        for param in action.params
        if param.name in given and param.type != "name"
    ]
    if not values:
        return action.label
    return Text(
        zh=f"{action.label.zh}：{'，'.join(v.zh for v in values)}",
        en=f"{action.label.in_('en')}: {', '.join(v.in_('en') for v in values)}",
    )


def _value(param: ActionParam | None, value: Any) -> Text:
    """By the name of a choice, a unit or a function; what has no name as it is written."""
    if isinstance(value, (list, tuple)):
        each = [_value(param, one) for one in value]
        return Text(zh="、".join(x.zh for x in each), en=", ".join(x.in_("en") for x in each))
    kind = param.type if param is not None else ""
    if kind == "unit" and value in (units := chart().by_code):
        return Text(zh=units[value].zh, en=units[value].en)
    if kind in ("function", "functions"):
        return function_label(value)
    named = {**param.choices, **(_RELATIVE_UNITS if kind == "unit" else {})} if param is not None else {}
    return named.get(str(value), Text(zh=str(value)))
