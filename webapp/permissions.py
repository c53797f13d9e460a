"""Who may do and see what: one table, one actor, one predicate for reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, true
from sqlalchemy.orm import aliased

from webapp.models import Case, Task
from webapp.moments import taipei_day
from webapp.queries.org import Mandate, chart

#: what each kind of actor may do at all; `visible_to` then says to which case
PERMISSIONS: dict[str, frozenset[str]] = {
    "apply": frozenset({"anonymous", "citizen", "staff"}),
    "follow_case": frozenset({"anonymous", "citizen", "staff"}),
    "answer_correction": frozenset({"anonymous", "citizen"}),
    "withdraw": frozenset({"anonymous", "citizen"}),
    "ask_certificate": frozenset({"anonymous", "citizen"}),
    "work_on_cases": frozenset({"staff"}),
    "take_in_at_counter": frozenset({"function:counter_clerk", "function:officer"}),
    "see_cases_of_unit": frozenset(
        {
            "function:officer",
            "function:co_reviewer",
            "function:inspector",
            "function:section_head",
            "function:department_head",
            "function:legal_officer",
            "function:township_officer",
            "function:township_head",
            "function:committee_secretary",
        }
    ),
    "see_every_case": frozenset(
        {"function:research_office", "function:secretary_general", "function:magistrate"}
    ),
    "book_slot": frozenset({"anonymous", "citizen"}),
    "manage_slots": frozenset({"function:officer", "function:section_head", "function:department_head"}),
    "take_payments": frozenset({"function:cashier"}),
    "see_expediting": frozenset(
        {
            "function:section_head",
            "function:department_head",
            "function:research_office",
            "function:secretary_general",
            "function:magistrate",
        }
    ),
    "judge_delay": frozenset(
        {
            "function:section_head",
            "function:department_head",
            "function:research_office",
            "function:secretary_general",
        }
    ),
    "check_samples": frozenset({"function:section_head", "function:department_head"}),
    "run_committees": frozenset({"function:committee_secretary"}),
    "approve_minutes": frozenset(
        {"function:section_head", "function:department_head", "function:secretary_general"}
    ),
    "gather_payouts": frozenset({"function:officer", "function:township_officer"}),
    "approve_payouts": frozenset(
        {"function:section_head", "function:department_head", "function:township_head"}
    ),
    "pay_payouts": frozenset({"function:cashier"}),
    "see_payout_accounts": frozenset(
        {
            "function:officer",
            "function:township_officer",
            "function:section_head",
            "function:department_head",
            "function:township_head",
            "function:cashier",
        }
    ),
    "hand_in_scores": frozenset(
        {"function:section_head", "function:department_head", "function:township_head"}
    ),
    "see_outbox": frozenset({"function:administrator", "demo"}),
    "resend_effects": frozenset({"function:administrator", "function:research_office"}),
    "see_rule_alarms": frozenset({"function:administrator", "function:research_office"}),
    "administer": frozenset({"function:administrator"}),
    "edit_definitions": frozenset({"function:administrator", "function:research_office"}),
    "see_plans": frozenset({"staff"}),
    "control_plans": frozenset({"function:research_office"}),
    "approve_plans": frozenset({"function:secretary_general"}),
    "report_plans": frozenset(
        {
            "function:officer",
            "function:section_head",
            "function:department_head",
            "function:township_officer",
        }
    ),
}

#: functions that see of the cases what comes to their desk, whoever of them takes it
DESKS = frozenset({"cashier", "committee_secretary", "operator", "original_agency"})


#: functions that head a unit, and read what is confidential in it
HEADS = frozenset({"section_head", "department_head", "township_head"})


@dataclass(frozen=True)
class Actor:
    """Who acts: an account with the functions of the day, somebody without an account, or the system itself."""

    kind: str
    account_id: int | None = None
    name: str = ""
    language: str = "zh"
    mandates: tuple[Mandate, ...] = ()
    #: ids of cases that this browser opened by number and code, or took in for somebody
    unlocked: frozenset[int] = frozenset()
    #: hash of the browser's token, owner of drafts without an account
    device_hash: str | None = None
    demo: bool = False
    roles: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        roles = {self.kind, *(f"function:{m.function}" for m in self.mandates)}
        if self.demo:
            roles.add("demo")
        object.__setattr__(self, "roles", frozenset(roles))

    @property
    def is_staff(self) -> bool:
        return self.kind == "staff"

    def may(self, permission: str) -> bool:
        return not self.roles.isdisjoint(PERMISSIONS[permission])


SYSTEM = Actor("system")


def staff_actor(account_id: int, name: str, now: datetime, **extra: Any) -> Actor:
    return Actor("staff", account_id, name, mandates=chart().mandates(account_id, taipei_day(now)), **extra)


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The cases that an actor may see. Every read of a case passes here; what is not seen does not exist (404)."""
    if actor.kind == "system":
        return true()
    if actor.is_staff:
        taken_in = [Case.id.in_(actor.unlocked)] if actor.unlocked else []
        ordinary = true() if actor.may("see_every_case") else _work_of(actor)
        return or_(and_(open_to_others(), ordinary), and_(~open_to_others(), _entrusted_to(actor)), *taken_in)
    mine: list[ColumnElement[bool]] = []
    if actor.account_id is not None:
        mine.append(and_(Case.account_id == actor.account_id))
    if actor.unlocked:
        mine.append(Case.id.in_(actor.unlocked))
    return or_(*mine) if mine else false()


