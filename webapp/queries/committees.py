"""Committees, their sessions and agendas, for the secretary, the members and whoever approves the minutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models import AgendaItem, Case, Committee, CommitteeMember, CommitteeSession, Party
from webapp.permissions import PERMISSIONS, Actor, visible_to
from webapp.queries.org import chart


def units_of(actor: Actor, permission: str) -> frozenset[int]:
    """The units for which the actor holds a function of the permission."""
    held = [m for m in actor.mandates if f"function:{m.function}" in PERMISSIONS[permission]]
    tree = chart()
    return frozenset(unit for m in held for unit in tree.within(m.unit_id))


def run_by(actor: Actor) -> Sequence[Committee]:
    """The committees of which the actor is secretary."""
    units = units_of(actor, "run_committees")
    return db.session.scalars(
        select(Committee).where(Committee.unit_id.in_(units)).order_by(Committee.id)
    ).all()


def committee(actor: Actor, public_id: str) -> Committee | None:
    return next((found for found in run_by(actor) if found.public_id == public_id), None)


def may_approve(actor: Actor, found: Committee) -> bool:
    return found.unit_id in units_of(actor, "approve_minutes")


def session(actor: Actor, public_id: str) -> CommitteeSession | None:
    """For the secretary and whoever may approve the minutes."""
    units = units_of(actor, "run_committees") | units_of(actor, "approve_minutes")
    return db.session.scalars(
        select(CommitteeSession)
        .join(Committee, Committee.id == CommitteeSession.committee_id)
        .where(CommitteeSession.public_id == public_id, Committee.unit_id.in_(units))
    ).one_or_none()


def sessions(found: Committee) -> Sequence[CommitteeSession]:
    return db.session.scalars(
        select(CommitteeSession)
        .where(CommitteeSession.committee_id == found.id)
        .order_by(CommitteeSession.starts_at.desc())
    ).all()


def to_approve(actor: Actor) -> Sequence[CommitteeSession]:
    """Held sessions whose minutes somebody else wrote."""
    me = actor.account_id
    units = units_of(actor, "approve_minutes")
    if not units:
        return []
    return db.session.scalars(
        select(CommitteeSession)
        .join(Committee, Committee.id == CommitteeSession.committee_id)
        .where(
            Committee.unit_id.in_(units),
            CommitteeSession.state == "held",
            CommitteeSession.secretary_id != me,
            CommitteeSession.drafted_by_id != me,
        )
        .order_by(CommitteeSession.starts_at)
    ).all()


def alive() -> ColumnElement[bool]:
    """Items whose case still waits in the state that put it on the agenda; to be joined with Case."""
    return (AgendaItem.visit == Case.visit) & (Case.status == "open")


def waiting(found: Committee) -> Sequence[tuple[AgendaItem, Case]]:
    """The cases that wait for a session, the oldest first."""
    rows = db.session.execute(
        select(AgendaItem, Case)
        .join(Case, Case.id == AgendaItem.case_id)
        .where(
            AgendaItem.committee_id == found.id,
            AgendaItem.session_id.is_(None),
            AgendaItem.closed_at.is_(None),
            alive(),
        )
        .order_by(AgendaItem.id)
    ).all()
    return [(item, case) for item, case in rows]


def agenda(found: CommitteeSession) -> Sequence[tuple[AgendaItem, Case]]:
    """What the session decides, in order. Once its minutes are approved the list stays as it was decided."""
    rows = db.session.execute(
        select(AgendaItem, Case)
        .join(Case, Case.id == AgendaItem.case_id)
        .where(
            AgendaItem.session_id == found.id,
            AgendaItem.result.is_not(None) if found.state == "minutes_approved" else alive(),
        )
        .order_by(AgendaItem.position)
    ).all()
    return [(item, case) for item, case in rows]


def open_item(case: Case) -> AgendaItem | None:
    """Where a case stands that waits for a committee."""
    return db.session.scalars(
        select(AgendaItem)
        .join(Case, Case.id == AgendaItem.case_id)
        .where(AgendaItem.case_id == case.id, AgendaItem.closed_at.is_(None), alive())
    ).one_or_none()


def of_item(item: AgendaItem) -> tuple[Committee, CommitteeSession | None]:
    session = db.session.get(CommitteeSession, item.session_id) if item.session_id is not None else None
    return db.session.get_one(Committee, item.committee_id), session


def coming(case: Case) -> CommitteeSession | None:
    """The session in which a case is heard, until its results are recorded."""
    item = open_item(case)
    found = db.session.get(CommitteeSession, item.session_id) if item and item.session_id else None
    return found if found is not None and found.state == "planned" else None


def last_heard(case_id: int) -> tuple[AgendaItem, CommitteeSession] | None:
    """The last session with approved minutes that dealt with a case."""
    row = db.session.execute(
        select(AgendaItem, CommitteeSession)
        .join(CommitteeSession, CommitteeSession.id == AgendaItem.session_id)
        .where(
            AgendaItem.case_id == case_id,
            AgendaItem.result.is_not(None),
            CommitteeSession.state == "minutes_approved",
        )
        .order_by(AgendaItem.id.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row is not None else None


def goes_on(case_ids: Sequence[int]) -> dict[int, date]:
    """續行調解: by case, the day on which it is to be heard again, as its last hearing left it."""
    rows = db.session.execute(
        select(AgendaItem.case_id, AgendaItem.continues_on)
        .join(CommitteeSession, CommitteeSession.id == AgendaItem.session_id)
        .where(
            AgendaItem.case_id.in_(case_ids),
            AgendaItem.result.is_not(None),
            CommitteeSession.state == "minutes_approved",
        )
        .order_by(AgendaItem.id)
    )
    return {case_id: day for case_id, day in dict(rows.all()).items() if day is not None}


def visible_cases(actor: Actor, case_ids: Sequence[int]) -> frozenset[int]:
    """Those of the cases that the actor may open."""
    return frozenset(db.session.scalars(select(Case.id).where(Case.id.in_(case_ids), visible_to(actor))))


def members(found: Committee, day: date) -> dict[int, CommitteeMember]:
    """Everybody who sits in it on a day, in the order of appointment."""
    return {row.id: row for row in terms(found) if row.sits_on(day)}


def terms(found: Committee) -> Sequence[CommitteeMember]:
    """Every term, those that are over too."""
    return db.session.scalars(
        select(CommitteeMember)
        .where(CommitteeMember.committee_id == found.id)
        .order_by(CommitteeMember.id)
        .options(joinedload(CommitteeMember.account))
    ).all()


def term(found: Committee, member_id: int) -> CommitteeMember | None:
    return next((row for row in terms(found) if row.id == member_id), None)


def seat(actor: Actor, found: Committee, day: date) -> CommitteeMember | None:
    """The actor's own, on a day."""
    mine = (row for row in members(found, day).values() if row.account_id is not None)
    return next((row for row in mine if row.account_id == actor.account_id), None)


def seats_of(actor: Actor) -> Sequence[CommitteeSession]:
    """The planned sessions of the committees in which the actor has, or had, a seat."""
    mine = select(CommitteeMember.committee_id).where(CommitteeMember.account_id == actor.account_id)
    return db.session.scalars(
        select(CommitteeSession)
        .where(CommitteeSession.committee_id.in_(mine), CommitteeSession.state == "planned")
        .order_by(CommitteeSession.starts_at)
    ).all()


def recorded(found: Committee) -> Sequence[CommitteeSession]:
    """The sessions whose results stand: who sat in them changes no more."""
    return [row for row in sessions(found) if row.state in ("held", "minutes_approved")]


def applicants(case_ids: Sequence[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(Party.case_id, Party.name)
        .where(Party.case_id.in_(case_ids), Party.role != "representative")
        .order_by(Party.id.desc())
    )
    return dict(rows.all())
