"""Mistakes of a draft before an editor who reads English: every page of the desk says them in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.functional.test_rule_pages import body_of, drafted, editor, put
from tests.journeys import NOW
from tests.officers import at
from tests.visitor import Visitor, plain

CHINESE = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
QUOTED = re.compile("“[^”]*”")


@pytest.fixture(autouse=True)
def _world(app: Flask, committed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    at(app, monkeypatch, NOW)
    yield


def english(app: Flask, draft: int) -> Visitor:
    person = editor(app, draft)
    person.get("/language/en?next=/help")
    return person


def in_english(found: list[str]) -> list[str]:
    assert [each for each in found if CHINESE.search(QUOTED.sub("", each))] == []
    return found


def said(person: Visitor, where: str) -> list[str]:
    found = person.page.soup.select(where)
    assert not [each for each in found if each.find_parent(lang="zh-Hant-TW")]
    return in_english([plain(each) for each in found])


def test_every_page_says_them_in_english(app: Flask) -> None:
    draft = drafted(app, "progress_lag")
    body = body_of(app, draft)
    parameters = body["parameters"]
    parameters["severe_lag"]["status"] = "guess"
    parameters["behind_lag"]["value"] = "soon"
    table = body["tables"][0]
    table["rows"][0]["then"][-1] = "flying"
    rule = {
        "key": "late",
        "label": {"zh": "太晚", "en": "Too late"},
        "when": {"fact": "plan.lagg", "op": "gt", "value": 1},
        "then": [{"action": "add_points", "points": "many"}],
    }
    example = {"name": "Nothing", "facts": {"plan.lag": "far"}, "expect": ["red"]}
    rules = [*body.get("rules", []), rule]
    put(
        app, draft, hit_policy="every", parameters=parameters, tables=[table], rules=rules, examples=[example]
    )
    person = english(app, draft)

    person.get(f"/admin/drafts/{draft}")
    problems = said(person, ".app-problems li")
    assert any("“every” is none of the values to choose from: unique, first" in each for each in problems)
    assert any("There is no fact “plan.lagg”; did you mean “plan.lag”?" in each for each in problems)
    assert any("“points”: “many” must be a number with at most six decimals" in each for each in problems)

    person.get(f"/admin/drafts/{draft}/edit")
    assert said(person, "main .govuk-list--bullet li")[0].startswith(
        "hit_policy: “every” is none of the values"
    )

    person.get(f"/admin/drafts/{draft}/edit/parameters")
    assert any("“guess” is none of the values" in each for each in in_english(person.page.mistakes))

    person.get(f"/admin/drafts/{draft}/edit/rules/late")
    assert any("There is no fact “plan.lagg”" in each for each in said(person, ".govuk-error-message"))

    person.get(f"/admin/drafts/{draft}/edit/examples/1")
    wrong = said(person, ".govuk-error-message")
    assert any("The value “far” of “Lag” is not of type number" in each for each in wrong)
    person.get(f"/admin/drafts/{draft}/edit/examples?run=all")
    assert said(person, ".govuk-inset-text li")

    person.get(f"/admin/drafts/{draft}/edit/yaml")
    assert len(in_english(person.page.mistakes)) > 4
    person.press("Save", {"text": "key: progress_lag\ntitle: one: two"})
    assert in_english(person.page.mistakes) == [
        "Line 2: No other colon can stand here; check the indentation, or put text with a colon in quotes"
    ]

    person.get(f"/admin/drafts/{draft}/edit/tables/1")
    (flying,) = [each for each in said(person, "[data-marks]") if "“flying”" in each]
    head, _, choices = flying.rpartition(": ")
    assert re.fullmatch(
        "Row 1, column [0-9]+ “.*”: “status”: “flying” is none of the values to choose from", head
    )
    assert choices == "ahead, on track, behind, severely behind, no report"


def test_gaps_and_overlaps_name_their_rows(app: Flask) -> None:
    draft = drafted(app, "progress_lag")
    person = english(app, draft)
    person.get(f"/admin/drafts/{draft}/edit/tables/1")
    person.press("Check", {"when-6-1": "< {ahead_lag}"})
    assert said(person, "[data-marks]") == ["Gap: “Report missing” is no, “Lag” is -5: no row matches"]
    person.press("Check", {"table-hit_policy": "unique"})
    found = said(person, "[data-marks]")
    assert any(re.fullmatch("Overlap: .* rows 1, 2 all match", each) for each in found)
    marks = [
        each["data-marks"] for each in person.page.soup.select("[data-marks]") if "rows 1, 2 all" in each.text
    ]
    assert marks[0] == "row-0 row-1"
