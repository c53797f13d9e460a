"""All tables. Importing this module fills the metadata."""

from webapp.models.cases import (
    Case,
    CaseEvent,
    Clock,
    ClockMovement,
    CorrectionRequest,
    Counter,
    Draft,
    Effect,
    Escalation,
    EventPayload,
    Firing,
    Message,
    Party,
    Submission,
    Task,
)
from webapp.models.definitions import Publication, Revision
from webapp.models.documents import Document, DocumentChunk
from webapp.models.identity import Account, AuditEntry, LoginCode, Throttle
from webapp.models.letters import Letter, LetterBatch, LetterChange, LetterDraft, Phrase
from webapp.models.org import Absence, CalendarOverride, Generation, Holder, Position, Unit

__all__ = [
    "Absence",
    "Account",
    "AuditEntry",
    "CalendarOverride",
    "Case",
    "CaseEvent",
    "Clock",
    "ClockMovement",
    "CorrectionRequest",
    "Counter",
    "Document",
    "DocumentChunk",
    "Draft",
    "Effect",
    "Escalation",
    "EventPayload",
    "Firing",
    "Generation",
    "Holder",
    "Letter",
    "LetterBatch",
    "LetterChange",
    "LetterDraft",
    "LoginCode",
    "Message",
    "Party",
    "Phrase",
    "Position",
    "Publication",
    "Revision",
    "Submission",
    "Task",
    "Throttle",
    "Unit",
]
