"""Actions, whole rules and expectations through the inputs of the editor and back; and what a rule says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import action_editing, loader
from rules.action_editing import (
    MOST_ACTIONS,
    Act,
    Given,
    RuleForm,
    apply,
    from_form,
    index_of,
    new_key,
    read,
    read_rule,
    rule_from_form,
    to_form,
    with_rules,
    write,
    write_rule,
)
from rules.rule_editing import TooLarge
from rules.rule_editing import to_form as condition_form
from rules.saying import Words
from rules.values import Text

FACTORY = loader.read_all()
RULES = [(key, rule) for key, body in FACTORY.items() for rule in body.get("rules", ())]
EXPECTED = [each for body in FACTORY.values() for example in body["examples"] for each in example["expect"]]
DEADLINES = FACTORY["case_deadlines"]


def rule_through(rule: dict[str, Any]) -> dict[str, Any]:
    form = read_rule(rule)
    posted = {name: [text] for name, text in form.lines.items()}
    posted |= condition_form(form.when) | to_form(form.then, "t")
    return write_rule(rule_from_form(posted), rule)


@pytest.mark.parametrize(("ruleset", "rule"), RULES, ids=[f"{key}.{rule['key']}" for key, rule in RULES])
def test_every_shipped_rule_comes_back_the_same(ruleset: str, rule: dict[str, Any]) -> None:
    assert rule_through(rule) == rule
    acts = from_form(to_form([read(each) for each in rule["then"]], "t"), "t")
    assert [write(act) for act in acts] == rule["then"]
    assert not any(act.raw for act in acts)


def test_every_shipped_expectation_comes_back_the_same() -> None:
    acts = from_form(to_form([read(each) for each in EXPECTED[:50]], "e"), "e")
    assert [write(act) for act in acts] == EXPECTED[:50]
    assert [write(read(each)) for each in EXPECTED] == EXPECTED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(st.characters(exclude_categories=["C"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "rule", "to", "days", "param", "key", "label", "when"]), inner
        )
    ),
    max_leaves=6,
)


@given(
    JSON,
    st.dictionaries(st.sampled_from(["key", "label", "source", "status", "then", "priority", "x"]), JSON),
)
def test_what_is_wrong_is_kept(data: Any, rule: dict[str, Any]) -> None:
    once = write(read(data))
    assert write(read(once)) == once
    kept = rule_through(rule)
    assert {name: kept.get(name, []) for name in rule} == rule
    words = Words({"rules": [rule, data], "parameters": data}, {})
    for lang in ("zh", "en"):
        assert words.rule(rule, lang) and words.action(data, lang)


def test_what_was_typed_wrong_is_refused_by_the_loader_not_lost() -> None:
    act = Act("ask_correction", {"days": Given(("十五",))})
    assert write(act) == {"action": "ask_correction", "days": "十五"}
    assert write(Act()) == {"action": ""}
    assert read({"action": "escalate", "to": "officer"}).raw  # one word where a list belongs
    assert read({"action": "launch_rocket"}).raw
    assert write(Act(raw="{")) == "{"
    assert write(Act("escalate", {"to": Given(("officer",)), "colour": Given(("red",))})) == {
        "action": "escalate",
        "to": ["officer"],
    }
    assert write(Act("due_on", {"day": Given(("3/5",))})) == {"action": "due_on", "day": "03-05"}


@pytest.mark.parametrize(
    ("button", "at", "after", "focus"),
    [
        ("add", 0, "abx", "t-2-action"),
        ("delete", 0, "b", "t-add"),
        ("up", 1, "ba", "t-0-up"),
        ("down", 0, "ba", "t-1-down"),
        ("up", 0, "ab", "t-0-up"),
        ("delete", 9, "ab", ""),
    ],
)
def test_buttons(button: str, at: int, after: str, focus: str) -> None:
    acts, found = apply((Act(raw="a"), Act(raw="b")), "t", button, at, Act(raw="x"))
    assert ("".join(act.raw for act in acts), found) == (after, focus)


def test_too_many_actions_are_told() -> None:
    with pytest.raises(TooLarge, match="最多 30 個動作"):
        apply((Act(),) * MOST_ACTIONS, "t", "add", 0, Act())
    with pytest.raises(TooLarge):
        from_form({f"t-{i}-action": [""] for i in range(1000)}, "t")


def renamed(form: RuleForm, **lines: str) -> RuleForm:
    return replace(form, lines={**form.lines, **lines})


def test_changed_lines_of_a_rule() -> None:
    rule = {"key": "a", "label": {"zh": "甲"}, "then": [], "priority": 3, "note": "kept"}
    form = renamed(read_rule(rule), label_en="A", source_zh="法", priority="", status="sourced")
    assert write_rule(form, rule) == {
        "key": "a",
        "label": {"zh": "甲", "en": "A"},
        "source": "法",
        "status": "sourced",
        "then": [],
        "note": "kept",
    }
    assert write_rule(renamed(form, priority="二"), rule)["priority"] == "二"
    assert write_rule(renamed(form, priority="２"), rule)["priority"] == 2


def test_rules_in_their_ruleset() -> None:
    body = {"key": "k", "tables": [{"key": "t"}], "examples": []}
    assert list(with_rules(body, [{}])) == ["key", "rules", "tables", "examples"]
    assert list(with_rules(DEADLINES, [])) == list(DEADLINES)
    assert (index_of(DEADLINES, "due"), index_of(DEADLINES, "nobody")) == (1, None)
    assert [new_key(DEADLINES, key) for key in ("due", "other")] == ["due_2", "other"]
    assert new_key(body, "t") == "t_2"
    assert action_editing.rules_of({"rules": "none"}) == []


NAMES = {
    "function:officer": Text(zh="承辦人", en="Case officer"),
    "unit:handling": Text(zh="承辦單位", en="the handling unit"),
}


def test_a_rule_in_words() -> None:
    words = Words(DEADLINES, NAMES)
    warn = DEADLINES["rules"][0]
    assert words.rule(warn, "zh").startswith("當距到期日剩餘工作天 ≤ 預警天數 2 個工作天，且（")
    assert words.rule(warn, "en").startswith("When Working days left ≤ Warning days 2 working days and (")
    assert words.rule(warn, "zh").endswith("時，稽催（階段 到期前預警、通知職務 承辦人、種類 預警）。")
    assert words.rule(warn, "en").endswith(
        ": Escalate (rung Warning before the due date, to Case officer, kind warning)."
    )
    extension = Words(
        FACTORY["extension_approval"], {"function:magistrate": Text(zh="縣長", en="Magistrate")}
    )
    last = FACTORY["extension_approval"]["rules"][-1]
    assert extension.rule(last, "zh") == "一律指定核定職務：縣長。"
    assert extension.rule(last, "en") == "Always: Name who approves: Magistrate."
    assert words.rule({}, "zh") == "一律（還沒有動作）。"


def test_an_expectation_in_words() -> None:
    words = Words(DEADLINES, NAMES)
    assert words.action({"rung": "warn"}, "zh") == "階段 到期前預警"
    assert words.action({"rule": "due", "action": "escalate"}, "zh") == "稽催（依規則「到期通知」）"
    assert words.action({"action": "none"}, "en") == "(an action that is not finished)"
    risk = Words(FACTORY["intake_risk"], {})
    assert risk.action({"action": "ask_correction", "days": {"param": "correction_days"}}, "zh") == (
        "通知補正：補正日數 15 日"
    )


def test_every_shipped_rule_can_be_said() -> None:
    names = {f"function:{name}": Text(zh="職務") for name in ("officer",)}
    for body in FACTORY.values():
        words = Words(body, names)
        for lang in ("zh", "en"):
            said = [words.rule(rule, lang) for rule in body.get("rules", ())]
            said += [words.action(each, lang) for example in body["examples"] for each in example["expect"]]
            assert not [
                text for text in said if "還沒" in text or "not finished" in text or "no action" in text
            ]
