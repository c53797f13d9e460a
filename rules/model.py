"""A ruleset as it was read and checked: frozen, in the order in which its rules count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Literal

from rules.actions import Action, deriving
from rules.conditions import Condition, facts_of
from rules.facts import FACTS, Fact
from rules.values import Text

HitPolicy = Literal["unique", "first", "priority", "collect", "rule_order", "output_order"]
Aggregate = Literal["sum", "min", "max", "count"]
#: the date that selects the revision which decides
RevisionDate = Literal["filing", "reporting_period", "evaluation"]
Status = Literal["sourced", "seed", "to_be_verified"]


@dataclass(frozen=True, slots=True)
class Policy:
    """How the rules that hold together come to what follows; the names and meanings are those of DMN."""

    hit: HitPolicy
    #: the action and parameter that priority and output_order sort by and that collect adds up
    output: tuple[str, str] | None = None
    #: priority and output_order: its values, the first before all others
    order: tuple[object, ...] = ()
    #: collect
    aggregate: Aggregate | None = None

    def rank(self, rule: "Rule") -> int:
        """Where the rule's output stands in the order; the loader made sure that it has one."""
        return self.order.index(output_of(rule, self.output))


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or word that an administrator may change, with where it comes from."""

    name: str
    value: object
    label: Text
    unit: Text | None
    source: Text
    status: Status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows when a rule fires: an action of the closed list with its parameters."""

    rule: str
    action: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    key: str
    label: Text
    #: None always holds
    when: Condition | None
    then: tuple[Outcome, ...]
    priority: int = 0
    #: the decision table it is a row of, and which row (from 1)
    table: str | None = None
    row: int | None = None
    #: where the rule itself comes from, beside the sources of its parameters
    source: Text | None = None
    status: Status | None = None
    #: what whom it decides about is told, in plain words; None is not told
    plain: Text | None = None


def output_of(rule: Rule, output: tuple[str, str] | None) -> Any:
    """The value that a rule gives to one parameter of an action, or None."""
    action, param = output or ("", "")
    return next((each.params.get(param) for each in rule.then if each.action == action), None)


@dataclass(frozen=True, slots=True)
class Example:
    name: str
    facts: Mapping[str, object]
    #: each a part of one outcome: rule, action, parameters
    expect: tuple[Mapping[str, object], ...]
    #: of the derived facts as many as it wants to
    derived: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Ruleset:
    key: str
    title: Text
    revision_date: RevisionDate
    policy: Policy
    parameters: Mapping[str, Parameter]
    #: highest priority first, then as written: rules, then the rows of each table
    rules: tuple[Rule, ...]
    #: tables that resolve their own hits before the ruleset's policy applies
    table_policies: Mapping[str, Policy] = field(default_factory=dict)
    #: the first and the last day on which the ruleset may decide; None has no end
    effective_from: date | None = None
    effective_to: date | None = None
    examples: tuple[Example, ...] = ()
    #: facts that its own rules state, by the name by which others read them
    derived: Mapping[str, Fact] = field(default_factory=dict)
    #: where it derives facts: the rules of each pass, by their indexes
    layers: tuple[tuple[int, ...], ...] = ()
    catalogue: Mapping[str, Fact] = field(default_factory=lambda: FACTS, repr=False)

    def in_force(self, on: date) -> bool:
        return (self.effective_from or on) <= on <= (self.effective_to or on)

    @cached_property
    def params(self) -> dict[str, object]:
        return {name: parameter.value for name, parameter in self.parameters.items()}

    @cached_property
    def used(self) -> frozenset[str]:
        """Every fact that some rule reads and that must be given."""
        read = frozenset[str]().union(*(facts_of(rule.when) for rule in self.rules if rule.when))
        return read - self.derived.keys()

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        return deriving(self.derived.values())

    def policy_of(self, rule: Rule) -> Policy:
        return self.table_policies.get(rule.table or "", self.policy)

    @cached_property
    def labels(self) -> dict[str, Text]:
        """For sentences: facts and parameters by their names."""
        facts = {name: fact.label for name, fact in self.catalogue.items()}
        facts |= {
            f"{name}={value}": label
            for name, fact in self.catalogue.items()
            for value, label in fact.options.items()
        }
        return facts | {f"param.{name}": parameter.label for name, parameter in self.parameters.items()}
