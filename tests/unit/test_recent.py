"""What is made from something else is kept while it is used, and no longer."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

from rules import engine
from tests.unit.rules.test_engine_life import ONE_RULE
from webapp.queries.recent import Recent


def test_the_ones_used_last_are_kept() -> None:
    made: list[str] = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    def get(key: str) -> str:
        return str(recent.get(key, lambda: make(key)))

    recent = Recent(2)
    assert [get(key) for key in "abacab"] == list("ABACAB")
    assert made == list("abcb")
    assert len(recent) == 2


def test_nothing_is_a_value_too() -> None:
    made: list[int] = []

    def make() -> None:
        made.append(1)

    recent = Recent(1)
    assert [recent.get("a", make) for _ in range(2)] == [None, None]
    assert made == [1]


def test_a_ruleset_that_is_let_go_decides_on_for_those_who_have_it_and_then_frees_its_memory() -> None:
    recent = Recent(1)
    held = recent.get("old", lambda: engine.compile(ONE_RULE))
    assert held.evaluate({"a": 6}).engine == "durable"
    recent.get("new", lambda: engine.compile(ONE_RULE))
    again = held.evaluate({"a": 6}, shadow=True)
    assert (again.fired, again.engine) == (("rule_0",), "durable")
    handles, gone = held._handles, weakref.ref(held)
    assert len(handles) == 1
    del held, again
    gc.collect()
    assert (gone(), handles) == (None, [])


def test_threads_that_push_each_other_out_all_decide_by_the_engine() -> None:
    recent = Recent(2)

    def decide(n: int) -> bool:
        decision = recent.get(n % 5, lambda: engine.compile(ONE_RULE)).evaluate({"a": n % 11}, shadow=True)
        return decision.engine == "durable" and decision.fired == (("rule_0",) if n % 11 > 5 else ("rule_1",))

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(decide, range(800)))
    assert len(recent) == 2
