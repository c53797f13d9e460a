"""The engine among threads and forks, and what happens when it fails."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from rules import engine
from tests.unit.rules.test_engine_traps import alone, number, ruleset

ONE_RULE = ruleset([number("gt", 5), number("le", 5)], {"a": "number"})


def test_threads_share_one_compiled_ruleset() -> None:
    def decide(n: int) -> bool:
        expected = ("rule_0",) if n % 11 > 5 else ("rule_1",)
        return compiled.evaluate({"a": n % 11}).fired == expected

    with closing(engine.compile(ONE_RULE)) as compiled, ThreadPoolExecutor(8) as threads:
        assert all(threads.map(decide, range(4000)))
        assert compiled.evaluate({"a": 6}).engine == "durable"


def test_closing_while_others_decide() -> None:
    def decide(n: int) -> bool:
        return compiled.evaluate({"a": 6}).fired == ("rule_0",)

    with ThreadPoolExecutor(8) as threads:
        for _ in range(20):
            compiled = engine.compile(ONE_RULE)
            results = threads.map(decide, range(50))
            compiled.close()
            assert all(results)


def test_forked_children_decide_with_engines_of_their_own() -> None:
    """As under gunicorn with preload: the parent has decided, and another thread is deciding, when it forks."""
    out = alone(
        "import os, threading, warnings\n"
        "warnings.simplefilter('ignore', DeprecationWarning)  # newer Pythons warn of any fork with threads\n"
        "compiled = engine.compile(ruleset([number('gt', 5)], {'a': 'number'}))\n"
        "def right():\n"
        "    decisions = [compiled.evaluate({'a': n}, shadow=True) for n in range(12)]\n"
        "    return [bool(d.fired) for d in decisions] == [n > 5 for n in range(12)] and all(\n"
        "        d.engine == 'durable' for d in decisions)\n"
        "assert right()\n"
        "stop = threading.Event()\n"
        "def busy():\n"
        "    while not stop.is_set():\n"
        "        compiled.evaluate({'a': 7})\n"
        "threads = [threading.Thread(target=busy) for _ in range(3)]\n"
        "[thread.start() for thread in threads]\n"
        "children = []\n"
        "for held in (False, True) * 5:\n"
        "    if held:\n"
        "        compiled._lock.acquire()\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        os._exit(0 if right() and right() else 1)\n"
        "    if held:\n"
        "        compiled._lock.release()\n"
        "    children.append(child)\n"
        "codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]\n"
        "stop.set()\n"
        "[thread.join() for thread in threads]\n"
        "assert right()\n"
        "compiled.close()\n"
        "print(codes)"
    )
    assert out.strip() == str([0] * 10)


@pytest.mark.parametrize(
    "fault", [engine.EngineFault("code 7"), KeyError("zz"), MemoryError(), engine.native.error("1")]
)
def test_a_fault_gives_the_engine_up(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(handle: object, fact: str) -> list[int]:
        raise fault

    with closing(engine.compile(ONE_RULE)) as compiled:
        assert compiled.evaluate({"a": 6}).engine == "durable"
        monkeypatch.setattr(engine._Handle, "match", fail)
        decision = compiled.evaluate({"a": 6})
        monkeypatch.undo()
        assert (decision.fired, decision.engine) == (("rule_0",), "reference")
        assert compiled.evaluate({"a": 6}).engine == "reference"
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


def test_a_handle_that_was_interrupted_is_noticed() -> None:
    with closing(engine.compile(ONE_RULE)) as compiled:
        compiled.evaluate({"a": 6})
        assert compiled._handles is not None
        (handle,), (fact,) = compiled._handles, compiled._programs[0].facts({"a": 1})
        engine.native.assert_fact(handle._native, fact)
        decision = compiled.evaluate({"a": 6})
        assert (decision.fired, decision.engine) == (("rule_0",), "reference")


def test_a_difference_is_an_alarm_and_the_reference_stands(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine._Handle, "match", lambda handle, fact: [1])
    with closing(engine.compile(ONE_RULE)) as compiled:
        decision = compiled.evaluate({"a": 6}, shadow=True)
        assert (decision.fired, decision.engine) == (("rule_0",), "reference")
        assert compiled.evaluate({"a": 7}).engine == "reference"
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    assert "it matched rule_1, not rule_0" in caplog.text


def test_one_decision_in_so_many_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def matching(rules: object, facts: object) -> list[int]:
        compared.append(facts)
        return [0]

    monkeypatch.setattr(engine, "matching", matching)
    with closing(engine.compile(ONE_RULE, shadow_every=4)) as compiled:
        for n in range(10):
            compiled.evaluate({"a": 6 + n})
        assert compared == [{"a": 6}, {"a": 10}, {"a": 14}]
        compiled.evaluate({"a": 99}, shadow=True)
        compiled.evaluate({"a": 99}, shadow=False)
    assert compared[3:] == [{"a": 99}]
