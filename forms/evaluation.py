"""From what was typed to answers, mistakes and hidden fields, over the whole form and in one pass.

A hidden answer counts as not given, so a condition that reads it is unknown and hides in turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from forms.bounds import broken
from forms.field_type import NO_LISTS, Json, Lists, Setting
from forms.messages import Invalid, Mistake
from forms.model import Field, FormDefinition
from rules.conditions import holds

#: flat form data by input name, valid or not: what a draft stores
Raw: TypeAlias = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    answers: dict[str, Json]
    mistakes: dict[str, tuple[Mistake, ...]]
    hidden: frozenset[str]
    required: frozenset[str]


def gather(fields: Iterable[Field], raw: Raw) -> dict[str, dict[str, list[str]]]:
    """What was typed into each field, by part. Names of no field and values that are no text are ignored."""
    given: dict[str, dict[str, list[str]]] = {}
    tables = set()
    for field in fields:
        if field.type == "table":
            tables.add(field.key)
        names = {part: f"{field.key}-{part}" if part else field.key for part in field.kind.parts}
        given[field.key] = {part: texts(raw[name]) for part, name in names.items() if name in raw}
    if tables:
        for name in raw:
            key, _, part = name.partition("-") if isinstance(name, str) else ("", "", "")
            if part and key in tables:
                given[key][part] = texts(raw[name])
    return given


def texts(values: object) -> list[str]:
    if isinstance(values, str):
        return [values]
    return [x for x in values if isinstance(x, str)] if isinstance(values, list | tuple) else []


def evaluate(
    definition: FormDefinition,
    raw: Raw,
    *,
    today: date,
    moment: datetime | None = None,
    lang: str = "zh",
    context: Mapping[str, object] = {},
    lists: Lists = NO_LISTS,
) -> Evaluation:
    given = gather(definition.fields, raw)
    facts = outside(context)
    answers: dict[str, Json] = {}
    at = Setting(today, moment, lang, lists, answers)
    mistakes: dict[str, tuple[Mistake, ...]] = {}
    hidden = set()
    for key in definition.order:
        field = definition.field(key)
        if not is_visible(definition, field, facts):
            hidden.add(key)
            continue
        try:
            value = field.kind.parse(field, given[key], at)
        except Invalid as error:
            mistakes[key] = error.mistakes
            continue
        if value is not None:
            answers[key] = value
            facts.update(field.kind.facts(field, value))
    required = frozenset(f.key for f in definition.fields if f.key not in hidden and _is_required(f, facts))
    for key in required - answers.keys() - mistakes.keys():
        field = definition.field(key)
        mistakes[key] = field.kind.missing(field).mistakes
    for field in definition.fields:
        if (field.bounds or field.columns) and (refusal := broken(definition, field, answers, facts, today)):
            mistakes[field.key] = refusal.mistakes
            del answers[field.key]
    placed = {f.key: answers[f.key] for f in definition.fields if f.key in answers}
    return Evaluation(placed, mistakes, frozenset(hidden), required)


def hidden_fields(
    definition: FormDefinition, answers: Mapping[str, Json], context: Mapping[str, object] = {}
) -> frozenset[str]:
    """The fields that these answers do not call for."""
    facts = outside(context)
    hidden = set()
    for key in definition.order:
        field = definition.field(key)
        if not is_visible(definition, field, facts):
            hidden.add(key)
        elif (value := answers.get(key)) is not None:
            facts.update(field.kind.facts(field, value))
    return frozenset(hidden)


def settled(definition: FormDefinition, answers: Mapping[str, Json], *, today: date) -> dict[str, Json]:
    """Answers of which some were replaced: what they no longer call for goes, what they compute is new."""
    facts: dict[str, object] = {}
    kept: dict[str, Json] = {}
    at = Setting(today, answers=kept)
    for key in definition.order:
        field = definition.field(key)
        value = answers.get(key) if field.kind.asked else field.kind.parse(field, {}, at)
        if value is not None and is_visible(definition, field, facts):
            kept[key] = value
            facts.update(field.kind.facts(field, value))
    return {field.key: kept[field.key] for field in definition.fields if field.key in kept}


def outside(context: Mapping[str, object]) -> dict[str, object]:
    """Facts from elsewhere; none of them can stand in for an answer."""
    return {name: value for name, value in context.items() if not name.startswith("answers.")}


def is_visible(definition: FormDefinition, field: Field, facts: Mapping[str, object]) -> bool:
    return holds(definition.section_of(field.key).when, facts) and holds(field.when, facts)


def _is_required(field: Field, facts: Mapping[str, object]) -> bool:
    if not field.kind.asked:
        return False
    return holds(field.required_when, facts) if field.required_when else not field.optional
