"""Facts in, decision out, firing stored: the only place where a case meets a ruleset."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from workflows.service import ServiceDefinition

import forms.answers
from forms.model import FormDefinition
from rules.decision import Decision
from webapp.extensions import db
from webapp.models import Case, Firing
from webapp.moments import taipei_day
from webapp.queries import definitions


def facts_of(
    case: Case, service: ServiceDefinition, form: FormDefinition, answers: Mapping[str, Any]
) -> dict[str, object]:
    """What guards and rules may know of a case. Names and types are those of rules.facts."""
    applicant = answers.get("address") or {}
    return {
        "service.code": service.code,
        "service.owner": service.owner,
        "service.workflow": service.workflow,
        "service.period": service.period.period,
        "service.decision_level": service.decision_level,
        "case.channel": case.channel,
        "case.filed_on": case.filed_on,
        "case.state": case.state,
        "case.proposal": case.proposal,
        "case.fee": case.fee_total,
        "applicant.township": applicant.get("township") if isinstance(applicant, Mapping) else None,
        **forms.answers.facts(form, answers),
    }


def evaluate(
    case: Case, ruleset: str, facts: Mapping[str, object], now: datetime, *, selects: date
) -> tuple[Decision, int]:
    """Decides by the revision in force on `selects` and stores the firing. The same evaluation a day is stored once."""
    revision = definitions.revision_id("ruleset", ruleset, selects)
    decision = definitions.ruleset(revision).evaluate(facts)
    record = decision.to_json()
    values = {
        "case_id": case.id,
        "ruleset_revision_id": revision,
        "as_of": taipei_day(now),
        "at": now,
        "facts": {
            name: _plain(facts.get(name)) for name in sorted(decision.used) if facts.get(name) is not None
        },
        "outcomes": record["outcomes"],
        "explanation": record["explanation"],
        "engine": decision.engine,
    }
    statement = insert(Firing).values(**values)
    firing_id = db.session.scalars(
        statement.on_conflict_do_update(
            index_elements=["case_id", "ruleset_revision_id", "as_of"], set_={"at": now}
        ).returning(Firing.id)
    ).one()
    return decision, firing_id


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
