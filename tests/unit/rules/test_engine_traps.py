"""The traps of durable-rules, each of which broke something once. What may crash runs in a process of its own."""

import json
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rules import engine
from rules.compiler import MAX_NAMES_PER_HANDLE, MAX_RULES_PER_HANDLE, Program, check_names, fnv_hash
from rules.conditions import FactType
from rules.facts import Fact
from rules.loader import load
from rules.model import Ruleset
from rules.values import DefinitionError, Text
from rules.worlds import facts, mixed

ROOT = Path(__file__).parents[3]


def ruleset(conditions: list[Any], types: dict[str, FactType]) -> Ruleset:
    """One rule a condition; the key is rule_<n>."""
    definition = {
        "key": "traps",
        "title": "陷阱",
        "revision_date": "evaluation",
        "hit_policy": "rule_order",
        "rules": [
            {
                "key": f"rule_{n}",
                "label": f"規則 {n}",
                "then": [{"action": "set_risk", "level": "low"}],
            }
            | ({} if when is None else {"when": when})
            for n, when in enumerate(conditions)
        ],
    }
    catalogue = {name: Fact(name, type_, Text(zh=name)) for name, type_ in types.items()}
    return load(definition, catalogue=catalogue, published=True)


def fired(conditions: list[Any], types: dict[str, FactType], *facts: dict[str, Any]) -> list[set[int]]:
    with closing(engine.compile(ruleset(conditions, types))) as compiled:
        decisions = [compiled.evaluate(each, shadow=True) for each in facts]
    assert {decision.engine for decision in decisions} == {"durable"}
    return [{int(key.removeprefix("rule_")) for key in decision.fired} for decision in decisions]


def alone(program: str) -> str:
    """Runs the program in a process of its own, which must end well and soon."""
    header = "from tests.unit.rules.test_engine_traps import *\n"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", header + program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def number(op: str, value: object, fact: str = "a") -> dict[str, object]:
    return {"fact": fact, "op": op, "value": value}


def test_comparing_two_facts_never_fires_when_one_is_missing() -> None:
    less, not_less = number("lt", {"fact": "b"}), {"not": number("lt", {"fact": "b"})}
    facts = [{"a": 1}, {"b": 1}, {}, {"a": 1, "b": 2}, {"a": 2, "b": 1}]
    found = fired([less, not_less], {"a": "number", "b": "number"}, *facts)
    assert found == [set(), set(), set(), {0}, {1}]


def test_only_a_number_is_compared_with_a_number() -> None:
    facts = [{"a": "50"}, {"a": True}, {"a": ""}, {"a": "x"}, {"a": [4]}, {"a": 50}]
    found = fired([number("gt", 3), number("ne", 1), number("le", 3)], {"a": "number"}, *facts)
    assert found == [set(), set(), set(), set(), set(), {0, 1}]


def test_numbers_that_the_engine_cannot_read() -> None:
    facts = [{"a": value} for value in (1e-5, 1e16, float("inf"), float("nan"), -1e-300, 1e300)]
    found = fired([number("gt", 0), number("lt", 0), number("gt", 10**12)], {"a": "number"}, *facts)
    assert found == [{0}, {0, 2}, set(), set(), {1}, {0, 2}]


def test_a_choice_fires_once() -> None:
    choice = {"any": [number("gt", 0), number("gt", 1), number("lt", 9)]}
    with closing(engine.compile(ruleset([choice], {"a": "number"}))) as compiled:
        decision = compiled.evaluate({"a": 5}, shadow=True)
    assert (decision.fired, len(decision.outcomes), decision.engine) == (("rule_0",), 1, "durable")


def test_more_than_64_alternatives_are_refused_with_the_path_of_the_rule() -> None:
    pairs = [{"any": [number("eq", n), number("eq", -n, "b")]} for n in range(7)]
    with pytest.raises(DefinitionError) as refused:
        ruleset([number("eq", 1), {"all": pairs}], {"a": "number", "b": "number"})
    assert [(p.path, p.message.zh) for p in refused.value.problems] == [
        ("rules[1].when", "條件展開後超過 64 種情況，請分成幾條規則")
    ]
    assert fired([{"all": pairs[:6]}], {"a": "number", "b": "number"}, {"a": 0}) == [set()]


def test_more_than_64_comparisons_at_once_are_refused() -> None:
    with pytest.raises(DefinitionError, match="同時比較超過 64 項"):
        ruleset([{"all": [number("ne", n) for n in range(65)]}], {"a": "number"})


def test_64_alternatives_that_all_match() -> None:
    choice = {"any": [number("lt", n) for n in range(1, 65)]}
    assert fired([choice, choice], {"a": "number"}, {"a": 0}, {"a": 63}, {"a": 64}) == [{0, 1}, {0, 1}, set()]


def test_two_hundred_matches_at_once() -> None:
    alone(
        "conditions = [number('lt', n) for n in range(1, 201)]\n"
        "assert fired(conditions, {'a': 'number'}, {'a': 0}, {'a': 150}) == [set(range(200)), set(range(150, 200))]"
    )


