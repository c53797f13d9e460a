"""施政績效報告: row spans go over pages whatever a goal holds."""

from __future__ import annotations

import io
from datetime import datetime

import pytest
from pypdf import PdfReader

from tests.visitor import pdf_text
from webapp.letters import documents
from webapp.letters.contents import Performance, ScoreGoal, ScoreGroup, ScoreLine
from webapp.letters.score_layout import MOST_LINES, height, spans
from webapp.moments import TAIPEI

LONGEST = "辦理機關洽公滿意度調查，並就各項服務提出改善措施，" * 20


def line(number: int, remark: str = "依清冊。") -> ScoreLine:
    return ScoreLine(f"第 {number} 項指標", "1", "100%", "100%", "100%", "1", remark)


def goal(lines: int, remark: str = "依清冊。") -> ScoreGoal:
    return ScoreGoal("一、持續推動民眾上網計畫。", "5", tuple(line(n, remark) for n in range(1, lines + 1)))


def group(*goals: ScoreGoal) -> ScoreGroup:
    return ScoreGroup("業務面向", "60", "59.2", goals)


def report(*groups: ScoreGroup) -> Performance:
    printed_at = datetime(2025, 9, 25, 10, 0, tzinfo=TAIPEI)
    return Performance(
        "金門縣政府", "研考科", 114, "已公布", (), groups, (), "100", (), (), "規則。", printed_at
    )


@pytest.mark.parametrize(
    ("lines", "remark"), [(1, "短"), (5, "依清冊。"), (60, "依清冊。"), (7, LONGEST[:500])]
)
def test_a_goal_is_divided_before_it_is_too_tall(lines: int, remark: str) -> None:
    parts = list(spans(group(goal(lines, remark), goal(2))))
    printed = [each.indicator for part in parts for each in part.lines]
    assert printed == [f"第 {n} 項指標" for n in range(1, lines + 1)] + ["第 1 項指標", "第 2 項指標"]
    assert [part.continued for part in parts].count(False) == 2
    for part in parts:
        assert len(part.lines) == 1 or sum(map(height, part.lines)) <= MOST_LINES


def test_goals_taller_than_a_page_are_printed_whole() -> None:
    tall, wordy = goal(60), goal(3, LONGEST[:500])
    pdf = documents.performance(report(group(tall, wordy)))
    said = "".join(pdf_text(pdf).split())
    assert len(PdfReader(io.BytesIO(pdf)).pages) >= 4
    assert all(f"第{n}項指標" in said for n in range(1, 61))
    assert "民眾上網計畫。（續）" in said
    # every row of the long text, and the columns on every page
    assert said.count("辦理機關洽公滿意度調查") == 3 * 20
    pages = ["".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]
    assert all("策略績效目標衡量指標權重" in page for page in pages if "項指標" in page)
