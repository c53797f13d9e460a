"""Facts in, decision out, firing stored: the only place where a case meets a ruleset."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, text

import forms.answers
from forms.model import Field, FormDefinition
from forms.places import TOWNSHIPS
from rules.decision import Decision
from webapp.extensions import db
from webapp.models import Case, Firing
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.rows import among
from webapp.services import alarms
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
        "service.deemed": service.deemed is not None,
        "service.answer": service.answer,
        "case.channel": case.channel,
        "case.filed_on": case.filed_on,
        "case.state": case.state,
        "case.proposal": case.proposal,
        "case.fee": case.fee_total,
        "case.paid": case.paid_at is not None,
        "applicant.type": answers.get("applicant_type"),
        "applicant.township": township_of(service, form, answers),
        **forms.answers.facts(form, answers),
    }


def intake_facts(
    form: FormDefinition, answers: Mapping[str, Any], rejections: int | None
) -> dict[str, object]:
    """What the risk of an application is judged by, besides what guards know of a case."""
    return {
        "case.documents_missing": len(
            [f for f in forms.answers.files_left_out(form, answers) if is_needed(f)]
        ),
        "case.corrections": 0,
        "applicant.rejections": rejections,
    }


def is_needed(document: Field) -> bool:
    """Whether an application without it is incomplete."""
    return not document.optional and document.required_when is None


def township_of(service: ServiceDefinition, form: FormDefinition, answers: Mapping[str, Any]) -> str | None:
    """The township whose own service it is; else the one that the form asks for, else that of the address."""
    if service.owner in TOWNSHIPS:
        return service.owner
    asked = (answers.get(field.key) for field in form.fields if field.type == "township")
    address = answers.get("address")
    return next((t for t in asked if t), address.get("township") if isinstance(address, Mapping) else None)


def decide(ruleset: str, facts: Mapping[str, object], selects: date) -> tuple[Decision, int]:
    """The decision, and the revision that made it: the one in force on the day that the ruleset goes by.

    Whatever is wrong with the ruleset, there is an answer: nothing follows then, and the decision says why.
    """
    decider, revision = definitions.deciding(ruleset, selects)
    return decider.answer(facts), revision


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


def keep(case_id: int, decision: Decision, revision: int, now: datetime, clock_id: int) -> None:
    """Keeps a decision that is about the limit of a case."""
    db.session.add(firing(case_id, decision, revision, now, clock_id))
    db.session.flush()
    report([(decision, revision)], now)


def keep_undecided(decided: Sequence[tuple[int, int, Decision, int]], now: datetime) -> None:
    """That nothing could be decided on a clock, (case, clock, decision, revision) each; once a revision."""
    new = [each for each in decided if each[2].engine == "none"]
    if not new:
        return
    known = db.session.execute(
        select(Firing.clock_id, Firing.ruleset_revision_id).where(
            among(Firing.clock_id, [clock_id for _, clock_id, _, _ in new]), Firing.engine == "none"
        )
    )
    kept = {tuple(row) for row in known}
    if new := [each for each in new if (each[1], each[3]) not in kept]:
        store(new, now)


def report(decided: Iterable[tuple[Decision, int]], now: datetime) -> None:
    """What is wrong with an engine or a ruleset is told, whoever was in the way of it."""
    troubles = {
        id(decision.trouble): (decision.trouble, revision)
        for decision, revision in decided
        if decision.trouble
    }
    for trouble, revision in troubles.values():
        facts = {name: _plain(value) for name, value in sorted(trouble.facts.items()) if value is not None}
        alarms.rules_in_trouble(trouble, revision, facts, now)


def store(decided: Sequence[tuple[int, int, Decision, int]], now: datetime) -> dict[int, int]:
    """Keeps decisions on clocks, (case, clock, decision, revision) each. Returns the firing of each clock.

    One statement; a decision that many clocks share travels once.
    """
    shared: dict[int, dict[str, Any]] = {}
    of_clocks = []
    for case_id, clock_id, decision, revision in decided:
        if id(decision) not in shared:
            new = firing(case_id, decision, revision, now)
            shared[id(decision)] = {
                **{name: getattr(new, name) for name in _OF_DECISION},
                "n": len(shared),
                "as_of": new.as_of.isoformat(),
                "at": now.isoformat(),
            }
        of_clocks.append({"case_id": case_id, "clock_id": clock_id, "n": shared[id(decision)]["n"]})
    written = db.session.execute(
        _STORE, {"clocks": json.dumps(of_clocks), "decisions": json.dumps(list(shared.values()))}
    )
    return dict(written.all())


_OF_DECISION = ("ruleset_revision_id", "facts", "outcomes", "explanation", "engine")
_STORE = text(
    """
    insert into firing (case_id, clock_id, as_of, at, ruleset_revision_id, facts, outcomes, explanation, engine)
    select c.case_id, c.clock_id, d.as_of, d.at, d.ruleset_revision_id, d.facts, d.outcomes, d.explanation, d.engine
    from jsonb_to_recordset(cast(:clocks as jsonb)) as c(case_id bigint, clock_id bigint, n int)
    join jsonb_to_recordset(cast(:decisions as jsonb)) as d(n int, as_of date, at timestamptz,
        ruleset_revision_id bigint, facts jsonb, outcomes jsonb, explanation jsonb, engine text) using (n)
    returning clock_id, id
    """
)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    return value
