"""Messages to applicants and officers: enqueued with the change that causes them, written by the worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from rules.values import Text, format_day
from webapp.crypto import follow_code, public_id
from webapp.extensions import db
from webapp.models import Account, Case, Clock, Effect, Message
from webapp.moments import taipei, taipei_day
from webapp.queries import bookings, definitions
from webapp.services import duties, effects, fees, parties
from workflows.answers import DECISION


@dataclass(frozen=True)
class Template:
    subject: Text
    body: Text
    #: {appeal} in the body: said only where the answer is a decision
    appeal: Text | None = None


#: announced in the words of the service's answer
OUTCOMES = frozenset({"granted", "rejected", "returned"})
#: the applicant's own acts: the page that answers them says it, nobody rings
SEEN = frozenset({"submitted", "submitted_late", "corrected", "withdrawn"})
_FOLLOW = Text(
    zh="查詢進度：{url}（案件編號 {number}，查詢碼 {code}）",
    en="Follow it at {url} (case number {number}, code {code})",
)

#: what a correction does to the time limit, by the service's mode
CORRECTION_CLOCK: dict[str, Text] = {
    "pause": Text(
        zh="補正期間不計入辦理期限。", en="The time until your answer does not count towards our time limit."
    ),
    "restart": Text(zh="收到補正後，辦理期限重新起算。", en="Our time limit starts anew with your answer."),
    "none": Text(zh="補正期間仍計入辦理期限。", en="Our time limit goes on meanwhile."),
}

_INACTION = Text(
    zh="您的權利：逾期仍未決定時，您可以依訴願法第2條提起訴願。",
    en="Your rights: while there is no decision you may appeal under article 2 of the Administrative Appeal Act. ",
)

TEMPLATES: dict[str, Template] = {
    "submitted": Template(
        Text(zh="已收到您的申請：{service}", en="We have received your application: {service}"),
        Text(
            zh="您的「{service}」申請已送達，案件編號 {number}。預計 {due} 前辦理完成。",
            en="Your application “{service}” has arrived; its number is {number}. We expect to finish it by {due}.",
        ),
    ),
    "submitted_late": Template(
        Text(zh="已收到您的申請：{service}", en="We have received your application: {service}"),
        Text(
            zh="您的「{service}」申請案件編號 {number}，{date} 收件，登錄時已超過應辦完的日期（{due}），謹此致歉。"
            "我們會儘速辦理，請到進度頁查看。",
            en="Your application “{service}” has the number {number}. It was received on {date} and entered only after "
            "it should have been finished ({due}). We apologise and go on at once; see the progress page.",
        ),
    ),
    "correction": Template(
        Text(zh="請補正您的申請：{service}", en="Please correct your application: {service}"),
        Text(
            zh="您的申請（{number}）需要補正：{comment}\n請於 {correction_due} 前線上補正，也可以親自送到櫃檯或郵寄給承辦單位。{correction_clock}",
            en="Your application {number} needs a correction: {comment}\n"
            "Please answer by {correction_due}: online, at the counter or by post. {correction_clock}",
        ),
    ),
    "correction_lapsed": Template(
        Text(zh="補正期限已過：{service}", en="The time for your correction has passed: {service}"),
        Text(
            zh="您的申請（{number}）逾期未補正，承辦人將依現有資料續行審查。",
            en="Your application {number} was not corrected in time; the review goes on with what was sent.",
        ),
    ),
    "corrected": Template(
        Text(zh="已收到您的補正：{service}", en="We have received your correction: {service}"),
        Text(
            zh="您的補正（{number}）已送達，新的預計完成日為 {due}。",
            en="Your correction of {number} has arrived. The new expected date is {due}.",
        ),
    ),
    "inspection_scheduled": Template(
        Text(zh="現場勘查時間：{service}", en="Your on-site inspection: {service}"),
        Text(
            zh="您的申請（{number}）訂於 {date} 現場勘查。{comment}",
            en="The inspection for {number} takes place on {date}. {comment}",
        ),
    ),
    "improvement": Template(
        Text(zh="勘查後請改善：{service}", en="Please improve after the inspection: {service}"),
        Text(
            zh="您的申請（{number}）經勘查需要改善：{comment}\n請於 {correction_due} 前改善並回復。",
            en="After the inspection, {number} needs an improvement: {comment}\nPlease answer by {correction_due}.",
        ),
    ),
    "payment_requested": Template(
        Text(zh="請繳納規費：{service}", en="Please pay the fee: {service}"),
        Text(
            zh="您的申請（{number}）請繳納規費。{comment}繳費後繼續辦理；等待繳費的日數不計入辦理期限。",
            en="A fee is due for your application {number}. {comment} "
            "It goes on once you have paid; the days until then do not count towards our time limit.",
        ),
    ),
    "appointment": Template(
        Text(zh="預約時間：{service}", en="Your appointment: {service}"),
        Text(
            zh="您的申請（{number}）時間訂於 {date}。{comment}",
            en="The appointment for {number} is on {date}. {comment}",
        ),
    ),
    "interim": Template(
        Text(zh="辦理情形：{service}", en="How your case stands: {service}"),
        Text(
            zh="您的案件（{number}）仍在處理中：{comment}\n預計 {due} 前回復。",
            en="We are still working on {number}: {comment}\nWe expect to answer by {due}.",
        ),
    ),
    "extended": Template(
        Text(zh="辦理期限延長：{service}", en="More time is needed: {service}"),
        Text(
            zh="您的申請（{number}）無法在原期限內辦完，經核定延長至 {date}。\n延長的理由：{comment}\n"
            "依{law}，延長以一次為限。{appeal}",
            en="We could not finish {number} in time; the limit was extended to {date}.\nThe reason: {comment}\n"
            "By the {law} it is extended only once. {appeal}",
        ),
        Text(
            zh="逾 {date} 仍未決定時，您可以依訴願法第2條提起訴願。",
            en="If there is no decision after {date}, you may appeal under article 2 of the Administrative Appeal Act.",
        ),
    ),
    "suspended": Template(
        Text(zh="辦理期限停止計算：{service}", en="The time limit stands still: {service}"),
        Text(
            zh="您的申請（{number}）因不可歸責的事由停止計算期限（行政程序法第51條第5項）：{comment}\n"
            "事由終止後會恢復計算，並通知您新的預計完成日。",
            en="The time limit of {number} stands still for a cause beyond our control (Administrative Procedure "
            "Act, article 51 V): {comment}\nWhen it has ended we go on and tell you the new expected date.",
        ),
    ),
    "resumed": Template(
        Text(zh="辦理期限恢復計算：{service}", en="The time limit runs again: {service}"),
        Text(
            zh="您的申請（{number}）恢復計算期限，新的預計完成日為 {date}。{comment}",
            en="The time limit of {number} runs again. The new expected date is {date}. {comment}",
        ),
    ),
    "limit_passed": Template(
        Text(zh="申請逾期未辦完：{service}", en="Your application is late: {service}"),
        Text(
            zh="您的申請（{number}）應於 {date} 前辦完，我們沒有做到，謹此致歉。\n{comment}\n{appeal}",
            en="We should have finished {number} by {date} and did not. We apologise.\n{comment}\n{appeal}",
        ),
        _INACTION,
    ),
    "limit_passed_paid": Template(
        Text(zh="申請逾期未辦完：{service}", en="Your application is late: {service}"),
        Text(
            zh="您的申請（{number}）應於 {date} 前辦完，我們沒有做到，謹此致歉。\n{comment}\n{appeal}"
            "已繳規費而逾期不可歸責於您時，您可以依規費法第19條終止辦理，並請求退還規費及利息。",
            en="We should have finished {number} by {date} and did not. We apologise.\n{comment}\n{appeal}"
            "If you paid a fee and the delay is not your fault, you may end the "
            "application and get the fee back with interest under article 19 of the Charges and Fees Act.",
        ),
        _INACTION,
    ),
    "date_promised": Template(
        Text(zh="新的預計完成日：{service}", en="A new expected date: {service}"),
        Text(
            zh="您的申請（{number}）已超過辦理期限，謹此致歉。承辦單位預計於 {date} 前辦完。\n原因：{comment}\n"
            "法定期限不因此延長。{appeal}",
            en="We are late with {number} and apologise. We expect to finish it by {date}.\nThe reason: {comment}\n"
            "The legal limit is not extended by it. {appeal}",
        ),
        Text(
            zh="在決定以前，您仍可以依訴願法第2條提起訴願。",
            en="While there is no decision you may still appeal under article 2 of the Administrative Appeal Act.",
        ),
    ),
    "deemed_approved": Template(
        Text(zh="申請依法視為核准：{service}", en="Approved by law: {service}"),
        Text(
            zh="您的申請（{number}）到 {date} 期限屆滿時沒有決定，依{comment}，視為核准。",
            en="There was no decision on {number} by {date}. By {comment} it counts as approved.",
        ),
    ),
    "slot_held": Template(
        Text(zh="已為您保留時段：{service}", en="A slot is held for you: {service}"),
        Text(
            zh="您的申請（{number}）已保留：{comment}。確認後會再通知您。",
            en="Held for {number}: {comment}. We tell you when it is confirmed.",
        ),
    ),
    "slot_waiting": Template(
        Text(zh="已登記候補：{service}", en="You are on the waiting list: {service}"),
        Text(
            zh="您的申請（{number}）已登記候補：{comment}。有人取消時會依序遞補並通知您。",
            en="On the waiting list for {number}: {comment}. We tell you as soon as a seat is free.",
        ),
    ),
    "slot_moved_up": Template(
        Text(zh="候補成功：{service}", en="A seat is free for you: {service}"),
        Text(
            zh="您的申請（{number}）已由候補遞補：{comment}。不能前來時請到進度頁取消。",
            en="A seat became free for {number}: {comment}. Cancel it on the progress page if you cannot come.",
        ),
    ),
    "slot_confirmed": Template(
        Text(zh="預約已確認：{service}", en="Your booking is confirmed: {service}"),
        Text(
            zh="您的申請（{number}）預約已確認：{comment}。",
            en="The booking for {number} is confirmed: {comment}.",
        ),
    ),
    "slot_moved": Template(
        Text(zh="預約改時間：{service}", en="Your appointment was moved: {service}"),
        Text(
            zh="您的申請（{number}）預約改到：{comment}\n不能前來時請到進度頁取消或洽承辦單位。",
            en="The appointment for {number} was moved to: {comment}\nIf you cannot come, cancel it or call us.",
        ),
    ),
    "slot_released": Template(
        Text(zh="預約已取消：{service}", en="Your booking is cancelled: {service}"),
        Text(
            zh="您的申請（{number}）預約已取消：{comment}。",
            en="The booking for {number} is cancelled: {comment}.",
        ),
    ),
    "slot_withdrawn": Template(
        Text(zh="預約的時段已關閉：{service}", en="Your slot is closed: {service}"),
        Text(
            zh="很抱歉，您的申請（{number}）預約的時段已由機關關閉，預約取消：{comment}\n"
            "請到進度頁另選時段；沒有其他時段時，承辦單位會與您聯絡。",
            en="We are sorry: the slot for {number} was closed by the office and the booking cancelled: {comment}\n"
            "Please choose another slot on the progress page; if there is none, the office will contact you.",
        ),
    ),
    "slot_reminder": Template(
        Text(zh="提醒您的預約：{service}", en="A reminder of your booking: {service}"),
        Text(
            zh="提醒您，您的申請（{number}）預約時間快到了：{comment}。",
            en="Your appointment for {number} is near: {comment}.",
        ),
    ),
    "certificate": Template(
        Text(zh="已發給{called}：{service}", en="Issued: {called}, {service}"),
        Text(
            zh="您聲請的{called}（{number}）已發給，文號 {sent}，請至進度頁下載。",
            en="The {called} that you asked for ({number}) is issued as {sent}. Download it from the progress page.",
        ),
    ),
    # in the words of the service, or of webapp.services.invitations
    "session": Template(Text(zh="{heading}", en="{heading}"), Text(zh="{said}", en="{said}")),
    "letter_changed": Template(
        Text(zh="公文有變更：{service}", en="A letter was changed: {service}"),
        Text(
            zh="您的申請（{number}）先前的公文{comment}，新的公文文號 {letter}，請至進度頁下載。",
            en="The earlier letter on {number} {comment}. The new letter is {letter}; see the progress page.",
        ),
    ),
    "merged": Template(
        Text(zh="申請已併案辦理：{service}", en="Your application is dealt with in another: {service}"),
        Text(
            zh="您的申請（{number}）與 {comment} 為同一申請人或同一地點，併入該案辦理，本案結案。您送的文件都保留；"
            "該案有決定時會通知您。",
            en="Your application {number} concerns the same applicant or place as {comment} and is dealt with in it. "
            "This case is closed; what you sent is kept, and you will be told what is decided.",
        ),
    ),
    "leading_decided": Template(
        Text(zh="併案辦理的案件已有決定：{service}", en="The case with yours is decided: {service}"),
        Text(
            zh="您的申請（{number}）併入 {leading} 辦理，該案已有決定，公文文號 {sent}，請至 {leading} 的進度頁下載。",
            en="Your application {number} was dealt with in {leading}, which is decided by letter {sent}. Download it "
            "from the progress page of {leading}.",
        ),
    ),
    "leading_ended": Template(
        Text(zh="併案辦理的案件已結案：{service}", en="The case with yours has ended: {service}"),
        Text(
            zh="您的申請（{number}）併入 {leading} 辦理，該案沒有作成決定就結案了。您的事項如仍需辦理，請重新提出。",
            en="Your application {number} was dealt with in {leading}, which ended without a decision. If you still "
            "need one, please apply again.",
        ),
    ),
    "moved": Template(
        Text(zh="申請改由其他單位辦理：{service}", en="Another unit handles your application: {service}"),
        Text(
            zh="您的申請（{number}）改由{comment}辦理，期限繼續計算。",
            en="Your application {number} is now handled by {comment}. The time limit goes on.",
        ),
    ),
    "transferred": Template(
        Text(zh="申請已移送有管轄權的機關：{service}", en="Transferred to the competent agency: {service}"),
        Text(
            zh="您的申請（{number}）不屬本府管轄，依行政程序法第 17 條移送{comment}，本案結案。",
            en="Your application {number} belongs to {comment} and was sent there (Administrative Procedure Act, "
            "article 17). The case is closed here.",
        ),
    ),
    "withdrawn": Template(
        Text(zh="申請已撤回：{service}", en="Withdrawn: {service}"),
        Text(
            zh="您已撤回申請（{number}），本案結案。如需辦理請重新申請。",
            en="You have withdrawn {number}; the case is closed. You may apply again at any time.",
        ),
    ),
    "invoice": Template(
        Text(zh="請繳費：{service}", en="Please pay the fee: {service}"),
        Text(
            zh="您的申請（{number}）應繳新臺幣 {amount} 元，請於 {date} 前轉帳至 {bank}，帳號 {account}。"
            "繳費單請至進度頁下載。",
            en="The fee for {number} is NT$ {amount}. Please transfer it by {date} to bank {bank}, account {account}. "
            "The payment slip is on the progress page.",
        ),
    ),
    "payment_reminder": Template(
        Text(zh="提醒您繳費：{service}", en="Reminder to pay: {service}"),
        Text(
            zh="您的申請（{number}）尚有新臺幣 {amount} 元未繳，期限為 {date}（{bank}，帳號 {account}）。已繳納者請不必理會。",
            en="NT$ {amount} is still to be paid for {number} by {date} (bank {bank}, account {account}). "
            "If you have paid, ignore this message.",
        ),
    ),
    "paid": Template(
        Text(zh="已收到您的繳費：{service}", en="We have received your payment: {service}"),
        Text(
            zh="您的申請（{number}）規費新臺幣 {amount} 元已繳清，收據請至進度頁下載。",
            en="The fee of NT$ {amount} for {number} is paid. The receipt is on the progress page.",
        ),
    ),
    "payment_corrected": Template(
        Text(zh="收款登錄已更正：{service}", en="The record of your payment was corrected: {service}"),
        Text(
            zh="您的申請（{number}）先前的收款登錄有誤，已更正：目前收到新臺幣 {amount} 元。造成不便，謹此致歉。",
            en="The record of what you paid for {number} was wrong and is corrected: NT$ {amount} have come in. "
            "We apologise.",
        ),
    ),
    "paid_in_part": Template(
        Text(zh="繳費金額不足：{service}", en="Your payment was too small: {service}"),
        Text(
            zh="您的申請（{number}）已收到部分款項，尚差新臺幣 {amount} 元，請於 {date} 前補足（{bank}，帳號 {account}）。",
            en="We have received a part of the fee for {number}. NT$ {amount} is missing; please pay it by {date} "
            "(bank {bank}, account {account}).",
        ),
    ),
    "paid_too_much": Template(
        Text(zh="您多繳的款項將退還：{service}", en="What you paid too much goes back: {service}"),
        Text(
            zh="您的申請（{number}）有新臺幣 {amount} 元超過應繳金額或已不必繳納，我們會辦理退費，不需要另外申請。",
            en="NT$ {amount} paid for {number} was more than the fee, or was no longer due. We will refund it; you "
            "need not apply.",
        ),
    ),
    "paid_out": Template(
        Text(zh="已撥款：{service}", en="Paid: {service}"),
        Text(
            zh="您的申請（{number}）核定的新臺幣 {amount} 元已於 {date} 撥入您申請時填寫的帳戶。",
            en="NT$ {amount} granted for {number} was paid on {date} to the account that you gave.",
        ),
    ),
    "payment_came_back": Template(
        Text(
            zh="款項被退回，請更正帳戶：{service}",
            en="Your payment came back, please correct the account: {service}",
        ),
        Text(
            zh="您的申請（{number}）撥付的新臺幣 {amount} 元，銀行於 {date} 退回。原因：{comment}\n"
            "請帶存摺封面影本洽{unit}（電話 {phone}）更正帳戶；更正後會再撥款，不必重新申請。",
            en="The bank returned NT$ {amount} paid for {number} on {date}. Why: {comment}\n"
            "Please bring a copy of your passbook to {unit} (telephone {phone}) to correct the account; it is then "
            "paid again, and you need not apply anew.",
        ),
    ),
    "survey": Template(
        Text(zh="滿意度調查：{service}", en="How did we do: {service}"),
        Text(
            zh="我們已回復您的案件（{number}）。請於 {date} 前告訴我們您滿不滿意，只需一分鐘：\n{link}",
            en="We have answered {number}. Please tell us by {date} how satisfied you are; it takes a minute:\n{link}",
        ),
    ),
    "payment_lapsed": Template(
        Text(zh="繳費期限已過：{service}", en="The time to pay has passed: {service}"),
        Text(
            zh="您的申請（{number}）應繳新臺幣 {amount} 元，未於 {date} 前繳納，繳費單已失效，請不要再轉帳。有疑問請洽承辦單位。",
            en="The fee of NT$ {amount} for {number} was not paid by {date}. The account is closed: please do not "
            "transfer to it. Ask the office if you have questions.",
        ),
    ),
}


def notify(case: Case, template: str, now: datetime, **said: Any) -> None:
    """`said` as in `effect`."""
    effects.enqueue(effect(case, template, now, **said))


def effect(
    case: Case,
    template: str,
    now: datetime,
    *,
    comment: str = "",
    on_date: date | None = None,
    occasion: str = "",
    words: Mapping[str, str] = MappingProxyType({}),
) -> Effect:
    """Told once a visit of a state; what no state brings about names its own `occasion`.

    `words` are those that this template alone quotes.
    """
    if template not in TEMPLATES and template not in OUTCOMES:
        raise KeyError(template)  # here, not in the worker
    return effects.effect(
        "notice",
        f"{case.public_id}:{template}:{occasion or case.visit}",
        now,
        case_id=case.id,
        template=template,
        comment=comment,
        date=on_date.isoformat() if on_date else "",
        words=dict(words),
    )


def deliver(
    row: Effect, case: Case, base_url: str, now: datetime, *, correction_due: date | None, letter: str
) -> None:
    """Writes the message of an effect for the applicant and for whoever acts for them, each by their own channel."""
    given = row.payload.get("date") or ""
    subject, body = compose(
        case,
        row.payload["template"],
        comment=row.payload.get("comment", ""),
        on_date=date.fromisoformat(given) if given else None,
        correction_due=correction_due,
        letter=letter,
        more=row.payload.get("words", {}),
    )
    follow = _FOLLOW.in_(case.language).format(
        url=f"{base_url}/track?number={case.number}", number=case.number, code=follow_code(case.public_id)
    )
    for mark, channel, recipient in parties.channels_of(case.id):
        key = f"{row.idempotency_key}:{channel}{mark}"
        if channel == "call":
            if row.payload["template"] not in SEEN:
                _ask_to_ring(case, key, recipient, subject, body, now)
            continue
        post(
            key,
            channel,
            recipient,
            subject,
            f"{body}\n{follow}",
            now,
            case_id=case.id,
            account_id=case.account_id,
        )


def _ask_to_ring(case: Case, key: str, number: str, subject: str, body: str, now: datetime) -> None:
    """The words stand on the case page until `by_hand.note`; whoever has the case is told."""
    post(key, "inbox", number, subject, body, now, case_id=case.id)
    tell_staff(
        duties.holders(case, now),
        key,
        Text(zh=f"請打電話告知申請人：{case.number}", en=f"Please ring the applicant: {case.number}"),
        Text(
            zh=f"申請人只留電話，系統傳不到通知。請打 {number} 告知「{subject}」，再到案件頁登記「已電話告知」。",
            en=f"No message reaches the applicant. Ring {number} about “{subject}” and note it on the case page.",
        ),
        now,
        case.id,
    )


def compose(
    case: Case,
    template: str,
    *,
    comment: str = "",
    on_date: date | None = None,
    correction_due: date | None = None,
    letter: str = "",
    more: Mapping[str, str] = MappingProxyType({}),
) -> tuple[str, str]:
    """Subject and body in the applicant's language; also for the officer who looks before sending."""
    lang = case.language
    service = definitions.service(case.service_revision_id)
    booking = bookings.current(case.id)
    words = {
        "service": service.title.in_(lang),
        "number": case.number or "",
        "due": _due(case, service.period.kind == "HOUR"),
        "comment": comment,
        "date": _day(on_date, lang),
        "correction_due": _day(correction_due, lang),
        "correction_clock": CORRECTION_CLOCK[service.correction].in_(lang),
        "letter": letter,
        "amounts": fees.announced(service, case, lang),
        "booking": bookings.words(booking, lang) if booking is not None else "",
    }
    words |= more
    found = service.answers.said(template) or TEMPLATES[template]
    if isinstance(found, Template):
        appeal = found.appeal if service.answer == DECISION else None
        words["appeal"] = appeal.in_(lang).format_map(words) if appeal is not None else ""
    return found.subject.in_(lang).format_map(words), found.body.in_(lang).format_map(words).strip()


