"""Why a rule fired and why it did not: the reference evaluator's word, as data and as a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rules import policies
from rules.chaining import Derived, states
from rules.conditions import (
    SYMBOLS,
    All,
    Any_,
    Condition,
    FactRef,
    Leaf,
    Op,
    ParamRef,
    all_of,
    any_of,
    coerce,
    is_missing,
    label_of,
    leaves_of,
    show_threshold,
    show_value,
    shown,
    symbol,
    threshold,
)
from rules.facts import Fact
from rules.model import Rule, Ruleset
from rules.normal import Literal, without_not
from rules.policies import Resolved
from rules.values import Text

Json = object

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class _Case:
    """What is explained: the given and the derived facts, and what became of them."""

    ruleset: Ruleset
    facts: Mapping[str, object]
    resolved: Resolved
    derived: Mapping[str, Derived]

    def because(self, fact: str, lang: str) -> str | None:
        """The rules that a derived fact follows from, by their names."""
        if fact not in self.derived or not self.derived[fact].rules:
            return None
        labels = [rule.label.in_(lang) for rule in self.ruleset.rules if rule.key in self.derived[fact].rules]
        return _WORDS[lang]["rules"].format(_WORDS[lang]["between"].join(labels))


def explain(
    ruleset: Ruleset, facts: Mapping[str, object], resolved: Resolved, derived: Mapping[str, Derived] = {}
) -> list[dict[str, Json]]:
    """One entry a rule, fired or not, in the order of the rules."""
    known = {**facts, **{name: each.value for name, each in derived.items()}}
    case = _Case(ruleset, known, resolved, derived)
    return [_rule(case, index) for index in range(len(ruleset.rules))]


def _rule(case: _Case, index: int) -> dict[str, Json]:
    ruleset, resolved = case.ruleset, case.resolved
    rule = ruleset.rules[index]
    tree = _node(without_not(rule.when), case) if rule.when else None
    result = tree["result"] if tree else True
    if rule.key in resolved.fired:
        status = "fired"
    elif result is True:
        status = "undecided" if resolved.undecided else "superseded"
    else:
        status = "not_met" if result is False else "unknown"
    entry: dict[str, Json] = {
        "rule": rule.key,
        "label": {lang: rule.label.in_(lang) for lang in LANGUAGES},
        "status": status,
        "result": result,
        "sentence": {lang: _sentence(case, index, status, tree, lang) for lang in LANGUAGES},
        "when": tree,
    }
    if status == "fired" and (own := states(rule)):
        of_rule = {name for name in own if rule.key in case.derived[name].rules}
        entry["derives"] = {name: _json(case.derived[name].value) for name in sorted(of_rule)}
    if rule.plain:
        entry["plain"] = {lang: rule.plain.in_(lang) for lang in LANGUAGES}
    if rule.source:
        entry |= {"source": {lang: rule.source.in_(lang) for lang in LANGUAGES}, "origin": rule.status}
    return entry


# --- data ------------------------------------------------------------------------------------------------


def _node(c: Condition, case: _Case) -> dict[str, Json]:
    if isinstance(c, (All, Any_)):
        items = [_node(item, case) for item in c.items]
        results = [_result(item) for item in items]
        if isinstance(c, All):
            return {"all": items, "result": all_of(results)}
        return {"any": items, "result": any_of(results)}
    negated = not isinstance(c, Leaf)
    return _leaf(Literal(leaves_of(c)[0], negated), case)


def _leaf(literal: Literal, case: _Case) -> dict[str, Json]:
    leaf, ruleset, facts = literal.leaf, case.ruleset, case.facts
    result = literal.holds(facts, ruleset.params)
    actual, expected = facts.get(leaf.fact), threshold(leaf, facts, ruleset.params)
    node: dict[str, Json] = {
        "fact": leaf.fact,
        "label": {lang: label_of(leaf.fact, ruleset.labels, lang) for lang in LANGUAGES},
        "op": f"not {leaf.op}" if literal.negated else leaf.op,
        "actual": _json(actual),
    }
    if leaf.op not in ("exists", "missing"):
        node["threshold"] = _json(expected)
    if isinstance(leaf.value, ParamRef):
        node["parameter"] = leaf.value.name
    if isinstance(leaf.value, FactRef):
        node["other_fact"] = leaf.value.name
    if leaf.fact in case.derived:
        node["derived_by"] = list(case.derived[leaf.fact].rules)
    node["result"] = result
    node["sentence"] = {
        lang: _leaf_sentence(literal, actual, expected, result, case, lang) for lang in LANGUAGES
    }
    return node


def _json(value: object) -> Json:
    if isinstance(value, (Decimal, float)):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_json(each) for each in value]
    return value if value is None or isinstance(value, (str, int)) else shown(value)


# --- sentences -------------------------------------------------------------------------------------------

_WORDS: Mapping[str, Mapping[object, str]] = {
    "zh": {
        True: "",
        False: "，不成立",
        None: "，無法判斷",
        "and": "；",
        "needs": "（須{0}）",
        "compared": "{0}{1}",
        "missing": "沒有「{0}」的資料",
        "present": "有「{0}」的資料",
        "mistyped": "「{0}」的值「{1}」不是可比較的值",
        "is": "{0}為{1}",
        "ne": "不是{0}",
        "eq": "為{0}",
        "in": "為{0}之一",
        "not in": "不是{0}其中之一",
        "contains": "包含{0}",
        "not contains": "不包含{0}",
        "always": "沒有條件，一律適用",
        "rules": "規則「{0}」",
        "between": "」、「",
        "because": "因為{0}得出{1}",
        "by": "（由{0}得出）",
        "derives": "得出{0}",
        "settled": "已由{0}得出{1}",
        "not derived": "沒有規則得出「{0}」",
    },
    "en": {
        True: "",
        False: ", so it does not hold",
        None: ", so it cannot be judged",
        "and": "; ",
        "needs": " (must {0})",
        "compared": "be {0}{1}",
        "missing": "{0} is not known",
        "present": "{0} is known",
        "mistyped": "{0} has the value “{1}”, which cannot be compared",
        "is": "{0} is {1}",
        "ne": "not be {0}",
        "eq": "be {0}",
        "in": "be one of {0}",
        "not in": "be none of {0}",
        "contains": "contain {0}",
        "not contains": "not contain {0}",
        "always": "no condition: always applies",
        "rules": "“{0}”",
        "between": "”, “",
        "because": "by {0}, {1}",
        "by": " (by {0})",
        "derives": "so {0}",
        "settled": "by {0} already, {1}",
        "not derived": "no rule gives {0}",
    },
}


def _sentence(case: _Case, index: int, status: str, tree: Mapping[str, Json] | None, lang: str) -> str:
    ruleset, resolved, words = case.ruleset, case.resolved, _WORDS[lang]
    if status == "superseded":
        return policies.superseded(ruleset, index, resolved, lang)
    why = dict.fromkeys(_deciding(tree, lang)) if tree else {words["always"]: None}
    if status == "fired" and (more := policies.counted(ruleset, index, resolved, lang)):
        why[more] = None
    if status == "fired":
        why |= dict.fromkeys(_derives(case, ruleset.rules[index], lang))
    return words["and"].join(why)


def _derives(case: _Case, rule: Rule, lang: str) -> list[str]:
    """What a rule that counts found out for others, or who did before it."""
    words, found = _WORDS[lang], []
    for name in sorted(states(rule)):
        labels = case.ruleset.labels
        value = show_value(case.derived[name].value, fact=name, labels=labels, lang=lang)
        said = words["is"].format(label_of(name, labels, lang), value)
        first = rule.key in case.derived[name].rules
        found.append(
            words["derives"].format(said)
            if first
            else words["settled"].format(case.because(name, lang), said)
        )
    return found


def _deciding(node: Mapping[str, Json], lang: str) -> list[str]:
    """The sentences of the leaves that made the result what it is."""
    if "sentence" in node:
        return [node["sentence"][lang]]  # type: ignore[index]  # a leaf's sentence has every language
    result, is_all = _result(node), "all" in node
    items: list[Mapping[str, Json]] = node["all" if is_all else "any"]  # type: ignore[assignment]
    deciding = [item for item in items if _result(item) is result]
    if result is True and not is_all:
        deciding = deciding[:1]
    return [text for item in deciding for text in _deciding(item, lang)]


def _result(node: Mapping[str, Json]) -> bool | None:
    result = node["result"]
    return result if isinstance(result, bool) else None


def _leaf_sentence(
    literal: Literal, actual: object, expected: object, result: bool | None, case: _Case, lang: str
) -> str:
    leaf, ruleset, words = literal.leaf, case.ruleset, _WORDS[lang]
    name = label_of(leaf.fact, ruleset.labels, lang)
    missing = words["not derived" if leaf.fact in ruleset.derived else "missing"].format(name)
    verdict = words[result]
    if leaf.op in ("exists", "missing"):
        if is_missing(actual):
            return missing + verdict
        if leaf.fact in case.derived:
            return _because(case, leaf.fact, _reading(leaf, actual, ruleset, lang), lang) + verdict
        return words["present"].format(name) + verdict
    if is_missing(actual) and leaf.type != "list":
        return missing + verdict
    typed = coerce(leaf.type, actual)
    if typed is None:
        return words["mistyped"].format(name, shown(actual)) + verdict
    if isinstance(leaf.value, FactRef) and is_missing(expected):
        return words["missing"].format(show_threshold(leaf, ruleset.labels, ruleset.params, lang)) + verdict
    if leaf.op in SYMBOLS and leaf.type in ("number", "date"):
        return _comparison(leaf, typed, expected, result, case, lang) + verdict
    wanted = show_threshold(leaf, ruleset.labels, ruleset.params, lang)
    if isinstance(leaf.value, FactRef):
        wanted += " " + show_value(expected, fact=leaf.fact, labels=ruleset.labels, lang=lang)
        if source := case.because(leaf.value.name, lang):
            wanted += words["by"].format(source)
    read = _because(case, leaf.fact, _reading(leaf, typed, ruleset, lang), lang)
    op = f"not {leaf.op}" if literal.negated else leaf.op
    # an equality that holds says all by the value itself
    needs = "" if result is True and op == "eq" else words["needs"].format(words[op].format(wanted))
    return f"{read}{needs}{verdict}"


def _because(case: _Case, fact: str, read: str, lang: str) -> str:
    """因為規則「逾期未填報」得出風險為「高」; a given fact as it is."""
    source = case.because(fact, lang)
    return _WORDS[lang]["because"].format(source, read) if source else read


#: what stands before a threshold when both it and the value are said without their minus
_MIRRORED: Mapping[Op, Op] = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _comparison(
    leaf: Leaf, value: object, expected: object, result: bool | None, case: _Case, lang: str
) -> str:
    """距到期日剩 2 個工作天 ≤ 預警天數 3 個工作天; 已逾期 4 個工作天 ≥ 第二次稽催門檻（已逾期 3 個工作天）."""
    ruleset, words, op = case.ruleset, _WORDS[lang], leaf.op
    fact = ruleset.catalogue[leaf.fact]
    limit = coerce(leaf.type, expected)
    unit = _unit_of_threshold(leaf, ruleset)
    number = show_value(
        expected if limit is None else limit, fact=leaf.fact, labels=ruleset.labels, lang=lang
    )
    wanted = show_threshold(leaf, ruleset.labels, ruleset.params, lang)
    name = wanted.removesuffix(number).rstrip() if isinstance(leaf.value, ParamRef) else ""
    if isinstance(leaf.value, FactRef):
        name, wanted = wanted, f"{wanted} {number}"
    wanted += f" {unit.in_(lang)}" if unit else ""
    if isinstance(leaf.value, FactRef) and (source := case.because(leaf.value.name, lang)):
        wanted += words["by"].format(source)
    if fact.below_zero and _below_zero(value) and _below_zero(limit):
        read, op = _said_below_zero(fact, value, leaf, ruleset, lang).strip("（） ()"), _MIRRORED.get(op, op)
        late = _said_below_zero(fact, limit, leaf, ruleset, lang)
        wanted = f"{name}{late}" if name else late.strip("（） ()")
    else:
        read = _because(case, leaf.fact, _reading(leaf, value, ruleset, lang), lang)
        if fact.below_zero and _below_zero(limit):
            wanted += _said_below_zero(fact, limit, leaf, ruleset, lang)
    compared = f"{symbol(op, lang)} {wanted}"
    if result is True:
        return f"{read} {compared}"
    return f"{read}{words['needs'].format(words['compared'].format(' ' if lang == 'zh' else '', compared))}"


def _unit_of_threshold(leaf: Leaf, ruleset: Ruleset) -> Text | None:
    """Of a parameter its own; else that of the fact which gives the number."""
    if isinstance(leaf.value, ParamRef) and (own := ruleset.parameters[leaf.value.name].unit):
        return own
    name = leaf.value.name if isinstance(leaf.value, FactRef) else leaf.fact
    return ruleset.catalogue[name].unit


def _below_zero(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and value < 0


def _said_below_zero(fact: Fact, value: object, leaf: Leaf, ruleset: Ruleset, lang: str) -> str:
    """（已逾期 4 個工作天）"""
    assert fact.below_zero is not None and isinstance(value, (int, Decimal))
    positive = value.copy_abs() if isinstance(value, Decimal) else -value  # a minus would round
    number = show_value(positive, fact=leaf.fact, labels=ruleset.labels, lang=lang)
    return fact.below_zero.in_(lang).format(value=number)


def _reading(leaf: Leaf, value: object, ruleset: Ruleset, lang: str) -> str:
    """The fact with its value: 距到期日剩 2 個工作天."""
    fact = ruleset.catalogue[leaf.fact]
    text = show_value(value, fact=leaf.fact, labels=ruleset.labels, lang=lang)
    if leaf.type not in ("number", "date"):
        return _WORDS[lang]["is"].format(fact.label.in_(lang), text)
    unit = f" {fact.unit.in_(lang)}" if fact.unit else ""
    read = (
        fact.reading.in_(lang).format(value=text) if fact.reading else f"{fact.label.in_(lang)} {text}{unit}"
    )
    return read + (
        _said_below_zero(fact, value, leaf, ruleset, lang) if fact.below_zero and _below_zero(value) else ""
    )
