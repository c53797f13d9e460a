"""Whatever is sent, the answer is a clear message: never an exception, never another answer lost."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms import answers
from forms.builder import results_of
from forms.evaluation import evaluate
from forms.field_types import FIELD_TYPES
from forms.model import Field
from tests.form_fixtures import LISTS, NAMES, TODAY, every_type, fill, form_named

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


def cells(field: Field, *rows: int) -> list[str]:
    """The names of the inputs of a table, after its key."""
    return [
        f"{row}-{column.key}" + (f"-{part}" if part else "")
        for row in rows
        for column in field.columns
        for part in column.kind.parts or ("",)
    ]


#: every name that any fixture asks for, and some that none does
INPUTS = sorted(
    {
        f"{field.key}-{part}" if part else field.key
        for name in NAMES
        for field in form_named(name).fields
        for part in (*field.kind.parts, field.key, *cells(field, 0, 1, 99))
    }
    | {"nobody", "parcels-", "-", ""}
)  # fmt: skip

anything = st.text(st.characters(), max_size=40) | st.sampled_from(HOSTILE)
typical = st.sampled_from(
    [
        "",
        "0",
        "1",
        "12",
        "1.005",
        "yes",
        "agent",
        "self",
        "other",
        "JC",
        "EC",
        "PW",
        "LY03",
        "a1",
        "a",
        "民國 47 年",
        "115/11/30 14:30",
        "西元999/1/1",
        "14:30",
        "24.4,118.3",
        "王小明",
        "ABC-1235",
        "W1234567",
        " ",
    ]
)


@settings(max_examples=300)
@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
    lang=st.sampled_from(["zh", "en"]),
)
def test_no_input_raises_and_every_message_can_be_shown(
    name: str, raw: dict[str, list[str]], lang: str
) -> None:
    definition = form_named(name)
    cleaned = answers.clean(definition, raw, today=TODAY, lang=lang, lists=LISTS)
    for field in definition.fields:
        states = (field.key in cleaned.answers, field.key in cleaned.errors, field.key in cleaned.hidden)
        assert sum(states) <= 1
        assert sum(states) == 1 or field.optional or field.required_when or not field.kind.asked
    for messages in cleaned.errors.values():
        assert messages and all(message.encode() and len(message) < 400 for message in messages)
    json.dumps(cleaned.answers).encode()
    assert "\x00" not in json.dumps(cleaned.answers, ensure_ascii=False)
    for field in cleaned.form:
        assert [link[1] for link in field.links] == field.errors
        field._value().encode()
        for entry in field.inputs.values():
            entry.value.encode()
    assert all(text.encode() or not text for text in results_of(cleaned.form).values())
    assert answers.summary(definition, cleaned.answers, lang)
    answers.facts(definition, cleaned.answers)


@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
)
def test_what_is_accepted_is_canonical(name: str, raw: dict[str, list[str]]) -> None:
    definition = form_named(name)
    taken = fill(name, raw).answers
    again = fill(name, answers.to_raw(definition, taken)).answers
    assert again == taken and answers.diff(definition, taken, again) == []
    for field in definition.fields:
        for lang in ("zh", "en"):
            shown = answers.display(field, taken.get(field.key), lang)
            assert shown.strip() if field.key in taken else not shown
            assert "\n" not in answers.sentence(field, taken.get(field.key), lang)
    changed = answers.diff(definition, {}, taken)
    assert [change.key for change in changed] == list(taken) and all(change.new_text for change in changed)


@given(
    name=st.sampled_from(NAMES),
    raw=st.dictionaries(st.sampled_from(INPUTS), st.lists(typical | anything, max_size=3), max_size=12),
)
def test_a_draft_gives_back_the_same_answers(name: str, raw: dict[str, list[str]]) -> None:
    definition = form_named(name)
    kept = answers.keep(definition, raw)
    assert answers.keep(definition, kept) == kept
    json.dumps(kept, ensure_ascii=False).encode()
    taken = evaluate(definition, raw, today=TODAY, lists=LISTS).answers
    later = evaluate(definition, kept, today=TODAY, lists=LISTS).answers
    assert {key: later[key] for key in taken} == taken


ALL = form_named("every_type")
GOOD = fill(ALL, every_type()).answers


def test_a_form_with_a_field_of_every_type_can_be_filled_in() -> None:
    assert [field.type for field in ALL.fields] == [*dict.fromkeys(field.type for field in ALL.fields)]
    assert {field.type for field in ALL.fields} == set(FIELD_TYPES)
    assert GOOD.keys() == {field.key for field in ALL.fields}


@pytest.mark.parametrize("key", GOOD)
@settings(max_examples=30)
@given(data=st.data())
def test_a_wrong_answer_takes_no_other_with_it(key: str, data: st.DataObject) -> None:
    """Nor does a right one: only what reads it may change."""
    field = ALL.field(key)
    names = [f"{key}-{part}" if part else key for part in (*field.kind.parts, *cells(field, 0, 1))] or [key]
    typed = st.dictionaries(st.sampled_from(names), st.lists(typical | anything, max_size=2), min_size=1)
    cleaned = fill(ALL, {**every_type(), **data.draw(typed)})
    touched = {key} | {other.key for other in ALL.fields if key in other.kind.reads(other)}
    assert {k: v for k, v in cleaned.answers.items() if k not in touched} == {
        k: v for k, v in GOOD.items() if k not in touched
    }
    assert cleaned.errors.keys() <= touched


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("huge", ["字" * 10_000_000, "1" * 10_000_000, "\x00" * 10_000_000], ids="字1\0")
def test_ten_megabytes_in_every_input(name: str, huge: str) -> None:
    definition = form_named(name)
    names = [n for n in INPUTS if n.partition("-")[0] in definition]
    cleaned = fill(name, {n: [huge] for n in names})
    assert cleaned.errors
    assert all(len(message) < 200 for messages in cleaned.errors.values() for message in messages)
    taken = [definition.field(key) for key in cleaned.answers]
    assert not [field for field in taken if field.kind.asked and not field.optional]
    kept = answers.keep(definition, {n: [huge] for n in names})
    assert max(len(text) for texts in kept.values() for text in texts) <= answers.LONGEST_KEPT


def asked(name: str, raw: Mapping[str, Any]) -> set[str]:
    """The questions that were answered; a number of rows is none."""
    definition = form_named(name)
    found = answers.clean(definition, raw, today=TODAY, lists=LISTS).answers
    return {key for key in found if definition.field(key).kind.asked}


def test_ten_thousand_rows() -> None:
    raw = {f"parcels-{n}-{column}": "１" for n in range(10_000) for column in ("section", "land_no")}
    cleaned = fill("table", raw)
    assert cleaned.errors["parcels"] == ["土地須有 1 到 3 列，目前有 10000 列"]
    assert len(cleaned.form["parcels"].rows) == 200


@pytest.mark.parametrize("value", [None, 5, 1.5, True, {}, {"a": "b"}, [None, 5, ["x"]], b"\xff", object()])
def test_values_that_are_no_text_are_ignored(value: Any) -> None:
    for name in NAMES:
        raw = dict.fromkeys(INPUTS, value)
        assert asked(name, raw) == set()


def test_a_bare_text_stands_for_a_list_of_one() -> None:
    raw: Any = {"species": "dog"}
    assert answers.clean(form_named("choices"), raw, keys=("species",), today=TODAY).answers == {
        "species": "dog"
    }


def test_many_values_under_every_name() -> None:
    raw = {name: [f"x{i}" for i in range(10_000)] for name in INPUTS}
    for name in NAMES:
        assert asked(name, raw) == set()
