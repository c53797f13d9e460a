"""Answers: cleaned, compared, summarised, split into plain and personal, and turned back into inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from forms.builder import AnswerForm, form_class
from forms.evaluation import Evaluation, Raw, evaluate, gather, hidden_fields
from forms.field_type import NO_LISTS, Json, Lists
from forms.field_types import MOST_ROWS, rows_of
from forms.messages import printable
from forms.model import Field, FormDefinition, Section
from forms.places import Point

LONGEST_KEPT = 40_000
MOST_KEPT = 100


@dataclass(frozen=True)
class Cleaned:
    """What an evaluation found, for some fields of the form or for all."""

    definition: FormDefinition
    raw: Raw
    keys: tuple[str, ...] | None
    lang: str
    evaluation: Evaluation
    today: date
    lists: Lists

    @cached_property
    def answers(self) -> dict[str, Json]:
        """Valid answers of the fields asked for; those of hidden fields are dropped."""
        return {key: value for key, value in self.evaluation.answers.items() if self._asks_for(key)}

    @cached_property
    def errors(self) -> dict[str, list[str]]:
        """Messages by field key, in the order of the form."""
        found = self.evaluation.mistakes
        return {
            field.key: [mistake.text.in_(self.lang) for mistake in found[field.key]]
            for field in self.definition.fields
            if field.key in found and self._asks_for(field.key)
        }

    @property
    def hidden(self) -> frozenset[str]:
        """Every field of the form that the answers do not call for."""
        return self.evaluation.hidden

    @cached_property
    def form(self) -> AnswerForm:
        """For a page that shows them."""
        return form_class(self.definition, self.keys, lang=self.lang)(
            self.raw, today=self.today, evaluation=self.evaluation, lists=self.lists
        )

    def _asks_for(self, key: str) -> bool:
        return self.keys is None or key in self.keys


def clean(
    definition: FormDefinition,
    raw: Raw,
    *,
    keys: tuple[str, ...] | None = None,
    today: date,
    moment: datetime | None = None,
    lang: str = "zh",
    context: Mapping[str, object] = {},
    lists: Lists = NO_LISTS,
) -> Cleaned:
    """`keys` limits answers and errors to some fields; conditions read all that was typed."""
    evaluation = evaluate(
        definition, raw, today=today, moment=moment, lang=lang, context=context, lists=lists
    )
    return Cleaned(definition, raw, keys, lang, evaluation, today, lists)


def keep(
    definition: FormDefinition, raw: Raw, *, keys: tuple[str, ...] | None = None
) -> dict[str, list[str]]:
    """What a draft stores: the inputs of this form as typed, right or wrong, without what cannot be stored."""
    fields = [field for field in definition.fields if keys is None or field.key in keys]
    given = gather(fields, raw)
    for field in fields:
        if field.columns:
            given[field.key] = {
                f"{number}-{column.key}" + (f"-{part}" if part else ""): texts
                for number, row in list(rows_of(given[field.key]).items())[:MOST_ROWS]
                for column in field.columns
                for part, texts in row.get(column.key, {}).items()
                if part in column.kind.parts
            }
    return {
        f"{key}-{part}" if part else key: [printable(text[:LONGEST_KEPT]) for text in texts[:MOST_KEPT]]
        for key, parts in given.items()
        for part, texts in parts.items()
    }


def with_rows(definition: FormDefinition, raw: Raw, action: str, argument: str) -> dict[str, list[str]]:
    """The input with a row more or less: of `add-row`, the key of the table; of `remove-row`, key and number."""
    kept = {name: list(values) for name, values in raw.items()}
    key, _colon, number = argument.partition(":")
    if action not in ("add-row", "remove-row") or key not in definition or not definition.field(key).columns:
        return kept
    prefix = f"{key}-"
    if action == "remove-row":
        return {name: values for name, values in kept.items() if not name.startswith(f"{prefix}{number}-")}
    numbers = rows_of({name.removeprefix(prefix): v for name, v in kept.items() if name.startswith(prefix)})
    first = definition.field(key).columns[0]
    part = f"-{first.kind.parts[0]}" if first.kind.parts[0] else ""
    return {**kept, f"{prefix}{max(numbers, default=-1) + 1}-{first.key}{part}": [""]}


def to_raw(definition: FormDefinition, answers: Mapping[str, Json]) -> dict[str, list[str]]:
    """The inputs that would give these answers: to prefill a correction, or from an earlier application."""
    return {
        f"{field.key}-{part}" if part else field.key: texts
        for field, value in _answered(definition, answers)
        for part, texts in field.kind.to_raw(field, value).items()
    }


def facts(definition: FormDefinition, answers: Mapping[str, Json]) -> dict[str, object]:
    """The answers as conditions and rules read them: `answers.<key>` with Decimals, dates, booleans."""
    return {
        name: fact
        for field, value in _answered(definition, answers)
        for name, fact in field.kind.facts(field, value).items()
    }


def files_left_out(definition: FormDefinition, answers: Mapping[str, Json]) -> list[Field]:
    """The documents that the form asked for and that were not attached, those that may be left out too."""
    hidden = hidden_fields(definition, answers)
    return [f for f in definition.file_fields if f.key not in hidden and not answers.get(f.key)]


def split_personal(
    definition: FormDefinition, answers: Mapping[str, Json]
) -> tuple[dict[str, Json], dict[str, Json]]:
    """Plain answers, and those about a person, which are stored encrypted."""
    plain: dict[str, Json] = {}
    personal: dict[str, Json] = {}
    for field, value in _answered(definition, answers):
        (personal if field.personal else plain)[field.key] = value
    return plain, personal


def _answered(definition: FormDefinition, answers: Mapping[str, Json]) -> list[tuple[Field, Json]]:
    return [(f, value) for f in definition.fields if (value := answers.get(f.key)) is not None]


# --- for people ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    key: str
    label: str
    old_text: str
    new_text: str


@dataclass(frozen=True, slots=True)
class SummaryRow:
    field: Field
    label: str
    text: str
    #: where it lies on the map
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class SummarySection:
    section: Section
    rows: list[SummaryRow]


def display(field: Field, value: Json, lang: str = "zh") -> str:
    """An answer in words; "" where there is none."""
    return "" if value is None else field.kind.show(field, value, lang)


def sentence(field: Field, value: Json, lang: str = "zh") -> str:
    """An answer in one line, for the middle of a sentence; "" where there is none."""
    return "" if value is None else field.kind.sentence(field, value, lang)


def diff(
    definition: FormDefinition, old: Mapping[str, Json], new: Mapping[str, Json], lang: str = "zh"
) -> list[Change]:
    """What changed between two submissions, in the order of the form."""
    return [
        Change(f.key, f.label.in_(lang), display(f, old.get(f.key), lang), display(f, new.get(f.key), lang))
        for f in definition.fields
        if old.get(f.key) != new.get(f.key)
    ]


def summary(
    definition: FormDefinition,
    answers: Mapping[str, Json],
    lang: str = "zh",
    *,
    context: Mapping[str, object] = {},
) -> list[SummarySection]:
    """Every question that was asked, answered or left empty, by section."""
    hidden = hidden_fields(definition, answers, context)
    sections = []
    for section in definition.sections:
        rows = [
            SummaryRow(
                field,
                field.label.in_(lang),
                display(field, answers.get(field.key), lang),
                field.kind.points(answers.get(field.key)),
            )
            for field in section.fields
            if field.key not in hidden
        ]
        if rows:
            sections.append(SummarySection(section, rows))
    return sections
