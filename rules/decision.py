"""What a ruleset decides: outcomes, the rules that fired, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from rules.explain import explain
from rules.model import HitPolicy, Ruleset
from rules.model import Outcome as Outcome
from rules.values import Text


class NotUnique(ValueError):
    """More than one rule holds where exactly one may."""

    def __init__(self, ruleset: Ruleset, rules: Sequence[str]) -> None:
        self.rules = tuple(rules)
        self.text = Text(
            zh=f"規則集「{ruleset.title}」只容許一條規則成立，但同時成立的有：{'、'.join(rules)}",
            en=f"{ruleset.title.in_('en')}: only one rule may hold, but these do: {', '.join(rules)}",
        )
        super().__init__(str(self.text))


@dataclass(frozen=True)
class Decision:
    outcomes: tuple[Outcome, ...]
    fired: tuple[str, ...]
    engine: Literal["durable", "reference"]
    ruleset: Ruleset = field(repr=False)
    #: only those that the ruleset reads
    facts: Mapping[str, object] = field(repr=False)

    @property
    def used(self) -> frozenset[str]:
        """Every fact that some rule of the ruleset reads."""
        return self.ruleset.used

    @cached_property
    def explanation(self) -> list[dict[str, Any]]:
        """One JSON-able entry a rule, fired or not."""
        return explain(self.ruleset, self.facts, self.fired)

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
    engine: Literal["durable", "reference"],
) -> Decision:
    """From the rules that hold to what follows."""
    adopted = adopt(ruleset, matched)
    return Decision(
        outcomes=tuple([outcome for i in adopted for outcome in ruleset.rules[i].then]),
        fired=tuple([ruleset.rules[i].key for i in adopted]),
        engine=engine,
        ruleset=ruleset,
        facts=facts,
    )


def adopt(ruleset: Ruleset, matched: Sequence[int]) -> Sequence[int]:
    """The hit policies: first each table that has its own, then the ruleset's over the others together."""
    if not ruleset.table_policies:
        return _hits(ruleset, matched, ruleset.hit_policy)
    adopted: list[int] = []
    for table, policy in [*ruleset.table_policies.items(), (None, ruleset.hit_policy)]:
        group = [i for i in matched if _group(ruleset, i) == table]
        adopted += _hits(ruleset, group, policy)
    return sorted(adopted)


def _group(ruleset: Ruleset, index: int) -> str | None:
    table = ruleset.rules[index].table
    return table if table in ruleset.table_policies else None


def _hits(ruleset: Ruleset, matched: Sequence[int], policy: HitPolicy) -> Sequence[int]:
    if policy == "unique" and len(matched) > 1:
        raise NotUnique(ruleset, [ruleset.rules[i].key for i in matched])
    return matched[:1] if policy == "first" else matched


def _json(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return list(value) if isinstance(value, (list, tuple)) else value
