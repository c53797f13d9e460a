"""One set of rules said to this engine, to plain Python and to the peers of the dependency group `peers`.

Each contestant takes the rules, a conjunction of comparisons each, and gives a function from facts to the indexes of
the rules that match. Plain Python is a closure a comparison, for which a missing fact holds nothing, and `all` of them.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from rules import engine, loader

Comparison = tuple[str, Literal["ge", "le", "eq"], Any]
Rules = Sequence[Sequence[Comparison]]
Facts = Mapping[str, Any]
Match = Callable[[Facts], Sequence[int]]

NUMBERS = ("case.days_left", "case.fee", "case.days_used")
WORDS = ("service.code",)


def ours(rules: Rules) -> Match:
    """A whole decision, with outcomes, and one in a hundred compared with the reference, as in production."""
    definition = {
        "key": "bench",
        "title": "bench",
        "revision_date": "evaluation",
        "hit_policy": "rule_order",
        "rules": [
            {
                "key": f"r{n}",
                "label": f"r{n}",
                "when": {"all": [{"fact": fact, "op": op, "value": value} for fact, op, value in rule]},
                "then": [{"action": "add_points", "points": n}],
            }
            for n, rule in enumerate(rules)
        ],
    }
    compiled = engine.compile(loader.load(definition))
    return lambda facts: [outcome.params["points"] for outcome in compiled.evaluate(facts).outcomes]


_COMPARE = {"ge": operator.ge, "le": operator.le, "eq": operator.eq}


def closures(rules: Rules) -> Match:
    def comparison(fact: str, compare: Callable[[Any, Any], bool], value: Any) -> Callable[[Facts], bool]:
        return lambda facts: (actual := facts.get(fact)) is not None and compare(actual, value)

    made = [[comparison(fact, _COMPARE[op], value) for fact, op, value in rule] for rule in rules]
    return lambda facts: [n for n, rule in enumerate(made) if all(holds(facts) for holds in rule)]


def rule_engine(rules: Rules) -> Match:
    import rule_engine

    symbols = {"ge": ">=", "le": "<=", "eq": "=="}
    made = [
        rule_engine.Rule(" and ".join(f"{_flat(fact)} {symbols[op]} {json.dumps(v)}" for fact, op, v in rule))
        for rule in rules
    ]

    def match(facts: Facts) -> list[int]:
        thing = {_flat(name): value for name, value in facts.items()}
        return [n for n, rule in enumerate(made) if rule.matches(thing)]

    return match


def business_rules(rules: Rules) -> Match:
    from business_rules.actions import BaseActions, rule_action
    from business_rules.engine import run_all
    from business_rules.fields import FIELD_NUMERIC
    from business_rules.variables import BaseVariables, numeric_rule_variable, string_rule_variable

    operators = {"ge": "greater_than_or_equal_to", "le": "less_than_or_equal_to", "eq": "equal_to"}
    made = [
        {
            "conditions": {
                "all": [{"name": _flat(f), "operator": operators[op], "value": v} for f, op, v in rule]
            },
            "actions": [{"name": "take", "params": {"n": n}}],
        }
        for n, rule in enumerate(rules)
    ]

    class Variables(BaseVariables):
        def __init__(self, facts: Facts) -> None:
            self.facts = facts

    def variable(fact: str, kind: Callable[[Any], Any]) -> None:
        def read(self: Variables) -> Any:
            return self.facts[fact]

        read.__name__ = _flat(fact)
        setattr(Variables, _flat(fact), kind(read))

    for fact in NUMBERS:
        variable(fact, numeric_rule_variable())
    for fact in WORDS:
        variable(fact, string_rule_variable())

    class Actions(BaseActions):
        def __init__(self) -> None:
            self.taken: list[int] = []

        @rule_action(params={"n": FIELD_NUMERIC})
        def take(self, n: int) -> None:
            self.taken.append(n)

    def match(facts: Facts) -> list[int]:
        actions = Actions()
        run_all(made, Variables(facts), actions)
        return actions.taken

    return match


def json_logic(rules: Rules) -> Match:
    from json_logic import jsonLogic

    symbols = {"ge": ">=", "le": "<=", "eq": "=="}
    made = [{"and": [{symbols[op]: [{"var": _flat(f)}, v]} for f, op, v in rule]} for rule in rules]

    def match(facts: Facts) -> list[int]:
        data = {_flat(name): value for name, value in facts.items()}
        return [n for n, rule in enumerate(made) if jsonLogic(rule, data)]

    return match


def zen_engine(rules: Rules) -> Match:
    """As its decision table with the hit policy collect, in which all rules share their inputs."""
    import zen

    symbols = {"ge": ">= ", "le": "<= ", "eq": ""}
    facts_read = (*NUMBERS, *WORDS)
    rows = []
    for n, rule in enumerate(rules):
        cells = dict.fromkeys(facts_read, "")
        for fact, op, value in rule:
            cells[fact] = symbols[op] + json.dumps(value)
        rows.append({"_id": f"r{n}", "n": str(n)} | {_flat(fact): cell for fact, cell in cells.items()})
    table = {
        "hitPolicy": "collect",
        "inputs": [
            {"id": _flat(f), "name": _flat(f), "type": "expression", "field": _flat(f)} for f in facts_read
        ],
        "outputs": [{"id": "n", "name": "n", "type": "expression", "field": "n"}],
        "rules": rows,
    }
    nodes = [
        {"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}},
        {
            "id": "table",
            "name": "table",
            "type": "decisionTableNode",
            "content": table,
            "position": {"x": 1, "y": 0},
        },
        {"id": "out", "name": "out", "type": "outputNode", "position": {"x": 2, "y": 0}},
    ]
    edges = [
        {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    decision = zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))

    def match(facts: Facts) -> list[int]:
        answer = decision.evaluate({_flat(name): value for name, value in facts.items()})["result"]
        return [int(row["n"]) for row in answer]

    return match


#: by the name under which a peer is published
PEERS: Mapping[str, Callable[[Rules], Match]] = {
    "rule-engine": rule_engine,
    "business-rules": business_rules,
    "json-logic": json_logic,
    "zen-engine": zen_engine,
}


def _flat(fact: str) -> str:
    return fact.replace(".", "_")
