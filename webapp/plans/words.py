"""Words of plan control: lights with their shapes, standings, kinds, figures, and the rule behind each colour."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from rules.values import Text


class Light(NamedTuple):
    sign: str
    name: Text
    #: of the shape in a chart; the words beside it say the same
    fill: str
    ink: str


LIGHTS: Mapping[str, Light] = {
    "red": Light("▲", Text(zh="紅燈", en="Red"), "#9a1b14", "#ffffff"),
    "yellow": Light("◆", Text(zh="黃燈", en="Yellow"), "#f2c14e", "#0b0c0c"),
    "green": Light("●", Text(zh="綠燈", en="Green"), "#0b6b4b", "#ffffff"),
    "blue": Light("■", Text(zh="藍燈", en="Blue"), "#1d5fa3", "#ffffff"),
    "grey": Light("○", Text(zh="灰燈", en="Grey"), "#d5dbdd", "#0b0c0c"),
    "none": Light("…", Text(zh="尚無填報", en="Not reported yet"), "#ffffff", "#0b0c0c"),
}
STANDINGS: Mapping[str, Text] = {
    "severe": Text(zh="嚴重落後", en="severely behind"),
    "behind": Text(zh="落後", en="behind"),
    "on_track": Text(zh="符合進度", en="on track"),
    "ahead": Text(zh="超前", en="ahead"),
    "no_report": Text(zh="逾期未填報", en="no report"),
    "none": Text(zh="尚無填報", en="not reported yet"),
}
KINDS: Mapping[str, Text] = {
    "yearly": Text(zh="年度計畫", en="Plan of the year"),
    "mid_term": Text(zh="中程計畫", en="Mid-term plan"),
    "pledge_vision": Text(zh="政見願景", en="Vision of a pledge"),
    "pledge_indicator": Text(zh="政見指標", en="Indicator of a pledge"),
    "project": Text(zh="個案計畫", en="Project"),
    "subsidy": Text(zh="補助計畫", en="Subsidised plan"),
}
LEVELS: Mapping[str, Text] = {
    "magistrate": Text(zh="縣長列管", en="controlled by the magistrate"),
    "county": Text(zh="府列管", en="controlled by the county"),
    "unit": Text(zh="單位自行列管", en="controlled by the unit itself"),
}
CYCLES: Mapping[str, Text] = {
    "monthly": Text(zh="按月", en="Monthly"),
    "quarterly": Text(zh="按季", en="Quarterly"),
    "half_yearly": Text(zh="每半年", en="Half-yearly"),
}
ORIGINS: Mapping[str, Text] = {
    "entered": Text(zh="本系統填報", en="Entered here"),
    "published": Text(zh="公布資料", en="As published"),
    "demonstration": Text(zh="示範資料（虛構）", en="Demonstration (invented)"),
}
#: where a milestone stands, with the colour of its tag
MILESTONES: Mapping[str, tuple[Text, str]] = {
    "reached": (Text(zh="已達成", en="reached"), "green"),
    "late": (Text(zh="逾期", en="late"), "red"),
    "due": (Text(zh="未到期", en="not due yet"), "grey"),
}
ROLES: Mapping[str, Text] = {
    "lead": Text(zh="主辦", en="leading"),
    "co_lead": Text(zh="共同主辦", en="leading together"),
    "executing": Text(zh="執行", en="executing"),
    "assisting": Text(zh="協辦", en="assisting"),
}
SOURCES: Mapping[str, Text] = {
    "all": Text(zh="各項經費合計", en="All sources"),
    "county": Text(zh="縣預算", en="County"),
    "central": Text(zh="中央補助", en="Central government"),
    "island_fund": Text(zh="離島建設基金", en="Islands fund"),
    "other": Text(zh="其他", en="Other"),
}
PAPERS: Mapping[str, Text] = {
    "annex": Text(zh="彙整表（附件一）", en="Annex 1"),
    "severe": Text(zh="嚴重落後清單（依單位）", en="Severe plans by unit"),
    "large": Text(zh="大額計畫清單", en="Large plans"),
    "review": Text(zh="季檢討會資料", en="Quarterly review pack"),
}
FIGURES: Mapping[str, Text] = {
    "plans": Text(zh="列管件數", en="Plans"),
    "plans_stated": Text(zh="文中所稱計畫數", en="Plans, as the text says"),
    "projects": Text(zh="專案數", en="Projects"),
    "carried_over": Text(zh="以前年度未結", en="Carried over"),
    "new": Text(zh="本年度新增", en="New this year"),
    "released": Text(zh="解除列管", en="Released"),
    "to_be_accepted": Text(zh="完工待驗收", en="Completed, to be accepted"),
    "budget": Text(zh="總預算（元）", en="Budget (NT$)"),
    "usable": Text(zh="年度可用預算（元）", en="Usable this year (NT$)"),
    "severe": Text(zh="嚴重落後件數", en="Severely behind"),
    "severe_rate": Text(zh="嚴重落後比率（%）", en="Share severely behind (%)"),
    "meetings": Text(zh="檢討會議次數", en="Review meetings"),
    "visits": Text(zh="實地訪視查證次數", en="On-site visits"),
    "approved": Text(zh="核定件數", en="Approved"),
}


def stated_rules(rules: Mapping[str, str]) -> dict[str, Text]:
    """What each light means, by the parameters of the rules in force."""
    severe, behind = rules["severe_lag"], rules["behind_lag"]
    ahead = f"{abs(Decimal(rules['ahead_lag'])):f}"
    return {
        "red": Text(
            zh=f"嚴重落後：落後 {severe} 個百分點以上", en=f"severely behind: {severe} points or more"
        ),
        "yellow": Text(
            zh=f"落後：超過 {behind}，未達 {severe} 個百分點",
            en=f"behind: over {behind}, under {severe} points",
        ),
        "green": Text(
            zh=f"符合進度，或超前未達 {ahead} 個百分點", en=f"on track, or less than {ahead} points ahead"
        ),
        "blue": Text(zh=f"超前 {ahead} 個百分點以上", en=f"{ahead} points ahead or more"),
        "grey": Text(zh="逾期未填報", en="not reported in time"),
        "none": Text(zh="本期尚無填報", en="not reported for this period yet"),
    }
