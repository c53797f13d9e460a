"""The cashier's room: payments at the counter, payments that do not fit, refunds. Officers see invoices too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.messages import Invalid
from rules.values import Text
from webapp.errors import Conflict, DomainError, Forbidden, Refused
from webapp.models import Invoice
from webapp.moments import TAIPEI, taipei_day
from webapp.payments import Notification
from webapp.payments.virtual_account import grouped
from webapp.presentation import in_language, language
from webapp.presentation import money as as_money
from webapp.queries import case_page, money
from webapp.queries.org import chart
from webapp.security import actor, now
from webapp.services import duties, invoices, payments, refunds
from webapp.services.fees import MOST, OpenAmount
from webapp.staff import bp
from webapp.staff.inbox import canonical_number
from webapp.staff.typed import Mistakes, boxes, posted_day, read_day, summary, version
from webapp.uow import unit_of_work

STATES = {
    "open": Text(zh="待繳費", en="To be paid"),
    "paid": Text(zh="已繳清", en="Paid"),
    "lapsed": Text(zh="逾期失效", en="Lapsed"),
    "cancelled": Text(zh="已取消", en="Cancelled"),
}
COLOURS = {"open": "blue", "paid": "green", "lapsed": "red", "cancelled": "grey"}
SOURCES = {"webhook": Text(zh="轉帳", en="Transfer"), "cashier": Text(zh="臨櫃", en="Counter")}
REFUND_STATES = {
    "proposed": Text(zh="等候核定", en="To be decided"),
    "approved": Text(zh="已核定，等候撥付", en="Approved, to be paid out"),
    "refused": Text(zh="不同意", en="Refused"),
    "paid": Text(zh="已退費", en="Paid out"),
}
LONGEST_REASON = 1000
_CORRECT = Text(zh="正確的金額", en="Right amount")
_REFERENCE = re.compile(r"[A-Za-z0-9._-]{1,60}")


@dataclass
class Typed:
    """What stands in the inputs of one of the forms of the page."""

    amount: str = ""
    reference: str = ""
    reason: str = ""
    day: dict[str, str] = field(default_factory=dict)
    #: an amount that is much too large, to be confirmed
    sure: Decimal | None = None


@bp.get("/cashier")
def cashier() -> ResponseReturnValue:
    if not actor().may("take_payments"):
        raise Forbidden(Text(zh="這裡是出納的作業區。", en="This area is for cashiers."))
    asked = request.args.get("q", "").strip()
    found = invoices_by(asked)
    if len(found) == 1:
        return redirect(url_for("staff.invoice", pid=found[0].public_id))
    return render_template(
        "staff/cashier.html",
        asked=asked[:60],
        found=found,
        differences=money.differences(),
        for_nobody=money.for_nobody(),
        settled=money.settled(),
        names=chart().names,
        waiting=money.waiting(),
        grouped=grouped,
        states=STATES,
        refund_states=REFUND_STATES,
    )


def invoices_by(asked: str) -> Sequence[Invoice]:
    """By account or case number, however it is typed."""
    digits = "".join(c for c in asked if c.isdigit())
    return money.found(digits, canonical_number(asked)) if asked else ()


@bp.get("/invoices/<pid>")
def invoice(pid: str) -> ResponseReturnValue:
    found = payments.visible(actor(), pid)
    return _page(found, Typed(day=boxes(taipei_day(now()))), Typed())


@bp.post("/invoices/<pid>/payments")
def take_payment(pid: str) -> ResponseReturnValue:
    found = payments.visible(actor(), pid)
    if not actor().may("take_payments"):
        raise Forbidden(Text(zh="只有出納人員可以登錄收款。", en="Only cashiers record payments."))
    typed = Typed(
        amount=request.form.get("amount", "").strip(),
        reference=request.form.get("reference", "").strip(),
        day=posted_day("day"),
    )
    mistakes: Mistakes = {}
    amount = _amount("amount", Text(zh="收款金額", en="Amount received"), typed.amount, mistakes)
    if not _REFERENCE.fullmatch(typed.reference):
        mistakes["reference"] = [_("請填寫收據編號：英文字母、數字或 . _ -，最多 60 個字。")]
    day = read_day("day", typed.day, mistakes)
    owed = payments.much_more(found, amount) if amount is not None else None
    if amount is not None and owed is not None and request.form.get("sure") != f"{amount:f}":
        mistakes["sure"] = [
            _(
                "金額 %(amount)s 比應繳的 %(owed)s 多出許多，請檢查，或確認金額無誤。",
                amount=as_money(amount),
                owed=as_money(owed),
            )
        ]
        typed.sure = amount
    if amount is None or day is None or mistakes:
        return _page(found, typed, Typed(), mistakes), 422
    at = now() if day == taipei_day(now()) else datetime.combine(day, time(12), TAIPEI)
    given = Notification(typed.reference, found.account, amount, at)
    try:
        with unit_of_work():
            payments.at_counter(actor(), found, given, now())
    except DomainError as refusal:
        return _page(found, typed, Typed(), {"reference": [in_language(refusal.text)]}), refusal.status
    flash(_("已登錄收款。"), "success")
    return redirect(url_for("staff.invoice", pid=pid))


@bp.post("/payments/<int:payment_id>/take-back")
def take_payment_back(payment_id: int) -> ResponseReturnValue:
    found = payments.recorded(payment_id)
    invoice = payments.visible(actor(), found.public_id)
    typed, name = Typed(), f"reason-{payment_id}"
    mistakes: Mistakes = {}
    written = request.form.get(f"correct-{payment_id}", "").strip()
    correct = _amount(f"correct-{payment_id}", _CORRECT, written, mistakes) if written else None
    if not request.form.get(name, "").strip():
        mistakes[name] = [_("請寫明收回的理由。")]
    if not mistakes:
        try:
            with unit_of_work():
                payments.take_back(actor(), payment_id, request.form[name], now(), correct=correct)
        except (Conflict, Refused) as refusal:
            mistakes[name] = [in_language(refusal.text)]
    if mistakes:
        return _page(invoice, _today(), typed, mistakes), 422
    flash(_("已收回這筆收款登錄。"), "success")
    return redirect(url_for("staff.invoice", pid=invoice.public_id))


@bp.post("/invoices/<pid>/refunds")
def propose_refund(pid: str) -> ResponseReturnValue:
    found = payments.visible(actor(), pid)
    typed = Typed(
        amount=request.form.get("refund-amount", "").strip(),
        reason=request.form.get("refund-reason", "").strip(),
    )
    refunds.require_proposer(actor(), found.case)
    mistakes: Mistakes = {}
    amount = _amount("refund-amount", Text(zh="退費金額", en="Amount to refund"), typed.amount, mistakes)
    if not typed.reason:
        mistakes["refund-reason"] = [_("請寫明退費理由。")]
    elif len(typed.reason) > LONGEST_REASON:
        mistakes["refund-reason"] = [
            _("最多 %(n)s 字，目前 %(now)s 字。", n=LONGEST_REASON, now=len(typed.reason))
        ]
    if amount is None or mistakes:
        return _page(found, _today(), typed, mistakes), 422
    try:
        with unit_of_work():
            refunds.propose(actor(), found, amount, typed.reason, now())
    except DomainError as refusal:
        return _page(found, _today(), typed, {"refund-amount": [in_language(refusal.text)]}), refusal.status
    flash(_("已提出退費，等候主管核定。"), "success")
    return redirect(url_for("staff.invoice", pid=pid))


@bp.post("/refunds/<pid>/decide")
def decide_refund(pid: str) -> ResponseReturnValue:
    found = refunds.visible(actor(), pid)
    with unit_of_work():
        refunds.decide(actor(), found, request.form.get("decision") == "approve", now(), version=version())
    flash(_("已核定退費。") if found.state == "approved" else _("已登錄不同意退費。"), "success")
    return redirect(url_for("staff.invoice", pid=found.invoice.public_id))


@bp.post("/refunds/<pid>/paid")
def pay_refund(pid: str) -> ResponseReturnValue:
    found = refunds.visible(actor(), pid)
    with unit_of_work():
        refunds.pay_out(actor(), found, taipei_day(now()), now(), version=version())
    flash(_("已登錄退費。"), "success")
    return redirect(url_for("staff.invoice", pid=found.invoice.public_id))


def _page(found: Invoice, typed: Typed, refund: Typed, mistakes: Mistakes | None = None) -> str:
    of_case = found.case
    head = duties.head_over(actor(), of_case.handling_unit_id)
    return render_template(
        "staff/invoice.html",
        acts_for=chart().names.get(head.acting_for_id or 0, "") if head else "",
        invoice=found,
        case=of_case,
        may_see_case=case_page.by_number(actor(), of_case.number or "") is not None,
        account=grouped(found.account),
        balance=invoices.balance(found),
        typed=typed,
        refund=refund,
        mistakes=mistakes or {},
        summary=summary(mistakes or {}, ("day",)),
        has_errors=bool(mistakes),
        takes=actor().may("take_payments"),
        may_take_back=[
            each.id for each in found.payments if payments.may_take_back(actor(), each, of_case, now())
        ],
        posted=request.form,
        pays=refunds.may_pay(actor(), of_case),
        proposes=refunds.may_propose(actor(), of_case),
        may_decide=[each.id for each in found.refunds if refunds.may_decide(actor(), each, of_case)],
        states=STATES,
        colours=COLOURS,
        sources=SOURCES,
        refund_states=REFUND_STATES,
        names=chart().names,
        lang=language(),
    )


def _amount(name: str, label: Text, typed: str, mistakes: Mistakes) -> Decimal | None:
    try:
        amount = OpenAmount(name, label, MOST, None).read(typed)
    except Invalid as invalid:
        mistakes[name] = [in_language(each.text) for each in invalid.mistakes]
        return None
    if amount == 0:
        mistakes[name] = [_("金額須大於 0 元。")]
        return None
    return amount


def _today() -> Typed:
    return Typed(day=boxes(taipei_day(now())))