def open_to_others() -> ColumnElement[bool]:
    """Cases that are not confidential."""
    return Case.confidential.is_(False)


def open_to_rules(actor: Actor) -> ColumnElement[bool]:
    """The cases of which an editor of rules reads number, dates and what rules decide: all but confidential ones.

    Their pages and what was asked in them stay with `visible_to`.
    """
    seen = visible_to(actor)
    return or_(open_to_others(), seen) if actor.may("edit_definitions") else seen


def _work_of(actor: Actor) -> ColumnElement[bool]:
    """Cases of the actor's units, and those that somebody asked them about."""
    units = _units_of(actor)
    own = or_(Case.handling_unit_id.in_(units), Case.owner_unit_id.in_(units))
    # a name of its own, since the statement around it may read tasks too
    task = aliased(Task)
    desks = [
        and_(task.function == function, task.unit_id.in_(served))
        for function, served in _desks_of(actor).items()
    ]
    asked = exists().where(
        task.case_id == Case.id,
        or_(task.unit_id.in_(units), task.assignee_id == actor.account_id, *desks),
    )
    return or_(own, asked)


def _entrusted_to(actor: Actor) -> ColumnElement[bool]:
    """Confidential cases in which the actor, or whom they stand in for, has a task or could take one; heads' own."""
    tree, task = chart(), aliased(Task)
    people = {actor.account_id, *(m.acting_for_id for m in actor.mandates)} - {None}
    pools = [
        and_(
            task.state == "open",
            task.assignee_id.is_(None),
            task.function == m.function,
            task.unit_id.in_(sorted(tree.within(m.unit_id))),
        )
        for m in actor.mandates
    ]
    worked_on = exists().where(
        task.case_id == Case.id,
        or_(task.assignee_id.in_(people), task.done_by_id == actor.account_id, *pools),
    )
    headed = {u for m in actor.mandates if m.function in HEADS for u in tree.within(m.unit_id)}
    return or_(worked_on, Case.owner_unit_id.in_(sorted(headed))) if headed else worked_on


def _units_of(actor: Actor) -> list[int]:
    """The units whose cases the actor works on, and those below them. A clerk of the county does not see all of it."""
    tree = chart()
    working = [m for m in actor.mandates if f"function:{m.function}" in PERMISSIONS["see_cases_of_unit"]]
    return sorted({unit for m in working for unit in tree.within(m.unit_id)})


def _desks_of(actor: Actor) -> dict[str, list[int]]:
    """By function, the units whose tasks come to a desk of the actor (cashier, secretary of a committee)."""
    tree = chart()
    desks: dict[str, set[int]] = {}
    for mandate in actor.mandates:
        if mandate.function in DESKS:
            desks.setdefault(mandate.function, set()).update(tree.within(mandate.unit_id))
    return {function: sorted(units) for function, units in desks.items()}


def acts_for(actor: Actor, assignee_id: int | None) -> int | None:
    """The absent assignee whom the actor may replace today, or None."""
    if assignee_id is None or assignee_id == actor.account_id:
        return None
    return assignee_id if any(m.acting_for_id == assignee_id for m in actor.mandates) else None
