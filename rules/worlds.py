"""Rulesets and facts at random, valid by construction, full of the values that once broke the engine."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from rules.conditions import OPS, FactType, parse
from rules.facts import Fact
from rules.loader import load
from rules.model import Ruleset
from rules.normal import TooComplex, alternatives
from rules.values import Text

TYPES: dict[str, FactType] = {
    "x.count": "number",
    "x.share": "number",
    "x.name": "text",
    "x.town": "text",
    "x.done": "boolean",
    "x.on": "date",
    "x.until": "date",
    "x.kinds": "list",
    "id": "text",  # reserved words of the engine
    "sid": "number",
    "costarring": "number",  # one hash for the engine with the next
    "liquid": "number",
}
CATALOGUE = {name: Fact(name, type_, Text(zh=name)) for name, type_ in TYPES.items()}

Types = Mapping[str, FactType]

MOST_RULES = 8

#: facts that rules derive, and all that rules give
DERIVED: dict[str, dict[str, Any]] = {
    "points": {"type": "number", "label": "點數"},
    "tier": {"type": "text", "label": "級別", "options": {"a": "甲", "b": "乙", "ab": "丙"}},
    "flag": {"type": "boolean", "label": "註記"},
}
VALUES: dict[str, list[Any]] = {
    "points": [2, 1, -1, Decimal("6.5"), Decimal("6.4999")],
    "tier": ["a", "b", "ab"],
    "flag": [True, False],
    "level": ["low", "medium", "high"],
}
HITS = ["rule_order", "unique", "first", "priority", "output_order", "collect"]

NUMBERS = [
    0,
    1,
    2,
    -1,
    3,
    6.5,
    Decimal("6.4999"),
    Decimal("6.500001"),
    Decimal("-0.000001"),
    10**12,
    -(10**12),
]
ODD_NUMBERS = [
    *(1e-5, 1e16, 1e300, -1e300, float("inf"), float("nan"), Decimal("NaN"), Decimal("6.4999999999"), 10**40),
    *(
        Decimal("1E-400"),
        Decimal("-1E-400"),
        Decimal("1E+400"),
        Decimal("6.5000004999999999999999999999999999999"),
    ),
]
WORDS = ["a", "b", "ab", "金城", "50", "1", "true", '"}', "\\", "\x00", "𠮷", "x" * 500]
DAYS = [date(2026, 2, 28) + timedelta(days=n) for n in range(5)] + [date.max, date.min]
OTHER: list[Any] = [None, "", [], True, False, 0, "2026-02-30", {"a": 1}, object()]


def world(seed: int, rules: int = MOST_RULES) -> Ruleset:
    """A ruleset in which every rule that matches comes out."""
    random = Random(seed)
    found = [_rule(random, n, TYPES, {"action": "set_risk", "level": "low"}) for n in range(rules)]
    return load(_definition(rules=found, hit_policy="rule_order"), catalogue=CATALOGUE, published=True)


def mixed(seed: int) -> Ruleset:
    """Rules and tables under any hit policy, some of which derive facts that others read."""
    random = Random(seed)
    policy = _policy(random, "points" if random.random() < 0.5 else "level")
    output = policy.get("output", {"action": "set_risk"})["action"]
    several = policy["hit_policy"] in ("rule_order", "output_order")
    types, rules, tables, derived = dict(TYPES), [], [], {}
    for name in random.sample(list(DERIVED), random.randint(0, len(DERIVED))):
        # where one rule counts, those beside the tables cannot read each other
        if several and random.random() < 0.5:
            rules += [
                _rule(random, f"{name}_{n}", types, _act(random, output), {"action": "derive", name: value})
                for n, value in enumerate(random.choices(VALUES[name], k=2))
            ]
        else:
            tables.append(_table(random, f"table_{name}", types, "derive", name))
        derived[name] = DERIVED[name]
        types[f"derived.{name}"] = DERIVED[name]["type"]
    rules += [_rule(random, f"late_{n}", types, _act(random, output)) for n in range(random.randint(1, 5))]
    rules += [
        _rule(random, f"reads_{name}", {f"derived.{name}": types[f"derived.{name}"]}, _act(random, output))
        for name in derived
    ]
    tables.append(
        _table(random, "acting", types, *random.choice([("set_risk", "level"), ("add_points", "points")]))
    )
    random.shuffle(rules)
    random.shuffle(tables)
    definition = _definition(rules=rules, tables=tables, derived=derived, **policy)
    # as published, so that gaps, overlaps and rows that never count are no mistake
    return load(definition, catalogue=CATALOGUE, published=True)


def _definition(**parts: Any) -> dict[str, Any]:
    return {"key": "world", "title": "隨機", "revision_date": "evaluation"} | parts


def _rule(random: Random, name: object, types: Types, *then: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": f"rule_{name}",
        "label": f"規則 {name}",
        "when": decidable(random, types),
        "then": list(then),
    }


def _act(random: Random, action: str) -> dict[str, Any]:
    param = "level" if action == "set_risk" else "points"
    return {"action": action, param: random.choice(VALUES[param])}


def _policy(random: Random, param: str) -> dict[str, Any]:
    """For rules that give this; what it goes by is said, as a ruleset must."""
    output = {"action": "set_risk" if param == "level" else "add_points", "param": param}
    hit = random.choice(HITS if param == "points" else HITS[:-1])
    if hit == "collect":
        return {
            "hit_policy": hit,
            "output": output,
            "aggregate": random.choice(["sum", "min", "max", "count"]),
        }
    if hit in ("priority", "output_order"):
        return {
            "hit_policy": hit,
            "output": output,
            "order": random.sample(VALUES[param], len(VALUES[param])),
        }
    return {"hit_policy": hit}


def _table(random: Random, key: str, types: Types, action: str, param: str) -> dict[str, Any]:
    columns = random.sample([name for name in types if types[name] != "list"], 2)
    policy = _policy(random, param if param in ("level", "points") else "level") | {"complete": False}
    policy.pop("output", None)  # the only column
    if "order" in policy:
        policy["order"] = random.sample(VALUES[param], len(VALUES[param]))
    rows = 2 if policy["hit_policy"] == "unique" else random.randint(1, 4)
    return {
        "key": key,
        "label": key,
        "inputs": [{"fact": name} for name in columns],
        "outputs": [{"action": action, "param": param}],
        "rows": [
            {
                "when": [_cell(random, types, name) for name in columns],
                "then": [random.choice(VALUES[param])],
            }
            for _ in range(rows)
        ],
    } | policy


def _cell(random: Random, types: Types, fact: str) -> Any:
    if random.random() < 0.3:
        return "-"
    return {name: value for name, value in leaf(random, types, fact).items() if name != "fact"}


def decidable(random: Random, types: Types = TYPES) -> dict[str, Any]:
    """A condition that is not refused for its size."""
    while True:
        data = condition(random, 3, types)
        read = parse(data, path="", facts=types, params={}, problems=[])
        assert read is not None
        try:
            alternatives(read)
        except TooComplex:
            continue
        return data


def condition(random: Random, depth: int, types: Types = TYPES) -> dict[str, Any]:
    kind = random.choice(["leaf", "leaf", "all", "any", "not"]) if depth else "leaf"
    if kind == "leaf":
        return leaf(random, types, random.choice(list(types)))
    if kind == "not":
        return {"not": condition(random, depth - 1, types)}
    return {kind: [condition(random, depth - 1, types) for _ in range(random.randint(1, 3))]}


def leaf(random: Random, types: Types, fact: str) -> dict[str, Any]:
    type_ = types[fact]
    op = random.choice(OPS[type_])
    if op in ("exists", "missing"):
        return {"fact": fact, "op": op}
    same_type = [name for name in types if types[name] == type_ and type_ != "list"]
    if op not in ("in", "contains") and random.random() < 0.2:
        return {"fact": fact, "op": op, "value": {"fact": random.choice(same_type)}}
    if op == "in":
        return {
            "fact": fact,
            "op": op,
            "value": [literal(random, type_) for _ in range(random.randint(1, 3))],
        }
    return {"fact": fact, "op": op, "value": literal(random, type_)}


def literal(random: Random, type_: FactType) -> Any:
    if type_ == "number":
        return random.choice(NUMBERS)
    if type_ == "boolean":
        return random.random() < 0.5
    if type_ == "date":
        return random.choice(DAYS)
    return random.choice(WORDS)


def facts(random: Random) -> dict[str, Any]:
    """Some facts missing, some of the wrong type, the others often just beside a threshold."""
    result: dict[str, Any] = {}
    for name, type_ in TYPES.items():
        chance = random.random()
        if chance < 0.15:
            continue
        if chance < 0.25:
            result[name] = random.choice([*OTHER, *WORDS, *NUMBERS, *DAYS])
        elif type_ == "number":
            result[name] = random.choice([*NUMBERS, *ODD_NUMBERS])
        elif type_ == "list":
            result[name] = random.sample(WORDS, random.randint(0, 4)) + random.choice([[], [1], [None]])
        else:
            result[name] = literal(random, type_)
            if type_ == "date" and random.random() < 0.5:
                result[name] = result[name].isoformat()
    return result
