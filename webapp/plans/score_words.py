"""The words and colours of the performance tables, and how an indicator was scored, line by line."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from rules.values import Text
from webapp.queries import definitions
from webapp.services.score_table import Line, Table, plain

COLOURS = {
    "drafting": "grey",
    "self_assessed": "yellow",
    "paper_review": "blue",
    "meeting": "blue",
    "on_site": "blue",
    "published": "green",
}
#: sign, class of the due words, words
LIGHTS: Mapping[str, tuple[str, str, Text]] = {
    "green": ("●", "green", Text(zh="達成", en="Reached")),
    "yellow": ("◆", "yellow", Text(zh="部分達成", en="Partly reached")),
    "red": ("▲", "red", Text(zh="未達成", en="Not reached")),
    "white": ("○", "none", Text(zh="無法評核", en="Not assessable")),
}
ORIGINS = {
    "published": Text(zh="公布資料", en="As published"),
    "demonstration": Text(zh="示範資料，非真實", en="Demonstration, invented"),
    "entered": Text(zh="系統登錄", en="Entered here"),
}
DIRECTIONS = {
    "higher": Text(zh="越高越好", en="Higher is better"),
    "lower": Text(zh="越低越好", en="Lower is better"),
    "equal": Text(zh="須等於目標", en="Equal to the target"),
}
STAGES = {
    "self": Text(zh="單位自評", en="Self-assessment"),
    "paper_review": Text(zh="書面審查", en="Review on paper"),
    "meeting": Text(zh="會議評核", en="Review meeting"),
    "on_site": Text(zh="實地複評", en="On-site re-evaluation"),
}
VERDICTS = {
    "confirmed": Text(zh="同意", en="Confirmed"),
    "adjusted": Text(zh="調整達成值", en="Value adjusted"),
    "scored": Text(zh="逕予評分", en="Scored by hand"),
    "not_assessable": Text(zh="無法評核", en="Not assessable"),
}
_FORMULAS = {
    "achieved_by_target": Text(zh="C＝B÷A＝{b}÷{a}", en="C = B / A = {b} / {a}"),
    "target_by_achieved": Text(
        zh="C＝A÷B＝{a}÷{b}（越低越好）", en="C = A / B = {a} / {b} (lower is better)"
    ),
    "equal": Text(zh="B＝A 為 100%，否則 0：B＝{b}，A＝{a}", en="100% where B = A, else 0: B = {b}, A = {a}"),
    "full": Text(zh="C＝100%（A＝{a}，B＝{b}）", en="C = 100% (A = {a}, B = {b})"),
}
_MODES = {"half_up": Text(zh="四捨五入", en="rounded half up"), "truncate": Text(zh="捨去", en="truncated")}


def why(line: Line, lang: str) -> list[str]:
    """Formula, cap, decimals and weight, with the figures of this indicator."""
    row, method, result = line.indicator, line.method, line.result
    if not line.assessable:
        return [Text(zh="無法評核，權重不列入。", en="Not assessable: its weight does not count.").in_(lang)]
    if result is None or line.achieved is None:
        return [Text(zh="還沒有達成值，尚未計分。", en="No value yet, so there is no score.").in_(lang)]
    numbers = {"a": plain(row.target), "b": plain(line.achieved)}
    cap = plain(method.cap * 100)
    of_row = Text(zh="（本指標另訂）", en=" (set for this indicator)")
    ratio_mode, score_mode = _MODES[method.ratio.mode], _MODES[method.score.mode]
    own_cap, own_decimals = row.cap is not None, row.decimals is not None
    said = [
        _FORMULAS[method.formula].in_(lang).format(**numbers),
        Text(zh=f"上限 {cap}%", en=f"Cap {cap}%").in_(lang) + (of_row.in_(lang) if own_cap else ""),
        Text(
            zh=f"達成度{ratio_mode.zh}至小數 {method.ratio.decimals} 位：{result.ratio}%",
            en=f"Ratio {ratio_mode.en} to {method.ratio.decimals} decimals: {result.ratio}%",
        ).in_(lang),
    ]
    if line.by_hand is not None:
        points = plain(result.score)
        said.append(
            Text(zh=f"評核小組逕予評分：{points} 分", en=f"Scored by hand: {points} points").in_(lang)
        )
        return said
    weight = plain(line.weight or Fraction(0))
    if line.weight is not None and line.weight != Fraction(row.weight):
        said.append(
            Text(
                zh=f"有指標不列入，權重由 {plain(row.weight)} 調整為 {weight}",
                en=f"Some indicators are left out: the weight of {plain(row.weight)} becomes {weight}",
            ).in_(lang)
        )
    said.append(
        Text(
            zh=f"得分＝權重 {weight} × C，以未捨去的 C 計算，{score_mode.zh}至小數 {method.score.decimals} 位："
            f"{plain(result.score)} 分",
            en=f"Score = weight {weight} × C, by the exact C, {score_mode.en} to {method.score.decimals} decimals: "
            f"{plain(result.score)} points",
        ).in_(lang)
        + (of_row.in_(lang) if own_decimals else "")
    )
    return said


def lights_rule(table: Table) -> Text:
    """Which colour means what, with the parameters that are in force for the table."""
    if not table.lines:
        return Text(zh="", en="")
    revision = table.lines[0].record.revision
    params = definitions.ruleset(revision).ruleset.params
    green, yellow = params["green_from"], params["yellow_from"]
    return Text(
        zh=f"● 達成：達成度 {green}% 以上；◆ 部分達成：{yellow}% 以上；▲ 未達成：未滿 {yellow}%；○ 無法評核。",
        en=f"● reached: {green}% or more; ◆ partly: {yellow}% or more; ▲ not reached: less; ○ not assessable.",
    )