def test_six_hundred_different_conditions() -> None:
    alone(
        "types = {f'f{n}': 'number' for n in range(600)}\n"
        "conditions = [number('eq', n, f'f{n}') for n in range(600)]\n"
        "everything = {f'f{n}': n for n in range(600)}\n"
        "found = fired(conditions, types, everything, everything | {'f7': 0}, {'f599': 599})\n"
        "assert found == [set(range(600)), set(range(600)) - {7}, {599}]"
    )


def test_six_hundred_equal_conditions() -> None:
    alone(
        "same = [number('gt', 5)] * 600\n"
        "assert fired(same, {'a': 'number'}, {'a': 6}, {'a': 5}) == [set(range(600)), set()]"
    )


def test_a_handle_holds_few_rules_and_few_names() -> None:
    """A fact of the engine has at most 255 properties."""
    types: dict[str, FactType] = {f"f{n}": "number" for n in range(640)}
    wide = [{"all": [number("ne", 0, f"f{64 * row + n}") for n in range(64)]} for row in range(10)]
    narrow: list[Any] = [number("eq", 1, "f0")] * 100
    made = Program(ruleset(wide + narrow, types)).plans
    assert all(len(plan.rules) <= MAX_RULES_PER_HANDLE == 48 for plan in made)
    assert all(len(plan.names) <= MAX_NAMES_PER_HANDLE == 200 for plan in made)
    assert [bool(plan.wanted) for plan in made] == [False] * 4 + [True] * 3
    everything = dict.fromkeys(types, 1)
    assert fired(wide + narrow, types, everything) == [set(range(110))]


def test_facts_whose_names_have_one_hash() -> None:
    assert fnv_hash("costarring") == fnv_hash("liquid")
    types: dict[str, FactType] = {"costarring": "number", "liquid": "number"}
    conditions = [number("eq", 1, "costarring"), number("eq", 1, "liquid")]
    assert fired(conditions, types, {"costarring": 1}, {"liquid": 1, "costarring": 2}) == [{0}, {1}]


def test_names_with_one_hash_are_never_given_to_the_engine() -> None:
    check_names(["t", "id", "n0", "n1"])
    with pytest.raises(ValueError, match="'liquid' for 'costarring'"):
        check_names(["t", "costarring", "liquid"])


def test_facts_with_the_engines_own_names() -> None:
    types: dict[str, FactType] = {"id": "number", "sid": "text", "t": "number", "$s": "number"}
    conditions = [
        number("eq", 1, "id"),
        {"fact": "sid", "op": "eq", "value": "0"},
        number("eq", 0, "t"),
        number("eq", 1, "$s"),
    ]
    assert fired(conditions, types, {"id": 1}, {"sid": "0"}, {"t": 0}, {"$s": 1}, {}) == [
        {0},
        {1},
        {2},
        {3},
        set(),
    ]


def test_a_rule_about_nothing_matches_the_fact_and_no_hidden_one() -> None:
    conditions = [
        None,
        {"fact": "a", "op": "missing"},
        {"not": {"fact": "a", "op": "exists"}},
        number("ne", 1),
    ]
    assert fired(conditions, {"a": "number"}, {}, {}, {"a": 2}) == [{0, 1, 2}, {0, 1, 2}, {0, 3}]


def test_equal_facts_one_after_the_other_decide_alike() -> None:
    facts = [{"a": 7}] * 50 + [{"a": 1}] * 50
    assert fired([number("eq", 7)], {"a": "number"}, *facts) == [{0}] * 50 + [set()] * 50


def test_texts_never_reach_the_engine() -> None:
    words = ['"', '"}', "\\", "\x00", "{", "金門", "𠮷", "'", ""]
    conditions = [{"fact": "a", "op": "eq", "value": word} for word in words[:-1]]
    found = fired(conditions, {"a": "text"}, *({"a": word} for word in words))
    assert found == [*({n} for n in range(len(words) - 1)), set()]


def test_no_thread_is_started_and_the_host_is_not_loaded() -> None:
    alone(
        "import threading\n"
        "assert fired([number('gt', 1)], {'a': 'number'}, {'a': 2}) == [{0}]\n"
        "assert threading.active_count() == 1\n"
        "assert not [name for name in sys.modules if name.startswith('durable.')]"
    )


def test_closing_before_and_after_a_decision() -> None:
    alone(
        "for decisions in (0, 1, 2):\n"
        "    compiled = engine.compile(ruleset([number('gt', 1)], {'a': 'number'}))\n"
        "    for _ in range(decisions):\n"
        "        compiled.evaluate({'a': 2})\n"
        "    compiled.close()\n"
        "    compiled.close()\n"
        "    decision = compiled.evaluate({'a': 2})\n"
        "    assert (decision.fired, decision.engine) == (('rule_0',), 'reference')"
    )


