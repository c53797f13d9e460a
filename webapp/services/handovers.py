"""A draft is handed to a relative or a clerk by a one-time code; the applicant keeps it and can take it back.

A relative fills in and the applicant sends. A clerk may also take the application in as a spoken one (行政程序法 35).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from rules.values import Text, normalise_text
from webapp import crypto
from webapp.errors import Conflict, Forbidden, Misfit, NotFound
from webapp.extensions import db
from webapp.models import Account, AuditEntry, Case, Draft, Handover
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions, handovers, history
from webapp.services import accounts, drafts, events, notices
from workflows.service import ServiceDefinition

CODE_DIGITS = 12
LIFETIME = timedelta(days=1)
LONGEST_NAME = 80

CODE, NAME = "code", "name"

_WRONG = Text(
    zh="代碼不正確，或申請人已取消、換了新的。請對照再輸入一次，或請申請人重新取得代碼。",
    en="The code is not right, or the applicant has cancelled or replaced it. Check it, or ask for a new one.",
)
_USED = Text(
    zh="這個代碼已經用過了。如果不是您用的，請告訴申請人：在「請人協助填寫」可以看到是誰，並收回草稿。",
    en="This code was already used. If not by you, tell the applicant, who sees by whom and can take the draft back.",
)
_EXPIRED = Text(
    zh="這個代碼已過期，請申請人重新取得一個。",
    en="This code has expired. Ask the applicant for a new one.",
)
_SENT = Text(
    zh="這份申請已經送出，不能再修改。申請人可以用案件編號查詢進度。",
    en="This application was already sent and cannot be changed any more. The applicant can follow it by its number.",
)
_DELETED = Text(
    zh="這份草稿已經刪除或過期，請申請人重新開始。",
    en="This draft was deleted or has expired. The applicant has to begin anew.",
)
_OWN = Text(
    zh="這是您自己的草稿，請把代碼告訴要協助您的人。",
    en="This draft is your own. Tell the code to whoever is to help you.",
)
_TAKEN_BACK = Text(
    zh="申請人已經收回這份草稿。您先前存下的內容都還在申請人那裡。",
    en="The applicant has taken this draft back. What you saved is kept with the applicant.",
)
_GIVEN_BACK = Text(
    zh="您已把這份草稿交還申請人。要再協助時，請申請人重新取得代碼。",
    en="You gave this draft back. To help again, ask the applicant for a new code.",
)
_CLERK = Text(zh="櫃檯人員", en="counter staff")


def make(actor: Actor, draft: Draft, now: datetime) -> str:
    """A new code for the actor's own draft; an older one that nobody used ends with it."""
    require_applicant(actor, draft)
    drafts.lock(draft)
    present = handovers.live(draft.public_id)
    if present is not None and present.used_at is not None:
        raise Conflict(
            Text(
                zh=f"{present.helper_name}正在協助填寫。要換人協助，請先收回。",
                en=f"{present.helper_name} is helping. Take the draft back before you ask somebody else.",
            )
        )
    code = crypto.numeric_code(CODE_DIGITS)
    row = present or Handover(draft_key=draft.public_id)
    row.code_hash, row.made_at, row.expires_at = _digest(code), now, now + LIFETIME
    row.made_by_id, row.made_by_device = actor.account_id, None if actor.account_id else actor.device_hash
    db.session.add(row)
    _audit(actor, "handover_made", draft.public_id, now)
    return code


def waiting(actor: Actor, code: str, now: datetime) -> ServiceDefinition:
    """The service of the draft that a code opens; the code stays unused. Says why where it opens none."""
    draft, _row = _found(actor, code, now)
    return definitions.current_service(draft.service_code, taipei_day(now))


