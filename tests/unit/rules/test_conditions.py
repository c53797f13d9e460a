from datetime import date, datetime
from decimal import Decimal
from itertools import product

import pytest

from rules.conditions import (
    OPS,
    All,
    Any_,
    FactType,
    Leaf,
    Not,
    compare,
    evaluate,
    facts_of,
    holds,
    params_of,
    parse,
    sentence,
)
from rules.values import Problem, Text

FACTS: dict[str, FactType] = {
    "answers.species": "text",
    "answers.area": "number",
    "answers.length": "number",
    "answers.on": "date",
    "answers.files": "list",
    "answers.night": "boolean",
}
PARAMS = {"limit": 100.5, "kinds": ["dog", "cat"], "word": "dog"}
LABELS = {
    "answers.species": Text(zh="動物種類", en="Species"),
    "answers.species=dog": Text(zh="犬", en="dog"),
    "answers.area": Text(zh="面積", en="Area"),
    "answers.on": Text(zh="開工日", en="Start"),
    "answers.files": Text(zh="附件", en="Files"),
    "answers.night": Text(zh="夜間施工", en="Night work"),
    "param.limit": Text(zh="面積上限", en="area limit"),
}


def read(data: object) -> All | Any_ | Not | Leaf:
    problems: list[Problem] = []
    condition = parse(data, path="when", facts=FACTS, params=PARAMS, problems=problems)
    assert problems == []
    assert condition is not None
    return condition


def leaf(fact: str, op: str, value: object = None) -> dict[str, object]:
    return {"fact": fact, "op": op} | ({} if value is None else {"value": value})


TRUE, FALSE, UNKNOWN = (
    leaf("answers.area", "eq", 1),
    leaf("answers.area", "eq", 2),
    leaf("answers.length", "eq", 1),
)
WORLD = {"answers.area": 1}
CONSTANTS: list[tuple[dict[str, object], bool | None]] = [(TRUE, True), (FALSE, False), (UNKNOWN, None)]

#: Kleene's tables: unknown is decided only where the other side decides
AND = {(True, True): True, (True, None): None, (None, None): None}
OR = {(True, True): True, (True, False): True, (True, None): True, (False, False): False, (False, None): None}


@pytest.mark.parametrize(("left", "right"), list(product(CONSTANTS, CONSTANTS)))
def test_three_valued_tables(left: tuple[object, bool | None], right: tuple[object, bool | None]) -> None:
    (a, x), (b, y) = left, right
    both: bool | None = False if False in (x, y) else AND.get((x, y), AND.get((y, x)))
    either = OR[(x, y)] if (x, y) in OR else OR.get((y, x))
    assert evaluate(read({"all": [a, b]}), WORLD) is both
    assert evaluate(read({"any": [a, b]}), WORLD) is either
    assert holds(read({"all": [a, b]}), WORLD) is (both is True)


@pytest.mark.parametrize(("constant", "value"), CONSTANTS)
def test_not_unknown_is_unknown(constant: object, value: bool | None) -> None:
    expected = None if value is None else not value
    assert evaluate(read({"not": constant}), WORLD) is expected
    assert evaluate(read({"not": {"not": constant}}), WORLD) is value


def test_no_condition_always_holds() -> None:
    assert holds(None, {})


