"""季檢討會資料 of a register for a quarter: figures, units, what is behind and why, changes, verifications, resolutions.

A closed quarter says what its edition kept; one that was closed before editions kept the review has the lists alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rules.values import format_day
from webapp.errors import NotFound
from webapp.letters.contents import Column, PlanTable, ReviewPack
from webapp.models import Register
from webapp.moments import taipei_day
from webapp.periods import Period, parse
from webapp.queries import plan_lists, plans, review_facts
from webapp.queries.plan_lists import HUNDRED_MILLION, Contents, Listed

NAME = "review"
#: under which an edition keeps it
KEPT = "review"
STANDINGS = {
    "severe": "嚴重落後",
    "behind": "落後",
    "on_track": "符合進度",
    "ahead": "超前",
    "no_report": "逾期未填報",
    "": "尚無填報",
}
KINDS = {"on_site": "實地查證", "written": "書面查證", "heads_meeting": "提主管會報"}
VERIFIED = {"open": "辦理中", "closed": "完成", "passed_over": "略過"}
RESOLVED = {"executing": "執行中", "continued": "續管", "released": "解除列管"}
NONE = "無。"


def is_quarter(period: Period) -> bool:
    return "Q" in period.key


def closing(of: Register, period: Period, found: Contents) -> str:
    """When it was closed, or the longer period that it lies in."""
    if found.closed_at:
        return f"{format_day(taipei_day(datetime.fromisoformat(found.closed_at)), 'zh')}結算。"
    around = plans.closed_around(of.id, period)
    if around is None:
        return "尚未結算，依目前資料列印。"
    day = format_day(taipei_day(around.closed_at), "zh")
    return f"已隨{parse(around.period).label.zh}於{day}結算，依目前資料列印。"


def pack(of: Register, period: Period, agency: str) -> ReviewPack:
    if not is_quarter(period):
        raise NotFound()
    found, edition = plan_lists.contents(of, period), plans.edition(of.id, period.key)
    facts = review_facts.gather(of, period) if edition is None else edition.data.get(KEPT)
    said = closing(of, period, found)
    tables = [_by_unit(found), _severe(found, facts), _behind(found, facts), _missing(found)]
    if facts is not None:
        tables += [
            _changes(facts["changes"]),
            _baselines(facts["baselines"]),
            _verifications(facts["verifications"]),
            _resolutions(facts["meeting"]),
        ]
    return ReviewPack(
        agency_name=agency,
        title=f"{of.name_zh}季檢討會資料",
        subtitle=period.label.zh,
        figures=_figures(found, facts),
        tables=tuple(
            PlanTable(
                agency, f"{number}、{title}", period.label.zh, columns, tuple(rows), grouped, remarks, said
            )
            for number, (title, columns, rows, grouped, remarks) in zip(
                "一二三四五六七八", tables, strict=False
            )
        ),
        remarks=tuple(f"註：{figure['note']}" for figure in found.figures if figure["note"]),
        state=said,
    )


Part = tuple[str, tuple[Column, ...], Sequence[tuple[str, ...]], int, tuple[str, ...]]
Facts = Mapping[str, Any] | None


def _figures(found: Contents, facts: Facts) -> tuple[tuple[str, str], ...]:
    standings = Counter(row.standing for row in found.rows)
    lights = "、".join(f"{word} {standings[key]} 件" for key, word in STANDINGS.items() if standings[key])
    severe = f"{len(found.severe)} 件"
    if found.severe_rate is not None:
        severe += f"，占 {found.plans} 件的 {found.severe_rate}%"
    shown = [
        ("列管件數", f"{found.plans} 件" + (f"、{found.projects} 項專案" if found.projects else "")),
        ("進度", lights or "尚無填報"),
        (f"嚴重落後（達 {found.rules['severe_lag']} 個百分點以上）", severe),
        ("預算", f"{_hundred_millions(found.budget)} 億元"),
    ]
    if facts is not None:
        shown.append(("預算執行率", f"{facts['execution']}%" if facts["execution"] else "沒有支用資料"))
    shown.append(("判定依據", f"規則集「計畫進度落後判定」第 {found.revision} 版"))
    return tuple(shown)


def _by_unit(found: Contents) -> Part:
    columns = (
        Column("單位", 67),
        Column("件數", 22, numeric=True),
        *(Column(word, 23, numeric=True) for word in STANDINGS.values()),
        Column("預算(億)", 30, numeric=True),
    )
    units: dict[str, list[Listed]] = {}
    for row in found.rows:
        units.setdefault(row.units[0], []).append(row)
    ranked = sorted(units.items(), key=lambda each: (-_count(each[1], "severe"), -len(each[1]), each[0]))
    rows = [_unit_row(unit, listed) for unit, listed in [*ranked, ("合計", list(found.rows))]]
    return "各單位", columns, rows if units else [], 0, () if units else (NONE,)


def _unit_row(unit: str, listed: Sequence[Listed]) -> tuple[str, ...]:
    budget = sum((Decimal(row.budget) for row in listed if row.budget), Decimal(0))
    counts = (str(_count(listed, standing)) for standing in STANDINGS)
    return unit, str(len(listed)), *counts, _hundred_millions(budget)


def _count(listed: Sequence[Listed], standing: str) -> int:
    return sum(row.standing == standing for row in listed)


def _severe(found: Contents, facts: Facts) -> Part:
    columns = (
        Column("單位", 22),
        Column("計畫", 40),
        Column("落後(百分點)", 18, numeric=True),
        Column("各月預定／實際%", 34),
        Column("原因類別", 22),
        Column("落後原因", 48),
        Column("因應對策", 48),
        Column("預定趕上", 25),
    )
    rows = [
        (unit, row.title, row.lag, *_explained(row, facts))
        for unit, listed in found.severe_by_unit
        for row in listed
    ]
    return "嚴重落後計畫", columns, rows, 1, () if rows else (NONE,)


def _behind(found: Contents, facts: Facts) -> Part:
    columns = (
        Column("單位", 30),
        Column("計畫", 60),
        Column("預定%", 17, numeric=True),
        Column("實際%", 17, numeric=True),
        Column("落後(百分點)", 20, numeric=True),
        Column("落後原因", 45),
        Column("因應對策", 43),
        Column("預定趕上", 25),
    )
    rows = []
    for row in (row for row in found.rows if row.standing == "behind"):
        _curve, _class, reason, countermeasure, catch_up = _explained(row, facts)
        rows.append(
            (row.units[0], row.title, row.planned, row.actual, row.lag, reason, countermeasure, catch_up)
        )
    return "落後計畫", columns, rows, 0, () if rows else (NONE,)


def _explained(row: Listed, facts: Facts) -> tuple[str, ...]:
    """Curve, class, reason, countermeasure and catch-up date; what is not known stays empty."""
    known = (facts["reports"].get(row.plan) if facts is not None else None) or {}
    points = known.get("curve") or []
    drawn = "\n".join(f"{month} {planned}／{actual}" for month, planned, actual in points)
    if not drawn and row.planned:
        drawn = f"{row.planned}／{row.actual}"
    return (
        drawn,
        known.get("reason_class", ""),
        _line(known.get("reason", "")),
        _line(known.get("countermeasure", "")),
        _iso(known.get("catch_up", "")),
    )


def _missing(found: Contents) -> Part:
    columns = (Column("單位", 60), Column("計畫", 147), Column("狀況", 50))
    rows = [
        (row.units[0], row.title, STANDINGS[row.standing])
        for row in found.rows
        if row.standing in ("no_report", "")
    ]
    return "未填報計畫", columns, rows, 0, () if rows else (NONE,)


def _changes(changes: Sequence[Mapping[str, str]]) -> Part:
    columns = (
        Column("單位", 40),
        Column("計畫", 97),
        Column("上一季", 30),
        Column("本季", 30),
        Column("上一季落後", 30, numeric=True),
        Column("本季落後", 30, numeric=True),
    )
    rows = [
        (
            each["unit"],
            each["title"],
            STANDINGS[each["before"]],
            STANDINGS[each["now"]],
            each["lag_before"],
            each["lag"],
        )
        for each in changes
    ]
    return "比上一季有變動的計畫", columns, rows, 0, () if rows else (NONE,)


def _baselines(changes: Sequence[Mapping[str, str]]) -> Part:
    columns = (
        Column("單位", 40),
        Column("計畫", 77),
        Column("版本", 17, numeric=True),
        Column("適用", 28),
        Column("修正原因", 65),
        Column("核定日期", 30),
    )
    rows = [
        (e["unit"], e["title"], e["number"], e["from"], e["reason"], _iso(e["approved"])) for e in changes
    ]
    return "本季修正預定進度", columns, rows, 0, () if rows else (NONE,)


def _verifications(listed: Sequence[Mapping[str, Any]]) -> Part:
    columns = (
        Column("計畫", 57),
        Column("查證方式", 24),
        Column("期別", 25),
        Column("結果", 22),
        Column("查證結論", 62),
        Column("未結應改善事項", 67),
    )
    rows = [
        (
            each["title"],
            KINDS[each["kind"]],
            parse(each["period"]).label.zh,
            VERIFIED[each["state"]],
            _line(each["said"]) + _difference(each["difference"]),
            "\n".join(f"{number}. {required}（{_iso(due)}前）" for number, required, due in each["open"]),
        )
        for each in listed
    ]
    return "查證與未結應改善事項", columns, rows, 0, () if rows else (NONE,)


def _resolutions(meeting: Mapping[str, Any] | None) -> Part:
    columns = (
        Column("項次", 14, numeric=True),
        Column("決議內容", 90),
        Column("權責單位", 36),
        Column("期限", 28),
        Column("辦理情形", 64),
        Column("列管狀態", 25),
    )
    if meeting is None:
        return "上次會議決議事項", columns, [], 0, (NONE,)
    rows = [
        (e["number"], e["text"], e["units"], _iso(e["due"]), _line(e["done"]), RESOLVED[e["state"]])
        for e in meeting["resolutions"]
    ]
    held = f"{meeting['title']}，{_iso(meeting['held_on'])}。"
    return "上次會議決議事項", columns, rows, 0, (held,)


def _difference(points: str) -> str:
    """Seen less reported."""
    if points in ("", "0"):
        return ""
    way = "少" if points.startswith("-") else "多"
    return f"（現場較填報{way} {points.removeprefix('-')} 個百分點）"


def _line(written: str) -> str:
    """What people wrote, without their line ends."""
    return " ".join(written.split())


def _iso(written: str) -> str:
    return _day(date.fromisoformat(written)) if written else ""


def _day(day: date) -> str:
    return format_day(day, "zh", "short")


def _hundred_millions(amount: Decimal) -> str:
    return plan_lists.written(amount / HUNDRED_MILLION)
