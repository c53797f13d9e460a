"""Every default that the research found stands somewhere: in a ruleset, in a service, or in code that a law fixes.

tests/data/rules_standing.csv says where; a row that is new, moved or lost fails here.
"""

import csv
import json
from pathlib import Path

import pytest

from rules.loader import load, read_all

DATA = Path(__file__).parents[2] / "data"
PROJECT = DATA.parents[1]
DEFAULTS = {row["id"]: row for row in json.loads((DATA / "rules_defaults.json").read_text("utf-8"))["rules"]}
STATUS = {"sourced": "sourced", "seed": "seed", "from general knowledge, to be verified": "to_be_verified"}


@pytest.fixture(scope="module")
def standing() -> dict[str, tuple[str, list[str]]]:
    with (DATA / "rules_standing.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {row["id"]: (row["kind"], [part for part in row["where"].split(";") if part]) for row in rows}
    assert len(found) == len(rows), "a row stands twice"
    return found


def test_every_default_stands_somewhere(standing: dict[str, tuple[str, list[str]]]) -> None:
    assert standing.keys() == DEFAULTS.keys()
    assert {kind for kind, _ in standing.values()} == {"rule", "file", "reference", "outside"}
    for key, (kind, where) in standing.items():
        assert (kind == "reference") == key.startswith("doc."), key
        assert where or kind == "reference", f"{key} stands nowhere"


def test_what_a_ruleset_decides_shows_source_and_status(standing: dict[str, tuple[str, list[str]]]) -> None:
    rulesets = {key: load(body) for key, body in read_all().items()}
    for key, (kind, where) in standing.items():
        if kind != "rule":
            continue
        shown = set()
        for place in where:
            of, _, name = place.partition(":")
            assert of in rulesets, f"{key}: no ruleset {of}"
            ruleset = rulesets[of]
            rule = next((rule for rule in ruleset.rules if rule.key == name), None)
            one = ruleset.parameters.get(name) or rule
            assert one is not None, f"{key}: {of} has no {name}"
            shown |= {one.status} if one.source else set()
        assert STATUS[DEFAULTS[key]["status"]] in shown, (
            f"{key} is {DEFAULTS[key]['status']}, shown as {shown}"
        )


def test_what_stands_in_a_file_is_there(standing: dict[str, tuple[str, list[str]]]) -> None:
    for key, (kind, where) in standing.items():
        for place in where if kind == "file" else ():
            path, _, text = place.partition("#")
            assert text and text in (PROJECT / path).read_text("utf-8"), (
                f"{key}: {path} does not say {text!r}"
            )
