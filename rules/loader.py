"""A mapping (a file, a revision, an editor's draft) to a ruleset, or every mistake at once with its path."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, get_args

from rules import actions, chaining, facts, storable
from rules.conditions import shown
from rules.facts import FACTS, Fact
from rules.model import Example, Policy, RevisionDate, Rule, Ruleset
from rules.policy_reader import POLICY_ITEMS
from rules.reading import ABSENT
from rules.table_reader import TableReader
from rules.values import DefinitionError, Problem, Text, read_yaml, say

DEFINITIONS = Path(__file__).parent / "definitions"
MAX_RULES = 2000
#: values that cannot be kept: so many are told at a time
MOST_UNKEPT = 20
_AND = Text(zh="而", en=", which")


def read_all(root: Path | None = None) -> dict[str, dict[str, Any]]:
    """The factory rulesets as mappings, by key."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root or DEFINITIONS).glob("*.yaml")):
        mapping = read_yaml(path)
        if not isinstance(mapping, dict) or mapping.get("key") != path.stem:
            said = say(
                "key 必須是檔名「{name}」", "key must be the name of the file, “{name}”", name=path.stem
            )
            raise DefinitionError([Problem(path=path.name, message=said)])
        found[path.stem] = mapping
    return found


def load(
    mapping: Mapping[str, Any],
    *,
    catalogue: Mapping[str, Fact] = FACTS,
    functions: frozenset[str] | None = None,
    units: frozenset[str] | None = None,
    published: bool = False,
) -> Ruleset:
    """The ruleset, or DefinitionError. Functions and units are checked where their names are given.

    What was published is read: later checks of its tables as a whole and of its words do not undo it (ADR 10).
    """
    if not published and (unkept := list(islice(storable.problems(mapping), MOST_UNKEPT))):
        raise DefinitionError(unkept)
    reader = _Reader(catalogue, functions, units, published)
    ruleset = reader.ruleset(mapping)
    if reader.problems or ruleset is None:
        raise DefinitionError(reader.problems)
    return ruleset


