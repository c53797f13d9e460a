"""Decision tables as they are written, cell by cell, and then as a whole."""

from collections.abc import Mapping
from typing import Any, get_args

from rules import actions, tables
from rules.conditions import All, Leaf, Op, no_fact
from rules.model import Outcome, Policy, Rule, Status
from rules.policy_reader import POLICY_ITEMS, PolicyReader
from rules.reading import ABSENT
from rules.rule_reader import no_param
from rules.values import Text, say

#: an empty cell of a table: any value of an input, no action of an output
ANY = ("-", None, "")
#: several rules may hold, and each of them counts; so nothing is missing where none does
SEVERAL = ("collect", "rule_order", "output_order")

#: a row as read: its cells, its actions, its label and what is told in plain words, and where it comes from
_Row = tuple[
    list[tables.Cell], tuple[Outcome, ...], Text | None, Text | None, tuple[Text | None, Status | None]
]


class TableReader(PolicyReader):
    """Reads on after a mistake, as the reader of the whole."""

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
            said = say(
                "沒有 hit_policy 的表不使用 {item}",
                "A table without a hit_policy uses no {item}",
                item=unused[0],
            )
            self.refuse(f"{path}.{unused[0]}", said)
        if policy.output and outputs and policy.output not in outputs:
            said = say(
                "「{hit}」需要「{output}」這一欄",
                "“{hit}” needs the column “{output}”",
                hit=policy.hit,
                output=".".join(policy.output),
            )
            self.refuse(f"{path}.outputs", said)
        complete = one.get("complete", policy.hit not in SEVERAL)
        if not isinstance(complete, bool):
            said = Text(zh="complete 必須是 true 或 false", en="complete must be true or false")
            self.refuse(f"{path}.complete", said)
        origin = self.origin(one, path)
        rows = self.items(one["rows"], f"{path}.rows")
        if not rows and len(self.problems) == before:
            self.refuse(f"{path}.rows", Text(zh="表格至少要有一列", en="A table has at least one row"))
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
                    row_label or say("{label}第 {row} 列", "{label}, row {row}", label=label, row=number),
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
                self.fits(policy, rule, f"{path}.rows[{i}].then[{column}]", (i + 1, column + 1))
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
            self.refuse(where, finding.message, rows=finding.rows)

    def inputs(self, data: object, path: str) -> list[tuple[str, Op]]:
        result: list[tuple[str, Op]] = []
        for i, each in enumerate(self.items(data, path)):
            one = self.mapping(each, f"{path}[{i}]", ("fact",), ("op",))
            if one is None or one["fact"] is ABSENT:
                continue
            if not isinstance(one["fact"], str) or one["fact"] not in self.types:
                said = no_fact(one["fact"], self.types)
                said = say("第 {column} 欄：{said}", "Column {column}: {said}", column=i + 1, said=said)
                self.refuse(f"{path}[{i}].fact", said)
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
                self.refuse(f"{path}[{i}].param", no_param(*pair))
            elif pair in result:
                said = say(
                    "「{action}」的「{param}」出現兩欄",
                    "There are two columns for “{param}” of “{action}”",
                    action=pair[0],
                    param=pair[1],
                )
                self.refuse(f"{path}[{i}]", said)
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
            said = say("第 {row} 列沒有任何動作", "Row {row} has no action", row=number)
            self.refuse(f"{path}.then", said, rows=(number,))
        called = [self.call(rule, action, each, f"{path}.then") for action, each in given.items()]
        return cells, tuple(outcome for outcome in called if outcome), label, plain, self.origin(one, path)

    def row_of(self, data: object, path: str, width: int) -> list[Any]:
        items = self.items(data, path)
        if isinstance(data, list) and len(items) != width:
            said = say(
                "這一列有 {cells} 格，表格有 {columns} 欄",
                "Cells of this row: {cells}; columns of the table: {columns}",
                cells=len(items),
                columns=width,
            )
            self.refuse(path, said)
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
        for i, problem in enumerate(self.problems[known:], start=known):
            said = say(
                "第 {row} 列第 {column} 欄「{label}」：{said}",
                "Row {row}, column {column} “{label}”: {said}",
                row=row,
                column=column,
                label=label,
                said=problem.message,
            )
            self.problems[i] = problem.model_copy(update={"message": said, "rows": (row,)})
        return condition if isinstance(condition, Leaf) else None
