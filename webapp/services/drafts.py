"""A citizen's draft: kept as typed, valid or not; nothing is lost by a mistake, a second tab or a new form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.orm.attributes import set_committed_value

import forms.answers
from forms.model import FormDefinition
from rules.values import Text, format_day
from webapp.crypto import public_id
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.extensions import db
from webapp.models import Account, Document, Draft
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions, handovers
from webapp.services import notices

LIFETIME = timedelta(days=30)
#: so long before it is deleted, the owner is reminded of a draft
REMIND_BEFORE = timedelta(days=7)

GONE = Text(
    zh="找不到這份草稿：可能已送出、已過期，或屬於別的帳號。",
    en="This draft was not found: it may have been sent, have expired, or belong to another account.",
)

ONLY_CLERKS = Text(zh="只有櫃檯或承辦人員可以代為收件。", en="Only counter staff may take in applications.")

Raw = Mapping[str, Sequence[str]]


def start(actor: Actor, code: str, now: datetime, *, intake: dict[str, Any] | None = None) -> Draft:
    """A new draft of a service. `intake` marks a paper or spoken application that a clerk enters."""
    if intake is not None and not actor.may("take_in_at_counter"):
        raise Forbidden(ONLY_CLERKS)
    today = taipei_day(now)
    service = definitions.current_service(code, today)
    draft = Draft(
        public_id=public_id(),
        service_code=code,
        form_revision_id=definitions.revision_id("form", service.form, today),
        account_id=actor.account_id,
        device_hash=None if actor.account_id else actor.device_hash,
        raw={},
        intake=intake,
        created_at=now,
        updated_at=now,
        expires_on=today + LIFETIME,
    )
    db.session.add(draft)
    db.session.flush()
    return draft


def prefill(draft: Draft, answers: Mapping[str, Any]) -> None:
    """Earlier answers for a new draft to start from."""
    form = definitions.form(draft.form_revision_id)
    fill(draft, forms.answers.to_raw(form, answers))


def fill(draft: Draft, raw: Raw) -> None:
    """Inputs for a new draft to start from."""
    draft.raw = {**draft.raw, **{name: list(texts) for name, texts in raw.items()}}
    db.session.flush()


def own(actor: Actor, key: str, now: datetime) -> Draft:
    """The actor's draft. Somebody else's, an expired and a submitted one do not exist."""
    draft = _kept(key, now)
    if not owns(actor, draft.account_id, draft.device_hash):
        raise NotFound(GONE)
    return draft


def written_by(actor: Actor, key: str, now: datetime) -> Draft:
    """The draft that the actor fills in: their own, or one that was handed to them."""
    draft = _kept(key, now)
    if not owns(actor, draft.account_id, draft.device_hash) and not handovers.helps(actor, key):
        raise NotFound(GONE)
    return draft


def _kept(key: str, now: datetime) -> Draft:
    draft = db.session.scalars(select(Draft).where(Draft.public_id == key)).one_or_none()
    if draft is None or draft.expires_on < taipei_day(now):
        raise NotFound(GONE)
    return draft


def owns(actor: Actor, account_id: int | None, device_hash: str | None) -> bool:
    if account_id is not None:
        return account_id == actor.account_id
    return device_hash is not None and device_hash == actor.device_hash


def save(
    draft: Draft, form: FormDefinition, keys: Sequence[str], raw: Raw, version: int, now: datetime
) -> None:
    """Keeps what was typed for some fields. A page older than the draft is refused: no tab overwrites another."""
    lock(draft)
    if version != draft.version:
        raise Conflict(
            Text(
                zh="這份草稿已在另一個分頁或裝置更新。請重新載入頁面，避免覆蓋較新的內容。",
                en="This draft was changed in another tab or device. Reload the page so that nothing newer is lost.",
            )
        )
    draft.raw = merged(draft.raw, form, keys, raw)
    draft.updated_at = now
    draft.expires_on = taipei_day(now) + LIFETIME
    db.session.flush()


def merged(kept: Raw, form: FormDefinition, keys: Sequence[str], raw: Raw) -> dict[str, list[str]]:
    """`kept` with the input of the named fields replaced. Files change by upload and removal, never by a posted id."""
    replaced = tuple(key for key in keys if form.field(key).type != "file")
    rest = {name: list(values) for name, values in kept.items() if name.split("-", 1)[0] not in replaced}
    return rest | forms.answers.keep(form, raw, keys=replaced)


def bring_up_to_date(draft: Draft, now: datetime) -> list[Text]:
    """Moves a draft to the form in force; answers stay by their keys. Returns the labels of new or changed fields."""
    service = definitions.current_service(draft.service_code, taipei_day(now))
    newest = definitions.revision_id("form", service.form, taipei_day(now))
    if newest == draft.form_revision_id:
        return []
    old, new = definitions.form(draft.form_revision_id), definitions.form(newest)
    before = {field.key: field for field in old.fields}
    changed = [field.label for field in new.fields if before.get(field.key) != field]
    draft.form_revision_id = newest
    draft.updated_at = now
    db.session.flush()
    return changed


def discard(draft: Draft) -> None:
    """Deletes the draft and everything that was uploaded to it."""
    db.session.execute(
        delete(Document).where(Document.draft_key == draft.public_id, Document.case_id.is_(None))
    )
    db.session.delete(draft)
    db.session.flush()


def to_remind(today: date) -> Sequence[int]:
    """Drafts that are deleted soon, of owners who can be reached. Each save gives one a new period."""
    soon = Draft.expires_on.between(today, today + REMIND_BEFORE)
    return db.session.scalars(select(Draft.id).where(Draft.account_id.is_not(None), soon)).all()


def remind(draft_id: int, now: datetime) -> None:
    """Tells the owner until when the draft is kept: once a period, however often it is looked at."""
    today = taipei_day(now)
    soon = Draft.expires_on.between(today, today + REMIND_BEFORE)
    query = select(Draft).where(Draft.id == draft_id, Draft.account_id.is_not(None), soon)
    draft = db.session.scalars(query).one_or_none()
    if draft is None:
        return  # saved or sent a moment ago
    title = definitions.current_service(draft.service_code, today).title
    url = f"{current_app.config['BASE_URL']}/apply/{draft.public_id}"
    subject = Text(zh=f"您的草稿快到期了：{title.zh}", en=f"Your draft expires soon: {title.in_('en')}")
    body = Text(
        zh=f"您的「{title.zh}」草稿保留到{format_day(draft.expires_on, 'zh')}，之後會連同上傳的檔案刪除。\n"
        f"繼續填寫：{url}\n再儲存一次就會延長 30 天；不辦了可以不理會。",
        en=f"Your draft of “{title.in_('en')}” is kept until {format_day(draft.expires_on, 'en')} and is then deleted "
        f"with its files.\nGo on at {url}\nSaving it once keeps it for 30 more days; else you need not do anything.",
    )
    owner = db.session.get_one(Account, draft.account_id)
    notices.tell_account(owner, f"draft-expiry:{draft.public_id}:{draft.expires_on}", subject, body, now)


def adopt(actor: Actor, device_hash: str, now: datetime) -> int:
    """After sign-in, the drafts that this browser started without an account belong to the account."""
    drafts = db.session.scalars(select(Draft).where(Draft.device_hash == device_hash)).all()
    for draft in drafts:
        draft.account_id, draft.device_hash = actor.account_id, None
    db.session.flush()
    return len(drafts)


def lock(draft: Draft) -> None:
    """Uploads come several at a time, beside the autosave: whoever writes next waits, and reads what was written."""
    query = select(Draft).where(Draft.id == draft.id).with_for_update()
    if db.session.scalars(query.execution_options(populate_existing=True)).one_or_none() is None:
        raise NotFound(GONE)


def add_file(draft: Draft, document: Document) -> None:
    """Names an upload in the draft's input."""
    key = document.field_key or ""
    lock(draft)
    _set_files(draft, key, [*draft.raw.get(key, []), document.public_id])


def drop_file(draft: Draft, field_key: str, public_id: str) -> None:
    lock(draft)
    _set_files(draft, field_key, [kept for kept in draft.raw.get(field_key, []) if kept != public_id])


def _set_files(draft: Draft, field_key: str, ids: list[str]) -> None:
    """Past the version counter: a file more or less makes no open page out of date."""
    raw = {**draft.raw, field_key: ids}
    table = Draft.__table__
    db.session.execute(update(table).where(table.c.id == draft.id).values(raw=raw))
    set_committed_value(draft, "raw", raw)
