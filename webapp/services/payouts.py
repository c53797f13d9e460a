"""造冊撥款: granted amounts are gathered into a list, proposed, approved by a head, exported, paid on a day, and
listed again when the bank returns them. What is paid every month is looked at again every year (年度複查)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Select, delete, func, select, text, update

from rules.values import Text
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, PayoutClaim, PayoutEntry, PayoutList
from webapp.moments import taipei_day
from webapp.permissions import PERMISSIONS, Actor
from webapp.queries import payouts as queries
from webapp.queries import submissions
from webapp.queries.org import chart
from webapp.services import duties, parties, payout_files, payout_notices

if TYPE_CHECKING:
    from webapp.services.steps import Context

LONGEST_PERIOD, LONGEST_REASON = 40, 500
NOT_YOURS = Text(
    zh="您的職務不能辦理這個撥款步驟。", en="Your function does not take this step of a payment."
)


def join(ctx: Context, now: datetime) -> None:
    """Each award of a granted case waits for the next list. The database refuses the same award twice."""
    case, monthly = ctx.case, {award.key for award in ctx.service.awards if award.monthly}
    application, payee = submissions.application(case.id), parties.applicant(case.id)
    answers = application.all_answers
    accounts = [answers.get(field.key) for field in ctx.form.fields if field.type == "bank_account"]
    # papers are complete with the application, or with its last correction (社會救助法 10)
    complete = case.filed_on if application.number == 1 else taipei_day(application.created_at)
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
            first_month=complete.replace(day=1) if line["key"] in monthly else None,
        )
        for line in case.awards
        if Decimal(line["amount"]) > 0
    )
    db.session.flush()


def gather(
    actor: Actor, service_code: str, period: str, chosen: Collection[str], now: datetime
) -> PayoutList:
    """One list of the chosen claims, with every month of them that is due. Of two people at once, one wins."""
    _require(actor, "gather_payouts")
    if not chosen or not 0 < len(period.strip()) <= LONGEST_PERIOD:
        raise Refused(
            Text(
                zh=f"請勾選要造冊的款項，並填寫期別（最多 {LONGEST_PERIOD} 字）。",
                en=f"Choose what is to be listed and give the period, at most {LONGEST_PERIOD} characters.",
            )
        )
    _one_at_a_time(service_code, chosen)
    found = queries.due(queries.own(actor, "gather_payouts"), taipei_day(now), service_code, chosen)
    ready = [each for each in found if each.is_ready]
    if {each.claim.public_id for each in ready} != set(chosen):
        raise _listed_meanwhile(chosen)
    if duties.is_party_of_any([each.claim.case for each in ready], actor.account_id):
        raise _own_case()
    numbers = select(func.coalesce(func.max(PayoutList.number), 0))
    made = PayoutList(
        service_code=service_code,
        period=period.strip(),
        number=db.session.scalars(numbers.where(PayoutList.service_code == service_code)).one() + 1,
        state="draft",
        total=queries.total(ready),
        created_at=now,
        created_by_id=actor.account_id,
    )
    db.session.add(made)
    db.session.flush()
    db.session.add_all(
        PayoutEntry(
            list_id=made.id,
            claim_id=each.claim.id,
            month=each.month,
            amount=each.claim.amount,
            payee=each.claim.payee,
            account=each.claim.account,
        )
        for each in ready
    )
    _log(actor, "payout_gathered", made.public_id, now)
    return made


def dissolve(actor: Actor, drafted: PayoutList, now: datetime, *, version: int) -> None:
    """A list that was not approved: its amounts wait again."""
    _hold(actor, drafted, "gather_payouts", ("draft", "proposed"), version)
    db.session.execute(delete(PayoutEntry).where(PayoutEntry.list_id == drafted.id))
    drafted.state, drafted.total = "dissolved", Decimal(0)
    drafted.proposed_by_id = drafted.proposed_at = None
    _log(actor, "payout_dissolved", drafted.public_id, now)


def propose(actor: Actor, drafted: PayoutList, now: datetime, *, version: int) -> None:
    """The list goes to the head."""
    _hold(actor, drafted, "gather_payouts", ("draft",), version)
    drafted.state, drafted.note = "proposed", None
    drafted.proposed_by_id, drafted.proposed_at = actor.account_id, now
    _log(actor, "payout_proposed", drafted.public_id, now)
    payout_notices.proposed(drafted, now)


def send_back(actor: Actor, proposed: PayoutList, reason: str, now: datetime, *, version: int) -> None:
    """The head wants something else: the list is a draft again."""
    _hold(actor, proposed, "approve_payouts", ("proposed",), version)
    proposed.state, proposed.note = "draft", _reason(reason)
    proposed.proposed_by_id = proposed.proposed_at = None
    _log(actor, "payout_sent_back", proposed.public_id, now)


def approve(
    actor: Actor, proposed: PayoutList, now: datetime, *, version: int, says_same: bool = False
) -> None:
    """By a head who neither made nor proposed the list, or by their deputy; one look at the whole.

    Whoever decided a grant on it may approve the list only by saying so: it stands on the list for the treasury.
    """
    _hold(actor, proposed, "approve_payouts", ("proposed",), version)
    acting_for_id = acts_for(actor, proposed)
    people = {actor.account_id, acting_for_id} - {None}
    if duties.is_party_of_any([line.case for line in queries.lines(proposed)], acting_for_id):
        raise _own_case()
    if not people.isdisjoint({proposed.created_by_id, proposed.proposed_by_id}):
        raise Refused(
            Text(
                zh="這份清冊由您造冊或陳核，須由其他主管核定。",
                en="You made or proposed this list; another head must approve it.",
            )
        )
    same = queries.decided_by(proposed, people)
    if same and not says_same:
        raise Refused(
            Text(
                zh=f"清冊中有 {same} 件由您（或您代理的主管）決行核准。請勾選說明後核定，或請其他主管核定。",
                en=f"You, or the head for whom you stand in, decided {same} of its grants. Say so to approve it, "
                "or leave it to another head.",
            )
        )
    proposed.state, proposed.approved_by_id, proposed.approved_at = "approved", actor.account_id, now
    proposed.approved_for_id, proposed.same_hands = acting_for_id, same
    _log(actor, "payout_approved", proposed.public_id, now)


def acts_for(actor: Actor, of: PayoutList) -> int | None:
    """The absent head for whom the actor would approve a list; none by their own right."""
    functions = [name.removeprefix("function:") for name in PERMISSIONS["approve_payouts"]]
    for line in queries.lines(of)[:1]:
        for unit in (line.case.handling_unit_id, line.case.owner_unit_id):
            mandate = duties.mandate_over(actor, functions, unit)
            if mandate is not None:
                return mandate.acting_for_id
    return None


def export(actor: Actor, approved: PayoutList, kind: str, now: datetime) -> bytes:
    """The approved list for the bank, csv or xlsx. Accounts leave the house, so it is on record who took them."""
    _require(actor, *queries.ROLES)
    _seen(actor, approved)
    if approved.state not in ("approved", "paid"):
        raise Conflict(Text(zh="清冊核定後才能匯出。", en="A list can be exported once it is approved."))
    _log(actor, f"payout_exported_{kind}", approved.public_id, now)
    return payout_files.MAKERS[kind](approved, queries.lines(approved))


def pay(actor: Actor, approved: PayoutList, on: date, now: datetime, *, version: int) -> None:
    """The treasury has paid the list on that day."""
    _hold(actor, approved, "pay_payouts", ("approved",), version)
    first = taipei_day(approved.approved_at or now)
    if not first <= on <= taipei_day(now):
        raise Refused(
            Text(
                zh="撥款日不能早於核定日，也不能晚於今天。",
                en="The day cannot lie before the approval or in the future.",
            )
        )
    approved.state, approved.paid_on, approved.paid_by_id = "paid", on, actor.account_id
    _log(actor, "payout_paid", approved.public_id, now)
    payout_notices.paid(approved, on, now)


def give_back(
    actor: Actor, paid: PayoutList, number: int, on: date, reason: str, now: datetime
) -> PayoutEntry:
    """The bank returned a line: it waits for a later list, once somebody has confirmed its account."""
    _require(actor, "gather_payouts", "pay_payouts")
    _seen(actor, paid)
    db.session.refresh(paid, with_for_update=True)
    if paid.state != "paid":
        raise Conflict(Text(zh="清冊還沒有撥款。", en="The list was not paid yet."))
    found = {line.number: line.entry for line in queries.lines(paid)}.get(number)
    if found is None or not (paid.paid_on or on) <= on <= taipei_day(now):
        raise Refused(
            Text(
                zh="請選擇清冊中的一筆，退匯日不能早於撥款日，也不能晚於今天。",
                en="Choose a line of the list; the day cannot lie before the payment or in the future.",
            )
        )
    why = _reason(reason)
    db.session.refresh(found)
    if found.returned_on is not None:
        raise Conflict(Text(zh="這筆款項已登錄退匯。", en="This payment was recorded as returned before."))
    found.returned_on, found.returned_reason = on, why
    claim = db.session.get_one(PayoutClaim, found.claim_id)
    db.session.refresh(claim, with_for_update=True)
    claim.needs_confirming = True
    _log(actor, "payout_returned", f"{paid.public_id}:{number}", now)
    payout_notices.came_back(found, claim.case, on, now)
    return found


def confirm(
    actor: Actor,
    claim: PayoutClaim,
    now: datetime,
    *,
    version: int,
    account: Mapping[str, str] | None = None,
) -> None:
    """It is still due, to this account."""
    _hold_claim(actor, claim, version)
    if account is not None and dict(account) != claim.account:
        claim.account = dict(account)
        _log(actor, "payout_account_changed", claim.public_id, now)
    claim.confirmed_on, claim.needs_confirming = taipei_day(now), False
    _log(actor, "payout_confirmed", claim.public_id, now)


def stop(actor: Actor, claim: PayoutClaim, on: date, reason: str, now: datetime, *, version: int) -> None:
    """Paid no more: the month of that day is the last one. What is paid once is not paid at all."""
    _hold_claim(actor, claim, version)
    if on > taipei_day(now):
        raise Refused(Text(zh="停發日不能晚於今天。", en="The day cannot lie in the future."))
    claim.stopped_on, claim.stopped_reason, claim.stopped_by_id = on, _reason(reason), actor.account_id
    _log(actor, "payout_stopped", claim.public_id, now)


def fall_away(actor: Actor, case: Case, reason: str, now: datetime, *, from_the_start: bool) -> None:
    """The grant is gone: what stands on no approved list is not paid.

    撤銷 undoes it from the start (行政程序法 118). 廢止 ends it from now on (125): the months until now stay due.
    """
    _one_at_a_time(case.service_code, ())
    of_case = (PayoutClaim.case_id == case.id, PayoutClaim.stopped_on.is_(None))
    if not from_the_start:
        of_case = (*of_case, PayoutClaim.first_month.is_(None))
    _take_off(select(PayoutClaim.id).where(*of_case))
    claims = select(PayoutClaim).where(PayoutClaim.case_id == case.id, PayoutClaim.stopped_on.is_(None))
    for claim in db.session.scalars(claims.order_by(PayoutClaim.id).with_for_update()):
        before_it = from_the_start and claim.first_month is not None
        claim.stopped_on = claim.first_month - timedelta(days=1) if before_it else taipei_day(now)
        claim.stopped_reason, claim.stopped_by_id = reason[:LONGEST_REASON], actor.account_id
        _log(actor, "payout_stopped", claim.public_id, now)


def _take_off(claims: Select[tuple[int]]) -> None:
    """Off the lists that nobody has approved yet; a list of nothing else is dissolved."""
    lines = (PayoutEntry.claim_id.in_(claims), PayoutEntry.returned_on.is_(None))
    on_lists = select(PayoutEntry.list_id).where(*lines)
    pending = select(PayoutList).where(
        PayoutList.id.in_(on_lists), PayoutList.state.not_in(("approved", "paid"))
    )
    # whoever approves one right now was first, or finds it changed
    for found in db.session.scalars(pending.order_by(PayoutList.id).with_for_update()):
        db.session.execute(delete(PayoutEntry).where(PayoutEntry.list_id == found.id, *lines))
        rest = select(func.sum(PayoutEntry.amount)).where(PayoutEntry.list_id == found.id)
        found.total = db.session.scalars(rest).one() or Decimal(0)
        if not found.total:
            found.state, found.proposed_by_id, found.proposed_at = "dissolved", None, None
    db.session.flush()


def recheck(now: datetime) -> int:
    """What is paid every month, or waits, is paid on only after somebody looked at it within the year."""
    today = taipei_day(now)
    year_ago = date(today.year - 1, today.month, min(today.day, 28))
    marked = update(PayoutClaim).where(
        ~PayoutClaim.needs_confirming,
        PayoutClaim.confirmed_on < year_ago,
        PayoutClaim.stopped_on.is_(None),
        PayoutClaim.first_month.is_not(None) | ~queries.standing(),
    )
    stale = marked.values(needs_confirming=True, version=PayoutClaim.version + 1).returning(PayoutClaim.id)
    return len(db.session.scalars(stale).all())


def _one_at_a_time(service_code: str, chosen: Collection[str]) -> None:
    """The lists of a service are made one after the other; no claim changes while it is put on one."""
    db.session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(:key, 0))"),
        {"key": f"payout_list {service_code}"},
    )
    held = select(PayoutClaim.id).where(PayoutClaim.public_id.in_(chosen)).order_by(PayoutClaim.id)
    db.session.execute(held.with_for_update())


def _listed_meanwhile(chosen: Collection[str]) -> Conflict:
    """Who put some of it on which list, as far as that is why."""
    listed = db.session.scalars(
        select(PayoutList)
        .join(PayoutEntry)
        .join(PayoutClaim)
        .where(PayoutClaim.public_id.in_(chosen), PayoutEntry.returned_on.is_(None))
        .order_by(PayoutList.id.desc())
        .limit(1)
    ).first()
    if listed is None:
        return Conflict(
            Text(
                zh="勾選的款項有些已停發、待確認或不屬於您的單位，請重新載入頁面。",
                en="Some of it was stopped, must be confirmed or is not your unit’s. Reload the page.",
            )
        )
    name = chart().names.get(listed.created_by_id, "")
    return Conflict(
        Text(
            zh=f"勾選的款項有些已由{name}造入第 {listed.number} 號清冊，沒有重複造冊。請重新載入頁面。",
            en=f"{name} has put some of it on list {listed.number}; nothing was listed twice. Reload the page.",
        )
    )


def _hold(actor: Actor, of: PayoutList, permission: str, states: Collection[str], version: int) -> None:
    """Whoever has not every case of it in their units, or is an applicant on it, does not act on the list."""
    _require(actor, permission)
    db.session.refresh(of, with_for_update=True)
    if of.state not in states or of.version != version:
        last = of.paid_by_id or of.approved_by_id or of.proposed_by_id or of.created_by_id
        name = chart().names.get(last, "")
        raise Conflict(
            Text(
                zh=f"這份清冊已有人先處理（最後經手：{name}），請重新載入頁面。",
                en=f"Somebody handled this list before you (last: {name}). Reload the page.",
            )
        )
    of_list = select(PayoutClaim.case_id).join(PayoutEntry).where(PayoutEntry.list_id == of.id)
    on_it = select(Case.id).where(Case.id.in_(of_list)).limit(1)
    if db.session.scalars(on_it.where(~queries.own(actor, permission))).first() is not None:
        raise Forbidden(Text(zh="清冊中有不屬於您單位的案件。", en="The list has cases outside your unit."))
    if duties.is_party_of_any([line.case for line in queries.lines(of)], actor.account_id):
        raise _own_case()


def _hold_claim(actor: Actor, claim: PayoutClaim, version: int) -> None:
    _require(actor, "gather_payouts")
    db.session.refresh(claim, with_for_update=True)
    if claim.version != version or claim.stopped_on is not None:
        raise Conflict(
            Text(
                zh="這筆款項已有人先處理或已停發，請重新載入頁面。",
                en="Somebody handled this before you, or it was stopped. Reload the page.",
            )
        )
    if (
        db.session.scalars(
            select(Case.id).where(Case.id == claim.case_id, queries.own(actor, "gather_payouts"))
        ).first()
        is None
    ):
        raise Forbidden(Text(zh="這個案件不屬於您的單位。", en="This case is not your unit’s."))
    duties.require_stranger(claim.case, actor.account_id)


def _seen(actor: Actor, of: PayoutList) -> None:
    if queries.payout_list(actor, of.public_id) is None:
        raise NotFound()


def _require(actor: Actor, *permissions: str) -> None:
    if not any(actor.may(permission) for permission in permissions):
        raise Forbidden(
            Text(
                zh="您的職務不能辦理這個撥款步驟。", en="Your function does not take this step of a payment."
            )
        )


def _own_case() -> Refused:
    return Refused(
        Text(zh="清冊中有您自己的申請，須由他人辦理。", en="Your own application is on it: another must act.")
    )


def _reason(reason: str) -> str:
    given = reason.strip()
    if not 0 < len(given) <= LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"請填寫原因，最多 {LONGEST_REASON} 字。",
                en=f"Give the reason, at most {LONGEST_REASON} characters.",
            )
        )
    return given


def _log(actor: Actor, action: str, subject: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))
    db.session.flush()
