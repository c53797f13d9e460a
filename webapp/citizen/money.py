"""What an applicant sees of the fee: how to pay, the papers, and the fee back when the decision is late."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from rules.values import Text
from webapp.citizen import bp, payable
from webapp.citizen.cases import printed
from webapp.citizen.sheet import version_of
from webapp.errors import Forbidden
from webapp.queries import definitions, tracking
from webapp.security import actor, now
from webapp.services import cases, refunds
from webapp.uow import unit_of_work


@bp.get("/applications/<pid>/payment-slip.pdf")
def payment_slip(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    fee = payable.of_case(found)
    return printed(
        tracking.document(found.id, "payment_slip")
        if fee is not None and fee.slip and fee.slip_ready
        else None,
        Text(
            zh="沒有可以下載的繳費單：還在製作（通常一分鐘內完成），或目前不必繳費。請看進度頁。",
            en="There is no slip to download: it is being printed, or nothing is to be paid. See the progress page.",
        ),
    )


@bp.get("/applications/<pid>/payment-receipt.pdf")
def payment_receipt(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    fee = payable.of_case(found)
    return printed(
        tracking.document(found.id, "payment_receipt") if fee is not None and fee.receipt_ready else None,
        Text(
            zh="還沒有規費收據：繳清後一分鐘內可以下載。",
            en="There is no receipt yet: it can be downloaded a minute after the fee is paid.",
        ),
    )


@bp.route("/applications/<pid>/refund", methods=["GET", "POST"])
def refund(pid: str) -> ResponseReturnValue:
    """規費法 19: when the decision is late, the applicant may end the case and get the fee back with interest."""
    found = cases.visible(actor(), pid)
    if not actor().may("withdraw"):
        raise Forbidden(
            Text(zh="只有申請人可以終止申請並退費。", en="Only the applicant may end the case with a refund.")
        )
    if request.method == "POST":
        with unit_of_work():
            refunds.end_late_case(actor(), found, now(), version=version_of(request.form))
        flash(_("您已終止申請，規費連同利息會退還給您。"), "success")
        return redirect(url_for("citizen.case", pid=pid))
    offer = refunds.offered(found, now())
    if offer is None:
        return redirect(url_for("citizen.case", pid=pid))
    due = refunds.due_now(offer, now())
    return render_template(
        "citizen/refund.html",
        case=found,
        service=definitions.service(found.service_revision_id),
        amount=due.amount,
        interest=due.interest,
        rates="、".join(f"{rate:f}%" for rate in due.rates),
    )
