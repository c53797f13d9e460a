"""Journeys abroad as their page lists them: reports that are awaited, the nearest limit first, and those published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, case, func, select

from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Document, Journey
from webapp.permissions import Actor, visible_to
from webapp.queries.plans import PAGE


@dataclass(frozen=True)
class Line:
    journey: Journey
    #: none where the reader may not open it
    case: str | None
    due_on: date | None
    filename: str | None


def published(actor: Actor, page: int) -> tuple[list[Line], int]:
    """A page of them, the newest first, and how many there are."""
    return _found(actor, "published", page)


def awaited(actor: Actor, page: int) -> tuple[list[Line], int]:
    """Not handed in or not reviewed yet."""
    return _found(actor, "awaited", page)


def _found(actor: Actor, which: str, page: int) -> tuple[list[Line], int]:
    states = ("published",) if which == "published" else ("awaited", "reported")
    count = db.session.execute(
        select(func.count()).select_from(Journey).where(Journey.state.in_(states))
    ).scalar_one()
    order = (
        (Journey.published_at.desc(), Journey.id.desc())
        if which == "published"
        else (Case.due_on.nulls_last(), Journey.id)
    )
    statement = _lines(actor).where(Journey.state.in_(states)).order_by(*order)
    rows = db.session.execute(statement.limit(PAGE).offset((page - 1) * PAGE))
    return [Line(*row) for row in rows], count


def _lines(actor: Actor) -> Select[tuple[Journey, str, date, str]]:
    return (
        select(Journey, case((visible_to(actor), Case.public_id)), Case.due_on, Document.filename)
        .outerjoin(Case, Case.id == Journey.case_id)
        .outerjoin(Document, Document.id == Journey.document_id)
    )


def report_of(pid: str) -> Document:
    """The file of a published report; others are read on their case."""
    found = db.session.scalars(
        select(Document)
        .join(Journey, Journey.document_id == Document.id)
        .where(Journey.public_id == pid, Journey.state == "published")
    ).one_or_none()
    if found is None:
        raise NotFound()
    return found
