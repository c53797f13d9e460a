"""Notices that no machine delivers: to be told by telephone, or put into an envelope, until somebody notes it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, NotFound
from webapp.extensions import db
from webapp.models import Case, Message
from webapp.permissions import Actor
from webapp.services import events, parties

NOTED = {"call": "told_by_phone", "post": "notice_posted"}


def number_to_call(case_id: int) -> str:
    """What the applicant left, where nothing but a telephone reaches them; else ""."""
    ways = parties.channels_of(case_id)
    return ways[0][2] if ways and ways[0][1] == "call" else ""


def note(actor: Actor, case: Case, public_id: str, way: str, now: datetime) -> Message:
    """It was said, or is at the post office. Once."""
    message = db.session.scalars(
        select(Message).where(Message.public_id == public_id, Message.case_id == case.id).with_for_update()
    ).one_or_none()
    if message is None or message.way != way:
        raise NotFound()
    if message.sent_at is not None:
        raise Conflict(
            Text(zh=f"「{message.subject}」先前已登記告知或交寄。", en="This notice was noted before.")
        )
    message.sent_at = now
    said = f"{message.recipient}：{message.subject}"
    events.record(actor, case, NOTED[way], now, from_state=case.state, payload={"comment": said})
    return message
