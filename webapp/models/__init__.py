"""All tables. Importing this module fills the metadata."""

from webapp.models.bookings import Booking, Resource, Slot
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
from webapp.models.expediting import EscalationNotice, FileReview, SweepRun
from webapp.models.identity import Account, AuditEntry, LoginCode, Throttle
from webapp.models.letters import Letter, LetterDraft, Phrase
from webapp.models.limits import ExtensionRequest, Suspension
from webapp.models.money import Invoice, Payment, PayoutClaim, PayoutEntry, PayoutList, Refund
from webapp.models.org import Absence, CalendarOverride, Generation, Holder, Position, Unit

__all__ = [
    "Absence",
    "Account",
    "AuditEntry",
    "Booking",
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
    "EscalationNotice",
    "EventPayload",
    "ExtensionRequest",
    "FileReview",
    "Firing",
    "Generation",
    "Holder",
    "Invoice",
    "Letter",
    "LetterDraft",
    "LoginCode",
    "Message",
    "Party",
    "Payment",
    "PayoutClaim",
    "PayoutEntry",
    "PayoutList",
    "Phrase",
    "Position",
    "Publication",
    "Refund",
    "Resource",
    "Revision",
    "Slot",
    "Submission",
    "Suspension",
    "SweepRun",
    "Task",
    "Throttle",
    "Unit",
]
