"""撤銷: the control office takes back a verification picked, or a resolution entered, in error; neither counts then.

A verification also ends so with its plan, once that is given up.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, Misfit
from webapp.extensions import db
from webapp.models import AuditEntry, Case, RegisterEntry, Resolution, ReviewMeeting, Verification
from webapp.permissions import Actor
from webapp.queries import verifications as queries
from webapp.services import cases, meetings, steps, verifications
from webapp.services.plan_control import require


def of_verification(actor: Actor, verification: Verification, reason: str, now: datetime) -> None:
    require(actor)
    if not _withdrawn(actor, verification, verifications.reason_of(reason, "reason"), now):
        raise _over()


def of_entry(actor: Actor, entry: RegisterEntry, reason: str, now: datetime) -> None:
    """All that is open of an entry that leaves its register; what ends at this moment by itself has ended."""
    for verification in queries.left_of(entry.id):
        _withdrawn(actor, verification, reason, now)


def _withdrawn(actor: Actor, verification: Verification, reason: str, now: datetime) -> bool:
    """Unless it is over."""
    _hold_case(verification.case_id)
    db.session.refresh(verification, with_for_update=True)
    if verification.state != "open":
        return False
    verification.state = "withdrawn"
    _end(actor, verification.case_id, reason, now)
    _note(actor, "verification_withdrawn", f"verification {verification.public_id}", reason, now)
    return True


def of_resolution(
    actor: Actor, meeting: ReviewMeeting, number: str, reason: str, now: datetime
) -> Resolution:
    """By its number at the meeting."""
    require(actor)
    of_meeting = select(Resolution).where(Resolution.meeting_id == meeting.id)
    typed = unicodedata.normalize("NFKC", number).strip()
    found = next((r for r in db.session.scalars(of_meeting) if str(r.number) == typed), None)
    if found is None:
        raise Misfit("number", Text(zh="這場會議沒有這一項決議。", en="This meeting has no such resolution."))
    reason = verifications.reason_of(reason, "reason")
    _hold_case(found.case_id)
    db.session.refresh(found, with_for_update=True)
    if found.state in ("released", "withdrawn"):
        raise _over()
    found.state = "withdrawn"
    _end(actor, found.case_id, reason, now)
    _note(actor, "resolution_withdrawn", f"{meetings.subject_of(meeting)} {found.number}", reason, now)
    return found


def _hold_case(case_id: int | None) -> None:
    """Whoever acts on the case holds it first, too."""
    if case_id is not None:
        db.session.get_one(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)


def _over() -> Conflict:
    return Conflict(
        Text(
            zh="這一項剛剛已經結束或撤銷，請重新查看。",
            en="This has just ended or was withdrawn: look again.",
        )
    )


def _end(actor: Actor, case_id: int | None, reason: str, now: datetime) -> None:
    if case_id is not None:
        case = db.session.get_one(Case, case_id)
        cases.take_as_system(case, "withdraw", now, steps.Given(comment=reason), by=actor)


def _note(actor: Actor, action: str, subject: str, detail: str, now: datetime) -> None:
    db.session.add(
        AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject, detail=detail)
    )
    db.session.flush()
