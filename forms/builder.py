"""A definition as a WTForms class, for pages to render; templates draw it by `field.definition.type`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import wtforms

from forms.evaluation import Evaluation, Raw, evaluate, gather, texts
from forms.field_type import NO_LISTS, Json, Lists, Setting
from forms.field_types import MOST_ROWS, parse_required, rows_of, totals_of
from forms.messages import Invalid, Mistake, printable
from forms.model import Field, FormDefinition


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a field: what to name it, what to put into it, and whether it is to blame."""

    name: str
    id: str
    value: str
    wrong: bool


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    hint: str
    id: str
    checked: bool


class AnswerField(wtforms.Field):  # type: ignore[misc]  # WTForms publishes no types
    """A question on a page. Everything that was typed is kept as it was typed, right or wrong."""

    errors: list[str]
    data: Json

    def __init__(self, definition: Field, lang: str, **kwargs: Any) -> None:
        super().__init__(label=definition.label.in_(lang), **kwargs)
        self.definition = definition
        self.lang = lang
        self.description = self.hint = definition.hint.in_(lang) if definition.hint else ""
        #: what was typed, by part
        self.given: Mapping[str, Sequence[str]] = {}
        #: after validation: whether the answers call for this field, and whether it must be answered
        self.visible = True
        self.required = not definition.optional and not definition.required_when
        self.mistakes: tuple[Mistake, ...] = ()
        self.errors = []
        self.lists: Lists = NO_LISTS
        #: the form that it stands in
        self.whole: AnswerForm
        self._added_rows = 0

    def process(self, formdata: Raw | None, data: object = None, extra_filters: object = None) -> None:
        self.data = None
        self.process_errors: list[str] = []
        if formdata is not None:
            self.given = gather([self.definition], formdata)[self.definition.key]

    def validate(self, form: AnswerForm, extra_validators: object = ()) -> bool:
        """Takes over what the evaluation of the whole form found."""
        found, key = form.evaluation, self.definition.key
        self.visible = key not in found.hidden
        self.required = key in found.required
        self.data = found.answers.get(key)
        self.blame(found.mistakes.get(key, ()))
        return not self.mistakes

    def blame(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        self.errors = [mistake.text.in_(self.lang) for mistake in mistakes]

    # --- for templates -----------------------------------------------------------------------------------

    @property
    def raw(self) -> Any:
        """As typed: a text, a list where several may be chosen, a mapping where there are parts."""
        if self.definition.kind.many:
            return list(self.given.get("", ()))
        if self.definition.kind.parts == ("",):
            return next(iter(self.given.get("", ())), "")
        return {part: next(iter(values), "") for part, values in self.given.items()}

    def _value(self) -> str:
        """What to put back into a single input."""
        return self._typed("")

    def _typed(self, part: str) -> str:
        typed = self.given.get(part)
        if not typed and (part,) == self.definition.kind.parts[:1]:
            typed = self.given.get("")  # a whole date returns to the first of its boxes
        return printable(next(iter(typed or ()), ""))

    @property
    def values(self) -> list[str]:
        """What to put back where several values share a name: documents, ticked boxes."""
        return [printable(text) for text in self.given.get("", ())]

    @property
    def written(self) -> list[str]:
        """What was typed, line by line, for somebody to read: it stands in for an answer that is not valid."""
        if self.definition.columns:
            rows = ([" ".join(cell.written) for cell in row] for row in self.rows)
            return ["、".join(filter(None, cells)) for cells in rows if any(cells)]
        found = []
        for part, typed in self.given.items():
            known = self.definition.kind.choices(self.definition, part, self.lists)
            for text in filter(str.strip, typed):
                if text in known:
                    found.append(known[text].in_(self.lang))
                elif not self.definition.options_from:  # an entry that a list has no more is only a code
                    found.append(printable(text))
        return found

    @property
    def inputs(self) -> dict[str, Input]:
        """The inputs by part: `field.inputs.year.name`. A single input is the part ""."""
        blamed = {mistake.part for mistake in self.mistakes}
        return {
            part: Input(
                name=f"{self.name}-{part}" if part else self.name,
                id=f"{self.id}-{part}" if part else self.id,
                value=self._typed(part),
                wrong=part in blamed or "" in blamed,
            )
            for part in self.definition.kind.parts
        }

    def choices(self, part: str = "") -> list[Choice]:
        """Options of an input, with those chosen; the first bears its id, so that an error can lead there."""
        hints = {option.value: option.hint for option in self.definition.options}
        chosen = set(self.given.get(part, ()))
        first = f"{self.id}-{part}" if part else self.id
        return [
            Choice(
                value=value,
                label=label.in_(self.lang),
                hint=hint.in_(self.lang) if (hint := hints.get(value)) else "",
                id=first if n == 1 else f"{first}-{n}",
                checked=value in chosen,
            )
            for n, (value, label) in enumerate(
                self.definition.kind.choices(self.definition, part, self.lists).items(), 1
            )
        ]

    @property
    def links(self) -> list[tuple[str, str]]:
        """For the error summary: the id of the input to go to, and the message."""
        if self.definition.columns:
            own = [(self.id, mistake.text.in_(self.lang)) for mistake in self.mistakes if not mistake.part]
            return own + [link for row in self.rows for cell in row for link in cell.links]
        ids = {part: entry.id for part, entry in self.inputs.items()}
        first = next(iter(ids.values()), self.id)
        return [
            (ids.get(mistake.part, first) if mistake.part else first, mistake.text.in_(self.lang))
            for mistake in self.mistakes
        ]

    def add_row(self) -> None:
        """One more blank row, for a button that works without script."""
        self._added_rows += 1

    @property
    def rows(self) -> list[list[AnswerField]]:
        """The cells of a table as fields of their own; blank rows fill up to the least number."""
        rows = rows_of(self.given)
        numbers = list(rows)[:MOST_ROWS]
        wanted = max(len(numbers), self.definition.min_rows or 0, 1) + self._added_rows
        following = max(numbers, default=-1) + 1
        numbers += range(following, following + min(wanted, MOST_ROWS) - len(numbers))
        return [
            [self._cell(number, column, rows.get(number, {})) for column in self.definition.columns]
            for number in numbers
        ]

    @property
    def results(self) -> dict[str, str]:
        """What follows from the answers so far, in words, by the id of its place on the page."""
        if self.definition.columns:
            return self._results_of_rows()
        if self.definition.kind.asked:
            return {}
        value = self.whole.evaluation.answers.get(self.name)
        return {
            self.id: "" if value is None else self.definition.kind.show(self.definition, value, self.lang)
        }

    def _results_of_rows(self) -> dict[str, str]:
        """Cells count as soon as they are valid themselves, whatever else is still missing."""
        found: dict[str, str] = {}
        rows: list[dict[str, Json]] = []
        for number, row in list(rows_of(self.given).items())[:MOST_ROWS]:
            cells: dict[str, Json] = {}
            for column in self.definition.columns:
                with suppress(Invalid):
                    value = parse_required(column, row.get(column.key, {}), _setting(self.whole, cells))
                    if value is not None:
                        cells[column.key] = value
                if not column.kind.asked:
                    shown = (
                        column.kind.show(column, cells[column.key], self.lang) if column.key in cells else ""
                    )
                    found[f"{self.id}-{number}-{column.key}"] = shown
            rows.append(cells)
        for key, text in totals_of(self.definition, rows, self.lang).items():
            found[f"{self.id}-total-{key}"] = text
        return found

    def _cell(
        self, number: int, column: Field, row: Mapping[str, Mapping[str, Sequence[str]]]
    ) -> AnswerField:
        part = f"{number}-{column.key}"
        cell: AnswerField = _bound(column, self.lang, f"{self.name}-{part}", self.meta)
        cell.given, cell.lists = row.get(column.key, {}), self.lists
        cell.blame(
            tuple(
                Mistake(mistake.text, mistake.part[len(part) :].lstrip("-"))
                for mistake in self.mistakes
                if mistake.part == part or mistake.part.startswith(f"{part}-")
            )
        )
        return cell


def _bound(definition: Field, lang: str, name: str, meta: object) -> AnswerField:
    field: AnswerField = AnswerField(definition, lang, name=name, _form=None, _meta=meta)
    return field


class AnswerForm(wtforms.Form):  # type: ignore[misc]  # WTForms publishes no types
    """Some fields of a definition. `formdata` holds the whole draft, for conditions read all of it."""

    definition: ClassVar[FormDefinition]
    lang: ClassVar[str]

    class Meta(wtforms.Form.Meta):  # type: ignore[misc]  # as above
        def wrap_formdata(self, form: object, formdata: Any) -> Raw | None:
            """A werkzeug MultiDict or a plain mapping of lists."""
            if formdata is None or not hasattr(formdata, "getlist"):
                return formdata  # type: ignore[no-any-return]  # a Raw by contract, or None
            return {name: texts(formdata.getlist(name)) for name in formdata}

    def __init__(
        self,
        formdata: Any = None,
        *,
        today: date | None = None,
        context: Mapping[str, object] = {},
        lists: Lists = NO_LISTS,
        evaluation: Evaluation | None = None,
        **kwargs: Any,
    ) -> None:
        """With the `evaluation` of these inputs, if there is one, the form is validated from the start."""
        self.today, self.context, self._lists = today, context, lists
        self._raw: Raw = self.Meta().wrap_formdata(self, formdata) or {}
        super().__init__(formdata, **kwargs)
        for field in self:
            field.lists, field.whole = lists, self
        if evaluation is not None:
            self._take_over(evaluation)

    def validate(self, extra_validators: object = None) -> bool:
        return self._take_over(self.evaluation)

    @cached_property
    def evaluation(self) -> Evaluation:
        """What all that was typed amounts to."""
        at = _setting(self, {})
        return evaluate(
            self.definition, self._raw, today=at.today, lang=at.lang, context=self.context, lists=at.lists
        )

    def _take_over(self, evaluation: Evaluation) -> bool:
        self.evaluation = evaluation
        found = [field.validate(self) for field in self]  # every field, not only up to the first mistake
        return all(found)


def results_of(form: AnswerForm) -> dict[str, str]:
    """What follows from the answers so far, in words, by the id of its place: for a page that is open."""
    return {place: text for field in form for place, text in field.results.items()}


def _setting(form: AnswerForm, answers: Mapping[str, Json]) -> Setting:
    if form.today is None:
        raise TypeError("an AnswerForm needs `today` to validate")
    return Setting(form.today, lang=form.lang, lists=form._lists, answers=answers)


def form_class(
    definition: FormDefinition, keys: tuple[str, ...] | None = None, *, lang: str = "zh"
) -> type[AnswerForm]:
    """The class for these fields (all of them by default), in the order of the definition; cached."""
    return _form_class(definition, keys, lang)


def build_class(definition: FormDefinition, keys: tuple[str, ...] | None, lang: str) -> type[AnswerForm]:
    chosen = {field.key for field in definition.fields} if keys is None else set(keys)
    if unknown := chosen - {field.key for field in definition.fields}:
        raise KeyError(f"{definition.key} has no field {', '.join(sorted(unknown))}")
    fields = {f.key: AnswerField(f, lang) for f in definition.fields if f.key in chosen}
    return type(f"{definition.key}_form", (AnswerForm,), {**fields, "definition": definition, "lang": lang})


_form_class = lru_cache(maxsize=4096)(build_class)
