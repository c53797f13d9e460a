"""Messages to applicants and officers: enqueued with the change that causes them, written by the worker."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from rules.values import Text, format_day
from webapp.crypto import follow_code, public_id
from webapp.extensions import db
from webapp.models import Account, Case, Effect, Message
from webapp.queries import definitions
from webapp.services import effects, fees, parties


@dataclass(frozen=True)
class Template:
    subject: Text
    body: Text


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

_AMOUNTS = Text(zh="核定金額：{amounts}。", en="Amounts fixed: {amounts}. ")

TEMPLATES: dict[str, Template] = {
    "submitted": Template(
        Text(zh="已收到您的申請：{service}", en="We have received your application: {service}"),
        Text(
            zh="您的「{service}」申請已送達，案件編號 {number}。預計 {due} 前辦理完成。",
            en="Your application “{service}” has arrived; its number is {number}. We expect to finish it by {due}.",
        ),
    ),
    "correction": Template(
        Text(zh="請補正您的申請：{service}", en="Please correct your application: {service}"),
        Text(
            zh="您的申請（{number}）需要補正：{comment}\n請於 {correction_due} 前線上補正。{correction_clock}",
            en="Your application {number} needs a correction: {comment}\n"
            "Please answer by {correction_due}. {correction_clock}",
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
    "granted": Template(
        Text(zh="申請已核准：{service}", en="Approved: {service}"),
        Text(
            zh="您的申請（{number}）已核准，公文文號 {letter}。{amounts}請至進度頁下載。",
            en="Your application {number} is approved by letter {letter}. {amounts}Download it from the progress page.",
        ),
    ),
    "rejected": Template(
        Text(zh="申請結果通知：{service}", en="Decision on your application: {service}"),
        Text(
            zh="您的申請（{number}）經審查未予核准，理由與救濟方式載於公文 {letter}，請至進度頁下載。",
            en="Your application {number} was not approved. Letter {letter} gives the reasons and how to appeal.",
        ),
    ),
    "returned": Template(
        Text(zh="申請已退件：{service}", en="Returned: {service}"),
        Text(
            zh="您的申請（{number}）已退件：{comment}",
            en="Your application {number} was returned: {comment}",
        ),
    ),
    "merged": Template(
        Text(zh="申請已併案辦理：{service}", en="Your application is dealt with in another: {service}"),
        Text(
            zh="您的申請（{number}）與 {comment} 為同一申請人或同一地點，併入該案辦理，本案結案。您送的文件都保留。",
            en="Your application {number} concerns the same applicant or place as {comment} and is dealt with in it. "
            "This case is closed; what you sent is kept.",
        ),
    ),
    "moved": Template(
        Text(zh="申請改由其他單位辦理：{service}", en="Another unit handles your application: {service}"),
        Text(
            zh="您的申請（{number}）依行政程序法第 17 條移轉由{comment}辦理，期限繼續計算。",
            en="Your application {number} is now handled by {comment} (Administrative Procedure Act, article 17). "
            "The time limit goes on.",
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
}


def notify(
    case: Case,
    template: str,
    now: datetime,
    *,
    comment: str = "",
    on_date: date | None = None,
    once: str = "",
) -> None:
    """Once a visit of a state, or once for each `once`."""
    effects.enqueue(effect(case, template, now, comment=comment, on_date=on_date, once=once))


def effect(
    case: Case,
    template: str,
    now: datetime,
    *,
    comment: str = "",
    on_date: date | None = None,
    once: str = "",
) -> Effect:
    TEMPLATES[template]  # an unknown template fails here, not in the worker
    return effects.effect(
        "notice",
        f"{case.public_id}:{template}:{once or case.visit}",
        now,
        case_id=case.id,
        template=template,
        comment=comment,
        date=on_date.isoformat() if on_date else "",
    )


def deliver(
    row: Effect, case: Case, base_url: str, now: datetime, *, correction_due: date | None, letter: str
) -> None:
    """Writes the message of an effect for every channel by which the applicant can be reached."""
    given = row.payload.get("date") or ""
    subject, body = compose(
        case,
        row.payload["template"],
        comment=row.payload.get("comment", ""),
        on_date=date.fromisoformat(given) if given else None,
        correction_due=correction_due,
        letter=letter,
    )
    follow = _FOLLOW.in_(case.language).format(
        url=f"{base_url}/track?number={case.number}", number=case.number, code=follow_code(case.public_id)
    )
    for channel, recipient in _channels(parties.applicant(case.id)):
        post(
            f"{row.idempotency_key}:{channel}",
            channel,
            recipient,
            subject,
            f"{body}\n{follow}",
            now,
            case_id=case.id,
            account_id=case.account_id,
        )


def compose(
    case: Case,
    template: str,
    *,
    comment: str = "",
    on_date: date | None = None,
    correction_due: date | None = None,
    letter: str = "",
) -> tuple[str, str]:
    """Subject and body in the applicant's language; also for the officer who looks before sending."""
    lang = case.language
    service = definitions.service(case.service_revision_id)
    amounts = fees.in_words(service, case, fees.fixed(service, case), lang)
    words = {
        "service": service.title.in_(lang),
        "number": case.number or "",
        "due": _day(case.due_on, lang),
        "comment": comment,
        "date": _day(on_date, lang),
        "correction_due": _day(correction_due, lang),
        "correction_clock": CORRECTION_CLOCK[service.correction].in_(lang),
        "letter": letter,
        "amounts": _AMOUNTS.in_(lang).format(amounts=amounts) if amounts else "",
    }
    found = TEMPLATES[template]
    return found.subject.in_(lang).format_map(words), found.body.in_(lang).format_map(words)


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


def _channels(party: Any) -> list[tuple[str, str]]:
    """E-mail where there is one, else a text to a mobile number, else a letter to the address."""
    if party is None:
        return []
    if party.email:
        return [("email", party.email)]
    digits = "".join(c for c in party.phone or "" if c.isdigit())
    if digits.startswith("09"):
        return [("sms", digits)]
    return [("post", party.address)] if party.address else []
