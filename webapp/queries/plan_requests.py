"""What units ask of their plans: the open request of an entry, the request of a case, and what guards know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Case, Plan, PlanRequest, Register, RegisterEntry
from webapp.permissions import PERMISSIONS, Actor, visible_to
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
    """A request as the page of its plan lists it."""

    kind: str
    state: str
    number: str
    #: of the case, for whoever may see it
    case: str | None
    outcome: str | None
    opened_by: str
    opened_at: datetime


def of_entries(actor: Actor, entries: Sequence[int]) -> dict[int, list[Asked]]:
    """By entry, the newest first."""
    rows = db.session.execute(
        select(PlanRequest, Case.number, Case.public_id, Case.status, Case.outcome, visible_to(actor))
        .join(Case, Case.id == PlanRequest.case_id)
        .where(among(PlanRequest.entry_id, entries))
        .order_by(PlanRequest.id.desc())
    )
    found: dict[int, list[Asked]] = {}
    for request, number, key, status, outcome, seen in rows:
        found.setdefault(request.entry_id, []).append(
            Asked(
                request.kind,
                "ended" if request.state == "open" and status == "closed" else request.state,
                number,
                key if seen else None,
                outcome,
                chart().names.get(request.opened_by_id, ""),
                request.opened_at,
            )
        )
    return found


def open_request(entry_id: int) -> PlanRequest | None:
    return db.session.scalars(
        select(PlanRequest).where(PlanRequest.entry_id == entry_id, PlanRequest.state == "open")
    ).one_or_none()


def open_numbers(of: Register) -> dict[int, str]:
    """By entry of a register: the number of the case that asks something of it now."""
    rows = db.session.execute(
        select(PlanRequest.entry_id, Case.number)
        .join(Case, Case.id == PlanRequest.case_id)
        .join(RegisterEntry, RegisterEntry.id == PlanRequest.entry_id)
        .where(RegisterEntry.register_id == of.id, PlanRequest.state == "open", Case.status == "open")
    )
    return dict(rows.all())


def may_ask(actor: Actor, plan: Plan) -> bool:
    """Whoever reports on the plan: those of the unit that leads it."""
    return any(
        f"function:{mandate.function}" in PERMISSIONS["report_plans"]
        and plan.lead_unit_id in chart().within(mandate.unit_id)
        for mandate in actor.mandates
    )
