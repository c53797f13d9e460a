"""天災或其他不可歸責之事由 (行政程序法 51 V): the section head stops every clock of a case until the cause ends."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Conflict, Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, Suspension
from webapp.permissions import Actor
from webapp.queries.org import Mandate, chart
from webapp.services import cases, clocks, duties, events, notices

LONGEST_REASON = 200


def head(actor: Actor, case: Case) -> Mandate | None:
    """The mandate of a section head over the handling unit, or of their deputy; never a party's own."""
    mandate = _mandate(actor, case)
    if mandate is None or duties.is_party(case, actor.account_id, mandate.acting_for_id):
        return None
    return mandate


def _mandate(actor: Actor, case: Case) -> Mandate | None:
    return duties.mandate_over(actor, ("section_head",), case.handling_unit_id)


def current(case_id: int) -> Suspension | None:
    return db.session.scalars(
        select(Suspension).where(Suspension.case_id == case_id, Suspension.ended_at.is_(None))
    ).one_or_none()


def suspend(actor: Actor, case: Case, reason: str, now: datetime, *, version: int) -> None:
    mandate, found = _start(actor, case, version)
    if found is not None:
        name = chart().names[found.began_by_id]
        raise Conflict(Text(zh=f"期限已由{name}停止計算。", en=f"{name} has already stopped the clock."))
    text = reason.strip()
    if not text or len(text) > LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"請寫明事由，最多 {LONGEST_REASON} 字。",
                en=f"Give the cause, in at most {LONGEST_REASON} characters.",
            )
        )
    for clock in clocks.open_clocks(case.id):
        clocks.move(actor, case, clock, "pause", now, reason=text)
    db.session.add(Suspension(case_id=case.id, reason=text, began_at=now, began_by_id=actor.account_id))
    _finish(actor, case, mandate, "suspended", text, now)


def resume(actor: Actor, case: Case, comment: str, now: datetime, *, version: int) -> None:
    mandate, found = _start(actor, case, version)
    if found is None:
        raise Conflict(
            Text(zh="期限沒有停止計算，或已由別人恢復。", en="The clock is not stopped, or runs again.")
        )
    if len(comment.strip()) > LONGEST_REASON:
        raise Refused(
            Text(
                zh=f"說明最多 {LONGEST_REASON} 字。",
                en=f"At most {LONGEST_REASON} characters of explanation.",
            )
        )
    found.ended_at, found.ended_by_id = now, actor.account_id
    for clock in clocks.open_clocks(case.id):
        clocks.move(actor, case, clock, "resume", now, reason=clocks.SUSPENSION.zh)
    _finish(actor, case, mandate, "resumed", comment.strip(), now)


def _start(actor: Actor, case: Case, version: int) -> tuple[Mandate, Suspension | None]:
    db.session.refresh(case, with_for_update={"key_share": True})
    mandate = _mandate(actor, case)
    if mandate is None:
        raise Forbidden(
            Text(
                zh="只有承辦單位的科長可以停止或恢復期限。",
                en="Only the section head of the handling unit stops a clock or lets it run again.",
            )
        )
    duties.require_stranger(case, actor.account_id, mandate.acting_for_id)
    if case.version != version:
        raise cases.overtaken(case)
    if case.status == "closed":
        raise Refused(Text(zh="案件已結案。", en="The case is closed."))
    return mandate, current(case.id)


def _finish(actor: Actor, case: Case, mandate: Mandate, kind: str, comment: str, now: datetime) -> None:
    db.session.flush()
    events.record(
        actor,
        case,
        kind,
        now,
        acting_for_id=mandate.acting_for_id,
        from_state=case.state,
        payload={"comment": comment},
    )
    occasion = f"{kind}:{int(now.timestamp())}"
    notices.notify(case, kind, now, comment=comment, on_date=case.due_on, occasion=occasion)