@pytest.mark.parametrize(
    ("type_", "op", "actual", "expected", "result"),
    [
        ("number", "eq", 1, Decimal("1.0"), True),
        ("number", "eq", 6.5, Decimal("6.5"), True),
        ("number", "ge", Decimal("6.4999"), Decimal("6.5"), False),
        ("number", "ge", Decimal("6.5"), 6.5, True),
        ("number", "lt", -3, -1, True),
        ("number", "in", 2, (1, 2.0), True),
        ("number", "in", 3, (1, 2), False),
        ("number", "eq", "1", 1, None),
        ("number", "eq", True, 1, None),
        ("number", "eq", float("nan"), 1, None),
        ("number", "gt", float("inf"), 1, None),
        ("number", "gt", Decimal("Infinity"), 1, None),
        ("number", "gt", 10**400, 1, True),
        ("number", "gt", Decimal("1e400"), 10**399, True),
        ("number", "gt", None, 1, None),
        ("number", "gt", 1, None, None),
        ("number", "ne", None, 1, None),
        ("text", "eq", "dog", "dog", True),
        ("text", "ne", "cat", "dog", True),
        ("text", "ne", "", "dog", None),
        ("text", "eq", 1, "1", None),
        ("text", "in", "cat", ("dog", "cat"), True),
        ("text", "in", None, ("dog",), None),
        ("text", "contains", "金城鎮民生路", "金城", True),
        ("text", "contains", "金城鎮", "金湖", False),
        ("boolean", "eq", False, False, True),
        ("boolean", "ne", False, True, True),
        ("boolean", "eq", 0, False, None),
        ("boolean", "eq", "true", True, None),
        ("date", "le", date(2026, 1, 1), date(2026, 1, 1), True),
        ("date", "gt", "2026-01-02", date(2026, 1, 1), True),
        ("date", "eq", "2026-13-01", date(2026, 1, 1), None),
        ("date", "eq", "2026-W01-1", date(2026, 1, 1), None),
        ("date", "eq", datetime(2026, 1, 1, 8), date(2026, 1, 1), None),  # noqa: DTZ001  # no zone at all
        ("list", "contains", ["a", "b"], "b", True),
        ("list", "contains", ["a"], "b", False),
        ("list", "contains", [], "b", False),
        ("list", "contains", [True, "1"], 1, False),
        ("list", "contains", [1.0], 1, True),
        ("list", "contains", None, "b", None),
        ("list", "contains", "ab", "b", None),
    ],
)
def test_comparisons(type_: FactType, op: str, actual: object, expected: object, result: bool | None) -> None:
    assert compare(type_, op, actual, expected) is result  # type: ignore[arg-type]  # op is one of the table


@pytest.mark.parametrize(
    ("value", "present"),
    [(None, False), ("", False), ([], False), (0, True), (False, True), ("x", True), ([0], True)],
)
def test_missing_is_nothing_said(value: object, present: bool) -> None:
    assert compare("text", "exists", value, None) is present
    assert compare("text", "missing", value, None) is not present


def test_values_may_be_parameters_and_facts() -> None:
    data = {
        "all": [
            leaf("answers.area", "le", {"param": "limit"}),
            leaf("answers.species", "in", {"param": "kinds"}),
            leaf("answers.area", "lt", {"fact": "answers.length"}),
        ]
    }
    condition = read(data)
    facts = {"answers.area": 100.5, "answers.species": "cat", "answers.length": 101}
    assert evaluate(condition, facts, PARAMS) is True
    assert evaluate(condition, facts | {"answers.length": None}, PARAMS) is None
    assert evaluate(condition, facts | {"answers.length": 100}, PARAMS) is False
    assert evaluate(condition, facts) is None
    assert facts_of(condition) == {"answers.area", "answers.species", "answers.length"}
    assert params_of(condition) == {"limit", "kinds"}
    assert hash(condition) == hash(read(data))


def test_every_mistake_is_reported_at_once_with_its_path() -> None:
    problems: list[Problem] = []
    data = {
        "all": [
            leaf("answers.arae", "le", 1),
            leaf("answers.area", "gt", "a"),
            leaf("answers.area", "like", 1),
            leaf("answers.night", "gt", True),
            leaf("answers.area", "le", {"param": "limits"}),
            {"any": []},
            leaf("answers.on", "in", ["2026-13-01", "2026-01-01", 3]),
            leaf("answers.on", "exists", 1),
            {"not": {"not": 7}},
            {"all": [TRUE], "any": [TRUE]},
            {"fact": "answers.area", "op": "eq"},
            {"fact": ["x"], "op": "eq", "value": 1},
            leaf("answers.species", "eq", {"fact": "answers.area"}),
            leaf("answers.species", "eq", {"param": "word", "fact": "x"}),
            {"fact": "answers.area", "op": "eq", "vlaue": 1},
            {"fact": "answers.species", "op": "eq", "value": ""},
        ]
    }
    assert parse(data, path="when", facts=FACTS, params=PARAMS, problems=problems) is None
    assert [(p.path, p.message.zh) for p in problems] == [
        ("when.all[0].fact", "沒有「answers.arae」這項事實，是否為「answers.area」？"),
        ("when.all[1].value", "「a」不是數字"),
        (
            "when.all[2].op",
            "不認得的比較方式「like」，可用：eq、ne、gt、ge、lt、le、in、contains、exists、missing",
        ),
        ("when.all[3].op", "「answers.night」是是非題，不能用「gt」，可用：eq、ne、exists、missing"),
        ("when.all[4].value", "沒有「limits」這個參數，是否為「limit」？"),
        ("when.all[5].any", "any 之下至少要有一個條件"),
        ("when.all[6].value[0]", "「2026-13-01」不是日期"),
        ("when.all[6].value[2]", "「3」不是日期"),
        ("when.all[7].value", "「exists」不需要 value"),
        ("when.all[8].not.not", "條件必須是 all、any、not 或 fact 的組合，不是「7」"),
        ("when.all[9]", "條件必須恰有 all、any、not、fact 其中一項"),
        ("when.all[10]", "「answers.area eq」缺少 value"),
        ("when.all[11].fact", "沒有「['x']」這項事實"),
        ("when.all[12].value", "「answers.area」是數字，這裡需要文字"),
        ("when.all[13].value", "value 必須是一個值、{param: 名稱} 或 {fact: 名稱}"),
        ("when.all[14]", "條件中有不認得的項目「vlaue」"),
        ("when.all[15].value", "「」不是文字（空白請用 missing）"),
    ]


