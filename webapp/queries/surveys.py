"""滿意度調查: the answers of the units whose cases the actor may see, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webapp.extensions import db
from webapp.models import Case, Survey
from webapp.permissions import Actor, visible_to
from webapp.queries.org import UnitInfo, chart

#: the newest comments that the page shows
MOST = 50


@dataclass(frozen=True)
class Result:
    unit: UnitInfo
    asked: int
    answered: int
    #: by grade
    grades: Counter[int]


@dataclass(frozen=True)
class Comment:
    unit: UnitInfo
    grade: int
    text: str
    at: datetime


def results(actor: Actor) -> list[Result]:
    counted: dict[int, Counter[int]] = defaultdict(Counter)
    rows = db.session.execute(
        select(Case.handling_unit_id, func.coalesce(Survey.grade, 0), func.count())
        .join(Case, Case.id == Survey.case_id)
        .where(visible_to(actor))
        .group_by(Case.handling_unit_id, Survey.grade)
    )
    for unit_id, grade, count in rows:
        counted[unit_id][grade] += count
    return [
        Result(unit, grades.total(), grades.total() - grades[0], grades)
        for unit in chart().units.values()
        if (grades := counted[unit.id])
    ]


def comments(actor: Actor) -> list[Comment]:
    """Without the case: what somebody thinks of us is nothing to hold against them."""
    rows = db.session.execute(
        select(Case.handling_unit_id, Survey.grade, Survey.comment, Survey.answered_at)
        .join(Case, Case.id == Survey.case_id)
        .where(visible_to(actor), Survey.comment.is_not(None))
        .order_by(Survey.answered_at.desc(), Survey.id.desc())
        .limit(MOST)
    )
    return [Comment(chart().units[unit_id], *rest) for unit_id, *rest in rows]
