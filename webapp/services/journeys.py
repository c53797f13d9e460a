"""出國報告 as its case brings it: kept when the unit hands it in, published by the plan-control office.

Within three months of the return (period of the service KM07): 本縣業務報告, 提報→審核→公布.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Document, Journey
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import submissions

FORM = "travel_report"


def keep(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """What the unit hands in; nobody reports on a journey that is not over."""
    journey = of_case(case)
    if taipei_day(now) < journey.returned_on:
        raise Refused(
            Text(
                zh=f"返國日是 {journey.returned_on.isoformat()}，返國後才能提出報告。",
                en=f"The journey ends on {journey.returned_on.isoformat()}: report after that.",
            )
        )
    sent = submissions.newest(case.id, FORM)
    assert sent is not None, "the transition requires the form"
    answers = sent.all_answers
    (key,) = answers["report"]
    journey.title, journey.summary = answers["title"], answers["summary"]
    journey.document_id = db.session.scalars(select(Document.id).where(Document.public_id == key)).one()
    journey.state = "reported"
    db.session.flush()


def publish(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    journey = of_case(case)
    journey.state, journey.published_at = "published", now
    db.session.flush()


def cancel(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """It did not take place, or was registered by mistake."""
    of_case(case).state = "cancelled"
    db.session.flush()


def reopen(actor: Actor, case: Case, now: datetime, on_date: date | None) -> None:
    """Its report is awaited again; what was handed in stays to be mended."""
    of_case(case).state = "awaited"
    db.session.flush()


#: effects of workflows that this room carries out
EFFECTS: Mapping[str, Callable[[Actor, Case, datetime, date | None], None]] = {
    "keep_travel_report": keep,
    "publish_travel_report": publish,
    "cancel_journey": cancel,
    "reopen_travel_report": reopen,
}


def of_case(case: Case) -> Journey:
    return db.session.scalars(select(Journey).where(Journey.case_id == case.id).with_for_update()).one()
