"""每月逾期未辦畢清單: the lists of past months as they were made, of the cases that the actor may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from pydantic import TypeAdapter
from sqlalchemy import ScalarSelect, func, select

from rules.values import Text, roc_year
from webapp.extensions import db
from webapp.models import Case, OverdueLine, OverdueList
from webapp.permissions import Actor, visible_to
from webapp.queries.expediting import Overdue

#: how a line is kept: in the words of the day on which the list was made
LINE = TypeAdapter(Overdue)
#: lists that the page names, the newest first
MOST = 24


@dataclass(frozen=True)
class Month:
    first_day: date
    made_at: datetime
    #: lines that the actor may see
    count: int

    @property
    def key(self) -> str:
        return self.first_day.strftime("%Y-%m")

    @property
    def label(self) -> Text:
        return label(self.first_day)


def label(month: date) -> Text:
    return Text(zh=f"{roc_year(month)}年{month.month}月", en=month.strftime("%B %Y"))


def months(actor: Actor) -> list[Month]:
    rows = db.session.execute(
        select(OverdueList.month, OverdueList.made_at, _count(actor))
        .order_by(OverdueList.month.desc())
        .limit(MOST)
    )
    return [Month(*row) for row in rows]


def month(actor: Actor, key: str) -> Month | None:
    """By 2025-11; what is none is none."""
    try:
        first_day = date.fromisoformat(f"{key}-01")
    except ValueError:
        return None
    row = db.session.execute(
        select(OverdueList.month, OverdueList.made_at, _count(actor)).where(OverdueList.month == first_day)
    ).one_or_none()
    return Month(*row) if row is not None else None


def lines(actor: Actor, of: Month) -> list[Overdue]:
    """In the order in which they were written: by unit, the longest overdue first."""
    rows = db.session.scalars(
        select(OverdueLine.content)
        .join(OverdueList, OverdueList.id == OverdueLine.list_id)
        .join(Case, Case.id == OverdueLine.case_id)
        .where(OverdueList.month == of.first_day, visible_to(actor))
        .order_by(OverdueLine.id)
    )
    return [LINE.validate_python(content) for content in rows]


def _count(actor: Actor) -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(OverdueLine)
        .join(Case, Case.id == OverdueLine.case_id)
        .where(OverdueLine.list_id == OverdueList.id, visible_to(actor))
        .correlate(OverdueList)
        .scalar_subquery()
    )
