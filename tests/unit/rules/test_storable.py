"""What a definition may not hold, because no database keeps it or no page shows it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from rules import cells, loader, storable, typed
from rules.values import MOST_LEVELS, DefinitionError

FACTORY = loader.read_all()
BODY = FACTORY["intake_routing"]


def nested(levels: int) -> Any:
    found: Any = 1
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize("key", FACTORY)
def test_the_factory_rulesets_can_be_kept(key: str) -> None:
    assert list(storable.problems(FACTORY[key])) == []


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("a\x00b", "rules[0].label: 「a<U+0000>b」含有"),
        ({"zh": "a", "en": "\x1b"}, "rules[0].label.en: 「<U+001B>」含有"),
        ("\ud800", "rules[0].label: 「<U+D800>」含有"),
        ({"\x85": 1}, "rules[0].label.<U+0085>: 「<U+0085>」含有"),
        (float("nan"), "rules[0].label: 「nan」不是可以計算的數字"),
        ([1, float("-inf")], "rules[0].label[1]: 「-inf」不是"),
        (nested(600), f"最多 {MOST_LEVELS} 層"),
    ],
)
def test_what_cannot_be_kept_is_refused_at_its_place_unless_it_was_published(
    value: object, says: str
) -> None:
    body = deepcopy(BODY)
    body["rules"][0]["label"] = value
    with pytest.raises(DefinitionError) as refused:
        loader.load(body)
    (problem,) = refused.value.problems
    assert says in str(problem)
    assert str(problem).encode()


@pytest.mark.parametrize("place", ["label", "source", "plain", "when"])
def test_a_published_ruleset_is_read_as_it_was(place: str) -> None:
    body = deepcopy(BODY)
    when = {"fact": "service.code", "op": "ne", "value": "\x00"}
    body["rules"][0] |= {"source": "法", "status": "sourced", place: when if place == "when" else "a\x00"}
    with pytest.raises(DefinitionError, match=rf"rules\[0\]\.{place}"):
        loader.load(body)
    assert loader.load(body, published=True).key == BODY["key"]


def test_lines_and_tabs_are_text() -> None:
    assert list(storable.problems({"a": ["一\r\n\t二", nested(MOST_LEVELS - 2)]})) == []


@pytest.mark.parametrize(
    "text",
    ["NaN", "1e999", '"\\ud800"', '{"a": "\\u0000"}', "[" * 600 + "]" * 600, "[" * 99_999, "9" * 5000, "{"],
)
def test_json_that_cannot_be_kept_stays_the_text_that_was_typed(text: str) -> None:
    assert typed.from_json(text) == text
    assert cells.Notation(cells.Domain("text")).read(f"JSON {text}") == f"JSON {text}"


def test_a_quoted_word_of_half_characters_stays_as_typed() -> None:
    assert typed.read('"\\ud800"', "text") == '"\\ud800"'
    assert typed.read('"a, b"', "text") == "a, b"
