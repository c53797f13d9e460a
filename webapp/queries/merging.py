"""併案: the cases that are dealt with in another one."""

from __future__ import annotations

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case


def merged_into(case_id: int) -> list[Case]:
    """Also those that came with a case that was merged itself, in the order of their filing."""
    found: list[Case] = []
    leading = [case_id]
    while leading:
        wanted = select(Case).where(Case.merged_into_id.in_(leading)).order_by(Case.id)
        more = list(db.session.scalars(wanted))
        found, leading = found + more, [case.id for case in more]
    return sorted(found, key=lambda case: case.id)
