"""Hit policies as a ruleset or a table writes them, and whether a rule can be counted by one."""

from collections.abc import Mapping
from typing import Any, get_args

from rules import actions
from rules.actions import DERIVE
from rules.conditions import shown
from rules.model import Aggregate, HitPolicy, Policy, Rule, output_of
from rules.reading import ABSENT
from rules.rule_reader import RuleReader, no_param
from rules.values import say

#: what a hit policy is told beside its name
POLICY_ITEMS = ("output", "order", "aggregate")


class PolicyReader(RuleReader):
    """Reads on after a mistake, as the reader of the whole."""

    def policy(self, one: Mapping[str, Any], prefix: str, only: tuple[str, str] | None) -> Policy:
        """The hit policy of a ruleset or table; `only` is the output of a table that has but one."""
        hit: HitPolicy = self.choice(one["hit_policy"], f"{prefix}hit_policy", get_args(HitPolicy))
        if one["hit_policy"] != hit:
            return Policy(hit)  # it was refused; what belongs to it is not asked for
        ordered = hit in ("priority", "output_order")
        wanted = ("output", "order") if ordered else ("output", "aggregate") if hit == "collect" else ()
        for name in POLICY_ITEMS:
            if name in one and name not in wanted:
                self.refuse(
                    f"{prefix}{name}",
                    say("「{hit}」不使用 {item}", "“{hit}” uses no {item}", hit=hit, item=name),
                )
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
                    say(
                        "「{aggregate}」需要數字，但動作「{action}」的{label}不是數字",
                        "“{aggregate}” needs numbers; “{label}” of the action “{action}” is none",
                        aggregate=aggregate,
                        action=output[0],
                        label=param.label,
                    ),
                )
            elif output[0] != DERIVE and len(self.actions[output[0]].params) > 1:
                self.refuse(
                    f"{prefix}output",
                    say(
                        "動作「{action}」還有其他參數，無法合計",
                        "The action “{action}” has other parameters too and cannot be added up",
                        action=output[0],
                    ),
                )
            return Policy(hit, output, aggregate=aggregate)
        order = self.items(one.get("order"), f"{prefix}order")
        if not order:
            self.refuse(
                f"{prefix}order",
                say(
                    "「{hit}」需要 order：{label}的值，由最優先的開始",
                    "“{hit}” needs an order: the values of “{label}”, the first to count first",
                    hit=hit,
                    label=param.label,
                ),
            )
        for i, value in enumerate(order):
            if mistake := actions.mistake(param, value, self.functions, self.units):
                self.refuse(f"{prefix}order[{i}]", mistake, choices=tuple(param.choices))
            elif value in order[:i]:
                said = say("「{value}」出現兩次", "“{value}” stands there twice", value=shown(value))
                self.refuse(f"{prefix}order[{i}]", said)
        return Policy(hit, output, tuple(order))

    def policy_output(self, data: object, path: str, hit: str) -> tuple[str, str] | None:
        if data is None:
            self.refuse(
                path,
                say(
                    "「{hit}」需要 output：以哪個動作的哪個參數決定，例如 {{action: set_risk, param: level}}",
                    "“{hit}” needs an output: which parameter of which action decides, such as "
                    "{{action: set_risk, param: level}}",
                    hit=hit,
                ),
            )
            return None
        one = self.mapping(data, path, ("action", "param"))
        if one is None or ABSENT in one.values() or not self.known_action(one["action"], f"{path}.action"):
            return None
        if actions.find(one["action"], str(one["param"]), self.actions) is None:
            self.refuse(f"{path}.param", no_param(one["action"], one["param"]))
            return None
        return one["action"], one["param"]

    def fits(self, policy: Policy, rule: Rule, path: str, cell: tuple[int, int] | None = None) -> None:
        """Whether a policy that goes by an output can go by this rule's; of a table with its row and output."""
        if policy.output is None:
            return
        action, param = policy.output
        value = output_of(rule, policy.output)
        if value is None or [each.action for each in rule.then].count(action) > 1:
            said = say(
                "「{hit}」需要每條規則恰有一個動作「{action}」的「{param}」",
                "“{hit}” needs “{param}” of exactly one action “{action}” in every rule",
                hit=policy.hit,
                action=action,
                param=param,
            )
        elif policy.order and value not in policy.order:
            said = say(
                "「{value}」不在 order 之中：{order}",
                "“{value}” is not in the order “{order}”",
                value=shown(value),
                order=policy.order,
            )
        elif policy.aggregate and sum(len(each.params) or 1 for each in rule.then) > 1:
            said = say(
                "「{aggregate}」只留下「{action}」，其他動作會不見",
                "“{aggregate}” keeps “{action}” only; the other actions would be lost",
                aggregate=policy.aggregate,
                action=action,
            )
        else:
            return
        if cell is not None:
            row, output = cell
            said = say(
                "第 {row} 列第 {output} 個輸出：{said}",
                "Row {row}, output {output}: {said}",
                row=row,
                output=output,
                said=said,
            )
        self.refuse(path, said, rows=cell[:1] if cell else ())
