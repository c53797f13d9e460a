"""All tables. Importing this module fills the metadata."""

from webapp.models.bookings import Booking, Resource, Slot
from webapp.models.cases import (
    Case,
    CaseEvent,
    CaseMove,
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
    NoticeRead,
    Party,
    Submission,
    Task,
)
from webapp.models.committees import (
    AgendaItem,
    Ballot,
    Committee,
    CommitteeMember,
    CommitteeSession,
    ConflictOfInterest,
)
from webapp.models.definitions import Publication, Revision
from webapp.models.documents import Document, DocumentChunk
from webapp.models.expediting import EscalationNotice, FileReview, OverdueLine, OverdueList, SweepRun
from webapp.models.handovers import Handover
from webapp.models.identity import Account, AuditEntry, LoginCode, Throttle
from webapp.models.letters import Letter, LetterBatch, LetterChange, LetterDraft, Phrase
from webapp.models.limits import ExtensionRequest, Suspension
from webapp.models.money import Invoice, Payment, PayoutClaim, PayoutEntry, PayoutList, Refund
from webapp.models.org import Absence, CalendarOverride, Generation, Holder, Position, Unit
from webapp.models.quality import SampleAudit, Survey

__all__ = [
    "Absence",
    "Account",
    "AgendaItem",
    "AuditEntry",
    "Ballot",
    "Booking",
    "CalendarOverride",
    "Case",
    "CaseEvent",
    "CaseMove",
    "Clock",
    "ClockMovement",
    "Committee",
    "CommitteeMember",
    "CommitteeSession",
    "ConflictOfInterest",
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
    "Handover",
    "Holder",
    "Invoice",
    "Letter",
    "LetterBatch",
    "LetterChange",
    "LetterDraft",
    "LoginCode",
    "Message",
    "NoticeRead",
    "OverdueLine",
    "OverdueList",
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
    "SampleAudit",
    "Slot",
    "Submission",
    "Survey",
    "Suspension",
    "SweepRun",
    "Task",
    "Throttle",
    "Unit",
]
