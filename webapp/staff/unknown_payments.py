"""Money for nobody's account: the cashier finds the invoice that it was meant for, or records that it went back."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from webapp.errors import DomainError
from webapp.models import Payment
from webapp.moments import taipei_day
from webapp.payments.virtual_account import grouped
from webapp.presentation import in_language, money
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import payments
from webapp.staff import bp
from webapp.staff.cashier import STATES, invoices_by
from webapp.staff.typed import Mistakes, boxes, posted_day, read_day, summary
from webapp.uow import unit_of_work


@bp.get("/payments/<int:payment_id>")
def unknown_payment(payment_id: int) -> ResponseReturnValue:
    found = payments.unknown(actor(), payment_id)
    return _page(found, asked=request.args.get("q", "").strip())


@bp.post("/payments/<int:payment_id>/assign")
def assign_payment(payment_id: int) -> ResponseReturnValue:
    found = payments.unknown(actor(), payment_id)
    asked, chosen = request.form.get("q", "").strip(), request.form.get("invoice", "")
    reason, mistakes = request.form.get("reason", "").strip(), Mistakes()
    if not chosen:
        mistakes["invoice"] = [_("請選擇繳費單。")]
    if not reason:
        mistakes["reason"] = [_("請寫明怎麼查到的。")]
    if mistakes:
        return _page(found, asked=asked, chosen=chosen, reason=reason, mistakes=mistakes), 422
    invoice = payments.visible(actor(), chosen)
    try:
        with unit_of_work():
            payments.assign(actor(), found, invoice, reason, now())
    except DomainError as refusal:
        refused = {"reason": [in_language(refusal.text)]}
        return _page(found, asked=asked, chosen=chosen, reason=reason, mistakes=refused), refusal.status
    flash(_("款項已歸入繳費單。"), "success")
    return redirect(url_for("staff.invoice", pid=chosen))


@bp.post("/payments/<int:payment_id>/send-back")
def send_payment_back(payment_id: int) -> ResponseReturnValue:
    found, mistakes = payments.unknown(actor(), payment_id), Mistakes()
    why, typed = request.form.get("why", "").strip(), posted_day("back")
    day = read_day("back", typed, mistakes)
    if not why:
        mistakes["why"] = [_("請寫明退回的理由。")]
    if day is None or mistakes:
        return _page(found, why=why, day=typed, mistakes=mistakes), 422
    try:
        with unit_of_work():
            payments.send_back(actor(), found, day, why, now())
    except DomainError as refusal:
        return _page(found, why=why, day=typed, mistakes={"why": [in_language(refusal.text)]}), refusal.status
    flash(_("已登錄退回匯款人。"), "success")
    return redirect(url_for("staff.unknown_payment", payment_id=payment_id))


def _page(
    found: Payment,
    *,
    asked: str = "",
    chosen: str = "",
    reason: str = "",
    why: str = "",
    day: dict[str, str] | None = None,
    mistakes: Mistakes | None = None,
) -> str:
    offered = () if found.settled_at else invoices_by(asked)
    return render_template(
        "staff/unknown_payment.html",
        payment=found,
        invoice_pid=payments.invoice_of(found),
        account=grouped(found.account),
        asked=asked[:60],
        options=[
            (each.public_id, f"{each.case.number}　{money(each.total)}　{in_language(STATES[each.state])}")
            for each in offered
        ],
        chosen=chosen or (offered[0].public_id if len(offered) == 1 else ""),
        reason=reason,
        why=why,
        day=day or boxes(taipei_day(now())),
        names=chart().names,
        mistakes=mistakes or {},
        summary=summary(mistakes or {}, ("back",)),
        has_errors=bool(mistakes),
        most=payments.LONGEST_REASON,
    )
