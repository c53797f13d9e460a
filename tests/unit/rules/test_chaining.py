"""Facts that rules derive for other rules: order, explanation, and what is refused."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from rules import engine
from rules.chaining import MAX_DERIVED, MAX_PASSES
from rules.decision import Decision, NotUnique
from rules.loader import load
from rules.testing import run_examples
from rules.values import DefinitionError

SEVERITY = {
    "type": "text",
    "label": {"zh": "嚴重程度", "en": "severity"},
    "options": {"high": {"zh": "高", "en": "high"}, "low": {"zh": "低", "en": "low"}},
}
POINTS = {
    "type": "number",
    "label": {"zh": "風險點數", "en": "risk points"},
    "unit": {"zh": "點", "en": "points"},
}
URGENT = {"type": "boolean", "label": {"zh": "急件", "en": "urgent"}}


def fact(name: str, op: str, *value: object) -> dict[str, Any]:
    return {"fact": name, "op": op} | ({"value": value[0]} if value else {})


def rule(key: str, when: dict[str, Any] | None, *then: dict[str, Any], **more: Any) -> dict[str, Any]:
    one = {"key": key, "label": {"zh": f"規則 {key}", "en": key}, "then": list(then)} | more
    return one if when is None else one | {"when": when}


def derive(**values: object) -> dict[str, Any]:
    return {"action": "derive", **values}


def risk(level: str) -> dict[str, Any]:
    return {"action": "set_risk", "level": level}


def definition(rules: list[dict[str, Any]], derived: dict[str, Any], **more: Any) -> dict[str, Any]:
    top = {"key": "small", "title": "小", "revision_date": "filing", "hit_policy": "rule_order"}
    return top | {"derived": derived, "rules": rules} | more


def decide(body: dict[str, Any], **facts: object) -> Decision:
    given = {name.replace("_", ".", 1): value for name, value in facts.items()}
    with closing(engine.compile(load(body))) as compiled:
        decision = compiled.evaluate(given, shadow=True)
    assert decision.engine == "durable"
    return decision


def levels(decision: Decision) -> list[Any]:
    return [outcome.params["level"] for outcome in decision.outcomes]


def said(decision: Decision, key: str, lang: str = "zh") -> str:
    return next(each["sentence"][lang] for each in decision.explanation if each["rule"] == key)


def refusals(body: dict[str, Any]) -> list[str]:
    with pytest.raises(DefinitionError) as refused:
        load(body)
    return [str(problem) for problem in refused.value.problems]


#: written so that a rule reads what a rule after it derives
LADDER = definition(
    [
        rule("last", fact("derived.urgent", "eq", True), risk("high")),
        rule("calm", fact("derived.urgent", "missing"), risk("low")),
        rule("middle", fact("derived.severity", "eq", "high"), derive(urgent=True)),
        rule("first", fact("case.fee", "ge", {"param": "floor"}), derive(severity="high")),
    ],
    {"severity": SEVERITY, "urgent": URGENT},
    parameters={"floor": {"value": 6.5, "label": "門檻", "source": "試", "status": "seed"}},
)

#: points are added up by a table of their own, and a second table reads the sum
RATED = definition(
    [],
    {"points": POINTS},
    tables=[
        {
            "key": "rated",
            "label": "分級",
            "hit_policy": "first",
            "inputs": [{"fact": "derived.points", "op": "ge"}],
            "outputs": [{"action": "set_risk", "param": "level"}],
            "rows": [
                {"label": "滿三點", "when": [3], "then": ["high"]},
                {"label": "其他", "when": ["-"], "then": ["low"]},
            ],
        },
        {
            "key": "points",
            "label": "計點",
            "hit_policy": "collect",
            "aggregate": "sum",
            "inputs": [{"fact": "case.fee", "op": "ge"}, {"fact": "case.corrections", "op": "ge"}],
            "outputs": [{"action": "derive", "param": "points"}],
            "rows": [
                {"label": "規費高", "when": [1000, "-"], "then": [2.5]},
                {"label": "補正過", "when": ["-", 1], "then": [0.5]},
            ],
        },
    ],
)


def test_a_rule_reads_what_another_derived_wherever_it_stands() -> None:
    high = decide(LADDER, case_fee=6.5)
    assert (high.fired, levels(high)) == (("last", "middle", "first"), ["high"])
    assert {name: (each.value, each.rules) for name, each in high.derived.items()} == {
        "derived.severity": ("high", ("first",)),
        "derived.urgent": (True, ("middle",)),
    }
    low = decide(LADDER, case_fee=6.4999)
    assert (low.fired, levels(low), low.derived) == (("calm",), ["low"], {})


def test_what_is_derived_cannot_be_given() -> None:
    ruleset = load(LADDER)
    assert ruleset.used == {"case.fee"}
    assert ruleset.layers == ((3,), (2,), (0, 1))
    with closing(engine.compile(ruleset)) as compiled:
        assert levels(compiled.evaluate({"derived.urgent": True}, shadow=True)) == ["low"]
    body = LADDER | {"examples": [{"name": "x", "facts": {"derived.urgent": True}, "expect": []}]}
    assert refusals(body) == ["examples[0].facts.derived.urgent: 「derived.urgent」由規則得出，不能給定"]


def test_the_explanation_chains() -> None:
    high, low = decide(LADDER, case_fee=7), decide(LADDER, case_fee=1)
    assert said(high, "first") == "規費 7 元 ≥ 門檻 6.5 元；得出嚴重程度為「高」"
    assert said(high, "middle") == "因為規則「規則 first」得出嚴重程度為「高」；得出急件為「是」"
    assert said(high, "last") == "因為規則「規則 middle」得出急件為「是」"
    assert said(high, "calm") == "因為規則「規則 middle」得出急件為「是」，不成立"
    assert said(high, "last", "en") == "by “middle”, urgent is “yes”"
    assert said(high, "first", "en").endswith("; so severity is “high”")
    assert said(low, "last") == "沒有規則得出「急件」，無法判斷"
    assert said(low, "calm") == "沒有規則得出「急件」"
    last, _, middle, first = high.explanation
    assert last["when"]["derived_by"] == ["middle"]
    assert (middle["derives"], first["derives"]) == ({"derived.urgent": True}, {"derived.severity": "high"})
    assert "derives" not in last


def test_a_sum_is_derived_and_read() -> None:
    both = decide(RATED, case_fee=1000, case_corrections=1)
    assert (levels(both), both.derived["derived.points"].value) == (["high"], 3)
    assert said(both, "rated.1") == "因為規則「規費高」、「補正過」得出風險點數 3 點 ≥ 3 點"
    assert said(both, "points.2").endswith("加總：2.5＋0.5＝3；得出風險點數為3")
    assert levels(decide(RATED, case_fee=1000)) == ["low"]
    assert levels(decide(RATED)) == ["low"]


def test_a_fact_is_set_once_by_the_first_that_counts() -> None:
    twice = definition(
        [
            rule("high", fact("case.fee", "ge", 5), derive(severity="high")),
            rule("low", fact("case.fee", "ge", 0), derive(severity="low")),
            rule("act", fact("derived.severity", "eq", "low"), risk("low")),
        ],
        {"severity": SEVERITY},
    )
    first = decide(twice, case_fee=9)
    assert (first.fired, levels(first)) == (("high", "low"), [])
    assert said(first, "low") == "規費 9 元 ≥ 0 元；已由規則「規則 high」得出嚴重程度為「高」"
    assert levels(decide(twice, case_fee=1)) == ["low"]


def test_two_derived_facts_may_be_compared() -> None:
    body = definition(
        [
            rule("a", fact("case.fee", "ge", 5), derive(points=3, limit=2)),
            rule("b", fact("derived.points", "gt", {"fact": "derived.limit"}), risk("high")),
        ],
        {"points": POINTS, "limit": POINTS},
    )
    high = decide(body, case_fee=5)
    assert levels(high) == ["high"]
    assert said(high, "b") == ("因為規則「規則 a」得出風險點數 3 點 ＞ 風險點數 2 點（由規則「規則 a」得出）")
    assert decide(body, case_fee=4).fired == ()


def test_examples_expect_derived_facts() -> None:
    example = {"name": "七元", "facts": {"case.fee": 7}, "expect": [{"level": "high"}]}
    right, wrong = example | {"derived": {"urgent": True}}, example | {"derived": {"severity": "low"}}
    assert run_examples(load(LADDER | {"examples": [example, right]})) == []
    (failure,) = run_examples(load(LADDER | {"examples": [wrong]}))
    assert str(failure) == "七元: 預期得出 severity＝low，實際 high"
    assert refusals(LADDER | {"examples": [example | {"derived": {"urgency": True}}]}) == [
        "examples[0].derived: 沒有「urgency」這項得出的事實"
    ]


def test_not_unique_is_said_of_a_layer_too() -> None:
    body = definition(
        [rule("act", fact("derived.severity", "exists"), risk("high"))],
        {"severity": SEVERITY},
        tables=[
            {
                "key": "t",
                "label": "表",
                "hit_policy": "unique",
                "complete": False,
                "inputs": [{"fact": "case.fee"}, {"fact": "case.corrections"}],
                "outputs": [{"action": "derive", "param": "severity"}],
                "rows": [{"when": [1, 1], "then": ["high"]}, {"when": [2, 1], "then": ["low"]}],
            }
        ],
    )
    assert levels(decide(body, case_fee=1, case_corrections=1)) == ["high"]
    body["tables"][0]["rows"][1]["when"] = ["-", 1]
    with (
        closing(engine.compile(load(body, published=True))) as compiled,
        pytest.raises(NotUnique, match=r"t\.1、t\.2"),
    ):
        compiled.evaluate({"case.fee": 1, "case.corrections": 1}, shadow=True)


def test_a_circle_is_refused_and_named() -> None:
    body = definition(
        [
            rule("a", fact("derived.severity", "eq", "high"), derive(urgent=True)),
            rule("b", fact("derived.urgent", "eq", True), derive(severity="high")),
        ],
        {"severity": SEVERITY, "urgent": URGENT},
    )
    assert refusals(body) == [
        "rules[1].when: 得出的事實互相依賴，沒有開始的地方：「derived.severity」由 rules[1] 得出而讀取「derived.urgent」；"
        "「derived.urgent」由 rules[0] 得出而讀取「derived.severity」"
    ]
    itself = definition(
        [rule("a", fact("derived.urgent", "missing"), derive(urgent=True))], {"urgent": URGENT}
    )
    assert refusals(itself) == [
        "rules[0].when: 得出的事實互相依賴，沒有開始的地方：「derived.urgent」由 rules[0] 得出而讀取「derived.urgent」"
    ]


def test_rules_of_which_one_counts_cannot_read_each_other() -> None:
    body = definition(
        [
            rule("act", fact("derived.urgent", "eq", True), risk("high")),
            rule("state", fact("case.fee", "gt", 0), derive(urgent=True)),
        ],
        {"urgent": URGENT},
        hit_policy="first",
    )
    (problem,) = refusals(body)
    assert problem.startswith("rules[0].when: 得出的事實互相依賴")
    assert "「derived.urgent」由 rules[1] 得出，與它一起決定的 rules[0] 讀取「derived.urgent」" in problem


def chain(length: int) -> dict[str, Any]:
    names = [f"f{n}" for n in range(length)]
    rules = [rule("start", fact("case.fee", "gt", 0), derive(f0=True))]
    rules += [
        rule(f"r{n}", fact(f"derived.f{n}", "eq", True), derive(**{f"f{n + 1}": True}))
        for n in range(length - 1)
    ]
    rules.append(rule("end", fact(f"derived.f{length - 1}", "eq", True), risk("high")))
    return definition(rules, dict.fromkeys(names, URGENT))


def test_a_chain_has_an_end() -> None:
    assert levels(decide(chain(MAX_PASSES - 1), case_fee=1)) == ["high"]
    (problem,) = refusals(chain(MAX_PASSES))
    assert problem == f"rules[8].when: 「derived.f7」要推導 {MAX_PASSES} 次以上才能得出，請減少層次"
    assert refusals(chain(MAX_DERIVED + 1))[0] == f"derived: 得出的事實最多 {MAX_DERIVED} 項"


@pytest.mark.parametrize(
    ("derived", "then", "message"),
    [
        ({"severity": SEVERITY}, derive(severity="hihg"), "rules[0].then[0].severity: 嚴重程度「hihg」不在可選的值之中"),
        ({"urgent": URGENT}, derive(urgent="yes"), "rules[0].then[0].urgent: 急件「yes」必須是 true 或 false"),
        ({"points": POINTS}, derive(points="3"), "rules[0].then[0].points: 風險點數「3」必須是數字"),
        ({"urgent": URGENT}, derive(urgency=True), "rules[0].then[0].urgency: 動作「derive」沒有參數「urgency」"),
        ({"urgent": URGENT}, derive(), "rules[0].then[0]: 動作「derive」至少要得出一項：urgent"),
        ({}, derive(urgent=True), "rules[0].then[0].action: 沒有「derive」這個動作"),
        ({"urgent": URGENT}, risk("low"), "derived.urgent: 沒有任何規則得出「derived.urgent」"),
        ({"urgent": URGENT}, derive(urgent=True), "derived.urgent: 沒有任何規則讀取「derived.urgent」"),
        ({"urgent": URGENT | {"type": "date"}}, risk("low"), "derived.urgent.type: 「date」不在可選的值之中"),
        ({"urgent": URGENT | {"options": {"a": "甲"}}}, risk("low"), "derived.urgent.options: 只有文字才有 options"),
        ({"urgent": {"type": "text", "label": "急"}}, risk("low"), "derived.urgent.options: 文字需要 options"),
        ({"urgent": {"type": "text", "label": "急", "options": {"A b": "甲"}}}, risk("low"), "代碼「A b」只能用"),
        ({"Urgent": URGENT}, risk("low"), "derived.Urgent: 代碼「Urgent」只能用"),
        (["urgent"], risk("low"), "derived: derived 必須是「名稱: {type, label, …}」"),
        ({"urgent": 1}, risk("low"), "derived.urgent: 「1」必須是一組「名稱: 值」"),
    ],
)  # fmt: skip
def test_what_is_refused(derived: Any, then: dict[str, Any], message: str) -> None:
    assert message in "\n".join(refusals(definition([rule("a", fact("case.fee", "gt", 0), then)], derived)))


def test_a_rule_on_a_fact_that_nobody_declared() -> None:
    body = definition([rule("a", fact("derived.urgen", "eq", True), derive(urgent=True))], {"urgent": URGENT})
    assert "rules[0].when.fact: 沒有「derived.urgen」這項事實，是否為「derived.urgent」？" in refusals(body)


def test_a_fault_in_a_later_pass_gives_the_engine_up_and_the_reference_decides_all(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    match, asked = engine._Handle.match, []

    def fail_second(handle: engine._Handle, fact: str) -> list[int]:
        asked.append(fact)
        if len(asked) == 2:
            raise engine.EngineFault("code 7")
        return match(handle, fact)

    with closing(engine.compile(load(LADDER))) as compiled:
        monkeypatch.setattr(engine._Handle, "match", fail_second)
        decision = compiled.evaluate({"case.fee": 7})
    assert (decision.engine, levels(decision), len(asked)) == ("reference", ["high"], 2)
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]


def test_closing_while_others_chain() -> None:
    ruleset = load(LADDER)
    with ThreadPoolExecutor(8) as threads:
        for _ in range(10):
            compiled = engine.compile(ruleset)
            decided = [threads.submit(compiled.evaluate, {"case.fee": 7}) for _ in range(50)]
            compiled.close()
            assert {tuple(levels(each.result())) for each in decided} == {("high",)}


def test_the_example_of_the_guide_is_a_ruleset() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
    example = yaml.safe_load(guide.partition("## Derived facts")[2].split("```")[1].removeprefix("yaml"))
    rules = definition(**example)
    assert levels(decide(rules, applicant_rejections=3, case_documents_missing=3)) == ["high"]
    assert levels(decide(rules, applicant_rejections=3)) == []
