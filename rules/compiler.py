"""A ruleset as durable-rules must be given it: short names, integers, no negation, no choice inside a rule.

The engine compares strings with numbers, collides names by their 32-bit hash, fires a choice once per branch,
and stops or crashes beyond its fixed table sizes; tests/unit/rules/test_engine_traps.py has each of its traps.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from rules.conditions import COMPLEMENT, FactRef, Leaf, coerce, compare, threshold
from rules.model import Ruleset
from rules.normal import Literal, alternatives
from rules.numbers import encode, encode_date

MAX_RULES_PER_HANDLE = 48
#: a fact of the engine holds 255 properties; above that it is refused
MAX_NAMES_PER_HANDLE = 200

#: present in every fact and asked for by every rule, so that none matches the engine's hidden state
GUARD = "t"
WARM_UP = "zz"
#: what the engine itself calls something
_RESERVED = (GUARD, "id", "sid", "$s")

_OPERATORS: Mapping[str, str | None] = {
    "eq": None,
    "ne": "$neq",
    "gt": "$gt",
    "ge": "$gte",
    "lt": "$lt",
    "le": "$lte",
}

Encoder = Callable[[Mapping[str, object]], int | None]


def fnv_hash(name: str) -> int:
    """The engine's hash of a property name (32-bit FNV-1a)."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def check_names(names: Iterable[str]) -> None:
    """The engine cannot tell apart two names with one hash."""
    seen: dict[int, str] = {}
    for name in names:
        other = seen.setdefault(fnv_hash(name), name)
        if other != name:
            raise ValueError(f"the engine would take {name!r} for {other!r}")


@dataclass
class Plan:
    """What one engine handle is made of: at most 48 rules over at most 200 names."""

    rules: dict[str, object] = field(default_factory=dict)
    #: which rule of the ruleset an engine rule stands for
    rule_of: dict[str, int] = field(default_factory=dict)
    encoders: dict[str, Encoder] = field(default_factory=dict)

    @property
    def definition(self) -> str:
        warm_up = {"all": [{"m": {"$and": [{GUARD: 0}]}}]}
        return json.dumps(self.rules | {WARM_UP: warm_up})

    def encode(self, facts: Mapping[str, object]) -> str:
        """The facts as one JSON object of integers; unknown ones are left out, so nothing matches them."""
        parts = [f'{{"id":"1","{GUARD}":1']
        for name, encoder in self.encoders.items():
            value = encoder(facts)
            if value is not None:
                parts.append(f',"{name}":{value}')
        return "".join(parts) + "}"


def plans(ruleset: Ruleset) -> tuple[Plan, ...]:
    """Every alternative of every rule, spread over as few handles as their limits allow."""
    names = _Names(ruleset.params)
    result: list[Plan] = []
    for index, rule in enumerate(ruleset.rules):
        conjunctions = alternatives(rule.when) if rule.when else ((),)
        for number, literals in enumerate(conjunctions):
            tests = [names.test(literal) for literal in literals]
            needed = {name for name, _ in tests}
            plan = result[-1] if result else None
            if (
                plan is None
                or len(plan.rules) == MAX_RULES_PER_HANDLE
                or len(plan.encoders.keys() | needed) > MAX_NAMES_PER_HANDLE
            ):
                plan = Plan()
                result.append(plan)
            name = f"r{index}_{number}"
            conditions = list({json.dumps(test): test for _, test in tests}.values())
            plan.rules[name] = {"all": [{"m": {"$and": [{GUARD: 1}, *conditions]}}]}
            plan.rule_of[name] = index
            plan.encoders.update({needed_name: names.encoders[needed_name] for needed_name in needed})
    check_names((*_RESERVED, *names.encoders))
    return tuple(result)


class _Names:
    """Gives each fact and each comparison that the engine must not make itself a short name."""

    def __init__(self, params: Mapping[str, object]) -> None:
        self.params = params
        self.encoders: dict[str, Encoder] = {}
        self.names: dict[tuple[str, object], str] = {}
        self.words: dict[str, int] = {}

    def test(self, literal: Literal) -> tuple[str, dict[str, object]]:
        """The engine's condition for a literal, and the name that it asks for."""
        leaf = literal.leaf
        if leaf.op in _OPERATORS and not isinstance(leaf.value, FactRef) and leaf.type != "list":
            name = self.name(leaf.type, leaf.fact, self.value_encoder(leaf))
            return name, _test(name, leaf.op, self.constant(leaf))
        asserted = not literal.negated
        if leaf.op == "missing":
            leaf, asserted = Leaf(leaf.fact, COMPLEMENT["missing"], None, leaf.type), False
        name = self.name("result", leaf, self.result_encoder(leaf))
        return name, _test(name, "eq", int(asserted))

    def name(self, kind: str, of: object, encoder: Encoder) -> str:
        name = self.names.setdefault((kind, of), f"{kind[0]}{len(self.names)}")
        self.encoders.setdefault(name, encoder)
        return name

    def constant(self, leaf: Leaf) -> int:
        value = coerce(leaf.type, threshold(leaf, {}, self.params))
        if isinstance(value, str):
            return self.words.setdefault(value, len(self.words) + 1)
        number = _integer(leaf, value)
        if number is None:
            raise ValueError(f"no constant: {leaf}")
        return number

    def value_encoder(self, leaf: Leaf) -> Encoder:
        fact, words = leaf.fact, self.words
        if leaf.type == "text":

            def word(facts: Mapping[str, object]) -> int | None:
                value = facts.get(fact)
                return words.get(value, 0) if isinstance(value, str) and value else None

            return word

        def number(facts: Mapping[str, object]) -> int | None:
            value = facts.get(fact)
            return None if value is None else _integer(leaf, coerce(leaf.type, value))

        return number

    def result_encoder(self, leaf: Leaf) -> Encoder:
        params = self.params

        def result(facts: Mapping[str, object]) -> int | None:
            answer = compare(leaf.type, leaf.op, facts.get(leaf.fact), threshold(leaf, facts, params))
            return None if answer is None else int(answer)

        return result


def _integer(leaf: Leaf, value: object) -> int | None:
    if value is None:
        return None
    if leaf.type == "number":
        return encode(value)  # type: ignore[arg-type]  # coerce made it a number
    if leaf.type == "date":
        return encode_date(value)  # type: ignore[arg-type]  # coerce made it a date
    return int(value is True)


def _test(name: str, op: str, constant: int) -> dict[str, object]:
    operator = _OPERATORS[op]
    return {operator: {name: constant}} if operator else {name: constant}
