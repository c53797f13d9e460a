"""Examples through the inputs of the editor and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import loader, vocabulary
from rules.action_editing import Act, Given
from rules.example_editing import (
    MOST_FACTS,
    ExampleForm,
    FactRow,
    apply,
    from_form,
    read,
    to_form,
    widget,
    write,
)
from rules.facts import FACTS
from rules.rule_editing import TooLarge

FACTORY = loader.read_all()


@pytest.mark.parametrize("ruleset", list(FACTORY))
def test_every_shipped_example_comes_back_the_same(ruleset: str) -> None:
    for example in FACTORY[ruleset]["examples"]:
        form = from_form(to_form(read(example)))
        assert write(form, {}) == example
        assert not any(row.raw for row in form.facts) and not any(act.raw for act in form.expect)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["case.fee", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["case.fee", "plan.origins", "rung", "nobody"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["name", "facts", "expect", "derived"]), ANYTHING))
def test_what_is_wrong_is_kept(example: dict[str, Any]) -> None:
    kept = write(read(example), example)
    assert {name: kept[name] for name in example} == example


def test_what_is_typed() -> None:
    form = ExampleForm(
        "一件",
        (
            FactRow("plan.lag", ("６．５",)),
            FactRow("plan.origins", ("pledge",)),
            FactRow("case.filed_on", ("115/1/31",)),
            FactRow("plan.completed", ("true",)),
            FactRow("case.fee", ()),
            FactRow("", ("5",)),
        ),
        (Act("set_progress", {"status": Given(("severe",))}, rule="severe"),),
    )
    assert write(form, {"derived": {"a": 1}}) == {
        "name": "一件",
        "facts": {
            "plan.lag": 6.5,
            "plan.origins": ["pledge"],
            "case.filed_on": "2026-01-31",
            "plan.completed": True,
        },
        "expect": [{"rule": "severe", "action": "set_progress", "status": "severe"}],
        "derived": {"a": 1},
    }
    assert ExampleForm(facts=(FactRow("a"), FactRow("b"), FactRow("a"), FactRow(), FactRow())).twice == [2]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (FactRow("plan.lag"), "line"),
        (FactRow("plan.level"), "options"),
        (FactRow("plan.origins"), "boxes"),
        (FactRow("service.stages"), "lines"),
        (FactRow("plan.completed"), "yes_no"),
        (FactRow("plan.lag", raw="{}"), "raw"),
    ],
)
def test_how_a_value_is_asked_for(row: FactRow, kind: str) -> None:
    assert widget(row, FACTS[row.fact]) == kind


def test_buttons() -> None:
    rows = (FactRow("a"), FactRow("b"))
    assert apply(rows, "add", 0) == ((*rows, FactRow()), "f-2-fact")
    assert apply(rows, "delete", 0) == (rows[1:], "f-add")
    assert apply(rows, "delete", 5) == (rows, "")
    with pytest.raises(TooLarge, match="最多 60 項事實"):
        apply((FactRow(),) * MOST_FACTS, "add", 0)
    with pytest.raises(TooLarge):
        from_form({f"f-{i}-fact": [""] for i in range(1000)})


def test_a_ruleset_with_facts_of_its_own() -> None:
    body = {"derived": {"size": {"type": "text", "label": "規模", "options": {"big": "大"}}, "Bad": {}}}
    words = vocabulary.of(body)
    assert [name for name in words.catalogue if name not in FACTS] == ["derived.size"]
    param = words.param("size", "derive")
    assert param is not None and list(param.choices) == ["big"]
    assert write(
        read({"facts": {}, "name": "", "expect": [{"action": "derive", "size": "big"}]}, words), {}, words
    )["expect"] == [{"action": "derive", "size": "big"}]
