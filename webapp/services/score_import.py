"""A performance table from a file: all of it or nothing, and the same file a second time changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from rules.values import Text
from webapp import crypto
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    ScoreFigure,
    ScoreHeading,
    ScoreIndicator,
    ScoreNote,
    ScoreYear,
)
from webapp.models.scores import FIGURES
from webapp.permissions import Actor
from webapp.queries.org import chart
from webapp.queries.score_figures import FIGURES as FIGURES_OF_THE_SYSTEM
from webapp.services import score_editions, score_table, scores
from webapp.sheets import SCORES, BadSheet, Problem, Row, leading_number, number, read_content

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "dim_code": ("面向代碼",),
    "dimension": ("面向",),
    "dimension_weight": ("面向權重",),
    "sub_dimension_weight": ("分組權重",),
    "goal_no": ("目標編號",),
    "goal": ("策略績效目標",),
    "goal_weight": ("目標權重",),
    "indicator_no": ("指標編號",),
    "indicator": ("衡量指標",),
    "weight": ("權重",),
    "target_A_raw": ("原訂目標值（A）",),
    "target_A": ("目標值",),
    "achieved_B_raw": ("績效衡量暨達成情形（B）",),
    "achieved_B": ("達成值",),
    "unit": ("單位",),
    "direction": ("方向",),
    "published_C": ("達成度（C）",),
    "published_score": ("得分",),
    "score_decimals": ("得分位數",),
    "evidence": ("佐證說明",),
    "figure": ("達成值來源",),
    "note": ("備註",),
}
OPTIONAL = frozenset(
    {"target_A", "achieved_B_raw", "achieved_B", "unit", "published_C", "published_score", "score_decimals",
     "evidence", "figure", "note"}
)  # fmt: skip
#: what stands beside a published table: its totals, notes, and the figures of the budget and staff tables
ANNEX: Mapping[str, tuple[str, ...]] = {
    "kind": ("類別",),
    "key": ("對象",),
    "of_year": ("年度",),
    "value": ("值",),
    "rate": ("達成率",),
    "zh": ("說明",),
    "en": ("英文說明",),
    "source": ("資料來源",),
}
OPTIONAL_BESIDE = frozenset(ANNEX) - {"kind"}
#: no score, sum or rate reaches it
MOST_POINTS = 10_000
#: by the first letter of the code
ASPECTS = {"B": "business", "H": "staff", "F": "budget"}
DIRECTIONS = {
    **dict.fromkeys(("higher_better", "higher", "越高越好"), "higher"),
    **dict.fromkeys(("lower_better", "lower", "越低越好"), "lower"),
    **dict.fromkeys(("equal", "須等於目標"), "equal"),
}


@dataclass(frozen=True)
class Parsed:
    """One row that can be taken in."""

    row: int
    code: str
    dimension: str
    group: str
    dimension_weight: Decimal
    group_weight: Decimal
    goal_number: str
    goal: str
    goal_weight: Decimal
    number: str
    title: str
    weight: Decimal
    target_raw: str
    target: Decimal
    achieved_raw: str
    achieved: Decimal | None
    unit: str
    direction: str
    published_ratio: str
    published_score: Decimal | None
    decimals: int | None
    evidence: str
    note: str
    figure: str | None


@dataclass(frozen=True)
class Source:
    """Of which year and unit the file is, and whether it is a table that was published elsewhere."""

    year: int
    unit: str
    unit_name: str = ""
    origin: str = "entered"


def take_in(
    actor: Actor, source: Source, content: bytes, annex: bytes | None, now: datetime
) -> tuple[ScoreYear, bool]:
    """The edition that the file describes, and whether it is new. Raises BadSheet with every mistake."""
    unit = chart().by_code.get(source.unit)
    if unit is None:
        raise NotFound(Text(zh=f"沒有代碼 {source.unit} 的單位。", en=f"There is no unit {source.unit}."))
    rows = _parse(_read(content, COLUMNS, OPTIONAL))
    beside = _read(annex, ANNEX, OPTIONAL_BESIDE) if annex is not None else []
    digest = _digest(rows) + _digest(beside)
    same = select(ScoreYear).where(
        ScoreYear.unit_id == unit.id,
        ScoreYear.year == source.year,
        # without an annex nothing is said of what stands beside the table
        ScoreYear.source_digest == digest
        if annex is not None
        else ScoreYear.source_digest.startswith(_digest(rows), autoescape=True),
    )
    if (there := db.session.scalars(same.limit(1)).first()) is not None:
        return there, False
    score_editions.refuse_second(unit.id, source.year)
    year = ScoreYear(
        public_id=crypto.public_id(),
        year=source.year,
        unit_id=unit.id,
        unit_name=source.unit_name or unit.zh,
        origin=source.origin,
        source_digest=digest,
        created_by_id=actor.account_id,
        created_at=now,
    )
    score_editions.claim(year)
    kept = _write(year, rows, actor, now)
    _write_beside(year, beside, kept)
    _keep_decimals(year, rows, kept)
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action="scores_imported", subject=year.public_id)
    )
    db.session.flush()
    if source.origin == "published":
        if wrong := score_table.weight_mistakes(year):
            raise BadSheet([Problem(None, "", text) for text in wrong])
        scores.freeze(actor, year, now)
    return year, True


def _read(content: bytes, columns: Mapping[str, tuple[str, ...]], optional: Collection[str]) -> list[Row]:
    sheet = read_content(content, columns, [name for name in columns if name not in optional], SCORES)
    sheet.require()
    return sheet.rows


def _parse(rows: Sequence[Row]) -> list[Parsed]:
    mistakes: list[Problem] = []
    parsed = [found for row in rows if (found := _Cells(row, mistakes).parsed()) is not None]
    mistakes += _at_odds(parsed)
    if mistakes:
        raise BadSheet(sorted(mistakes, key=lambda each: each.row or 0))
    return parsed


class _Cells:
    """The cells of one row, each with what is wrong with it."""

    def __init__(self, row: Row, mistakes: list[Problem]) -> None:
        self.row, self.mistakes, self.wrong = row, mistakes, len(mistakes)

    def say(self, column: str, zh: str, en: str) -> None:
        self.mistakes.append(self.row.problem(column, zh, en))

    def text(self, column: str, longest: int, *, optional: bool = False) -> str:
        found = " ".join(self.row.cells.get(column, "").split("\n"))
        if not found and not optional:
            self.say(column, "不能空白。", "This is empty.")
        if len(found) > longest:
            self.say(column, f"超過 {longest} 字。", f"Longer than {longest} characters.")
        return found

    def quantity(
        self, column: str, beside: str = "", *, optional: bool = False, below: int = 10**14
    ) -> Decimal | None:
        """A number from 0; without one, that which the printed value beside it begins with."""
        typed = self.row.cells.get(column, "")
        found = number(typed) if typed else leading_number(beside)
        if (typed or found is not None) and (
            found is None or found < 0 or found >= below or found != round(found, 4)
        ):
            self.say(
                column, f"「{typed}」不是 0 以上、最多四位小數的數字。", f"“{typed}” is not a number from 0."
            )
            return None
        if found is None and not optional:
            self.say(column, "沒有數字。", "There is no number.")
        return found

    def weight(self, column: str) -> Decimal:
        found = self.quantity(column)
        if found is not None and not 0 < found <= 100:
            self.say(
                column, f"權重 {found} 不在 0 到 100 之間。", f"A weight of {found} is not within 0 and 100."
            )
        return found or Decimal(0)

    def parsed(self) -> Parsed | None:
        code, target_raw = self.text("dim_code", 10), self.text("target_A_raw", 40)
        achieved_raw = self.text("achieved_B_raw", 40, optional=True)
        direction = DIRECTIONS.get(self.text("direction", 20))
        if self.row.cells.get("direction") and direction is None:
            self.say(
                "direction", "不是 higher_better、lower_better 或 equal。", "Not a direction that is known."
            )
        if code and code[0] not in ASPECTS:
            self.say("dim_code", "須以 B（業務）、H（人力）或 F（經費）開頭。", "It begins with B, H or F.")
        dimension, _dash, group = self.text("dimension", 300).partition("-")
        decimals = self.quantity("score_decimals", optional=True)
        if decimals is not None and decimals not in (0, 1, 2, 3, 4):
            self.say("score_decimals", "須為 0 到 4。", "From 0 to 4.")
        target = self.quantity("target_A", target_raw)
        figure = self.text("figure", 40, optional=True)
        if figure and figure not in FIGURES_OF_THE_SYSTEM:
            self.say("figure", f"沒有「{figure}」這個系統數字。", f"There is no figure {figure}.")
        found = Parsed(
            row=self.row.number,
            code=code,
            dimension=dimension,
            group=group or dimension,
            dimension_weight=self.weight("dimension_weight"),
            group_weight=self.weight("sub_dimension_weight"),
            goal_number=self.text("goal_no", 10),
            goal=self.text("goal", 300),
            goal_weight=self.weight("goal_weight"),
            number=self.text("indicator_no", 10),
            title=self.text("indicator", 300),
            weight=self.weight("weight"),
            target_raw=target_raw,
            target=target or Decimal(0),
            achieved_raw=achieved_raw,
            achieved=self.quantity("achieved_B", achieved_raw, optional=True),
            unit=self.text("unit", 20, optional=True),
            direction=direction or "higher",
            published_ratio=self.text("published_C", 20, optional=True),
            published_score=self.quantity("published_score", optional=True, below=MOST_POINTS),
            decimals=int(decimals) if decimals is not None else None,
            evidence=self.text("evidence", scores.LONGEST_EVIDENCE, optional=True),
            note=self.text("note", 300, optional=True),
            figure=figure or None,
        )
        return found if len(self.mistakes) == self.wrong else None


def _at_odds(rows: Sequence[Parsed]) -> Iterator[Problem]:
    """What rows of one dimension, group or goal say differently; an indicator that comes twice."""
    first: dict[tuple[str, ...], tuple[Decimal, int]] = {}
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        for column, key, weight in (
            ("dimension_weight", ("dimension", row.dimension), row.dimension_weight),
            ("sub_dimension_weight", ("group", row.code), row.group_weight),
            ("goal_weight", ("goal", row.code, row.goal_number), row.goal_weight),
        ):
            before, at = first.setdefault(key, (weight, row.row))
            if before != weight:
                yield Problem(
                    row.row,
                    column,
                    Text(zh=f"與第 {at} 列的 {before} 不同。", en=f"Row {at} says {before}."),
                )
        mine = (row.code, row.goal_number, row.number)
        if mine in seen:
            at = seen[mine]
            yield Problem(
                row.row,
                "indicator_no",
                Text(zh=f"與第 {at} 列是同一個指標編號。", en=f"The same number as in row {at}."),
            )
        seen.setdefault(mine, row.row)


def _write(
    year: ScoreYear, rows: Sequence[Parsed], actor: Actor, now: datetime
) -> dict[str, ScoreHeading | ScoreIndicator]:
    """Headings and indicators; by what an annex calls them."""
    kept: dict[str, ScoreHeading | ScoreIndicator] = {}

    def heading(key: str, parent: ScoreHeading | None, level: str, **values: object) -> ScoreHeading:
        there = kept.get(key)
        if isinstance(there, ScoreHeading):
            return there
        made = ScoreHeading(
            year_id=year.id,
            parent_id=parent.id if parent else None,
            level=level,
            position=len(kept),
            **values,
        )
        db.session.add(made)
        db.session.flush()
        kept[key] = made
        return made

    for n, row in enumerate(rows, start=1):
        top = heading(
            row.dimension,
            None,
            "dimension",
            aspect=ASPECTS[row.code[0]],
            title=row.dimension,
            weight=row.dimension_weight,
        )
        group = heading(row.code, top, "group", code=row.code, title=row.group, weight=row.group_weight)
        goal = heading(
            f"{row.code} {row.goal_number}",
            group,
            "goal",
            number=row.goal_number,
            title=row.goal,
            weight=row.goal_weight,
        )
        indicator = ScoreIndicator(
            public_id=crypto.public_id(),
            year_id=year.id,
            goal_id=goal.id,
            position=n,
            changed_by_id=actor.account_id,
            changed_at=now,
            **{name: getattr(row, name) for name in _SAME},
        )
        db.session.add(indicator)
        kept[f"#{n}"] = indicator
    db.session.flush()
    return kept


_SAME = (
    *("number", "title", "weight", "target_raw", "target", "achieved_raw", "achieved", "unit", "direction"),
    *("published_ratio", "published_score", "evidence", "note", "figure"),
)


def _write_beside(
    year: ScoreYear, rows: Sequence[Row], kept: dict[str, ScoreHeading | ScoreIndicator]
) -> None:
    mistakes: list[Problem] = []
    for row in rows:
        cells, kind = _Cells(row, mistakes), row.cells.get("kind", "")
        key = row.cells.get("key", "")
        if kind == "total":
            year.published_total = cells.quantity("value", below=MOST_POINTS)
        elif kind == "heading":
            found = kept.get(key)
            if isinstance(found, ScoreHeading):
                found.published_score = cells.quantity("value", below=MOST_POINTS)
                found.published_rate = cells.quantity("rate", optional=True, below=MOST_POINTS)
            else:
                cells.say("key", f"沒有「{key}」這個面向或分組。", f"There is no heading {key}.")
        elif kind == "note":
            _note(year, cells, key.split(), kept)
        elif kind in FIGURES:
            _figure(year, cells, kind, key)
        else:
            cells.say("kind", f"不認得「{kind}」。", f"“{kind}” is not known.")
    if mistakes:
        raise BadSheet(mistakes)
    db.session.flush()


def _note(
    year: ScoreYear, cells: _Cells, about: list[str], kept: dict[str, ScoreHeading | ScoreIndicator]
) -> None:
    """`key` names the rows of the table that it is about, as they are counted there; none: all of it."""
    no, zh, en = (
        cells.quantity("value", below=1000),
        cells.text("zh", 500),
        cells.text("en", 500, optional=True),
    )
    unknown = [each for each in about if not isinstance(kept.get(f"#{each}"), ScoreIndicator)]
    if unknown:
        cells.say("key", f"表裡沒有第 {unknown[0]} 個指標。", f"The table has no indicator {unknown[0]}.")
        return
    if no is None or not zh:
        return
    for each in about or [""]:
        indicator = kept[f"#{each}"].id if each else None
        db.session.add(ScoreNote(year_id=year.id, number=int(no), indicator_id=indicator, zh=zh, en=en))


def _figure(year: ScoreYear, cells: _Cells, kind: str, part: str) -> None:
    of_year, value = cells.quantity("of_year", below=1000), cells.quantity("value")
    source = cells.text("source", 200)
    if of_year is None or value is None:
        return
    if of_year < 1 or of_year != int(of_year):
        cells.say("of_year", "請填民國年度。", "Give a ROC year.")
        return
    db.session.add(
        ScoreFigure(
            year_id=year.id,
            position=cells.row.number,
            kind=kind,
            of_year=int(of_year),
            part=part[:80],
            value=value,
            source=source,
        )
    )


def _keep_decimals(
    year: ScoreYear, rows: Sequence[Parsed], kept: dict[str, ScoreHeading | ScoreIndicator]
) -> None:
    """Decimals that are others than the ruleset's are set for the indicator alone."""
    table = score_table.build(year)
    for n, row in enumerate(rows, start=1):
        indicator = kept[f"#{n}"]
        assert isinstance(indicator, ScoreIndicator)
        if row.decimals not in (None, table.line(indicator.id).method.score.decimals):
            indicator.decimals = row.decimals
    db.session.flush()


def _digest(rows: Sequence[Parsed | Row]) -> str:
    """Of what a table says, whatever file it came in."""
    said = repr([asdict(row) if isinstance(row, Parsed) else sorted(row.cells.items()) for row in rows])
    return hashlib.sha256(said.encode()).hexdigest()[:32]
