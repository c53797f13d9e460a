"""A draft against the ruleset in force, over facts as they were: what would change, for whom. Nothing is acted on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from rules.decision import Outcome
from rules.engine import Compiled
from rules.policies import NotUnique

#: what follows, as words that can be compared and counted
Said = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    before: Said
    after: Said


@dataclass
class DryRun:
    decisions: int = 0
    #: (before, after) -> how many, the unchanged ones too
    matrix: Counter[tuple[Said, Said]] = field(default_factory=Counter)
    changed: list[Change] = field(default_factory=list)


def dry_run(
    current: Compiled, draft: Compiled, snapshots: Iterable[tuple[str, Mapping[str, object]]]
) -> DryRun:
    """Decides every snapshot, a name and its facts, by both."""
    run = DryRun()
    for name, facts in snapshots:
        before, after = said(current, facts), said(draft, facts)
        run.decisions += 1
        run.matrix[before, after] += 1
        if before != after:
            run.changed.append(Change(name, before, after))
    return run


def said(compiled: Compiled, facts: Mapping[str, object]) -> Said:
    """What follows, without the names of the rules, which a draft may change."""
    try:
        decision = compiled.evaluate(facts, shadow=True)
    except NotUnique as refused:
        return (f"not unique: {', '.join(refused.rules)}",)
    return tuple(map(_words, decision.outcomes))


def _words(outcome: Outcome) -> str:
    values = (
        "+".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        for value in outcome.params.values()
    )
    return " ".join([outcome.action, *values])
