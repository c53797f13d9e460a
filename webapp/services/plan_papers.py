"""附件一 and the other lists of a register for a period, as PDF (printed by the worker) and as a spreadsheet.

One table each; a closed period prints what it said when it was closed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.contents import Column, PlanTable, ReviewPack
from webapp.letters.wording import numeral
from webapp.models import PlanPaper, Register
from webapp.periods import Period, parse
from webapp.queries import plan_lists, plans
from webapp.queries.plan_lists import HUNDRED_MILLION, Contents, Listed
from webapp.services import effects, plan_grade_papers, review_pack
from webapp.spreadsheets import sheet_title

Config = Mapping[str, Any]
#: rows that the renderer still sets in good time, some thirty pages
MOST_ON_PAPER = 600
STANDINGS = {
    "severe": "嚴重落後",
    "behind": "落後",
    "on_track": "符合進度",
    "ahead": "超前",
    "no_report": "逾期未填報",
    "": "尚無填報",
}
LIGHTS = {
    "red": "▲ 紅燈",
    "yellow": "◆ 黃燈",
    "green": "● 綠燈",
    "blue": "■ 藍燈",
    "grey": "○ 灰燈",
    "none": "尚無填報",
}
FAILED = Text(
    zh="這份報表沒有製作成功，系統管理者看得到這個狀況；請先下載 XLSX。",
    en="This list could not be printed; the administrator can see this. Download the XLSX meanwhile.",
)


# --- the lists --------------------------------------------------------------------------------------------


def annex(found: Contents) -> tuple[str, tuple[Column, ...], list[tuple[str, ...]], int, list[str]]:
    """附件一 重大政策暨計畫列管彙整表."""
    columns = (
        Column("項次", 12),
        Column("專案", 28),
        Column("案號", 12),
        Column("工作項目", 54),
        Column("辦理情形", 48),
        Column("預計%", 18, numeric=True),
        Column("實際%", 18, numeric=True),
        Column("預算(億)", 19, numeric=True),
        Column("單位", 22),
        Column("備註", 26),
    )
    rows = [
        (
            numeral(row.project_no) if row.project_no else "",
            row.project,
            row.case_no,
            row.title,
            row.phase,
            row.planned,
            row.actual,
            hundred_millions(row.budget),
            "、".join(row.units),
            remark(row),
        )
        for row in found.rows
    ]
    total = f"共 {len(rows)} 件"
    total += f"、{found.projects} 項專案" if found.projects else ""
    total += f"，預算合計 {hundred_millions(str(found.budget))} 億元" if found.budget else ""
    return "彙整表", columns, rows, 2, [f"{total}。", _severe_words(found)]


def severe(found: Contents) -> tuple[str, tuple[Column, ...], list[tuple[str, ...]], int, list[str]]:
    """The severe ones by unit."""
    columns = (
        Column("單位", 34),
        Column("件數", 15, numeric=True),
        Column("案號", 15),
        Column("計畫", 90),
        Column("預定%", 20, numeric=True),
        Column("實際%", 20, numeric=True),
        Column("落後(百分點)", 25, numeric=True),
        Column("備註", 38),
    )
    rows = [
        (
            unit,
            str(len(listed)),
            row.case_no,
            row.title,
            row.planned,
            row.actual,
            row.lag,
            "以公布為準" if row.published else "",
        )
        for unit, listed in found.severe_by_unit
        for row in listed
    ]
    return "嚴重落後清單（依單位）", columns, rows, 2, [_severe_words(found)]


def large(found: Contents) -> tuple[str, tuple[Column, ...], list[tuple[str, ...]], int, list[str]]:
    """Plans of at least the budget from which the county controls them, for the audit office."""
    columns = (
        Column("案號", 15),
        Column("計畫", 78),
        Column("單位", 38),
        Column("預算(元)", 36, numeric=True),
        Column("預定%", 20, numeric=True),
        Column("實際%", 20, numeric=True),
        Column("落後(百分點)", 25, numeric=True),
        Column("燈號", 25),
    )
    rows = [
        (
            row.case_no,
            row.title,
            "、".join(row.units),
            f"{Decimal(row.budget):,.0f}",
            row.planned,
            row.actual,
            row.lag,
            LIGHTS.get(row.light) or STANDINGS[row.standing],
        )
        for row in found.large
    ]
    least = f"{Decimal(found.rules['large_budget']):,f}"
    return f"預算 {least} 元以上計畫執行情形", columns, rows, 0, [f"共 {len(rows)} 件。"]


LISTS: Mapping[str, Callable[[Contents], Any]] = {"annex": annex, "severe": severe, "large": large}

#: lists that other rooms draw up
OTHERS: Mapping[str, Callable[[Register, Period, Config], PlanTable]] = {"grades": plan_grade_papers.table}


def remark(row: Listed) -> str:
    if row.standing in ("severe", "behind"):
        return (
            f"{STANDINGS[row.standing]} {row.lag}".strip()
            if row.lag
            else f"{STANDINGS[row.standing]}（以公布為準）"
        )
    return "" if row.standing in ("on_track", "ahead") else STANDINGS[row.standing]


def hundred_millions(dollars: str) -> str:
    return plan_lists.written(Decimal(dollars) / HUNDRED_MILLION) if dollars else ""


def _severe_words(found: Contents) -> str:
    said = f"嚴重落後（落後達 {found.rules['severe_lag']} 個百分點以上）{len(found.severe)} 件"
    rate = f"，占 {found.plans} 件的 {found.severe_rate}%" if found.severe_rate is not None else ""
    return f"{said}{rate}（計畫進度落後判定第 {found.revision} 版）。"


def table(of: Register, period: Period, name: str, config: Config) -> PlanTable:
    if name in OTHERS:
        return OTHERS[name](of, period, config)
    found = plan_lists.contents(of, period)
    title, columns, rows, grouped, remarks = LISTS[name](found)
    notes = [f"註：{figure['note']}" for figure in found.figures if figure["note"]]
    return PlanTable(
        agency_name=config["AGENCY_NAME"],
        title=f"{of.name_zh}{title}",
        subtitle=period.label.zh,
        columns=columns,
        rows=tuple(rows),
        grouped=grouped,
        remarks=(*remarks, *notes),
        state=review_pack.closing(of, period, found),
    )


def content(of: Register, period: Period, name: str, config: Config) -> PlanTable | ReviewPack:
    """A list, or the pack of a quarterly review."""
    if name == review_pack.NAME:
        return review_pack.pack(of, period, config["AGENCY_NAME"])
    return table(of, period, name, config)


# --- on paper ---------------------------------------------------------------------------------------------


def pdf(of: Register, period: Period, name: str, now: datetime, config: Config) -> bytes | None:
    """None while it is being printed."""
    found = content(of, period, name, config)
    if len(found.rows) > MOST_ON_PAPER:
        raise Refused(
            Text(
                zh=f"超過 {MOST_ON_PAPER} 列，不製作 PDF；請下載 XLSX。",
                en=f"More than {MOST_ON_PAPER} rows are not printed as PDF: download the XLSX.",
            )
        )
    digest = _digest(found)
    kept = db.session.get(PlanPaper, (of.id, period.key, name))
    if kept is not None and kept.digest == digest:
        return kept.pdf
    key = f"{of.key}:{period.key}:{name}"
    effects.order("plan_paper", key, digest, now, FAILED, register=of.key, period=period.key, name=name)
    return None


def print_paper(register: str, period: str, name: str, now: datetime, config: Config) -> None:
    of, of_period = plans.register(register), parse(period)
    found = content(of, of_period, name, config)
    db.session.merge(
        PlanPaper(
            register_id=of.id,
            period=of_period.key,
            name=name,
            digest=_digest(found),
            pdf=papers.review_pack(found) if isinstance(found, ReviewPack) else papers.plan_table(found),
            printed_at=now,
        )
    )
    db.session.flush()


def _digest(found: PlanTable | ReviewPack) -> str:
    return hashlib.sha256(f"{layout()}{found!r}".encode()).hexdigest()


@cache
def layout() -> str:
    """How such a list is drawn: one that is drawn otherwise is printed anew."""
    folder = Path(papers.__file__).parent / "templates"
    drawn = [folder / name for name in ("layout.html", "macros.html", "plan_table.html", "review_pack.html")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in drawn)).hexdigest()


# --- as a spreadsheet -------------------------------------------------------------------------------------

_LINE = Side(style="thin")
_BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)


def xlsx(found: PlanTable | ReviewPack) -> bytes:
    """What the paper shows: cells that repeat are merged, numbers are numbers, what people wrote is text."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet_title(found.subtitle)
    if isinstance(found, ReviewPack):
        _fill(page, _cover(found))
        for each in found.tables:
            _fill(book.create_sheet(sheet_title(each.title.partition("、")[2])), each)
    else:
        _fill(page, found)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cover(found: ReviewPack) -> PlanTable:
    columns = (Column("項目", 70), Column("本期", 187))
    return PlanTable(
        found.agency_name, found.title, found.subtitle, columns, found.figures, 0, found.remarks, found.state
    )


