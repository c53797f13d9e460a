"""A ruleset as durable-rules must be given it: short names, integers, no negation, no choice inside a rule.

The engine compares strings with numbers, collides names by their 32-bit hash, fires a choice once per branch,
and stops or crashes beyond its fixed table sizes; tests/unit/rules/test_engine_traps.py has each of its traps.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from rules.conditions import COMPLEMENT, FactRef, Leaf, coerce, compare, threshold
from rules.model import Ruleset
from rules.normal import Literal, alternatives
from rules.numbers import encode

MAX_RULES_PER_HANDLE = 48
#: a fact of the engine holds 255 properties; above that it is refused
MAX_NAMES_PER_HANDLE = 200

#: present in every fact and asked for by every rule, so that none matches the engine's hidden state
GUARD = "t"
WARM_UP = "zz"
#: what the engine itself calls something
_RESERVED = (GUARD, "id", "sid", "$s")

_START = f'{{"id":"1","{GUARD}":1'

_OPERATORS: Mapping[str, str | None] = {
    "eq": None,
    "ne": "$neq",
    "gt": "$gt",
    "ge": "$gte",
    "lt": "$lt",
    "le": "$lte",
}

#: a value of a fact as an integer, or None when it is not of the fact's type
Code = Callable[[object], int | None]


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
    names: set[str] = field(default_factory=set)
    #: where every rule wants a certain value of one name: that value as it is said in a fact
    wanted: set[str] = field(default_factory=set)

    @property
    def definition(self) -> str:
        warm_up = {"all": [{"m": {"$and": [{GUARD: 0}]}}]}
        return json.dumps(self.rules | {WARM_UP: warm_up})

    def has_room_for(self, names: set[str]) -> bool:
        return len(self.rules) < MAX_RULES_PER_HANDLE and len(self.names | names) <= MAX_NAMES_PER_HANDLE


class _Conjunction:
    """One alternative of a rule: the comparisons that must all be true."""

    def __init__(self, name: str, index: int, tests: Sequence[tuple[str, dict[str, object]]]) -> None:
        self.name = name
        self.index = index
        self.names = {name for name, _ in tests}
        self.conditions = list({json.dumps(test): test for _, test in tests}.values())
        #: equalities: the name, and the value as it is said
        self.constants = {name: _property(name) + str(test[name]) for name, test in tests if name in test}
        self.wanted: str | None = None

    def choose(self, usual: Counter[str]) -> None:
        """Of several equalities the one whose fact most alternatives ask for."""
        if self.constants:
            self.wanted = self.constants[max(self.constants, key=lambda name: (usual[name], name))]


class Program:
    """A ruleset in the engine's words: the plans of its handles, and the way to say facts to them."""

    def __init__(self, ruleset: Ruleset, only: Iterable[int] | None = None) -> None:
        """Of the whole ruleset, or of one layer of its rules."""
        self.plans: list[Plan] = []
        self._params = ruleset.params
        self._names: dict[tuple[str, object], str] = {}
        #: facts that the engine compares with constants
        self._values: dict[str, tuple[str, str, Code]] = {}
        #: comparisons that it must not make itself, of which it is told the result
        self._results: dict[str, tuple[str, Leaf]] = {}
        self._words: dict[str, int] = {}
        self._pack(
            [
                _Conjunction(f"r{index}_{number}", index, [self._test(literal) for literal in literals])
                for index in (range(len(ruleset.rules)) if only is None else only)
                for when in [ruleset.rules[index].when]
                for number, literals in enumerate(alternatives(when) if when else ((),))
            ]
        )
        check_names((*_RESERVED, *self._names.values()))

    def facts(self, facts: Mapping[str, object]) -> list[str | None]:
        """For each plan one JSON object of integers; what is unknown is left out, so nothing matches it.

        None where no rule of the plan can match.
        """
        said: dict[str, str] = {}
        for name, (start, fact, code) in self._values.items():
            value = facts.get(fact)
            if value is not None and (number := code(value)) is not None:
                said[name] = start + str(number)
        for name, (start, leaf) in self._results.items():
            expected = threshold(leaf, facts, self._params)
            result = compare(leaf.type, leaf.op, facts.get(leaf.fact), expected)
            if result is not None:
                said[name] = start + str(int(result))
        if len(self.plans) == 1:
            return [_START + "".join(said.values()) + "}"]
        everything = set(said.values())
        return [
            None
            if plan.wanted and plan.wanted.isdisjoint(everything)
            else _START + "".join([said[n] for n in plan.names if n in said]) + "}"
            for plan in self.plans
        ]

    def _pack(self, conjunctions: "Sequence[_Conjunction]") -> None:
        """Alternatives into handles. Where they need several, those that want one value of a fact stand together."""
        if len(conjunctions) > MAX_RULES_PER_HANDLE:
            usual = Counter(name for each in conjunctions for name in each.constants)
            for each in conjunctions:
                each.choose(usual)
            conjunctions = sorted(conjunctions, key=lambda each: each.wanted or "")
        for each in conjunctions:
            plan = self.plans[-1] if self.plans else None
            # a plan is passed over only when all its rules want something
            if (
                plan is None
                or not plan.has_room_for(each.names)
                or bool(plan.wanted) is not bool(each.wanted)
            ):
                plan = Plan()
                self.plans.append(plan)
            plan.rules[each.name] = {"all": [{"m": {"$and": [{GUARD: 1}, *each.conditions]}}]}
            plan.rule_of[each.name] = each.index
            plan.names |= each.names
            plan.wanted |= {each.wanted} if each.wanted else set()

    def _test(self, literal: Literal) -> tuple[str, dict[str, object]]:
        """The engine's condition for a literal, and the name that it asks for."""
        leaf = literal.leaf
        if leaf.op in _OPERATORS and leaf.type != "list" and not isinstance(leaf.value, FactRef):
            name = self._name(leaf.type, leaf.fact)
            code = self._word if leaf.type == "text" else _CODES[leaf.type]
            self._values[name] = (_property(name), leaf.fact, code)
            operator, constant = _OPERATORS[leaf.op], self._constant(leaf, code)
            return name, {operator: {name: constant}} if operator else {name: constant}
        asserted = not literal.negated
        if leaf.op == "missing":
            leaf, asserted = Leaf(leaf.fact, COMPLEMENT["missing"], None, leaf.type), False
        name = self._name("result", leaf)
        self._results[name] = (_property(name), leaf)
        return name, {name: int(asserted)}

    def _name(self, kind: str, of: object) -> str:
        return self._names.setdefault((kind, of), f"{kind[0]}{len(self._names)}")

    def _constant(self, leaf: Leaf, code: Code) -> int:
        value = threshold(leaf, {}, self._params)
        if leaf.type == "text" and isinstance(value, str):
            return self._words.setdefault(value, len(self._words) + 1)
        constant = code(value)
        if constant is None:
            raise ValueError(f"no constant: {leaf}")
        return constant

    def _word(self, value: object) -> int | None:
        """Texts are numbered; all that no rule names are number 0."""
        return self._words.get(value, 0) if isinstance(value, str) and value else None


def _property(name: str) -> str:
    return f',"{name}":'


def _number(value: object) -> int | None:
    if type(value) is int:  # as most facts are
        return encode(value)
    number = coerce("number", value)
    return encode(number) if isinstance(number, (int, Decimal)) else None


def _boolean(value: object) -> int | None:
    return int(value) if isinstance(value, bool) else None


def _date(value: object) -> int | None:
    day = coerce("date", value)
    return day.toordinal() if isinstance(day, date) else None


_CODES: Mapping[str, Code] = {"number": _number, "boolean": _boolean, "date": _date}
