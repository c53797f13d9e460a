"""The performance table of a year: what stands of every indicator, how it is scored, and what the headings add up to.

Only the ruleset `performance_scoring` and `rules.scoring` decide; of a published year what was decided then is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from rules.model import Outcome
from rules.scoring import Branch, Exact, Method, Rounding, Score, counted_weights, rate, score, wrong_sums
from rules.values import Text
from webapp.extensions import db
from webapp.models import (
    ScoreAssessment,
    ScoreHeading,
    ScoreIndicator,
    ScoreNote,
    ScoreResult,
    ScoreYear,
)
from webapp.services import evaluation

RULESET = "performance_scoring"
#: what a whole table weighs
WHOLE = 100

LEVELS = {
    "dimension": Text(zh="面向", en="Dimension"),
    "group": Text(zh="分組", en="Group"),
    "goal": Text(zh="目標", en="Goal"),
}
Facts = dict[str, object]


@dataclass(frozen=True)
class Record:
    """What the ruleset said of an indicator, as it is kept."""

    facts: Mapping[str, Any]
    outcomes: Sequence[Mapping[str, Any]]
    explanation: Sequence[Mapping[str, Any]]
    engine: str
    revision: int

    @property
    def method(self) -> Method:
        return Method.of(Outcome(each["rule"], each["action"], each["params"]) for each in self.outcomes)

    def said(self, action: str, param: str) -> str | None:
        return next((each["params"][param] for each in self.outcomes if each["action"] == action), None)


@dataclass(frozen=True)
class Line:
    """One indicator as it stands."""

    indicator: ScoreIndicator
    assessments: tuple[ScoreAssessment, ...]
    #: B, after what the reviewers changed; none: not reported yet
    achieved: Decimal | None
    assessable: bool
    record: Record
    method: Method
    #: none: it does not count
    weight: Fraction | None
    #: C and points; none: nothing to score yet, or left out
    result: Score | None
    by_hand: ScoreAssessment | None
    notes: tuple[ScoreNote, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.assessable and self.result is None

    @property
    def light(self) -> str | None:
        return self.record.said("set_light", "light")

    @property
    def differs(self) -> bool:
        """Whether the published figures are others than those that come out."""
        row, printed = self.indicator, self.indicator.published_ratio
        if self.result is None:
            return bool(printed) or row.published_score is not None
        of_ratio = bool(printed) and printed != f"{self.result.ratio}%"
        return of_ratio or row.published_score not in (None, self.result.score)


@dataclass(frozen=True)
class Heading:
    """A dimension, a group or a goal, with the sum of the rounded scores below it."""

    row: ScoreHeading
    below: tuple[Heading, ...]
    lines: tuple[Line, ...]
    score: Decimal
    #: per cent of the weights that count; none while something is open, or where nothing counts
    rate: Decimal | None

    @property
    def all_lines(self) -> tuple[Line, ...]:
        return self.lines + tuple(line for each in self.below for line in each.all_lines)


@dataclass(frozen=True)
class Table:
    year: ScoreYear
    dimensions: tuple[Heading, ...]
    #: of the table as a whole
    notes: tuple[ScoreNote, ...]
    total: Decimal
    rate: Decimal | None
    rescaled: bool

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for each in self.dimensions for line in each.all_lines)

    @property
    def goals(self) -> Iterator[tuple[Heading, Heading, Heading]]:
        """Dimension, group and goal, in the order of the table."""
        for dimension in self.dimensions:
            for group in dimension.below:
                for goal in group.below:
                    yield dimension, group, goal

    def line(self, indicator_id: int) -> Line:
        return next(line for line in self.lines if line.indicator.id == indicator_id)


def build(year: ScoreYear) -> Table:
    rows = _Rows(year)
    branch = rows.branch()
    rescaled = any(line.record.said("leave_out", "weights") == "rescale" for line in rows.lines.values())
    weights = counted_weights(branch, rescale=rescaled)
    lines = {key: _scored(line, weights.get(("indicator", key)), rows) for key, line in rows.lines.items()}
    dimensions = tuple(_heading(row, rows, lines) for row in rows.headings[None])
    everything = [line for each in dimensions for line in each.all_lines]
    total, share = _sum(everything)
    return Table(year, dimensions, tuple(rows.notes[None]), total, share, rescaled)


def weight_mistakes(year: ScoreYear) -> list[Text]:
    """Where weights do not add up, at every level; what has nothing below it is named too."""
    rows = _Rows(year)
    found = [
        Text(zh=f"{name.zh}沒有下層項目。", en=f"{name.in_('en')} has nothing below it.")
        for name in map(rows.name, rows.empty())
    ]
    for branch, total in wrong_sums(rows.branch()):
        name, want, have = rows.name(branch.key), plain(branch.weight), plain(total)
        found.append(
            Text(
                zh=f"{name.zh}的權重是 {want}，下層合計卻是 {have}。",
                en=f"{name.in_('en')} weighs {want}, but what is below it adds up to {have}.",
            )
        )
    return found


class _Rows:
    """What is stored of a year, and the lines before they are scored."""

    def __init__(self, year: ScoreYear) -> None:
        self.year = year
        self.headings: dict[int | None, list[ScoreHeading]] = defaultdict(list)
        self.by_id: dict[int, ScoreHeading] = {}
        for row in _of(ScoreHeading, year, ScoreHeading.position):
            self.headings[row.parent_id].append(row)
            self.by_id[row.id] = row
        self.notes: dict[int | None, list[ScoreNote]] = defaultdict(list)
        for note in _of(ScoreNote, year, ScoreNote.number):
            self.notes[note.indicator_id].append(note)
        self.assessments: dict[int, list[ScoreAssessment]] = defaultdict(list)
        for said in _of(ScoreAssessment, year, ScoreAssessment.id):
            if said.round == year.round:
                self.assessments[said.indicator_id].append(said)
        self.results = {row.indicator_id: row for row in _of(ScoreResult, year, ScoreResult.indicator_id)}
        self.indicators: dict[int, list[ScoreIndicator]] = defaultdict(list)
        self.lines: dict[int, Line] = {}
        self.decided: dict[tuple[tuple[str, object], ...], Record] = {}
        for indicator in _of(ScoreIndicator, year, ScoreIndicator.position):
            self.indicators[indicator.goal_id].append(indicator)
            self.lines[indicator.id] = self._standing(indicator)

    def aspect(self, indicator: ScoreIndicator) -> str:
        row = self.by_id[indicator.goal_id]
        while row.parent_id is not None:
            row = self.by_id[row.parent_id]
        return row.aspect or ""

    def _standing(self, indicator: ScoreIndicator) -> Line:
        """What the reviewers left of what was reported: of several words the last one of a kind counts."""
        achieved, assessable, by_hand = indicator.achieved, True, None
        for said in self.assessments[indicator.id]:
            if said.verdict == "adjusted":
                achieved, assessable, by_hand = said.value, True, None
            elif said.verdict == "scored":
                assessable, by_hand = True, said
            elif said.verdict == "not_assessable":
                assessable, by_hand = False, None
        record = self._record(indicator, achieved, assessable)
        return Line(
            indicator,
            tuple(self.assessments[indicator.id]),
            achieved,
            assessable,
            record,
            _method(record, indicator),
            None,
            None,
            by_hand,
            tuple(self.notes[indicator.id]),
        )

    def _record(self, indicator: ScoreIndicator, achieved: Decimal | None, assessable: bool) -> Record:
        if indicator.id in self.results:
            kept = self.results[indicator.id]
            return Record(kept.facts, kept.outcomes, kept.explanation, kept.engine, kept.ruleset_revision_id)
        facts: Facts = {
            "score.direction": indicator.direction,
            "score.dimension": self.aspect(indicator),
            "score.target": indicator.target,
            "score.achieved": achieved,
            "score.assessable": assessable,
        }
        record = self.decide(facts)
        if achieved is None or not assessable:
            return record
        # the light goes by what came out
        came_out = score(_method(record, indicator), indicator.weight, indicator.target, achieved)
        return self.decide({**facts, "score.rate": came_out.ratio})

    def decide(self, facts: Facts) -> Record:
        key = tuple(sorted(facts.items()))
        if key not in self.decided:
            last_day = date(self.year.year + 1911, 12, 31)
            decision, revision = evaluation.decide(RULESET, facts, last_day)
            said = decision.to_json()
            known = {
                name: str(value) if isinstance(value, Decimal) else value
                for name, value in sorted(decision.facts.items())
                if value is not None
            }
            self.decided[key] = Record(
                known, said["outcomes"], said["explanation"], decision.engine, revision
            )
        return self.decided[key]

    def branch(self) -> Branch:
        return Branch("table", WHOLE, tuple(self._branch(row) for row in self.headings[None]))

    def _branch(self, row: ScoreHeading) -> Branch:
        below = [self._branch(each) for each in self.headings[row.id]]
        below += [
            Branch(("indicator", each.id), each.weight, assessable=self.lines[each.id].assessable)
            for each in self.indicators[row.id]
        ]
        # an empty heading counts for nothing
        return Branch(("heading", row.id), row.weight, tuple(below), assessable=bool(below))

    def empty(self) -> list[Any]:
        if not self.by_id:
            return ["table"]
        filled = {row.parent_id for row in self.by_id.values()} | set(self.indicators)
        return [("heading", key) for key in self.by_id if key not in filled]

    def name(self, key: Any) -> Text:
        if key == "table":
            return Text(zh="整張績效表", en="The whole table")
        row = self.by_id[key[1]]
        title = f"{row.number}、{row.title}" if row.number else row.title
        above = self.by_id[row.parent_id].title if row.level == "goal" and row.parent_id else ""
        words = LEVELS[row.level]
        return Text(
            zh=f"{above and f'「{above}」的'}{words.zh}「{title}」",
            en=f"{words.in_('en')} “{title}”{above and f' of “{above}”'}",
        )


def _of(model: Any, year: ScoreYear, *order: Any) -> Sequence[Any]:
    key = model.indicator_id if model is ScoreResult else model.id
    return db.session.scalars(select(model).where(model.year_id == year.id).order_by(*order, key)).all()


def _method(record: Record, indicator: ScoreIndicator) -> Method:
    """As the ruleset says, with what is set for this indicator alone."""
    method = record.method
    if indicator.cap is not None:
        method = replace(method, cap=Fraction(indicator.cap) / 100)
    if indicator.decimals is not None:
        method = replace(method, score=Rounding(indicator.decimals, "half_up"))
    return method


def _scored(line: Line, weight: Fraction | None, rows: _Rows) -> Line:
    kept = rows.results.get(line.indicator.id)
    if kept is not None:
        result = Score(_short(kept.ratio), _short(kept.score)) if kept.score is not None else None
    elif weight is None or line.achieved is None:
        result = None
    else:
        result = score(line.method, weight, line.indicator.target, line.achieved)
        if line.by_hand is not None:
            points = line.method.score.of(Fraction(line.by_hand.value or 0))
            result = replace(result, score=points)
    return replace(line, weight=weight, result=result)


def _heading(row: ScoreHeading, rows: _Rows, lines: Mapping[int, Line]) -> Heading:
    below = tuple(_heading(each, rows, lines) for each in rows.headings[row.id])
    own = tuple(lines[each.id] for each in rows.indicators[row.id])
    made = Heading(row, below, own, Decimal(0), None)
    total, share = _sum(made.all_lines)
    return replace(made, score=total, rate=share)


def _sum(lines: Sequence[Line]) -> tuple[Decimal, Decimal | None]:
    """The rounded scores together, and what part they are of the weights that count."""
    scores = [line.result.score for line in lines if line.result is not None]
    total = sum(scores, Decimal(0))
    counted = [line for line in lines if line.weight is not None]
    if not counted or any(line.is_open for line in lines):
        return total, None
    return total, rate(counted[0].method, scores, [line.weight or 0 for line in counted])


def _short(value: Decimal | None) -> Decimal:
    """As it is printed: the zeros of the column are nobody's."""
    return Decimal(plain(value or 0).replace(",", ""))


def plain(value: Exact) -> str:
    """A weight, a quantity or points as they are printed: 4.2, 5, 1,069."""
    exact = Fraction(value)
    found = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.0001"))
    return f"{found.normalize():,f}"
