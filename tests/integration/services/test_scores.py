"""施政績效: the published year comes in and comes out to the digit; a year goes from the unit to publication."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from tests.journeys import NOW
from webapp import demo
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.models import ScoreYear
from webapp.permissions import SYSTEM
from webapp.services import score_import, score_table, scores
from webapp.services.score_import import Source
from webapp.services.score_table import plain

DATA = Path(__file__).parents[2] / "data" / "scoring.csv"
ANNEX = Path(demo.__file__).parent / "performance_100_annex.csv"
PUBLISHED = Source(100, "AD-RES", "計畫室", "published")
UNIT, HEAD, CONTROL = "officer.ad-res", "section_head.ad-res", "guo.shiming"


@pytest.fixture(autouse=True)
def _nothing_stays(app: Flask) -> Iterator[None]:
    """Services flush and never commit."""
    with app.app_context():
        yield
        db.session.rollback()


def rows() -> list[dict[str, str]]:
    with DATA.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_csv(lines: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(lines[0]))
    writer.writeheader()
    writer.writerows(lines)
    return out.getvalue().encode()


@pytest.fixture
def published() -> ScoreYear:
    return score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), ANNEX.read_bytes(), NOW)[0]


@pytest.fixture
def entered() -> ScoreYear:
    return score_import.take_in(SYSTEM, Source(114, "AD-RES"), DATA.read_bytes(), None, NOW)[0]


def table(year: ScoreYear) -> score_table.Table:
    return score_table.build(year)


# --- the published table -------------------------------------------------------------------------------------


def test_every_published_figure_comes_out(published: ScoreYear) -> None:
    found = table(published)
    assert len(found.lines) == 34
    for line, row in zip(found.lines, rows(), strict=True):
        assert line.result is not None
        assert line.result.score == Decimal(row["published_score"]), row["indicator"]
        printed = row["published_C"].rstrip("%")
        assert line.result.ratio == (100 if printed == "1" else int(printed)), row["indicator"]
        assert line.indicator.published_score == line.result.score
        assert line.method.score.decimals == int(row["score_decimals"])
        assert line.indicator.decimals is None
    groups = {group.row.code: group for top in found.dimensions for group in top.below}
    assert {code: plain(group.score) for code, group in groups.items()} == {
        "B1": "59.2", "B2": "10", "H": "13.3", "F": "13.75",
    }  # fmt: skip
    assert [(plain(top.score), top.rate) for top in found.dimensions] == [
        ("69.2", Decimal("98.9")),
        ("13.3", Decimal("88.7")),
        ("13.75", Decimal("91.7")),
    ]
    assert found.total == Decimal("96.25") == published.published_total
    assert len(list(found.goals)) == 15


def test_what_disagrees_is_noted_and_not_repaired(published: ScoreYear) -> None:
    found = table(published)
    differing = [n for n, line in enumerate(found.lines, start=1) if line.differs]
    assert differing == [21, 22, 23, 24, 25]  # C printed as 1
    assert found.lines[20].indicator.published_ratio == "1"
    by_row = {n: [note.number for note in line.notes] for n, line in enumerate(found.lines, start=1)}
    assert {n: numbers for n, numbers in by_row.items() if numbers} == {
        3: [9], 4: [4], 5: [4, 6], 6: [4], 7: [4, 6], 8: [4, 6], 9: [4, 6], 15: [4], 16: [2], 20: [5],
        21: [3], 22: [3], 23: [3], 24: [3], 25: [3], 30: [4], 32: [4], 33: [1], 34: [7],
    }  # fmt: skip
    assert [note.number for note in found.notes] == [8]
    assert found.lines[32].indicator.note == "inverse: A/B = 3/4"


def test_how_each_indicator_was_scored_is_kept(published: ScoreYear) -> None:
    line = table(published).lines[32]
    assert line.record.facts["score.direction"] == "lower"
    assert line.record.said("score_by", "formula") == "target_by_achieved"
    fired = {entry["rule"]: entry for entry in line.record.explanation if entry["status"] == "fired"}
    assert {"formula.3", "decimals.1", "light.4"} <= set(fired)
    assert fired["formula.3"]["label"]["zh"] == "越低越好"
    assert line.light == "red"


def test_the_same_file_again_changes_nothing(published: ScoreYear) -> None:
    again, new = score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), ANNEX.read_bytes(), NOW)
    assert (again, new) == (published, False)
    with pytest.raises(Conflict, match="已經公布"):
        score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), None, NOW)
    assert len(scores.years()) == 1


@pytest.mark.parametrize(
    "change",
    [
        "update score_year set unit_name = 'x'",
        "update score_year set state = 'drafting', published_at = null",
        "delete from score_indicator",
        "update score_indicator set weight = 2",
        "update score_result set score = 5",
        "update score_heading set published_score = 1",
        "delete from score_note",
        "update score_figure set value = 1",
        "insert into score_note (year_id, number, zh, en) select id, 10, 'x', '' from score_year",
    ],
)
def test_the_database_refuses_to_change_what_is_published(published: ScoreYear, change: str) -> None:
    db.session.flush()
    with pytest.raises((IntegrityError, InternalError)), db.session.begin_nested():
        db.session.execute(text(change))
