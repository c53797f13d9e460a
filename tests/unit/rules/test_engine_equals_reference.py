from contextlib import closing
from random import Random

import pytest

from rules import differential, engine
from rules.conditions import evaluate
from rules.differential import compare
from rules.worlds import facts, world

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
    found = differences(3, seed=7)
    assert found
    assert found[0].startswith("seed 7: the engine says ")
    assert ", not rule_0, rule_1: {" in found[0]


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
