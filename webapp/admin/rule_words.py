"""What the pages of rules and examples call things."""

from __future__ import annotations

from collections.abc import Mapping

from rules.values import Text
from webapp.queries.org import chart
from workflows.functions import FUNCTION_LABELS

#: beginnings of the names of facts
FACT_GROUPS: Mapping[str, Text] = {
    "service": Text(zh="申辦項目", en="Service"),
    "applicant": Text(zh="申請人", en="Applicant"),
    "case": Text(zh="案件", en="Case"),
    "task": Text(zh="勘查與會辦", en="Inspection and co-review"),
    "petition": Text(zh="陳情", en="Petition"),
    "hotline": Text(zh="1999 專線", en="1999 hotline"),
    "plan": Text(zh="計畫", en="Plan"),
    "directive": Text(zh="裁示事項", en="Directive"),
    "score": Text(zh="評分", en="Score"),
}

GROUP_KINDS: Mapping[str, Text] = {
    "all": Text(zh="全部成立（且）", en="all of these hold (and)"),
    "any": Text(zh="任一成立（或）", en="any of these holds (or)"),
    "not": Text(zh="不成立（並非）", en="this does not hold (not)"),
}

OPS: Mapping[str, Text] = {
    "eq": Text(zh="等於（是）", en="is"),
    "ne": Text(zh="不等於（不是）", en="is not"),
    "gt": Text(zh="大於", en="is more than"),
    "ge": Text(zh="大於或等於", en="is at least"),
    "lt": Text(zh="小於", en="is less than"),
    "le": Text(zh="小於或等於", en="is at most"),
    "in": Text(zh="為其中之一", en="is one of"),
    "contains": Text(zh="包含", en="contains"),
    "exists": Text(zh="有資料", en="is known"),
    "missing": Text(zh="沒有資料", en="is missing"),
}
DATE_OPS: Mapping[str, Text] = {
    "gt": Text(zh="晚於", en="is after"),
    "ge": Text(zh="當日或晚於", en="is on or after"),
    "lt": Text(zh="早於", en="is before"),
    "le": Text(zh="當日或早於", en="is on or before"),
}

COMPARED_WITH: Mapping[str, Text] = {
    "value": Text(zh="填入的值", en="a value"),
    "param": Text(zh="參數", en="a parameter"),
    "fact": Text(zh="另一項事實", en="another fact"),
}

STATUSES: Mapping[str, Text] = {
    "sourced": Text(zh="有依據", en="sourced"),
    "seed": Text(zh="本縣報告所載", en="from the county's reports"),
    "to_be_verified": Text(zh="建議值，待核定", en="a proposal, to be verified"),
}
STATUS_COLOURS: Mapping[str, str] = {"sourced": "green", "seed": "blue", "to_be_verified": "yellow"}

#: what the order of the rules means
HIT_POLICIES: Mapping[str, Text] = {
    "unique": Text(
        zh="同時只能有一條規則成立；順序不影響結果。",
        en="Only one rule may hold at a time; order does not matter.",
    ),
    "first": Text(
        zh="由上而下，第一條成立的規則算數。", en="From the top, the first rule that holds counts."
    ),
    "priority": Text(
        zh="成立的規則中，結果最優先的算數；同樣優先時，排在上面的算數。",
        en="Of the rules that hold, the one with the foremost result counts; of equals, the upper one.",
    ),
    "collect": Text(
        zh="所有成立的規則合計成一個結果。", en="All rules that hold are added up to one result."
    ),
    "rule_order": Text(
        zh="所有成立的規則都算數，依這裡的順序。", en="Every rule that holds counts, in the order given here."
    ),
    "output_order": Text(
        zh="所有成立的規則都算數，依結果的先後排列。",
        en="Every rule that holds counts, sorted by its result.",
    ),
}

RELATIVE_UNITS: Mapping[str, Text] = {
    "handling": Text(zh="該項目的承辦單位", en="the handling unit of the service"),
    "owner": Text(zh="該項目的主管單位", en="the owner unit of the service"),
}


def names() -> dict[str, Text]:
    """Functions and units by their codes, as rules.saying wants them."""
    units = {code: Text(zh=unit.zh, en=unit.en) for code, unit in chart().by_code.items()}
    found = {f"function:{name}": label for name, label in FUNCTION_LABELS.items()}
    return found | {f"unit:{code}": label for code, label in {**RELATIVE_UNITS, **units}.items()}
