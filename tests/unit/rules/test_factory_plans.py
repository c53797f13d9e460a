"""The published figures of the county come out of the factory rulesets: lagging plans, lights, scores."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules import engine
from rules.decision import Decision
from rules.dry_run import Change, dry_run, matrix_labels
from rules.loader import load, read_all
from rules.scoring import Method, rate, score
from rules.values import Text

DATA = Path(__file__).parents[2] / "data"
Decide = Callable[..., Decision]


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def decide() -> Iterator[Decide]:
    bodies, held = read_all(), {}

    def decision(key: str, facts: dict[str, Any], **values: object) -> Decision:
        which = (key, tuple(values.items()))
        if which not in held:
            parameters = bodies[key]["parameters"]
            changed = {name: parameters[name] | {"value": value} for name, value in values.items()}
            held[which] = engine.compile(load(bodies[key] | {"parameters": parameters | changed}))
        found = held[which].evaluate(facts, shadow=True)
        assert found.engine == "durable"
        return found

    yield decision
    for compiled in held.values():
        compiled.close()


def said(decision: Decision, action: str, param: str) -> list[Any]:
    return [outcome.params[param] for outcome in decision.outcomes if outcome.action == action]


# --- plans -----------------------------------------------------------------------------------------------


def plan(row: dict[str, str]) -> dict[str, Any]:
    planned, actual = Decimal(row["planned_pct"]), Decimal(row["actual_pct"])
    return {"plan.planned": planned, "plan.actual": actual, "plan.lag": planned - actual}


def test_the_published_plans_have_their_status(decide: Decide) -> None:
    published = rows("plans.csv")
    assert len(published) == 13
    for row in published:
        assert said(decide("progress_lag", plan(row)), "set_progress", "status") == [row["status"]], row[
            "project"
        ]


def test_a_higher_threshold_changes_one_plan() -> None:
    """The dry run of 10 instead of 6.5 over the published plans."""
    body = read_all()["progress_lag"]
    body["parameters"]["severe_lag"]["value"] = 10
    plans = [(row["project"], plan(row)) for row in rows("plans.csv")]
    with (
        closing(engine.compile(load(read_all()["progress_lag"]))) as current,
        closing(engine.compile(load(body))) as draft,
    ):
        run = dry_run(current, draft, plans)
    explained = "require_explanation reason_class+reason+countermeasure+catch_up_date"
    severe = (explained, "set_light red", "set_progress severe")
    behind = (explained, "set_light yellow", "set_progress behind")
    assert run.changed == [Change("開瑄國小校舍及運動場新建", severe, behind)]
    assert (run.decisions, run.matrix[severe, behind], run.matrix[severe, severe]) == (13, 1, 1)
    assert sum(run.matrix.values()) == 13
    labels = matrix_labels(run)
    explain = "填報落後說明：原因類別、落後原因、因應對策、預計趕上日期"
    assert labels[severe] == Text(
        zh=f"{explain}；燈號：紅燈；執行狀態：嚴重落後",
        en="Ask for an explanation: class of reason, reason, countermeasure, date to catch up; Light: red; "
        "Progress: severely behind",
    )
    assert str(labels[behind]) == f"{explain}；燈號：黃燈；執行狀態：落後"
    assert run.changed[0].reason.text == Text(
        zh="「嚴重落後門檻」由 6.5 個百分點 改為 10 個百分點；不再採用「嚴重落後」；改採「落後」",
        en="“Severe from” changes from 6.5 percentage points to 10 percentage points; "
        "no longer “Severely behind”; instead “Behind”",
    )


def test_a_draft_that_cannot_choose_is_a_change() -> None:
    body = read_all()["progress_lag"] | {"hit_policy": "unique"}
    with (
        closing(engine.compile(load(read_all()["progress_lag"]))) as current,
        closing(engine.compile(load(body))) as draft,
    ):
        run = dry_run(current, draft, [("plan", {"plan.lag": 7, "plan.budget_execution": 10})])
    (change,) = run.changed
    assert change.after == ("not unique: explain_lag, low_execution",)
    assert str(matrix_labels(run)[change.after]) == "not unique: explain_lag, low_execution"


@pytest.mark.parametrize(
    ("lag", "light", "status"),
    [
        ("-5.0001", "blue", "ahead"),
        ("-5", "blue", "ahead"),
        ("-4.9999", "green", "ahead"),
        ("0", "green", "on_track"),
        ("0.0001", "yellow", "behind"),
        ("6.4999", "yellow", "behind"),
        ("6.5", "red", "severe"),
        ("100", "red", "severe"),
    ],
)
def test_lights(decide: Decide, lag: str, light: str, status: str) -> None:
    decision = decide("progress_lag", {"plan.lag": Decimal(lag)})
    assert (said(decision, "set_light", "light"), said(decision, "set_progress", "status")) == (
        [light],
        [status],
    )


def test_why_a_plan_is_severe(decide: Decide) -> None:
    entry = next(e for e in decide("progress_lag", {"plan.lag": 6.5}).explanation if e["rule"] == "light.3")
    assert entry["sentence"]["zh"] == "進度落後 6.5 個百分點 ≥ 嚴重落後門檻 6.5 個百分點"
    entry = next(
        e for e in decide("progress_lag", {"plan.lag": 6.4999}).explanation if e["rule"] == "light.3"
    )
    assert entry["sentence"]["zh"] == "進度落後 6.4999 個百分點（須 ≥ 嚴重落後門檻 6.5 個百分點），不成立"


def test_fifty_million_select_a_plan(decide: Decide) -> None:
    levels = {
        row["project"]: said(
            decide("plan_selection", {"plan.budget": int(row["budget_twd"])}), "select_for_control", "level"
        )
        for row in rows("plans.csv")
    }
    assert [name for name, level in levels.items() if level == ["unit"]] == ["建置鄉鎮親子館"]


# --- scores ----------------------------------------------------------------------------------------------

DIMENSIONS = {"B1": "business", "B2": "business", "H": "staff", "F": "budget"}


def scored(decide: Decide, row: dict[str, str]) -> tuple[Method, Any]:
    facts = {
        "score.direction": row["direction"].removesuffix("_better"),
        "score.dimension": DIMENSIONS[row["dim_code"]],
        "score.target": Decimal(row["target_A"]),
        "score.achieved": Decimal(row["achieved_B"]),
    }
    method = Method.of(decide("performance_scoring", facts).outcomes)
    return method, score(method, Decimal(row["weight"]), facts["score.target"], facts["score.achieved"])


def test_the_published_scores_come_out(decide: Decide) -> None:
    groups: dict[str, Decimal] = defaultdict(Decimal)
    indicators = rows("scoring.csv")
    for row in indicators:
        method, one = scored(decide, row)
        printed = row["published_C"].rstrip("%")
        assert one.ratio == (100 if printed == "1" else int(printed)), row["indicator"]
        assert one.score == Decimal(row["published_score"]), row["indicator"]
        groups[row["dim_code"]] += one.score
    assert len(indicators) == 34
    assert groups == {"B1": Decimal("59.2"), "B2": 10, "H": Decimal("13.3"), "F": Decimal("13.75")}
    assert sum(groups.values()) == Decimal("96.25")
    assert rate(method, [groups["B1"], groups["B2"]], [60, 10]) == Decimal("98.9")


@pytest.mark.parametrize(
    ("direction", "target", "achieved", "ratio", "points"),
    [
        ("higher", "450", "375", "83", "4.2"),
        ("higher", "2", "4", "100", "5.0"),
        ("higher", "0", "0", "100", "5.0"),
        ("lower", "3", "4", "75", "3.8"),
        ("lower", "3", "0", "100", "5.0"),
        ("equal", "3", "3", "100", "5.0"),
        ("equal", "3", "2.9999", "0", "0.0"),
    ],
)
def test_formulas(
    decide: Decide, direction: str, target: str, achieved: str, ratio: str, points: str
) -> None:
    facts = {
        "score.direction": direction,
        "score.target": Decimal(target),
        "score.achieved": Decimal(achieved),
    }
    method = Method.of(decide("performance_scoring", facts).outcomes)
    one = score(method, 5, Decimal(target), Decimal(achieved))
    assert (one.ratio, one.score) == (Decimal(ratio), Decimal(points))


def test_a_changed_cap_counts(decide: Decide) -> None:
    facts = {"score.direction": "higher", "score.target": 2, "score.achieved": 4}
    method = Method.of(decide("performance_scoring", facts, cap=120).outcomes)
    assert score(method, 5, 2, 4).score == Decimal("6.0")
