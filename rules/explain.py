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
from rules.model import Ruleset
from rules.normal import Literal, without_not
from rules.policies import Resolved

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
        status = "superseded"
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
        True: "成立",
        False: "不成立",
        None: "無法判斷",
        "comma": "，",
        "and": "；",
        "needs": "（須{0}）",
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
        True: "true",
        False: "false",
        None: "cannot be judged",
        "comma": ": ",
        "and": "; ",
        "needs": " (must {0})",
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
    verdict = f"{words['comma']}{words[result]}"
    if leaf.op in ("exists", "missing"):
        return words["missing" if is_missing(actual) else "present"].format(name) + verdict
    if is_missing(actual) and leaf.type != "list":
        return words["missing"].format(name) + verdict
    typed = coerce(leaf.type, actual)
    if typed is None:
        return words["mistyped"].format(name, shown(actual)) + verdict
    wanted = show_threshold(leaf, ruleset.labels, ruleset.params, lang)
    if isinstance(leaf.value, FactRef):
        if is_missing(expected):
            return words["missing"].format(wanted) + verdict
        value = coerce(leaf.type, expected)
        wanted += " " + show_value(
            expected if value is None else value, fact=leaf.fact, labels=ruleset.labels, lang=lang
        )
    read = _reading(leaf, typed, ruleset, lang)
    if leaf.op in SYMBOLS and leaf.type in ("number", "date"):
        return f"{read} {symbol(leaf.op, lang)} {wanted}{verdict}"
    op = f"not {leaf.op}" if literal.negated else leaf.op
    # an equality that holds says all by the value itself
    needs = "" if result is True and op == "eq" else words["needs"].format(words[op].format(wanted))
    return f"{read}{needs}{verdict}"


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
    if fact.below_zero and isinstance(value, (int, Decimal)) and value < 0:
        late = show_value(-value, fact=leaf.fact, labels=ruleset.labels, lang=lang)
        read += fact.below_zero.in_(lang).format(value=late)
    return read
