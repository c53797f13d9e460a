"""Everything that the case page shows besides the case itself, which the caller has found by `visible`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from rules.values import Text
from webapp.extensions import db
from webapp.models import (
    Case,
    Clock,
    CorrectionRequest,
    Document,
    Effect,
    Escalation,
    EscalationNotice,
    Firing,
    Letter,
    Message,
    Party,
    Revision,
    Submission,
    Task,
)
from webapp.permissions import Actor, visible_to


@dataclass(frozen=True)
class FiredRuleset:
    """A decision of a ruleset on a case, with the revision that made it."""

    key: str
    title: Text
    revision: int
    at: datetime
    explanation: tuple[Mapping[str, Any], ...]
    outcomes: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ReachedRung:
    rung: str
    at: datetime
    #: the unit of the branch whose time it was; none for the case itself
    unit_id: int | None
    #: accounts that were to hear of it, heads included
    told: tuple[int, ...]
    firing: FiredRuleset


@dataclass(frozen=True)
class CaseFile:
    """The rows that hang on one case, each list in the order in which things happened."""

    parties: tuple[Party, ...]
    submissions: tuple[Submission, ...]
    documents: Mapping[str, Document]
    tasks: tuple[Task, ...]
    corrections: tuple[CorrectionRequest, ...]
    firings: tuple[FiredRuleset, ...]
    escalations: tuple[ReachedRung, ...]
    letters: tuple[Letter, ...]
    messages: tuple[Message, ...]
    #: kinds of effects that the worker has not carried out yet
    pending: frozenset[str]

    def of_kind(self, kind: str) -> tuple[Submission, ...]:
        return tuple(s for s in self.submissions if s.kind == kind)

    @property
    def records(self) -> tuple[Submission, ...]:
        """The forms of tasks: inspection records, opinions."""
        return tuple(s for s in self.submissions if s.kind != "application")

    def document_of(self, letter: Letter) -> Document | None:
        return next((d for d in self.documents.values() if d.id == letter.document_id), None)


def read(case: Case) -> CaseFile:
    documents = _of(Document, case)
    return CaseFile(
        parties=_of(Party, case),
        submissions=_of(Submission, case),
        documents={document.public_id: document for document in documents},
        tasks=_of(Task, case),
        corrections=_of(CorrectionRequest, case),
        firings=_firings(case),
        escalations=_escalations(case),
        letters=_of(Letter, case),
        messages=_of(Message, case),
        pending=frozenset(
            db.session.scalars(
                select(Effect.kind).where(Effect.case_id == case.id, Effect.state == "pending")
            )
        ),
    )


def by_number(actor: Actor, number: str) -> str | None:
    """The public id of a case that the actor may see."""
    return db.session.scalars(
        select(Case.public_id).where(Case.number == number, visible_to(actor))
    ).one_or_none()


def _of(model: Any, case: Case) -> tuple[Any, ...]:
    return tuple(db.session.scalars(select(model).where(model.case_id == case.id).order_by(model.id)))


_FIRED = (
    Revision.key,
    Revision.body["title"],
    Revision.number,
    Firing.at,
    Firing.explanation,
    Firing.outcomes,
)


def _fired(key: str, title: Any, number: int, at: datetime, explanation: Any, outcomes: Any) -> FiredRuleset:
    return FiredRuleset(key, Text.model_validate(title), number, at, tuple(explanation), tuple(outcomes))


def _firings(case: Case) -> tuple[FiredRuleset, ...]:
    rows = db.session.execute(
        select(*_FIRED)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .where(Firing.case_id == case.id)
        .order_by(Firing.id)
    )
    return tuple(_fired(*row) for row in rows)


def _escalations(case: Case) -> tuple[ReachedRung, ...]:
    told = (
        select(func.array_agg(EscalationNotice.account_id))
        .where(EscalationNotice.escalation_id == Escalation.id)
        .correlate(Escalation)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Escalation.rung, Escalation.at, Task.unit_id, told, *_FIRED)
        .join(Firing, Firing.id == Escalation.firing_id)
        .join(Revision, Revision.id == Firing.ruleset_revision_id)
        .join(Clock, Clock.id == Escalation.clock_id)
        .outerjoin(Task, Task.id == Clock.task_id)
        .where(Firing.case_id == case.id)
        .order_by(Escalation.id)
    )
    return tuple(
        ReachedRung(rung, at, unit_id, tuple(sorted(people or ())), _fired(*fired))
        for rung, at, unit_id, people, *fired in rows
    )
