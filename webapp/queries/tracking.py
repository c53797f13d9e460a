"""What an applicant may know about a case: its history without the office's own notes, its dates, its papers."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select, union_all

from rules.values import Text, normalise_code, normalise_text
from webapp.crypto import follow_code
from webapp.extensions import db
from webapp.models import (
    Case,
    CaseEvent,
    CorrectionRequest,
    Document,
    Firing,
    Invoice,
    Letter,
    Payment,
    Refund,
)
from webapp.models.letters import DECISIONS, PLAIN
from webapp.permissions import Actor
from webapp.queries import bookings, committees, effects, payouts


def events(case_id: int) -> Sequence[CaseEvent]:
    return db.session.scalars(
        select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)
    ).all()


def letter(case_id: int) -> Letter | None:
    """The letter that stands: the newest that decides something; its PDF may still be printed."""
    return db.session.scalars(
        select(Letter)
        .where(Letter.case_id == case_id, Letter.kind.not_in(("correction_of", *PLAIN)))
        .order_by(Letter.id.desc())
        .limit(1)
    ).first()


def decision(case_id: int) -> Letter | None:
    """The letter that decided the case, whatever became of it."""
    return db.session.scalars(
        select(Letter).where(Letter.case_id == case_id, Letter.kind.in_(DECISIONS))
    ).one_or_none()


def _letters(case_id: int) -> list[Any]:
    """What the page says of each letter."""
    said = (Letter.id, Letter.document_id, Letter.served_on, Letter.transit)
    rows = db.session.execute(select(*said).where(Letter.case_id == case_id).order_by(Letter.id))
    return [tuple(row) for row in rows]


def given_up(issued: Letter) -> bool:
    """Whether the printing of a letter failed for good, until somebody has it tried again."""
    return bool(effects.letters_given_up([issued]))


def letter_of(number: str) -> Letter | None:
    """The letter with this number, however it is typed."""
    wanted = "".join(normalise_text(unicodedata.normalize("NFKC", number[:40])).split())
    return db.session.scalars(select(Letter).where(Letter.number == wanted)).one_or_none()


def fingerprint(case: Case, today: date, language: str) -> str:
    """Changes whenever the progress page would look different: the ETag of its polled part."""
    standing, request = letter(case.id), open_request(case.id)
    seen = (
        case.public_id,
        case.version,
        _letters(case.id),
        _session(case),
        db.session.scalar(select(func.max(Firing.id)).where(Firing.case_id == case.id)),
        given_up(standing) if standing else None,
        receipt(case.id),
        request.id if request else None,
        case.due_on,
        _money(case.id),
        _appointment(case.id),
        [(entry.id, entry.returned_on, on.paid_on) for entry, on in payouts.of_case(case.id)],
        today,
        language,
    )
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:24]


def _appointment(case_id: int) -> Any:
    booking = bookings.newest(case_id)
    return (booking.id, booking.state) if booking is not None else None


def _session(case: Case) -> tuple[int, int] | None:
    found = committees.coming(case)
    return (found.id, found.version) if found is not None else None


def _money(case_id: int) -> list[Any]:
    """Invoices, payments, refunds and their papers; a payment in part does not touch the case."""
    found = [
        select(Invoice.id, Invoice.version).where(Invoice.case_id == case_id),
        select(Payment.id, db.case((Payment.taken_back_at.is_(None), Payment.invoice_id), else_=0))
        .join(Invoice, Invoice.id == Payment.invoice_id)
        .where(Invoice.case_id == case_id),
        select(Refund.id, Refund.version)
        .join(Invoice, Invoice.id == Refund.invoice_id)
        .where(Invoice.case_id == case_id),
        select(Document.id, Document.case_id).where(
            Document.case_id == case_id, Document.kind.in_(("payment_slip", "payment_receipt"))
        ),
    ]
    rows = db.session.execute(union_all(*found)).all()
    return sorted(map(tuple, rows))


def told_by_rules(case_id: int) -> list[tuple[date, Text]]:
    """What rules decided about the applicant, in the plain words of the revision that decided; each once."""
    rows = db.session.execute(
        select(Firing.as_of, Firing.explanation).where(Firing.case_id == case_id).order_by(Firing.id)
    )
    found: dict[str, tuple[date, Text]] = {}
    for day, explanation in rows:
        for entry in explanation:
            if entry["status"] == "fired" and "plain" in entry:
                found.setdefault(entry["rule"], (day, Text(**entry["plain"])))
    return list(found.values())


def open_request(case_id: int) -> CorrectionRequest | None:
    return db.session.scalars(
        select(CorrectionRequest).where(
            CorrectionRequest.case_id == case_id,
            CorrectionRequest.closed_at.is_(None),
        )
    ).one_or_none()


def receipt(case_id: int) -> int | None:
    """The id of the receipt's PDF, once it is printed."""
    found = document(case_id, "receipt")
    return found.id if found is not None else None


def document(case_id: int, kind: str) -> Document | None:
    """The newest PDF of a kind."""
    return db.session.scalars(
        select(Document)
        .where(Document.case_id == case_id, Document.kind == kind)
        .order_by(Document.id.desc())
        .limit(1)
    ).first()


def receipt_document(case: Case) -> Document | None:
    return document(case.id, "receipt")


def letter_document(case: Case) -> Document | None:
    """The PDF of the letter that stands."""
    standing = letter(case.id)
    if standing is None or standing.document_id is None:
        return None
    return db.session.get(Document, standing.document_id)


def attachments(case_id: int) -> Sequence[Document]:
    """The applicant's own files of a case; what an officer added in a task is not among them."""
    return db.session.scalars(
        select(Document)
        .where(
            Document.case_id == case_id, Document.kind == "upload", ~Document.draft_key.startswith("task-")
        )
        .order_by(Document.id)
    ).all()


def by_number_and_code(number: str, code: str) -> Case | None:
    """The case that somebody without an account may follow."""
    wanted = db.session.scalars(select(Case).where(Case.number == case_number(number))).one_or_none()
    expected = follow_code(wanted.public_id if wanted is not None else "")
    given = normalise_code(code[:40]).encode("utf-8", "replace")
    matches = hmac.compare_digest(expected.encode(), given)
    return wanted if matches else None


def may_know_code(actor: Actor, case_id: int) -> bool:
    """With the code anybody acts as the applicant: an officer reads it only where the application was taken in."""
    return not actor.is_staff or case_id in actor.unlocked


def belongs_to_an_account(public_id: str) -> bool:
    """Whether a case waits for its owner to sign in."""
    owner = db.session.scalars(select(Case.account_id).where(Case.public_id == public_id)).first()
    return owner is not None


def case_number(text: str) -> str:
    """EC09-115-000123 however it was typed."""
    plain = normalise_code(text[:40])
    if len(plain) > 9 and plain[-9:].isdigit():
        return f"{plain[:-9]}-{plain[-9:-6]}-{plain[-6:]}"
    return plain
