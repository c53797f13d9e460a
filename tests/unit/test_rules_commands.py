"""`ecounter rules`: what the commands print and refuse. The engine itself is tested in tests/unit/rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rules import differential, loader
from webapp.bench import rule_engines, rules
from webapp.cli import main


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rules", *arguments])


@pytest.fixture
def decide(tmp_path: Path) -> Callable[..., Result]:
    def decide(key: str, facts: str, *more: str) -> Result:
        (tmp_path / "facts.json").write_text(facts, encoding="utf-8")
        return run("decide", key, "--facts", str(tmp_path / "facts.json"), *more)

    return decide


@pytest.mark.parametrize(("lag", "status"), [("6.5", "severe"), ("6.4999", "behind"), ("6.50000", "severe")])
def test_decide_prints_one_object(decide: Callable[..., Result], lag: str, status: str) -> None:
    done = decide("progress_lag", f'{{"plan.lag": {lag}}}')
    assert done.exit_code == 0
    said = json.loads(done.stdout)
    assert set(said) == {"outcomes", "explanation"}
    assert {
        "rule": "light.3" if status == "severe" else "light.4",
        "action": "set_progress",
        "params": {"status": status},
    } in said["outcomes"]
    assert ("severe" in done.stdout.partition('"explanation"')[0]) == (status == "severe")
    assert len(said["explanation"]) == 12


def test_decide_by_a_day(decide: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    facts = '{"plan.lag": 6.5}'
    assert decide("progress_lag", facts, "--as-of", "2026-11-22").exit_code == 0
    dated = {
        "progress_lag": loader.read_all()["progress_lag"]
        | {"effective_from": "2026-01-01", "effective_to": "2026-12-31"}
    }
    monkeypatch.setattr(loader, "read_all", lambda: dated)
    assert decide("progress_lag", facts, "--as-of", "2026-12-31").exit_code == 0
    late = decide("progress_lag", facts, "--as-of", "2027-01-01")
    assert (late.exit_code, late.stdout) == (1, "")
    assert "progress_lag is in force from 2026-01-01 to 2026-12-31, not on 2027-01-01" in late.stderr
    assert decide("progress_lag", facts, "--as-of", "115/1/1").exit_code == 2


@pytest.mark.parametrize(
    ("key", "facts", "message"),
    [
        ("progress", "{}", "no ruleset progress; there are case_deadlines, "),
        ("progress_lag", "{", "facts are not JSON: "),
        ("progress_lag", "[1]", "facts are one JSON object of names and values"),
        ("progress_lag", "", "facts are not JSON: Expecting value"),
        ("progress_lag", '{"plan.lag": NaN}', "facts are not JSON: NaN is no number"),
        ("progress_lag", '{"plan.lag": -Infinity}', "facts are not JSON: -Infinity is no number"),
        (
            "progress_lag",
            '{"plan.lag": 1, "plan.lag": 9}',
            "facts are not JSON: 'plan.lag' stands there twice",
        ),
        ("progress_lag", '{"plan.lag": 1e9999999999999999999}', "a number too large or too small"),
        ("progress_lag", '{"plan.lag": ' + "9" * 5000 + "}", "facts are not JSON: Exceeds the limit"),
        ("progress_lag", '{"plan.lag": ' + "[" * 100_000, "too many brackets within each other"),
        ("progress_lag", '{"plan.lag": "\\ud800"}', "surrogates not allowed"),
        ("../progress_lag", "{}", "no ruleset ../progress_lag"),
    ],
)
def test_decide_refuses(decide: Callable[..., Result], key: str, facts: str, message: str) -> None:
    done = decide(key, facts)
    assert (done.exit_code, done.stdout) == (1, "")
    assert message in done.stderr


def test_decide_warns_beside_the_object(decide: Callable[..., Result]) -> None:
    done = decide("progress_lag", '{"plan.lga": 6.5, "plan.lag": "much"}')
    assert "warning: facts.plan.lga: 沒有「plan.lga」這項事實，是否為「plan.lag」？" in done.stderr
    assert "warning: facts.plan.lag: 「進度落後」的值「much」不是數字" in done.stderr
    assert json.loads(done.stdout)["outcomes"] == []


@pytest.mark.parametrize(
    ("facts", "light"),
    [
        ('\ufeff{"plan.lag": 6.5}', "red"),
        ('{"plan.lag": 1e400}', "red"),
        ('{"plan.lag": ' + "9" * 4000 + "}", "red"),
        ('{"plan.lag": 6.4' + "9" * 5000 + "}", "yellow"),
        ('{"plan.lag": 1e-999999}', "yellow"),
        ('{"plan.lag": -1e999999999}', "blue"),
        ('{"plan.lag": null}', "grey"),
    ],
)
def test_decide_takes_what_is_odd(decide: Callable[..., Result], facts: str, light: str) -> None:
    done = decide("progress_lag", facts)
    assert done.exit_code == 0, done.stderr
    lights = [each["params"] for each in json.loads(done.stdout)["outcomes"] if each["action"] == "set_light"]
    assert lights == [{"light": light}]


def test_decide_reads_standard_input_and_no_other_encoding(tmp_path: Path) -> None:
    asked = ["rules", "decide", "progress_lag", "--facts", "-"]
    piped = CliRunner().invoke(main, asked, input='{"plan.lag": 9}')
    assert json.loads(piped.stdout)["outcomes"][1]["params"] == {"light": "red"}
    (tmp_path / "big5").write_bytes('{"plan.level": "縣長"}'.encode("big5"))
    refused = run("decide", "progress_lag", "--facts", str(tmp_path / "big5"))
    assert (refused.exit_code, "facts are not JSON: 'utf-8' codec" in refused.stderr) == (1, True)


def test_decide_does_not_flood_the_screen(decide: Callable[..., Result]) -> None:
    done = decide("progress_lag", json.dumps({f"plan.x{n}": n for n in range(500)}))
    assert len(done.stderr.splitlines()) == 51
    assert done.stderr.endswith("warning: and 450 more\n")


def test_check_and_test_name_every_ruleset(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = sorted(loader.read_all())
    checked, tested = run("check"), run("test")
    assert (checked.exit_code, checked.stdout.splitlines()) == (0, [f"{key}: ok" for key in keys])
    assert (tested.exit_code, [line.partition(":")[0] for line in tested.stdout.splitlines()]) == (0, keys)
    spoilt = loader.read_all()["year_end_grade"]
    spoilt["parameters"]["a_from"]["value"] = 85
    monkeypatch.setattr(loader, "read_all", lambda: {"year_end_grade": spoilt})
    failed = run("test")
    assert failed.exit_code == 1
    assert "year_end_grade: 八十分為甲等: 預期" in failed.stderr
    spoilt["hit_policy"] = "any"
    assert (run("check").exit_code, "hit_policy: 「any」不在可選的值之中" in run("check").stderr) == (1, True)


def test_compare_counts_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    agreed = run("compare", "--decisions", "600", "--seed", "3")
    assert (agreed.exit_code, agreed.stdout.splitlines()[-1]) == (0, "600 decisions, 0 differences")
    monkeypatch.setattr(differential, "matching", lambda ruleset, facts: list(range(len(ruleset.rules))))
    differing = run("compare", "--decisions", "100")
    assert differing.exit_code == 1
    assert "seed 0: the engine says " in differing.stderr
    assert not differing.stdout.endswith(" 0 differences\n")


def test_the_measurement_measures_the_same_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "SIZES", (10,))
    monkeypatch.setattr(rules, "SECONDS", 0.001)
    monkeypatch.setattr(rules, "MOST_OF_CLOSURES", 1000)
    monkeypatch.setattr(rules, "LONGEST_A_CASE", 1)
    monkeypatch.setattr(rules, "LINEAR", 1000)
    monkeypatch.setattr(rules, "PEERS", {"some-peer": lambda given: rule_engines.closures(given)})
    done = run("bench", "--rounds", "1", "--cases", "400")
    assert done.exit_code == 0, done.output
    assert [line.split()[0] for line in done.stdout.splitlines()[:4]] == [
        "10",
        "ecounter",
        "closures",
        "some-peer",
    ]
    assert "sweep of 400 cases by case_deadlines" in done.stdout
    monkeypatch.setattr(rules, "PEERS", {"wrong-peer": lambda given: lambda facts: [len(given)]})
    wrong = run("bench", "--rounds", "1", "--cases", "400")
    assert "wrong-peer matches other rules" in wrong.stderr
    monkeypatch.setattr(rules, "MOST_OF_CLOSURES", 0)
    monkeypatch.setattr(rules, "LONGEST_A_CASE", 0)

    def absent(given: object) -> object:
        raise ImportError

    monkeypatch.setattr(rules, "PEERS", {"absent-peer": absent})
    slow = run("bench", "--rounds", "1", "--cases", "400")
    assert slow.exit_code == 1
    assert "absent-peer is not installed" in slow.stderr
    assert "more than 0 times plain closures at 10 rules; the sweep is too slow" in slow.stderr
