"""Payment lists as the offices see them: what is due, the lists and their lines, what is to be checked again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, and_, case, cast, exists, func, or_, select, text, true
from sqlalchemy.orm import contains_eager

from webapp.extensions import db
from webapp.models import Case, Letter, PayoutClaim, PayoutEntry, PayoutList
from webapp.permissions import Actor, visible_to
from webapp.queries.committees import units_of
from webapp.queries.org import chart

ROLES = ("gather_payouts", "approve_payouts", "pay_payouts")
MOST_LISTED = 200


@dataclass(frozen=True)
class Due:
    """What can be paid now: a claim that is paid once, or one month of another."""

    claim: PayoutClaim
    #: its first day; none where the claim is paid once
    month: date | None

    @property
    def is_ready(self) -> bool:
        return self.claim.account is not None and not self.claim.needs_confirming


@dataclass(frozen=True)
class Line:
    """One line of a list, numbered as it is printed."""

    number: int
    entry: PayoutEntry
    case: Case


def own(actor: Actor, permission: str) -> ColumnElement[bool]:
    """The cases of the actor's units for that permission. What a township only reviews is paid by the county."""
    tree, units = chart(), units_of(actor, permission)
    handling = [unit for unit in units if tree.units[unit].kind != "township"]
    return or_(Case.owner_unit_id.in_(units), Case.handling_unit_id.in_(handling))


def seen(actor: Actor) -> ColumnElement[bool]:
    """Whoever has a step of the lists to do, and whoever sees every case."""
    if actor.may("see_every_case"):
        return true()
    return or_(*(own(actor, role) for role in ROLES))


def may_see(actor: Actor) -> bool:
    return actor.may("see_every_case") or any(actor.may(role) for role in ROLES)


def standing(month: ColumnElement[date | None] | None = None) -> ColumnElement[bool]:
    """The claim, or that month of it, is on a list and did not come back."""
    there = exists().where(PayoutEntry.claim_id == PayoutClaim.id, PayoutEntry.returned_on.is_(None))
    return there if month is None else there.where(PayoutEntry.month.is_not_distinct_from(month))


def due(
    scope: ColumnElement[bool], today: date, service_code: str = "", chosen: Collection[str] | None = None
) -> list[Due]:
    """By claim and month, up to the present month; a month that came back or was left out is due again."""
    this = today.replace(day=1)
    once = PayoutClaim.first_month.is_(None)
    until = case((once, this), else_=func.least(this, func.date_trunc("month", PayoutClaim.stopped_on)))
    each = (
        func.generate_series(func.coalesce(PayoutClaim.first_month, this), until, text("interval '1 month'"))
        .table_valued("day")
        .render_derived(name="each_month")
    )
    month = case((once, None), else_=cast(each.c.day, Date))
    found = (
        select(PayoutClaim, month)
        .join(Case, Case.id == PayoutClaim.case_id)
        .join(each, true())
        .where(scope, ~standing(month), ~once | PayoutClaim.stopped_on.is_(None))
        .options(contains_eager(PayoutClaim.case))
        .order_by(PayoutClaim.service_code, PayoutClaim.id, month)
        .execution_options(populate_existing=True)
    )
    if service_code:
        found = found.where(PayoutClaim.service_code == service_code)
    if chosen is not None:
        found = found.where(PayoutClaim.public_id.in_(chosen))
    return [Due(claim, paid_for) for claim, paid_for in db.session.execute(found)]


def lists(actor: Actor, *, done: bool) -> Sequence[PayoutList]:
    """The newest first: those on their way, or those that were paid."""
    states = ("paid",) if done else ("draft", "proposed", "approved")
    return db.session.scalars(
        _lists(actor).where(PayoutList.state.in_(states)).order_by(PayoutList.id.desc()).limit(MOST_LISTED)
    ).all()


def payout_list(actor: Actor, public_id: str) -> PayoutList | None:
    return db.session.scalars(_lists(actor).where(PayoutList.public_id == public_id)).one_or_none()


def lines(of: PayoutList) -> list[Line]:
    rows = db.session.execute(
        select(PayoutEntry, Case)
        .join(PayoutClaim, PayoutClaim.id == PayoutEntry.claim_id)
        .join(Case, Case.id == PayoutClaim.case_id)
        .where(PayoutEntry.list_id == of.id)
        .order_by(PayoutEntry.id)
    )
    return [Line(n, entry, of_case) for n, (entry, of_case) in enumerate(rows, start=1)]


def decided_by(of: PayoutList, people: Collection[int]) -> int:
    """How many of the grants on a list these people decided."""
    on_it = select(PayoutClaim.case_id).join(PayoutEntry).where(PayoutEntry.list_id == of.id)
    granted = select(func.count(Letter.case_id.distinct())).where(
        Letter.case_id.in_(on_it), Letter.kind == "grant", Letter.issued_by_id.in_(people)
    )
    return db.session.scalars(granted).one()


