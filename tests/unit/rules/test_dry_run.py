"""A dry run: equal facts once, limits, labels, and why something would change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from rules import engine
from rules.dry_run import DryRun, dry_run, matrix_labels
from rules.engine import Compiled
from rules.loader import load, read_all

Snapshots = list[tuple[str, dict[str, object]]]


@pytest.fixture
def compared() -> Callable[..., DryRun]:
    """A factory ruleset beside itself with changes."""

    def run(key: str, snapshots: Any, change: Callable[[dict[str, Any]], Any] = len, **limits: Any) -> DryRun:
        body = read_all()[key]
        change(body)
        with (
            closing(engine.compile(load(read_all()[key]))) as current,
            closing(engine.compile(load(body, published=True))) as draft,
        ):
            return dry_run(current, draft, snapshots, **limits)

    return run


def test_equal_facts_are_decided_once(
    compared: Callable[..., DryRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[object] = []
    evaluate = Compiled.evaluate

    def counted(self: Compiled, facts: Any, **how: Any) -> Any:
        decided.append(facts)
        return evaluate(self, facts, **how)

    monkeypatch.setattr(Compiled, "evaluate", counted)
    lags: list[object] = [7, 7.0, "7", True, None, 9]
    snapshots: Snapshots = [
        (f"plan {n}", {"plan.lag": lags[n % len(lags)], "case.fee": n, "plan.origins": ["pledge"]})
        for n in range(6000)
    ]
    run = compared("progress_lag", snapshots)
    assert (run.decisions, run.changed, run.cut) == (6000, [], None)
    assert len(decided) == 2 * len(lags)
    assert sum(run.matrix.values()) == 6000
    labels = matrix_labels(run)
    explain = "填報落後說明：原因類別、落後原因、因應對策、預計趕上日期"
    assert {str(labels[before]): count for (before, _), count in run.matrix.items()} == {
        f"{explain}；燈號：紅燈；執行狀態：嚴重落後": 3000,
        "燈號：灰燈；執行狀態：未填報": 1000,
        "沒有結果": 2000,  # a word is no lag
    }


def test_a_run_is_limited(compared: Callable[..., DryRun]) -> None:
    snapshots: Snapshots = [(f"plan {n}", {"plan.lag": n}) for n in range(9)]
    assert (compared("progress_lag", snapshots, rows=9).cut, compared("progress_lag", [], seconds=0).cut) == (
        None,
        None,
    )
    few = compared("progress_lag", snapshots, rows=4)
    assert (few.decisions, few.cut) == (4, "rows")
    none = compared("progress_lag", iter(snapshots), seconds=0)
    assert (none.decisions, none.cut) == (0, "seconds")
    assert compared("progress_lag", snapshots, seconds=60).decisions == 9


def test_nothing_that_follows_is_said_too(compared: Callable[..., DryRun]) -> None:
    run = compared("case_deadlines", [("case", {"case.days_left": 30})])
    assert [(str(label), label.in_("en")) for label in matrix_labels(run).values()] == [
        ("沒有結果", "nothing follows")
    ]


def test_a_parameter_that_is_given_is_a_reason_too(compared: Callable[..., DryRun]) -> None:
    def change(body: dict[str, Any]) -> None:
        body["parameters"]["correction_days"]["value"] = 10
        body["parameters"]["high_rejections"]["value"] = 4

    facts = {"case.documents_missing": 1, "service.decision_level": 4}
    (changed,) = compared("intake_risk", [("case", facts)], change).changed
    assert str(changed.reason.text) == ("「補正日數」由 15 日 改為 10 日；「缺件者一次通知補正」的結果改變")


def test_a_rule_that_is_new_or_gone_is_a_reason(compared: Callable[..., DryRun]) -> None:
    def change(body: dict[str, Any]) -> None:
        gone = body["rules"].pop(0)
        body["rules"].append(gone | {"key": "new", "label": "新的說明", "when": {"not": gone["when"]}})

    run = compared("progress_lag", [("late", {"plan.lag": 1}), ("early", {"plan.lag": -1})], change)
    assert {each.name: str(each.reason.text) for each in run.changed} == {
        "late": "不再採用「落後者填報原因、對策與趕上日期」",
        "early": "改採「新的說明」",
    }
