import json
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from rules import engine, facts
from rules.actions import ACTIONS
from rules.decision import Decision, NotUnique, Outcome
from rules.loader import load, read_all
from rules.model import Ruleset
from rules.testing import run_examples
from workflows.functions import FUNCTIONS

FACTORY = read_all()


def decide(ruleset: Ruleset, given: dict[str, Any]) -> Decision:
    with closing(engine.compile(ruleset)) as compiled:
        decision = compiled.evaluate(given, shadow=True)
    assert decision.engine == "durable"
    return decision


def factory(key: str, **values: object) -> Ruleset:
    """A factory ruleset with some parameters changed, as an administrator would."""
    body = FACTORY[key]
    parameters = {
        name: each | {"value": values.get(name, each["value"])} for name, each in body["parameters"].items()
    }
    return load(body | {"parameters": parameters})


def small(policy: str, *rules: dict[str, Any], **more: Any) -> Ruleset:
    definition = {
        "key": "small",
        "title": {"zh": "小規則集", "en": "Small"},
        "revision_date": "filing",
        "hit_policy": policy,
    }
    return load(definition | {"rules": list(rules)} | more)


def rule(key: str, level: str, when: object = None, priority: int = 0) -> dict[str, Any]:
    then = [{"action": "set_risk", "level": level}]
    made: dict[str, Any] = {"key": key, "label": key, "then": then, "priority": priority}
    return made if when is None else made | {"when": when}


def fee(op: str, value: object) -> dict[str, object]:
    return {"fact": "case.fee", "op": op, "value": value}


# --- factory rulesets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", list(FACTORY))
def test_factory_rulesets_meet_their_examples(key: str) -> None:
    ruleset = load(FACTORY[key], functions=FUNCTIONS, units=frozenset())
    assert ruleset.key == key
    assert len(ruleset.examples) >= 5
    assert run_examples(ruleset) == []
    assert all(parameter.source.zh for parameter in ruleset.parameters.values())
    json.dumps(FACTORY[key])


@pytest.mark.parametrize(
    ("days_left", "rungs"),
    [
        (30, 0),
        (3, 0),
        (2, 1),
        (1, 1),
        (0, 2),
        (-1, 3),
        (-2, 3),
        (-3, 4),
        (-5, 4),
        (-6, 5),
        (-14, 5),
        (-15, 6),
        (-400, 6),
        (2.0, 1),
        (Decimal("2.000001"), 0),
        ("2", 0),
        (None, 0),
    ],
)
def test_the_reminder_ladder(days_left: object, rungs: int) -> None:
    ladder = ["warn", "due", "overdue_first", "overdue_second", "overdue_third", "review"]
    decision = decide(factory("case_deadlines"), {"case.days_left": days_left, "case.paused": False})
    assert list(decision.fired) == ladder[:rungs]
    assert [outcome.params["rung"] for outcome in decision.outcomes] == ladder[:rungs]


def test_a_paused_case_is_not_pressed() -> None:
    ruleset = factory("case_deadlines")
    assert decide(ruleset, {"case.days_left": -20, "case.paused": True}).fired == ()
    assert len(decide(ruleset, {"case.days_left": -20}).fired) == 6


def test_the_changed_parameter_decides_and_is_quoted() -> None:
    given = {"case.days_left": 3, "case.paused": False}
    before = decide(factory("case_deadlines"), given)
    after = decide(factory("case_deadlines", warn_days=3), given)
    assert (before.fired, after.fired) == ((), ("warn",))
    assert (
        before.explanation[0]["sentence"]["zh"] == "距到期日剩 3 個工作天（須 ≤ 預警天數 2 個工作天），不成立"
    )
    assert after.explanation[0]["sentence"]["zh"].startswith("距到期日剩 3 個工作天 ≤ 預警天數 3 個工作天")


def test_routing_reads_its_table() -> None:
    decision = decide(factory("intake_routing"), {"service.code": "EC06", "service.period": 20})
    assert decision.outcomes == (
        Outcome("officer.1", "assign_unit", {"unit": "handling"}),
        Outcome("officer.1", "assign_function", {"function": "officer"}),
        Outcome("officer.1", "pick_officer", {"by": "township"}),
    )
    assert decision.used == {"service.code", "service.period"}


