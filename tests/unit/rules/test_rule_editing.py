"""Conditions through the inputs of the editor and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import loader, typed
from rules.conditions import MAX_DEPTH, OPS
from rules.facts import FACTS
from rules.rule_editing import (
    MOST_NODES,
    Node,
    TooLarge,
    apply,
    from_form,
    in_words,
    read,
    size,
    to_form,
    widget,
    write,
)
from rules.values import Text

FACTORY = loader.read_all()
CONDITIONS = [
    (key, rule["key"], rule["when"])
    for key, body in FACTORY.items()
    for rule in body.get("rules", ())
    if "when" in rule
]


def through(data: object) -> object:
    """As the browser sends back what the page shows."""
    node = from_form(to_form(read(data)))
    return None if node is None else write(node)


@pytest.mark.parametrize(("ruleset", "rule", "when"), CONDITIONS, ids=[f"{a}.{b}" for a, b, _ in CONDITIONS])
def test_every_shipped_condition_comes_back_the_same(ruleset: str, rule: str, when: object) -> None:
    node = read(when)
    assert node is not None and "raw" not in str(to_form(node))
    assert through(when) == when


NUMBERS = st.integers(-(10**12), 10**12) | st.decimals(-(10**6), 10**6, places=6).map(float)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8)
DAYS = st.dates().map(str)
OF_TYPE: dict[str, st.SearchStrategy[Any]] = {
    "number": NUMBERS,
    "text": TEXTS,
    "date": DAYS,
    "boolean": st.booleans(),
    "list": NUMBERS | TEXTS,
}


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, Any]:
    fact = draw(st.sampled_from(list(FACTS.values())))
    op = draw(st.sampled_from(OPS[fact.type]))
    data: dict[str, Any] = {"fact": fact.name, "op": op}
    if op in ("exists", "missing"):
        return data
    value = OF_TYPE[fact.type]
    literal = st.lists(value, min_size=1, max_size=4) if op == "in" else value
    reference = st.sampled_from([{"param": "limit"}, {"fact": "case.fee"}])
    return data | {"value": draw(literal | reference)}


GRAMMAR = st.recursive(
    leaves(),
    lambda inner: st.one_of(
        st.builds(lambda items: {"all": items}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda items: {"any": items}, st.lists(inner, min_size=1, max_size=4)),
        st.builds(lambda item: {"not": item}, inner),
    ),
    max_leaves=12,
)


@given(GRAMMAR)
def test_every_condition_of_the_grammar_comes_back_the_same(when: dict[str, Any]) -> None:
    assert through(when) == when


JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["all", "any", "not", "fact", "op", "value", "param", "other"]), inner
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_what_is_wrong_is_shown_and_comes_back(when: Any) -> None:
    once = through(when)
    assert through(once) == once
    for lang in ("zh", "en"):
        assert in_words(when, {}, {}, lang)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("６．５", "number", 6.5),
        ("50,000,000", "number", 50_000_000),
        ("−3", "number", -3),
        ("六", "number", "六"),
        ("0.1234567890123456789", "number", "0.1234567890123456789"),
        ("9" * 5000, "number", "9" * 5000),
        ("115/1/31", "date", "2026-01-31"),
        ("民國115年1月31日", "date", "2026-01-31"),
        ("2026-02-30", "date", "2026-02-30"),
        ("true", "boolean", True),
        ("也許", "boolean", "也許"),
        (" dog ", "text", "dog"),
        ('" dog "', "text", " dog "),
        ('"5"', "list", "5"),
        ("5", "list", 5),
        ("5", "text", "5"),
        ('"', "text", '"'),
    ],
)
def test_what_is_typed(text: str, type_: Any, value: object) -> None:
    assert typed.read(text, type_) == value
    assert typed.read(typed.shown(value, type_), type_) == value


@pytest.mark.parametrize(
    ("text", "day"), [("1/31", "01-31"), ("１月３１日", "01-31"), ("7-5", "07-05"), ("七月", "七月")]
)
def test_a_day_of_the_year(text: str, day: str) -> None:
    assert typed.month_day(text) == day


@pytest.mark.parametrize(
    ("fact", "op", "values", "kind"),
    [
        ("plan.lag", "ge", (), "line"),
        ("plan.lag", "in", (), "lines"),
        ("plan.lag", "ge", ("1", "2"), "lines"),
        ("plan.level", "eq", (), "options"),
        ("plan.level", "in", (), "boxes"),
        ("plan.completed", "eq", (), "yes_no"),
        ("plan.completed", "exists", (), "none"),
        ("nowhere", "eq", (), "line"),
    ],
)
def test_how_a_value_is_asked_for(fact: str, op: str, values: tuple[str, ...], kind: str) -> None:
    assert widget(op, values, FACTS.get(fact)) == kind


A, B, C = (Node(fact=name, op="exists") for name in ("case.fee", "case.paid", "plan.lag"))


@pytest.mark.parametrize(
    ("before", "action", "path", "after", "focus"),
    [
        (None, "add", "c", Node(), "c-fact"),
        (None, "group", "c", Node("all", (Node(),)), "c-0-fact"),
        (A, "add", "c", Node("all", (A, Node())), "c-1-fact"),
        (Node("any", (A,)), "add", "c", Node("any", (A, Node())), "c-1-fact"),
        (Node("any", (A,)), "group", "c", Node("any", (A, Node("all", (Node(),)))), "c-1-0-fact"),
        (A, "delete", "c", None, "c-add"),
        (Node("any", (A, B)), "delete", "c-0", Node("any", (B,)), "c-add"),
        (Node("any", (Node("not", (A,)), B)), "delete", "c-0-0", Node("any", (Node("not"), B)), "c-0-add"),
        (Node("any", (A, B)), "up", "c-1", Node("any", (B, A)), "c-0-up"),
        (Node("any", (A, B)), "down", "c-0", Node("any", (B, A)), "c-1-down"),
        (Node("any", (A, B)), "up", "c-0", Node("any", (A, B)), "c-0-up"),
        (Node("any", (A, B)), "wrap", "c-1", Node("any", (A, Node("all", (B,)))), "c-1-kind"),
        (A, "wrap", "c", Node("all", (A,)), "c-kind"),
        (Node("any", (Node("all", (A, B)), C)), "unwrap", "c-0", Node("any", (A, B, C)), "c-0-kind"),
        (Node("not", (A,)), "add", "c", Node("not", (Node("all", (A, Node())),)), "c-0-1-fact"),
        (Node("not"), "add", "c", Node("not", (Node(),)), "c-0-fact"),
        (
            Node("not", (Node("all", (A, B)),)),
            "unwrap",
            "c-0",
            Node("not", (Node("all", (A, B)),)),
            "c-0-kind",
        ),
        (Node("all", (A,)), "unwrap", "c", A, "c-kind"),
        (Node("all", (A, B)), "unwrap", "c", Node("all", (A, B)), "c-kind"),
        (A, "delete", "c-7", A, ""),
        (A, "jump", "c", A, ""),
    ],
)
def test_buttons(before: Node | None, action: str, path: str, after: Node | None, focus: str) -> None:
    assert apply(before, action, path) == (after, focus)


def test_limits_are_told() -> None:
    full = Node("all", (A,) * (MOST_NODES - 1))
    with pytest.raises(TooLarge) as many:
        apply(full, "add", "c")
    assert "最多 150 個" in many.value.text.zh
    deep = A
    for _ in range(MAX_DEPTH):
        deep = Node("not", (deep,))
    with pytest.raises(TooLarge) as refused:
        apply(deep, "wrap", "c" + "-0" * MAX_DEPTH)
    assert "最多 12 層" in refused.value.text.zh


def test_a_condition_beyond_the_page_is_kept_as_text() -> None:
    when = {"all": [{"fact": "case.fee", "op": "exists"}] * MOST_NODES}
    node = read(when)
    assert node is not None and (node.kind, size(node)) == ("raw", 1)
    assert through(when) == when


def test_a_form_that_no_page_had_is_refused() -> None:
    with pytest.raises(TooLarge):
        from_form({"c" + "-0" * i + "-kind": ["not"] for i in range(100)})
    with pytest.raises(TooLarge):
        from_form({"c-kind": ["all"], **{f"c-{i}-kind": ["fact"] for i in range(1000)}})


def test_an_unfinished_condition_in_words() -> None:
    labels = {"case.fee": Text(zh="規費", en="Fee")}
    when = {"all": [{"fact": "case.fee", "op": "gt", "value": 5}, {"not": {"fact": ""}}]}
    assert in_words(when, labels, {}, "zh") == "規費 ＞ 5，且（還沒填完的條件）"
    assert in_words({"all": []}, labels, {}, "en") == "(a condition that is not finished)"


def test_several_under_not_become_a_group() -> None:
    form = to_form(Node("all", (A, B))) | {"c-kind": ["not"]}
    assert from_form(form) == Node("not", (Node("all", (A, B)),))
    assert write(Node("not")) == {"not": {"all": []}}
