"""A citizen's draft: kept as typed, valid or not; nothing is lost by a mistake, a second tab or a new form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm.attributes import set_committed_value

import forms.answers
from forms.model import FormDefinition
from rules.values import Text
from webapp.crypto import public_id
from webapp.errors import Conflict, Forbidden, NotFound
from webapp.extensions import db
from webapp.models import Document, Draft
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions

LIFETIME = timedelta(days=30)

GONE = Text(
    zh="找不到這份草稿：可能已送出、已過期，或屬於別的帳號。",
    en="This draft was not found: it may have been sent, have expired, or belong to another account.",
)

Raw = Mapping[str, Sequence[str]]


def start(actor: Actor, code: str, now: datetime, *, intake: dict[str, Any] | None = None) -> Draft:
    """A new draft of a service. `intake` marks a paper or spoken application that a clerk enters."""
    if intake is not None and not actor.may("take_in_at_counter"):
        raise Forbidden(
            Text(zh="只有櫃檯或承辦人員可以代為收件。", en="Only counter staff may take in applications.")
        )
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
    draft = db.session.scalars(select(Draft).where(Draft.public_id == key)).one_or_none()
    if (
        draft is None
        or not owns(actor, draft.account_id, draft.device_hash)
        or draft.expires_on < taipei_day(now)
    ):
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