# --- hit policies ----------------------------------------------------------------------------------------

OVERLAPPING = (rule("low", "low", fee("ge", 0)), rule("high", "high", fee("ge", 100)), rule("any", "medium"))


@pytest.mark.parametrize(
    ("policy", "amount", "fired"),
    [
        ("first", 100, ("low",)),
        ("first", -1, ("any",)),
        ("rule_order", 100, ("low", "high", "any")),
        ("rule_order", 5, ("low", "any")),
        ("unique", -1, ("any",)),
    ],
)
def test_hit_policies(policy: str, amount: int, fired: tuple[str, ...]) -> None:
    assert decide(small(policy, *OVERLAPPING), {"case.fee": amount}).fired == fired


def test_unique_refuses_to_choose() -> None:
    with (
        closing(engine.compile(small("unique", *OVERLAPPING))) as compiled,
        pytest.raises(NotUnique) as refused,
    ):
        compiled.evaluate({"case.fee": 100})
    assert refused.value.rules == ("low", "high", "any")
    assert str(refused.value) == "規則集「小規則集」只容許一條規則成立，但同時成立的有：low、high、any"


def test_a_higher_priority_counts_first() -> None:
    rules = (rule("a", "low"), rule("b", "high", priority=5), rule("c", "medium", priority=-1))
    assert decide(small("rule_order", *rules), {}).fired == ("b", "a", "c")
    assert decide(small("first", *rules), {}).fired == ("b",)


def test_a_table_may_have_a_policy_of_its_own() -> None:
    table = {
        "key": "risk",
        "label": "風險",
        "hit_policy": "first",
        "inputs": [{"fact": "case.fee", "op": "ge"}],
        "outputs": [{"action": "set_risk", "param": "level"}],
        "rows": [
            {"when": [100], "then": ["high"]},
            {"when": [10], "then": ["medium"]},
            {"when": ["-"], "then": ["low"]},
        ],
    }
    own = small("rule_order", *OVERLAPPING, tables=[table])
    assert decide(own, {"case.fee": 100}).fired == ("low", "high", "any", "risk.1")
    assert decide(own, {}).fired == ("any", "risk.3")
    del table["hit_policy"]
    together = small("first", *OVERLAPPING, tables=[table | {"complete": False}])
    assert decide(together, {"case.fee": 100}).fired == ("low",)


# --- facts and explanation -------------------------------------------------------------------------------


def test_facts_may_arrive_as_parsed_json() -> None:
    rules = (
        rule("exact", "low", fee("eq", 6.5)),
        rule("below", "low", fee("lt", 6.5)),
        rule("later", "low", {"fact": "case.filed_on", "op": "gt", "value": "2026-11-22"}),
        rule("joint", "low", {"fact": "service.co_review_units", "op": "contains", "value": "EC"}),
    )
    ruleset = small("rule_order", *rules)
    parsed = json.loads(
        '{"case.fee": 6.5, "case.filed_on": "2026-11-23", "service.co_review_units": ["PW", "EC"]}'
    )
    assert decide(ruleset, parsed).fired == ("exact", "later", "joint")
    typed = {
        "case.fee": Decimal("6.49999999"),
        "case.filed_on": date(2026, 11, 22),
        "service.co_review_units": ("PW",),
        "unheard.of": 1,
    }
    decision = decide(ruleset, typed)
    assert decision.fired == ("below",)
    assert "unheard.of" not in decision.facts