def _fill(page: Any, content: PlanTable) -> None:
    width = len(content.columns)
    for row, words in enumerate((content.agency_name, content.title, content.subtitle), start=1):
        page.cell(row, 1, words).font = Font(bold=True, size=14 if row < 3 else 11)
        page.cell(row, 1).alignment = Alignment(horizontal="center")
        page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    for place, column in enumerate(content.columns, start=1):
        head = page.cell(4, place, column.heading)
        head.font, head.border = Font(bold=True), _BOX
        head.fill = PatternFill("solid", fgColor="EEF0F3")
        head.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        page.column_dimensions[get_column_letter(place)].width = column.width / 2
    for number, cells in enumerate(content.rows):
        for place, (value, column) in enumerate(zip(cells, content.columns, strict=True)):
            _write(page.cell(5 + number, place + 1), value, column)
    for place in range(content.grouped):
        _merge(page, content, place)
    for number, remark_ in enumerate((*content.remarks, content.state)):
        row = 6 + len(content.rows) + number
        page.cell(row, 1, ILLEGAL_CHARACTERS_RE.sub("", remark_)).data_type = "s"
        page.merge_cells(start_row=row, start_column=1, end_row=row, end_column=width)
    page.freeze_panes = "A5"
    page.page_setup.orientation = "landscape"
    page.print_title_rows = "4:4"


def _write(cell: Any, value: str, column: Column) -> None:
    plain = value.replace(",", "")
    if column.numeric and plain:
        number = Decimal(plain)
        cell.value = int(number) if number == number.to_integral_value() else float(number)
    else:
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) or None
        if cell.value is not None:
            cell.data_type = "s"
    cell.border = _BOX
    cell.alignment = Alignment(
        vertical="center", wrap_text=True, horizontal="right" if column.numeric else "left"
    )


def _merge(page: Any, content: PlanTable, place: int) -> None:
    """Runs of equal cells in a grouped column become one."""
    start = 0
    for number in range(1, len(content.rows) + 1):
        if number < len(content.rows) and content.repeats(number, place):
            continue
        if number - start > 1:
            page.merge_cells(
                start_row=5 + start, start_column=place + 1, end_row=4 + number, end_column=place + 1
            )
        start = number
