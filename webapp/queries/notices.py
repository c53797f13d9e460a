"""Notices in the system: what an officer was told, newest first, and what they have not read yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import Case, Message, NoticeRead
from webapp.permissions import Actor, visible_to
from webapp.queries.org import chart

PAGE = 30
#: counting stops here
MOST_COUNTED = 100

#: written into the statement: with a bound value PostgreSQL would forget the partial index
INBOX = literal("inbox", literal_execute=True)


@dataclass(frozen=True)
class Notice:
    public_id: str
    subject: str
    body: str
    at: datetime
    unread: bool
    #: public id and number of the case, where the reader may see it
    case_id: str | None
    number: str | None
    #: the absent person to whom it was sent
    sent_to: str


@dataclass(frozen=True)
class Page:
    items: tuple[Notice, ...]
    #: the cursor of the next page
    after: str | None


def unread(actor: Actor) -> int:
    """How many notices the actor has not read, up to MOST_COUNTED."""
    waiting = select(Message.id).where(to(actor), not_read(actor)).limit(MOST_COUNTED).subquery()
    return db.session.execute(select(func.count()).select_from(waiting)).scalar_one()


def page(actor: Actor, after: str = "") -> Page:
    query = (
        select(Message, not_read(actor), Case.public_id, Case.number)
        .outerjoin(Case, and_(Case.id == Message.case_id, visible_to(actor)))
        .where(to(actor))
        .order_by(Message.id.desc())
        .limit(PAGE + 1)
    )
    if after:
        last = aliased(Message)
        query = query.where(Message.id < select(last.id).where(last.public_id == after).scalar_subquery())
    names = chart().names
    items = tuple(
        Notice(
            message.public_id,
            message.subject,
            message.body,
            message.created_at,
            is_unread,
            case_id,
            number,
            names.get(message.account_id, "") if message.account_id != actor.account_id else "",
        )
        for message, is_unread, case_id, number in db.session.execute(query)
    )
    return Page(items[:PAGE], items[PAGE - 1].public_id if len(items) > PAGE else None)


def to(actor: Actor) -> ColumnElement[bool]:
    """The actor's own notices; of the absent whom they replace today, those that are waiting for a reader.

    What a deputy was told too (the key of a notice ends in its addressee) stands in the list once.
    """
    own = Message.account_id == actor.account_id
    absent = _absent(actor)
    if absent:
        twin = aliased(Message)
        mine = func.regexp_replace(Message.idempotency_key, ":[0-9]+$", f":{actor.account_id}")
        told_too = exists().where(twin.idempotency_key == mine, twin.account_id == actor.account_id)
        lent = and_(Message.account_id.in_(absent), ~_read_by(Message.account_id), ~told_too)
        own = or_(own, lent)
    return and_(Message.channel == INBOX, own)


def addressed_to(actor: Actor) -> ColumnElement[bool]:
    """Whatever the actor may mark, also what the absent have read themselves meanwhile."""
    return and_(Message.channel == INBOX, Message.account_id.in_([actor.account_id, *_absent(actor)]))


def _absent(actor: Actor) -> list[int]:
    return sorted({m.acting_for_id for m in actor.mandates if m.acting_for_id is not None})


def not_read(actor: Actor) -> ColumnElement[bool]:
    return ~_read_by(literal(actor.account_id))


def _read_by(person: object) -> ColumnElement[bool]:
    return exists().where(NoticeRead.message_id == Message.id, NoticeRead.account_id == person)
