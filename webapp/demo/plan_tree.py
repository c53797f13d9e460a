"""Eleven visions, thirty-four indicators and three mid-term plans, all invented and marked so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Plan, Register, RegisterEntry
from webapp.queries.org import chart
from webapp.services import plan_imports

MARK = "（示範）"
#: vision -> its unit, and its indicators
VISIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "健康島嶼願景": ("SW", ("社區照顧據點數", "長者健身參與人次", "數位掛號使用率")),
    "教育提升願景": ("ED", ("校園閱讀空間改善校數", "雙語課程開設率", "數位學習載具配置率")),
    "宜居建設願景": (
        "PW",
        ("步道照明改善公里數", "排水系統更新長度", "智慧路燈裝設盞數", "人行空間改善處數"),
    ),
    "永續環境願景": ("EP", ("資源回收率", "垃圾減量比率", "空氣品質良好日數")),
    "觀光振興願景": ("TR", ("候車設施改善處數", "旅客滿意度", "深度旅遊遊程數")),
    "文化傳承願景": ("CU", ("文物典藏數位化件數", "古厝修復棟數", "藝文活動場次")),
    "安全防災願景": ("FD", ("消防車輛汰換數", "防災演練村里涵蓋率", "救護到達時間")),
    "產業發展願景": ("EC", ("地方產品認證數", "青年創業輔導家數", "有機栽培面積")),
    "醫療照護願景": ("HE", ("專科門診開設數", "後送等候時數", "預防保健篩檢率")),
    "智慧政府願景": ("AD", ("線上申辦案件比率", "跨機關資料介接項數", "申辦滿意度")),
    "海空交通願景": ("TR", ("航線準點率", "候船空間改善面積", "無障礙接駁班次")),
}
#: plan of the year -> the indicator or mid-term plan that it serves
SERVES = {
    "銀髮健身園地": "社區照顧據點數",
    "環湖步道照明改善": "宜居步道與照明中程計畫",
    "老街排水系統更新": "排水系統更新長度",
    "智慧路燈示範街區": "宜居步道與照明中程計畫",
    "校園圖書館改造": "校園閱讀空間改善校數",
    "資源回收分類站": "資源回收率",
    "衛生所數位掛號": "數位掛號使用率",
    "文物典藏庫房整修": "文物典藏數位化件數",
    "島際航線候船室": "候船空間改善面積",
    "觀光巴士候車設施": "友善旅運中程計畫",
}
#: mid-term plan -> its unit, and the indicator that it serves
MID_TERMS = {
    "宜居步道與照明中程計畫": ("PW", "步道照明改善公里數"),
    "友善旅運中程計畫": ("TR", "候車設施改善處數"),
    "消防救護量能中程計畫": ("FD", ""),
}


def load(register: Register, year: int) -> None:
    """Below them the invented plans of the year; the half-yearly review of the pledges has not begun."""
    made: dict[str, Plan] = {}
    _add(made, "pledge_vision", year, ((vision, unit, "") for vision, (unit, _below) in VISIONS.items()))
    _add(
        made,
        "pledge_indicator",
        year,
        ((each, unit, vision) for vision, (unit, below) in VISIONS.items() for each in below),
    )
    _add(made, "mid_term", year, ((title, *rest) for title, rest in MID_TERMS.items()))
    titles = [title + MARK for title in SERVES]
    for plan in db.session.scalars(select(Plan).where(Plan.title.in_(titles), Plan.roc_year == year)):
        plan.parent_id = made[SERVES[plan.title.removesuffix(MARK)]].id
    db.session.add_all(
        RegisterEntry(
            register_id=register.id,
            plan_id=made[each].id,
            since=date(year + 1911, 1, 1),
            origin="demonstration",
        )
        for _unit, below in VISIONS.values()
        for each in below
    )
    db.session.flush()


def _add(made: dict[str, Plan], kind: str, year: int, rows: Iterable[tuple[str, str, str]]) -> None:
    """Of a kind: title, unit and what it stands below."""
    new = {
        title: Plan(
            code=plan_imports.next_code(year),
            title=title + MARK,
            kind=kind,
            roc_year=year,
            last_year=year + 2 if kind == "mid_term" else None,
            level="county" if kind == "mid_term" else "magistrate",
            lead_unit_id=chart().by_code[unit].id,
            parent_id=made[above].id if above else None,
            origin="demonstration",
        )
        for title, unit, above in rows
    }
    db.session.add_all(new.values())
    db.session.flush()
    made |= new
