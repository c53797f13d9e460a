"""Limits that an answer finds in another one, in today, or in its case."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from forms import answers, loader
from rules.values import DefinitionError

TODAY = date(2026, 3, 2)


def form(*fields: dict[str, Any]) -> Any:
    section = {"key": "page", "title": "頁", "fields": list(fields)}
    return loader.load({"key": "tiny", "title": "小表單", "sections": [section]})


def said(fields: tuple[dict[str, Any], ...], key: str, lang: str = "zh", **typed: str) -> list[str]:
    context = {"case.filed_on": date(2026, 2, 27)}
    raw = {name: [text] for name, text in typed.items()}
    return answers.clean(form(*fields), raw, today=TODAY, lang=lang, context=context).errors.get(key, [])


def day(key: str = "day", label: str = "開始日期", **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "date", "label": {"zh": label, "en": key}, "optional": True, **more}


def moment(key: str, label: str, **more: Any) -> dict[str, Any]:
    return day(key, label, **more) | {"type": "datetime"}


def number(key: str, label: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "type": "money", "label": {"zh": label, "en": key}, "optional": True, **more}


URGENT = {"key": "urgent", "type": "boolean", "label": "緊急申請", "optional": True}
SIX = {"of": "today", "days": 6, "when": {"fact": "answers.urgent", "op": "eq", "value": False}}


@pytest.mark.parametrize(
    ("bounds", "typed", "message"),
    [
        ({"not_before": SIX}, {"day": "115/3/8", "urgent": "no"}, ""),
        (
            {"not_before": SIX},
            {"day": "115/3/7", "urgent": "no"},
            "開始日期不能早於民國115年3月8日（今天之後 6 天），您填的是民國115年3月7日",
        ),
        (
            {"not_before": {**SIX, "advice": {"zh": "來不及時請選緊急申請", "en": "If late, choose urgent"}}},
            {"day": "115/3/7", "urgent": "no"},
            "開始日期不能早於民國115年3月8日（今天之後 6 天），您填的是民國115年3月7日。來不及時請選緊急申請",
        ),
        ({"not_before": SIX}, {"day": "115/3/7", "urgent": "yes"}, ""),
        ({"not_before": SIX}, {"day": "115/3/7"}, ""),
        (
            {"not_after": {"of": "today", "days": -7}},
            {"day": "115/2/24"},
            "開始日期不能晚於民國115年2月23日（今天之前 7 天），您填的是民國115年2月24日",
        ),
        ({"not_after": {"of": "today", "days": -7}}, {"day": "115/2/23"}, ""),
        (
            {"not_before": {"of": "case.filed_on"}},
            {"day": "115/2/26"},
            "開始日期不能早於民國115年2月27日（收件日），您填的是民國115年2月26日",
        ),
        ({"not_before": {"of": "case.filed_on"}}, {"day": "115/2/27"}, ""),
        (
            {"not_before": [{"of": "today"}, {"of": "case.filed_on", "days": 5}]},
            {"day": "115/3/3"},
            "開始日期不能早於民國115年3月4日（收件日之後 5 天），您填的是民國115年3月3日",
        ),
    ],
)
def test_a_day_and_today(bounds: dict[str, Any], typed: dict[str, str], message: str) -> None:
    assert said((URGENT, day(**bounds)), "day", **typed) == ([message] if message else [])


def test_a_day_and_another_one() -> None:
    both = (day("start"), day("end", "結束日期", after="start", not_after={"of": "start", "days": 30}))
    assert said(both, "end", start="115/3/2", end="115/4/1") == []
    assert said(both, "end", start="115/3/2", end="115/3/2") == [
        "結束日期必須晚於開始日期（民國115年3月2日），您填的是民國115年3月2日"
    ]
    assert said(both, "end", start="115/3/2", end="115/4/2") == [
        "結束日期不能晚於民國115年4月1日（開始日期之後 30 天），您填的是民國115年4月2日"
    ]
    assert said(both, "end", lang="en", start="115/3/2", end="115/4/2") == [
        "end cannot be after 1 April 2026 (30 days after start); you entered 2 April 2026"
    ]
    assert said(both, "end", end="115/4/2") == [], "there is nothing to compare it with"
    assert said(both, "end", start="不明", end="115/4/2") == []


def test_a_day_at_the_end_of_the_calendar_raises_nothing() -> None:
    later = (day("start"), day("end", "結束日期", not_before={"of": "start", "days": 30}))
    assert said(later, "end", start="西元9999/12/20", end="西元9999/12/31") == []
    assert said(later, "end", lang="en", start="西元9999/12/20", end="115/4/2") == [
        "end cannot be before 31 December 9999 (30 days after start); you entered 2 April 2026"
    ]
    earlier = (day("start"), day("end", "結束日期", not_after={"of": "start", "days": -30}))
    assert len(said(earlier, "end", start="西元0001/1/2", end="115/4/2")) == 1


def test_a_moment_is_compared_to_the_minute_and_with_a_day_by_its_day() -> None:
    both = (moment("start", "開始時間"), moment("end", "結束時間", after="start"))
    assert said(both, "end", start="115/3/2 10:00", end="115/3/2 10:01") == []
    assert said(both, "end", start="115/3/2 10:00", end="115/3/2 10:00") == [
        "結束時間必須晚於開始時間（民國115年3月2日 10:00），您填的是民國115年3月2日 10:00"
    ]
    mixed = (day("start"), moment("end", "結束時間", not_before="start"))
    assert said(mixed, "end", start="115/3/2", end="115/3/2 00:00") == []


def test_a_number_and_another_one() -> None:
    both = (number("total", "總經費"), number("asked", "申請金額", at_most="total", at_least={"of": "least"}))
    both = (*both, number("least", "下限"))
    assert said(both, "asked", total="100", asked="100") == []
    assert said(both, "asked", total="9", asked="10") == ["申請金額不能大於總經費（9 元），您填的是10 元"]
    assert said(both, "asked", least="11", asked="10") == ["申請金額不能小於下限（11 元），您填的是10 元"]


@pytest.mark.parametrize(
    ("broken", "path", "message"),
    [
        (day(not_after="strat"), "not_after", "「strat」不是另一個日期欄位，是否為「start」？"),
        (day(after="day"), "after", "「day」不是另一個日期欄位"),
        (day(after=["start", "x"]), "after[1]", "「x」不是另一個日期欄位"),
        (day(after={"of": "cost"}), "after.of", "「cost」不是另一個日期欄位"),
        (day(after={"of": "start", "days": "6"}), "after.days", "days「6」須為 -36600 到 36600 的整數"),
        (
            day(after={"of": "start", "when": {"fact": "answers.none", "op": "exists"}}),
            "after.when.fact",
            "沒有「answers.none」這項事實，是否為「answers.cost」？",
        ),
        (number("day", "額", at_most="start"), "at_most", "「start」不是另一個數字欄位"),
        (number("day", "額", at_most={"of": "today"}), "at_most.of", "「today」不是另一個數字欄位"),
        (number("day", "額", after="start"), "after", "型別 money 沒有「after」這個設定"),
    ],
)
def test_what_a_limit_cannot_name(broken: dict[str, Any], path: str, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        form(day("start"), number("cost", "費用"), broken)
    assert [(p.path, p.message.zh) for p in refused.value.problems] == [
        (f"sections[0].fields[2].{path}", message)
    ]


def test_a_column_of_numbers_has_no_limit_elsewhere() -> None:
    column = number("share", "份", at_most="all")
    table = {"key": "rows", "type": "table", "label": "表", "columns": [column]}
    with pytest.raises(DefinitionError, match="表格的欄只有日期能以其他欄位為界限"):
        form(number("all", "總數"), table)


# --- tables -----------------------------------------------------------------------------------------------

BABIES = (
    {"key": "babies", "type": "integer", "label": {"zh": "嬰兒數", "en": "Babies"}, "optional": True},
    day("registered", "登記日期"),
    {
        "key": "names",
        "type": "table",
        "label": {"zh": "新生兒", "en": "Names"},
        "optional": True,
        "rows": "babies",
        "columns": [
            {"key": "name", "type": "text", "label": "姓名"},
            day("born", "出生日期", not_after="registered", not_before={"of": "today", "days": -245}),
        ],
    },
)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"babies": "1"}, []),
        ({}, []),
        ({"babies": "3"}, ["新生兒要有 3 列，和「嬰兒數」相同，您填了 1 列。請增減列數，或更正「嬰兒數」"]),
        ({"names-0-born": "115/2/2", "registered": "115/2/2"}, []),
        (
            {"names-0-born": "115/2/2", "registered": "115/2/1"},
            ["出生日期不能晚於登記日期（民國115年2月1日），您填的是民國115年2月2日"],
        ),
        (
            {"names-0-born": "110/10/3"},
            ["出生日期不能早於民國114年6月30日（今天之前 245 天），您填的是民國110年10月3日"],
        ),
    ],
)
def test_rows_are_counted_and_their_dates_have_limits(typed: dict[str, str], message: list[str]) -> None:
    assert said(BABIES, "names", **{"names-0-name": "小寶", **typed}) == message


@pytest.mark.parametrize("rows", ["registered", "nothing", {"of": "babies", "days": 2}, 3])
def test_rows_are_as_many_as_a_number_says(rows: object) -> None:
    with pytest.raises(DefinitionError):
        form(*BABIES[:2], {**BABIES[2], "rows": rows})
