"""Facts in, decision out, firing stored: the only place where a case meets a ruleset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert

import forms.answers
from forms.model import FormDefinition
from rules.decision import Decision
from webapp.extensions import db
from webapp.models import Case, Firing
from webapp.moments import taipei_day
from webapp.queries import definitions
from workflows.service import ServiceDefinition


def facts_of(
    case: Case, service: ServiceDefinition, form: FormDefinition, answers: Mapping[str, Any]
) -> dict[str, object]:
    """What guards and rules may know of a case. Names and types are those of rules.facts."""
    return {
        "service.code": service.code,
        "service.owner": service.owner,
        "service.handling_unit": service.handling_unit.zh,
        "service.workflow": service.workflow,
        "service.period": service.period.period,
        "service.period_kind": service.period.kind,
        "service.decision_level": service.decision_level,
        "service.co_review_units": service.parameters.get("co_review_units"),
        "service.stages": service.stages,
        "case.channel": case.channel,
        "case.filed_on": case.filed_on,
        "case.state": case.state,
        "case.proposal": case.proposal,
        "case.fee": case.fee_total,
        "case.paid": case.paid_at is not None,
        "applicant.type": answers.get("applicant_type"),
        "applicant.township": township_of(form, answers),
        **forms.answers.facts(form, answers),
    }


def township_of(form: FormDefinition, answers: Mapping[str, Any]) -> str | None:
    """The township that the application is about where the form asks for it, else that of the address."""
    asked = (answers.get(field.key) for field in form.fields if field.type == "township")
    address = answers.get("address")
    return next((t for t in asked if t), address.get("township") if isinstance(address, Mapping) else None)


def decide(ruleset: str, facts: Mapping[str, object], selects: date) -> tuple[Decision, int]:
    """The decision, and the revision that made it: the one in force on the day that the ruleset goes by."""
    revision = definitions.revision_id("ruleset", ruleset, selects)
    return definitions.ruleset(revision).evaluate(facts), revision


#: what a firing says; its key is the database's
FIRING = (
    "case_id",
    "ruleset_revision_id",
    "clock_id",
    "as_of",
    "at",
    "facts",
    "outcomes",
    "explanation",
    "engine",
)


def firing(
    case_id: int, decision: Decision, revision: int, now: datetime, clock_id: int | None = None
) -> Firing:
    """The record of a decision, with its facts and its explanation; not yet written."""
    record = decision.to_json()
    return Firing(
        case_id=case_id,
        ruleset_revision_id=revision,
        clock_id=clock_id,
        as_of=taipei_day(now),
        at=now,
        facts={name: _plain(value) for name, value in sorted(decision.facts.items()) if value is not None},
        outcomes=record["outcomes"],
        explanation=record["explanation"],
        engine=decision.engine,
    )


def store(decided: Sequence[tuple[int, int, Decision, int]], now: datetime) -> dict[int, int]:
    """Keeps decisions on clocks, (case, clock, decision, revision) each. Returns the firing of each clock."""
    rows = []
    for case_id, clock_id, decision, revision in decided:
        new = firing(case_id, decision, revision, now, clock_id)
        rows.append({column: getattr(new, column) for column in FIRING})
    written = db.session.execute(insert(Firing).returning(Firing.clock_id, Firing.id), rows)
    return {clock_id: firing_id for clock_id, firing_id in written if clock_id is not None}


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
