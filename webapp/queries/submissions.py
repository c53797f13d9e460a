"""The newest answers of a case: of its application, or of the form of a task."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Submission

APPLICATION = "application"


def application(case_id: int) -> Submission:
    """Every case has one from its first moment."""
    found = newest(case_id, APPLICATION)
    if found is None:
        raise LookupError(f"case {case_id} has no application")
    return found


def applications(case_ids: Collection[int]) -> dict[int, Submission]:
    """The newest application of each case, in one statement."""
    rows = db.session.scalars(
        select(Submission)
        .where(Submission.case_id.in_(case_ids), Submission.kind == APPLICATION)
        .order_by(Submission.number)
    )
    return {row.case_id: row for row in rows}


def newest(case_id: int, kind: str) -> Submission | None:
    return db.session.scalars(
        select(Submission)
        .where(Submission.case_id == case_id, Submission.kind == kind)
        .order_by(Submission.number.desc())
        .limit(1)
    ).first()
