"""Rulesets and facts at random, valid by construction, full of the values that once broke the engine."""

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

MOST_RULES = 8

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
    definition = {
        "key": "world",
        "title": "隨機",
        "revision_date": "evaluation",
        "hit_policy": "rule_order",
        "rules": [
            {
                "key": f"rule_{n}",
                "label": f"規則 {n}",
                "when": decidable(random),
                "then": [{"action": "set_risk", "level": "low"}],
            }
            for n in range(rules)
        ],
    }
    return load(definition, catalogue=CATALOGUE)


def decidable(random: Random) -> dict[str, Any]:
    """A condition that is not refused for its size."""
    while True:
        data = condition(random, 3)
        read = parse(data, path="", facts=TYPES, params={}, problems=[])
        assert read is not None
        try:
            alternatives(read)
        except TooComplex:
            continue
        return data


def condition(random: Random, depth: int) -> dict[str, Any]:
    kind = random.choice(["leaf", "leaf", "all", "any", "not"]) if depth else "leaf"
    if kind == "leaf":
        return leaf(random)
    if kind == "not":
        return {"not": condition(random, depth - 1)}
    return {kind: [condition(random, depth - 1) for _ in range(random.randint(1, 3))]}


def leaf(random: Random) -> dict[str, Any]:
    fact = random.choice(list(TYPES))
    type_ = TYPES[fact]
    op = random.choice(OPS[type_])
    if op in ("exists", "missing"):
        return {"fact": fact, "op": op}
    same_type = [name for name in TYPES if TYPES[name] == type_ and type_ != "list"]
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
