"""What units ask of their plans: the open request of an entry, the request of a case, and what guards know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, Plan, PlanRequest, RegisterEntry
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries.org import chart
from webapp.rows import among

#: the function that takes every request in; a guard compares with it
RESEARCH = "research_office"


def of_case(case: Case) -> PlanRequest | None:
    return db.session.scalars(select(PlanRequest).where(PlanRequest.case_id == case.id)).one_or_none()


def facts(case: Case) -> dict[str, object]:
    """For guards: who approves, as the rules said when the request was sent."""
    found = of_case(case)
    return {"plan.approver": found.approver or RESEARCH} if found is not None else {}


@dataclass(frozen=True)
class Asked:
    """A request with its case, for the page of the plan."""

    request: PlanRequest
    case: Case


def of_entries(entries: Sequence[int]) -> dict[int, list[Asked]]:
    """By entry, the newest first."""
    found: dict[int, list[Asked]] = {}
    rows = db.session.execute(
        select(PlanRequest, Case)
        .join(Case, Case.id == PlanRequest.case_id)
        .where(among(PlanRequest.entry_id, entries))
        .order_by(PlanRequest.id.desc())
    )
    for request, case in rows:
        found.setdefault(request.entry_id, []).append(Asked(request, case))
    return found


def open_request(entry_id: int) -> PlanRequest | None:
    return db.session.scalars(
        select(PlanRequest).where(PlanRequest.entry_id == entry_id, PlanRequest.state == "open")
    ).one_or_none()


def may_ask(actor: Actor, plan: Plan) -> bool:
    """Whoever reports on the plan: those of the unit that leads it."""
    return any(
        f"function:{mandate.function}" in PERMISSIONS["report_plans"]
        and plan.lead_unit_id in chart().within(mandate.unit_id)
        for mandate in actor.mandates
    )


def entry(pid: str) -> RegisterEntry | None:
    return db.session.scalars(select(RegisterEntry).where(RegisterEntry.public_id == pid)).one_or_none()


@dataclass(frozen=True)
class Standings:
    """How many entries of a register are new, carried over, released, or wait for their acceptance."""

    carried_over: int
    new: int
    released: int
    to_be_accepted: int