def help_out(actor: Actor, code: str, name: str, now: datetime) -> Draft:
    """A relative begins to fill in. The name is as they give it, for the applicant and for the history of the case."""
    if actor.is_staff:
        raise Forbidden(
            Text(
                zh="這是公務帳號：協助民眾填寫請由「代為收件」輸入代碼，協助親友請用自己的民眾帳號或不登入。",
                en="This is a staff account: enter a code of a citizen at the counter page; for a relative, sign out.",
            )
        )
    given = " ".join(normalise_text(name).split())
    if not given or len(given) > LONGEST_NAME:
        nameless = Misfit(
            NAME,
            Text(
                zh=f"請輸入您的姓名（{LONGEST_NAME} 字以內），申請人會看到是誰協助。",
                en=f"Enter your name ({LONGEST_NAME} characters at most); the applicant sees who helps.",
            ),
        )
        try:
            _found(actor, code, now)
        except Misfit as wrong:
            wrong.others = (nameless,)
            raise
        raise nameless
    draft = _use(actor, code, given, now)
    _ask_anew(draft)
    return draft


def take_in(actor: Actor, code: str, intake: Mapping[str, Any], now: datetime) -> Draft:
    """A clerk goes on with the draft at the counter or on the telephone. It stays the applicant's until it is sent."""
    if not actor.may("take_in_at_counter"):
        raise Forbidden(drafts.ONLY_CLERKS)
    draft = _use(actor, code, actor.name, now)
    draft.intake = {**intake, "handed_over": True}
    db.session.flush()
    return draft


def end(actor: Actor, draft: Draft, now: datetime) -> None:
    """The applicant cancels the code or takes the draft back; the helper gives it back. Nothing typed is lost."""
    drafts.lock(draft)
    row, own = handovers.live(draft.public_id), drafts.owns(actor, draft.account_id, draft.device_hash)
    if row is None or not (own or handovers.helps(actor, draft.public_id)):
        return  # it was ended a moment ago
    if row.used_at is None:
        db.session.delete(row)
        _audit(actor, "handover_cancelled", draft.public_id, now)
        return
    row.ended_at, row.ended_by = now, "applicant" if own else "helper"
    if draft.intake is not None:
        draft.intake = None
        _ask_anew(draft)
    draft.updated_at = now  # a page that the helper still has open is out of date
    _audit(actor, "handover_taken_back" if own else "handover_given_back", draft.public_id, now)


def adopt(actor: Actor, device_hash: str, now: datetime) -> None:
    """After sign-in, what this browser helps with goes on under the account; nobody helps with their own draft."""
    db.session.execute(
        update(Handover)
        .where(Handover.helper_device == device_hash)
        .values(helper_id=actor.account_id, helper_device=None)
    )
    own = select(Draft.public_id).where(Draft.account_id == actor.account_id)
    db.session.execute(
        update(Handover)
        .where(
            Handover.helper_id == actor.account_id, Handover.ended_at.is_(None), Handover.draft_key.in_(own)
        )
        .values(ended_at=now, ended_by="helper")
    )


def require_applicant(actor: Actor, draft: Draft) -> None:
    """A helper hands nothing on, and paper that a clerk enters is not the clerk's to hand over."""
    if actor.is_staff or not drafts.owns(actor, draft.account_id, draft.device_hash):
        raise Forbidden(
            Text(zh="只有申請人自己可以請人協助填寫。", en="Only the applicant may ask somebody to help.")
        )


def what_became_of_it(actor: Actor, draft_key: str) -> Text | None:
    """For whoever had a part in a handover and finds the draft closed to them."""
    row = handovers.last_part(actor, draft_key)
    if row is None:
        return None
    if _case(draft_key) is not None:
        return _SENT
    if row.ended_at is not None and _draft(draft_key) is not None:
        return _TAKEN_BACK if row.ended_by == "applicant" else _GIVEN_BACK
    return None


