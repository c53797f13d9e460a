"""Why a rule fired and why it did not: the reference evaluator's word, as data and as a sentence."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from rules import policies
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
    holds,
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
from rules.model import Ruleset
from rules.normal import Literal, without_not
from rules.policies import Resolved
from rules.values import Text

Json = object

LANGUAGES = ("zh", "en")


def matching(ruleset: Ruleset, facts: Mapping[str, object]) -> list[int]:
    """The rules whose condition holds, by the definition of the semantics: what the engine must answer."""
    return [i for i, rule in enumerate(ruleset.rules) if holds(rule.when, facts, ruleset.params)]


def explain(ruleset: Ruleset, facts: Mapping[str, object], resolved: Resolved) -> list[dict[str, Json]]:
    """One entry a rule, fired or not, in the order of the rules."""
    return [_rule(ruleset, index, facts, resolved) for index in range(len(ruleset.rules))]


def _rule(ruleset: Ruleset, index: int, facts: Mapping[str, object], resolved: Resolved) -> dict[str, Json]:
    rule = ruleset.rules[index]
    tree = _node(without_not(rule.when), ruleset, facts) if rule.when else None
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
        "sentence": {lang: _sentence(ruleset, index, status, tree, resolved, lang) for lang in LANGUAGES},
        "when": tree,
    }
    if rule.plain:
        entry["plain"] = {lang: rule.plain.in_(lang) for lang in LANGUAGES}
    if rule.source:
        entry |= {"source": {lang: rule.source.in_(lang) for lang in LANGUAGES}, "origin": rule.status}
    return entry


# --- data ------------------------------------------------------------------------------------------------


def _node(c: Condition, ruleset: Ruleset, facts: Mapping[str, object]) -> dict[str, Json]:
    if isinstance(c, (All, Any_)):
        items = [_node(item, ruleset, facts) for item in c.items]
        results = [_result(item) for item in items]
        if isinstance(c, All):
            return {"all": items, "result": all_of(results)}
        return {"any": items, "result": any_of(results)}
    negated = not isinstance(c, Leaf)
    return _leaf(Literal(leaves_of(c)[0], negated), ruleset, facts)


def _leaf(literal: Literal, ruleset: Ruleset, facts: Mapping[str, object]) -> dict[str, Json]:
    leaf = literal.leaf
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
    node["result"] = result
    node["sentence"] = {
        lang: _leaf_sentence(literal, actual, expected, result, ruleset, lang) for lang in LANGUAGES
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
    },
}


def _sentence(
    ruleset: Ruleset, index: int, status: str, tree: Mapping[str, Json] | None, resolved: Resolved, lang: str
) -> str:
    words = _WORDS[lang]
    if status == "superseded":
        return policies.superseded(ruleset, index, resolved, lang)
    why = dict.fromkeys(_deciding(tree, lang)) if tree else {words["always"]: None}
    if status == "fired" and (more := policies.counted(ruleset, index, resolved, lang)):
        why[more] = None
    return words["and"].join(why)


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
    literal: Literal, actual: object, expected: object, result: bool | None, ruleset: Ruleset, lang: str
) -> str:
    leaf, words = literal.leaf, _WORDS[lang]
    name = label_of(leaf.fact, ruleset.labels, lang)
    verdict = words[result]
    if leaf.op in ("exists", "missing"):
        return words["missing" if is_missing(actual) else "present"].format(name) + verdict
    if is_missing(actual) and leaf.type != "list":
        return words["missing"].format(name) + verdict
    typed = coerce(leaf.type, actual)
    if typed is None:
        return words["mistyped"].format(name, shown(actual)) + verdict
    if isinstance(leaf.value, FactRef) and is_missing(expected):
        return words["missing"].format(show_threshold(leaf, ruleset.labels, ruleset.params, lang)) + verdict
    if leaf.op in SYMBOLS and leaf.type in ("number", "date"):
        return _comparison(leaf, typed, expected, result, ruleset, lang) + verdict
    wanted = show_threshold(leaf, ruleset.labels, ruleset.params, lang)
    if isinstance(leaf.value, FactRef):
        wanted += " " + show_value(expected, fact=leaf.fact, labels=ruleset.labels, lang=lang)
    read = _reading(leaf, typed, ruleset, lang)
    op = f"not {leaf.op}" if literal.negated else leaf.op
    # an equality that holds says all by the value itself
    needs = "" if result is True and op == "eq" else words["needs"].format(words[op].format(wanted))
    return f"{read}{needs}{verdict}"


#: what stands before a threshold when both it and the value are said without their minus
_MIRRORED: Mapping[Op, Op] = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}


def _comparison(
    leaf: Leaf, value: object, expected: object, result: bool | None, ruleset: Ruleset, lang: str
) -> str:
    """距到期日剩 2 個工作天 ≤ 預警天數 3 個工作天; 已逾期 4 個工作天 ≥ 第二次稽催門檻（已逾期 3 個工作天）."""
    words, fact, op = _WORDS[lang], ruleset.catalogue[leaf.fact], leaf.op
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
    if fact.below_zero and _below_zero(value) and _below_zero(limit):
        read, op = _said_below_zero(fact, value, leaf, ruleset, lang).strip("（） ()"), _MIRRORED.get(op, op)
        late = _said_below_zero(fact, limit, leaf, ruleset, lang)
        wanted = f"{name}{late}" if name else late.strip("（） ()")
    else:
        read = _reading(leaf, value, ruleset, lang)
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
    number = show_value(-value, fact=leaf.fact, labels=ruleset.labels, lang=lang)
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