def _due(case: Case, in_hours: bool) -> str:
    """The day, or the moment of a limit in hours."""
    lang = case.language
    of_case = select(Clock.due_at).where(Clock.case_id == case.id, Clock.task_id.is_(None))
    moment = db.session.scalars(of_case).first() if in_hours else None
    if moment is None:
        return _day(case.due_on, lang)
    return f"{_day(taipei_day(moment), lang)} {taipei(moment):%H:%M}"


def _day(day: date | None, lang: str) -> str:
    return format_day(day, lang) if day else ""


def post(
    key: str,
    channel: str,
    recipient: str,
    subject: str,
    body: str,
    now: datetime,
    *,
    case_id: int | None = None,
    account_id: int | None = None,
) -> None:
    """One message in the outbox. The same key a second time changes nothing."""
    values: dict[str, Any] = {
        "public_id": public_id(),
        "case_id": case_id,
        "account_id": account_id,
        "channel": channel,
        "recipient": recipient,
        "subject": subject,
        "body": body,
        "idempotency_key": key,
        "created_at": now,
    }
    db.session.execute(
        insert(Message).values(**values).on_conflict_do_nothing(index_elements=["idempotency_key"])
    )


def tell_staff(
    people: Collection[int], key: str, subject: Text, body: Text, now: datetime, case_id: int | None = None
) -> None:
    """The same words to several officers, each in their own language; the same key a second time changes nothing."""
    for account in db.session.scalars(select(Account).where(Account.id.in_(people)).order_by(Account.id)):
        post(
            f"{key}:{account.id}",
            "inbox",
            account.email or account.name,
            subject.in_(account.language),
            body.in_(account.language),
            now,
            case_id=case_id,
            account_id=account.id,
        )


def tell_account(account: Account, key: str, subject: Text, body: Text, now: datetime) -> None:
    """To somebody with an account: officers in their notices, others by e-mail, else by a text message."""
    if account.kind == "staff":
        return tell_staff([account.id], key, subject, body, now)
    channel, recipient = ("email", account.email) if account.email else ("sms", account.mobile or "")
    words = subject.in_(account.language), body.in_(account.language)
    return post(key, channel, recipient, *words, now, account_id=account.id)
