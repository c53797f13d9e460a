"""Stop-work days and extra working days: entered once, and every open time limit counts with them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import CalendarOverride, Case, Clock
from webapp.permissions import Actor
from webapp.queries.generations import bump
from webapp.queries.org import chart
from webapp.services import clocks

#: scopes that hold for every unit
EVERYWHERE = frozenset({"national", "county"})


def override(
    actor: Actor,
    day: date,
    kind: Literal["off", "work"],
    reason: str,
    scope: str,
    now: datetime,
    *,
    legal_source: str = "",
) -> int:
    """Enters a day and moves every open due date in its scope. Returns how many cases moved."""
    units = _units(scope)
    db.session.add(
        CalendarOverride(
            day=day,
            kind=kind,
            reason=reason,
            scope=scope,
            legal_source=legal_source,
            created_by_id=actor.account_id,
            created_at=now,
        )
    )
    db.session.flush()
    bump("calendar")
    moved = set()
    for clock, case in _open_clocks():
        if clocks.unit_of(clock, case) in units and clocks.recompute(actor, clock, case, now, reason):
            moved.add(case.id)
    db.session.flush()
    return len(moved)


def _units(scope: str) -> frozenset[int]:
    tree = chart()
    if scope in EVERYWHERE:
        return frozenset(tree.units)
    if scope not in tree.by_code:
        raise Refused(Text(zh=f"組織中沒有代碼「{scope}」。", en=f"There is no unit with the code {scope}."))
    return tree.within(tree.by_code[scope].id)


def _open_clocks() -> list[tuple[Clock, Case]]:
    """With their cases held, each before its clocks are read: nobody pauses one meanwhile."""
    db.session.execute(select(Case.id).where(Case.status == "open").order_by(Case.id).with_for_update()).all()
    rows = db.session.execute(
        select(Clock, Case)
        .join(Case, Case.id == Clock.case_id)
        .where(Case.status == "open", Clock.state != "stopped")
        .order_by(Clock.id)
        .execution_options(populate_existing=True)
    )
    return [(clock, case) for clock, case in rows]
