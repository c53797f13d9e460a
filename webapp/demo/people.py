"""Everybody who works in the demonstration county: the named people of county.yaml, and for every function that a
unit still lacks somebody invented, the same in every installation."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from rules.values import read_yaml

HERE = Path(__file__).parent

SURNAMES = tuple("陳林許楊李黃蔡王張洪翁吳董歐呂莊薛盧葉鄭")
GIVEN_NAMES = (
    *("文良", "麗珠", "建宏", "秀琴", "志成", "淑貞", "國強", "美惠", "俊傑", "雅玲", "明哲", "佳穎"),
    *("世昌", "玉蘭", "家豪", "素卿", "宗翰", "怡萱", "振興", "惠雯", "天賜", "碧霞", "永福", "心怡"),
)

#: what somebody does in a section or agency that handles applications
AT_A_DESK = ("officer", "inspector", "section_head")
#: what an owner unit has besides
AT_THE_TOP = ("department_head", "co_reviewer", "original_agency")
#: functions that one person holds together
TOGETHER = {"inspector": "officer", "original_agency": "co_reviewer"}
TITLES = {
    "officer": ("承辦人", "Officer"),
    "inspector": ("承辦人", "Officer"),
    "co_reviewer": ("綜合業務承辦人", "General affairs officer"),
    "original_agency": ("綜合業務承辦人", "General affairs officer"),
    "committee_secretary": ("委員會幹事", "Committee secretary"),
    "legal_officer": ("法制人員", "Legal officer"),
}
#: the head of a unit whose name ends like this
HEADS = {
    "科": ("科長", "Section head"),
    "課": ("課長", "Section head"),
    "所": ("所長", "Director"),
    "廠": ("廠長", "Director"),
    "場": ("場長", "Director"),
    "隊": ("隊長", "Head of the team"),
    "處": ("處長", "Head of department"),
    "局": ("局長", "Director-general of the bureau"),
}


@cache
def county() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(HERE / "county.yaml")
    return found


@cache
def units() -> tuple[dict[str, str], ...]:
    """Every unit, each after the one above it."""
    data = county()
    top, *named = data["units"]
    owners = [
        {
            "code": row["code"],
            "parent": "KM",
            "zh": row["name_zh"],
            "en": row["name_en"],
            "kind": row["kind"],
        }
        for row in _rows("units.csv")
    ]
    sections = [
        {
            "code": row["code"],
            "parent": row["owner"],
            "zh": row["name_zh"],
            "en": row["name_en"],
            "kind": row["kind"],
        }
        for row in _rows("sections.csv")
    ]
    return (top, *owners, *named, *sections)


@cache
def people() -> tuple[dict[str, Any], ...]:
    """With their login, name and seats."""
    named = county()["people"]
    held = {(seat["unit"], seat["function"]) for person in named for seat in person["seats"]}
    invented: dict[str, dict[str, Any]] = {}
    for unit, function in _wanted():
        if (unit["code"], function) in held:
            continue
        login = f"{TOGETHER.get(function, function)}.{unit['code'].lower()}"
        person = invented.setdefault(login, {"login": login, "name": _name(len(invented)), "seats": []})
        zh, en = _title(unit, function)
        person["seats"].append({"unit": unit["code"], "function": function, "zh": zh, "en": en})
    return (*named, *invented.values())


def _wanted() -> Iterator[tuple[dict[str, str], str]]:
    by_code = {unit["code"]: unit for unit in units()}
    for row in _rows("sections.csv"):
        for function in row["functions"].split() or AT_A_DESK:
            yield by_code[row["code"]], function
    for code in county()["handles_itself"]:
        for function in AT_A_DESK:
            yield by_code[code], function
    for row in _rows("units.csv"):
        for function in AT_THE_TOP:
            yield by_code[row["code"]], function
    for code in dict.fromkeys(row["unit"] for row in county()["committees"]):
        yield by_code[code], "committee_secretary"


def _title(unit: dict[str, str], function: str) -> tuple[str, str]:
    if function == "department_head" or (
        function == "section_head" and unit["kind"] in ("section", "agency")
    ):
        return HEADS.get(unit["zh"][-1], HEADS["科"])
    return TITLES.get(function, HEADS["課" if unit["kind"] == "township" else "科"])


def _name(number: int) -> str:
    """Surnames in turn, with another given name in every round: no name comes twice in the first 480."""
    rounds, place = divmod(number, len(SURNAMES))
    return SURNAMES[place] + GIVEN_NAMES[(place + rounds) % len(GIVEN_NAMES)]


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def notables() -> list[str]:
    """Local people who sit in committees and have no account."""
    return [_name(len(people()) + number) for number in range(3)]
