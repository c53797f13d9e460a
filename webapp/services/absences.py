"""Absence with dates and a deputy (職務代理), entered by the person or by a head. The tasks follow by themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from rules.values import Text, format_day
from webapp.errors import Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Absence, AuditEntry
from webapp.moments import taipei_day
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries.generations import bump
from webapp.queries.org import Leave, Seat, chart
from webapp.services import duties, notices
from workflows.functions import RANKS

LONGEST_DAYS = 366


def people_of(actor: Actor, day: date) -> list[int]:
    """For whom the actor may enter an absence: themselves first, then those whom they head."""
    below = {
        seat.account_id
        for seat in chart().seats
        if seat.held_on(day) and duties.head_over(actor, seat.unit_id, seat.function) is not None
    }
    own = [actor.account_id] if actor.account_id is not None else []
    return own + sorted(below - set(own))


def deputies_for(person: int, day: date) -> list[int]:
    """Who may hold the duties of somebody: works in the same department, at most one level below."""
    own = _seats(person, day)
    if not own:
        return []
    found = {seat.account_id for seat in chart().seats if seat.held_on(day)} - {person}
    return sorted(other for other in found if _may_stand_in(own, _seats(other, day)))


def known(actor: Actor, day: date) -> list[Absence]:
    """Present and coming absences of those for whom the actor may enter one, and those in which they are deputy."""
    mine = Absence.account_id.in_(people_of(actor, day)) | (Absence.deputy_id == actor.account_id)
    query = select(Absence).where(mine, Absence.ends_on >= day)
    return list(db.session.scalars(query.order_by(Absence.starts_on, Absence.id)))


def enter(
    actor: Actor, person: int, deputy: int, first: date, last: date, reason: str, now: datetime
) -> Absence:
    today = taipei_day(now)
    _require(actor, person, today)
    if not today <= first <= last or (last - first).days > LONGEST_DAYS:
        raise Refused(
            Text(
                zh="請假期間須從今天或以後開始，迄日不早於起日，最長一年。",
                en="An absence begins today or later, ends no earlier than it begins, and lasts a year at most.",
            )
        )
    if deputy not in deputies_for(person, first) or deputy not in deputies_for(person, last):
        raise Refused(
            Text(
                zh="這位人員不能擔任代理人：代理人須在同一個單位體系任職，職級最多低一級。",
                en="This person cannot be the deputy: choose somebody of the same department, "
                "at most one level below.",
            )
        )
    _somebody_is_there(Leave(person, deputy, first, last))
    absence = Absence(account_id=person, deputy_id=deputy, starts_on=first, ends_on=last, reason=reason)
    db.session.add(absence)
    try:
        db.session.flush()
    except IntegrityError:
        raise Refused(
            Text(
                zh="這段期間已經登記過請假，請先結束原來的登記。",
                en="An absence is already entered for these days; end that one first.",
            )
        ) from None
    bump("org")
    _audit(actor, "absence_entered", absence, now)
    names = chart().names
    period_zh = f"{format_day(first, 'zh')}至{format_day(last, 'zh')}"
    period_en = f"{format_day(first, 'en')} to {format_day(last, 'en')}"
    notices.tell_staff(
        {person, deputy} - {actor.account_id or 0},
        f"absence:{absence.id}",
        Text(
            zh=f"{names[person]}請假，由{names[deputy]}代理",
            en=f"{names[deputy]} stands in for {names[person]}",
        ),
        Text(
            zh=f"{period_zh}，待辦案件在代理人的「代理案件」。",
            en=f"{period_en}. The tasks stand in the deputy's inbox under “As a deputy”.",
        ),
        now,
    )
    return absence


def end(actor: Actor, absence_id: int, now: datetime) -> None:
    """Back earlier, or entered by mistake. What the deputy did before stays in the histories."""
    today = taipei_day(now)
    absence = db.session.get(Absence, absence_id, with_for_update=True)
    if absence is None or absence.account_id not in people_of(actor, today):
        raise NotFound()
    _audit(actor, "absence_ended", absence, now)
    if absence.starts_on >= today:
        db.session.delete(absence)
    elif absence.ends_on >= today:
        absence.ends_on = today - timedelta(days=1)
    db.session.flush()
    bump("org")


def _require(actor: Actor, person: int, day: date) -> None:
    if person not in people_of(actor, day):
        raise Forbidden(
            Text(
                zh="您只能登記自己或所屬人員的請假。",
                en="You may enter absences for yourself and for those whom you head only.",
            )
        )


def _somebody_is_there(new: Leave) -> None:
    """Deputies of deputies included: a circle of absent people is nobody."""
    tree = chart()
    planned = replace(tree, leaves=(*tree.leaves, new))
    for n in range((new.ends_on - new.starts_on).days + 1):
        day = new.starts_on + timedelta(days=n)
        if all(planned.is_absent(person, day) for person in planned.deputies(new.account_id, day)):
            raise Refused(
                Text(
                    zh=f"{format_day(day, 'zh')}代理人也請假，而且沒有其他人代理，請另選代理人。",
                    en=f"On {format_day(day, 'en')} the deputy is away too and nobody stands in; choose another.",
                )
            )


def _may_stand_in(absent: list[Seat], other: list[Seat]) -> bool:
    working = {name.removeprefix("function:") for name in PERMISSIONS["see_cases_of_unit"]} | set(RANKS)
    if any(s.function in working for s in absent) and not any(s.function in working for s in other):
        return False
    rank = max(RANKS.get(s.function, 0) for s in absent)
    if max((RANKS.get(s.function, 0) for s in other), default=-1) < rank - 1:
        return False
    places = {_department(s.unit_id) for s in absent}
    return any(_is_county(p) for p in places) or not places.isdisjoint(_department(s.unit_id) for s in other)


def _department(unit_id: int) -> int:
    """The department, bureau or township of a unit; the county itself for its own offices."""
    path = [unit.id for unit in chart().upwards(unit_id)]
    return path[-2] if len(path) > 1 else path[-1]


def _is_county(unit_id: int) -> bool:
    return chart().units[unit_id].parent_id is None


def _seats(person: int, day: date) -> list[Seat]:
    return [seat for seat in chart().seats if seat.account_id == person and seat.held_on(day)]


def _audit(actor: Actor, action: str, absence: Absence, now: datetime) -> None:
    subject = f"{absence.account_id}:{absence.deputy_id}:{absence.starts_on}:{absence.ends_on}"
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))