def test_a_condition_without_end_is_refused() -> None:
    data: dict[str, object] = TRUE
    for _ in range(5000):
        data = {"not": data}
    problems: list[Problem] = []
    assert parse(data, path="when", facts=FACTS, params={}, problems=problems) is None
    assert problems[0].message.zh == "條件最多 12 層"


@pytest.mark.parametrize("type_", list(OPS))
def test_every_operator_of_a_type_can_be_read_and_said(type_: FactType) -> None:
    values = {"number": 1, "date": "2026-01-01", "text": "x", "boolean": True, "list": "x"}
    for op in OPS[type_]:
        value: object = [values[type_]] if op == "in" else values[type_]
        data = {"fact": "f", "op": op} | ({} if op in ("exists", "missing") else {"value": value})
        problems: list[Problem] = []
        condition = parse(data, path="", facts={"f": type_}, params={}, problems=problems)
        assert condition is not None, problems
        assert "某事" in sentence(condition, {"f": Text(zh="某事")})
        assert sentence(Not(condition), {}) != sentence(condition, {})


@pytest.mark.parametrize(
    ("data", "zh", "en"),
    [
        (leaf("answers.species", "eq", "dog"), "動物種類為「犬」", "Species is “dog”"),
        ({"not": leaf("answers.species", "eq", "dog")}, "動物種類不是「犬」", "Species is not “dog”"),
        (leaf("answers.area", "le", {"param": "limit"}), "面積 ≤ 面積上限 100.5", "Area ≤ area limit 100.5"),
        ({"not": leaf("answers.area", "ge", 1234567)}, "面積 ＜ 1,234,567", "Area < 1,234,567"),
        (leaf("answers.on", "ge", "2026-01-01"), "開工日 ≥ 民國115年1月1日", "Start ≥ 1 January 2026"),
        (leaf("answers.night", "eq", True), "夜間施工為「是」", "Night work is “yes”"),
        (leaf("answers.files", "missing"), "沒有「附件」的資料", "Files is missing"),
        ({"not": leaf("answers.files", "contains", "x")}, "附件不包含「x」", "Files does not contain “x”"),
        (
            {"not": leaf("answers.species", "in", ["dog", "cat"])},
            "動物種類不是「犬」、「cat」其中之一",
            "Species is none of “dog”, “cat”",
        ),
        (
            {"all": [leaf("answers.area", "gt", 1), {"any": [TRUE, leaf("answers.night", "eq", False)]}]},
            "面積 ＞ 1，且（面積 ＝ 1，或夜間施工為「否」）",
            "Area > 1 and (Area = 1 or Night work is “no”)",
        ),
        ({"not": {"any": [TRUE, FALSE]}}, "並非（面積 ＝ 1，或面積 ＝ 2）", "not (Area = 1 or Area = 2)"),
    ],
)
def test_sentences(data: object, zh: str, en: str) -> None:
    assert sentence(read(data), LABELS, PARAMS) == zh
    assert sentence(read(data), LABELS, PARAMS, "en") == en
