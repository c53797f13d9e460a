"""The published grades of a register for its year, as the list that is printed and saved."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rules.values import format_day
from webapp.letters.contents import Column, PlanTable
from webapp.models import Register
from webapp.moments import taipei_day
from webapp.periods import Period
from webapp.permissions import SYSTEM
from webapp.queries import definitions, plan_grades, plan_lists
from webapp.queries.plan_grades import Row
from webapp.services import plan_grades as grading
from webapp.services.plan_grades import ITEMS, NAMES, Assessment, Said

GRADES = {"excellent": "優等", "a": "甲等", "b": "乙等", "c": "丙等"}


def table(of: Register, year: Period, config: Mapping[str, Any]) -> PlanTable:
    """Every plan of the year; what is not published yet stands there without points."""
    rows = plan_grades.rows(SYSTEM, of, year, None)
    published = [row for row in rows if row.state == "published"]
    weights = _weights(of, published)
    columns = (
        Column("案號", 15),
        Column("計畫", 72),
        Column("單位", 32),
        *(
            Column(
                NAMES[item].zh + (f"({plan_lists.written(weights[item])})" if weights else ""),
                22,
                numeric=True,
            )
            for item in ITEMS
        ),
        Column("總分", 17, numeric=True),
        Column("等第", 17),
        Column("備註", 30),
    )
    return PlanTable(
        agency_name=config["AGENCY_NAME"],
        title=f"{of.name_zh}年終考核",
        subtitle=year.label.zh,
        columns=columns,
        rows=tuple(map(_cells, rows)),
        grouped=0,
        remarks=(_counted(rows, published), *_rules(published)),
        state=_state(rows, published),
    )


def _weights(of: Register, published: list[Row]) -> Mapping[str, Decimal]:
    """Those that the published grades were made with; none where they differ; the rules' before one is."""
    kept = [
        {item.key: item.weight for item in grading.as_kept(row.grade).items}
        for row in published
        if row.grade is not None
    ] or [grading.weights(of)]
    return kept[0] if all(each == kept[0] for each in kept) and set(ITEMS) <= set(kept[0]) else {}


def _cells(row: Row) -> tuple[str, ...]:
    names = grading.printed_as(row.entry)
    if row.grade is not None and row.state == "published":
        names |= {name: said for name, said in (row.grade.result or {}).items() if name in names}
    front = (names["case_no"], names["title"], names["unit"])
    if row.grade is None or row.state != "published":
        return (*front, "", "", "", "", "", "", "尚未公布")
    kept = grading.as_kept(row.grade)
    points = {item.key: "" if item.points is None else plan_lists.written(item.points) for item in kept.items}
    return (
        *front,
        *(points.get(item, "") for item in ITEMS),
        plan_lists.written(row.grade.total),
        GRADES[row.grade.grade or ""],
        _remark(kept, Said.from_json(row.grade.said)),
    )


def _remark(kept: Assessment, said: Said) -> str:
    """What did not come from the rules is said."""
    out = [NAMES[item.key].zh for item in kept.items if item.left_out]
    changed = [NAMES[item].zh for item in ITEMS[:3] if item in said.points]
    return "；".join(
        f"{'、'.join(names)}{words}" for names, words in ((out, "不評分"), (changed, "經複評調整")) if names
    )


def _counted(rows: list[Row], published: list[Row]) -> str:
    counts = {key: sum(row.grade.grade == key for row in published if row.grade) for key in GRADES}
    said = "、".join(f"{name} {counts[key]} 件" for key, name in GRADES.items())
    return f"共 {len(rows)} 件，已公布 {len(published)} 件：{said}。"


def _rules(published: list[Row]) -> list[str]:
    revisions = sorted({row.grade.ruleset_revision_id for row in published if row.grade} - {None})
    numbers = "、".join(f"第 {definitions.name_of(revision)[1]} 版" for revision in revisions)
    return [f"依規則「年終考核等第」{numbers}評定；括號內為權重，總分四捨五入一次。"] if numbers else []


def _state(rows: list[Row], published: list[Row]) -> str:
    if not published:
        return "尚未公布。"
    last = max(row.grade.published_at for row in published if row.grade and row.grade.published_at)
    day = format_day(taipei_day(last), "zh")
    return f"{day}公布。" if len(published) == len(rows) else f"截至 {day} 公布者；其餘尚未公布。"