class _Reader(TableReader):
    """Reads on after a mistake. What could not be read is left out, never guessed."""

    def ruleset(self, data: object) -> Ruleset | None:
        required = ("key", "title", "revision_date", "hit_policy")
        optional = (
            "effective_from",
            "effective_to",
            *POLICY_ITEMS,
            "parameters",
            "derived",
            "rules",
            "tables",
            "examples",
        )
        top = self.mapping(data, "", required, optional)
        if top is None:
            return None
        key = self.key(top["key"], "key")
        title = self.text(top["title"], "title")
        revision_date = self.choice(top["revision_date"], "revision_date", get_args(RevisionDate))
        since, until = (self.day(top.get(name), name) for name in ("effective_from", "effective_to"))
        if since and until and until < since:
            self.refuse(
                "effective_to",
                say(
                    "失效日 {until} 早於生效日 {since}",
                    "The last day {until} is before the first day {since}",
                    until=until,
                    since=since,
                ),
            )
        self.read_parameters(top.get("parameters"))
        self.read_derived(top.get("derived"))
        self.catalogue = {**self.given, **self.derived} if self.derived else self.given
        self.types |= facts.types(self.derived)
        self.actions = actions.deriving(self.derived.values())
        policy = self.policy(top, "", None)
        before = len(self.problems)
        placed = [
            (rule, f"rules[{i}]")
            for i, each in enumerate(self.items(top.get("rules"), "rules"))
            if (rule := self.rule(each, f"rules[{i}]"))
        ]
        self.paths |= {rule.key: path for rule, path in placed}
        rules = sorted([rule for rule, _ in placed], key=lambda rule: -rule.priority)
        if len(self.problems) == before:
            for rule, path in placed:
                self.fits(policy, rule, f"{path}.then")
        for i, each in enumerate(self.items(top.get("tables"), "tables")):
            rules += self.table(each, f"tables[{i}]", policy)
        examples = [
            example
            for i, each in enumerate(self.items(top.get("examples"), "examples"))
            if (example := self.example(each, f"examples[{i}]"))
        ]
        if not rules and not self.problems:
            self.refuse("rules", Text(zh="規則集沒有任何規則", en="The ruleset has no rules"))
        if len(rules) > MAX_RULES:
            self.refuse(
                "rules",
                say(
                    "規則超過 {most} 條，請分成幾個規則集",
                    "There are more than {most} rules; divide them into several rulesets",
                    most=MAX_RULES,
                ),
            )
        layers = self.layers(rules, policy) if self.derived and not self.problems else ()
        for name in self.parameters.keys() - self.used_params:
            said = say("參數「{name}」沒有任何規則使用", "No rule uses the parameter “{name}”", name=name)
            self.refuse(f"parameters.{name}", said)
        if key is None or title is None or self.problems:
            return None
        return Ruleset(
            key=key,
            title=title,
            revision_date=revision_date,
            policy=policy,
            parameters=self.parameters,
            rules=tuple(rules),
            table_policies=self.policies,
            effective_from=since,
            effective_to=until,
            examples=tuple(examples),
            derived=self.derived,
            layers=layers,
            catalogue=self.catalogue,
        )

    def layers(self, rules: list[Rule], policy: Policy) -> tuple[tuple[int, ...], ...]:
        """The order in which derived facts come to be known."""
        for name in self.derived:
            if not any(name in chaining.states(rule) for rule in rules):
                self.refuse(name, say("沒有任何規則得出「{name}」", "No rule derives “{name}”", name=name))
            if not any(name in chaining.reads(rule) for rule in rules):
                self.refuse(name, say("沒有任何規則讀取「{name}」", "No rule reads “{name}”", name=name))
        try:
            return chaining.layers(rules, policy, self.policies)
        except chaining.NoOrder as error:
            for step in error.steps[:1]:
                self.refuse(f"{self.paths[step.reader]}.when", self.no_order(error))
            return ()

    def no_order(self, error: chaining.NoOrder) -> Text:
        if not error.circular:
            return say(
                "「{facts}」要推導 {most} 次以上才能得出，請減少層次",
                "“{facts}” takes more than {most} steps to derive; use fewer steps",
                facts=error,
                most=chaining.MAX_PASSES,
            )
        steps = []
        for step, following in zip(error.steps, [*error.steps[1:], error.steps[0]], strict=True):
            by, reader = self.paths[step.stated_by], self.paths[step.reader]
            together = say("，與它一起決定的 {reader} ", " together with {reader}, which", reader=reader)
            steps.append(
                say(
                    "「{fact}」由 {by} 得出{together}讀取「{needed}」",
                    "“{fact}” is derived by {by}{together} reads “{needed}”",
                    fact=step.fact,
                    by=by,
                    together=_AND if by == reader else together,
                    needed=following.fact,
                )
            )
        return Text(
            zh="得出的事實互相依賴，沒有開始的地方：" + "；".join(step.zh for step in steps),
            en="Derived facts depend on each other, so none comes first: "
            + "; ".join(step.en for step in steps),
        )

    # --- examples ----------------------------------------------------------------------------------------

    def example(self, data: object, path: str) -> Example | None:
        one = self.mapping(data, path, ("name", "facts", "expect"), ("derived",))
        if one is None or ABSENT in one.values():
            return None
        if not isinstance(one["facts"], Mapping):
            self.refuse(
                f"{path}.facts",
                Text(zh="facts 必須是「事實名稱: 值」", en="facts must be pairs of “name of a fact: value”"),
            )
            return None
        for name in self.derived.keys() & one["facts"].keys():
            said = say(
                "「{name}」由規則得出，不能給定",
                "“{name}” is derived by rules and cannot be given",
                name=name,
            )
            self.refuse(f"{path}.facts.{name}", said)
        self.problems += facts.check(one["facts"], path=f"{path}.facts", catalogue=self.catalogue)
        derived = one.get("derived", {})
        if not isinstance(derived, Mapping):
            self.refuse(
                f"{path}.derived",
                Text(zh="derived 必須是「名稱: 值」", en="derived must be pairs of “name: value”"),
            )
            return None
        for name in derived:
            if f"{chaining.PREFIX}{name}" not in self.derived:
                said = say(
                    "沒有「{name}」這項得出的事實", "There is no derived fact “{name}”", name=shown(name)
                )
                self.refuse(f"{path}.derived", said)
        expect = self.items(one["expect"], f"{path}.expect")
        for i, each in enumerate(expect):
            if not isinstance(each, Mapping):
                self.refuse(
                    f"{path}.expect[{i}]",
                    say(
                        "預期結果必須寫成 {{action: 名稱, 參數: 值}}",
                        "An expectation is written {{action: name, parameter: value}}",
                    ),
                )
        return Example(str(one["name"]), dict(one["facts"]), tuple(expect), dict(derived))
