"""造冊撥款: what waits, gathering it into a list, the steps of a list, and the claims that are checked again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby

from babel.dates import format_date
from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from forms.compound_types import BankAccount
from forms.field_type import Setting
from forms.messages import Invalid
from forms.model import Field
from rules.values import Text
from webapp.errors import DomainError, Forbidden, NotFound
from webapp.models import PayoutClaim, PayoutList
from webapp.moments import taipei_day
from webapp.presentation import in_language, language
from webapp.presentation import money as in_dollars
from webapp.queries import case_page, definitions
from webapp.queries import payouts as queries
from webapp.queries.org import chart
from webapp.queries.payouts import Due
from webapp.security import actor, now
from webapp.services import payout_files, payouts
from webapp.staff import bp
from webapp.staff.inbox import canonical_number
from webapp.staff.typed import Mistakes, boxes, posted_day, read_day, summary, version
from webapp.uow import unit_of_work

STATES = {
    "draft": Text(zh="造冊中", en="Draft"),
    "proposed": Text(zh="陳核中", en="To be approved"),
    "approved": Text(zh="已核定，待撥款", en="Approved, to be paid"),
    "paid": Text(zh="已撥款", en="Paid"),
    "dissolved": Text(zh="已解散", en="Dissolved"),
}
COLOURS = {"draft": "grey", "proposed": "yellow", "approved": "blue", "paid": "green", "dissolved": "grey"}
#: the account as the bank wants it, for the one field of the page of a claim
ACCOUNT = Field(key="account", type="bank_account", label=Text(zh="帳戶", en="Account"))
KINDS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True)
class Group:
    """What waits of one service."""

    code: str
    title: str
    ready: int
    total: Decimal
    blocked: int


@dataclass
class Typed:
    """What stands in the inputs of one of the forms of a page."""

    reason: str = ""
    line: str = ""
    day: dict[str, str] = field(default_factory=dict)
    account: dict[str, str] = field(default_factory=dict)


@bp.get("/payouts")
def payout_lists() -> ResponseReturnValue:
    _require_sight()
    asked = request.args.get("q", "").strip()[:60]
    number = canonical_number(asked) if asked else None
    found = queries.claims_of(actor(), number) if number else ()
    if len(found) == 1:
        return redirect(url_for("staff.payout_claim", pid=found[0].public_id))
    dues = queries.due(queries.seen(actor()), taipei_day(now()))
    return render_template(
        "staff/payouts.html",
        asked=asked,
        found=found,
        groups=[_group(code, list(each)) for code, each in groupby(dues, lambda due: due.claim.service_code)],
        open_lists=queries.lists(actor(), done=False),
        paid_lists=queries.lists(actor(), done=True),
        checks=len(queries.to_check(actor())),
        gathers=actor().may("gather_payouts"),
        title_of=_title,
        states=STATES,
        colours=COLOURS,
    )


@bp.route("/payouts/services/<code>", methods=["GET", "POST"])
def gather_payouts(code: str) -> ResponseReturnValue:
    """What is due of one service, all of it ticked; and the new list."""
    _allow("gather_payouts")
    if code not in definitions.keys("service"):
        raise NotFound()
    today = taipei_day(now())
    period, refusal = f"{today.year - 1911}年{today.month}月", None
    if request.method == "POST":
        period = request.form.get("period", "")
        try:
            with unit_of_work():
                made = payouts.gather(actor(), code, period, set(request.form.getlist("claims")), now())
                key = made.public_id
        except DomainError as refused:
            refusal = refused
        else:
            flash(_("清冊已造好，核對後送主管核定。"), "success")
            return redirect(url_for("staff.payout_list", pid=key))
    dues = queries.due(queries.own(actor(), "gather_payouts"), today, code)
    ready = [due for due in dues if due.is_ready]
    options = [_option(claim, list(each)) for claim, each in groupby(ready, lambda due: due.claim)]
    page = render_template(
        "staff/payout_service.html",
        code=code,
        title=_title(code),
        options=options,
        ticked=request.form.getlist("claims") if refusal else [key for key, _label, _hint in options],
        blocked=list({due.claim.id: due.claim for due in dues if not due.is_ready}.values()),
        total=queries.total(ready),
        period=period,
        mistakes=[in_language(refusal.text)] if refusal else [],
        has_errors=refusal is not None,
    )
    return page, refusal.status if refusal else 200


@bp.get("/payouts/lists/<pid>")
def payout_list(pid: str) -> ResponseReturnValue:
    return _list_page(_list(pid))


@bp.post("/payouts/lists/<pid>")
def take_payout_step(pid: str) -> ResponseReturnValue:
    """Proposed, approved, sent back or dissolved."""
    found, action = _list(pid), request.form.get("action", "")
    reason = request.form.get("note", "").strip()
    said = {
        "propose": _("已陳核，等候主管核定。"),
        "approve": _("清冊已核定，可以匯出撥款。"),
        "send_back": _("已退回承辦人。"),
        "dissolve": _("清冊已解散，款項回到待造冊。"),
    }
    if action not in said:
        raise NotFound()
    try:
        with unit_of_work():
            if action == "propose":
                payouts.propose(actor(), found, now(), version=version())
            elif action == "approve":
                same = request.form.get("same") == "yes"
                payouts.approve(actor(), found, now(), version=version(), says_same=same)
            elif action == "dissolve":
                payouts.dissolve(actor(), found, now(), version=version())
            else:
                payouts.send_back(actor(), found, reason, now(), version=version())
    except DomainError as refusal:
        at = "same" if action == "approve" else "note"
        return _list_page(found, refused={at: [in_language(refusal.text)]}, note=reason), refusal.status
    flash(said[action], "success")
    return redirect(url_for("staff.payout_list", pid=pid))


@bp.post("/payouts/lists/<pid>/paid")
def pay_payout_list(pid: str) -> ResponseReturnValue:
    found, typed, mistakes = _list(pid), Typed(day=posted_day("paid")), Mistakes()
    _allow("pay_payouts")
    day = read_day("paid", typed.day, mistakes)
    if day is None:
        return _list_page(found, refused=mistakes, paid=typed), 422
    try:
        with unit_of_work():
            payouts.pay(actor(), found, day, now(), version=version())
    except DomainError as refusal:
        return _list_page(found, refused={"paid": [in_language(refusal.text)]}, paid=typed), refusal.status
    flash(_("已登錄撥款。"), "success")
    return redirect(url_for("staff.payout_list", pid=pid))


@bp.post("/payouts/lists/<pid>/returned")
def return_payout(pid: str) -> ResponseReturnValue:
    """退匯: the bank could not pay one of the lines."""
    found, mistakes = _list(pid), Mistakes()
    _allow("pay_payouts", "gather_payouts")
    typed = Typed(
        line=request.form.get("line", ""),
        reason=request.form.get("reason", "").strip(),
        day=posted_day("returned"),
    )
    day = read_day("returned", typed.day, mistakes)
    number = int(typed.line) if typed.line.isascii() and typed.line.isdigit() and len(typed.line) < 7 else 0
    if number == 0:
        mistakes["line"] = [_("請選擇退匯的款項。")]
    if not typed.reason:
        mistakes["reason"] = [_("請填寫退匯原因。")]
    if day is None or mistakes:
        return _list_page(found, refused=mistakes, returned=typed), 422
    try:
        with unit_of_work():
            payouts.give_back(actor(), found, number, day, typed.reason, now())
    except DomainError as refusal:
        refused = {"line": [in_language(refusal.text)]}
        return _list_page(found, refused=refused, returned=typed), refusal.status
    flash(_("已登錄退匯。帳戶確認後，這筆款項可以再造冊。"), "success")
    return redirect(url_for("staff.payout_list", pid=pid))


@bp.post("/payouts/lists/<pid>/export")
def export_payout_list(pid: str) -> ResponseReturnValue:
    """A file for the bank. It is posted, since it is on record who took it."""
    found, kind = _list(pid), request.form.get("kind", "")
    if kind not in KINDS:
        raise NotFound()
    with unit_of_work():
        content = payouts.export(actor(), found, kind, now())
        name = f"payout-{found.service_code}-{found.number}.{kind}"
    answer: Response = make_response(content)
    answer.mimetype = KINDS[kind]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/payouts/checks")
def payout_checks() -> ResponseReturnValue:
    """年度複查, and accounts that a bank refused."""
    _require_sight()
    return render_template("staff/payout_checks.html", claims=queries.to_check(actor()), title_of=_title)


@bp.get("/payouts/claims/<pid>")
def payout_claim(pid: str) -> ResponseReturnValue:
    return _claim_page(_claim(pid))


@bp.post("/payouts/claims/<pid>")
def check_payout_claim(pid: str) -> ResponseReturnValue:
    """The result of the look: paid on, to this account, or stopped."""
    found, mistakes = _claim(pid), Mistakes()
    _allow("gather_payouts")
    stops = request.form.get("action") == "stop"
    typed = Typed(
        reason=request.form.get("reason", "").strip(),
        day=posted_day("stopped"),
        account={part: request.form.get(f"account-{part}", "").strip() for part in BankAccount.parts},
    )
    day = read_day("stopped", typed.day, mistakes) if stops else None
    account = None if stops else _account(typed.account, mistakes)
    if stops and not typed.reason:
        mistakes["reason"] = [_("請填寫停發原因。")]
    if mistakes:
        return _claim_page(found, typed, mistakes, stops), 422
    try:
        with unit_of_work():
            if day is not None:
                payouts.stop(actor(), found, day, typed.reason, now(), version=version())
            else:
                payouts.confirm(actor(), found, now(), version=version(), account=account)
    except DomainError as refusal:
        at = "reason" if stops else "account-bank"
        return _claim_page(found, typed, {at: [in_language(refusal.text)]}, stops), refusal.status
    flash(_("已停發。") if stops else _("已確認繼續發給。"), "success")
    return redirect(url_for("staff.payout_claim", pid=pid))


def _list_page(
    found: PayoutList,
    *,
    refused: Mistakes | None = None,
    note: str = "",
    paid: Typed | None = None,
    returned: Typed | None = None,
) -> str:
    today, lines, mistakes = Typed(day=boxes(taipei_day(now()))), queries.lines(found), refused or {}
    may = actor().may
    acting_for = payouts.acts_for(actor(), found) if found.state == "proposed" else None
    people = {actor().account_id, acting_for} - {None}
    another = people.isdisjoint({found.created_by_id, found.proposed_by_id})
    return render_template(
        "staff/payout_list.html",
        found=found,
        title=_title(found.service_code),
        lines=lines,
        links=queries.visible_cases(actor(), found),
        shown=_shown_account if may("see_payout_accounts") else _masked_account,
        month=_month,
        standing=sum((line.entry.amount for line in lines if line.entry.returned_on is None), Decimal(0)),
        names=chart().names,
        states=STATES,
        colours=COLOURS,
        may_propose=found.state == "draft" and may("gather_payouts"),
        may_dissolve=found.state in ("draft", "proposed") and may("gather_payouts"),
        may_approve=found.state == "proposed" and may("approve_payouts") and another,
        acts_for=chart().names.get(acting_for or 0, ""),
        same=queries.decided_by(found, people) if found.state == "proposed" else 0,
        said_same=request.form.get("same") == "yes",
        may_export=found.state in ("approved", "paid") and may("see_payout_accounts"),
        may_pay=found.state == "approved" and may("pay_payouts"),
        may_return=found.state == "paid" and (may("pay_payouts") or may("gather_payouts")),
        open_lines=[
            (
                str(line.number),
                f"{line.number}　{line.case.number}　{line.entry.payee}　{_month(line.entry.month)}",
            )
            for line in lines
            if line.entry.returned_on is None
        ],
        note=note,
        paid=paid or today,
        returned=returned or today,
        mistakes=mistakes,
        summary=summary(mistakes, ("paid", "returned")),
        has_errors=bool(mistakes),
        most=payouts.LONGEST_REASON,
    )


def _claim_page(
    found: PayoutClaim, typed: Typed | None = None, mistakes: Mistakes | None = None, stops: bool = False
) -> str:
    sees = actor().may("see_payout_accounts")
    today = boxes(taipei_day(now()))
    typed = typed or Typed(day=today, account=dict(found.account or {}) if sees else {})
    if not stops:
        typed.day = today
    return render_template(
        "staff/payout_claim.html",
        claim=found,
        title=_title(found.service_code),
        may_see_case=case_page.by_number(actor(), found.case.number or "") is not None,
        account=(_shown_account if sees else _masked_account)(found.account or {}),
        history=queries.history_of(found),
        month=_month,
        names=chart().names,
        states=STATES,
        may_check=actor().may("gather_payouts") and found.stopped_on is None,
        typed=typed,
        stops=stops,
        mistakes=mistakes or {},
        summary=summary(mistakes or {}, ("stopped",)),
        has_errors=bool(mistakes),
        most=payouts.LONGEST_REASON,
    )


def _account(typed: dict[str, str], mistakes: Mistakes) -> dict[str, str] | None:
    try:
        given = {part: [text] for part, text in typed.items()}
        read = BankAccount().parse(ACCOUNT, given, Setting(taipei_day(now())))
    except Invalid as invalid:
        for each in invalid.mistakes:
            mistakes.setdefault(f"account-{each.part}", []).append(in_language(each.text))
        return None
    if not isinstance(read, dict):
        mistakes["account-bank"] = [_("請填寫要撥入的帳戶。")]
        return None
    return {part: str(text) for part, text in read.items()}


def _require_sight() -> None:
    if not queries.may_see(actor()):
        raise Forbidden(Text(zh="您的職務不能看撥款清冊。", en="Your function does not see payment lists."))


def _allow(*permissions: str) -> None:
    """What the form of the page cannot show a mistake of."""
    if not any(actor().may(permission) for permission in permissions):
        raise Forbidden(payouts.NOT_YOURS)


def _list(pid: str) -> PayoutList:
    found = queries.payout_list(actor(), pid) if queries.may_see(actor()) else None
    if found is None:
        raise NotFound()
    return found


def _claim(pid: str) -> PayoutClaim:
    found = queries.claim(actor(), pid) if queries.may_see(actor()) else None
    if found is None:
        raise NotFound()
    return found


def _group(code: str, dues: list[Due]) -> Group:
    ready = [due for due in dues if due.is_ready]
    blocked = {due.claim.id for due in dues if not due.is_ready}
    return Group(code, _title(code), len({due.claim.id for due in ready}), queries.total(ready), len(blocked))


def _title(code: str) -> str:
    return definitions.current_service(code, taipei_day(now())).title.in_(language())


def _option(claim: PayoutClaim, dues: list[Due]) -> tuple[str, str, str]:
    """A box to tick: its value, what it is, and the months that it pays."""
    label = f"{claim.case.number}　{claim.payee}　{in_dollars(queries.total(dues))}"
    return claim.public_id, label, _("、").join(_month(due.month) for due in dues if due.month)


def _month(month: date | None) -> str:
    """114年9月, September 2025; nothing where a claim is paid once."""
    if month is None or language() != "en":
        return payout_files.month_of(month)
    return format_date(month, "MMMM y", locale="en")


def _shown_account(account: dict[str, str]) -> str:
    return " ".join(account.get(part, "") for part in BankAccount.parts)


def _masked_account(account: dict[str, str]) -> str:
    """Enough to tell two accounts apart."""
    return f"{account.get('bank', '')} ●●●●{account.get('account', '')[-4:]}" if account else ""
