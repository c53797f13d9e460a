"""What the worker does with one effect. All of it, and the mark that it is done, is one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime

from flask import current_app
from sqlalchemy import select, update

from webapp.extensions import db
from webapp.models import Case, CommitteeSession, CorrectionRequest, Effect, Invoice, Letter, LetterBatch
from webapp.models.letters import PLAIN
from webapp.moments import utc_now
from webapp.queries import submissions
from webapp.services import (
    mailings,
    notices,
    paper_forms,
    plan_papers,
    printing,
    proposal_papers,
    score_reports,
)
from webapp.uow import unit_of_work

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 8


def perform_effect(effect_id: int) -> None:
    """Idempotent: a finished effect is not done again. A failure is written down and raised for the retry."""
    try:
        with unit_of_work():
            effect = db.session.get(Effect, effect_id, with_for_update=True)
            if effect is None or effect.state != "pending":
                return
            HANDLERS[effect.kind](effect, utc_now())
            effect.state, effect.done_at = "done", utc_now()
            effect.attempts += 1
    except Exception as error:
        with unit_of_work():
            attempts = Effect.attempts + 1
            db.session.execute(
                update(Effect)
                .where(Effect.id == effect_id, Effect.state == "pending")
                .values(
                    attempts=attempts,
                    last_error=f"{type(error).__name__}",
                    state=db.case((attempts >= MOST_ATTEMPTS, "dead"), else_="pending"),
                )
            )
        log.exception("effect %s failed", effect_id)
        raise


def _receipt(effect: Effect, now: datetime) -> None:
    printing.receipt(_case(effect), now, current_app.config)


def _application(effect: Effect, now: datetime) -> None:
    """Always of the newest answers: an order that was resent late brings no older paper back."""
    case = _case(effect)
    printing.application(case, submissions.application(case.id), now, current_app.config)


def _blank_form(effect: Effect, now: datetime) -> None:
    paper_forms.print_blank(effect.payload["code"], effect.payload["lang"], now, current_app.config)


def _draft_form(effect: Effect, now: datetime) -> None:
    paper_forms.print_draft(effect.payload["draft"], now, current_app.config)


def _letter(effect: Effect, now: datetime) -> None:
    printing.letter(db.session.get_one(Letter, effect.payload["letter_id"]), now, current_app.config)


def _payment_slip(effect: Effect, now: datetime) -> None:
    """An order that was resent late brings no paper of a closed account back."""
    invoice = _invoice(effect)
    if invoice.state == "open":
        printing.payment_slip(invoice, now, current_app.config)


def _payment_receipt(effect: Effect, now: datetime) -> None:
    printing.payment_receipt(_invoice(effect), now, current_app.config)


def _invoice(effect: Effect) -> Invoice:
    return db.session.get_one(Invoice, effect.payload["invoice_id"])


def _minutes(effect: Effect, now: datetime) -> None:
    printing.minutes(db.session.get_one(CommitteeSession, effect.payload["session_id"]), current_app.config)


def _letter_batch(effect: Effect, now: datetime) -> None:
    batch = db.session.get_one(LetterBatch, effect.payload["batch_id"])
    mailings.print_batch(batch, now, current_app.config)


def _plan_paper(effect: Effect, now: datetime) -> None:
    said = effect.payload
    plan_papers.print_paper(said["register"], said["period"], said["name"], now, current_app.config)


def _proposal_paper(effect: Effect, now: datetime) -> None:
    said = effect.payload
    proposal_papers.print_paper(said["call"], said["sitting"], now, current_app.config)


def _score_report(effect: Effect, now: datetime) -> None:
    score_reports.print_report(effect.payload["year_id"], now, current_app.config)


def _notice(effect: Effect, now: datetime) -> None:
    case = _case(effect)
    correction_due: date | None = db.session.scalars(
        select(CorrectionRequest.due_on)
        .where(CorrectionRequest.case_id == case.id)
        .order_by(CorrectionRequest.id.desc())
        .limit(1)
    ).first()
    number = db.session.scalars(
        select(Letter.number)
        .where(Letter.case_id == case.id, Letter.kind.not_in(PLAIN))
        .order_by(Letter.id.desc())
        .limit(1)
    ).first()
    base_url = current_app.config["BASE_URL"]
    notices.deliver(effect, case, base_url, now, correction_due=correction_due, letter=number or "")


def _case(effect: Effect) -> Case:
    return db.session.get_one(Case, effect.case_id or 0)


HANDLERS: dict[str, Callable[[Effect, datetime], None]] = {
    "receipt": _receipt,
    "application": _application,
    "blank_form": _blank_form,
    "draft_form": _draft_form,
    "letter": _letter,
    "payment_slip": _payment_slip,
    "payment_receipt": _payment_receipt,
    "minutes": _minutes,
    "letter_batch": _letter_batch,
    "plan_paper": _plan_paper,
    "proposal_paper": _proposal_paper,
    "score_report": _score_report,
    "notice": _notice,
}
