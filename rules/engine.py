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
from rules.decision import Decision, Trouble, decide, undecided
from rules.model import Policy, Ruleset
from rules.policies import NotUnique
from rules.values import Text

_log = logging.getLogger(__name__)

SHADOW_EVERY = 100

_HANDLED, _NOT_HANDLED = 0, 1

_GIVEN_UP = Text(
    zh="規則引擎的結果不可信，改由參考結果判斷",
    en="the engine cannot be trusted; the reference evaluator decides",
)


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
        #: why it is not; it goes with every decision from then on, so that it is heard of
        self._trouble: Trouble | None = None
        self._handles: list[_Handle] | None = None
        self._lock = threading.Lock()
        self._release: weakref.finalize[..., Compiled] | None = None
        _compiled.add(self)

    def evaluate(self, facts: Mapping[str, object], *, shadow: bool | None = None) -> Decision:
        """What follows from the facts. `shadow` compares with the reference; by default once in a while."""
        known = self._known(facts)
        matched = self._match(known)
        if matched is None:
            return decide(self.ruleset, matching(self.ruleset, known), known, "reference", self._trouble)
        if shadow is None:
            shadow = next(self._decisions) % self._shadow_every == 0
        if shadow:
            reference = matching(self.ruleset, known)
            if matched != reference:
                self._distrust("difference", known, matched, reference)
                return decide(self.ruleset, reference, known, "reference", self._trouble)
        return decide(self.ruleset, matched, known, "durable")

    def answer(self, facts: Mapping[str, object]) -> Decision:
        """What follows, whatever is wrong with the ruleset: where nothing can be decided, nothing follows."""
        try:
            return self.evaluate(facts)
        except NotUnique as refused:
            known = self._known(facts)
            held = self._keys(matching(self.ruleset, known))
            trouble = Trouble("not_unique", refused.text, known, reference_said=held)
            return undecided(self.ruleset, known, trouble)
        except Exception as fault:  # noqa: BLE001  whatever it is, nobody who applies is to pay for it
            return _nothing(self.ruleset, self._known(facts), fault)

    def _known(self, facts: Mapping[str, object]) -> dict[str, object]:
        return {name: facts[name] for name in self.ruleset.used if name in facts}

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
            self._distrust(str(fault), facts)
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

    def _distrust(
        self,
        reason: str,
        facts: Mapping[str, object],
        matched: list[int] | None = None,
        reference: list[int] | None = None,
    ) -> None:
        said = None if matched is None else self._keys(matched)
        right = self._keys(matching(self.ruleset, facts) if reference is None else reference)
        self._trouble = Trouble("fault" if matched is None else "difference", _GIVEN_UP, facts, said, right)
        _log.critical(
            "rules engine given up for ruleset %s: %s, it matched %s, not %s; the reference answers from now on",
            self.ruleset.key,
            reason,
            "silent" if said is None else ", ".join(said) or "nothing",
            ", ".join(right) or "nothing",
        )
        self.close()

    def _forget(self) -> None:
        """In a forked child: the handles and a lock that may be held are the parent's."""
        if self._release is not None:
            self._release.detach()
        self._release, self._handles = None, None
        self._lock = threading.Lock()

    def _keys(self, indexes: list[int]) -> tuple[str, ...]:
        return tuple(self.ruleset.rules[i].key for i in indexes)


class Unreadable:
    """Stands for a ruleset that cannot be used at all: nothing follows from it."""

    def __init__(self, key: str, fault: Exception) -> None:
        self.ruleset = Ruleset(key, Text(zh=key), "evaluation", Policy("rule_order"), {}, ())
        self._fault = fault

    def answer(self, facts: Mapping[str, object]) -> Decision:
        return _nothing(self.ruleset, {}, self._fault)


def _nothing(ruleset: Ruleset, facts: Mapping[str, object], fault: Exception) -> Decision:
    _log.error("ruleset %s cannot decide", ruleset.key, exc_info=fault)
    # by the class of the error: its words may quote what somebody answered
    name = type(fault).__name__
    text = Text(zh=f"規則集無法判斷（{name}）", en=f"the ruleset cannot decide ({name})")
    return undecided(ruleset, facts, Trouble("fault", text, facts))


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
