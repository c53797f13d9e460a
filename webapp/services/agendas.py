"""What a workflow does with a committee: it puts a case on the agenda, where it waits for a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import AgendaItem, Case, Committee
from webapp.queries.org import chart


def put_on(case: Case, now: datetime) -> AgendaItem:
    """The committee of the nearest unit that takes cases of this service. An item of an earlier visit is void."""
    committee = _committee_of(case)
    for older in db.session.scalars(
        select(AgendaItem).where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None))
    ):
        older.closed_at = now
    db.session.flush()
    item = AgendaItem(committee_id=committee.id, case_id=case.id, visit=case.visit, created_at=now)
    db.session.add(item)
    db.session.flush()
    return item


def _committee_of(case: Case) -> Committee:
    takes = (
        select(Committee)
        .where(Committee.service_codes.contains([case.service_code]), Committee.closed_at.is_(None))
        .order_by(Committee.id)
    )
    found = db.session.scalars(takes).all()
    near = [
        unit.id for start in (case.handling_unit_id, case.owner_unit_id) for unit in chart().upwards(start)
    ]
    nearest = sorted(
        (c for c in found if c.unit_id in near), key=lambda committee: near.index(committee.unit_id)
    )
    if not nearest:
        raise Refused(
            Text(
                zh="沒有委員會審議這個申辦項目，請先設定委員會。",
                en="No committee takes cases of this service; set one up first.",
            )
        )
    return nearest[0]