def record(case: Case, draft_key: str, now: datetime) -> None:
    """Into the history of the case, for the applicant to see too: who helped to fill in its application."""
    for row in handovers.helpers(draft_key):
        kind = _kind_of(row)
        by = _CLERK if kind == "staff" else Text(zh="親友", en="relative or friend")
        note = {"zh": f"{row.helper_name}（{by.zh}）", "en": f"{row.helper_name} ({by.en})"}
        helper = Actor(kind, row.helper_id)
        events.record(helper, case, history.ASSISTED, now, from_state=case.state, payload={"note": note})


def drop_forgotten(now: datetime) -> None:
    """What belongs to no draft any more, after as long as a draft is kept."""
    db.session.execute(
        delete(Handover).where(
            Handover.made_at < now - drafts.LIFETIME,
            Handover.draft_key.not_in(select(Draft.public_id)),
        )
    )


def _ask_anew(draft: Draft) -> None:
    """What the applicant agrees to and signs is the form as it is filled in at the end, in their own hand."""
    form = definitions.form(draft.form_revision_id)
    own = {field.key for field in form.fields if field.kind.own_word}
    draft.raw = {name: texts for name, texts in draft.raw.items() if name not in own}
    db.session.flush()


def _use(actor: Actor, code: str, name: str, now: datetime) -> Draft:
    draft, _row = _found(actor, code, now)
    try:
        drafts.lock(draft)  # of two people with the same code, the second waits here
    except NotFound:
        raise Misfit(CODE, _SENT) from None
    draft, row = _found(actor, code, now)
    row.used_at, row.helper_name = now, name
    row.helper_id, row.helper_device = actor.account_id, None if actor.account_id else actor.device_hash
    _audit(actor, "handover_used", draft.public_id, now)
    db.session.flush()
    _tell(draft, row, now)
    return draft


def _found(actor: Actor, code: str, now: datetime) -> tuple[Draft, Handover]:
    digits = "".join(c for c in accounts.normalise_digits(code[:80]) if c.isdigit())
    query = select(Handover).where(Handover.code_hash == _digest(digits))
    row = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise Misfit(CODE, _WRONG)
    draft = _draft(row.draft_key)
    if draft is None or draft.expires_on < taipei_day(now):
        raise Misfit(CODE, _SENT if _case(row.draft_key) is not None else _DELETED)
    if row.used_at is not None:
        raise Misfit(CODE, _USED)
    if row.expires_at <= now:
        raise Misfit(CODE, _EXPIRED)
    if drafts.owns(actor, draft.account_id, draft.device_hash):
        raise Misfit(CODE, _OWN)
    return draft, row


def _tell(draft: Draft, row: Handover, now: datetime) -> None:
    """An applicant with an account learns at once that somebody used the code."""
    if draft.account_id is None:
        return
    owner, name = db.session.get_one(Account, draft.account_id), row.helper_name
    service = definitions.current_service(draft.service_code, taipei_day(now)).title
    subject = Text(zh=f"有人開始協助您填寫：{service.zh}", en=f"Somebody helps with: {service.in_('en')}")
    body = Text(
        zh=f"{name}用您的代碼開始協助填寫「{service.zh}」。如果不是您請的人，請到「我的申請」收回草稿。",
        en=f"{name} used your code and helps with “{service.in_('en')}”. If you did not ask them to, take the draft "
        "back in “My applications”.",
    )
    notices.tell_account(owner, f"handover:{row.id}", subject, body, now)


def _kind_of(row: Handover) -> str:
    if row.helper_id is None:
        return "anonymous"
    return db.session.get_one(Account, row.helper_id).kind


def _draft(draft_key: str) -> Draft | None:
    return db.session.scalars(select(Draft).where(Draft.public_id == draft_key)).one_or_none()


def _case(draft_key: str) -> int | None:
    return db.session.scalars(select(Case.id).where(Case.draft_key == draft_key)).one_or_none()


def _digest(code: str) -> str:
    return crypto.keyed_hash(code, "handover")


def _audit(actor: Actor, action: str, draft_key: str, now: datetime) -> None:
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=draft_key))
    db.session.flush()
