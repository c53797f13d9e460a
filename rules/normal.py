"""Normal forms of a condition. Both keep its three-valued meaning."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from rules.conditions import (
    COMPLEMENT,
    All,
    Any_,
    Condition,
    Leaf,
    Not,
    compare,
    leaves_of,
    negate,
    threshold,
)
from rules.values import Text, say

MAX_ALTERNATIVES = 64
MAX_COMPARISONS = 64


class TooComplex(ValueError):
    """A condition that the engine must not be given; `text` says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.zh)
        self.text = text


@dataclass(frozen=True, slots=True)
class Literal:
    """A comparison or, where no operator says the opposite (in, contains), its negation."""

    leaf: Leaf
    negated: bool = False

    def holds(self, facts: Mapping[str, object], params: Mapping[str, object]) -> bool | None:
        leaf = self.leaf
        result = compare(leaf.type, leaf.op, facts.get(leaf.fact), threshold(leaf, facts, params))
        return negate(result) if self.negated else result


def without_not(c: Condition, negated: bool = False) -> Condition:
    """The same condition with every `not` pushed down; it stays only around `in` and `contains`."""
    if isinstance(c, Not):
        return without_not(c.item, not negated)
    if isinstance(c, Leaf):
        if not negated:
            return c
        return replace(c, op=COMPLEMENT[c.op]) if c.op in COMPLEMENT else Not(c)
    items = tuple(without_not(item, negated) for item in c.items)
    return All(items) if isinstance(c, All) is not negated else Any_(items)


def alternatives(c: Condition) -> tuple[tuple[Literal, ...], ...]:
    """Disjunctive normal form: the condition holds when all literals of one alternative hold."""
    found = dict.fromkeys(tuple(dict.fromkeys(each)) for each in _alternatives(without_not(c)))
    if any(len(each) > MAX_COMPARISONS for each in found):
        raise TooComplex(
            say(
                "條件同時比較超過 {most} 項，請分成幾條規則",
                "The condition makes more than {most} comparisons at once; divide it into several rules",
                most=MAX_COMPARISONS,
            )
        )
    return tuple(found)


def _alternatives(c: Condition) -> list[tuple[Literal, ...]]:
    if isinstance(c, Leaf):
        return [(Literal(c),)]
    if isinstance(c, Not):
        return [(Literal(leaf, negated=True),) for leaf in leaves_of(c)]  # one, after without_not
    found: list[tuple[Literal, ...]] = [()] if isinstance(c, All) else []
    for item in c.items:
        more = _alternatives(item)
        found = [a + b for a in found for b in more] if isinstance(c, All) else found + more
        if len(found) > MAX_ALTERNATIVES:
            raise TooComplex(
                say(
                    "條件展開後超過 {most} 種情況，請分成幾條規則",
                    "The condition covers more than {most} cases; divide it into several rules",
                    most=MAX_ALTERNATIVES,
                )
            )
    return found
