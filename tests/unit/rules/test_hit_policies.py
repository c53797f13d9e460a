"""The hit policies of DMN: what follows where several rules hold, what is refused, and what the explanation says."""

from contextlib import closing
from datetime import date
from typing import Any

import pytest

from rules import engine
from rules.decision import Decision
from rules.loader import load
from rules.values import DefinitionError

LEVEL = {"action": "set_risk", "param": "level"}
POINTS = {"action": "add_points", "param": "points"}
HIGH_FIRST = {"output": LEVEL, "order": ["high", "medium", "low"]}


def over(amount: object) -> dict[str, Any]:
    return {"fact": "case.fee", "op": "ge", "value": amount}


def risk(key: str, level: str, amount: object) -> dict[str, Any]:
    return {"key": key, "label": key, "when": over(amount), "then": [{"action": "set_risk", "level": level}]}


def points(key: str, value: object, amount: object) -> dict[str, Any]:
    return {
        "key": key,
        "label": key,
        "when": over(amount),
        "then": [{"action": "add_points", "points": value}],
    }


RISKS = [risk("a", "low", 0), risk("b", "high", 10), risk("c", "medium", 5), risk("d", "high", 10)]
SCORES = [points("a", 3, 0), points("b", 0.5, 10), points("c", -1, 10)]


def definition(policy: str, rules: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    top = {
        "key": "small",
        "title": {"zh": "小", "en": "Small"},
        "revision_date": "filing",
        "hit_policy": policy,
    }
    return top | {"rules": rules} | more


def decide(body: dict[str, Any], fee: object) -> Decision:
    with closing(engine.compile(load(body))) as compiled:
        return compiled.evaluate({"case.fee": fee}, shadow=True)


def said(decision: Decision, rule: str, lang: str = "zh") -> str:
    return next(entry["sentence"][lang] for entry in decision.explanation if entry["rule"] == rule)


def refusals(body: dict[str, Any]) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        load(body)
    return [str(problem) for problem in refused.value.problems]


# --- priority and output order ---------------------------------------------------------------------------


@pytest.mark.parametrize(("fee", "fired"), [(10, "b"), (5, "c"), (0, "a"), (-1, None)])
def test_priority_takes_the_output_that_stands_first(fee: int, fired: str | None) -> None:
    decision = decide(definition("priority", RISKS, **HIGH_FIRST), fee)
    assert decision.fired == ((fired,) if fired else ())


def test_priority_says_what_went_before() -> None:
    decision = decide(definition("priority", RISKS, **HIGH_FIRST), 10)
    assert [entry["status"] for entry in decision.explanation] == [
        "superseded",
        "fired",
        "superseded",
        "superseded",
    ]
    assert said(decision, "a") == "條件成立，但「等級」以「高」為先，這條規則是「低」"
    assert said(decision, "a", "en") == "it holds, but for “level” “high” goes before “low”"
    assert said(decision, "d") == "條件成立，但已由順序在前的規則決定"
    assert said(decision, "b") == "規費 10 元 ≥ 10 元；「等級」的順位：「高」、「中」、「低」"


def test_output_order_keeps_all_hits_sorted() -> None:
    decision = decide(definition("output_order", RISKS, **HIGH_FIRST), 10)
    assert decision.fired == ("b", "d", "c", "a")
    assert [outcome.params["level"] for outcome in decision.outcomes] == ["high", "high", "medium", "low"]
    assert decide(definition("rule_order", RISKS), 10).fired == ("a", "b", "c", "d")


def test_a_table_in_output_order_stands_where_it_stood() -> None:
    rows = [{"when": ["-"], "then": ["low"]}, {"when": [5], "then": ["high"]}]
    table = {
        "key": "levels",
        "label": "等級",
        "hit_policy": "output_order",
        "order": ["high", "low"],
        "inputs": [{"fact": "case.fee", "op": "ge"}],
        "outputs": [LEVEL],
        "rows": rows,
    }
    body = definition("rule_order", [risk("a", "medium", 0)], tables=[table])
    assert decide(body, 7).fired == ("a", "levels.2", "levels.1")


# --- collect ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aggregate", "fee", "value", "sentence"),
    [
        ("sum", 10, "2.5", "規費 10 元 ≥ 0 元；加總：3＋0.5＋-1＝2.5"),
        ("min", 10, "-1", "規費 10 元 ≥ 0 元；取最小值：3、0.5、-1之中的 -1"),
        ("max", 10, "3", "規費 10 元 ≥ 0 元；取最大值：3、0.5、-1之中的 3"),
        ("count", 10, "3", "規費 10 元 ≥ 0 元；共 3 條規則成立"),
        ("sum", 1, "3", "規費 1 元 ≥ 0 元；加總：3＝3"),
        ("count", 1, "1", "規費 1 元 ≥ 0 元；共 1 條規則成立"),
    ],
)
def test_collect(aggregate: str, fee: int, value: str, sentence: str) -> None:
    decision = decide(definition("collect", SCORES, output=POINTS, aggregate=aggregate), fee)
    assert [(o.rule, o.action, str(o.params["points"])) for o in decision.outcomes] == [
        ("small", "add_points", value)
    ]
    assert said(decision, "a") == sentence
    (total,) = decision.totals
    assert (total.table, str(total.value)) == (None, value)
    assert [rule for rule, _ in total.hits] == list(decision.fired)


