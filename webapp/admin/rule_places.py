"""From the path of a problem to the input of the rule page where it is mended: when.all[0].value is c-0-value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rules import action_editing
from rules.action_editing import Act, RuleForm
from rules.rule_editing import ROOT, Node
from rules.values import Problem
from webapp.admin.rule_page import Offers
from webapp.presentation import in_language

_STEP = re.compile(r"\.(?:all|any)\[(\d+)\]|\.(not)(?=[.\[]|$)")
_LEAF = re.compile(r"\.(fact|op|value)(?:\[\d+\])?$")
_ACT = re.compile(r"\[(\d+)\](?:\.(\w+))?")


def of_rule(problems: Iterable[Problem], index: int, form: RuleForm, offers: Offers) -> dict[str, list[str]]:
    """The problems of one rule by the input where they are to be mended."""
    found: dict[str, list[str]] = {}
    start = f"rules[{index}]"
    for problem in problems:
        if problem.path == start or problem.path.startswith(f"{start}."):
            place = _place(problem.path.removeprefix(start).removeprefix("."), form, offers)
            found.setdefault(place, []).append(in_language(problem.message))
    return found


def _place(path: str, form: RuleForm, offers: Offers) -> str:
    item = path.partition(".")[0].partition("[")[0]
    rest = path.removeprefix(item)
    if item == "when":
        return _in_condition(rest, form.when, offers)
    if item == "then":
        return of_act(rest, form.then, "t", offers)
    known = {"label": "label_zh", "plain": "plain_zh", "source": "source_zh"}.get(item, item)
    return known if known in action_editing.LINES else "key"


def _in_condition(path: str, node: Node | None, offers: Offers) -> str:
    at = ROOT
    while node is not None and (step := _STEP.match(path)):
        i = int(step[1] or 0)
        if i >= len(node.items):
            break
        node, at, path = node.items[i], f"{at}-{i}", path[step.end() :]
    if node is None or node.is_group:
        return f"{at}-add"
    if node.kind == "raw":
        return f"{at}-text"
    found = _LEAF.match(path)
    item = found[1] if found else "value" if node.op and node.fact in offers.vocabulary.catalogue else "fact"
    if item == "value":
        item = {"param": "param", "fact": "other"}.get(node.by, "value")
    return f"{at}-{item}"


def of_act(path: str, acts: Sequence[Act], prefix: str, offers: Offers) -> str:
    found = _ACT.match(path)
    if found is None or int(found[1]) >= len(acts):
        return f"{prefix}-add"
    act, at = acts[int(found[1])], f"{prefix}-{found[1]}"
    if act.raw:
        return f"{at}-raw"
    is_param = any(param.name == found[2] for param in offers.asked(act))
    return f"{at}-p-{found[2]}" if is_param else f"{at}-action"
