from contextlib import closing
from random import Random

import pytest

from rules import engine
from rules.conditions import evaluate
from rules.explain import matching
from tests.unit.rules.worlds import facts, world

RESULTS = {True: {"fired"}, False: {"not_met"}, None: {"unknown"}}


def decide(first_seed: int, worlds: int, decisions: int) -> None:
    for seed in range(first_seed, first_seed + worlds):
        ruleset = world(seed)
        random = Random(seed)
        with closing(engine.compile(ruleset, shadow_every=10**9)) as compiled:
            for _ in range(decisions):
                given = facts(random)
                decision = compiled.evaluate(given, shadow=False)
                expected = tuple(ruleset.rules[i].key for i in matching(ruleset, given))
                assert decision.engine == "durable", seed
                assert decision.fired == expected, (seed, given)


def test_engine_and_reference_agree() -> None:
    decide(0, worlds=100, decisions=40)


@pytest.mark.full
def test_engine_and_reference_agree_in_a_million_decisions() -> None:
    decide(1000, worlds=4000, decisions=250)


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
