"""施政績效: the published year comes in and comes out to the digit; a year goes from the unit to publication."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from openpyxl import load_workbook
from pypdf import PdfReader
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InternalError

from tests.journeys import NOW
from tests.visitor import pdf_text
from webapp import demo
from webapp.errors import Conflict
from webapp.extensions import db
from webapp.letters import documents as papers
from webapp.models import ScoreYear
from webapp.permissions import SYSTEM
from webapp.services import score_import, score_reports, score_table, scores
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
    """The demonstration has it; it is the same file."""
    made, new = score_import.take_in(SYSTEM, PUBLISHED, DATA.read_bytes(), ANNEX.read_bytes(), NOW)
    assert not new
    return made


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
    assert [year.edition for year in scores.years() if year.year == 100] == [1]


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


# --- reports -------------------------------------------------------------------------------------------------


def squeezed(content: bytes) -> str:
    return "".join(pdf_text(content).split())


def test_the_report_prints_totals_rates_tables_and_notes(app: Flask, published: ScoreYear) -> None:
    pdf = papers.performance(score_reports.paper(published, NOW, app.config))
    said = squeezed(pdf)
    assert len(PdfReader(io.BytesIO(pdf)).pages) >= 2
    for figure in ("96.25", "69.2", "98.9%", "59.2", "13.3", "13.75", "66%", "88.7%", "91.7%"):
        assert figure in said, figure
    assert "配合國家資通安全會報「政府機關（構）資訊安全責任等級分級作業施行計畫」" in said
    for figure in ("39,144,000", "35,139,493", "89.77%", "87.02%", "90.68%", "公布92%", "公布91%"):
        assert figure in said, figure
    assert "達成度（C）印為1，其他指標印為100%。" in said
    # every page of a long group says whose columns these are
    assert said.count("策略績效目標衡量指標") >= 5


def test_the_workbook_comes_in_again_as_it_went_out(published: ScoreYear) -> None:
    content = score_reports.as_xlsx(published, "zh")
    again, new = score_import.take_in(SYSTEM, replace(PUBLISHED, year=101), content, None, NOW)
    assert new
    before, after = table(published), table(again)
    assert after.total == before.total
    assert [line.result for line in after.lines] == [line.result for line in before.lines]
    book = load_workbook(io.BytesIO(content), data_only=True)
    assert book.sheetnames == ["績效表", "合計", "預算決算員額", "註記"]
    assert [row[1].value for row in book["合計"].iter_rows(min_row=2)][-1] == 100
    english = load_workbook(io.BytesIO(score_reports.as_xlsx(published, "en")))
    assert english.sheetnames[0] == "Indicators"
