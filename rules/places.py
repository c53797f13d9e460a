"""Where a problem is, in the words of the ruleset: tables[0].rows[2].when[1] is 表格「燈號」第 3 列第 2 欄."""

import re
from collections.abc import Mapping
from typing import Any

from rules.facts import FACTS
from rules.shown import param_of
from rules.values import Text

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

_LISTS: Mapping[str, tuple[str, str]] = {
    "rules": ("規則", "Rule"),
    "tables": ("表格", "Table"),
    "examples": ("測試案例", "Example"),
    "rows": ("列", "row"),
    "inputs": ("條件欄", "input column"),
    "outputs": ("結果欄", "output column"),
    "then": ("動作", "action"),
    "expect": ("預期", "expectation"),
    "order": ("先後", "place in the order"),
}
_ITEMS: Mapping[str, tuple[str, str]] = {
    "value": ("值", "value"),
    "label": ("名稱", "label"),
    "unit": ("單位", "unit"),
    "source": ("依據", "source"),
    "status": ("依據狀態", "status of the source"),
    "when": ("條件", "condition"),
    "then": ("動作", "actions"),
    "key": ("代碼", "key"),
    "title": ("名稱", "title"),
    "hit_policy": ("命中方式", "hit policy"),
    "facts": ("事實", "facts"),
    "expect": ("預期", "expectation"),
    "rows": ("各列", "rows"),
    "priority": ("優先順序", "priority"),
    "examples": ("測試案例", "examples"),
    "rules": ("規則", "rules"),
    "tables": ("表格", "tables"),
    "parameters": ("參數", "parameters"),
    "fact": ("事實", "fact"),
    "op": ("比較", "operator"),
    "action": ("動作", "action"),
    "param": ("參數", "parameter"),
    "plain": ("給當事人看的說明", "said to whoever it decides about"),
    "derived": ("得出的事實", "derived facts"),
}


def place(path: str, mapping: Mapping[str, Any]) -> Text:
    """As much of the path as can be said; the rest as it is written."""
    steps = [name or int(number) for name, number in _STEP.findall(path)]
    zh, en = list[str](), list[str]()
    here: Any = mapping
    i = 0
    while i < len(steps):
        step = steps[i]
        following = steps[i + 1] if i + 1 < len(steps) else None
        if step == "parameters" and isinstance(following, str):
            here = _into(_into(here, step), following)
            name = _name(here, following)
            zh.append(f"參數「{name.zh}」")
            en.append(f"parameter “{name.in_('en')}”")
            i += 2
            continue
        if isinstance(step, str) and isinstance(following, int):
            parent, here = here, _into(_into(here, step), following)
            _nth(zh, en, step, following, parent, here)
            i += 2
            continue
        param = param_of(here.get("action"), step) if isinstance(here, Mapping) else None
        here = _into(here, step)
        said = _ITEMS.get(str(step), (str(step), str(step)))
        if param is not None:
            said = (param.label.zh, param.label.in_("en"))
        zh.append(said[0])
        en.append(said[1])
        i += 1
    return Text(zh="，".join(zh) or "規則集", en=", ".join(en) or "ruleset")


def _nth(zh: list[str], en: list[str], step: str, index: int, parent: Any, here: Any) -> None:
    if step in ("when", "then") and isinstance(parent, Mapping) and "then" in parent and "key" not in parent:
        zh.append(f"第 {index + 1} 個{'條件' if step == 'when' else '結果'}格")
        en.append(f"{'input' if step == 'when' else 'output'} cell {index + 1}")
        return
    said = _LISTS.get(step, (step, step))
    name = _name(here, "")
    if step in ("rules", "tables", "examples"):
        zh.append(f"{said[0]}「{name.zh}」" if name.zh != "—" else f"第 {index + 1} 個{said[0]}")
        en.append(f"{said[1]} “{name.in_('en')}”" if name.zh != "—" else f"{said[1]} {index + 1}")
        return
    fact = FACTS.get(str(here.get("fact"))) if isinstance(here, Mapping) else None
    more = fact.label if fact else name if step == "rows" and name.zh != "—" else None
    unit = "列" if step == "rows" else f"個{said[0]}"
    zh.append(f"第 {index + 1} {unit}" + (f"「{more.zh}」" if more else ""))
    en.append(f"{said[1]} {index + 1}" + (f" “{more.in_('en')}”" if more else ""))


def _name(item: Any, otherwise: str) -> Text:
    if isinstance(item, Mapping):
        for key in ("label", "name", "key"):
            data = item.get(key)
            if isinstance(data, Mapping) and isinstance(data.get("zh"), str) and data["zh"]:
                return Text(zh=data["zh"], en=str(data.get("en") or ""))
            if isinstance(data, str) and data:
                return Text(zh=data)
    return Text(zh=otherwise or "—")


def _into(here: Any, step: str | int) -> Any:
    if isinstance(here, Mapping):
        return here.get(step)
    if isinstance(here, list) and isinstance(step, int) and step < len(here):
        return here[step]
    return None