def test_a_decision_is_json() -> None:
    when = {"all": [fee("le", {"fact": "service.period"}), {"fact": "case.filed_on", "op": "exists"}]}
    ruleset = small("first", rule("a", "low", when))
    decision = decide(
        ruleset, {"case.fee": Decimal("1.50"), "service.period": 2, "case.filed_on": date(2026, 1, 2)}
    )
    assert json.loads(json.dumps(decision.to_json())) == decision.to_json()
    assert decision.to_json() == {
        "outcomes": [{"rule": "a", "action": "set_risk", "params": {"level": "low"}}],
        "explanation": [
            {
                "rule": "a",
                "label": {"zh": "a", "en": "a"},
                "status": "fired",
                "result": True,
                "sentence": {
                    "zh": "規費 1.5 元 ≤ 公告處理期限 2；有「申請日期」的資料",
                    "en": "Fee 1.5 NT$ ≤ Published period 2; Filing date is known",
                },
                "when": {
                    "all": [
                        {
                            "fact": "case.fee",
                            "label": {"zh": "規費", "en": "Fee"},
                            "op": "le",
                            "actual": "1.50",
                            "threshold": 2,
                            "other_fact": "service.period",
                            "result": True,
                            "sentence": {
                                "zh": "規費 1.5 元 ≤ 公告處理期限 2",
                                "en": "Fee 1.5 NT$ ≤ Published period 2",
                            },
                        },
                        {
                            "fact": "case.filed_on",
                            "label": {"zh": "申請日期", "en": "Filing date"},
                            "op": "exists",
                            "actual": "2026-01-02",
                            "result": True,
                            "sentence": {
                                "zh": "有「申請日期」的資料",
                                "en": "Filing date is known",
                            },
                        },
                    ],
                    "result": True,
                },
            }
        ],
    }


def text(op: str, value: object) -> dict[str, object]:
    return {"fact": "case.channel", "op": op, "value": value}


@pytest.mark.parametrize(
    ("when", "given", "sentence"),
    [
        (fee("ge", 10), {"case.fee": 10}, "規費 10 元 ≥ 10 元"),
        (fee("ge", 10), {"case.fee": 1234.5}, "規費 1,234.5 元 ≥ 10 元"),
        (fee("ge", 10), {}, "沒有「規費」的資料，無法判斷"),
        (fee("ge", 10), {"case.fee": "十"}, "「規費」的值「十」不是可比較的值，無法判斷"),
        ({"not": fee("ge", 10)}, {"case.fee": 3}, "規費 3 元 ＜ 10 元"),
        ({"not": fee("ge", 10)}, {}, "沒有「規費」的資料，無法判斷"),
        (fee("le", {"fact": "service.period"}), {"case.fee": 3}, "沒有「公告處理期限」的資料，無法判斷"),
        (
            {"fact": "case.days_left", "op": "le", "value": -3},
            {"case.days_left": -4},
            "已逾期 4 個工作天 ≥ 已逾期 3 個工作天",
        ),
        (
            {"fact": "case.filed_on", "op": "lt", "value": "2026-12-01"},
            {"case.filed_on": "2026-11-22"},
            "申請日期 民國115年11月22日 ＜ 民國115年12月1日",
        ),
        (text("eq", "online"), {"case.channel": "online"}, "收件管道為「online」"),
        (
            text("eq", "online"),
            {"case.channel": "counter"},
            "收件管道為「counter」（須為「online」），不成立",
        ),
        (
            text("ne", "online"),
            {"case.channel": "counter"},
            "收件管道為「counter」（須不是「online」）",
        ),
        (text("in", ["a", "b"]), {"case.channel": "c"}, "收件管道為「c」（須為「a」、「b」之一），不成立"),
        (
            {"not": text("in", ["a", "b"])},
            {"case.channel": "c"},
            "收件管道為「c」（須不是「a」、「b」其中之一）",
        ),
        (
            {"fact": "service.co_review_units", "op": "contains", "value": "EC"},
            {"service.co_review_units": ["PW", "HE"]},
            "會辦單位為「PW」、「HE」（須包含「EC」），不成立",
        ),
        (
            {"fact": "case.paused", "op": "eq", "value": True},
            {"case.paused": False},
            "期限暫停計算為「否」（須為「是」），不成立",
        ),
        ({"fact": "case.fee", "op": "missing"}, {}, "沒有「規費」的資料"),
        ({"fact": "case.fee", "op": "missing"}, {"case.fee": 0}, "有「規費」的資料，不成立"),
        # only what decided is said
        ({"all": [fee("ge", 10), text("eq", "a")]}, {"case.fee": 1}, "規費 1 元（須 ≥ 10 元），不成立"),
        ({"all": [fee("ge", 10), text("eq", "a")]}, {"case.fee": 11}, "沒有「收件管道」的資料，無法判斷"),
        ({"any": [fee("ge", 10), text("eq", "a")]}, {"case.fee": 11}, "規費 11 元 ≥ 10 元"),
        (
            {"any": [fee("ge", 10), text("eq", "a")]},
            {"case.fee": 1, "case.channel": "b"},
            "規費 1 元（須 ≥ 10 元），不成立；收件管道為「b」（須為「a」），不成立",
        ),
        (None, {}, "沒有條件，一律適用"),
    ],
)
def test_why(when: object, given: dict[str, Any], sentence: str) -> None:
    decision = decide(small("first", rule("a", "low", when)), given)
    assert decision.explanation[0]["sentence"]["zh"] == sentence
    assert bool(decision.fired) is (decision.explanation[0]["status"] == "fired")


