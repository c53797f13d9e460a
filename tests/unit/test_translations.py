"""English is complete: the texts of the pages, of the definitions, and what Python says in two languages."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from rules.values import read_yaml

ROOT = Path(__file__).parents[2]
PO = ROOT / "webapp/translations/en/LC_MESSAGES/messages.po"
CHINESE = re.compile("[\u3001-\u303f\u3400-\u9fff\uff00-\uffef]")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
#: proper names that have no other writing
NAMES = ("后湖段",)

PACKAGES = ("forms", "rules", "webapp", "workflows")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
DEFINITIONS = [
    path for package in ("forms", "rules", "workflows") for path in sorted((ROOT / package).rglob("*.yaml"))
]
#: what only offices and administrators of the rules read, and what people type into the search
CHINESE_ONLY = {"legal_basis", "basis_status", "synonyms", "source", "examples"}


def chinese_in(english: str) -> list[str]:
    for name in NAMES:
        english = english.replace(name, "")
    return CHINESE.findall(english)


@pytest.fixture(scope="module")
def english() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file)


def texts(catalog: Catalog) -> dict[object, Message]:
    return {message.id: message for message in catalog if message.id}


def strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_the_catalogue_has_the_texts_of_the_pages_and_no_others(
    english: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    found = tmp_path / "messages.pot"
    extract = ["pybabel", "-q", "extract", "-F", "pyproject.toml", "-o", str(found), "webapp"]
    CommandLineInterface().run(extract)
    with found.open("rb") as file:
        wanted = set(texts(read_po(file)))
    known = set(texts(english))
    assert wanted - known == set(), "`make translations`, then translate what is new"
    assert known - wanted == set(), "`make translations` removes what no page says any more"
    assert len(wanted) > 400


def test_every_text_is_translated_with_its_placeholders(english: Catalog) -> None:
    for message in texts(english).values():
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        placeholders = set(PLACEHOLDER.findall(ids[0]))
        assert not message.fuzzy, message.id
        assert len(strings(message)) == len(ids), message.id
        for text in strings(message):
            assert text.strip(), f"not translated: {message.id}"
            assert set(PLACEHOLDER.findall(text)) == placeholders, f"{message.id} -> {text}"
            assert not chinese_in(text), text


def test_the_pages_use_the_catalogue_as_it_is(english: Catalog) -> None:
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in texts(english).values():
        if isinstance(message.id, str):
            said = [compiled.gettext(message.id)]
        else:
            said = [compiled.ngettext(*message.id, n) for n in (1, 2)]
        assert said == strings(message), "`make pytest` compiles the catalogue; so does `make run`"


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.name)
def test_definitions_have_english_texts(path: Path) -> None:
    assert not list(untranslated(read_yaml(path), ""))


def untranslated(value: object, where: str) -> Iterator[str]:
    """A text is {zh, en}; where Chinese stands alone there is no English."""
    if isinstance(value, dict) and "zh" in value:
        if not value.get("en") or chinese_in(value["en"]):
            yield where
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in CHINESE_ONLY:
                yield from untranslated(item, f"{where}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from untranslated(item, f"{where}[{number}]")
    elif isinstance(value, str) and CHINESE.search(value):
        yield where


def test_texts_in_python_have_both_languages() -> None:
    said = [(path, call) for path in MODULES for call in text_calls(path)]
    missing = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path, call in said
        if CHINESE.search(literal(call, "zh"))
        and (not literal(call, "en").strip() or chinese_in(literal(call, "en")))
    ]
    assert not missing
    assert len(said) > 100


def text_calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
            yield node


def literal(call: ast.Call, keyword: str) -> str:
    """The characters written in the source; what is filled in counts as a placeholder."""
    found = next((given.value for given in call.keywords if given.arg == keyword), None)
    if isinstance(found, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in found.values)
    if isinstance(found, ast.Constant):
        return str(found.value)
    return "" if found is None else "{}"
