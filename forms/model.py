"""The frozen model of a form: sections of fields. `forms.loader` builds it from a mapping and checks it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, GetPydanticSchema
from pydantic_core import core_schema

from forms.bounds import DATE_BOUNDS, NUMBER_BOUNDS, ROW_BOUNDS, Bound
from forms.field_type import FieldType
from forms.field_types import FIELD_TYPES
from forms.formula import Formula
from rules.conditions import Condition, FactType
from rules.values import Text

#: Conditions are checked when they are parsed; pydantic only carries them.
Checked = Annotated[Condition | None, GetPydanticSchema(lambda _source, _handler: core_schema.any_schema())]
Limit = Decimal | date | Literal["today"]
Said = Annotated[
    str | Bound | tuple[str | Bound, ...] | None,
    GetPydanticSchema(lambda _source, _handler: core_schema.any_schema()),
]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(Model):
    value: str
    label: Text
    hint: Text | None = None


class Field(Model):
    """One question. Its key survives every edit of the form; answers are stored under it."""

    key: str
    type: str
    label: Text
    hint: Text | None = None
    optional: bool = False
    personal: bool = False
    when: Checked = None
    required_when: Checked = None
    options: tuple[Option, ...] = ()
    #: the list that is given at run time
    options_from: str | None = None
    #: the list given at run time that leaves some of the options
    options_among: str | None = None
    min: Limit | None = None
    max: Limit | None = None
    min_length: int | None = None
    max_length: int | None = None
    #: mask of a code: 9 a digit, A a letter, * either; anything else stands for itself
    pattern: str | None = None
    decimals: int | None = None
    unit: Text | None = None
    #: limits that stand elsewhere: see forms.bounds
    not_before: Said = None
    not_after: Said = None
    after: Said = None
    before: Said = None
    at_least: Said = None
    at_most: Said = None
    accept: tuple[str, ...] = ()
    max_mb: int | None = None
    max_files: int | None = None
    columns: tuple[Field, ...] = ()
    min_rows: int | None = None
    max_rows: int | None = None
    #: keys of the columns with a sum under them
    totals: tuple[str, ...] = ()
    formula: Formula | None = None
    #: the names of which a signature repeats the first that is asked and given, and what is signed
    name_of: tuple[str, ...] = ()
    sentence: Text | None = None
    #: keys of the names that the holder of an account may have, each alone or several in a row
    holder_of: tuple[tuple[str, ...], ...] = ()
    #: number of which a table has as many rows
    rows: Said = None
    autocomplete: str | None = None
    #: legend of the fieldset that neighbouring fields with the same group share
    group: Text | None = None

    @property
    def bounds(self) -> Mapping[str, Said]:
        """Its limits that stand elsewhere, by name."""
        return {
            name: said
            for name in (*DATE_BOUNDS, *NUMBER_BOUNDS, *ROW_BOUNDS)
            if (said := getattr(self, name))
        }

    @property
    def kind(self) -> FieldType:
        return FIELD_TYPES[self.type]


class Section(Model):
    """One step of the application."""

    key: str
    title: Text
    description: Text | None = None
    when: Checked = None
    fields: tuple[Field, ...]


class FormDefinition(Model):
    key: str
    title: Text
    sections: tuple[Section, ...]
    #: of the expanded mapping; two definitions with the same checksum are the same
    checksum: str
    #: field keys, each after the fields that its conditions read
    order: tuple[str, ...]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FormDefinition) and self.checksum == other.checksum

    def __hash__(self) -> int:
        return hash(self.checksum)

    @cached_property
    def _placed(self) -> Mapping[str, tuple[Section, Field]]:
        return {field.key: (section, field) for section in self.sections for field in section.fields}

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(field for _, field in self._placed.values())

    @cached_property
    def lists(self) -> frozenset[str]:
        """The lists that its questions choose from."""
        asked = (field for top in self.fields for field in (top, *top.columns))
        return frozenset(
            name for field in asked for name in (field.options_from, field.options_among) if name
        )

    @cached_property
    def file_fields(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.type == "file")

    def __contains__(self, key: str) -> bool:
        return key in self._placed

    def field(self, key: str) -> Field:
        return self._placed[key][1]

    def section_of(self, key: str) -> Section:
        """The section that asks the field with this key."""
        return self._placed[key][0]

    def section(self, key: str) -> Section:
        return next(section for section in self.sections if section.key == key)

    def fact_types(self) -> dict[str, FactType]:
        """What conditions may read: `answers.<key>`, and for an address `answers.<key>.township`."""
        return {
            name: kind for field in self.fields for name, kind in field.kind.fact_types(field.key).items()
        }

    def labels(self) -> dict[str, Text]:
        """Names for `rules.conditions.sentence`: of facts and of options."""
        names = {f"answers.{field.key}": field.label for field in self.fields}
        for field in self.fields:
            for value, label in field.kind.choices(field).items():
                names[f"answers.{field.key}={value}"] = label
        return names
