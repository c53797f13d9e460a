"""A ruleset as a reader sees it, what changed between two of them, where a problem is, and two changes as one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.differences import Difference, differences
from rules.loader import read_all
from rules.merging import merge
from rules.places import place
from rules.shown import show
from rules.values import Text
from workflows.functions import FUNCTION_LABELS

FACTORY = read_all()


@pytest.fixture
def lag() -> dict[str, Any]:
    return copy.deepcopy(FACTORY["progress_lag"])


def said(after: dict[str, Any], lang: str = "zh") -> list[tuple[str, str | None, str | None]]:
    found = differences(FACTORY[after["key"]], after, FUNCTION_LABELS)
    return [(d.where.in_(lang), *(t and t.in_(lang) for t in (d.before, d.after))) for d in found]


@pytest.mark.parametrize("key", FACTORY)
def test_every_factory_ruleset_reads_as_words(key: str) -> None:
    shown = show(FACTORY[key], FUNCTION_LABELS)
    words = [text for rule in shown.rules for text in (rule.when, *rule.then)]
    words += [cell for table in shown.tables for row in table.rows for cell in (*row.when, *row.then)]
    words += [head for table in shown.tables for head in (*table.inputs, *table.outputs)]
    words += [text for example in shown.examples for text in (*example.facts, *example.expect)]
    assert words
    for text in words:
        assert "{" not in text.zh and "param" not in text.zh, text
        assert "{" not in text.in_("en"), text


def test_a_table_and_a_rule_as_a_reader_sees_them(lag: dict[str, Any]) -> None:
    shown = show(lag, FUNCTION_LABELS)
    (table,) = shown.tables
    assert [head.zh for head in table.inputs] == ["當期未填報", "進度落後（個百分點） ≥"]
    assert [head.zh for head in table.outputs] == ["燈號", "執行狀態：狀態"]
    assert [cell.zh for cell in (*table.rows[2].when, *table.rows[2].then)] == [
        "不限",
        "嚴重落後門檻 6.5",
        "紅燈",
        "嚴重落後",
    ]
    assert [row.when[1].zh for row in table.rows] == [
        "不限",
        "沒有資料",
        "嚴重落後門檻 6.5",
        "＞ 落後門檻 0",
        "0",
        "＞ 藍燈門檻 -5",
        "≤ 藍燈門檻 -5",
    ]
    assert shown.rules[1].when.in_("en") == "Budget execution < Budget execution at least 80"
    assert shown.rules[0].then[0].zh == "填報落後說明：原因類別、落後原因、因應對策、預計趕上日期"
    assert shown.to_be_verified == 4


def test_an_escalation_in_words() -> None:
    shown = show(FACTORY["case_deadlines"], FUNCTION_LABELS)
    assert shown.rules[2].then[0].zh == "稽催：階段 逾期第一次稽催、通知職務 承辦人、科長、種類 逾期"
    assert (
        shown.examples[1].expect[0].in_("en")
        == "Escalate: rung Warning before the due date, to Case officer, kind warning"
    )
    assert shown.examples[6].facts[1].zh == "已辦理工作天 30 個工作天"


def test_a_fact_that_rules_derive_has_its_name_everywhere(lag: dict[str, Any]) -> None:
    lag["derived"] = {"risk": {"type": "text", "label": "風險", "options": {"high": "高"}}}
    lag["rules"][0]["then"] = [{"action": "derive", "risk": "high"}]
    lag["rules"][1]["when"] = {"fact": "derived.risk", "op": "eq", "value": "high"}
    shown = show(lag)
    assert (shown.rules[0].then[0].zh, shown.rules[1].when.zh) == ("得出：高", "風險為「高」")


def test_a_changed_parameter_is_one_difference(lag: dict[str, Any]) -> None:
    lag["parameters"]["severe_lag"]["value"] = 10
    # though a cell of the table names it with its value
    assert said(lag) == [("參數「嚴重落後門檻」", "6.5 個百分點", "10 個百分點")]
    assert said(lag, "en") == [
        ("Parameter “Severe from”", "6.5 percentage points", "10 percentage points"),
    ]


def test_what_a_rule_asks_and_does(lag: dict[str, Any]) -> None:
    lag["rules"][1]["when"]["op"] = "le"
    lag["rules"][1]["then"].pop()
    lag["rules"][3]["label"] = {"zh": "曲線陡峭", "en": "Steep"}
    lag["rules"].append(lag["rules"].pop(0))
    low = "規則「預算執行率偏低」"
    assert said(lag) == [
        (f"{low}的條件", "預算執行率 ＜ 預算執行率下限 80", "預算執行率 ≤ 預算執行率下限 80"),
        (f"{low}的動作", "註記：預算執行率偏低；填報落後說明：落後原因、因應對策", "註記：預算執行率偏低"),
        ("規則「曲線陡峭」的名稱", "預定進度集中於期末", "曲線陡峭"),
        ("規則「落後者填報原因、對策與趕上日期」", "順序第 1", "順序第 5"),
    ]


def test_cells_and_rows_of_a_table(lag: dict[str, Any]) -> None:
    rows = lag["tables"][0]["rows"]
    rows[4]["when"][1] = 1
    rows[5]["then"] = ["blue", "ahead"]
    rows.insert(1, {"when": ["-", 30], "then": ["red", "severe"]})
    assert said(lag) == [
        (
            "表格「燈號」第 2 列",
            None,
            "當期未填報 不限；進度落後（個百分點） ≥ 30；燈號 紅燈；執行狀態：狀態 嚴重落後",
        ),
        ("表格「燈號」第 6 列「符合進度」，進度落後（個百分點） ≥", "0", "1"),
        ("表格「燈號」第 7 列「超前」，燈號", "綠燈", "藍燈"),
    ]


def test_examples_and_what_is_new_or_gone(lag: dict[str, Any]) -> None:
    lag["examples"] = lag["examples"][1:2]
    lag["examples"][0]["expect"] = []
    del lag["parameters"]["steep_share"]
    lag["hit_policy"] = "unique"
    del lag["rules"][3]
    found = said(lag)
    assert found[0] == ("命中方式", "全部，依順序", "恰好一條")
    assert ("參數「期末預定進度比重上限」", "40 %", None) in found
    assert (
        "規則「預定進度集中於期末」",
        "期程最後二成的預定進度比重 ＞ 期末預定進度比重上限 40 → 註記：預定進度集中於期末",
        None,
    ) in found
    assert sum(where.startswith("測試案例") for where, _before, _after in found) == 11


def test_the_same_is_no_difference() -> None:
    for body in FACTORY.values():
        assert differences(body, copy.deepcopy(body)) == []


LEAF = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NAMES = st.sampled_from(("key", "rows", "when", "then", "fact", "op", "action", "label", "param", "a"))


def _around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return LEAF | st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)


JSON = _around(_around(_around(_around(LEAF))))
BROKEN = st.dictionaries(
    st.sampled_from(("key", "title", "parameters", "rules", "tables", "examples", "hit_policy", "order")),
    JSON,
)


@settings(max_examples=50)
@given(BROKEN, BROKEN)
def test_whatever_a_draft_holds_is_shown_and_compared(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert all(isinstance(each, Difference) for each in differences(before, after))
    assert isinstance(place("tables[0].rows[1].when[0]", before), Text)
    assert merge(before, before, after).value == after
    assert merge(before, after, before).value == after
    assert merge({}, before, after).value is not None


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("parameters.severe_lag.value", "參數「嚴重落後門檻」，值", "parameter “Severe from”, value"),
        ("rules[1].when", "規則「預算執行率偏低」，條件", "Rule “Budget execution low”, condition"),
        (
            "tables[0].rows[2].when[1]",
            "表格「燈號」，第 3 列「嚴重落後」，第 2 個條件格",
            "Table “Light”, row 3 “Severely behind”, input cell 2",
        ),
        ("tables[0].inputs[1].fact", "表格「燈號」，第 2 個條件欄「進度落後」，事實", None),
        ("tables[0].rows", "表格「燈號」，各列", "Table “Light”, rows"),
        ("rules[9].then[0].to", "第 10 個規則，第 1 個動作，to", None),
        ("rules[0].then[0].parts", "規則「落後者填報原因、對策與趕上日期」，第 1 個動作，內容", None),
        ("examples[0].facts.plan.lag", "測試案例「落後 6.5 個百分點即為嚴重落後」，事實，plan，lag", None),
        ("", "規則集", "ruleset"),
    ],
)
def test_where_a_problem_is(path: str, zh: str, en: str | None, lag: dict[str, Any]) -> None:
    assert place(path, lag).zh == zh
    if en:
        assert place(path, lag).en == en


def test_two_changes_of_one_mapping() -> None:
    base = {"a": 1, "b": 2, "rules": [{"key": "x", "n": 1}, {"key": "y", "n": 1}]}
    theirs = {"a": 5, "b": 2, "rules": [{"key": "y", "n": 2}, {"key": "z", "n": 1}]}
    mine = {"a": 7, "b": 3, "rules": [{"key": "y", "n": 1, "m": 1}, {"key": "x", "n": 1}]}
    merged = merge(base, theirs, mine)
    assert merged.value == {
        "a": 7,
        "b": 3,
        "rules": [{"key": "y", "n": 2, "m": 1}, {"key": "z", "n": 1}],
    }
    assert merged.both == ("a",)


def items(*names: str, **changed: int) -> list[dict[str, Any]]:
    return [{"key": name, "x": changed.get(name, 1)} for name in names]


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "value", "both"),
    [
        # a rule that they put on top decides first; what only they moved stands where they put it
        (items("a", "b"), items("n", "b", "a"), items("a", "b", a=2), items("n", "b", "a", a=2), ()),
        (items("a", "b"), items("a", "n", "b"), items("b", "a"), items("b", "a", "n"), ()),
        (items("a", "b"), items("n", "a", "b"), items("a", "m", "b"), items("n", "a", "m", "b"), ()),
        (items("a", "b", "c"), items("b", "a", "c"), items("a", "c", "b"), items("a", "c", "b"), ("",)),
        (items("a", "b"), items("a", "b", b=3), items("a", "b", b=2), items("a", "b", b=2), ("[1].x",)),
        (items("a", "b"), items("a", "b", b=3), items("a"), items("a"), ("",)),
        # rows have no name: by place as long as none moved
        ([[1], [2], [3]], [[9], [2], [3]], [[1], [2], [7]], [[9], [2], [7]], ()),
        ([[1], [2]], [[9], [2]], [[8], [2]], [[8], [2]], ("[0][0]",)),
        ([[1], [2]], [[2], [1]], [[1], [7]], [[1], [7]], ("",)),
        ([[1], [2]], [[1], [2], [3]], [[1], [7]], [[1], [7]], ("",)),
    ],
)
def test_lists_that_two_people_changed(base: Any, theirs: Any, mine: Any, value: Any, both: Any) -> None:
    merged = merge(base, theirs, mine)
    assert (merged.value, merged.both) == (value, both)
