"""Hit policies: from the rules that hold together to what follows (DMN 1.4, 8.2.8).

A table with a policy of its own resolves its hits first; the ruleset's policy counts for all others together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rules.actions import ActionParam, find
from rules.conditions import show_value
from rules.model import Outcome, Policy, Rule, Ruleset, output_of
from rules.values import Text


class NotUnique(ValueError):
    """More than one rule holds where exactly one may."""

    def __init__(self, ruleset: Ruleset, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self.text = Text(
            zh=f"規則集「{ruleset.title}」只容許一條規則成立，但同時成立的有：{'、'.join(rules)}",
            en=f"{ruleset.title.in_('en')}: only one rule may hold, but these do: {', '.join(rules)}",
        )
        super().__init__(str(self.text))


@dataclass(frozen=True, slots=True)
class Total:
    """What collect made of its hits."""

    #: whose hits these are; None for those that the ruleset's policy counts
    table: str | None
    policy: Policy
    value: Any
    #: each rule that held, with what it gave
    hits: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    #: the rules that count, in the order of their outcomes
    fired: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    totals: tuple[Total, ...] = ()
    #: nothing follows because nothing could be decided
    undecided: bool = False


#: what needs no detour, as in most rulesets: the rules as they stand
_PLAIN = ("unique", "first", "priority", "rule_order")
_TOTALS: Mapping[str, Callable[[Sequence[Any]], Any]] = {"sum": sum, "min": min, "max": max, "count": len}


def resolve(ruleset: Ruleset, matched: Sequence[int]) -> Resolved:
    """What follows from the rules that hold, by their indexes. Raises NotUnique."""
    rules, policies = ruleset.rules, ruleset.table_policies
    if not policies and ruleset.policy.hit in _PLAIN:
        counting = [rules[i] for i in _adopt(ruleset, ruleset.policy, matched)]
        keys = tuple([rule.key for rule in counting])
        return Resolved(keys, tuple([outcome for rule in counting for outcome in rule.then]))
    hits: dict[str | None, list[int]] = {table: [] for table in policies} | {None: []}
    for i in matched:
        hits[table if (table := rules[i].table) in policies else None].append(i)
    totals: dict[str | None, Total] = {}
    turns: dict[str | None, Iterator[int]] = {}
    adopted: list[tuple[int, str | None]] = []
    for group, found in hits.items():
        policy = ruleset.policy if group is None else policies[group]
        ordered = _adopt(ruleset, policy, found)
        turns[group] = iter(ordered)
        adopted += [(i, group) for i in ordered]
        if policy.aggregate and (found or policy.aggregate == "count"):
            given = tuple([(rules[i].key, output_of(rules[i], policy.output)) for i in found])
            value = _TOTALS[policy.aggregate]([value for _, value in given])
            totals[group] = Total(group, policy, value, given)
    fired: list[str] = []
    outcomes: list[Outcome] = []
    open_totals = dict(totals)
    # in the order of the rules; where a group has an order of its own, its places are filled by that
    for _, group in sorted(adopted, key=lambda each: each[0]):
        rule = rules[next(turns[group])]
        fired.append(rule.key)
        if group not in totals:
            outcomes += rule.then
        elif total := open_totals.pop(group, None):
            outcomes.append(_outcome(ruleset, total))
    outcomes += [_outcome(ruleset, total) for total in open_totals.values()]
    return Resolved(tuple(fired), tuple(outcomes), tuple(totals.values()))


def _adopt(ruleset: Ruleset, policy: Policy, hits: Sequence[int]) -> Sequence[int]:
    if policy.hit == "unique" and len(hits) > 1:
        raise NotUnique(ruleset, [ruleset.rules[i].key for i in hits])
    if policy.hit in ("priority", "output_order"):
        hits = sorted(hits, key=lambda i: policy.rank(ruleset.rules[i]))
    return hits[:1] if policy.hit in ("first", "priority") else hits


def _outcome(ruleset: Ruleset, total: Total) -> Outcome:
    action, param = total.policy.output or ("", "")
    return Outcome(total.table or ruleset.key, action, MappingProxyType({param: total.value}))


# --- in words --------------------------------------------------------------------------------------------

_WORDS: Mapping[str, Mapping[str, str]] = {
    "zh": {
        "superseded": "條件成立，但已由順序在前的規則決定",
        "outranked": "條件成立，但「{label}」以{winner}為先，這條規則是{own}",
        "ranked": "「{label}」的順位：{order}",
        "sum": "加總：{values}＝{value}",
        "min": "取最小值：{values}之中的 {value}",
        "max": "取最大值：{values}之中的 {value}",
        "count": "共 {value} 條規則成立",
        "plus": "＋",
        "list": "、",
    },
    "en": {
        "superseded": "it holds, but a rule before it has decided",
        "outranked": "it holds, but for “{label}” {winner} goes before {own}",
        "ranked": "order of “{label}”: {order}",
        "sum": "total: {values} = {value}",
        "min": "the smallest of {values}: {value}",
        "max": "the largest of {values}: {value}",
        "count": "{value} rules hold",
        "plus": " + ",
        "list": ", ",
    },
}


def superseded(ruleset: Ruleset, index: int, resolved: Resolved, lang: str) -> str:
    """Why a rule that holds does not count."""
    words, rule = _WORDS[lang], ruleset.rules[index]
    policy = ruleset.policy_of(rule)
    if policy.hit != "priority":
        return words["superseded"]
    group = [
        each
        for each in ruleset.rules
        if each.key in resolved.fired and _group(ruleset, each) == _group(ruleset, rule)
    ]
    own, winner = (output_of(each, policy.output) for each in (rule, group[0]))
    if own == winner:
        return words["superseded"]
    return words["outranked"].format(
        label=_label(ruleset, policy, lang),
        winner=_value(ruleset, policy, winner, lang),
        own=_value(ruleset, policy, own, lang),
    )


def counted(ruleset: Ruleset, index: int, resolved: Resolved, lang: str) -> str | None:
    """What its policy made of a rule that counts, where that says more than the rule itself."""
    words, rule = _WORDS[lang], ruleset.rules[index]
    policy = ruleset.policy_of(rule)
    if policy.order:
        order = words["list"].join(_value(ruleset, policy, value, lang) for value in policy.order)
        return words["ranked"].format(label=_label(ruleset, policy, lang), order=order)
    total = next((each for each in resolved.totals if each.table == _group(ruleset, rule)), None)
    if total is None or not policy.aggregate:
        return None
    values = words["plus" if policy.aggregate == "sum" else "list"].join(
        _value(ruleset, policy, value, lang) for _, value in total.hits
    )
    return words[policy.aggregate].format(values=values, value=_value(ruleset, policy, total.value, lang))


def _group(ruleset: Ruleset, rule: Rule) -> str | None:
    return rule.table if rule.table in ruleset.table_policies else None


def _param(ruleset: Ruleset, policy: Policy) -> ActionParam:
    param = find(*policy.output, ruleset.actions) if policy.output else None
    assert param is not None  # the loader refused others
    return param


def _label(ruleset: Ruleset, policy: Policy, lang: str) -> str:
    return _param(ruleset, policy).label.in_(lang)


def _value(ruleset: Ruleset, policy: Policy, value: object, lang: str) -> str:
    labels = {f"={name}": label for name, label in _param(ruleset, policy).choices.items()}
    return show_value(value, fact="", labels=labels, lang=lang)
