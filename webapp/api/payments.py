"""The gateway's webhook: signed by the gateway instead of carrying a token of a page. docs/payment-gateways.md."""

from __future__ import annotations

import logging

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from webapp.api import bp
from webapp.errors import Conflict, TooMany
from webapp.extensions import csrf
from webapp.payments import BadNotification
from webapp.payments.bank_transfer import LONGEST_BODY
from webapp.permissions import SYSTEM
from webapp.security import now
from webapp.services import accounts, invoices, payments
from webapp.uow import unit_of_work

log = logging.getLogger(__name__)


@bp.post("/payments/<gateway>")
@csrf.exempt
def notified(gateway: str) -> ResponseReturnValue:
    """200 for a payment that is kept, also when it was kept before: the gateway then stops telling of it."""
    chosen = invoices.gateway()
    if gateway != chosen.name:
        return jsonify(error="no such gateway"), 404
    try:
        body = request.stream.read(LONGEST_BODY + 1)
        given = chosen.webhook(body, request.headers, now())
    except BadNotification as refusal:
        return _refused(refusal)
    try:
        with unit_of_work():
            payment, is_new = payments.record(SYSTEM, given, now())
            known = payment.invoice_id is not None
    except Conflict as conflict:
        return jsonify(error=conflict.text.in_("en")), conflict.status
    return jsonify(
        status="recorded" if is_new else "already recorded", account="known" if known else "unknown"
    )


def _refused(refusal: BadNotification) -> ResponseReturnValue:
    """Only what is refused counts against its sender: a gateway with much to tell is not held up."""
    log.warning("payment notification refused: %s", refusal)
    try:
        accounts.count_attempt("payment", request.remote_addr or "", now())
    except TooMany as too_many:
        return jsonify(error=too_many.text.in_("en")), too_many.status
    return jsonify(error=str(refusal)), refusal.status
