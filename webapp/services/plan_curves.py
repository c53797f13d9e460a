"""預定進度 as people write it: month, cumulative share, cumulative money; every mistake is named by its row."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from rules.values import Text
from webapp.extensions import db
from webapp.models import Baseline, BaselinePoint
from webapp.periods import parse_month
from webapp.queries.plan_facts import FULL, Point
from webapp.services import curve_rules

MOST_MONTHS = 120
#: digits after the point, as shares are stored
DECIMALS = 4
MOST_MONEY = Decimal(10) ** 14 - 1


@dataclass(frozen=True)
class Row:
    """One line as it was typed; its number is what a mistake names."""

    number: int
    month: str
    planned: str
    budget: str = ""


def lines(written: str) -> list[Row]:
    """Rows that were pasted from a spreadsheet or a CSV file: month, share, money; a line of headings may lead."""
    found = []
    for number, line in enumerate(written.replace("\r", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in _cells(line)] + ["", ""]
        if not found and not any(character.isdigit() for character in line):
            continue
        found.append(Row(number, *cells[:3]))
    return found


def _cells(line: str) -> list[str]:
    """By tabs, else by blanks where the month stands alone (its money may have commas), else by commas."""
    if "\t" in line:
        return line.split("\t")
    plain = line.replace("，", ",")
    parts = plain.split()
    return parts if len(parts) > 1 and "," not in parts[0] else next(csv.reader([plain]))


def written(points: Sequence[Point]) -> str:
    """As `lines` reads them."""
    return "\n".join(
        f"{month_key(p.month)}\t{p.planned.normalize():f}"
        + (f"\t{p.budget:f}" if p.budget is not None else "")
        for p in points
    )


def month_key(month: date) -> str:
    """115-08."""
    return f"{month.year - 1911}-{month.month:02}"


def read(rows: Sequence[Row]) -> tuple[list[Point], list[Text]]:
    """The curve by month, or every mistake."""
    mistakes: list[Text] = []
    found: list[tuple[int, Point]] = []
    if len(rows) > MOST_MONTHS:
        said = f"預定進度最多 {MOST_MONTHS} 列，目前 {len(rows)} 列。"
        return [], [Text(zh=said, en=f"A curve has at most {MOST_MONTHS} rows; there are {len(rows)}.")]
    for row in rows:
        try:
            month = parse_month(row.month)
        except ValueError:
            mistakes.append(_of(row.number, "月份例如 115-08。", "a month is 115-08."))
            continue
        planned, budget = _share(row, mistakes), _money(row, mistakes)
        if planned is not None:
            found.append((row.number, Point(month, planned, budget)))
    if mistakes:
        return [], mistakes
    if not found:
        return [], [Text(zh="請填寫預定進度，一個月一列。", en="Give the planned curve, one row a month.")]
    mistakes = [_of(each.number, each.text.zh, each.text.in_("en")) for each in curve_rules.mistakes(found)]
    return sorted((point for _number, point in found), key=lambda point: point.month), mistakes


def _share(row: Row, mistakes: list[Text]) -> Decimal | None:
    value = _number(row.planned.removesuffix("%").removesuffix("％"))
    if value is None or not 0 <= value <= FULL or value != round(value, DECIMALS):
        mistakes.append(
            _of(
                row.number,
                f"累計預定進度是 0 到 100 的百分比，小數最多 {DECIMALS} 位，不是「{row.planned[:20]}」。",
                f"the share lies between 0 and 100 with at most {DECIMALS} decimals, not “{row.planned[:20]}”.",
            )
        )
        return None
    return value


def _money(row: Row, mistakes: list[Text]) -> Decimal | None:
    if not row.budget.strip():
        return None
    value = _number(row.budget)
    if value is None or not 0 <= value <= MOST_MONEY or value != value.to_integral_value():
        mistakes.append(
            _of(
                row.number,
                f"累計預定經費是整數元，不是「{row.budget[:20]}」。",
                f"the money is a whole number of dollars, not “{row.budget[:20]}”.",
            )
        )
        return None
    return value


def _number(typed: str) -> Decimal | None:
    plain = unicodedata.normalize("NFKC", typed[:30]).strip().replace(",", "")
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _of(number: int, zh: str, en: str) -> Text:
    return Text(zh=f"第 {number} 列：{zh}", en=f"Row {number}: {en}")


def approve(baseline: Baseline, points: Sequence[Point]) -> Baseline:
    """Keeps a curve as an approved version: it never changes after. `baseline` says who approved it and when."""
    by, at = baseline.approved_by_id, baseline.approved_at
    baseline.approved_by_id = baseline.approved_at = None
    db.session.add(baseline)
    db.session.flush()
    db.session.add_all(
        BaselinePoint(baseline_id=baseline.id, month=p.month, planned=p.planned, budget=p.budget)
        for p in points
    )
    db.session.flush()
    baseline.approved_by_id, baseline.approved_at = by, at
    db.session.flush()
    return baseline
