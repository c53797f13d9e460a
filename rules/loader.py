"""A mapping (a file, a revision, an editor's draft) to a ruleset, or every mistake at once with its path."""

from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from rules import actions, chaining, facts, storable, tables
from rules.actions import DERIVE, Action
from rules.conditions import (
    All,
    Condition,
    FactType,
    Leaf,
    Op,
    as_list,
    coerce,
    did_you_mean,
    leaves_of,
    params_of,
    parse,
    shown,
    threshold,
)
from rules.declarations import Declarations
from rules.facts import FACTS, Fact
from rules.model import (
    Aggregate,
    Example,
    HitPolicy,
    Outcome,
    Policy,
    RevisionDate,
    Rule,
    Ruleset,
    Status,
    output_of,
)
from rules.normal import TooComplex, alternatives
from rules.numbers import MAX_NUMBER, is_exact
from rules.reading import ABSENT
from rules.values import DefinitionError, Problem, Text, read_yaml

DEFINITIONS = Path(__file__).parent / "definitions"
MAX_RULES = 2000
#: values that cannot be kept: so many are told at a time
MOST_UNKEPT = 20

#: an empty cell of a table: any value of an input, no action of an output
ANY = ("-", None, "")
#: what a hit policy is told beside its name
POLICY_ITEMS = ("output", "order", "aggregate")
#: several rules may hold, and each of them counts; so nothing is missing where none does
SEVERAL = ("collect", "rule_order", "output_order")


#: a row as read: its cells, its actions, its label and what is told in plain words, and where it comes from
_Row = tuple[
    list[tables.Cell], tuple[Outcome, ...], Text | None, Text | None, tuple[Text | None, Status | None]
]


