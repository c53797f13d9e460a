"""One file, for whoever may see what it belongs to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import BlankForm, Case, CorrectionRequest, Document, Letter, Task
from webapp.permissions import Actor, visible_to
from webapp.queries import letters, mine, tracking


def visible(actor: Actor, public_id: str, now: datetime) -> Document:
    """The document; NotFound unless the actor may see its case, or writes the draft that it waits in."""
    document = db.session.scalars(select(Document).where(Document.public_id == public_id)).one_or_none()
    if document is None:
        raise NotFound()
    key = document.draft_key or ""
    if key.startswith("task-") and not actor.is_staff:
        raise NotFound()
    if document.case_id is not None:
        if document.kind == "receipt" and not tracking.may_know_code(actor, document.case_id):
            raise NotFound()
        issued = letter_of(document) if not actor.is_staff else None
        if issued is not None and not letters.is_to_applicant(issued[0]):
            raise NotFound()
        owner = select(Case.id).where(Case.id == document.case_id)
    elif key.startswith("correction-"):
        request_id = key.removeprefix("correction-")
        owner = select(Case.id).join(CorrectionRequest).where(CorrectionRequest.id == int(request_id))
    elif key.startswith("task-"):
        owner = (
            select(Case.id)
            .join(Task)
            .where(Task.public_id.startswith(key.removeprefix("task-"), autoescape=True))
        )
    else:
        if not mine.writes_draft(actor, key, now):
            raise NotFound()
        return document
    if db.session.scalars(owner.where(visible_to(actor))).first() is None:
        raise NotFound()
    return document


def blank_size(code: str, lang: str) -> tuple[int, int] | None:
    """Pages and bytes of the blank form of a service, once it was printed."""
    row = db.session.execute(
        select(BlankForm.pages, func.octet_length(BlankForm.pdf)).where(
            BlankForm.service_code == code, BlankForm.language == lang
        )
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def by_id(document_id: int | None) -> Document | None:
    return db.session.get(Document, document_id) if document_id is not None else None


def letter_of(document: Document) -> tuple[Letter, Case] | None:
    """The letter that a document is the paper of."""
    row = db.session.execute(
        select(Letter, Case).join(Case, Case.id == Letter.case_id).where(Letter.document_id == document.id)
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None