def test_what_is_not_closed_is_collected() -> None:
    """Sixty rulesets of four handles each, used and dropped: without release they hold over 100 MB."""
    alone(
        "import psutil\n"
        "rules = ruleset([number('lt', n) for n in range(1, 161)], {'a': 'number'})\n"
        "def use(times):\n"
        "    for _ in range(times):\n"
        "        assert len(engine.compile(rules).evaluate({'a': 100}).fired) == 60\n"
        "    return psutil.Process().memory_info().rss\n"
        "before = use(20)\n"
        "grown = use(60) - before\n"
        "assert grown < 8_000_000, grown"
    )


@pytest.mark.parametrize("seed", range(40))
def test_the_engine_is_given_integers_short_names_and_no_arithmetic(seed: int) -> None:
    """Whatever a ruleset asks: no field beside a field, no choice, no word, and a guard in every rule."""
    random, made = Random(seed), mixed(seed)
    for program in [Program(made, layer) for layer in made.layers] or [Program(made)]:
        for plan in program.plans:
            rules = json.loads(plan.definition)
            assert rules.pop("zz") == {"all": [{"m": {"$and": [{"t": 0}]}}]}
            for rule in rules.values():
                ((only,),) = rule.values()
                guard, *tests = only["m"]["$and"]
                assert guard == {"t": 1}
                for test in tests:
                    ((operator, operand),) = test.items()
                    if operator in ("$neq", "$gt", "$gte", "$lt", "$lte"):
                        ((operator, operand),) = operand.items()
                    assert re.fullmatch("[nbdtr][0-9]+", operator), test
                    assert type(operand) is int, test
        for text in filter(None, program.facts(facts(random))):
            said = json.loads(text)
            assert said.pop("id") == "1"
            assert {type(value) for value in said.values()} == {int}


# --- the library by itself, in a process of its own: what we keep from it ----------------------------------

LIBRARY = r"""
import json, durable_rules_engine as native

def made(rules):
    handle = native.create_ruleset("r", json.dumps(rules | {"zz": rule({"t": 0})}))
    state = native.assert_event(handle, '{"id":"w","t":0}')[1]
    native.start_action_for_state(handle, state)
    native.complete_and_start_action(handle, state)
    return handle

def rule(*tests):
    return {"all": [{"m": {"$and": [*tests]}}]}

def matched(handle, fact):
    try:
        code, state = native.assert_fact(handle, fact)
    except native.error as error:
        return str(error).rpartition(" ")[2]
    found, started = [], native.start_action_for_state(handle, state) if code == 0 else None
    message = started and started[1]
    while message is not None:
        found.append(message[2 : message.index('"', 2)])
        message = native.complete_and_start_action(handle, state)
    if found:
        native.retract_fact(handle, fact)
    return found

def fact(**values):
    return json.dumps({"id": "1", "t": 1} | values)
"""


def library(program: str, seconds: float = 60) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", LIBRARY + program],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (
            "handle = made({'more': rule({'t': 1}, {'$gt': {'a': 3}}), 'one': rule({'t': 1}, {'a': 1})})\n"
            "print(matched(handle, fact(a='50')), matched(handle, fact(a=True)))",
            "['more'] ['one']",
        ),
        (
            "handle = made({'more': rule({'t': 1}, {'$gt': {'a': 0}})})\n"
            "print(matched(handle, fact(a=1e-5)), matched(handle, fact(a=1e16)), matched(handle, fact(a=1e999)))",
            "204 204 202",
        ),
        (
            "handle = made({'either': rule({'t': 1}, {'$or': [{'$gt': {'a': 0}}, {'$gt': {'a': 1}}]})})\n"
            "print(matched(handle, fact(a=5)))",
            "['either', 'either']",
        ),
        (
            "handle = made({f'r{n}': rule({'t': 1}, {'$gt': {'a': n}}) for n in range(70)})\n"
            "print(matched(handle, fact(a=99)))",
            "303",
        ),
        (
            "handle = made({'b': rule({'t': 1}, {'liquid': 1})})\nprint(matched(handle, fact(costarring=1)))",
            "['b']",
        ),
        (
            "handle = made({'same': rule({'t': 1}, {'$gt': {'a': 0}})})\n"
            "print([native.assert_fact(handle, fact(a=5))[0] for _ in range(2)])",
            "[0, 2]",
        ),
    ],
    ids=["types", "numbers", "choice", "many", "names", "equal"],
)
def test_the_library_by_itself_errs(program: str, says: str) -> None:
    """When one of these fails, a newer library has mended it, and a detour of ours may go."""
    done = library(program)
    assert (done.stdout.strip(), done.returncode) == (says, 0), done.stderr


def test_the_library_by_itself_dies_of_a_division_by_zero() -> None:
    done = library(
        "handle = made({'r': rule({'t': 1}, {'$gt': {'a': {'$div': {'$l': {'$m': 'b'}, '$r': {'$m': 'c'}}}}})})\n"
        "print('made', flush=True)\n"
        "matched(handle, fact(a=1, b=1, c=0))"
    )
    assert done.stdout == "made\n" and done.returncode < 0


@pytest.mark.full
def test_the_library_by_itself_never_ends_with_513_conditions() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        library("made({f'r{n}': rule({'t': 1}, {f'f{n}': n}) for n in range(513)})", seconds=10)
