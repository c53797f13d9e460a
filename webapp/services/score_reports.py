"""The reports of a performance table: as PDF, printed by the worker, and as a workbook that can be taken in again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from rules.values import Text
from webapp import spreadsheets
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.letters.contents import FigureTable, ScoreGoal, ScoreGroup, ScoreLine, ScoreSum
from webapp.models import Document, Effect, ScoreFigure, ScoreYear
from webapp.moments import taipei
from webapp.services import documents, effects, score_import, score_table, scores
from webapp.services.score_table import Heading, Line, Table, plain

Config = Mapping[str, Any]
KIND = "score_report"
#: an indicator that has not reached its target; colour alone says nothing to many
SIGNS = {"yellow": "◆", "red": "▲"}
_ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)
FAILED = Text(
    zh="這份報告沒有製作成功，系統管理者看得到這個狀況並會處理。XLSX 仍可下載。",
    en="This report could not be made; administrators can see this. The XLSX can be downloaded.",
)


# --- budget and staff ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Budget:
    """Of one year: what was planned, what was spent, and how much that is of it."""

    year: int
    budget: Decimal
    final_account: Decimal

    @property
    def rate(self) -> Decimal | None:
        if not self.budget:
            return None
        return (self.final_account * 100 / self.budget).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class Staff:
    year: int
    parts: tuple[Decimal, ...]

    @property
    def total(self) -> Decimal:
        return sum(self.parts, Decimal(0))


@dataclass(frozen=True)
class Figures:
    budgets: tuple[Budget, ...]
    staff: tuple[Staff, ...]
    #: rates as they were printed elsewhere, with where
    printed: tuple[ScoreFigure, ...]
    sources: tuple[str, ...]

    @property
    def disagreeing(self) -> tuple[tuple[ScoreFigure, Decimal], ...]:
        """Printed rates that are not what the budget table gives, with what it gives."""
        by_year = {each.year: each.rate for each in self.budgets}
        return tuple(
            (row, computed)
            for row in self.printed
            if (computed := by_year.get(row.of_year)) is not None and computed != row.value
        )


def figures(year: ScoreYear) -> Figures:
    rows = scores.figures(year)
    by_kind: dict[str, dict[int, list[ScoreFigure]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        by_kind[row.kind][row.of_year].append(row)

    def total(kind: str, of_year: int) -> Decimal:
        return sum((row.value for row in by_kind[kind][of_year]), Decimal(0))

    return Figures(
        tuple(
            Budget(each, total("budget", each), total("final_account", each))
            for each in sorted(set(by_kind["budget"]) | set(by_kind["final_account"]))
        ),
        tuple(
            Staff(each, tuple(row.value for row in found)) for each, found in sorted(by_kind["staff"].items())
        ),
        tuple(row for row in rows if row.kind == "execution_rate"),
        tuple(dict.fromkeys(row.source for row in rows)),
    )


# --- PDF ----------------------------------------------------------------------------------------------------


def paper(year: ScoreYear, now: datetime, config: Config) -> papers.Performance:
    table = score_table.build(year)
    remarks = [f"第 {year.edition} 版，更正原因：{year.reason}"] if year.edition > 1 else []
    remarks += ["示範資料，非真實績效"] if year.origin == "demonstration" else []
    return papers.Performance(
        agency_name=config["AGENCY_NAME"],
        unit_name=year.unit_name,
        year=year.year,
        state=scores.NAMES[year.state].zh,
        remarks=tuple(remarks),
        groups=tuple(_group(top, group) for top in table.dimensions for group in top.below),
        sums=tuple(each for top in table.dimensions for each in _sums(top)),
        total=plain(table.total) + _beside(year.published_total, table.total),
        figures=tuple(_figure_tables(figures(year))),
        notes=tuple(dict.fromkeys(note.zh for note in all_notes(table))),
        rule="達成度（C）＝B÷A，越低越好的指標為 A÷B，超過上限者以上限計；達成度捨去，得分四捨五入後加總，"
        "達成率為得分合計占權重的百分比。◆ 部分達成，▲ 未達成。",
        printed_at=taipei(now),
    )


def all_notes(table: Table) -> list[Any]:
    """Each note once, by its number."""
    found = {note.number: note for note in table.notes}
    found |= {note.number: note for line in table.lines for note in line.notes}
    return [found[number] for number in sorted(found)]


def _beside(published: Decimal | None, computed: Decimal) -> str:
    return "" if published in (None, computed) else f"（公布 {plain(published or 0)}）"


def _group(top: Heading, group: Heading) -> ScoreGroup:
    title = top.row.title if group.row.title == top.row.title else f"{top.row.title}－{group.row.title}"
    return ScoreGroup(
        title,
        plain(group.row.weight),
        plain(group.score),
        tuple(
            ScoreGoal(
                f"{goal.row.number}、{goal.row.title}" if goal.row.number else goal.row.title,
                plain(goal.row.weight),
                tuple(map(_line, goal.lines)),
            )
            for goal in group.below
        ),
    )


def _line(line: Line) -> ScoreLine:
    row = line.indicator
    return ScoreLine(
        indicator=f"{row.number}、{row.title}" if row.number else row.title,
        weight=plain(row.weight),
        target=row.target_raw,
        achieved=row.achieved_raw
        if line.achieved == row.achieved
        else f"{plain(line.achieved or 0)}（評核）",
        ratio=ratio_of(line),
        score=(
            "不列入" if not line.assessable else plain(line.result.score) if line.result is not None else "—"
        ),
        remark=row.evidence + (f"（註 {_and(line)}）" if line.notes else ""),
        sign=SIGNS.get(line.light or "", ""),
    )


def _and(line: Line) -> str:
    return "、".join(str(note.number) for note in line.notes)


def ratio_of(line: Line) -> str:
    """C as it was published; else as it came out."""
    if line.result is None:
        return "—"
    return line.indicator.published_ratio or f"{line.result.ratio}%"


def _sums(top: Heading) -> list[ScoreSum]:
    parts = top.below if len(top.below) > 1 else ()
    return [_sum(top), *(replace(_sum(part), is_part=True, rate="") for part in parts)]


def _sum(heading: Heading) -> ScoreSum:
    row = heading.row
    printed = [plain(row.published_score)] if row.published_score is not None else []
    printed += [f"{plain(row.published_rate)}%"] if row.published_rate is not None else []
    return ScoreSum(
        row.title,
        plain(row.weight),
        plain(heading.score),
        f"{heading.rate}%" if heading.rate is not None else "",
        "、".join(printed),
    )


def _figure_tables(found: Figures) -> list[FigureTable]:
    tables = []
    if found.budgets:
        notes = [
            f"註：{row.part}公布 {plain(row.value)}%，由上表計算為 {computed}%（資料來源：{row.source}）。"
            for row, computed in found.disagreeing
        ]
        tables.append(
            FigureTable(
                f"近 {len(found.budgets)} 年預算、決算與執行率（新臺幣元）",
                ("年度", "預算數", "決算數", "執行率"),
                tuple(
                    (
                        f"{each.year} 年度",
                        plain(each.budget),
                        plain(each.final_account),
                        f"{each.rate}%" if each.rate is not None else "—",
                    )
                    for each in found.budgets
                ),
                (*notes, f"資料來源：{'；'.join(found.sources)}"),
            )
        )
    if found.staff:
        most = max(len(each.parts) for each in found.staff)
        tables.append(
            FigureTable(
                f"近 {len(found.staff)} 年實際員額（人）",
                ("年度", *(f"第 {n} 類" for n in range(1, most + 1)), "合計"),
                tuple(
                    (
                        f"{each.year} 年度",
                        *(plain(part) for part in each.parts),
                        *("—",) * (most - len(each.parts)),
                        plain(each.total),
                    )
                    for each in found.staff
                ),
                ("報告以三個數相加列出員額，未說明各類名稱。",),
            )
        )
    return tables


def printed(year: ScoreYear, now: datetime, config: Config) -> Document | None:
    """The report as the table stands now; None while it is being printed."""
    digest = _digest(paper(year, now, config))
    kept = db.session.scalars(
        select(Document).where(
            Document.draft_key == _key(year), Document.kind == KIND, Document.field_key == digest
        )
    ).first()
    if kept is None:
        _order(year, digest, now)
    return kept


def print_report(year_id: int, now: datetime, config: Config) -> None:
    year = db.session.get_one(ScoreYear, year_id)
    content = paper(year, now, config)
    pdf = papers.performance(content)
    db.session.execute(delete(Document).where(Document.draft_key == _key(year), Document.kind == KIND))
    documents.store(
        f"{content.unit_name}_{year.year}年度施政績效報告.pdf",
        "application/pdf",
        pdf,
        now,
        kind=KIND,
        draft_key=_key(year),
        field_key=_digest(content),
    )


def _key(year: ScoreYear) -> str:
    return f"scores-{year.id}"


def _digest(content: papers.Performance) -> str:
    """Of what stands in it and how it is laid out, whenever it is printed."""
    same = replace(content, printed_at=_ANY_DAY)
    return hashlib.sha256(f"{_layout()}{same!r}".encode()).hexdigest()


@cache
def _layout() -> str:
    root = Path(papers.__file__).parent
    drawn = [
        root / "score_layout.py",
        root / "templates" / "layout.html",
        root / "templates" / "performance.html",
    ]
    return hashlib.sha256(b"".join(path.read_bytes() for path in drawn)).hexdigest()


def _order(year: ScoreYear, digest: str, now: datetime) -> None:
    """One order a content of a table: whoever asks meanwhile waits for the same paper."""
    wanted = effects.effect(KIND, f"{year.id}:{digest}", now, year_id=year.id)
    standing = db.session.scalars(
        select(Effect).where(Effect.idempotency_key == wanted.idempotency_key).with_for_update()
    ).one_or_none()
    if standing is None:
        effects.enqueue(wanted)
    elif standing.state == "dead":
        raise NotFound(FAILED)
    elif standing.state == "done":
        # an older content that stands again
        effects.again(wanted.idempotency_key)


# --- XLSX ---------------------------------------------------------------------------------------------------


def as_xlsx(year: ScoreYear, lang: str) -> bytes:
    """The table as it can be taken in again, and what came out of it."""
    table = score_table.build(year)
    zh = lang == "zh"

    def word(chinese: str, english: str) -> str:
        return chinese if zh else english

    sheets: dict[str, Sequence[spreadsheets.Row]] = {
        word("績效表", "Indicators"): _indicator_rows(table, zh),
        word("合計", "Totals"): [
            [word(*names) for names in _TOTALS],
            *(
                [each.title, Decimal(each.weight), Decimal(each.score), each.rate, each.published]
                for top in table.dimensions
                for each in _sums(top)
            ),
            [
                word("績效總分", "Total"),
                score_table.WHOLE,
                table.total,
                "",
                plain(year.published_total) if year.published_total is not None else "",
            ],
        ],
    }
    found = figures(year)
    if found.budgets:
        rates = {each.year: each for each in found.staff}
        sheets[word("預算決算員額", "Budget and staff")] = [
            [word(*names) for names in _FIGURES],
            *(
                [
                    each.year,
                    each.budget.normalize(),
                    each.final_account.normalize(),
                    each.rate if each.rate is not None else "",
                    rates[each.year].total.normalize() if each.year in rates else "",
                ]
                for each in found.budgets
            ),
        ]
    if notes := all_notes(table):
        sheets[word("註記", "Notes")] = [
            [word("編號", "No."), word("註記", "Note")],
            *([note.number, note.zh if zh else note.en or note.zh] for note in notes),
        ]
    return spreadsheets.as_workbook(sheets)


_TOTALS = (
    ("面向", "Dimension"),
    ("權重", "Weight"),
    ("得分", "Score"),
    ("達成率", "Rate"),
    ("公布值", "Published"),
)
_FIGURES = (
    ("年度", "Year"),
    ("預算數", "Budget"),
    ("決算數", "Final account"),
    ("執行率", "Execution rate"),
    ("員額", "Staff"),
)


def _indicator_rows(table: Table, zh: bool) -> list[spreadsheets.Row]:
    columns = score_import.COLUMNS
    extra = ("計算達成度", "計算得分", "燈號") if zh else ("computed C", "computed score", "light")
    rows: list[spreadsheets.Row] = [
        [*(heading if zh else name for name, (heading,) in columns.items()), *extra]
    ]
    for top, group, goal in table.goals:
        for line in goal.lines:
            row = line.indicator
            # the parts of a dimension are told by what follows the dash
            name = top.row.title if group.row.title == top.row.title else f"{top.row.title}-{group.row.title}"
            values: dict[str, str | Decimal] = {
                "dim_code": group.row.code,
                "dimension": name,
                "dimension_weight": top.row.weight.normalize(),
                "sub_dimension_weight": group.row.weight.normalize(),
                "goal_no": goal.row.number,
                "goal": goal.row.title,
                "goal_weight": goal.row.weight.normalize(),
                "indicator_no": row.number,
                "indicator": row.title,
                "weight": row.weight.normalize(),
                "target_A_raw": row.target_raw,
                "target_A": row.target.normalize(),
                "achieved_B_raw": row.achieved_raw,
                "achieved_B": row.achieved.normalize() if row.achieved is not None else "",
                "unit": row.unit,
                "direction": row.direction,
                "published_C": row.published_ratio,
                "published_score": row.published_score.normalize() if row.published_score is not None else "",
                "score_decimals": Decimal(line.method.score.decimals),
                "evidence": row.evidence,
                "figure": row.figure or "",
                "note": row.note,
            }
            came_out: list[str | Decimal] = ["", ""]
            if line.result is not None:
                came_out = [f"{line.result.ratio}%", line.result.score]
            rows.append([*(values[name] for name in columns), *came_out, line.light or ""])
    return rows
