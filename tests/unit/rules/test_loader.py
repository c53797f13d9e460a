from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from rules.loader import load, read_all
from rules.model import Policy
from rules.values import MAX_PERIOD, DefinitionError

GOOD: dict[str, Any] = {
    "key": "risk",
    "title": "風險",
    "revision_date": "filing",
    "hit_policy": "rule_order",
    "parameters": {
        "limit": {"value": 6.5, "label": "上限", "unit": "元", "source": "規費法", "status": "sourced"},
        "months": {"value": 2, "label": "月數", "source": "行政程序法", "status": "sourced"},
    },
    "rules": [
        {
            "key": "high",
            "label": "高風險",
            "when": {"fact": "case.fee", "op": "ge", "value": {"param": "limit"}},
            "then": [
                {"action": "set_risk", "level": "high"},
                {"action": "set_period", "kind": "M-shift", "period": {"param": "months"}},
            ],
        }
    ],
    "tables": [
        {
            "key": "who",
            "label": "誰辦",
            "hit_policy": "first",
            "inputs": [{"fact": "service.code"}, {"fact": "case.fee", "op": "ge"}],
            "outputs": [
                {"action": "assign_unit", "param": "unit"},
                {"action": "pick_officer", "param": "by"},
            ],
            "rows": [
                {"when": [["EC06", "EC07"], {"param": "limit"}], "then": ["EC", "-"], "label": "大案"},
                {"when": [{"op": "ne", "value": "PW01"}, "-"], "then": ["handling", "turn"]},
                {"when": ["-", "-"], "then": ["-", "load"]},
            ],
        }
    ],
    "examples": [{"name": "大", "facts": {"case.fee": 7}, "expect": [{"action": "set_risk"}]}],
}


def problems(change: Any, **known: Any) -> list[str]:
    definition = deepcopy(GOOD)
    change(definition)
    with pytest.raises(DefinitionError) as refused:
        load(definition, **known)
    return [str(problem) for problem in refused.value.problems]


def test_a_good_ruleset_is_read() -> None:
    ruleset = load(GOOD)
    assert [rule.key for rule in ruleset.rules] == ["high", "who.1", "who.2", "who.3"]
    assert [str(rule.label) for rule in ruleset.rules] == ["高風險", "大案", "誰辦第 2 列", "誰辦第 3 列"]
    assert [[call.action for call in rule.then] for rule in ruleset.rules] == [
        ["set_risk", "set_period"],
        ["assign_unit"],
        ["assign_unit", "pick_officer"],
        ["pick_officer"],
    ]
    assert ruleset.rules[0].then[1].params == {"kind": "M-shift", "period": 2}
    assert ruleset.used == {"case.fee", "service.code"}
    assert ruleset.table_policies == {"who": Policy("first")}


def test_every_mistake_comes_at_once_with_its_path() -> None:
    def change(d: dict[str, Any]) -> None:
        del d["title"]
        d["hit_polcy"] = "first"
        d["revision_date"] = "birthday"
        d["parameters"]["limit"]["status"] = "guess"
        d["parameters"]["extra"] = {"value": None, "label": "多餘", "source": "無", "status": "seed"}
        d["rules"][0]["when"]["fact"] = "case.fees"
        d["rules"][0]["then"][0]["level"] = "huge"
        d["rules"].append({"key": "High!", "label": "x", "then": [{"action": "set_risks"}], "priority": "5"})
        d["rules"].append({"key": "high", "label": "", "then": []})
        d["examples"][0]["facts"]["case.fee"] = "七"

    assert problems(change) == [
        "hit_polcy: 不認得的項目「hit_polcy」，是否為「hit_policy」？",
        "title: 缺少「title」",
        "revision_date: 「birthday」不在可選的值之中：filing、reporting_period、evaluation",
        "parameters.limit.status: 「guess」不在可選的值之中：sourced、seed、to_be_verified",
        "parameters.extra.value: 「None」不是數字、文字或是非",
        "rules[0].when.fact: 沒有「case.fees」這項事實，是否為「case.fee」？",
        "rules[0].then[0].level: 等級「huge」不在可選的值之中：low、medium、high",
        "rules[1].key: 代碼「High!」只能用小寫英文字母開頭的字母、數字與底線",
        "rules[1].then[0].action: 沒有「set_risks」這個動作，是否為「set_risk」？",
        "rules[1].priority: 優先順序「5」必須是整數",
        "rules[2].key: 代碼「high」重複",
        "rules[2].label: 「」必須是文字，或 {zh: 中文, en: 英文}",
        "rules[2].then: 規則至少要有一個動作",
        "examples[0].facts.case.fee: 「規費」的值「七」不是數字",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [{"when": ["EC06", "很多"], "then": ["EC", "-"]}],
            "tables[0].rows[0].when[1].value: 第 1 列第 2 欄「規費」：「很多」不是數字",
        ),
        (
            [
                {"when": ["-", "-"], "then": ["EC", "-"]},
                {"when": ["-", {"op": "like", "value": 1}], "then": ["EC", "-"]},
            ],
            "tables[0].rows[1].when[1].op: 第 2 列第 2 欄「規費」：不認得的比較方式「like」，"
            "可用：eq、ne、gt、ge、lt、le、in、contains、exists、missing",
        ),
        ([{"when": ["EC06"], "then": ["EC", "-"]}], "tables[0].rows[0].when: 這一列有 1 格，表格有 2 欄"),
        ([{"when": ["-", "-"], "then": ["-", "-"]}], "tables[0].rows[0].then: 第 1 列沒有任何動作"),
        (
            [{"when": ["-", "-"], "then": ["EC", "by hand"]}],
            "tables[0].rows[0].then[1]: 選派方式「by hand」不在可選的值之中：township、turn、load",
        ),
        (
            [{"when": ["-", "-"], "then": ["E C", "-"]}],
            "tables[0].rows[0].then[0]: 單位「E C」不是有效的代碼",
        ),
        ([], "tables[0].rows: 表格至少要有一列"),
        (["EC06"], "tables[0].rows[0]: 「EC06」必須是一組「名稱: 值」"),
    ],
)
def test_a_mistake_in_a_table_names_row_and_column(rows: object, message: str) -> None:
    def change(d: dict[str, Any]) -> None:
        d["tables"][0]["rows"] = rows

    assert problems(change)[0] == message


