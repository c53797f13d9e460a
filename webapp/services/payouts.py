"""造冊撥款: granted amounts wait, are gathered into a list, approved by a head, exported, and listed again if returned."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, func, select, update

from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, PayoutClaim, PayoutEntry, PayoutList
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import submissions
from webapp.services import parties

if TYPE_CHECKING:
    from webapp.services.steps import Context

HEAD = ("序號", "案號", "受款人", "銀行代碼", "帳號", "戶名", "金額")
#: a spreadsheet would calculate what begins with one of these
FORMULA = ("=", "+", "-", "@", "\t", "\r")

_STANDS = exists().where(PayoutEntry.claim_id == PayoutClaim.id, PayoutEntry.returned_on.is_(None))


def join(ctx: Context, now: datetime) -> None:
    """Each award of a granted case waits for the next list. The database refuses the same award twice."""
    case = ctx.case
    answers, payee = submissions.application(case.id).all_answers, parties.applicant(case.id)
    accounts = (answers.get(field.key) for field in ctx.form.fields if field.type == "bank_account")
    db.session.add_all(
        PayoutClaim(
            case_id=case.id,
            service_code=case.service_code,
            award=line["key"],
            amount=Decimal(line["amount"]),
            payee=payee.name if payee else "",
            account=next((account for account in accounts if account), None),
            created_at=now,
            confirmed_on=taipei_day(now),
        )
        for line in case.awards
        if Decimal(line["amount"]) > 0
    )
    db.session.flush()


def waiting(actor: Actor, service_code: str) -> Sequence[PayoutClaim]:
    """What stands on no list, or came back from its last one; of the cases that the actor sees."""
    return db.session.scalars(
        select(PayoutClaim)
        .join(Case, Case.id == PayoutClaim.case_id)
        .where(PayoutClaim.service_code == service_code, ~_STANDS, visible_to(actor))
        .order_by(PayoutClaim.id)
    ).all()


def gather(actor: Actor, service_code: str, period: str, now: datetime) -> PayoutList:
    """One list of everything that can be paid: confirmed, and with an account to pay to."""
    _require(actor, "gather_payouts")
    ready = [c for c in waiting(actor, service_code) if c.account and not c.needs_confirming]
    if not ready or not period.strip():
        raise Refused(
            Text(
                zh="沒有可以造冊的款項，或沒有填寫期別。缺帳戶或待複查的款項須先確認。",
                en="Nothing can be listed, or no period was given. What lacks an account must be confirmed first.",
            )
        )
    numbers = select(func.coalesce(func.max(PayoutList.number), 0))
    made = PayoutList(
        service_code=service_code,
        period=period.strip()[:40],
        number=db.session.scalars(numbers.where(PayoutList.service_code == service_code)).one() + 1,
        total=sum((claim.amount for claim in ready), Decimal(0)),
        created_at=now,
        created_by_id=actor.account_id,
    )
    db.session.add(made)
    db.session.flush()
    db.session.add_all(PayoutEntry(list_id=made.id, claim_id=c.id, amount=c.amount) for c in ready)
    db.session.flush()
    return made


def dissolve(actor: Actor, drafted: PayoutList, *, version: int) -> None:
    """A list that was not approved: its amounts wait again."""
    _require(actor, "gather_payouts")
    _hold(actor, drafted, "draft", version)
    db.session.execute(delete(PayoutEntry).where(PayoutEntry.list_id == drafted.id))
    drafted.state, drafted.total = "dissolved", Decimal(0)
    db.session.flush()


def approve(actor: Actor, drafted: PayoutList, now: datetime, *, version: int) -> None:
    """By a head who did not make the list; one look at the whole."""
    _require(actor, "approve_payouts")
    _hold(actor, drafted, "draft", version)
    if drafted.created_by_id == actor.account_id:
        raise Refused(
            Text(
                zh="這份清冊由您造冊，須由其他主管核定。",
                en="You made this list; another head must approve it.",
            )
        )
    drafted.state, drafted.approved_by_id, drafted.approved_at = "approved", actor.account_id, now
    db.session.flush()


def export(actor: Actor, approved: PayoutList) -> bytes:
    """The approved list for the bank, as CSV that spreadsheets open without calculating."""
    _hold(actor, approved, "approved", approved.version)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    entries = select(PayoutEntry).where(PayoutEntry.list_id == approved.id).order_by(PayoutEntry.id)
    for n, entry in enumerate(db.session.scalars(entries), start=1):
        claim, account = entry.claim, entry.claim.account or {}
        to = [account.get(part, "") for part in ("bank", "account", "holder")]
        cells = [claim.case.number or "", claim.payee, *to]
        writer.writerow([n, *map(_plain, cells), f"{entry.amount:f}"])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def give_back(actor: Actor, entry: PayoutEntry, on: date, reason: str, now: datetime) -> None:
    """The bank returned a payment: it waits for the next list, once somebody has confirmed its account."""
    _require(actor, "gather_payouts", "take_payments")
    if on > taipei_day(now) or not reason.strip():
        raise Refused(
            Text(
                zh="請填寫退匯日（不晚於今天）和原因。", en="Give the day, not in the future, and the reason."
            )
        )
    db.session.refresh(entry, with_for_update=True)
    owner = db.session.get_one(PayoutList, entry.list_id)
    if entry.returned_on is not None or owner.state != "approved":
        raise Conflict(
            Text(
                zh="這筆款項已登錄退匯，或清冊尚未核定。",
                en="It was returned before, or its list is not approved.",
            )
        )
    entry.returned_on, entry.returned_reason = on, reason.strip()
    db.session.get_one(PayoutClaim, entry.claim_id).needs_confirming = True
    db.session.flush()


def confirm(
    actor: Actor, claim: PayoutClaim, now: datetime, account: Mapping[str, str] | None = None
) -> None:
    """It is still due, to this account."""
    _require(actor, "gather_payouts")
    if account is not None:
        claim.account = dict(account)
    claim.confirmed_on, claim.needs_confirming = taipei_day(now), False
    db.session.flush()


def recheck(now: datetime) -> int:
    """What waits for longer than a year since it was last confirmed is paid only after somebody looked."""
    today = taipei_day(now)
    year_ago = date(today.year - 1, today.month, min(today.day, 28))
    marked = update(PayoutClaim).where(
        ~PayoutClaim.needs_confirming, PayoutClaim.confirmed_on < year_ago, ~_STANDS
    )
    stale = marked.values(needs_confirming=True, version=PayoutClaim.version + 1).returning(PayoutClaim.id)
    return len(db.session.scalars(stale).all())


def _require(actor: Actor, *permissions: str) -> None:
    if not any(actor.may(permission) for permission in permissions):
        raise Forbidden(
            Text(zh="您的職務不能辦理造冊撥款。", en="Your function does not handle payment lists.")
        )


def _hold(actor: Actor, of: PayoutList, state: str, version: int) -> None:
    """Whoever may not see one of its cases may not act on the list."""
    db.session.refresh(of, with_for_update=True)
    if of.state != state or of.version != version:
        raise Conflict(Text(zh="這份清冊已有人先處理。", en="Somebody handled this list before you."))
    of_list = select(PayoutClaim.case_id).join(PayoutEntry).where(PayoutEntry.list_id == of.id)
    if (
        db.session.scalars(select(Case.id).where(Case.id.in_(of_list), ~visible_to(actor))).first()
        is not None
    ):
        raise Forbidden(Text(zh="清冊中有不屬於您單位的案件。", en="The list has cases outside your unit."))


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
