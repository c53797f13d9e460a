"""Meetings as pages and papers show them: counted by kind and period, with agenda and resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, case, func, or_, select

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import (
    Case,
    MeetingItem,
    Plan,
    Register,
    RegisterEntry,
    Resolution,
    ResolutionUnit,
    ReviewMeeting,
    Verification,
)
from webapp.models.meetings import MEETING_KINDS, REVIEW_KINDS
from webapp.periods import Period
from webapp.permissions import Actor, visible_to
from webapp.rows import among

PAGE = 50


@dataclass(frozen=True)
class Tally:
    """決議 of some meetings: how many there are, and how many are released."""

    all: int = 0
    released: int = 0
    continued: int = 0
    overdue: int = 0
    #: not among all
    withdrawn: int = 0

    @property
    def executing(self) -> int:
        return self.all - self.released - self.continued


@dataclass(frozen=True)
class Counted:
    """How often a kind of meeting was held: in a period, in its year so far, and ever until its end."""

    kind: str
    period: int
    year: int
    ever: int


@dataclass(frozen=True)
class Resolved:
    resolution: Resolution
    units: tuple[int, ...]


def find(pid: str) -> ReviewMeeting:
    found = db.session.scalars(select(ReviewMeeting).where(ReviewMeeting.public_id == pid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def register_of(meeting: ReviewMeeting) -> Register | None:
    return db.session.get(Register, meeting.register_id) if meeting.register_id is not None else None


def page(
    register_id: int | None, kind: str, number: int, today: date
) -> tuple[list[tuple[ReviewMeeting, Tally]], int]:
    """The newest first, of a register or, when none is said, of all; and how many there are."""
    conditions = [ReviewMeeting.register_id == register_id] if register_id is not None else []
    conditions += [ReviewMeeting.kind == kind] if kind else []
    count = db.session.execute(
        select(func.count()).select_from(ReviewMeeting).where(*conditions)
    ).scalar_one()
    found = db.session.scalars(
        select(ReviewMeeting)
        .where(*conditions)
        .order_by(ReviewMeeting.held_on.desc(), ReviewMeeting.id.desc())
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    ).all()
    tallies = _tallies([meeting.id for meeting in found], today)
    return [(meeting, tallies.get(meeting.id, Tally())) for meeting in found], count


def counted(register_id: int | None, period: Period, until: date = date.max) -> list[Counted]:
    """By kind, those held at least once, by a day; on-site verifications of a register count as visits of their own."""
    held = ReviewMeeting.held_on
    rows = db.session.execute(
        select(
            ReviewMeeting.kind,
            func.count(case((held.between(period.first_month, period.last_day), 1))),
            func.count(case((held >= date(period.last_month.year, 1, 1), 1))),
            func.count(),
        )
        .where(
            held <= min(period.last_day, until),
            *([ReviewMeeting.register_id == register_id] if register_id is not None else []),
        )
        .group_by(ReviewMeeting.kind)
    )
    found = [Counted(*row) for row in rows]
    found.sort(key=lambda row: MEETING_KINDS.index(row.kind))
    visits = db.session.execute(
        select(
            func.count(case((Verification.seen_on.between(period.first_month, period.last_day), 1))),
            func.count(case((Verification.seen_on >= date(period.last_month.year, 1, 1), 1))),
            func.count(),
        )
        .join(RegisterEntry, RegisterEntry.id == Verification.entry_id)
        .where(
            Verification.seen_on <= period.last_day,
            Verification.state != "withdrawn",
            *([RegisterEntry.register_id == register_id] if register_id is not None else []),
        )
    ).one()
    return [*found, *([Counted("on_site", *visits)] if visits[2] else [])]


def tally(register_id: int | None, kind: str, today: date) -> Tally:
    """Of all meetings of a register and kind."""
    conditions = [ReviewMeeting.register_id == register_id] if register_id is not None else []
    conditions += [ReviewMeeting.kind == kind] if kind else []
    return Tally(*_counts(conditions, None, today)[0][1:])


def _tallies(meetings: Sequence[int], today: date) -> dict[int, Tally]:
    rows = _counts([among(Resolution.meeting_id, meetings)], Resolution.meeting_id, today)
    return {row[0]: Tally(*row[1:]) for row in rows}


def _counts(conditions: Sequence[Any], by: Any, today: date) -> Sequence[Any]:
    """Overdue is what the case is: its ladder and its clock know no other day."""
    late = and_(Case.status == "open", Case.due_on < today)
    statement = (
        select(
            by if by is not None else func.min(Resolution.id),
            func.count(case((Resolution.state != "withdrawn", 1))),
            func.count(case((Resolution.state == "released", 1))),
            func.count(case((Resolution.state == "continued", 1))),
            func.count(case((late, 1))),
            func.count(case((Resolution.state == "withdrawn", 1))),
        )
        .join(ReviewMeeting, ReviewMeeting.id == Resolution.meeting_id)
        .join(Case, Case.id == Resolution.case_id)
        .where(*conditions)
    )
    return db.session.execute(statement.group_by(by) if by is not None else statement).all()


def tally_of(meeting: ReviewMeeting, today: date) -> Tally:
    return _tallies([meeting.id], today).get(meeting.id, Tally())


def items(meeting_id: int) -> list[tuple[MeetingItem, str | None]]:
    """The agenda; with the public id of the plan where a plan stands on it."""
    rows = db.session.execute(
        select(MeetingItem, Plan.public_id)
        .outerjoin(Verification, Verification.id == MeetingItem.verification_id)
        .outerjoin(RegisterEntry, RegisterEntry.id == Verification.entry_id)
        .outerjoin(Plan, Plan.id == RegisterEntry.plan_id)
        .where(MeetingItem.meeting_id == meeting_id)
        .order_by(MeetingItem.position)
    )
    return [(item, pid) for item, pid in rows]


def resolutions(meeting_id: int, number: int | None = None) -> list[Resolved]:
    """A page of them, or all."""
    statement = select(Resolution).where(Resolution.meeting_id == meeting_id).order_by(Resolution.number)
    if number is not None:
        statement = statement.limit(PAGE).offset((number - 1) * PAGE)
    found = db.session.scalars(statement).all()
    more: dict[int, list[int]] = {}
    for resolution_id, unit_id in db.session.execute(
        select(ResolutionUnit.resolution_id, ResolutionUnit.unit_id)
        .where(among(ResolutionUnit.resolution_id, [row.id for row in found]))
        .order_by(ResolutionUnit.resolution_id, ResolutionUnit.unit_id)
    ):
        more.setdefault(resolution_id, []).append(unit_id)
    return [Resolved(row, (row.unit_id, *more.get(row.id, ()))) for row in found]


def cases(actor: Actor, found: Sequence[Resolved]) -> dict[int, Case]:
    """The cases that the actor may open, by resolution."""
    ids = {row.resolution.case_id: row.resolution.id for row in found}
    rows = db.session.scalars(select(Case).where(among(Case.id, list(ids)), visible_to(actor)))
    return {ids[case_.id]: case_ for case_ in rows}


def last_before(register_id: int, day: date) -> ReviewMeeting | None:
    """The last review of a register until a day, at which something was resolved."""
    resolved = select(Resolution.meeting_id)
    return db.session.scalars(
        select(ReviewMeeting)
        .where(
            ReviewMeeting.register_id == register_id,
            ReviewMeeting.held_on <= day,
            ReviewMeeting.id.in_(resolved),
        )
        .order_by(ReviewMeeting.held_on.desc(), ReviewMeeting.id.desc())
        .limit(1)
    ).first()


def coming(register_id: int, day: date) -> ReviewMeeting | None:
    """The next meeting of the heads, or review of the register, that is planned, from a day on."""
    of_register = ReviewMeeting.register_id == register_id
    return db.session.scalars(
        select(ReviewMeeting)
        .where(
            or_(
                and_(of_register, ReviewMeeting.kind.in_(REVIEW_KINDS)),
                and_(or_(of_register, ReviewMeeting.register_id.is_(None)), ReviewMeeting.kind == "heads"),
            ),
            ReviewMeeting.held_on >= day,
            ReviewMeeting.minutes == "",
        )
        .order_by(ReviewMeeting.held_on, ReviewMeeting.id)
        .limit(1)
    ).first()
