"""Meetings, briefings and visits, as the control office enters them; plans picked for the heads join the agenda."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from rules.values import Text, format_day
from webapp.errors import Conflict, Misfit
from webapp.extensions import db
from webapp.models import (
    AuditEntry,
    MeetingItem,
    Plan,
    Register,
    RegisterEntry,
    Resolution,
    ReviewMeeting,
    Verification,
)
from webapp.models.meetings import MEETING_KINDS
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import meetings, verifications
from webapp.queries.audit import last_hand
from webapp.queries.org import chart
from webapp.services.plan_control import require

LONGEST = {"title": 120, "place": 120, "chair": 80, "minutes": 20_000}
MOST_ITEMS = 60
LONGEST_ITEM = 500
#: before that there is no county government
EARLIEST = date(1915, 1, 1)


@dataclass(frozen=True)
class Entered:
    """What the form of a meeting says."""

    kind: str
    title: str
    held_on: date
    place: str = ""
    chair: str = ""
    minutes: str = ""


def enter(
    actor: Actor,
    register: Register | None,
    said: Entered,
    agenda: Sequence[str],
    now: datetime,
    *,
    origin: str = "entered",
) -> ReviewMeeting:
    """With what waits for the heads, unless it was held before that was picked."""
    require(actor)
    _check(said, agenda, now)
    _one_at_a_time()
    made = ReviewMeeting(
        register_id=register.id if register is not None else None,
        **asdict(said),
        origin=origin,
        by_id=actor.account_id,
        at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise Conflict(_twice(register, said)) from None
    _append(made, [(words, None) for words in agenda])
    _append(
        made,
        [
            (told.title, told.verification)
            for told in reversed(verifications.waiting_for_heads(made))
            if taipei_day(told.verification.at) <= said.held_on
        ],
    )
    _discussed(made, now)
    _note(actor, "meeting_entered", made, now)
    return made


def change(
    actor: Actor, meeting: ReviewMeeting, said: Entered, agenda: Sequence[str], now: datetime, *, version: int
) -> None:
    """The meeting as it was held, with its minutes; new words for the agenda are added at its end."""
    require(actor)
    _one_at_a_time()
    held = _hold(meeting, version)
    _check(said, agenda, now)
    _after_what_it_resolved(held, said, now)
    told = _told(held, said)
    try:
        with db.session.begin_nested():
            for name, value in asdict(said).items():
                setattr(held, name, value)
            held.version += 1
    except IntegrityError:
        raise Conflict(_twice(meetings.register_of(meeting), said)) from None
    _append(held, [(words, None) for words in agenda])
    _discussed(held, now)
    _note(actor, "meeting_changed", held, now, told)


def put_on_next(verification: Verification, entry: RegisterEntry, now: datetime) -> None:
    """On the agenda of the next meeting of the heads or review of the register; where none is planned it waits."""
    _one_at_a_time()
    meeting = meetings.coming(entry.register_id, taipei_day(now))
    if meeting is not None:
        title = entry.title or db.session.get_one(Plan, entry.plan_id).title
        _append(meeting, [(title, verification)])


def _one_at_a_time() -> None:
    """What waits for the heads is put on one agenda, and agendas grow one after the other."""
    db.session.execute(text("select pg_advisory_xact_lock(hashtextextended('meeting agendas', 0))"))


def _hold(meeting: ReviewMeeting, version: int) -> ReviewMeeting:
    held = db.session.get_one(ReviewMeeting, meeting.id, with_for_update=True, populate_existing=True)
    if held.version != version:
        name = last_hand(subject_of(held))
        raise Conflict(
            Text(
                zh=f"{name}剛剛更新了這場會議，請重新開啟；您填的內容還在下面。",
                en=f"{name} has just changed this meeting: open it again. What you wrote is still below.",
            )
        )
    return held


def _check(said: Entered, agenda: Sequence[str], now: datetime) -> None:
    if said.kind not in MEETING_KINDS:
        raise Misfit("kind", Text(zh="請選擇會議種類。", en="Choose the kind of meeting."))
    if not said.title:
        raise Misfit("title", Text(zh="請填寫會議名稱。", en="Give the name of the meeting."))
    for name, most in LONGEST.items():
        if len(getattr(said, name)) > most:
            raise Misfit(name, Text(zh=f"最多 {most} 字。", en=f"At most {most} characters."))
    if not EARLIEST <= said.held_on <= date(taipei_day(now).year + 1, 12, 31):
        raise Misfit(
            "held_on", Text(zh="會議日期不合理，請確認年份。", en="Check the year of the day of the meeting.")
        )
    if len(agenda) > MOST_ITEMS or any(len(words) > LONGEST_ITEM for words in agenda):
        raise Misfit(
            "agenda",
            Text(
                zh=f"議程最多 {MOST_ITEMS} 項，每項最多 {LONGEST_ITEM} 字。",
                en=f"At most {MOST_ITEMS} items of {LONGEST_ITEM} characters.",
            ),
        )


def _after_what_it_resolved(meeting: ReviewMeeting, said: Entered, now: datetime) -> None:
    """What has resolved something was held, and before the first of it is due."""
    first = db.session.scalar(select(func.min(Resolution.due_on)).where(Resolution.meeting_id == meeting.id))
    if first is None or said.held_on == meeting.held_on:
        return
    if said.held_on > taipei_day(now):
        raise Misfit(
            "held_on",
            Text(
                zh="這場會議已有決議，日期不能改到今天之後。",
                en="This meeting has resolved something: its day is not after today.",
            ),
        )
    if said.held_on >= first:
        raise Misfit(
            "held_on",
            Text(
                zh=f"這場會議的決議最早在{format_day(first, 'zh')}到期，會議日期須在那之前。",
                en=f"A resolution of this meeting is due on {format_day(first, 'en')}: the meeting was before that.",
            ),
        )


_LABELS = {
    "kind": "會議種類",
    "title": "名稱",
    "held_on": "日期",
    "place": "地點",
    "chair": "主席",
    "minutes": "會議紀錄",
}


def _told(meeting: ReviewMeeting, said: Entered) -> str:
    """What changes, as it was and as it becomes."""
    return "；".join(
        f"{label}由「{getattr(meeting, name)}」改為「{getattr(said, name)}」"
        for name, label in _LABELS.items()
        if getattr(meeting, name) != getattr(said, name)
    )


def _twice(register: Register | None, said: Entered) -> Text:
    known = db.session.scalars(
        select(ReviewMeeting).where(
            ReviewMeeting.register_id.is_not_distinct_from(register.id if register else None),
            ReviewMeeting.kind == said.kind,
            ReviewMeeting.held_on == said.held_on,
            ReviewMeeting.title == said.title,
        )
    ).one_or_none()
    who = chart().names.get(known.by_id or 0, "") if known is not None else ""
    return Text(
        zh=f"同一天的同名會議已經由{who}登錄了。",
        en=f"{who} has entered a meeting of this name and day already.",
    )


def _append(meeting: ReviewMeeting, new: Sequence[tuple[str, Verification | None]]) -> None:
    last = db.session.scalar(
        select(func.max(MeetingItem.position)).where(MeetingItem.meeting_id == meeting.id)
    )
    db.session.add_all(
        MeetingItem(
            meeting_id=meeting.id,
            position=position,
            text=words[:LONGEST_ITEM],
            verification_id=verification.id if verification is not None else None,
        )
        for position, (words, verification) in enumerate(new, start=(last or 0) + 1)
    )
    db.session.flush()


def _discussed(meeting: ReviewMeeting, now: datetime) -> None:
    """Minutes of a meeting that was held close what was put before the heads."""
    if not meeting.minutes or meeting.held_on > taipei_day(now):
        return
    for verification in db.session.scalars(
        select(Verification)
        .join(MeetingItem, MeetingItem.verification_id == Verification.id)
        .where(MeetingItem.meeting_id == meeting.id, Verification.state == "open")
        .order_by(Verification.id)
        .with_for_update(of=Verification)
        .execution_options(populate_existing=True)
    ):
        verification.state, verification.closed_at = "closed", now


def subject_of(meeting: ReviewMeeting) -> str:
    return f"review_meeting {meeting.public_id}"


def _note(actor: Actor, action: str, meeting: ReviewMeeting, now: datetime, changed: str = "") -> None:
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action=action,
            subject=subject_of(meeting),
            detail="；".join(filter(None, (f"{meeting.held_on.isoformat()} {meeting.title}", changed))),
        )
    )
    db.session.flush()
