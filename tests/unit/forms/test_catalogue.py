"""The fields of all 84 services of the catalogue can be asked with the types there are."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from forms import answers, loader
from tests.filling import valid, wrong
from tests.form_fixtures import LISTS, TODAY, fill

with (Path(__file__).parents[2] / "data" / "catalogue.csv").open(encoding="utf-8") as file:
    CATALOGUE = {row["code"]: row["fields"] for row in csv.DictReader(file)}

#: the catalogue's words for types
TYPES = {
    "int": "integer",
    "bool": "boolean",
    "agree": "agreement",
    "plate": "vehicle_plate",
    "parcel": "land_parcel",
    "nid_or_ui": "national_id",
    "ubn": "company_number",
    "nid_ui_or_ubn": "nid_or_company",
    "geo": "position",
}
RUN_TIME = {"units", "villages", "slots", "counties"}
FIELD = re.compile(r"(?P<key>[a-z_0-9]+):(?P<type>[a-z_]+)(?:\((?P<inner>[^)]*)\))?(?P<optional>\?)?")


def field_of(text: str) -> dict[str, Any]:
    found = FIELD.fullmatch(text)
    assert found is not None, text
    key, type_, inner = found["key"], TYPES.get(found["type"], found["type"]), found["inner"]
    field: dict[str, Any] = {"key": key, "type": type_, "label": key, "optional": bool(found["optional"])}
    if type_ == "table":
        return field | {"columns": [field_of(column) for column in inner.split(",")]}
    if type_ not in ("choice", "multichoice"):
        return field
    if inner in RUN_TIME:
        return field | {
            "type": {"choice": "lookup", "multichoice": "multilookup"}[type_],
            "options_from": inner,
        }
    options = inner.split("|") if inner else ["a", "b"]
    return field | {"options": [{"value": value, "label": value} for value in options]}


def test_the_catalogue_has_84_services() -> None:
    assert len(CATALOGUE) == 84


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_field_can_be_asked_answered_and_refused(code: str) -> None:
    fields = [field_of(text) for text in CATALOGUE[code].split(";")]
    section = {"key": "page", "title": "頁", "fields": fields}
    form = loader.load({"key": code.lower(), "title": code, "sections": [section]})
    filled = fill(form, valid(form.fields, TODAY, LISTS))
    assert filled.errors == {} and len(filled.answers) == len(fields)
    for field in form.fields:
        assert answers.display(field, filled.answers[field.key]).strip()
    refused = fill(form, wrong(form.fields))
    assert refused.errors.keys() == {field.key for field in form.fields}
    for key, texts in refused.errors.items():
        asked = [column.key for column in form.field(key).columns] or [key]
        assert {name for name in asked for text in texts if name in text} == set(asked)
