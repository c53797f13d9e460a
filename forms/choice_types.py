"""Field types whose answer is chosen: yes or no, options of the definition, entries of a list given at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from forms.field_type import (
    CODE_LENGTH,
    NO_LISTS,
    FieldType,
    Given,
    Json,
    Lists,
    Setting,
    one,
    unknown_option,
)
from forms.messages import Invalid, refuse
from forms.places import STANDARD_LISTS, TOWNSHIPS
from rules.values import Text

if TYPE_CHECKING:
    from forms.model import Field


YES, NO = "yes", "no"
_WORDS = {YES: YES, "true": YES, "1": YES, "是": YES, NO: NO, "false": NO, "0": NO, "否": NO}


class YesNo(FieldType):
    fact = "boolean"
    fixed: Mapping[str, Mapping[str, Text]] = {"": {YES: Text(zh="是", en="Yes"), NO: Text(zh="否", en="No")}}
    required = ("請選擇{label}：是或否", "{label}: answer yes or no")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text = one(field, given, limit=CODE_LENGTH)
        if not text:
            return None
        if text.lower() not in _WORDS:
            raise unknown_option(field, text)
        return _WORDS[text.lower()] == YES

    def show(self, field: Field, value: Json, lang: str) -> str:
        return self.choices(field)[YES if value else NO].in_(lang)

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [YES if value else NO]}


class Agreement(YesNo):
    """A box to tick; where it is required, only a tick will do."""

    column = False
    own_word = True
    fixed: Mapping[str, Mapping[str, Text]] = {"": {YES: Text(zh="同意", en="Agreed")}}
    required = ("請閱讀後勾選「{label}」", "Read and tick “{label}”")

    def reusable(self, field: Field) -> bool:
        return False

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        return True if super().parse(field, given, at) else None


class Choice(FieldType):
    """One of the options; `options_among` leaves those that a list given at run time has, where it is given."""

    props = frozenset({"options", "options_among", "autocomplete"})
    required = ("請選擇{label}", "{label}: choose an option")

    def choices(self, field: Field, part: str = "", lists: Lists = NO_LISTS) -> Mapping[str, Text]:
        among = lists.get(field.options_among or "")
        options = {o.value: o.label for o in field.options if among is None or o.value in among}
        return options or super().choices(field, part)

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text = one(field, given, limit=CODE_LENGTH)
        if text and text not in self.choices(field, lists=at.lists):
            raise unknown_option(field, text)
        return text or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        label = self.choices(field).get(str(value))
        return label.in_(lang) if label else str(value)


class MultiChoice(Choice):
    fact = "list"
    many = True
    column = False
    props = frozenset({"options"})
    required = ("請至少選擇一項{label}", "{label}: choose at least one option")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        choices, chosen = self.choices(field), set(given.get("", ()))
        for text in sorted(chosen - choices.keys()):
            if text.strip():
                raise unknown_option(field, text)
        return [value for value in choices if value in chosen] or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        labels = [super(MultiChoice, self).show(field, item, lang) for item in _items(value)]
        return ("、" if lang == "zh" else ", ").join(labels)

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [str(item) for item in _items(value)]}


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


class Township(Choice):
    props = frozenset({"autocomplete"})
    fixed: Mapping[str, Mapping[str, Text]] = {"": TOWNSHIPS}


# --- lists that are given at run time --------------------------------------------------------------------

#: what `options_from` may name; the townships, villages and counties are known here, the rest is handed in
LISTS = frozenset({*STANDARD_LISTS, "units", "agencies", "offices", "slots"})
#: what `options_among` may name: the kinds of applicant that the service is for
AMONG = frozenset({"applicants"})


class Lookup(Choice):
    """One entry of a list. Its words are stored beside it: the list may change, what was chosen does not."""

    props = frozenset({"options_from", "autocomplete"})

    def choices(self, field: Field, part: str = "", lists: Lists = NO_LISTS) -> Mapping[str, Text]:
        name = field.options_from or ""
        return lists[name] if name in lists else STANDARD_LISTS.get(name, {})

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        text, known = one(field, given, limit=CODE_LENGTH), self.choices(field, lists=at.lists)
        if text and text not in known:
            raise self.gone(field, text)
        return _entry(text, known) if text else None

    def gone(self, field: Field, text: str) -> Invalid:
        if field.options_from == "slots":
            return refuse(
                field.label,
                "{label}：您選的時段已經額滿或已經開始，請改選其他時段",
                "{label}: the slot that you chose is full or has begun. Choose another",
            )
        return unknown_option(field, text)

    def show(self, field: Field, value: Json, lang: str) -> str:
        return _words(value, lang)

    def typed(self, field: Field, value: Json) -> object:
        return _value(value)

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [_value(value)]}

    def reusable(self, field: Field) -> bool:
        return field.options_from != "slots"


class MultiLookup(Lookup):
    fact = "list"
    many = True
    column = False
    props = frozenset({"options_from"})
    required = ("請至少選擇一項{label}", "{label}: choose at least one option")

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        known, chosen = self.choices(field, lists=at.lists), set(given.get("", ()))
        for text in sorted(chosen - known.keys()):
            if text.strip():
                raise self.gone(field, text)
        return [_entry(text, known) for text in known if text in chosen] or None

    def show(self, field: Field, value: Json, lang: str) -> str:
        return ("、" if lang == "zh" else ", ").join(_words(entry, lang) for entry in _items(value))

    def typed(self, field: Field, value: Json) -> object:
        return [_value(entry) for entry in _items(value)]

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [_value(entry) for entry in _items(value)]}


def _entry(text: str, known: Mapping[str, Text]) -> dict[str, Json]:
    label = known[text]
    return {"value": text, "zh": label.zh, "en": label.en}


def _value(entry: Json) -> str:
    return str(entry["value"]) if isinstance(entry, dict) else ""


def _words(entry: Json, lang: str) -> str:
    if not isinstance(entry, dict):
        return ""
    return str(entry["en"] if lang == "en" and entry["en"] else entry["zh"])


CHOICE_TYPES: dict[str, FieldType] = {
    "boolean": YesNo(),
    "agreement": Agreement(),
    "choice": Choice(),
    "multichoice": MultiChoice(),
    "township": Township(),
    "lookup": Lookup(),
    "multilookup": MultiLookup(),
}
