"""Verifications as pages and papers show them: of an entry, of a register and period, with their findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true
from sqlalchemy.orm import aliased

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import (
    Case,
    MeetingItem,
    Plan,
    ProgressReport,
    Register,
    RegisterEntry,
    ReviewMeeting,
    Verification,
    VerificationFinding,
)
from webapp.models.meetings import REVIEW_KINDS
from webapp.models.verifications import VERIFICATION_KINDS
from webapp.moments import TAIPEI
from webapp.periods import Period
from webapp.permissions import Actor, visible_to
from webapp.queries import plan_facts
from webapp.queries.plan_control import CARRIED
from webapp.rows import among

PAGE = 50
KINDS = VERIFICATION_KINDS


@dataclass(frozen=True)
class Told:
    """A verification with what it is about."""

    verification: Verification
    entry: RegisterEntry
    plan: Plan
    register: Register
    findings: Sequence[VerificationFinding]
    meeting: ReviewMeeting | None = None

    @property
    def title(self) -> str:
        return self.entry.title or self.plan.title

    @property
    def open_findings(self) -> list[VerificationFinding]:
        return [finding for finding in self.findings if finding.accepted_at is None]

    @property
    def difference(self) -> Decimal | None:
        """Seen less reported, in percentage points."""
        seen, reported = self.verification.seen, self.verification.reported
        return seen - reported if seen is not None and reported is not None else None


def find(pid: str) -> Told:
    found = _told(Verification.public_id == pid)
    if not found:
        raise NotFound()
    return found[0]


def of_plan(plan_id: int) -> list[Told]:
    """The newest first."""
    return _told(Plan.id == plan_id)


def of_period(register_id: int, period: Period) -> list[Told]:
    """What was opened or passed over for the months of a period."""
    return _told(and_(RegisterEntry.register_id == register_id, Verification.period.in_(keys_within(period))))


def left_open(register_id: int, until: date) -> list[Told]:
    """Verifications that began by a day, with improvements that nobody has accepted yet."""
    unaccepted = select(VerificationFinding.verification_id).where(VerificationFinding.accepted_at.is_(None))
    return _told(
        and_(
            RegisterEntry.register_id == register_id,
            Verification.state != "withdrawn",
            Verification.id.in_(unaccepted),
            Verification.at < datetime.combine(until + timedelta(days=1), time(), TAIPEI),
        )
    )


def left_of(entry_id: int) -> Sequence[Verification]:
    """What is open of an entry, and of those that it was carried over from; none closes before all is accepted."""
    entries = [entry_id, *plan_facts.forerunners([entry_id]).get(entry_id, ())]
    return db.session.scalars(
        select(Verification)
        .where(Verification.entry_id.in_(entries), Verification.state == "open")
        .order_by(Verification.id)
    ).all()


def keys_within(period: Period) -> list[str]:
    """The period itself and what lies within it: picks are made for a month, a quarter, half a year or a year."""
    year, first, last = period.last_month.year - 1911, period.first_month.month, period.last_month.month
    months = {f"{year}M{month:02}" for month in range(first, last + 1)}
    quarters = {f"{year}Q{n}" for n in range(1, 5) if first <= 3 * n - 2 and 3 * n <= last}
    halves = {f"{year}H{n}" for n in (1, 2) if first <= 6 * n - 5 and 6 * n <= last}
    return sorted(months | quarters | halves | {period.key})


def counted(register_id: int, period: Period) -> Counter[str]:
    """Verifications of a register in a period by kind, and those passed over."""
    rows = db.session.execute(
        select(Verification.kind, Verification.state, func.count())
        .join(RegisterEntry, RegisterEntry.id == Verification.entry_id)
        .where(
            RegisterEntry.register_id == register_id,
            Verification.period.in_(keys_within(period)),
            Verification.state != "withdrawn",
        )
        .group_by(Verification.kind, Verification.state)
    )
    found: Counter[str] = Counter()
    for kind, state, count in rows:
        found[state if state == "passed_over" else kind] += count
    return found


def concerns(entries: Sequence[int]) -> frozenset[int]:
    """Entries that the control office has called of public concern."""
    return frozenset(
        db.session.scalars(
            select(Verification.entry_id).where(
                among(Verification.entry_id, entries),
                Verification.public_concern,
                Verification.state != "withdrawn",
            )
        )
    )


def by_entry(entries: Sequence[int], last_month: date) -> dict[int, Verification]:
    """What was decided about each entry for the periods that end in a month: opened, else passed over."""
    rows = db.session.scalars(
        select(Verification)
        .where(
            among(Verification.entry_id, entries),
            Verification.last_month == last_month,
            Verification.state != "withdrawn",
        )
        .order_by(Verification.state != "passed_over", Verification.id)
    )
    return {row.entry_id: row for row in rows}


def reports(register_id: int, month: date) -> Sequence[ProgressReport]:
    """What was reported for the month, of plans that are under control."""
    return db.session.scalars(
        select(ProgressReport)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(
            ProgressReport.register_id == register_id,
            ProgressReport.month == month,
            RegisterEntry.released_on.is_(None),
        )
        .order_by(ProgressReport.entry_id)
    ).all()


def entries(ids: Sequence[int]) -> dict[int, RegisterEntry]:
    return {
        row.id: row for row in db.session.scalars(select(RegisterEntry).where(among(RegisterEntry.id, ids)))
    }


def entry_of(register_id: int, code: str) -> RegisterEntry | None:
    """The entry under control of the plan with this number."""
    return db.session.scalars(
        select(RegisterEntry)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(
            RegisterEntry.register_id == register_id, Plan.code == code, RegisterEntry.released_on.is_(None)
        )
    ).one_or_none()


def waiting_for_heads(meeting: ReviewMeeting) -> list[Told]:
    """提主管會報: picked for the heads, on no agenda yet, and of those that this meeting takes."""
    if meeting.kind == "heads" and meeting.register_id is None:
        takes: ColumnElement[bool] = true()
    elif meeting.kind == "heads" or meeting.kind in REVIEW_KINDS:
        takes = _of_register(db.session.get_one(Register, meeting.register_id))
    else:
        return []
    on_agenda = select(MeetingItem.verification_id).where(MeetingItem.verification_id.is_not(None))
    return _told(and_(takes, *_BEFORE_HEADS, Verification.id.not_in(on_agenda)))


def before_heads(of: Register) -> list[Told]:
    """What the heads have not discussed yet, of any period, the oldest first."""
    return _told(and_(_of_register(of), *_BEFORE_HEADS))[::-1]


_BEFORE_HEADS = (Verification.kind == "heads_meeting", Verification.state == "open")


def _of_register(of: Register) -> ColumnElement[bool]:
    """Of its entries, and of those that were carried over into it from the registers of its kind before it."""
    goes_on = aliased(RegisterEntry)
    here = select(goes_on.plan_id).where(goes_on.register_id == of.id, goes_on.carried_over_from.is_not(None))
    before = and_(
        RegisterEntry.released_as == CARRIED,
        Register.kind == of.kind,
        Register.roc_year < of.roc_year,
        RegisterEntry.plan_id.in_(here),
    )
    return or_(RegisterEntry.register_id == of.id, before)


def readable_cases(actor: Actor, told: Sequence[Told]) -> dict[int, Case]:
    """The cases that the actor may open, by verification."""
    ids = [each.verification.case_id for each in told if each.verification.case_id is not None]
    cases = db.session.scalars(select(Case).where(among(Case.id, ids) if ids else false(), visible_to(actor)))
    by_id = {case.id: case for case in cases}
    return {
        each.verification.id: by_id[each.verification.case_id]
        for each in told
        if each.verification.case_id in by_id
    }


def _told(condition: Any) -> list[Told]:
    rows = db.session.execute(
        select(Verification, RegisterEntry, Plan, Register, ReviewMeeting)
        .join(RegisterEntry, RegisterEntry.id == Verification.entry_id)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .join(Register, Register.id == RegisterEntry.register_id)
        .outerjoin(MeetingItem, MeetingItem.verification_id == Verification.id)
        .outerjoin(ReviewMeeting, ReviewMeeting.id == MeetingItem.meeting_id)
        .where(condition)
        .order_by(Verification.id.desc())
    ).all()
    findings: dict[int, list[VerificationFinding]] = {}
    for finding in db.session.scalars(
        select(VerificationFinding)
        .where(among(VerificationFinding.verification_id, [row[0].id for row in rows]))
        .order_by(VerificationFinding.verification_id, VerificationFinding.number)
    ):
        findings.setdefault(finding.verification_id, []).append(finding)
    return [
        Told(verification, entry, plan, register, findings.get(verification.id, []), meeting)
        for verification, entry, plan, register, meeting in rows
    ]
