"""What a ruleset decides: outcomes, the rules that fired, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from rules.actions import DERIVE
from rules.chaining import Derived, stated
from rules.explain import explain
from rules.model import Outcome as Outcome
from rules.model import Ruleset
from rules.policies import NotUnique as NotUnique
from rules.policies import Resolved, Total, resolve
from rules.values import Text

#: who decided; none: nothing could be decided
Engine = Literal["durable", "reference", "none"]


@dataclass(frozen=True)
class Trouble:
    """What must not stay unseen: the engine is not to be trusted, or a ruleset cannot decide."""

    kind: Literal["difference", "fault", "not_unique"]
    text: Text
    #: for which facts it was noticed
    facts: Mapping[str, object] = field(repr=False)
    #: the rules that hold, by the engine and by the reference; None where it was not asked or gave no answer
    engine_said: tuple[str, ...] | None = None
    reference_said: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Decision:
    resolved: Resolved = field(repr=False)
    engine: Engine
    ruleset: Ruleset = field(repr=False)
    #: only those that the ruleset reads
    facts: Mapping[str, object] = field(repr=False)
    #: what rules derived from them for other rules to read
    derived: Mapping[str, Derived] = field(default_factory=dict)
    trouble: Trouble | None = None

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return self.resolved.outcomes

    @property
    def fired(self) -> tuple[str, ...]:
        """The rules that count, in the order of their outcomes."""
        return self.resolved.fired

    @property
    def totals(self) -> tuple[Total, ...]:
        """What collect added up, and from which rules."""
        return self.resolved.totals

    @property
    def used(self) -> frozenset[str]:
        """Every fact that some rule of the ruleset reads."""
        return self.ruleset.used

    @cached_property
    def explanation(self) -> list[dict[str, Any]]:
        """One JSON-able entry a rule, fired or not."""
        return explain(self.ruleset, self.facts, self.resolved, self.derived)

    def to_json(self) -> dict[str, Any]:
        outcomes = [
            {"rule": o.rule, "action": o.action, "params": {k: _json(v) for k, v in o.params.items()}}
            for o in self.outcomes
        ]
        return {"outcomes": outcomes, "explanation": self.explanation}


def decide(
    ruleset: Ruleset,
    matched: Sequence[int],
    facts: Mapping[str, object],
    engine: Engine,
    trouble: Trouble | None = None,
) -> Decision:
    """From the rules that hold to what follows."""
    resolved = resolve(ruleset, matched)
    if not ruleset.layers:
        return Decision(resolved, engine, ruleset, facts, trouble=trouble)
    derived = stated(ruleset, resolved)
    acting = tuple([outcome for outcome in resolved.outcomes if outcome.action != DERIVE])
    return Decision(replace(resolved, outcomes=acting), engine, ruleset, facts, derived, trouble)


def undecided(ruleset: Ruleset, facts: Mapping[str, object], trouble: Trouble) -> Decision:
    """Nothing follows, and why."""
    return Decision(Resolved((), (), undecided=True), "none", ruleset, facts, trouble=trouble)


def _json(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, (list, tuple)) else value
