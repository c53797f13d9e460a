"""Stop-work days and extra working days: entered, corrected or taken back, and every open time limit follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, select

from rules.values import Text
from webapp.errors import Conflict, NotFound, Refused
from webapp.extensions import db
from webapp.models import CalendarOverride, Case, Clock
from webapp.permissions import Actor
from webapp.queries.generations import bump
from webapp.queries.org import SpecialDay, calendar, chart
from webapp.services import clocks

#: scopes that hold for every unit
EVERYWHERE = frozenset({"national", "county"})
LONGEST = 200
MOST_LISTED = 200


def override(
    actor: Actor,
    day: date,
    kind: str,
    reason: str,
    scope: str,
    now: datetime,
    *,
    legal_source: str = "",
) -> int:
    """Enters a day and moves every open due date in its scope. Returns how many cases moved."""
    units = _units(scope)
    _enter(actor, SpecialDay(day, kind, reason, scope), legal_source, now)
    return _recount(actor, units, reason, now)


def revoke(actor: Actor, entry_id: int, why: str, now: datetime) -> int:
    """Takes back a day that was entered by mistake: every due date that it moved is counted anew."""
    entry = _take_back(actor, entry_id, why, now)
    return _recount(actor, _units(entry.scope), why, now)


def correct(
    actor: Actor, entry_id: int, special: SpecialDay, why: str, now: datetime, *, legal_source: str = ""
) -> int:
    """Another day, kind, scope or reason in place of what was entered; every due date moves at most once."""
    entry = _take_back(actor, entry_id, why, now)
    units = _units(entry.scope) | _units(special.scope)
    _enter(actor, special, legal_source, now)
    return _recount(actor, units, why, now)


def _enter(actor: Actor, special: SpecialDay, legal_source: str, now: datetime) -> None:
    db.session.add(
        CalendarOverride(
            day=special.day,
            kind=special.kind,
            reason=special.reason,
            scope=special.scope,
            legal_source=legal_source,
            created_by_id=actor.account_id,
            created_at=now,
        )
    )
    db.session.flush()
    bump("calendar")


def _take_back(actor: Actor, entry_id: int, why: str, now: datetime) -> CalendarOverride:
    entry = db.session.get(CalendarOverride, entry_id, with_for_update=True, populate_existing=True)
    if entry is None:
        raise NotFound()
    if entry.revoked_at is not None:
        who = chart().names.get(entry.revoked_by_id or 0, "")
        raise Conflict(
            Text(
                zh=f"這一天已經由{who or '系統'}撤銷，這次沒有更改。",
                en=f"{who or 'The system'} has taken this day back already; nothing was changed.",
            )
        )
    why = why.strip()
    if not 0 < len(why) <= LONGEST:
        raise Refused(
            Text(zh=f"請寫明原因，最多 {LONGEST} 字。", en=f"Say why, in at most {LONGEST} characters.")
        )
    entry.revoked_at, entry.revoked_by_id, entry.revoke_reason = now, actor.account_id, why
    db.session.flush()
    bump("calendar")
    return entry


def _recount(actor: Actor, units: frozenset[int], reason: str, now: datetime) -> int:
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


def preview(
    special: SpecialDay | None, now: datetime, *, instead_of: CalendarOverride | None = None
) -> list[Move]:
    """What entering a day would move, or taking one back, or both; in the order of the cases. Nothing is written."""
    units = _units(special.scope) if special else frozenset()
    units |= _units(instead_of.scope) if instead_of else frozenset()
    without, moves = instead_of.id if instead_of else None, []
    for clock, case in db.session.execute(_OPEN):
        unit_id = clocks.unit_of(clock, case)
        if unit_id not in units:
            continue
        after = clocks.due_by(clock, case, calendar(unit_id, imagined=special, without=without), now)
        if after != clock.due_on:
            branch = clock.task_id is not None
            moves.append(
                Move(case.number or "", case.service_revision_id, unit_id, branch, clock.due_on, after)
            )
    return sorted(moves, key=lambda move: (move.number, move.is_branch))


def cases_in(moves: Sequence[Move]) -> int:
    return len({move.number for move in moves})


def in_force() -> list[CalendarOverride]:
    """Every day that counts, the latest first: one that is over may have been entered by mistake too."""
    return _listed(CalendarOverride.revoked_at.is_(None))


def taken_back() -> list[CalendarOverride]:
    return _listed(CalendarOverride.revoked_at.is_not(None))


def _listed(which: ColumnElement[bool]) -> list[CalendarOverride]:
    rows = select(CalendarOverride).where(which)
    return list(
        db.session.scalars(
            rows.order_by(CalendarOverride.day.desc(), CalendarOverride.id.desc()).limit(MOST_LISTED)
        )
    )


def entry(entry_id: int) -> CalendarOverride:
    found = db.session.get(CalendarOverride, entry_id)
    if found is None:
        raise NotFound()
    return found


def entered(day: date, scope: str) -> CalendarOverride:
    """What counts for a day in a scope: of several the last."""
    rows = select(CalendarOverride).where(
        CalendarOverride.revoked_at.is_(None), CalendarOverride.day == day, CalendarOverride.scope == scope
    )
    found = db.session.scalars(rows.order_by(CalendarOverride.id.desc()).limit(1)).first()
    if found is None:
        raise Refused(
            Text(
                zh=f"{day}（{scope}）沒有登錄停班或補班。",
                en=f"Nothing is entered for {day} in the scope {scope}.",
            )
        )
    return found


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
