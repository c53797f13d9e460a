import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from rules.values import (
    DefinitionError,
    Problem,
    Text,
    format_day,
    format_roc_date,
    normalise_code,
    normalise_text,
    parse_roc_date,
    read_yaml,
    roc_year,
)

with (Path(__file__).parents[2] / "data" / "roc_dates.csv").open(encoding="utf-8") as file:
    VECTORS = [(row["input"], row["expected"]) for row in csv.DictReader(file)]

HOSTILE = [
    "",
    " ",
    "1" * 10_000_000,
    "一" * 1000 + "年1月1日",
    "\x00",
    "１/１/１/１",
    "百百百年1月1日",
    "一十十年1月1日",
]


@pytest.mark.parametrize(("text", "expected"), VECTORS)
def test_roc_dates_are_read_as_people_write_them(text: str, expected: str) -> None:
    if expected == "invalid":
        with pytest.raises(ValueError):
            parse_roc_date(text)
    else:
        assert parse_roc_date(text) == date.fromisoformat(expected)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_dates_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_roc_date(text)


def test_every_day_survives_writing_and_reading() -> None:
    day = date(1905, 1, 1)
    while day < date(2060, 1, 1):
        assert parse_roc_date(format_roc_date(day)) == day
        assert parse_roc_date(format_roc_date(day, "short")) == day
        day += timedelta(days=17)


def test_roc_dates_are_written_as_offices_do() -> None:
    assert format_roc_date(date(2026, 11, 22)) == "民國115年11月22日"
    assert format_roc_date(date(2026, 1, 2), "short") == "115.01.02"
    assert format_day(date(2026, 11, 22), "zh") == "民國115年11月22日"
    assert format_day(date(2026, 11, 2), "en") == "2 November 2026"
    assert format_day(date(2026, 9, 30), "en", "short") == "30 Sep 2026"
    assert [roc_year(date(year, 1, 1)) for year in (2026, 1912, 1911, 1900)] == [115, 1, -1, -12]


def test_text_is_chinese_first() -> None:
    assert str(Text.model_validate("承辦人")) == "承辦人"
    text = Text.model_validate({"zh": "承辦人", "en": "Officer"})
    assert (text.in_("zh"), text.in_("en"), Text(zh="科長").in_("en")) == ("承辦人", "Officer", "科長")
    assert len({text, Text(zh="承辦人", en="Officer")}) == 1


def test_text_loses_what_cannot_be_seen() -> None:
    assert normalise_text("  王\u200b小\u202e明\x00\r\n第二行\t完 ") == "王小明\n第二行 完"
    assert normalise_text("\uf98a") == "力"  # a compatibility ideograph of the county's own papers
    assert normalise_text("\ud800") == ""


def test_codes_have_one_writing() -> None:
    assert normalise_code("  ａ１２３－４５６ 789 ") == "A123456789"


def _read(tmp_path: Path, text: str) -> object:
    path = tmp_path / "definition.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


def test_yaml_gives_json_values_only(tmp_path: Path) -> None:
    text = "a: no\nb: 0826\nc: 2026-01-01\nd: 6.5\ne: true\nf:\ng: 1e5\nh: 12:30\ni: -3\nj: .inf\nk: [on, ~]"
    assert _read(tmp_path, text) == {
        "a": "no",
        "b": "0826",
        "c": "2026-01-01",
        "d": 6.5,
        "e": True,
        "f": None,
        "g": "1e5",
        "h": "12:30",
        "i": -3,
        "j": ".inf",
        "k": ["on", None],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2", "definition.yaml:4: 鍵「c」重複"),
        ("a: 1\n2: b", "definition.yaml:2: 鍵「2」必須是文字，請加上引號"),
        ("a: &x 1\nb: *x", "definition.yaml:2: 不可使用 YAML 參照（*）"),
        ("a: [1", "definition.yaml:1:"),
        ("a: !!python/name:os.system", "definition.yaml:1:"),
        ("a: \x00", "definition.yaml: 檔案無法讀取"),
        ("{" * 1500, "definition.yaml:1: 最多 60 層"),
        ("a: " + "[" * 200_000 + "]" * 200_000, "definition.yaml:1: 最多 60 層"),
        ("a: " + "9" * 5000, "definition.yaml: 檔案無法讀取"),
    ],
)
def test_bad_yaml_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        _read(tmp_path, text)
    assert str(refused.value).startswith(message)


def test_a_file_of_another_encoding_is_refused_and_a_mark_before_the_text_is_no_mistake(
    tmp_path: Path,
) -> None:
    path = tmp_path / "definition.yaml"
    path.write_bytes("a: 金門".encode("big5"))
    with pytest.raises(DefinitionError, match="檔案無法讀取"):
        read_yaml(path)
    path.write_bytes("a: 金門".encode("utf-8-sig"))
    assert read_yaml(path) == {"a": "金門"}


def test_a_definition_error_lists_every_problem() -> None:
    error = DefinitionError(
        [Problem(path="a.b", message=Text(zh="甲", en="A")), Problem(path="", message=Text(zh="乙", en="B"))]
    )
    assert str(error) == "a.b: 甲\n乙"
