"""The editorial desk: a draft is saved, submitted, approved by a second person, takes effect, is rolled back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from rules.values import Text
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Account, AuditEntry, DefinitionDraft, Revision
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import definitions

#: kinds that the desk has an editor for
EDITABLE = frozenset({"ruleset"})


def open_draft(
    actor: Actor, kind: str, key: str, now: datetime, *, base: int | None = None
) -> DefinitionDraft:
    """A copy of what is in force, or of another revision, to work on. Refused while somebody's draft is alive."""
    editor = _editor(actor)
    if kind not in EDITABLE:
        raise NotFound()
    origin = db.session.get(
        Revision, definitions.revision_id(kind, key, taipei_day(now)) if base is None else base
    )
    if origin is None or (origin.kind, origin.key) != (kind, key):
        raise NotFound()
    draft = DefinitionDraft(
        kind=kind,
        key=key,
        base_revision_id=origin.id,
        body=origin.body,
        author_id=editor,
        created_at=now,
        changed_by_id=editor,
        changed_at=now,
        editor_ids=[],
    )
    try:
        with db.session.begin_nested():
            db.session.add(draft)
    except IntegrityError:
        raise Conflict(_already(kind, key)) from None
    record(actor, "draft opened", draft, now)
    return draft


def save(
    actor: Actor, draft_id: int, body: Mapping[str, Any], now: datetime, *, version: int
) -> DefinitionDraft:
    """Keeps what was written, right or wrong. Conflict where somebody saved meanwhile."""
    editor = _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    written = json.loads(json.dumps(body, ensure_ascii=False, default=str))
    if written == draft.body:
        return draft
    draft.body = written
    draft.changed_by_id, draft.changed_at = editor, now
    draft.editor_ids = sorted({*draft.editor_ids, editor})
    draft.version += 1
    db.session.flush()
    record(actor, "draft saved", draft, now)
    return draft


def discard(actor: Actor, draft_id: int, now: datetime, *, version: int) -> None:
    """The draft is given up; it stays readable, and another one may be opened."""
    _editor(actor)
    draft = hold(draft_id, version)
    require(draft, "editing")
    draft.state = "discarded"
    draft.version += 1
    db.session.flush()
    record(actor, "draft discarded", draft, now)


def hold(draft_id: int, version: int) -> DefinitionDraft:
    """The draft for this transaction alone; Conflict names who changed it since the page was opened."""
    draft = db.session.get(DefinitionDraft, draft_id, with_for_update=True, populate_existing=True)
    if draft is None:
        raise NotFound()
    if draft.version != version:
        name = db.session.get_one(Account, draft.changed_by_id).name
        raise Conflict(
            Text(
                zh=f"{name}已經改過這份草稿，您的修改還沒有儲存。請開啟新的內容，再改一次。",
                en=f"{name} has changed this draft meanwhile; yours is not saved. Open it again and repeat the change.",
            )
        )
    return draft


def require(draft: DefinitionDraft, state: str) -> None:
    if draft.state != state:
        raise Refused(
            Text(
                zh="這份草稿已經送審、發布或捨棄，不能再這樣處理。",
                en="This draft was submitted, published or discarded; this is no longer possible.",
            )
        )


def record(actor: Actor, action: str, draft: DefinitionDraft, now: datetime) -> None:
    """Every step is in the audit record."""
    subject = f"{draft.kind}/{draft.key} draft {draft.id} version {draft.version}"
    db.session.add(AuditEntry(at=now, actor_id=actor.account_id, action=action, subject=subject))


def _editor(actor: Actor) -> int:
    if not actor.may("edit_definitions") or actor.account_id is None:
        raise Forbidden(
            Text(
                zh="只有系統管理者與研考單位可以修改規則與定義。",
                en="Only administrators and the research office edit rules and definitions.",
            )
        )
    return actor.account_id


def _already(kind: str, key: str) -> Text:
    name = db.session.scalar(
        select(Account.name)
        .join(DefinitionDraft, DefinitionDraft.author_id == Account.id)
        .where(
            DefinitionDraft.kind == kind,
            DefinitionDraft.key == key,
            DefinitionDraft.state.in_(("editing", "submitted")),
        )
    )
    return Text(
        zh=f"{name or '有人'}的草稿還在進行，請接續那一份，或先捨棄它。",
        en=f"A draft by {name or 'somebody'} is alive: go on with it, or discard it first.",
    )
