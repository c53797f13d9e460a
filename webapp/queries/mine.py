"""What an applicant has under way: drafts and cases, of an account or of this browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, select

from forms.model import FormDefinition
from webapp.extensions import db
from webapp.models import Case, CorrectionRequest, Document, Draft, Submission
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import definitions
from workflows.model import State
from workflows.service import ServiceDefinition

PAGE = 30
MOST_DRAFTS = 50
MOST_EARLIER = 10


@dataclass(frozen=True)
class MyCase:
    case: Case
    service: ServiceDefinition
    state: State
    #: the day by which a correction is expected, where one is open
    correct_by: date | None


@dataclass(frozen=True)
class Earlier:
    """A file that the applicant sent with an earlier application."""

    document: Document
    number: str


def drafts(actor: Actor, now: datetime) -> Sequence[Draft]:
    """The drafts that the actor can go on with, the newest first."""
    return db.session.scalars(
        select(Draft)
        .where(_owned(actor), Draft.expires_on >= taipei_day(now))
        .order_by(Draft.updated_at.desc())
        .limit(MOST_DRAFTS)
    ).all()


def owns_draft(actor: Actor, draft_key: str, now: datetime) -> bool:
    """Whether the actor writes this draft."""
    wanted = (Draft.public_id == draft_key, _owned(actor), Draft.expires_on >= taipei_day(now))
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
    page = [
        MyCase(
            case,
            definitions.service(case.service_revision_id),
            definitions.workflow_of(case).state(case.state),
            due.get(case.id),
        )
        for case in shown
    ]
    return page, shown[-1].id if len(found) > PAGE else None


def belongs_to_an_account(draft_key: str) -> bool:
    """Whether a draft waits for its owner to sign in."""
    owner = db.session.scalars(select(Draft.account_id).where(Draft.public_id == draft_key)).first()
    return owner is not None


def earlier_answers(actor: Actor, form: FormDefinition) -> tuple[str, dict[str, Any]] | None:
    """The number of the earlier application that tells most about this form, and those of its answers."""
    if actor.account_id is None or actor.is_staff:
        return None
    rows = db.session.execute(
        select(Case.number, Submission)
        .join(Submission, Submission.case_id == Case.id)
        .where(Case.account_id == actor.account_id, Submission.kind == "application")
        .order_by(Submission.id.desc())
        .limit(MOST_EARLIER)
    )
    found: list[tuple[str, dict[str, Any]]] = [
        (number or "", _asked_again(form, definitions.form(sent.form_revision_id), sent.all_answers))
        for number, sent in rows
    ]
    best = max(found, key=lambda pair: len(pair[1]), default=None)
    return best if best is not None and best[1] else None


def _asked_again(form: FormDefinition, earlier: FormDefinition, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers to what both forms ask alike. Consent is asked anew, and files are offered one by one."""
    return {
        field.key: answers[field.key]
        for field in form.fields
        if field.kind.reusable(field)
        and field.key in earlier
        and earlier.field(field.key) == field
        and answers.get(field.key) is not None
    }


def earlier_files(actor: Actor, field_keys: Sequence[str]) -> dict[str, list[Earlier]]:
    """Files that the account sent before for questions with the same key: the three newest of each."""
    found: dict[str, list[Earlier]] = {}
    if actor.account_id is None or actor.is_staff or not field_keys:
        return found
    rows = db.session.execute(
        select(Document, Case.number)
        .join(Case, Case.id == Document.case_id)
        .where(
            Case.account_id == actor.account_id,
            Document.kind == "upload",
            Document.uploaded_by_id == actor.account_id,
            Document.field_key.in_(field_keys),
        )
        .order_by(Document.id.desc())
        .limit(50)
    )
    seen: set[tuple[str, str]] = set()
    for document, number in rows:
        key = document.field_key or ""
        if (key, document.sha256) in seen or len(found.get(key, ())) >= 3:
            continue
        seen.add((key, document.sha256))
        found.setdefault(key, []).append(Earlier(document, number or ""))
    return found


def _owned(actor: Actor) -> ColumnElement[bool]:
    if actor.account_id is not None:
        return Draft.account_id == actor.account_id
    return Draft.device_hash == actor.device_hash if actor.device_hash is not None else false()


def _own(actor: Actor) -> ColumnElement[bool]:
    return Case.account_id == actor.account_id if actor.is_staff else visible_to(actor)
