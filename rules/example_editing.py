"""An example as an editor holds it: facts and expectations as typed texts, and back to the mapping of the files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules import action_editing, rule_editing, typed
from rules.action_editing import Act
from rules.conditions import as_list
from rules.facts import Fact
from rules.rule_editing import Posted, TooLarge, many, one
from rules.values import Text
from rules.vocabulary import FACTORY, Vocabulary

MOST_FACTS = 60
TOO_MANY = Text(
    zh=f"一個測試案例最多 {MOST_FACTS} 項事實。", en=f"An example has at most {MOST_FACTS} facts."
)


@dataclass(frozen=True, slots=True)
class FactRow:
    """A fact with what was typed for it; raw where no input shows the value."""

    fact: str = ""
    values: tuple[str, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class ExampleForm:
    name: str = ""
    facts: tuple[FactRow, ...] = ()
    expect: tuple[Act, ...] = ()

    @property
    def twice(self) -> list[int]:
        """Rows of a fact that stands in another row before."""
        names = [row.fact for row in self.facts]
        return [i for i, name in enumerate(names) if name and name in names[:i]]


def examples_of(body: Mapping[str, Any]) -> list[Any]:
    examples = body.get("examples")
    return list(examples) if isinstance(examples, list) else []


def read(example: Mapping[str, Any], vocabulary: Vocabulary = FACTORY) -> ExampleForm:
    return ExampleForm(
        action_editing.plain(example.get("name")),
        _rows(example.get("facts"), vocabulary),
        _expectations(example.get("expect"), vocabulary),
    )


def _rows(facts: object, vocabulary: Vocabulary) -> tuple[FactRow, ...]:
    if not isinstance(facts, Mapping):
        return ()
    return tuple(_row(str(name), value, vocabulary) for name, value in facts.items())


def _row(name: str, value: object, vocabulary: Vocabulary) -> FactRow:
    members = as_list(value)
    each = ([] if value is None else [value]) if members is None else list(members)
    if any(isinstance(item, (Mapping, list)) or item is None for item in each):
        return FactRow(name, raw=typed.as_json(value))
    type_ = rule_editing.type_of(name, vocabulary.catalogue)
    return FactRow(name, tuple(typed.shown(item, type_) for item in each))


def _expectations(expect: object, vocabulary: Vocabulary) -> tuple[Act, ...]:
    if not isinstance(expect, list):
        return ()
    return tuple(action_editing.read(each, vocabulary) for each in expect)


def write(form: ExampleForm, stored: Mapping[str, Any], vocabulary: Vocabulary = FACTORY) -> dict[str, Any]:
    """The example as it was stored, with what was changed; what the page does not show stays."""
    before = read(stored, vocabulary)
    facts = {row.fact: _value(row, vocabulary) for row in form.facts if row.fact and (row.values or row.raw)}
    expect = [action_editing.write(act, vocabulary) for act in form.expect]
    return {
        "name": stored["name"] if "name" in stored and form.name == before.name else form.name,
        "facts": stored["facts"] if "facts" in stored and form.facts == before.facts else facts,
        "expect": stored["expect"] if "expect" in stored and form.expect == before.expect else expect,
    } | {name: value for name, value in stored.items() if name not in ("name", "facts", "expect")}


def _value(row: FactRow, vocabulary: Vocabulary) -> object:
    if row.raw:
        return typed.from_json(row.raw)
    type_ = rule_editing.type_of(row.fact, vocabulary.catalogue)
    values = [typed.read(text, type_) for text in row.values]
    return values if type_ == "list" or len(values) > 1 else values[0]


def from_form(form: Posted) -> ExampleForm:
    rows: list[FactRow] = []
    while (path := f"f-{len(rows)}") and f"{path}-fact" in form:
        if len(rows) > MOST_FACTS * 2:
            raise TooLarge(TOO_MANY)
        raw = one(form, f"{path}-raw").replace("\r\n", "\n")
        rows.append(FactRow(one(form, f"{path}-fact"), many(form, f"{path}-value"), raw))
    return ExampleForm(one(form, "name").strip(), tuple(rows), action_editing.from_form(form, "e"))


def to_form(given: ExampleForm) -> dict[str, list[str]]:
    """What the page posts when nobody touches it."""
    form = {"name": [given.name]} | action_editing.to_form(given.expect, "e")
    for i, row in enumerate(given.facts):
        form |= {f"f-{i}-fact": [row.fact], f"f-{i}-value": list(row.values), f"f-{i}-raw": [row.raw]}
    return form


def widget(row: FactRow, fact: Fact | None) -> str:
    """How the value is asked for, as rule_editing.widget says it; raw."""
    if row.raw:
        return "raw"
    return rule_editing.widget("in" if fact and fact.type == "list" else "eq", row.values, fact)


def apply(rows: tuple[FactRow, ...], action: str, at: int) -> tuple[tuple[FactRow, ...], str]:
    """What a button does to the facts, and the id of the input that gets the focus afterwards."""
    if action == "add":
        if len(rows) >= MOST_FACTS:
            raise TooLarge(TOO_MANY)
        return (*rows, FactRow()), f"f-{len(rows)}-fact"
    if action == "delete" and 0 <= at < len(rows):
        return (*rows[:at], *rows[at + 1 :]), "f-add"
    return rows, ""
