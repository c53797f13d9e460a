from collections import Counter
from contextlib import closing
from random import Random
from typing import Any, get_args

import pytest

from rules import differential, engine
from rules.chaining import matching, states
from rules.compiler import Program
from rules.conditions import evaluate, facts_of, holds
from rules.decision import NotUnique, decide
from rules.differential import compare
from rules.loader import load
from rules.model import Aggregate, HitPolicy, Rule, Ruleset
from rules.policies import resolve
from rules.worlds import CATALOGUE, facts, mixed, world

RESULTS = {True: {"fired"}, False: {"not_met"}, None: {"unknown"}}


def differences(decisions: int, seed: int) -> list[str]:
    compared = list(compare(decisions, seed))
    assert sum(count for count, _ in compared) == decisions
    return [str(difference) for _, found in compared for difference in found]


def test_engine_and_reference_agree_in_fifty_thousand_decisions() -> None:
    assert differences(50_000, seed=0) == []


@pytest.mark.full
def test_engine_and_reference_agree_in_a_million_decisions() -> None:
    assert differences(1_000_000, seed=1000) == []


def test_a_difference_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differential, "matching", lambda ruleset, facts: [0, 1])
    found = differences(3, seed=6)
    assert found
    assert found[0].startswith("seed 6: the engine says ")
    assert ", not rule_0, rule_1, rule_0: set_risk " in found[0]


def test_the_rulesets_at_random_hold_all_that_a_ruleset_may_hold() -> None:
    hits, layers, outcomes, derived, refused = Counter[str](), 0, 0, 0, 0
    for seed in range(1, 120, 2):
        ruleset, random = mixed(seed), Random(seed)
        hits.update(policy.hit for policy in (ruleset.policy, *ruleset.table_policies.values()))
        hits.update(policy.aggregate or "" for policy in ruleset.table_policies.values())
        layers = max(layers, len(ruleset.layers))
        for _ in range(20):
            try:
                decision = decide(ruleset, matching(ruleset, given := facts(random)), given, "reference")
            except NotUnique:
                refused += 1
                continue
            assert by_asking(ruleset, given) == {name: each.value for name, each in decision.derived.items()}
            outcomes += len(decision.outcomes) > 0
            derived += len(decision.derived) > 0
            assert all(entry["sentence"]["zh"] for entry in decision.explanation)
    assert hits.keys() >= {*get_args(HitPolicy), *get_args(Aggregate)}
    assert layers == 4
    assert outcomes > 600 and derived > 300 and 0 < refused < 300, (outcomes, derived, refused)


def by_asking(ruleset: Ruleset, given: dict[str, Any]) -> dict[str, Any]:
    """The derived facts found the other way round: whoever reads one asks first who states it. No layers."""
    found: dict[str, Any] = {}

    def value(fact: str) -> Any:
        if fact not in found:
            groups = {
                rule.table if rule.table in ruleset.table_policies else None
                for rule in ruleset.rules
                if fact in states(rule)
            }
            # rules that count each for themselves, and only those, need not be decided together
            alone = ruleset.policy.hit in ("rule_order", "output_order")
            asked = [
                i
                for i, rule in enumerate(ruleset.rules)
                if (group := rule.table if rule.table in ruleset.table_policies else None) in groups
                and (fact in states(rule) if group is None and alone else True)
                and hold(rule)
            ]
            stating = [
                each
                for each in resolve(ruleset, asked).outcomes
                if each.action == "derive" and fact[8:] in each.params
            ]
            found[fact] = stating[0].params[fact[8:]] if stating else None
        return found[fact]

    def hold(rule: Rule) -> bool:
        if rule.when is None:
            return True
        needed = {name: value(name) for name in facts_of(rule.when) if name in ruleset.derived}
        return holds(rule.when, given | needed)

    return {fact: value(fact) for fact in ruleset.derived if value(fact) is not None}


@pytest.mark.parametrize("seed", range(20))
def test_explanations_tell_the_reference_result(seed: int) -> None:
    ruleset, random = world(seed), Random(seed)
    with closing(engine.compile(ruleset)) as compiled:
        for _ in range(20):
            given = facts(random)
            decision = compiled.evaluate(given, shadow=True)
            assert decision.engine == "durable"
            for rule, entry in zip(ruleset.rules, decision.explanation, strict=True):
                assert rule.when is not None
                result = evaluate(rule.when, given)
                assert entry["result"] is result
                assert entry["status"] in RESULTS[result]
                assert entry["sentence"]["zh"] and entry["sentence"]["en"]


def test_many_rules_spread_over_many_handles() -> None:
    ruleset, random = world(7, rules=300), Random(7)
    with closing(engine.compile(ruleset)) as compiled:
        for _ in range(30):
            assert compiled.evaluate(facts(random), shadow=True).engine == "durable"


def test_rules_that_want_one_value_stand_together_and_are_passed_over_for_others() -> None:
    """Equalities of every type decide which handles are asked; what they leave out the reference does not find."""
    random = Random(11)
    rules = [
        {
            "key": f"rule_{n}",
            "label": "x",
            "when": {"all": [leaf, {"fact": "x.share", "op": random.choice(["ge", "lt"]), "value": n % 7}]},
            "then": [{"action": "set_risk", "level": "low"}],
        }
        for n, leaf in enumerate(
            [{"fact": "x.name", "op": "eq", "value": word} for word in "abcdefgh" for _ in range(30)]
            + [{"fact": "x.count", "op": "eq", "value": count} for count in range(4) for _ in range(30)]
            + [{"fact": "x.done", "op": "eq", "value": done} for done in (True, False) for _ in range(30)]
            + [{"not": {"fact": "x.kinds", "op": "contains", "value": "a"}} for _ in range(30)]
            + [{"fact": "x.town", "op": "exists"} for _ in range(30)]
            + [{"fact": "x.share", "op": "le", "value": 3} for _ in range(30)]
        )
    ]
    definition = {
        "key": "w",
        "title": "w",
        "revision_date": "filing",
        "hit_policy": "rule_order",
        "rules": rules,
    }
    ruleset = load(definition, catalogue=CATALOGUE, published=True)
    asked = [text for text in Program(ruleset).facts({"x.name": "a", "x.share": 1}) if text]
    assert len(asked) < len(Program(ruleset).plans) / 2
    with closing(engine.compile(ruleset)) as compiled:
        fired = 0
        for _ in range(300):
            given = facts(random) | {
                "x.share": random.randrange(8),
                "x.name": random.choice([*"abhz", "", None, 1]),
            }
            decision = compiled.evaluate(given, shadow=True)
            assert decision.engine == "durable", given
            fired += len(decision.fired)
    assert fired > 3000
