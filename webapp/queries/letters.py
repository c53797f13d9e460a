"""Letters beyond one case: which ones an officer or the mail room may see, those to be sent, what changed them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, or_, select

from rules.values import Text
from webapp.errors import NotFound
from webapp.extensions import db
from webapp.models import Case, Letter, Message
from webapp.permissions import Actor, open_to_others, visible_to
from webapp.queries import definitions
from webapp.queries.org import chart
from workflows.service import APPLICANT

MOST_LISTED = 200


@dataclass(frozen=True)
class Filter:
    channel: str = "post"
    first: date | None = None
    last: date | None = None
    unit_id: int | None = None
    #: also those that are at the post office or served
    all: bool = False


def _may_see(actor: Actor) -> ColumnElement[bool]:
    """Letters of the cases that an officer sees; the mail room posts those of its units.

    A confidential letter is sent by whoever works on the case.
    """
    posted = {unit for m in actor.mandates if m.function == "mail_room" for unit in chart().within(m.unit_id)}
    seen = visible_to(actor)
    return or_(seen, and_(open_to_others(), Case.owner_unit_id.in_(sorted(posted)))) if posted else seen


def township_of(letter: Letter) -> Text | None:
    """The township that issued it as an agency of its own; all others are the county's."""
    owner = chart().units[db.session.get_one(Case, letter.case_id).owner_unit_id]
    units = (unit for unit in chart().upwards(owner.id) if unit.kind == "township")
    return next((Text(zh=unit.zh, en=unit.en) for unit in units), None)


def visible(actor: Actor, public_id: str) -> tuple[Letter, Case]:
    row = db.session.execute(
        select(Letter, Case)
        .join(Case, Case.id == Letter.case_id)
        .where(Letter.public_id == public_id, _may_see(actor))
    ).one_or_none()
    if row is None:
        raise NotFound()
    return row[0], row[1]


def to_send(actor: Actor, wanted: Filter) -> Sequence[tuple[Letter, Case]]:
    """The oldest first, as they are put into envelopes."""
    asked = select(Letter, Case).join(Case, Case.id == Letter.case_id).where(_may_see(actor))
    asked = asked.where(Letter.channel == wanted.channel)
    if wanted.first is not None:
        asked = asked.where(Letter.issued_on >= wanted.first)
    if wanted.last is not None:
        asked = asked.where(Letter.issued_on <= wanted.last)
    if wanted.unit_id is not None:
        asked = asked.where(Case.owner_unit_id.in_(sorted(chart().within(wanted.unit_id))))
    if not wanted.all:
        asked = asked.where(Letter.served_on.is_(None), Letter.posted_on.is_(None))
    rows = db.session.execute(asked.order_by(Letter.issued_on, Letter.id).limit(MOST_LISTED))
    return [(letter, case) for letter, case in rows]


def changes_of(letter: Letter) -> Sequence[Letter]:
    """The letters that correct, revoke or withdraw this one, the oldest first."""
    return db.session.scalars(select(Letter).where(Letter.changes_id == letter.id).order_by(Letter.id)).all()


def of_case(case_id: int) -> Sequence[Letter]:
    """Every letter of a case, the newest first."""
    return db.session.scalars(
        select(Letter).where(Letter.case_id == case_id).order_by(Letter.id.desc())
    ).all()


def name(letter: Letter, case: Case) -> Text:
    """What it is called: 核准函, 預約確認單, 更正函."""
    return definitions.service(case.service_revision_id).letter_name(letter.kind)


def to_applicant(case_id: int) -> Sequence[Letter]:
    """Without the letters to the other side."""
    return [letter for letter in of_case(case_id) if is_to_applicant(letter)]


def is_to_applicant(letter: Letter) -> bool:
    return letter.content.get("for", APPLICANT) == APPLICANT


def by_id(letter_id: int | None) -> Letter | None:
    return db.session.get(Letter, letter_id) if letter_id is not None else None


def notices_to_post(actor: Actor) -> Sequence[tuple[Message, Case]]:
    """Notices on paper that nobody has put into an envelope yet, those of a case together."""
    asked = _paper_notices(actor).where(Message.sent_at.is_(None))
    return [(message, case) for message, case in db.session.execute(asked.limit(MOST_LISTED))]


def notices_chosen(actor: Actor, public_ids: Collection[str]) -> Sequence[tuple[Message, Case]]:
    """Of these, what the actor may post; in one order, so that two people wait for each other."""
    asked = _paper_notices(actor).where(Message.public_id.in_(public_ids))
    return [(message, case) for message, case in db.session.execute(asked.limit(MOST_LISTED))]


def _paper_notices(actor: Actor) -> Select[tuple[Message, Case]]:
    rows = select(Message, Case).join(Case, Case.id == Message.case_id)
    return rows.where(Message.channel == "post", _may_see(actor)).order_by(Case.id, Message.id)