def test_functions_and_units_are_checked_where_known() -> None:
    def change(d: dict[str, Any]) -> None:
        d["rules"][0]["then"] += [
            {"action": "escalate", "rung": "warn", "to": ["officer", "oficer"], "kind": "warn"},
            {"action": "assign_function", "function": "clrk"},
        ]

    known = {"functions": frozenset({"officer", "section_head"}), "units": frozenset({"EC", "PW"})}
    assert problems(change, **known) == [
        "rules[0].then[2].to: 沒有「oficer」這個通知職務，是否為「officer」？",
        "rules[0].then[3].function: 沒有「clrk」這個職務",
    ]
    load(GOOD, **known)
    with pytest.raises(DefinitionError, match="沒有「EC」這個單位"):
        load(GOOD, units=frozenset({"PW"}))


@pytest.mark.parametrize(
    ("then", "message"),
    [
        ([{"action": "set_period", "kind": "WD"}], "then[0]: 動作「set_period」缺少「期間」（period）"),
        (
            [{"action": "set_risk", "level": "low", "why": "x"}],
            "then[0].why: 動作「set_risk」沒有參數「why」，只有：level",
        ),
        (
            [{"action": "set_period", "kind": "WD", "period": 0}],
            "then[0].period: 期間「0」必須是 1 到 3660 的整數",
        ),
        (
            [{"action": "set_period", "kind": "WD", "period": MAX_PERIOD + 1}],
            "then[0].period: 期間「3661」必須是 1 到 3660 的整數",
        ),
        (
            [{"action": "set_period", "kind": "WD", "period": {"param": "mont"}}],
            "then[0].period: 沒有「mont」這個參數，是否為「months」？",
        ),
        (
            [{"action": "escalate", "rung": "warn", "to": [], "kind": "warn"}],
            "then[0].to: 通知職務必須是至少有一個職務的清單",
        ),
        (["set_risk"], "then[0]: 動作必須寫成 {action: 名稱, 參數: 值}"),
        ("set_risk", "then: 「set_risk」必須是清單"),
    ],
)
def test_actions_are_a_closed_and_typed_list(then: object, message: str) -> None:
    def change(d: dict[str, Any]) -> None:
        d["rules"][0]["then"] = then
        d["rules"].append({"key": "more", "label": "x", "then": GOOD["rules"][0]["then"]})

    assert problems(change) == [f"rules[0].{message}"]


@pytest.mark.parametrize("value", [0.0000001, 10**12 + 1, -1e13])
def test_a_threshold_is_exact_for_the_engine(value: float) -> None:
    def change(d: dict[str, Any]) -> None:
        d["parameters"]["limit"]["value"] = value

    assert "超過六位小數或大於 1,000,000,000,000" in problems(change)[0]


def test_an_unused_parameter_is_refused() -> None:
    def change(d: dict[str, Any]) -> None:
        d["rules"][0]["then"].pop()

    assert problems(change) == ["parameters.months: 參數「months」沒有任何規則使用"]


@pytest.mark.parametrize(
    "junk", [None, [], "x", 7, {}, {"rules": 5}, {"parameters": [], "tables": {}, "examples": "x"}]
)
def test_junk_is_refused_and_never_an_exception(junk: Any) -> None:
    with pytest.raises(DefinitionError) as refused:
        load(junk)
    assert refused.value.problems


# --- tables as a whole -----------------------------------------------------------------------------------


