"""docs/definitions.md: every example loads, and every type and property has one."""

import re
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from forms import loader
from forms.choice_types import LISTS
from forms.field_reader import COMMON, FILE_KINDS, PLACED
from forms.field_types import COLUMN_TYPES, FIELD_TYPES
from forms.formula import OPERATIONS
from rules.values import read_yaml

DOCUMENT = (Path(__file__).parents[3] / "docs" / "definitions.md").read_text(encoding="utf-8")
FILED_BY = {
    "key": "filed_by",
    "type": "choice",
    "label": "申請方式",
    "options": [{"value": "self", "label": "本人"}, {"value": "agent", "label": "代理人"}],
}


@pytest.fixture
def examples(tmp_path: Path) -> list[Any]:
    """The blocks of the document: a form, then lists of fields."""
    file = tmp_path / "example.yaml"
    found = []
    for block in re.findall("```yaml\n(.*?)```", DOCUMENT, re.DOTALL):
        file.write_text(f"example:\n{indent(block, '  ')}", encoding="utf-8")
        found.append(read_yaml(file)["example"])
    return found


@pytest.fixture
def fields(examples: list[Any]) -> list[dict[str, Any]]:
    return [field for block in examples[1:] for field in block]


def test_every_example_loads(examples: list[Any], fields: list[dict[str, Any]]) -> None:
    assert loader.load(examples[0]).key == "tree_seedlings"
    section = {"key": "page", "title": "頁", "fields": [FILED_BY, *fields]}
    assert loader.load({"key": "all", "title": "全部", "sections": [section]})


def test_every_type_and_property_has_an_example(fields: list[dict[str, Any]]) -> None:
    shown = [*fields, *(column for field in fields for column in field.get("columns", ()))]
    assert {field["type"] for field in shown} == set(FIELD_TYPES)
    for name in {*COMMON, *PLACED}.union(*(kind.props for kind in FIELD_TYPES.values())):
        assert any(name in field for field in shown), name
    assert {next(iter(field["formula"])) for field in shown if "formula" in field} == set(OPERATIONS)


def test_names_that_are_listed_are_those_there_are() -> None:
    assert all(f"`{name}`" in DOCUMENT for name in LISTS)
    kinds = re.search(r"Kinds: (.*?)\.\n", DOCUMENT)
    assert kinds is not None and set(kinds[1].split()) == FILE_KINDS
    no_columns = re.search(r"except (.*?)\. A column", DOCUMENT)
    assert no_columns is not None
    assert set(re.findall("`(.*?)`", no_columns[1])) == FIELD_TYPES.keys() - COLUMN_TYPES
