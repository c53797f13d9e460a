"""What a case of plan control belongs to: a verification, or the meeting that resolved it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, Resolution, ReviewMeeting, Verification
from webapp.queries import verifications
from webapp.queries.verifications import Told


@dataclass(frozen=True)
class About:
    verification: Told | None = None
    meeting: ReviewMeeting | None = None


def of_case(case: Case) -> About | None:
    if case.channel != "internal":
        return None
    pid = db.session.scalars(
        select(Verification.public_id).where(Verification.case_id == case.id)
    ).one_or_none()
    if pid is not None:
        return About(verification=verifications.find(pid))
    meeting = db.session.scalars(
        select(ReviewMeeting)
        .join(Resolution, Resolution.meeting_id == ReviewMeeting.id)
        .where(Resolution.case_id == case.id)
    ).one_or_none()
    return About(meeting=meeting) if meeting is not None else None