def table(policy: str, inputs: list[Any], rows: list[list[Any]], **more: Any) -> list[str]:
    """The problems of a table with these cells."""
    definition = {
        "key": "grid",
        "title": "表",
        "revision_date": "filing",
        "hit_policy": policy,
        "tables": [
            {
                "key": "cells",
                "label": "表",
                "inputs": inputs,
                "outputs": [{"action": "set_risk", "param": "level"}],
                "rows": [{"when": row, "then": ["low"]} for row in rows],
            }
            | more
        ],
    }
    try:
        load(definition)
    except DefinitionError as error:
        return [str(problem) for problem in error.problems]
    return []


CODE, FEE = {"fact": "service.code"}, {"fact": "case.fee", "op": "ge"}
FEE_BELOW, FILED, PAUSED = (
    {"fact": "case.fee", "op": "lt"},
    {"fact": "case.filed_on", "op": "lt"},
    {"fact": "case.paused"},
)


@pytest.mark.parametrize(
    ("policy", "inputs", "rows", "expected"),
    [
        ("first", [CODE], [["EC06"], ["-"]], []),
        ("first", [CODE], [["EC06"]], ["tables[0].rows: 缺口：申辦項目為其他值，沒有任何一列符合"]),
        ("first", [CODE], [["EC06"], ["EC06"], ["-"]], ["tables[0].rows[1]: 第 2 列永遠不會被採用"]),
        ("first", [CODE], [["-"], ["EC06"]], ["tables[0].rows[1]: 第 2 列永遠不會被採用"]),
        (
            "unique",
            [CODE],
            [[["EC06", "EC07"]], ["EC07"], [{"op": "ne", "value": "EC06"}]],
            [
                "tables[0].rows[1]: 重疊：申辦項目為「EC07」，第 1、2、3 列都符合",
            ],
        ),
        ("unique", [FEE, FEE_BELOW], [["-", 5], [5, 12], [12, "-"]], []),
        (
            "unique",
            [FEE, FEE_BELOW],
            [["-", 5], [5, 12], [10, 18], [20, "-"]],
            [
                "tables[0].rows[2]: 重疊：規費等於 10，第 2、3 列都符合",
                "tables[0].rows: 缺口：規費等於 18，沒有任何一列符合",
            ],
        ),
        (
            "unique",
            [FEE, {"fact": "service.decision_level"}],
            [[0, 1], [0, 2]],
            ["tables[0].rows: 缺口：規費小於 0，沒有任何一列符合", "決行層級"],
        ),
        (
            "first",
            [FILED],
            [["2026-01-01"], [{"op": "ge", "value": "2026-01-02"}]],
            ["tables[0].rows: 缺口：申請日期等於 民國115年1月1日，沒有任何一列符合"],
        ),
        ("unique", [PAUSED], [[True], [False]], []),
        ("unique", [PAUSED], [[True]], ["tables[0].rows: 缺口：期限暫停計算為「否」，沒有任何一列符合"]),
        (
            "unique",
            [PAUSED],
            [[{"op": "exists"}], [{"op": "missing"}]],
            [],
        ),
        ("rule_order", [CODE], [["EC06"], ["EC06"]], []),
        (
            "first",
            [{"fact": "service.co_review_units", "op": "contains"}],
            [["EC"], ["-"]],
            ["tables[0].inputs[0]: 這一欄與其他事實或清單比較，無法檢查缺口，請加上 complete: false"],
        ),
    ],
)
def test_gaps_overlaps_and_idle_rows(
    policy: str, inputs: list[Any], rows: list[list[Any]], expected: list[str]
) -> None:
    found = table(policy, inputs, rows)
    for message, part in zip(found, expected, strict=True):
        assert part in message


def test_a_table_may_be_incomplete_on_purpose() -> None:
    assert table("first", [CODE], [["EC06"]], complete=False) == []
    contains = {"fact": "service.co_review_units", "op": "contains"}
    assert table("unique", [contains], [["EC"], ["PW"]], complete=False) == []


def test_a_large_table_is_checked_quickly_or_refused() -> None:
    services = [[f"S{n:03}"] for n in range(500)]
    assert table("unique", [CODE], [*services, [{"op": "ne", "value": "S000"}]])[0].startswith(
        "tables[0].rows[500]: 重疊"
    )
    names = ("case.fee", "service.period", "service.decision_level", "case.inspections")
    tangled = [[n * 37 % 101, n * 53 % 103, n * 71 % 107, n * 89 % 109] for n in range(100)]
    facts = [{"fact": name, "op": "ge"} for name in names]
    assert table("first", facts, tangled, complete=False) == [
        "tables[0].rows: 表格太大，無法檢查重疊與缺口，請分成幾個表"
    ]


# --- files -----------------------------------------------------------------------------------------------


def test_a_file_has_the_name_of_its_ruleset(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("key: two", encoding="utf-8")
    with pytest.raises(DefinitionError, match="key 必須是檔名「one」"):
        read_all(tmp_path)


def test_the_factory_rulesets_are_found() -> None:
    assert {"case_deadlines", "intake_routing"} <= read_all().keys()
