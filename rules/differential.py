"""Engine against reference on rulesets and facts at random: they must name the same rules every time."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from random import Random

from rules import engine, worlds
from rules.chaining import matching

#: facts that one random ruleset is asked about
PER_WORLD = 250


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
    ruleset, random = worlds.world(seed, rules=1 + seed % worlds.MOST_RULES), Random(seed)
    found = []
    with closing(engine.compile(ruleset)) as compiled:
        for _ in range(decisions):
            given = worlds.facts(random)
            decision = compiled.evaluate(given, shadow=False)
            expected = tuple(ruleset.rules[i].key for i in matching(ruleset, given))
            if decision.engine != "durable" or decision.fired != expected:
                found.append(Difference(seed, str(given), decision.fired, expected))
    return found
