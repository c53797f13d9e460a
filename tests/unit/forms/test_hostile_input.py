"""Whatever is sent, the answer is a clear message: never an exception, never another answer lost."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms import answers
from forms.evaluation import evaluate
from tests.form_fixtures import NAMES, TODAY, fill, form_named, listed, unhurried

HOSTILE = [
    "\x00" * 100,
    "\ud800",
    "\udcff\udcfe",
    "\ufffe\uffff",
    "\u202egnp.exe",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{label}{0}%s",
    "٣" * 10,
    "½",
    "1e999",
    "-0",
    "NaN",
    "Infinity",
    "9" * 400,
    "🇹🇼" * 30,
    "e\u0301" * 50,
    "ﷺ" * 60,
]

#: every name that any fixture asks for, and some that none does
INPUTS = sorted(
    {
        f"{field.key}-{part}" if part else field.key
        for name in NAMES
        for field in form_named(name).fields
        for part in (*field.kind.parts, *(f"{row}-{column.key}" for row in (0, 1, 99) for column in field.columns))
    }
    | {"nobody", "parcels-0-bought_on-year", "parcels-", "-", ""}
)  # fmt: skip

anything = st.text(st.characters(), max_size=40) | st.sampled_from(HOSTILE)
typical = st.sampled_from(
    ["", " ", "1", "12", "yes", "agent", "self", "other", "JC", "民國 47 年", "24.4,118.3", "a"]
)


@settings(unhurried, max_examples=300)
@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
    lang=st.sampled_from(["zh", "en"]),
)
def test_no_input_raises_and_every_message_can_be_shown(
    name: str, raw: dict[str, list[str]], lang: str
) -> None:
    definition = form_named(name)
    cleaned = answers.clean(definition, raw, today=TODAY, lang=lang)
    for field in definition.fields:
        states = (field.key in cleaned.answers, field.key in cleaned.errors, field.key in cleaned.hidden)
        assert sum(states) <= 1
        assert sum(states) == 1 or field.optional or field.required_when
    for messages in cleaned.errors.values():
        assert messages and all(message.encode() and len(message) < 400 for message in messages)
    json.dumps(cleaned.answers).encode()
    assert "\x00" not in json.dumps(cleaned.answers, ensure_ascii=False)
    for field in cleaned.form:
        assert [link[1] for link in field.links] == field.errors
        field._value().encode()
        for entry in field.inputs.values():
            entry.value.encode()
    assert answers.summary(definition, cleaned.answers, lang)
    answers.facts(definition, cleaned.answers)


@unhurried
@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
)
def test_what_is_accepted_is_canonical(name: str, raw: dict[str, list[str]]) -> None:
    definition = form_named(name)
    taken = answers.clean(definition, raw, today=TODAY).answers
    again = answers.clean(definition, answers.to_raw(definition, taken), today=TODAY).answers
    assert again == taken


@unhurried
@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
)
def test_a_draft_gives_back_the_same_answers(name: str, raw: dict[str, list[str]]) -> None:
    definition = form_named(name)
    kept = answers.keep(definition, raw)
    assert answers.keep(definition, kept) == kept
    json.dumps(kept, ensure_ascii=False).encode()
    taken = evaluate(definition, raw, today=TODAY).answers
    later = evaluate(definition, kept, today=TODAY).answers
    assert {key: later[key] for key in taken} == taken


@unhurried
@given(
    wrong=st.sampled_from(["people", "depth", "change", "amount", "count"]),
    typed=anything,
)
def test_a_wrong_answer_takes_no_other_with_it(wrong: str, typed: str) -> None:
    good: Mapping[str, object] = {
        "people": "3",
        "depth": "1.5",
        "change": "0.5",
        "amount": "3500",
        "count": "7",
    }
    taken = fill("numbers", {**good, wrong: [typed]}).answers
    alone = fill("numbers", good).answers
    assert {k: v for k, v in taken.items() if k != wrong} == {k: v for k, v in alone.items() if k != wrong}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("huge", ["字" * 10_000_000, "1" * 10_000_000, "\x00" * 10_000_000], ids="字1\0")
def test_ten_megabytes_in_every_input(name: str, huge: str) -> None:
    definition = form_named(name)
    names = [n for n in INPUTS if n.partition("-")[0] in definition]
    cleaned = fill(name, {n: [huge] for n in names})
    assert cleaned.errors
    assert all(len(message) < 200 for messages in cleaned.errors.values() for message in messages)
    assert not {key for key in cleaned.answers if not definition.field(key).optional}
    kept = answers.keep(definition, {n: [huge] for n in names})
    assert max(len(text) for texts in kept.values() for text in texts) <= answers.LONGEST_KEPT


def test_ten_thousand_rows() -> None:
    raw = {f"parcels-{n}-{column}": "１" for n in range(10_000) for column in ("section", "land_no")}
    cleaned = fill("table", raw)
    assert cleaned.errors["parcels"] == ["土地須有 1 到 3 列，目前有 10000 列"]
    assert len(cleaned.form["parcels"].rows) == 200


@pytest.mark.parametrize("value", [None, 5, 1.5, True, {}, {"a": "b"}, [None, 5, ["x"]], b"\xff", object()])
def test_values_that_are_no_text_are_ignored(value: Any) -> None:
    for name in NAMES:
        definition = form_named(name)
        raw = dict.fromkeys(INPUTS, value)
        assert answers.clean(definition, raw, today=TODAY).answers == {}


def test_a_bare_text_stands_for_a_list_of_one() -> None:
    raw: Any = {"species": "dog"}
    assert answers.clean(form_named("choices"), raw, keys=("species",), today=TODAY).answers == {
        "species": "dog"
    }


def test_many_values_under_every_name() -> None:
    for name in NAMES:
        raw = listed({n: [f"x{i}" for i in range(10_000)] for n in INPUTS})
        assert fill(name, raw).answers == {}
