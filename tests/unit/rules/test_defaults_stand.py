"""Every default that the research found stands somewhere: in a ruleset, in a service, or in code that a law fixes.

tests/data/rules_standing.csv says where; a row that is new, moved or lost fails here.
"""

import csv
import json
import re
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
            of, _, said = place.partition(":")
            name, _, value = said.partition("=")
            assert of in rulesets, f"{key}: no ruleset {of}"
            ruleset = rulesets[of]
            rule = next((rule for rule in ruleset.rules if rule.key == name), None)
            parameter = ruleset.parameters.get(name)
            one = parameter or rule
            assert one is not None, f"{key}: {of} has no {name}"
            assert value == (str(parameter.value) if parameter else ""), f"{key}: {place}"
            shown |= {one.status} if one.source else set()
        assert STATUS[DEFAULTS[key]["status"]] in shown, (
            f"{key} is {DEFAULTS[key]['status']}, shown as {shown}"
        )


#: values that the research says in other words: 逾期不受理, "one correction notice", half up to an integer, …
IN_OTHER_WORDS = {
    "corrections_limit",
    "joint_units",
    "assign_days",
    "confirm_channel",
    "closed_after_days",
    "execution_floor",
    "severe_lag",
    "stored_decimals",
    "average_decimals",
    "grade_decimals",
    "score_decimals",
    "budget_score_decimals",
    "ratio_decimals",
    "rate_decimals",
}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def test_a_parameter_has_the_value_that_was_found(standing: dict[str, tuple[str, list[str]]]) -> None:
    for key, (kind, where) in standing.items():
        for place in where if kind == "rule" else ():
            name, _, value = place.partition(":")[2].partition("=")
            if value and name not in IN_OTHER_WORDS:
                month, _, day = value.partition("-")
                words = f"{int(day)} {MONTHS[int(month) - 1]}" if month and day else value.lstrip("-")
                found = DEFAULTS[key]["default"].replace(",", "")
                assert re.search(rf"(?<![\d.]){re.escape(words)}(?!\d)", found), (
                    f"{key}: {place}, not {found}"
                )


def test_every_rule_shows_where_it_comes_from() -> None:
    """By itself, by its table, or by a parameter that it uses."""
    for key, body in read_all().items():
        for rule in body.get("rules", []):
            assert "source" in rule or "'param'" in str(rule), f"{key}: {rule['key']}"
        for table in body.get("tables", []):
            for number, row in enumerate(table["rows"], start=1):
                assert {"source"} & (table.keys() | row.keys()) or "'param'" in str(row), (
                    f"{key}: {table['key']}.{number}"
                )


def test_what_stands_in_a_file_is_there(standing: dict[str, tuple[str, list[str]]]) -> None:
    for key, (kind, where) in standing.items():
        for place in where if kind == "file" else ():
            path, _, text = place.partition("#")
            assert text and text in (PROJECT / path).read_text("utf-8"), (
                f"{key}: {path} does not say {text!r}"
            )
