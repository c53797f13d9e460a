"""The newest answers of a case: of its application, or of the form of a task."""

from __future__ import annotations

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


def newest(case_id: int, kind: str) -> Submission | None:
    return db.session.scalars(
        select(Submission)
        .where(Submission.case_id == case_id, Submission.kind == kind)
        .order_by(Submission.number.desc())
        .limit(1)
    ).first()
