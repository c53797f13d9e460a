"""Stop-work days and extra working days: entered once, and every open time limit counts with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import CalendarOverride, Case, Clock
from webapp.permissions import Actor
from webapp.queries.generations import bump
from webapp.queries.org import SpecialDay, calendar, chart
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


@dataclass(frozen=True)
class Move:
    """One due date that a day would move: of a case, or of a branch of it."""

    number: str
    service_revision_id: int
    unit_id: int
    is_branch: bool
    before: date
    after: date


def preview(special: SpecialDay, now: datetime) -> list[Move]:
    """What `override` would move, in the order of the cases; nothing is written."""
    units, moves = _units(special.scope), []
    for clock, case in db.session.execute(_OPEN):
        unit_id = clocks.unit_of(clock, case)
        if unit_id not in units:
            continue
        after = clocks.due_by(clock, case, calendar(unit_id, imagined=special), now)
        if after != clock.due_on:
            branch = clock.task_id is not None
            moves.append(
                Move(case.number or "", case.service_revision_id, unit_id, branch, clock.due_on, after)
            )
    return sorted(moves, key=lambda move: (move.number, move.is_branch))


def cases_in(moves: Sequence[Move]) -> int:
    return len({move.number for move in moves})


def coming(today: date) -> list[CalendarOverride]:
    """What is in force and not over, the nearest day first."""
    return list(
        db.session.scalars(
            select(CalendarOverride)
            .where(CalendarOverride.revoked_at.is_(None), CalendarOverride.day >= today)
            .order_by(CalendarOverride.day, CalendarOverride.id)
        )
    )


def _units(scope: str) -> frozenset[int]:
    tree = chart()
    if scope in EVERYWHERE:
        return frozenset(tree.units)
    if scope not in tree.by_code:
        raise Refused(Text(zh=f"組織中沒有代碼「{scope}」。", en=f"There is no unit with the code {scope}."))
    return tree.within(tree.by_code[scope].id)


def _open_clocks() -> list[tuple[Clock, Case]]:
    """With their cases held, each before its clocks are read: nobody pauses one meanwhile.

    As every action holds a case: the sweep, which holds clocks and refers to their cases, need not wait.
    """
    of_all = select(Case.id).where(Case.status == "open").order_by(Case.id)
    db.session.execute(of_all.with_for_update(key_share=True)).all()
    rows = db.session.execute(_OPEN.execution_options(populate_existing=True))
    return [(clock, case) for clock, case in rows]


_OPEN = (
    select(Clock, Case)
    .join(Case, Case.id == Clock.case_id)
    .where(Case.status == "open", Clock.state != "stopped")
    .order_by(Clock.id)
)