def read_all(root: Path | None = None) -> dict[str, dict[str, Any]]:
    """The factory rulesets as mappings, by key."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((root or DEFINITIONS).glob("*.yaml")):
        mapping = read_yaml(path)
        if not isinstance(mapping, dict) or mapping.get("key") != path.stem:
            raise DefinitionError([Problem(path=path.name, message=f"key 必須是檔名「{path.stem}」")])
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


class _Reader(Declarations):
    """Reads on after a mistake. What could not be read is left out, never guessed."""

    def __init__(
        self,
        catalogue: Mapping[str, Fact],
        functions: frozenset[str] | None,
        units: frozenset[str] | None,
        published: bool,
    ) -> None:
        super().__init__()
        self.given = catalogue
        #: the given facts and those that the ruleset derives
        self.catalogue = catalogue
        self.actions: Mapping[str, Action] = actions.ACTIONS
        self.functions = functions
        self.units = units
        self.published = published
        self.types: dict[str, FactType] = facts.types(catalogue)
        self.used_params: set[str] = set()
        self.policies: dict[str, Policy] = {}
        self.paths: dict[str, str] = {}

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
            self.refuse("effective_to", f"失效日 {until} 早於生效日 {since}")
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
                self.fits(policy, rule, f"{path}.then", "")
        for i, each in enumerate(self.items(top.get("tables"), "tables")):
            rules += self.table(each, f"tables[{i}]", policy)
        examples = [
            example
            for i, each in enumerate(self.items(top.get("examples"), "examples"))
            if (example := self.example(each, f"examples[{i}]"))
        ]
        if not rules and not self.problems:
            self.refuse("rules", "規則集沒有任何規則")
        if len(rules) > MAX_RULES:
            self.refuse("rules", f"規則超過 {MAX_RULES} 條，請分成幾個規則集")
        layers = self.layers(rules, policy) if self.derived and not self.problems else ()
        for name in self.parameters.keys() - self.used_params:
            self.refuse(f"parameters.{name}", f"參數「{name}」沒有任何規則使用")
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
                self.refuse(name, f"沒有任何規則得出「{name}」")
            if not any(name in chaining.reads(rule) for rule in rules):
                self.refuse(name, f"沒有任何規則讀取「{name}」")
        try:
            return chaining.layers(rules, policy, self.policies)
        except chaining.NoOrder as error:
            for step in error.steps[:1]:
                self.refuse(f"{self.paths[step.reader]}.when", self.no_order(error))
            return ()

    def no_order(self, error: chaining.NoOrder) -> str:
        if not error.circular:
            return f"「{error}」要推導 {chaining.MAX_PASSES} 次以上才能得出，請減少層次"
        steps = []
        for step, following in zip(error.steps, [*error.steps[1:], error.steps[0]], strict=True):
            by, reader = self.paths[step.stated_by], self.paths[step.reader]
            together = "而" if by == reader else f"，與它一起決定的 {reader} "
            steps.append(f"「{step.fact}」由 {by} 得出{together}讀取「{following.fact}」")
        return f"得出的事實互相依賴，沒有開始的地方：{'；'.join(steps)}"

    # --- hit policies ------------------------------------------------------------------------------------

    def policy(self, one: Mapping[str, Any], prefix: str, only: tuple[str, str] | None) -> Policy:
        """The hit policy of a ruleset or table; `only` is the output of a table that has but one."""
        hit: HitPolicy = self.choice(one["hit_policy"], f"{prefix}hit_policy", get_args(HitPolicy))
        if one["hit_policy"] != hit:
            return Policy(hit)  # it was refused; what belongs to it is not asked for
        ordered = hit in ("priority", "output_order")
        wanted = ("output", "order") if ordered else ("output", "aggregate") if hit == "collect" else ()
        for name in POLICY_ITEMS:
            if name in one and name not in wanted:
                self.refuse(f"{prefix}{name}", f"「{hit}」不使用 {name}")
        if not wanted:
            return Policy(hit)
        output = only
        if "output" in one or only is None:
            output = self.policy_output(one.get("output"), f"{prefix}output", hit)
        if output is None:
            return Policy(hit)
        param = actions.find(*output, self.actions)
        assert param is not None
        if hit == "collect":
            aggregate = self.choice(one.get("aggregate"), f"{prefix}aggregate", get_args(Aggregate))
            if param.type not in ("number", "period"):
                self.refuse(
                    f"{prefix}output",
                    f"「{aggregate}」需要數字，但動作「{output[0]}」的{param.label}不是數字",
                )
            elif output[0] != DERIVE and len(self.actions[output[0]].params) > 1:
                self.refuse(f"{prefix}output", f"動作「{output[0]}」還有其他參數，無法合計")
            return Policy(hit, output, aggregate=aggregate)
        order = self.items(one.get("order"), f"{prefix}order")
        if not order:
            self.refuse(f"{prefix}order", f"「{hit}」需要 order：{param.label}的值，由最優先的開始")
        for i, value in enumerate(order):
            if mistake := actions.mistake(param, value, self.functions, self.units):
                self.refuse(f"{prefix}order[{i}]", mistake)
            elif value in order[:i]:
                self.refuse(f"{prefix}order[{i}]", f"「{shown(value)}」出現兩次")
        return Policy(hit, output, tuple(order))

    def policy_output(self, data: object, path: str, hit: str) -> tuple[str, str] | None:
        if data is None:
            self.refuse(
                path,
                f"「{hit}」需要 output：以哪個動作的哪個參數決定，例如 {{action: set_risk, param: level}}",
            )
            return None
        one = self.mapping(data, path, ("action", "param"))
        if one is None or ABSENT in one.values() or not self.known_action(one["action"], f"{path}.action"):
            return None
        if actions.find(one["action"], str(one["param"]), self.actions) is None:
            self.refuse(f"{path}.param", f"動作「{one['action']}」沒有參數「{shown(one['param'])}」")
            return None
        return one["action"], one["param"]

    def fits(self, policy: Policy, rule: Rule, path: str, place: str) -> None:
        """Whether a policy that goes by an output can go by this rule's."""
        if policy.output is None:
            return
        action, param = policy.output
        value = output_of(rule, policy.output)
        if value is None or [each.action for each in rule.then].count(action) > 1:
            self.refuse(path, f"{place}「{policy.hit}」需要每條規則恰有一個動作「{action}」的「{param}」")
        elif policy.order and value not in policy.order:
            self.refuse(
                path, f"{place}「{shown(value)}」不在 order 之中：{'、'.join(map(str, policy.order))}"
            )
        elif policy.aggregate and sum(len(each.params) or 1 for each in rule.then) > 1:
            self.refuse(path, f"{place}「{policy.aggregate}」只留下「{action}」，其他動作會不見")

    # --- rules -------------------------------------------------------------------------------------------

    def rule(self, data: object, path: str) -> Rule | None:
        one = self.mapping(
            data, path, ("key", "label", "then"), ("when", "priority", "source", "status", "plain")
        )
        if one is None:
            return None
        key = self.new_key(one["key"], f"{path}.key")
        label = self.text(one["label"], f"{path}.label")
        when = self.condition(one["when"], f"{path}.when") if "when" in one else None
        then = [
            outcome
            for i, each in enumerate(self.items(one["then"], f"{path}.then"))
            if (outcome := self.outcome(key, each, f"{path}.then[{i}]"))
        ]
        if isinstance(one["then"], list) and not one["then"]:
            self.refuse(f"{path}.then", "規則至少要有一個動作")
        source, status = self.origin(one, path)
        priority = one.get("priority", 0)
        if not isinstance(priority, int) or isinstance(priority, bool):
            self.refuse(f"{path}.priority", f"優先順序「{shown(priority)}」必須是整數")
            return None
        if key is None or label is None or ("when" in one and when is None):
            return None
        plain = self.text(one["plain"], f"{path}.plain") if "plain" in one else None
        return Rule(key, label, when, tuple(then), priority, source=source, status=status, plain=plain)

    def origin(self, one: Mapping[str, Any], path: str) -> tuple[Text | None, Status | None]:
        """Where a rule, a table or a row comes from: both said, or neither."""
        if "source" not in one and "status" not in one:
            return None, None
        for name in ("source", "status"):
            if name not in one:
                self.refuse(f"{path}.{name}", f"source 與 status 必須一起寫，缺少「{name}」")
        source = self.text(one.get("source", ABSENT), f"{path}.source")
        return source, self.choice(one.get("status", ABSENT), f"{path}.status", get_args(Status))

    def condition(self, data: object, path: str) -> Condition | None:
        condition = parse(data, path=path, facts=self.types, params=self.params, problems=self.problems)
        if condition is None:
            return None
        self.used_params |= params_of(condition)
        for leaf in leaves_of(condition):
            self.comparable(leaf, path)
        try:
            alternatives(condition)
        except TooComplex as error:
            self.refuse(path, str(error))
        return condition

    def comparable(self, leaf: Leaf, path: str) -> None:
        """The engine compares six decimals exactly, no more; a fact with options takes no other word."""
        value = threshold(leaf, {}, self.params)
        options = self.catalogue[leaf.fact].options
        for each in as_list(value) or (value,):
            if options and not self.published and isinstance(each, str) and each not in options:
                label = self.catalogue[leaf.fact].label
                hint = did_you_mean(each, options) or f"，可用：{'、'.join(options)}"
                self.refuse(path, f"「{label}」沒有「{shown(each)}」這個值{hint}")
            if leaf.type == "number" and each is not None and not is_exact(coerce("number", each)):
                self.refuse(path, f"「{shown(each)}」超過六位小數或大於 {MAX_NUMBER:,}")

    def outcome(self, rule: str | None, data: object, path: str) -> Outcome | None:
        if not isinstance(data, Mapping) or "action" not in data:
            self.refuse(path, "動作必須寫成 {action: 名稱, 參數: 值}")
            return None
        if not self.known_action(data["action"], f"{path}.action"):
            return None
        given = {name: (value, f"{path}.{name}") for name, value in data.items() if name != "action"}
        return self.call(rule, data["action"], given, path)

    def known_action(self, name: object, path: str) -> bool:
        if isinstance(name, str) and name in self.actions:
            return True
        self.refuse(path, f"沒有「{shown(name)}」這個動作{did_you_mean(name, self.actions)}")
        return False

    def call(
        self, rule: str | None, action: str, given: Mapping[str, tuple[object, str]], path: str
    ) -> Outcome | None:
        """An action with its parameters; each given value comes with its path."""
        wanted = {param.name: param for param in self.actions[action].params}
        before = len(self.problems)
        for name in given.keys() - wanted.keys():
            self.refuse(given[name][1], f"動作「{action}」沒有參數「{name}」，只有：{'、'.join(wanted)}")
        values: dict[str, object] = {}
        for name, param in wanted.items():
            if name not in given:
                if param.optional:
                    continue
                self.refuse(path, f"動作「{action}」缺少「{param.label}」（{name}）")
                continue
            value, where = given[name]
            if isinstance(value, Mapping) and set(value) == {"param"}:
                reference = value["param"]
                if not isinstance(reference, str) or reference not in self.params:
                    hint = did_you_mean(reference, self.params)
                    self.refuse(where, f"沒有「{shown(reference)}」這個參數{hint}")
                    continue
                self.used_params.add(reference)
                value = self.params[reference]
            if mistake := actions.mistake(param, value, self.functions, self.units):
                self.refuse(where, mistake)
            values[name] = coerce("number", value) if isinstance(value, float) else value
        if action == DERIVE and not given:
            self.refuse(path, f"動作「{action}」至少要得出一項：{'、'.join(wanted)}")
        if rule is None or len(self.problems) > before:
            return None
        return Outcome(rule, action, MappingProxyType(values))

    # --- tables ------------------------------------------------------------------------------------------

    def table(self, data: object, path: str, ruleset_policy: Policy) -> list[Rule]:
        required = ("key", "label", "inputs", "outputs", "rows")
        optional = ("hit_policy", *POLICY_ITEMS, "complete", "source", "status")
        one = self.mapping(data, path, required, optional)
        if one is None:
            return []
        before = len(self.problems)
        key = self.new_key(one["key"], f"{path}.key")
        label = self.text(one["label"], f"{path}.label")
        inputs = self.inputs(one["inputs"], f"{path}.inputs")
        outputs = self.outputs(one["outputs"], f"{path}.outputs")
        policy = ruleset_policy
        if "hit_policy" in one:
            policy = self.policy(one, f"{path}.", outputs[0] if len(outputs) == 1 else None)
        elif unused := [name for name in POLICY_ITEMS if name in one]:
            self.refuse(f"{path}.{unused[0]}", f"沒有 hit_policy 的表不使用 {unused[0]}")
        if policy.output and outputs and policy.output not in outputs:
            self.refuse(f"{path}.outputs", f"「{policy.hit}」需要「{'.'.join(policy.output)}」這一欄")
        complete = one.get("complete", policy.hit not in SEVERAL)
        if not isinstance(complete, bool):
            self.refuse(f"{path}.complete", "complete 必須是 true 或 false")
        origin = self.origin(one, path)
        rows = self.items(one["rows"], f"{path}.rows")
        if not rows and len(self.problems) == before:
            self.refuse(f"{path}.rows", "表格至少要有一列")
        if len(self.problems) > before or key is None or label is None:
            return []
        if "hit_policy" in one:
            self.policies[key] = policy
        grid: list[list[tables.Cell]] = []
        found: list[Rule] = []
        for number, row in enumerate(rows, start=1):
            here = f"{path}.rows[{number - 1}]"
            cells, then, row_label, row_plain, row_origin = self.row(
                row, here, f"{key}.{number}", number, inputs, outputs
            )
            source, status = row_origin if row_origin[0] else origin
            self.paths[f"{key}.{number}"] = here
            leaves = tuple(cell for cell in cells if cell)
            grid.append(cells)
            found.append(
                Rule(
                    f"{key}.{number}",
                    row_label or Text(zh=f"{label}第 {number} 列", en=f"{label.in_('en')}, row {number}"),
                    All(leaves) if leaves else None,
                    then,
                    table=key,
                    row=number,
                    source=source,
                    status=status,
                    plain=row_plain,
                )
            )
        if policy.output and len(self.problems) == before:
            column = outputs.index(policy.output)
            for i, rule in enumerate(found):
                self.fits(
                    policy, rule, f"{path}.rows[{i}].then[{column}]", f"第 {i + 1} 列第 {column + 1} 個輸出："
                )
        if len(self.problems) == before and not self.published:
            self.whole(grid, policy, found, complete, path)
        return found

    def whole(self, grid: tables.Grid, policy: Policy, rows: list[Rule], complete: bool, path: str) -> None:
        """The rows together: gaps, overlaps, rows that never count."""
        ranks = [policy.rank(row) for row in rows] if policy.order else None
        labels = {name: fact.label for name, fact in self.catalogue.items()}
        for finding in tables.check(
            grid, policy.hit, complete=complete, labels=labels, params=self.params, ranks=ranks
        ):
            where = f"{path}.rows[{finding.row - 1}]" if finding.row else f"{path}.rows"
            where = f"{path}.inputs[{finding.column - 1}]" if finding.column else where
            self.refuse(where, finding.message)

    def inputs(self, data: object, path: str) -> list[tuple[str, Op]]:
        result: list[tuple[str, Op]] = []
        for i, each in enumerate(self.items(data, path)):
            one = self.mapping(each, f"{path}[{i}]", ("fact",), ("op",))
            if one is None or one["fact"] is ABSENT:
                continue
            if not isinstance(one["fact"], str) or one["fact"] not in self.types:
                hint = did_you_mean(one["fact"], self.types)
                self.refuse(f"{path}[{i}].fact", f"第 {i + 1} 欄：沒有「{shown(one['fact'])}」這項事實{hint}")
                continue
            op = self.choice(one.get("op", "eq"), f"{path}[{i}].op", get_args(Op))
            result.append((one["fact"], op))
        return result

    def outputs(self, data: object, path: str) -> list[tuple[str, str]]:
        result: list[tuple[str, str]] = []
        for i, each in enumerate(self.items(data, path)):
            one = self.mapping(each, f"{path}[{i}]", ("action", "param"))
            if one is None or ABSENT in one.values():
                continue
            if not self.known_action(one["action"], f"{path}[{i}].action"):
                continue
            pair = (one["action"], str(one["param"]))
            if actions.find(*pair, self.actions) is None:
                self.refuse(f"{path}[{i}].param", f"動作「{pair[0]}」沒有參數「{shown(pair[1])}」")
            elif pair in result:
                self.refuse(f"{path}[{i}]", f"「{pair[0]}」的「{pair[1]}」出現兩欄")
            result.append(pair)
        return result

    def row(
        self,
        data: object,
        path: str,
        rule: str,
        number: int,
        inputs: list[tuple[str, Op]],
        outputs: list[tuple[str, str]],
    ) -> _Row:
        one = self.mapping(data, path, ("when", "then"), ("label", "source", "status", "plain"))
        if one is None:
            return [None] * len(inputs), (), None, None, (None, None)
        label = self.text(one["label"], f"{path}.label") if "label" in one else None
        plain = self.text(one["plain"], f"{path}.plain") if "plain" in one else None
        cells: list[tables.Cell] = [
            self.cell(value, f"{path}.when[{i}]", number, i + 1, *column)
            for i, (value, column) in enumerate(
                zip(self.row_of(one["when"], f"{path}.when", len(inputs)), inputs, strict=False)
            )
        ]
        given: dict[str, dict[str, tuple[object, str]]] = {}
        values = self.row_of(one["then"], f"{path}.then", len(outputs))
        for i, (value, (action, param)) in enumerate(zip(values, outputs, strict=False)):
            if isinstance(value, (Mapping, list)) or value not in ANY:
                given.setdefault(action, {})[param] = (value, f"{path}.then[{i}]")
        if values and not given:
            self.refuse(f"{path}.then", f"第 {number} 列沒有任何動作")
        called = [self.call(rule, action, each, f"{path}.then") for action, each in given.items()]
        return cells, tuple(outcome for outcome in called if outcome), label, plain, self.origin(one, path)

    def row_of(self, data: object, path: str, width: int) -> list[Any]:
        items = self.items(data, path)
        if isinstance(data, list) and len(items) != width:
            self.refuse(path, f"這一列有 {len(items)} 格，表格有 {width} 欄")
            return []
        return items

    def cell(self, value: object, path: str, row: int, column: int, fact: str, op: Op) -> Leaf | None:
        """A plain value uses the operator of its column, a list means `in`, {op, value} says its own."""
        if not isinstance(value, (Mapping, list)) and value in ANY:
            return None
        data: dict[str, object] = {"fact": fact, "op": op, "value": value}
        if isinstance(value, Mapping) and "op" in value:
            data = {"fact": fact, **value}
        elif isinstance(value, list) and op == "eq":
            data["op"] = "in"
        known = len(self.problems)
        condition = self.condition(data, path)
        label = self.catalogue[fact].label
        self.problems[known:] = [
            Problem(path=p.path, message=f"第 {row} 列第 {column} 欄「{label}」：{p.message}")
            for p in self.problems[known:]
        ]
        return condition if isinstance(condition, Leaf) else None

    # --- examples ----------------------------------------------------------------------------------------

    def example(self, data: object, path: str) -> Example | None:
        one = self.mapping(data, path, ("name", "facts", "expect"), ("derived",))
        if one is None or ABSENT in one.values():
            return None
        if not isinstance(one["facts"], Mapping):
            self.refuse(f"{path}.facts", "facts 必須是「事實名稱: 值」")
            return None
        for name in self.derived.keys() & one["facts"].keys():
            self.refuse(f"{path}.facts.{name}", f"「{name}」由規則得出，不能給定")
        self.problems += facts.check(one["facts"], path=f"{path}.facts", catalogue=self.catalogue)
        derived = one.get("derived", {})
        if not isinstance(derived, Mapping):
            self.refuse(f"{path}.derived", "derived 必須是「名稱: 值」")
            return None
        for name in derived:
            if f"{chaining.PREFIX}{name}" not in self.derived:
                self.refuse(f"{path}.derived", f"沒有「{shown(name)}」這項得出的事實")
        expect = self.items(one["expect"], f"{path}.expect")
        for i, each in enumerate(expect):
            if not isinstance(each, Mapping):
                self.refuse(f"{path}.expect[{i}]", "預期結果必須寫成 {action: 名稱, 參數: 值}")
        return Example(str(one["name"]), dict(one["facts"]), tuple(expect), dict(derived))
