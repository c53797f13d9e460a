"""The days on which a committee meets: planned with waiting cases, moved, or cancelled. Whoever is invited is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select, update

from rules.values import Text
from webapp.errors import Conflict, Refused
from webapp.extensions import db
from webapp.models import AgendaItem, Ballot, Committee, CommitteeSession
from webapp.permissions import Actor
from webapp.queries import committees as queries
from webapp.services import invitations
from webapp.services.committees import audit, hold, require_secretary

LONGEST_PLACE, LONGEST_REASON = 120, 200


def plan(
    actor: Actor,
    committee: Committee,
    starts_at: datetime,
    place: str,
    items: Sequence[str],
    now: datetime,
    *,
    budget: Decimal | None = None,
) -> CommitteeSession:
    """A session with waiting cases in the order given. A case that somebody put into another session is refused."""
    require_secretary(actor, committee.unit_id)
    _require_time_and_place(starts_at, place, now)
    if not items or (budget is not None and budget < 0):
        raise Refused(
            Text(
                zh="請至少選一個案件，預算不能是負數。",
                en="Choose at least one case; a budget is never negative.",
            )
        )
    db.session.refresh(committee, with_for_update={"key_share": True})
    if committee.closed_at is not None:
        raise Refused(Text(zh="委員會已停止受理。", en="The committee is closed."))
    session = CommitteeSession(
        committee_id=committee.id,
        starts_at=starts_at,
        place=place.strip(),
        budget=budget if committee.mode == "score" else None,
        secretary_id=actor.account_id or 0,
    )
    db.session.add(session)
    db.session.flush()
    alive = {item.public_id for item, _case in queries.waiting(committee)}
    for position, key in enumerate(dict.fromkeys(items), start=1):
        placed = db.session.execute(
            update(AgendaItem)
            .where(AgendaItem.public_id == key, AgendaItem.session_id.is_(None))
            .values(session_id=session.id, position=position)
            .returning(AgendaItem.id)
        ).one_or_none()
        if placed is None or key not in alive:
            raise Conflict(
                Text(
                    zh="有案件已排入別的會議或已撤回，會議沒有建立，請重新載入後再選。",
                    en="A case is in another session already or was withdrawn. Nothing was planned; reload.",
                )
            )
    db.session.expire_all()
    invitations.send(actor, session, "planned", now)
    audit(actor, "committee_session_planned", session.public_id, now)
    return session


def move(
    actor: Actor, session: CommitteeSession, starts_at: datetime, place: str, now: datetime, *, version: int
) -> None:
    """Another day, hour or place, before it has begun."""
    _hold_planned(actor, session, version)
    _require_time_and_place(starts_at, place, now)
    if (session.starts_at, session.place) == (starts_at, place.strip()):
        raise Refused(Text(zh="時間和地點都沒有改變。", en="Neither the time nor the place has changed."))
    session.starts_at, session.place = starts_at, place.strip()
    db.session.flush()
    invitations.send(actor, session, "moved", now)
    audit(actor, "committee_session_moved", session.public_id, now)


def cancel(actor: Actor, session: CommitteeSession, reason: str, now: datetime, *, version: int) -> None:
    """Its cases wait for another one. What was voted for it counts no more; who keeps out of a case still does."""
    _hold_planned(actor, session, version)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"請寫明取消的原因，最多 {LONGEST_REASON} 字；會告訴受邀的人。",
                en=f"Say why, at most {LONGEST_REASON} characters; whoever was invited will read it.",
            )
        )
    invitations.send(actor, session, "cancelled", now, reason=reason.strip())
    session.state = "cancelled"
    of_session = select(AgendaItem.id).where(AgendaItem.session_id == session.id)
    db.session.execute(delete(Ballot).where(Ballot.item_id.in_(of_session)))
    db.session.execute(
        update(AgendaItem)
        .where(AgendaItem.session_id == session.id)
        .values(session_id=None, position=None, casting_vote=None)
    )
    db.session.flush()
    db.session.expire_all()
    audit(actor, "committee_session_cancelled", session.public_id, now)


def _hold_planned(actor: Actor, session: CommitteeSession, version: int) -> None:
    hold(session, version)
    require_secretary(actor, session.committee.unit_id)
    if session.state != "planned":
        raise Refused(
            Text(
                zh="會議已經記錄決議或已取消，不能再更改。",
                en="Its results are recorded, or it was cancelled; it cannot be changed any more.",
            )
        )


def _require_time_and_place(starts_at: datetime, place: str, now: datetime) -> None:
    if starts_at <= now or not 0 < len(place.strip()) <= LONGEST_PLACE:
        raise Refused(Text(zh="請填寫未來的時間和地點。", en="Give a time to come and a place."))
