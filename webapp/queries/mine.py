"""What an applicant has under way: drafts and cases, of an account or of this browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, false, or_, select

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, CorrectionRequest, Draft, Handover
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import bookings, definitions, handovers
from workflows.service import ServiceDefinition

PAGE = 30
MOST_DRAFTS = 50


@dataclass(frozen=True)
class MyCase:
    case: Case
    service: ServiceDefinition
    #: where it stands
    told: Text
    #: the day by which a correction is expected, where one is open
    correct_by: date | None


def drafts(actor: Actor, now: datetime) -> Sequence[Draft]:
    """The drafts that the actor can go on with, the newest first."""
    return db.session.scalars(
        select(Draft)
        .where(_owned(actor), Draft.expires_on >= taipei_day(now))
        .order_by(Draft.updated_at.desc())
        .limit(MOST_DRAFTS)
    ).all()


def helped(actor: Actor, now: datetime) -> Sequence[Draft]:
    """The drafts of others that were handed to the actor, the newest first."""
    return db.session.scalars(
        select(Draft)
        .where(_handed_to(actor), Draft.expires_on >= taipei_day(now))
        .order_by(Draft.updated_at.desc())
        .limit(MOST_DRAFTS)
    ).all()


def writes_draft(actor: Actor, draft_key: str, now: datetime) -> bool:
    """Whether the actor writes this draft, as the owner or as whoever helps."""
    writes = or_(_owned(actor), _handed_to(actor))
    wanted = (Draft.public_id == draft_key, writes, Draft.expires_on >= taipei_day(now))
    return db.session.scalars(select(Draft.id).where(*wanted)).first() is not None


def cases(actor: Actor, before: int | None = None) -> tuple[list[MyCase], int | None]:
    """A page of the actor's cases, the newest first, and the cursor of the next page."""
    query = select(Case).where(_own(actor)).order_by(Case.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Case.id < before)
    found = db.session.scalars(query).all()
    shown = found[:PAGE]
    due = dict(
        db.session.execute(
            select(CorrectionRequest.case_id, CorrectionRequest.due_on).where(
                CorrectionRequest.case_id.in_([case.id for case in shown]),
                CorrectionRequest.closed_at.is_(None),
            )
        ).all()
    )
    booked = bookings.states([case.id for case in shown])
    page = []
    for case in shown:
        service = definitions.service(case.service_revision_id)
        known = {"service.answer": service.answer, "case.booking": booked.get(case.id)}
        state = definitions.workflow_of(case).state(case.state)
        page.append(MyCase(case, service, state.told(known), due.get(case.id)))
    return page, shown[-1].id if len(found) > PAGE else None


def belongs_to_an_account(draft_key: str) -> bool:
    """Whether a draft waits for its owner to sign in, or for whoever helps."""
    helps = and_(Handover.draft_key == Draft.public_id, Handover.ended_at.is_(None))
    waits = or_(Draft.account_id.is_not(None), Handover.helper_id.is_not(None))
    query = select(Draft.id).outerjoin(Handover, helps).where(Draft.public_id == draft_key, waits)
    return db.session.scalars(query).first() is not None


def _owned(actor: Actor) -> ColumnElement[bool]:
    if actor.account_id is not None:
        return Draft.account_id == actor.account_id
    return Draft.device_hash == actor.device_hash if actor.device_hash is not None else false()


def _handed_to(actor: Actor) -> ColumnElement[bool]:
    handed = select(Handover.draft_key).where(handovers.helped_by(actor), Handover.ended_at.is_(None))
    return Draft.public_id.in_(handed)


def _own(actor: Actor) -> ColumnElement[bool]:
    return Case.account_id == actor.account_id if actor.is_staff else visible_to(actor)
