"""What must not stay unseen: told to the plan-control office and the administrators, once a day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account
from webapp.moments import taipei_day
from webapp.queries.org import UnitInfo, chart
from webapp.services import notices
from workflows.functions import FUNCTION_LABELS

WATCHING = frozenset({"research_office", "administrator"})


def vacant(unit: UnitInfo, function: str, now: datetime) -> None:
    """A task was opened for a function that nobody holds: it waits in the pool of the unit."""
    today = taipei_day(now)
    watchers = {
        seat.account_id for seat in chart().seats if seat.function in WATCHING and seat.held_on(today)
    }
    label = FUNCTION_LABELS[function]
    for account in db.session.scalars(select(Account).where(Account.id.in_(watchers))):
        notices.post(
            f"vacant:{unit.code}:{function}:{today}:{account.id}",
            "inbox",
            account.email or account.name,
            f"{unit.zh}沒有人擔任{label.zh}",
            f"{unit.zh}目前沒有人擔任「{label.zh}」，新的待辦留在單位待分派，請儘快指派人員。",
            now,
            account_id=account.id,
        )
