"""Calls for proposals, what was proposed in them, and what became of it: counts, money and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from rules.values import Text, format_day
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.models import (
    Case,
    Firing,
    Plan,
    Proposal,
    ProposalCall,
    ProposalDecision,
    ProposalLetIn,
    ProposalSitting,
    Register,
    Revision,
)
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries import submissions
from webapp.queries.org import UnitInfo, chart

PAGE = 50
RULESET = "plan_selection"
#: functions that head a unit and what is below it
_HEADS = frozenset({"section_head", "department_head"})
NOT_WITHDRAWN = func.coalesce(Case.outcome, "") != "withdrawn"
SUBMITTED = and_(Proposal.handed_in_at.is_not(None), NOT_WITHDRAWN)
KEPT = and_(Proposal.decision.in_(("kept", "amended")), NOT_WITHDRAWN)
#: what is left of it
AMOUNT = func.coalesce(Proposal.kept_amount, Proposal.budget)


@dataclass(frozen=True)
class Totals:
    """件數與經費: what was submitted, and what is kept of it so far."""

    submitted: int = 0
    asked: Decimal = Decimal(0)
    kept: int = 0
    left: Decimal = Decimal(0)
    dropped: int = 0
    entered: int = 0

    @property
    def undecided(self) -> int:
        return self.submitted - self.kept - self.dropped


@dataclass(frozen=True)
class Line:
    """A proposal in a list."""

    case: str
    case_id: int
    number: str
    version: int
    state: str
    status: str
    title: str
    unit_id: int
    budget: Decimal | None
    kept_amount: Decimal | None
    decision: str | None
    words: str
    sitting: int | None
    handed_in_at: datetime | None
    plan: str | None

    @property
    def left(self) -> Decimal | None:
        return self.kept_amount if self.kept_amount is not None else self.budget


# --- one ------------------------------------------------------------------------------------------------------


def call(pid: str) -> ProposalCall:
    found = db.session.scalars(select(ProposalCall).where(ProposalCall.public_id == pid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def register_of(of: ProposalCall) -> Register:
    return db.session.get_one(Register, of.register_id)


def sitting(pid: str) -> ProposalSitting:
    found = db.session.scalars(select(ProposalSitting).where(ProposalSitting.public_id == pid)).one_or_none()
    if found is None:
        raise NotFound()
    return found


def call_of(of: ProposalSitting) -> ProposalCall:
    return db.session.get_one(ProposalCall, of.call_id)


def sittings(of: ProposalCall) -> Sequence[ProposalSitting]:
    return db.session.scalars(
        select(ProposalSitting).where(ProposalSitting.call_id == of.id).order_by(ProposalSitting.number)
    ).all()


def of_case(case_id: int) -> Proposal | None:
    return db.session.scalars(select(Proposal).where(Proposal.case_id == case_id)).one_or_none()


def of_same_title(call_id: int, unit_id: int, title: str, *, besides: int = 0) -> str | None:
    """The number of another proposal of the unit in the call that is called the same."""
    return db.session.scalars(
        select(Case.number)
        .join(Proposal, Proposal.case_id == Case.id)
        .where(
            Proposal.call_id == call_id,
            Proposal.unit_id == unit_id,
            Proposal.title == title,
            Proposal.id != besides,
            NOT_WITHDRAWN,
        )
        .order_by(Case.id)
        .limit(1)
    ).first()


# --- whether it is open ---------------------------------------------------------------------------------------


def let_ins(of: ProposalCall) -> Sequence[ProposalLetIn]:
    return db.session.scalars(
        select(ProposalLetIn).where(ProposalLetIn.call_id == of.id).order_by(ProposalLetIn.unit_id)
    ).all()


def closes_for(of: ProposalCall, unit_id: int) -> date:
    """The last day on which a unit may propose."""
    later = db.session.get(ProposalLetIn, (of.id, unit_id))
    return max(of.closes_on, later.until) if later is not None else of.closes_on


def require_open(of: ProposalCall, unit_id: int, today: date) -> None:
    if today < of.opens_on:
        day = of.opens_on
        raise Refused(
            Text(
                zh=f"「{of.title}」{format_day(day, 'zh')}才開始提報。",
                en=f"“{of.title}” opens on {format_day(day, 'en')}.",
            )
        )
    if today > (last := closes_for(of, unit_id)):
        raise Refused(
            Text(
                zh=f"「{of.title}」已在{format_day(last, 'zh')}截止。要補提報，請洽研考單位同意放寬期限。",
                en=f"“{of.title}” closed on {format_day(last, 'en')}. Ask the plan-control office to let your unit in.",
            )
        )


def units_of(actor: Actor, today: date) -> list[UnitInfo]:
    """The units for which somebody may propose: where an officer writes it; heads, for what is below them too."""
    tree = chart()
    reach: set[int] = set()
    for mandate in actor.mandates:
        if f"function:{mandate.function}" in PERMISSIONS["report_plans"]:
            reach |= tree.within(mandate.unit_id) if mandate.function in _HEADS else {mandate.unit_id}
    staffed = {seat.unit_id for seat in tree.seats if seat.function == "officer" and seat.held_on(today)}
    return [tree.units[unit] for unit in sorted(reach & staffed)]


# --- counts and lists -----------------------------------------------------------------------------------------


def calls() -> list[tuple[ProposalCall, Register, Totals]]:
    """The newest first."""
    counted = _totals(Proposal.call_id)
    rows = db.session.execute(
        select(ProposalCall, Register)
        .join(Register, Register.id == ProposalCall.register_id)
        .order_by(Register.roc_year.desc(), ProposalCall.id.desc())
    )
    return [(call_, register, counted.get(call_.id, Totals())) for call_, register in rows]


def totals(of: ProposalCall) -> Totals:
    return _totals(Proposal.call_id, Proposal.call_id == of.id).get(of.id, Totals())


def by_unit(of: ProposalCall) -> list[tuple[UnitInfo, Totals]]:
    """Those that asked for most first."""
    found = _totals(Proposal.unit_id, Proposal.call_id == of.id)
    tree = chart()
    rows = [(tree.units[unit], each) for unit, each in found.items() if each.submitted]
    return sorted(rows, key=lambda row: (-row[1].asked, row[0].id))


def of_sitting(of: ProposalSitting) -> Totals:
    """By what was decided there, whatever came later."""
    kept_there = ProposalDecision.amount.is_not(None)
    figures = db.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(Proposal.budget), 0),
            func.count().filter(kept_there),
            func.coalesce(func.sum(ProposalDecision.amount), 0),
            func.count().filter(ProposalDecision.decision == "dropped"),
        )
        .select_from(Proposal)
        .outerjoin(ProposalDecision, _there(of))
        .where(_before(of))
    ).one()
    return Totals(*figures)


def decided_in(of: ProposalSitting, proposal: Proposal) -> bool:
    return (
        db.session.scalars(
            select(ProposalDecision.id).where(_there(of), ProposalDecision.proposal_id == proposal.id)
        ).first()
        is not None
    )


def _there(of: ProposalSitting) -> ColumnElement[bool]:
    return and_(ProposalDecision.proposal_id == Proposal.id, ProposalDecision.sitting_id == of.id)


def _before(of: ProposalSitting) -> ColumnElement[bool]:
    """On its agenda now, or decided there."""
    return or_(Proposal.sitting_id == of.id, ProposalDecision.id.is_not(None))


def _totals(by: Any, *where: ColumnElement[bool]) -> dict[int, Totals]:
    rows = db.session.execute(
        select(
            by,
            func.count().filter(SUBMITTED),
            func.coalesce(func.sum(Proposal.budget).filter(SUBMITTED), 0),
            func.count().filter(KEPT),
            func.coalesce(func.sum(AMOUNT).filter(KEPT), 0),
            func.count().filter(Proposal.decision == "dropped"),
            func.count().filter(Case.state == "approved"),
        )
        .join(Case, Case.id == Proposal.case_id)
        .where(*where)
        .group_by(by)
    )
    return {key: Totals(*figures) for key, *figures in rows}


@dataclass(frozen=True)
class Filters:
    """As the address of the page says them."""

    state: str = ""
    unit_id: int | None = None
    q: str = ""


def lines(of: ProposalCall, page: int | None, filters: Filters = Filters()) -> list[Line]:
    return _lines(Proposal.call_id == of.id, *_chosen(filters), page=page)


def count(of: ProposalCall, filters: Filters = Filters()) -> int:
    return _count(Proposal.call_id == of.id, *_chosen(filters))


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if filters.state:
        chosen.append(Case.state == filters.state)
    if filters.unit_id is not None:
        chosen.append(Proposal.unit_id == filters.unit_id)
    if filters.q:
        chosen.append(
            or_(Proposal.title.icontains(filters.q, autoescape=True), Case.number == filters.q.upper())
        )
    return chosen


def agenda(of: ProposalSitting, page: int | None) -> list[Line]:
    """Undecided ones first."""
    first = ProposalDecision.id.is_not(None)
    found = _selected(ProposalDecision, ProposalDecision.amount, ProposalDecision.title)
    return _page(found.outerjoin(ProposalDecision, _there(of)).where(_before(of)), page, first)


def agenda_count(of: ProposalSitting) -> int:
    return db.session.scalars(
        select(func.count()).select_from(Proposal).outerjoin(ProposalDecision, _there(of)).where(_before(of))
    ).one()


def waiting(call_id: int, page: int | None) -> list[Line]:
    """Passed by the first review, on no agenda yet."""
    return _lines(*_waits(call_id), page=page)


def waiting_count(call_id: int) -> int:
    return _count(*_waits(call_id))


def _waits(call_id: int) -> tuple[ColumnElement[bool], ...]:
    return Proposal.call_id == call_id, Case.state == "meeting", Proposal.sitting_id.is_(None)


def to_approve(call_id: int, page: int | None) -> list[Line]:
    return _lines(Proposal.call_id == call_id, Case.state == "approval", page=page)


def kept(of: ProposalCall) -> list[Line]:
    """納入概算審查."""
    return _lines(Proposal.call_id == of.id, KEPT, page=None)


def _lines(*where: ColumnElement[bool], page: int | None) -> list[Line]:
    return _page(_selected(Proposal, Proposal.kept_amount, Proposal.title).where(*where), page)


def _selected(decided: Any, amount: Any, title: Any) -> Select[Any]:
    """Lines; `decided` has the decision and its words, of the proposal itself or of one sitting."""
    return (
        select(
            Case.public_id,
            Case.id,
            Case.number,
            Case.version,
            Case.state,
            Case.status,
            func.coalesce(title, Proposal.title),
            Proposal.unit_id,
            Proposal.budget,
            amount,
            decided.decision,
            func.coalesce(decided.words, ""),
            ProposalSitting.number,
            Proposal.handed_in_at,
            Plan.public_id,
        )
        .select_from(Proposal)
        .join(Case, Case.id == Proposal.case_id)
        .outerjoin(ProposalSitting, ProposalSitting.id == Proposal.sitting_id)
        .outerjoin(Plan, Plan.case_id == Case.id)
    )


def _page(found: Select[Any], page: int | None, *first: ColumnElement[bool]) -> list[Line]:
    found = found.order_by(*first, Proposal.unit_id, Case.id)
    if page is not None:
        found = found.limit(PAGE).offset((page - 1) * PAGE)
    return [Line(*row) for row in db.session.execute(found)]


def _count(*where: ColumnElement[bool]) -> int:
    return db.session.scalars(
        select(func.count()).select_from(Proposal).join(Case, Case.id == Proposal.case_id).where(*where)
    ).one()


# --- of a plan ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Origin:
    """Where a plan comes from: its proposal, and why it is controlled as it is."""

    case: str
    number: str
    call: ProposalCall
    sitting: ProposalSitting | None
    decision: str
    amount: Decimal | None
    words: str
    milestones: list[dict[str, str]]
    title: Text
    revision: int
    at: datetime
    explanation: list[dict[str, Any]]


def of_plan(plan: Plan) -> Origin | None:
    if plan.case_id is None:
        return None
    row = db.session.execute(
        select(Case, Proposal, ProposalCall)
        .join(Proposal, Proposal.case_id == Case.id)
        .join(ProposalCall, ProposalCall.id == Proposal.call_id)
        .where(Case.id == plan.case_id)
    ).one_or_none()
    fired = db.session.execute(
        select(Revision.body, Revision.number, Firing.at, Firing.explanation)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Firing.case_id == plan.case_id, Revision.key == RULESET)
        .order_by(Firing.id.desc())
        .limit(1)
    ).one_or_none()
    sent = submissions.newest(plan.case_id, "plan_proposal")
    if row is None or fired is None or sent is None:
        return None
    of, proposal, call_ = row
    return Origin(
        of.public_id,
        of.number,
        call_,
        db.session.get(ProposalSitting, proposal.sitting_id) if proposal.sitting_id else None,
        proposal.decision or "",
        proposal.kept_amount or proposal.budget,
        proposal.words,
        list(sent.all_answers["milestones"]),
        Text.model_validate(fired[0]["title"]),
        *fired[1:],
    )
