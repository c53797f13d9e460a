"""Field types that read other answers: what is computed from them, and the signature under them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from forms.compound_types import text_of
from forms.date_types import shown_date
from forms.field_type import Blank, FieldType, Given, Json, Setting, folded, one
from forms.formula import compute
from forms.messages import refuse
from forms.simple_types import Number

if TYPE_CHECKING:
    from forms.model import Field

LONGEST_NAME = 100


class Computed(Number):
    """Never asked and never taken from what is sent: it follows from the other answers."""

    parts = ()
    asked = False
    props = frozenset({"formula", "unit", "decimals"})
    defaults: Mapping[str, object] = {"decimals": 0}

    def reusable(self, field: Field) -> bool:
        return False

    def reads(self, field: Field) -> frozenset[str]:
        return field.formula.keys if field.formula else frozenset()

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        number = compute(field.formula, at, field.decimals or 0) if field.formula else None
        if number is None:
            return None
        return f"{number.normalize():f}" if number else "0"

    def blank(self, field: Field) -> Blank:
        return Blank("（免填，由機關計算）")

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {}


class Signature(FieldType):
    """The name typed under a sentence. Stored with the sentence and the moment, so that it stands by itself."""

    column = False
    personal = True
    own_word = True
    props = frozenset({"name_of", "sentence"})
    required = ("請在「{label}」輸入您的姓名，表示同意", "Type your name in “{label}” to sign")

    def reusable(self, field: Field) -> bool:
        return False

    def reads(self, field: Field) -> frozenset[str]:
        return frozenset(field.name_of)

    def parse(self, field: Field, given: Given, at: Setting) -> Json:
        name = " ".join(one(field, given, limit=LONGEST_NAME).split())
        if not name:
            return None
        expected = next((at.answers[key] for key in field.name_of if key in at.answers), None)
        if isinstance(expected, str) and folded(name).casefold() != folded(expected).casefold():
            raise refuse(
                field.label,
                "{label}須與您填寫的姓名相同：{expected}",
                "{label} must be the name that you entered: {expected}",
                expected=expected,
            )
        signed_at = at.moment.strftime("%Y-%m-%dT%H:%M") if at.moment else at.today.isoformat()
        sentence = field.sentence.in_(at.lang) if field.sentence else ""
        return {"name": name, "sentence": sentence, "signed_at": signed_at}

    def blank(self, field: Field) -> Blank:
        return Blank(f"簽名或蓋章：{'＿' * 12}　民國　　　年　　　月　　　日", wide=True)

    def show(self, field: Field, value: Json, lang: str) -> str:
        name, sentence, signed_at = (text_of(value, part) for part in ("name", "sentence", "signed_at"))
        day, _, time = signed_at.partition("T")
        when = shown_date(date.fromisoformat(day)).in_(lang)
        if lang == "en":
            return f"{name}, signed on {when}{time and f' at {time}'}\n“{sentence}”"
        return f"{name}，{when}{time and f' {time}'} 簽署\n「{sentence}」"

    def typed(self, field: Field, value: Json) -> object:
        return text_of(value, "name")

    def to_raw(self, field: Field, value: Json) -> dict[str, list[str]]:
        return {"": [text_of(value, "name")]}


DERIVED_TYPES: dict[str, FieldType] = {"computed": Computed(), "signature": Signature()}