def of_case(case_id: int) -> Sequence[tuple[PayoutEntry, PayoutList]]:
    """What was paid of a case, the oldest first; a payment that came back too."""
    rows = db.session.execute(
        select(PayoutEntry, PayoutList)
        .join(PayoutList, PayoutList.id == PayoutEntry.list_id)
        .join(PayoutClaim, PayoutClaim.id == PayoutEntry.claim_id)
        .where(PayoutClaim.case_id == case_id, PayoutList.state == "paid")
        .order_by(PayoutEntry.id)
    )
    return [(entry, on) for entry, on in rows]


def waits(case_id: int) -> bool:
    """Whether something of a case was granted and nothing of it is paid yet."""
    claims = select(PayoutClaim.id).where(PayoutClaim.case_id == case_id, PayoutClaim.stopped_on.is_(None))
    return db.session.scalars(claims.limit(1)).first() is not None and not of_case(case_id)


def to_approve(actor: Actor) -> int:
    """How many lists wait for the actor's approval."""
    if not actor.may("approve_payouts"):
        return 0
    mine = (PayoutList.created_by_id != actor.account_id, PayoutList.proposed_by_id != actor.account_id)
    entries = select(PayoutEntry.list_id).join(PayoutClaim).join(Case, Case.id == PayoutClaim.case_id)
    theirs = PayoutList.id.in_(entries.where(own(actor, "approve_payouts")))
    return db.session.scalars(
        select(func.count(PayoutList.id)).where(PayoutList.state == "proposed", theirs, *mine)
    ).one()


def visible_cases(actor: Actor, of: PayoutList) -> frozenset[int]:
    """Whose case pages the actor may open."""
    on_it = select(PayoutClaim.case_id).join(PayoutEntry).where(PayoutEntry.list_id == of.id)
    return frozenset(db.session.scalars(select(Case.id).where(Case.id.in_(on_it), visible_to(actor))))


def committed(case_id: int) -> Sequence[PayoutList]:
    """The approved or paid lists on which something of a case stands: it cannot be taken off them any more."""
    of_case = select(PayoutClaim.id).where(PayoutClaim.case_id == case_id)
    standing_there = select(PayoutEntry.list_id).where(
        PayoutEntry.claim_id.in_(of_case), PayoutEntry.returned_on.is_(None)
    )
    return db.session.scalars(
        select(PayoutList)
        .where(PayoutList.id.in_(standing_there), PayoutList.state.in_(("approved", "paid")))
        .order_by(PayoutList.id)
    ).all()


def claim(actor: Actor, public_id: str) -> PayoutClaim | None:
    return db.session.scalars(_claims(actor).where(PayoutClaim.public_id == public_id)).one_or_none()


def claims_of(actor: Actor, number: str) -> Sequence[PayoutClaim]:
    """By the number of the case."""
    return db.session.scalars(_claims(actor).where(Case.number == number).order_by(PayoutClaim.id)).all()


def to_check(actor: Actor) -> Sequence[PayoutClaim]:
    """What is not paid before somebody has looked: after a year, or after a payment that came back."""
    return db.session.scalars(
        _claims(actor)
        .where(PayoutClaim.needs_confirming, PayoutClaim.stopped_on.is_(None))
        .order_by(PayoutClaim.confirmed_on, PayoutClaim.id)
        .limit(MOST_LISTED)
    ).all()


def history_of(of: PayoutClaim) -> Sequence[tuple[PayoutEntry, PayoutList]]:
    """The newest first."""
    rows = db.session.execute(
        select(PayoutEntry, PayoutList)
        .join(PayoutList, PayoutList.id == PayoutEntry.list_id)
        .where(PayoutEntry.claim_id == of.id)
        .order_by(PayoutEntry.id.desc())
        .limit(MOST_LISTED)
    )
    return [(entry, on) for entry, on in rows]


def total(dues: Collection[Due]) -> Decimal:
    return sum((each.claim.amount for each in dues), Decimal(0))


def _claims(actor: Actor) -> Select[Any]:
    return (
        select(PayoutClaim)
        .join(Case, Case.id == PayoutClaim.case_id)
        .where(seen(actor))
        .options(contains_eager(PayoutClaim.case))
    )


def _lists(actor: Actor) -> Select[Any]:
    """A list that was dissolved has no lines any more: it is seen by whoever made it."""
    entries = select(PayoutEntry.list_id).join(PayoutClaim).join(Case, Case.id == PayoutClaim.case_id)
    shown = PayoutList.id.in_(entries.where(seen(actor)))
    return select(PayoutList).where(or_(shown, and_(PayoutList.created_by_id == actor.account_id)))