@pytest.mark.parametrize(("aggregate", "outcomes"), [("sum", 0), ("min", 0), ("max", 0), ("count", 1)])
def test_collect_of_nothing_is_a_count_of_none(aggregate: str, outcomes: int) -> None:
    decision = decide(definition("collect", SCORES, output=POINTS, aggregate=aggregate), -1)
    assert decision.fired == ()
    assert [outcome.params["points"] for outcome in decision.outcomes] == [0] * outcomes


def test_a_table_collects_beside_the_rules() -> None:
    table = {
        "key": "score",
        "label": "計點",
        "hit_policy": "collect",
        "aggregate": "sum",
        "inputs": [{"fact": "case.fee", "op": "ge"}],
        "outputs": [POINTS],
        "rows": [{"when": [1], "then": [2]}, {"when": [5], "then": [3]}],
    }
    decision = decide(definition("first", RISKS, tables=[table]), 9)
    assert decision.fired == ("a", "score.1", "score.2")
    assert [(o.rule, dict(o.params)) for o in decision.outcomes] == [
        ("a", {"level": "low"}),
        ("score", {"points": 5}),
    ]


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "rules", "more", "message"),
    [
        (
            "collect",
            RISKS,
            {"output": LEVEL, "aggregate": "sum"},
            "output: 「sum」需要數字，但動作「set_risk」的等級不是數字",
        ),
        ("collect", SCORES, {"output": POINTS}, "aggregate: 「None」不在可選的值之中：sum、min、max、count"),
        (
            "collect",
            SCORES,
            {"aggregate": "sum"},
            "output: 「collect」需要 output：以哪個動作的哪個參數決定，",
        ),
        (
            "collect",
            RISKS,
            {"output": POINTS, "aggregate": "max"},
            "rules[0].then: 「collect」需要每條規則恰有一個動作",
        ),
        (
            "collect",
            [
                points("a", 1, 0)
                | {"then": [{"action": "add_points", "points": 1}, {"action": "mark_confidential"}]}
            ],
            {"output": POINTS, "aggregate": "sum"},
            "rules[0].then: 「sum」只留下「add_points」，其他動作會不見",
        ),
        (
            "collect",
            SCORES,
            {"output": {"action": "set_period", "param": "period"}, "aggregate": "sum"},
            "output: 動作「set_period」還有其他參數，無法合計",
        ),
        ("priority", RISKS, {"output": LEVEL}, "order: 「priority」需要 order：等級的值，由最優先的開始"),
        (
            "priority",
            RISKS,
            {"output": LEVEL, "order": ["high", "low"]},
            "rules[2].then: 「medium」不在 order 之中：high、low",
        ),
        (
            "priority",
            RISKS,
            {"output": LEVEL, "order": ["high", "huge"]},
            "order[1]: 等級「huge」不在可選的值之中",
        ),
        ("output_order", RISKS, {"output": LEVEL, "order": ["low", "low"]}, "order[1]: 「low」出現兩次"),
        (
            "output_order",
            SCORES,
            HIGH_FIRST,
            "rules[0].then: 「output_order」需要每條規則恰有一個動作「set_risk」的「level」",
        ),
        ("first", RISKS, {"order": ["high"]}, "order: 「first」不使用 order"),
        (
            "priority",
            RISKS,
            {"output": {"action": "set_risk", "param": "levle"}},
            "output.param: 動作「set_risk」沒有參數「levle」",
        ),
        ("priority", RISKS, {"output": "level"}, "output: 「level」必須是一組「名稱: 值」"),
    ],
)
def test_a_policy_that_makes_no_sense(policy: str, rules: Any, more: dict[str, Any], message: str) -> None:
    assert refusals(definition(policy, rules, **more))[0].startswith(message)


