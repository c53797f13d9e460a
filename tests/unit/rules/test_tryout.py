"""A draft is tried out in a process of its own."""

import sys
from pathlib import Path
from typing import Any

import pytest

from rules import example_runs, tryout
from rules.loader import read_all
from rules.model import Example
from rules.testing import as_expected
from rules.tryout import try_out


@pytest.fixture
def draft() -> dict[str, Any]:
    return read_all()["year_end_grade"]


def test_a_good_draft(draft: dict[str, Any]) -> None:
    assert try_out(draft, ["officer"]) == []


def test_units_are_known_in_the_process_too() -> None:
    body = read_all()["intake_routing"]
    then = [{"action": "assign_unit", "unit": "EC-NONE"}]
    body = body | {"rules": [{"key": "a", "label": "甲", "then": then}], "tables": [], "examples": []}
    body.pop("parameters", None)
    found = try_out(body, units=["EC"]), example_runs.run(body, units=["EC"]).problems
    assert [[each.path for each in problems] for problems in found] == [["rules[0].then[0].unit"]] * 2
    assert try_out(body) == []


def test_mistakes_and_failing_examples_come_back(draft: dict[str, Any]) -> None:
    draft["parameters"]["excellent_from"]["value"] = 91
    (problem,) = try_out(draft)
    assert problem.path == "examples"
    assert problem.message.zh.startswith("九十分為優等: 預期 ")
    draft["hit_policy"] = "any"
    assert [str(each) for each in try_out(draft)] == [
        "hit_policy: 「any」不在可選的值之中：unique、first、priority、collect、rule_order、output_order"
    ]


@pytest.mark.parametrize(
    ("code", "seconds", "message"),
    [
        ("import os; os.abort()", 60, "規則引擎無法編譯這個規則集"),
        ("print('nothing')", 60, "規則引擎無法編譯這個規則集"),
        ("import time; time.sleep(60)", 0.5, "規則集在 0.5 秒內無法編譯完成，請減少規則或條件"),
    ],
)
def test_a_process_that_dies_or_hangs(
    draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch, code: str, seconds: float, message: str
) -> None:
    monkeypatch.setattr(tryout, "COMMAND", (sys.executable, "-c", code))
    assert [each.message.zh for each in try_out(draft, seconds=seconds)] == [message]


def test_the_process_knows_no_secrets(
    draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY", "not to be told")
    code = f"import os; open({str(tmp_path / 'seen')!r}, 'w').write(repr(dict(os.environ)))"
    monkeypatch.setattr(tryout, "COMMAND", (sys.executable, "-c", code))
    try_out(draft)
    assert "PYTHONPATH" in (tmp_path / "seen").read_text()
    assert "not to be told" not in (tmp_path / "seen").read_text()


def test_each_example_with_what_came_out_and_why(draft: dict[str, Any]) -> None:
    draft["parameters"]["excellent_from"]["value"] = 91
    report = example_runs.run(draft, ["officer"])
    assert report.problems == []
    failed = [(n, run) for n, run in enumerate(report.runs) if not run.passed]
    assert [draft["examples"][n]["name"] for n, _ in failed] == ["九十分為優等"]
    (run,) = [run for _, run in failed]
    assert [each["grade"] for each in run.outcomes if "grade" in each] == ["a"]
    assert {each["rule"] for each in run.why if each["status"] == "fired"} == {"items", "grade.2"}
    assert all(each["sentence"]["zh"] and each["label"]["en"] for each in run.why)


def test_examples_of_a_draft_that_cannot_run(draft: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    draft["hit_policy"] = "any"
    assert [each.path for each in example_runs.run(draft).problems] == ["hit_policy"]
    monkeypatch.setattr(example_runs, "COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    (problem,) = example_runs.run(draft, seconds=0.5).problems
    assert "0.5 秒" in problem.message.zh


def test_decimals_and_truth_of_an_expectation() -> None:
    outcome = {"rule": "a", "action": "add_points", "params": {"points": "6.5", "parts": ["x"]}}
    example = Example("", {}, ({"points": 6.5},))
    assert as_expected(example, [outcome])
    assert as_expected(Example("", {}, ({"points": 7},)), [{**outcome, "params": {"points": "7.0"}}])
    assert not as_expected(Example("", {}, ({"points": 6.4},)), [outcome])
    assert not as_expected(Example("", {}, ({"points": True},)), [{**outcome, "params": {"points": 1}}])
    assert not as_expected(Example("", {}, ({"colour": None},)), [outcome])