def test_a_rule_that_came_too_late_says_so() -> None:
    decision = decide(small("first", *OVERLAPPING), {"case.fee": 100})
    assert [entry["status"] for entry in decision.explanation] == ["fired", "superseded", "superseded"]
    assert decision.explanation[1]["sentence"]["zh"] == "條件成立，但已由順序在前的規則決定"


def test_a_failing_example_says_what_came_out() -> None:
    examples = [
        {"name": "對", "facts": {"case.fee": 5}, "expect": [{"action": "set_risk", "level": "low"}]},
        {"name": "錯", "facts": {"case.fee": 5}, "expect": [{"level": "high"}]},
        {"name": "太多", "facts": {"case.fee": 5}, "expect": []},
    ]
    ruleset = small("first", rule("a", "low", fee("ge", 1)), examples=examples)
    assert [str(failure) for failure in run_examples(ruleset)] == [
        f'{name}: 預期 {expected}，實際 [{{"rule": "a", "action": "set_risk", "params": {{"level": "low"}}}}]'
        for name, expected in (("錯", '[{"level": "high"}]'), ("太多", "[]"))
    ]


def test_an_example_that_is_not_unique_fails() -> None:
    example = {"name": "兩條", "facts": {"case.fee": 100}, "expect": []}
    failures = run_examples(small("unique", *OVERLAPPING, examples=[example]))
    assert [failure.example for failure in failures] == ["兩條"]


def test_facts_can_be_checked_before_they_are_used() -> None:
    problems = facts.check(
        {"case.fee": "x", "case.days_lef": 1, "case.paused": None, "case.filed_on": "2026-01-01"},
        path="facts",
    )
    assert [str(problem) for problem in problems] == [
        "facts.case.fee: 「規費」的值「x」不是數字",
        "facts.case.days_lef: 沒有「case.days_lef」這項事實，是否為「case.days_left」？",
    ]


def test_everything_has_a_name_in_both_languages() -> None:
    rulesets = [load(body) for body in FACTORY.values()]
    labels = [
        *(fact.label for fact in facts.FACTS.values()),
        *(option for fact in facts.FACTS.values() for option in fact.options.values()),
        *(action.label for action in ACTIONS.values()),
        *(param.label for action in ACTIONS.values() for param in action.params),
        *(
            choice
            for action in ACTIONS.values()
            for param in action.params
            for choice in param.choices.values()
        ),
        *(ruleset.title for ruleset in rulesets),
        *(one.label for ruleset in rulesets for one in (*ruleset.rules, *ruleset.parameters.values())),
    ]
    assert [label.zh for label in labels if not label.en] == []


def test_facts_and_actions_are_there_because_a_ruleset_needs_them() -> None:
    rulesets = [load(body) for body in FACTORY.values()]
    asked = {outcome.action for ruleset in rulesets for rule in ruleset.rules for outcome in rule.then}
    assert asked == ACTIONS.keys()
