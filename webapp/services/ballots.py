"""What the members do: read an item, vote or score, keep out of it (迴避); for outside members, the secretary."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal, InvalidOperation

from sqlalchemy import delete, select

from rules.values import Text
from webapp.errors import Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import AgendaItem, Ballot, Committee, CommitteeSession, ConflictOfInterest
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import committees as queries
from webapp.services import tallies
from webapp.services.deliberation import Deciding, deciding


def item_of(actor: Actor, item_id: str) -> Deciding:
    """The item for a member who may read it. Whoever has a conflict of interest sees nothing of it."""
    item = db.session.scalars(select(AgendaItem).where(AgendaItem.public_id == item_id)).one_or_none()
    session = db.session.get(CommitteeSession, item.session_id) if item and item.session_id else None
    if item is None or session is None:
        raise NotFound()
    mine = queries.seat(actor, session.committee, taipei_day(session.starts_at))
    found = next((each for each in deciding(session) if each.item.id == item.id), None)
    if mine is None or found is None:
        raise NotFound()
    if mine.id not in found.present:
        raise Forbidden(
            Text(
                zh="您對這一案應予迴避，不能閱覽或表決。", en="You have a conflict of interest in this item."
            )
        )
    return found


def declare_conflict(actor: Actor, item_id: str, member_id: int, reason: str, now: datetime) -> None:
    """迴避, by the member or by the secretary for one. A ballot that was cast before is taken away."""
    item, session = _open_item(item_id)
    member = queries.members(session.committee, taipei_day(session.starts_at)).get(member_id)
    if member is None:
        raise NotFound()
    if (member.is_outside or member.account_id != actor.account_id) and not _runs(actor, session):
        raise NotFound()
    if not reason.strip():
        raise Refused(Text(zh="請寫明迴避的原因。", en="Say why."))
    known = select(ConflictOfInterest.id).where(
        ConflictOfInterest.item_id == item.id, ConflictOfInterest.member_id == member.id
    )
    if db.session.scalars(known).first() is not None:
        return
    _take_away(item, member.id)
    db.session.add(
        ConflictOfInterest(
            item_id=item.id,
            member_id=member.id,
            reason=reason.strip(),
            declared_by_id=actor.account_id or 0,
            declared_at=now,
        )
    )
    db.session.flush()


def cast(actor: Actor, item_id: str, choice: str, now: datetime) -> None:
    """A vote or a score; until the results are recorded a member may change it."""
    item, session = _open_item(item_id)
    found = item_of(actor, item_id)
    mine = queries.seat(actor, session.committee, taipei_day(session.starts_at))
    if mine is None or mine.id not in found.eligible:
        raise Forbidden(
            Text(zh="您列席這個委員會，沒有表決權。", en="You advise this committee and have no vote.")
        )
    _put_in(item, mine.id, actor, _checked(choice, session.committee), now)


def cast_for(actor: Actor, item_id: str, member_id: int, choice: str, now: datetime) -> None:
    """The secretary enters the ballot of an outside member; an empty one takes it out again."""
    item, session = _open_item(item_id)
    members = queries.members(session.committee, taipei_day(session.starts_at))
    if not _runs(actor, session) or member_id not in members:
        raise NotFound()
    if not members[member_id].is_outside:
        raise Refused(
            Text(
                zh="機關內的委員要自己登入表決。", en="Members with an account cast their ballots themselves."
            )
        )
    found = next((each for each in deciding(session) if each.item.id == item.id), None)
    if found is None or member_id not in found.eligible:
        name = members[member_id].called
        raise Refused(Text(zh=f"{name}應迴避或沒有表決權。", en=f"{name} has no vote on this item."))
    if choice.strip():
        _put_in(item, member_id, actor, _checked(choice, session.committee), now)
    else:
        _take_away(item, member_id)


def _runs(actor: Actor, session: CommitteeSession) -> bool:
    return session.committee.unit_id in queries.units_of(actor, "run_committees")


def _put_in(item: AgendaItem, member_id: int, actor: Actor, choice: str, now: datetime) -> None:
    ballot = db.session.scalars(
        select(Ballot).where(Ballot.item_id == item.id, Ballot.member_id == member_id)
    ).one_or_none()
    if ballot is None:
        ballot = Ballot(item_id=item.id, member_id=member_id)
        db.session.add(ballot)
    ballot.choice, ballot.cast_at, ballot.entered_by_id = choice, now, actor.account_id or 0
    db.session.flush()


def _take_away(item: AgendaItem, member_id: int) -> None:
    db.session.execute(delete(Ballot).where(Ballot.item_id == item.id, Ballot.member_id == member_id))


def ballot_of(item: AgendaItem, member_id: int) -> str:
    """What the member has cast, empty before; for the member alone, and of an outside one for the secretary."""
    own = select(Ballot.choice).where(Ballot.item_id == item.id, Ballot.member_id == member_id)
    return db.session.scalars(own).first() or ""


def _checked(choice: str, committee: Committee) -> str:
    if committee.mode == "consent":
        raise Refused(
            Text(
                zh="這個委員會的案件由當事人同意成立調解，不表決也不評分。",
                en="Before this committee the parties decide; nobody votes or scores.",
            )
        )
    if committee.mode == "vote":
        if choice in tallies.CHOICES:
            return choice
        raise Refused(Text(zh="請選擇同意、不同意或棄權。", en="Vote yes, no or abstain."))
    try:
        score = Decimal(choice.strip())
    except InvalidOperation:
        score = Decimal(-1)
    if not score.is_finite() or not 0 <= score <= tallies.HIGHEST or score != round(score, 2):
        raise Refused(
            Text(
                zh="請填 0 到 100 的分數，最多兩位小數。",
                en="Give a score from 0 to 100 with at most two decimals.",
            )
        )
    return str(score)


def _open_item(item_id: str) -> tuple[AgendaItem, CommitteeSession]:
    """The item with its session held: ballots and conflicts stop when the results are recorded."""
    item = db.session.scalars(select(AgendaItem).where(AgendaItem.public_id == item_id)).one_or_none()
    if item is None or item.session_id is None:
        raise NotFound()
    session = db.session.get_one(
        CommitteeSession, item.session_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if session.state != "planned":
        raise Refused(Text(zh="決議已經記錄，不能再表決。", en="The results are recorded; voting is over."))
    return item, session
