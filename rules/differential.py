"""Engine against reference on rulesets and facts at random: the same must follow every time.

Half of the rulesets hold rules alone, all of which count; half mix rules, tables, every hit policy and derived facts.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from random import Random

from rules import engine, worlds
from rules.chaining import Derived, matching
from rules.decision import Decision, NotUnique, Outcome, decide
from rules.model import Ruleset

#: facts that one random ruleset is asked about
PER_WORLD = 250

#: who decided, the rules that count, what follows and what was derived
Said = tuple[str, tuple[str, ...], tuple[Outcome, ...], Mapping[str, Derived]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision on which they do not agree; the seed makes its ruleset again."""

    seed: int
    facts: str
    engine: tuple[str, ...]
    reference: tuple[str, ...]

    def __str__(self) -> str:
        said = ", ".join(self.engine) or "nothing"
        return f"seed {self.seed}: the engine says {said}, not {', '.join(self.reference) or 'nothing'}: {self.facts}"


def compare(decisions: int, seed: int = 0) -> Iterator[tuple[int, list[Difference]]]:
    """After each ruleset: how many decisions were made on it, and where the two differ."""
    while decisions > 0:
        count = min(PER_WORLD, decisions)
        yield count, _world(seed, count)
        decisions -= count
        seed += 1


def _world(seed: int, decisions: int) -> list[Difference]:
    rules = 1 + seed // 2 % worlds.MOST_RULES
    ruleset, random = worlds.mixed(seed) if seed % 2 else worlds.world(seed, rules), Random(seed)
    found = []
    with closing(engine.compile(ruleset)) as compiled:
        for _ in range(decisions):
            given = worlds.facts(random)
            made = _said(partial(compiled.evaluate, given, shadow=False))
            expected = _said(partial(_by_reference, ruleset, given))
            if made != expected:
                found.append(Difference(seed, str(given), _words(made), _words(expected)))
    return found


def _by_reference(ruleset: Ruleset, facts: Mapping[str, object]) -> Decision:
    return decide(ruleset, matching(ruleset, facts), facts, "durable")


def _said(decision: Callable[[], Decision]) -> Said:
    try:
        made = decision()
    except NotUnique as refused:
        return "not unique", refused.rules, (), {}
    return made.engine, made.fired, made.outcomes, made.derived


def _words(said: Said) -> tuple[str, ...]:
    engine, rules, outcomes, derived = said
    return (
        *(() if engine == "durable" else (engine,)),
        *rules,
        *[f"{each.rule}: {each.action} {dict(each.params)}" for each in outcomes],
        *[f"{name} = {each.value!r} by {'+'.join(each.rules)}" for name, each in derived.items()],
    )
