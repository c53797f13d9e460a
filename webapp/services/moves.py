"""Moving running cases to another revision of their workflow or form: preview, then one transaction a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import NotFound, Refused
from webapp.extensions import db
from webapp.models import AuditEntry, Case, CaseEvent, CaseMove, Revision
from webapp.permissions import Actor
from webapp.queries import definitions, history, moves
from webapp.services import events
from workflows.migration import BadMapping, Standing, check_mapping, obstacles

PINNED = {"workflow": Case.workflow_revision_id, "form": Case.form_revision_id}


@dataclass(frozen=True)
class Verdict:
    """Whether one case may move; `against` is empty when it may."""

    case_id: int
    number: str
    against: tuple[Text, ...]


def target(kind: str, key: str, number: int | None, on: date) -> Revision:
    """The published revision with this number, or the one in force on a day."""
    if number is None:
        try:
            return db.session.get_one(Revision, definitions.revision_id(kind, key, on))
        except NotFound:
            raise Refused(Text(zh=f"沒有發布過「{key}」", en=f"“{key}” was never published.")) from None
    found = db.session.scalars(
        select(Revision).where(Revision.kind == kind, Revision.key == key, Revision.number == number)
    ).one_or_none()
    if found is None or not definitions.is_published(found.id):
        raise Refused(
            Text(zh=f"「{key}」沒有已發布的第 {number} 版", en=f"“{key}” has no published revision {number}.")
        )
    return found


def preview(to: Revision, mapping: Mapping[str, str]) -> list[Verdict]:
    """Every open case under another revision, in the order of their numbers."""
    pinned = PINNED[to.kind]
    waiting = db.session.scalars(
        select(Case)
        .join(Revision, Revision.id == pinned)
        .where(Case.status == "open", Revision.key == to.key, pinned != to.id)
        .order_by(Case.number)
    ).all()
    _check_names(waiting, to, mapping)
    return [Verdict(case.id, case.number or "", tuple(_against(case, to, mapping))) for case in waiting]


def move(actor: Actor, case_id: int, to: Revision, mapping: Mapping[str, str], now: datetime) -> Verdict:
    """Moves the case unless something stands against it by now; whoever has its page open is told."""
    case = db.session.get_one(Case, case_id, with_for_update={"key_share": True}, populate_existing=True)
    before = db.session.get_one(Revision, _pinned(case, to.kind))
    closed = [Text(zh="案件已經結案", en="The case is closed.")] if case.status == "closed" else []
    against = closed or _against(case, to, mapping)
    verdict = Verdict(case.id, case.number or "", tuple(against))
    if against or before.id == to.id:
        return verdict
    states = dict(mapping) if to.kind == "workflow" else {}
    left = case.state
    case.state = states.get(left, left)
    if to.kind == "workflow":
        case.workflow_revision_id = to.id
    else:
        case.form_revision_id = to.id
    moved = {"from": before.checksum, "to": to.checksum}
    events.record(actor, case, moves.MOVED, now, from_state=left, payload={"revision": moved})
    seq = db.session.scalars(select(func.max(CaseEvent.seq)).where(CaseEvent.case_id == case.id)).one()
    db.session.add(
        CaseMove(case_id=case.id, seq=seq, from_revision_id=before.id, to_revision_id=to.id, states=states)
    )
    db.session.add(
        AuditEntry(
            at=now,
            actor_id=actor.account_id,
            action="case_moved",
            subject=f"{case.number} {to.kind}/{to.key}#{before.number} {before.checksum[:12]}"
            f" -> #{to.number} {to.checksum[:12]}",
        )
    )
    db.session.flush()
    return verdict


def _pinned(case: Case, kind: str) -> int:
    return case.workflow_revision_id if kind == "workflow" else case.form_revision_id


def _check_names(waiting: Sequence[Case], to: Revision, mapping: Mapping[str, str]) -> None:
    if not mapping:
        return
    if to.kind != "workflow":
        raise Refused(Text(zh="只有流程有狀態可以對應", en="Only workflows have states to map."))
    for old in {case.workflow_revision_id for case in waiting}:
        try:
            check_mapping(definitions.workflow(old), definitions.workflow(to.id), mapping)
        except BadMapping as bad:
            raise Refused(bad.text) from None


def _against(case: Case, to: Revision, mapping: Mapping[str, str]) -> list[Text]:
    if to.kind == "form":
        return _against_form(case, to)
    old = definitions.workflow(case.workflow_revision_id)
    standing = Standing(case.state, history.visited(case, old))
    return obstacles(old, definitions.workflow(to.id), standing, mapping)


def _against_form(case: Case, to: Revision) -> list[Text]:
    """A form may gain fields; those that were answered must have stayed as they were."""
    old, new = definitions.form(case.form_revision_id), definitions.form(to.id)
    return [
        Text(
            zh=f"欄位「{field.label}」（{field.key}）已改變或刪除",
            en=f"The field “{field.label.in_('en')}” ({field.key}) has changed or is gone.",
        )
        for field in old.fields
        if field.key not in new or new.field(field.key) != field
    ]
