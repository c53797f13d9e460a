"""The only place that knows durable-rules. It matches; everything else stands beside it.

The engine is used as a stateless matcher of one flat fact, through its C handle and under a lock: assert,
collect the names of the rules that match, retract. After any fault or difference from the reference
evaluator the handles are given up and the reference answers, which defines the semantics.
"""

import itertools
import logging
import os
import threading
import weakref
from collections.abc import Mapping

import durable_rules_engine as native

from rules import chaining, compiler
from rules.chaining import matching
from rules.compiler import Plan, Program
from rules.decision import Decision, decide
from rules.model import Ruleset

_log = logging.getLogger(__name__)

SHADOW_EVERY = 100

_HANDLED, _NOT_HANDLED = 0, 1


class EngineFault(RuntimeError):
    """The engine did not do what it was asked; its handle can no longer be trusted."""


class _Closed(Exception):
    """The native memory was given up, now or before."""


class Compiled:
    """A ruleset ready to decide. Safe for threads and forks; holds native memory until closed or collected."""

    def __init__(self, ruleset: Ruleset, *, shadow_every: int = SHADOW_EVERY) -> None:
        self.ruleset = ruleset
        #: one a layer; the handles of all stand in one list
        self._programs = [Program(ruleset, layer) for layer in ruleset.layers] or [Program(ruleset)]
        ends = list(itertools.accumulate(len(program.plans) for program in self._programs))
        self._places = [slice(*place) for place in itertools.pairwise([0, *ends])]
        self._shadow_every = shadow_every
        self._decisions = itertools.count()
        self._trusted = True
        self._handles: list[_Handle] | None = None
        self._lock = threading.Lock()
        self._release: weakref.finalize[..., Compiled] | None = None
        _compiled.add(self)

    def evaluate(self, facts: Mapping[str, object], *, shadow: bool | None = None) -> Decision:
        """What follows from the facts. `shadow` compares with the reference; by default once in a while."""
        known = {name: facts[name] for name in self.ruleset.used if name in facts}
        matched = self._match(known)
        if matched is None:
            return decide(self.ruleset, matching(self.ruleset, known), known, "reference")
        if shadow is None:
            shadow = next(self._decisions) % self._shadow_every == 0
        if shadow:
            reference = matching(self.ruleset, known)
            if matched != reference:
                self._distrust(f"it matched {self._names(matched)}, not {self._names(reference)}")
                return decide(self.ruleset, reference, known, "reference")
        return decide(self.ruleset, matched, known, "durable")

    def close(self) -> None:
        """Frees the native memory. A thread that still holds this decides on by the reference."""
        with self._lock:
            self._trusted = False
            self._drop()

    def _match(self, facts: Mapping[str, object]) -> list[int] | None:
        """The rules that match, or None where the engine is not to be used."""
        try:
            return (
                chaining.matched(self.ruleset, facts, self._ask)
                if self.ruleset.layers
                else self._ask(0, facts)
            )
        except _Closed:
            return None
        except (EngineFault, native.error, LookupError, ValueError, MemoryError) as fault:
            self._distrust(str(fault))
            return None

    def _ask(self, layer: int, facts: Mapping[str, object]) -> list[int]:
        texts = self._programs[layer].facts(facts)
        with self._lock:
            if not self._trusted:
                raise _Closed
            handles = self._handles if self._handles is not None else self._open()
            asked = [
                (handle, text)
                for handle, text in zip(handles[self._places[layer]], texts, strict=True)
                if text
            ]
            return sorted({i for handle, text in asked for i in handle.match(text)})

    def _open(self) -> "list[_Handle]":
        handles: list[_Handle] = []
        self._handles = handles
        self._release = weakref.finalize(self, _close, handles)
        self._release.atexit = False
        handles.extend(_Handle(plan) for program in self._programs for plan in program.plans)
        return handles

    def _drop(self) -> None:
        if self._release is not None:
            self._release()
        self._release, self._handles = None, None

    def _distrust(self, reason: str) -> None:
        _log.critical(
            "rules engine given up for ruleset %s: %s; the reference evaluator answers from now on",
            self.ruleset.key,
            reason,
        )
        self.close()

    def _forget(self) -> None:
        """In a forked child: the handles and a lock that may be held are the parent's."""
        if self._release is not None:
            self._release.detach()
        self._release, self._handles = None, None
        self._lock = threading.Lock()

    def _names(self, indexes: list[int]) -> str:
        return ", ".join(self.ruleset.rules[i].key for i in indexes) or "nothing"


class _Handle:
    """One native ruleset, warmed up: it may only be deleted after an action ran."""

    def __init__(self, plan: Plan) -> None:
        self._rule_of = plan.rule_of
        self._native = native.create_ruleset("r", plan.definition)
        code, state = native.assert_event(self._native, f'{{"id":"w","{compiler.GUARD}":0}}')
        started = code == _HANDLED and native.start_action_for_state(self._native, state)
        if not started or native.complete_and_start_action(self._native, state) is not None:
            raise EngineFault("the engine did not warm up")

    def match(self, fact: str) -> list[int]:
        code, state = native.assert_fact(self._native, fact)
        if code == _NOT_HANDLED:
            return []
        if code != _HANDLED:
            raise EngineFault(f"the engine answered {code} to a fact")
        started = native.start_action_for_state(self._native, state)
        if started is None:
            raise EngineFault("the engine took a fact and started no action")
        found: list[int] = []
        message: str | None = started[1]
        while message is not None:
            found.append(self._rule_of[message[2 : message.index('"', 2)]])
            if len(found) > compiler.MAX_RULES_PER_HANDLE:
                raise EngineFault("the engine fired more often than there are rules")
            message = native.complete_and_start_action(self._native, state)
        native.retract_fact(self._native, fact)
        return found

    def close(self) -> None:
        native.delete_state(self._native, "0")
        native.delete_ruleset(self._native)


def compile(ruleset: Ruleset, *, shadow_every: int = SHADOW_EVERY) -> Compiled:
    """The ruleset ready to decide; the native part is built at its first decision in each process."""
    return Compiled(ruleset, shadow_every=shadow_every)


def _close(handles: list[_Handle]) -> None:
    while handles:
        try:
            handles.pop().close()
        except native.error:
            _log.exception("a rules engine handle could not be closed")


_compiled: weakref.WeakSet[Compiled] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for compiled in list(_compiled):
        compiled._forget()


os.register_at_fork(after_in_child=_after_fork_in_child)
