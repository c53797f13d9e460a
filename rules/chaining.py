"""Bounded forward chaining: facts that rules derive and that other rules of the same ruleset read.

Who reads a derived fact is decided after all who may state it. The loader lays the rules out in such layers and
refuses what has no such order; so at run time there is one pass a layer, and it always ends.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rules.actions import DERIVE
from rules.conditions import facts_of, holds
from rules.model import Policy, Rule, Ruleset
from rules.policies import NotUnique, Resolved, resolve

PREFIX = "derived."
MAX_DERIVED = 40
MAX_PASSES = 8

#: what is decided together: a table, the rules that the policy of the ruleset counts, or one rule
Unit = str | int | None
#: the rules of a layer that hold, of the facts that are known by then
Match = Callable[[int, Mapping[str, object]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Derived:
    value: object
    #: the rules that it follows from
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a circle: the fact, the rule that states it, and the rule that needs the next fact for that."""

    fact: str
    stated_by: str
    reader: str


class NoOrder(ValueError):
    """Facts that follow from each other, or one from another through too many others."""

    def __init__(self, steps: Sequence[Step], *, circular: bool) -> None:
        super().__init__(" → ".join(step.fact for step in steps))
        self.steps = tuple(steps)
        self.circular = circular


def matched(ruleset: Ruleset, facts: Mapping[str, object], match: Match) -> list[int]:
    """The rules that hold, of the given facts and of those that follow from them."""
    found: list[int] = []
    known = dict(facts)
    for layer in range(len(ruleset.layers)):
        found = sorted([*found, *match(layer, known)])
        if layer + 1 == len(ruleset.layers):
            break
        try:
            derived = stated(ruleset, resolve(ruleset, found))
        except NotUnique:
            break  # it stays so, and who resolves all of them says it
        known |= {name: each.value for name, each in derived.items()}
    return found


def matching(ruleset: Ruleset, facts: Mapping[str, object]) -> list[int]:
    """The rules whose condition holds, by the definition of the semantics: what the engine must answer."""
    rules, params = ruleset.rules, ruleset.params
    if not ruleset.layers:
        return [i for i, rule in enumerate(rules) if holds(rule.when, facts, params)]
    return matched(
        ruleset,
        facts,
        lambda layer, known: [i for i in ruleset.layers[layer] if holds(rules[i].when, known, params)],
    )


def stated(ruleset: Ruleset, resolved: Resolved) -> dict[str, Derived]:
    """The derived facts. Each is set once: by the first that counts."""
    totals = {total.table or ruleset.key: total for total in resolved.totals}
    found: dict[str, Derived] = {}
    for outcome in resolved.outcomes:
        if outcome.action == DERIVE:
            total = totals.get(outcome.rule)
            rules = tuple([rule for rule, _ in total.hits]) if total else (outcome.rule,)
            for name, value in outcome.params.items():
                found.setdefault(PREFIX + name, Derived(value, rules))
    return found


# --- the layers ------------------------------------------------------------------------------------------


def states(rule: Rule) -> set[str]:
    """The derived facts that a rule may set."""
    return {PREFIX + name for each in rule.then if each.action == DERIVE for name in each.params}


def reads(rule: Rule) -> set[str]:
    return {name for name in facts_of(rule.when) if name.startswith(PREFIX)} if rule.when else set()


def layers(
    rules: Sequence[Rule], policy: Policy, table_policies: Mapping[str, Policy]
) -> tuple[tuple[int, ...], ...]:
    """By their indexes the rules of each pass. Raises NoOrder."""
    together: dict[Unit, list[Rule]] = defaultdict(list)
    unit_of = [_unit(i, rule, policy, table_policies) for i, rule in enumerate(rules)]
    for unit, rule in zip(unit_of, rules, strict=True):
        together[unit].append(rule)
    needs = {unit: set().union(*map(reads, members)) for unit, members in together.items()}
    sources = defaultdict(list)
    for unit, members in together.items():
        for fact in sorted(set().union(*map(states, members))):
            sources[fact].append(unit)
    known: dict[str, int] = {}

    def layer(unit: Unit, trail: list[tuple[str, Unit]]) -> int:
        return max((after(fact, trail) for fact in sorted(needs[unit])), default=0)

    def after(fact: str, trail: list[tuple[str, Unit]]) -> int:
        """The first pass in which the fact may be read."""
        if fact in (names := [name for name, _ in trail]):
            raise NoOrder(_steps([*trail[names.index(fact) :], (fact, None)], together), circular=True)
        if fact not in known:
            known[fact] = 1 + max((layer(unit, [*trail, (fact, unit)]) for unit in sources[fact]), default=0)
        return known[fact]

    found: dict[int, list[int]] = defaultdict(list)
    for i, unit in enumerate(unit_of):
        found[layer(unit, [])].append(i)
    if len(found) > MAX_PASSES:
        raise NoOrder([_last(rules, known)], circular=False)
    return tuple(tuple(found[n]) for n in sorted(found))


def _unit(index: int, rule: Rule, policy: Policy, table_policies: Mapping[str, Policy]) -> Unit:
    """Rules of which one counts, or all as one sum, are decided together; else each for itself."""
    own = table_policies.get(rule.table or "")
    if (own or policy).hit in ("rule_order", "output_order"):
        return index
    return rule.table if own else None


def _steps(trail: Sequence[tuple[str, Unit]], together: Mapping[Unit, Sequence[Rule]]) -> list[Step]:
    steps = []
    for (fact, unit), (needed, _) in pairwise(trail):
        members = together[unit]
        stating = [rule for rule in members if fact in states(rule)]
        # rather one rule that does both
        reader = next(rule for rule in [*stating, *members] if needed in reads(rule))
        steps.append(Step(fact, (reader if reader in stating else stating[0]).key, reader.key))
    return steps


def _last(rules: Sequence[Rule], known: Mapping[str, int]) -> Step:
    deepest = max(known, key=lambda fact: known[fact])
    reader = next(rule for rule in rules if deepest in reads(rule))
    return Step(deepest, next(rule for rule in rules if deepest in states(rule)).key, reader.key)