def table(policy: str, rows: list[tuple[list[Any], list[Any]]], **more: Any) -> dict[str, Any]:
    grid = {
        "key": "grid",
        "label": "表",
        "hit_policy": policy,
        "inputs": [{"fact": "case.fee", "op": "ge"}],
        "outputs": [LEVEL, {"action": "pick_officer", "param": "by"}],
        "rows": [{"when": when, "then": then} for when, then in rows],
    }
    return definition("rule_order", [], tables=[grid | more])


def test_a_table_names_the_row_and_the_column() -> None:
    rows = [([10], ["turn", "turn"]), (["-"], ["low", "turn"])]
    assert refusals(table("priority", rows, **HIGH_FIRST))[0].startswith(
        "tables[0].rows[0].then[0]: 等級「turn」"
    )
    rows = [([10], ["high", "turn"]), (["-"], ["medium", "turn"])]
    assert refusals(table("priority", rows, output=LEVEL, order=["high", "low"])) == [
        "tables[0].rows[1].then[0]: 第 2 列第 1 個輸出：「medium」不在 order 之中：high、low"
    ]
    rows = [([10], ["high", "turn"]), (["-"], ["-", "turn"])]
    assert refusals(table("priority", rows, **HIGH_FIRST)) == [
        "tables[0].rows[1].then[0]: 第 2 列第 1 個輸出：「priority」需要每條規則恰有一個動作「set_risk」的「level」"
    ]
    assert refusals(table("priority", rows, output=POINTS, order=[1]))[0] == (
        "tables[0].outputs: 「priority」需要「add_points.points」這一欄"
    )
    rows = [([10], ["high", "turn"])]
    assert "需要 output" in refusals(table("priority", rows, order=["high"]))[0]
    body = table("priority", rows, **HIGH_FIRST)
    del body["tables"][0]["hit_policy"]
    assert refusals(body)[0] == "tables[0].output: 沒有 hit_policy 的表不使用 output"


@pytest.mark.parametrize(
    ("policy", "rows", "found"),
    [
        # one result is wanted: a gap is a mistake
        ("priority", [([10], "high")], ["tables[0].rows: 缺口：規費小於 10，沒有任何一列符合"]),
        ("priority", [([10], "high"), (["-"], "low")], []),
        ("priority", [(["-"], "high"), ([10], "low")], ["tables[0].rows[1]: 第 2 列永遠不會被採用"]),
        ("priority", [([10], "low"), (["-"], "high")], ["tables[0].rows[0]: 第 1 列永遠不會被採用"]),
        ("priority", [(["-"], "low"), (["-"], "low")], ["tables[0].rows[1]: 第 2 列永遠不會被採用"]),
        # every hit counts: neither gap nor overlap is one
        ("output_order", [([10], "low"), ([5], "high")], []),
        ("unique", [([10], "low"), ([5], "high")], ["tables[0].rows: 缺口", "tables[0].rows[1]: 重疊"]),
    ],
)
def test_gaps_and_idle_rows_follow_the_policy(policy: str, rows: list[Any], found: list[str]) -> None:
    more = {} if policy == "unique" else HIGH_FIRST
    body = table(policy, [(when, [level, "turn"]) for when, level in rows], **more)
    problems = refusals(body) if found else []
    if not found:
        load(body)
    assert [problem[: len(part)] for problem, part in zip(problems, found, strict=True)] == found


def test_a_row_that_contradicts_itself_is_found_under_every_policy() -> None:
    body = table("rule_order", [([10, 5], ["low", "turn"])])
    body["tables"][0]["inputs"].append({"fact": "case.fee", "op": "lt"})
    assert refusals(body) == ["tables[0].rows[0]: 第 1 列永遠不會被採用"]


def test_what_was_published_is_read_and_not_checked_anew() -> None:
    body = table("first", [(["-"], ["low", "turn"]), ([10], ["high", "turn"])])
    assert refusals(body) == ["tables[0].rows[1]: 第 2 列永遠不會被採用"]
    assert len(load(body, published=True).rules) == 2
    word = {"fact": "plan.level", "op": "eq", "value": "township"}
    renamed = definition("rule_order", [RISKS[0] | {"when": word}])
    assert refusals(renamed) == [
        "rules[0].when: 「列管層級」沒有「township」這個值，可用：magistrate、county、unit"
    ]
    assert load(renamed, published=True).rules


def test_a_missing_number_is_a_region_of_its_own() -> None:
    rows = [
        ([{"op": "missing"}], ["low", "turn"]),
        ([10], ["high", "turn"]),
        ([{"op": "lt", "value": 10}], ["low", "turn"]),
    ]
    assert load(table("unique", rows))
    assert refusals(table("unique", rows[:2])) == ["tables[0].rows: 缺口：規費小於 10，沒有任何一列符合"]


# --- dates and sources -----------------------------------------------------------------------------------


def test_a_ruleset_has_its_days() -> None:
    ruleset = load(definition("rule_order", RISKS, effective_from="2026-01-01", effective_to="2026-12-31"))
    days = [date(2025, 12, 31), date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1)]
    assert [ruleset.in_force(day) for day in days] == [False, True, True, False]
    assert load(definition("rule_order", RISKS)).in_force(date.min)
    open_ended = load(definition("rule_order", RISKS, effective_from="2026-01-01"))
    assert (open_ended.in_force(date.min), open_ended.in_force(date.max)) == (False, True)
    assert refusals(definition("first", RISKS, effective_from="2026-02-30", effective_to="民國")) == [
        "effective_from: 「2026-02-30」不是日期，請寫成 2026-01-31",
        "effective_to: 「民國」不是日期，請寫成 2026-01-31",
    ]
    assert refusals(definition("first", RISKS, effective_from="2026-02-02", effective_to="2026-02-01")) == [
        "effective_to: 失效日 2026-02-01 早於生效日 2026-02-02"
    ]


def test_a_rule_shows_where_it_comes_from() -> None:
    sourced = RISKS[0] | {"source": {"zh": "規費法", "en": "Charges and Fees Act"}, "status": "sourced"}
    entry = decide(definition("rule_order", [sourced, *RISKS[1:]]), 0).explanation[0]
    assert (entry["source"], entry["origin"]) == ({"zh": "規費法", "en": "Charges and Fees Act"}, "sourced")
    assert "source" not in decide(definition("rule_order", RISKS), 0).explanation[0]
    assert refusals(definition("first", [RISKS[0] | {"source": "規費法"}])) == [
        "rules[0].status: source 與 status 必須一起寫，缺少「status」"
    ]
    rows = table("first", [(["-"], ["low", "turn"])], source="作業要點", status="seed")
    rows["tables"][0]["rows"].append(
        {"when": ["-"], "then": ["low", "turn"], "source": "x", "status": "guess"}
    )
    assert refusals(rows)[0].startswith("tables[0].rows[1].status: 「guess」")
    rows["tables"][0]["rows"].pop()
    assert load(rows).rules[0].status == "seed"
