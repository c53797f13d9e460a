"""抽查: where one officer decides alone (pattern P01), the section head checks a sample afterwards.

How many of a hundred says the parameter `sample_audit_percent` of the service. Which ones follows from the case number
and the key of this counter: the same for everybody, chosen and foreseen by nobody.
"""

from __future__ import annotations

from datetime import datetime

from flask import current_app
from sqlalchemy import exists, or_, select
from sqlalchemy.orm import aliased

from rules.values import Text
from webapp import crypto
from webapp.errors import Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent, Revision, SampleAudit
from webapp.moments import taipei_day
from webapp.permissions import Actor, visible_to
from webapp.queries import definitions
from webapp.queries.org import chart
from webapp.services import duties, events, notices
from workflows.service import SAMPLE_AUDIT

PATTERN = "P01"
LONGEST = 1000
RESULTS = {
    "passed": Text(zh="符合規定", en="In order"),
    "irregular": Text(zh="有疏失", en="Not in order"),
}


def is_drawn(number: str, percent: int) -> bool:
    return int(crypto.keyed_hash(number, "sample_audit")[:12], 16) % 100 < percent


def to_draw() -> list[int]:
    """Issued and closed cases of services with a sample, whose turn has not come yet."""
    service, workflow = aliased(Revision), aliased(Revision)
    return list(
        db.session.scalars(
            select(Case.id)
            .join(service, service.id == Case.service_revision_id)
            .join(workflow, workflow.id == Case.workflow_revision_id)
            .where(
                Case.status == "closed",
                Case.outcome == "granted",
                workflow.body["code"].as_string() == PATTERN,
                service.body["parameters"][SAMPLE_AUDIT].as_integer() > 0,
                ~exists().where(SampleAudit.case_id == Case.id),
            )
            .order_by(Case.id)
        )
    )


def draw(case_id: int, now: datetime) -> None:
    """Once a case, also by several workers at once: the case is held meanwhile."""
    case = db.session.get_one(Case, case_id, with_for_update={"key_share": True})
    if db.session.scalars(select(SampleAudit.id).where(SampleAudit.case_id == case_id)).first() is not None:
        return
    percent = int(definitions.service(case.service_revision_id).parameters[SAMPLE_AUDIT])
    audit = SampleAudit(case_id=case_id, percent=percent, drawn=is_drawn(case.number or "", percent), at=now)
    db.session.add(audit)
    db.session.flush()
    if audit.drawn:
        link = f"{current_app.config['BASE_URL']}/staff/audits/{audit.public_id}"
        notices.tell_staff(
            duties.heads_of(case.handling_unit_id, "officer", taipei_day(now)),
            f"sample_audit:{audit.public_id}",
            Text(zh=f"抽查：{case.number}", en=f"Sample check: {case.number}"),
            Text(
                zh=f"這個案件由承辦人核發，抽中事後抽查，請查核。\n{link}",
                en=f"An officer issued this alone; it was drawn for a check.\n{link}",
            ),
            now,
            case.id,
        )


def drawn(actor: Actor) -> list[SampleAudit]:
    """Of the cases that the actor may see: those to be checked first, then the newest results."""
    _require(actor)
    return list(
        db.session.scalars(
            select(SampleAudit)
            .join(Case, Case.id == SampleAudit.case_id)
            .where(SampleAudit.drawn, visible_to(actor))
            .order_by(SampleAudit.checked_at.is_not(None), SampleAudit.id.desc())
            .limit(200)
        )
    )


def visible(actor: Actor, public_id: str) -> SampleAudit:
    _require(actor)
    audit = db.session.scalars(
        select(SampleAudit)
        .join(Case, Case.id == SampleAudit.case_id)
        .where(SampleAudit.drawn, SampleAudit.public_id == public_id, visible_to(actor))
    ).one_or_none()
    if audit is None:
        raise NotFound()
    return audit


def check(actor: Actor, audit: SampleAudit, result: str, comment: str, now: datetime) -> None:
    """By a head of the unit who had no part in the case; the first result stands."""
    case, said = audit.case, comment.strip()
    head = duties.head_over(actor, case.handling_unit_id)
    if head is None or actor.account_id is None:
        raise Forbidden(Text(zh="抽查由該單位主管辦理。", en="The head of the unit checks this."))
    if result not in RESULTS:
        raise Refused(Text(zh="請選擇抽查結果。", en="Choose a result."))
    if result == "irregular" and not said:
        raise Refused(Text(zh="請說明疏失。", en="Say what is not in order."))
    if len(said) > LONGEST:
        raise Refused(Text(zh=f"說明最多 {LONGEST} 個字。", en=f"At most {LONGEST} characters."))
    db.session.get_one(Case, case.id, with_for_update={"key_share": True}, populate_existing=True)
    db.session.refresh(audit, with_for_update=True)
    if audit.checked_at is not None:
        by = chart().names.get(audit.checked_by_id or 0, "")
        raise Conflict(Text(zh=f"這個案件已由{by}抽查。", en=f"{by} has checked this case already."))
    people = {actor.account_id, head.acting_for_id} - {None}
    if _had_a_part(case, people):
        raise Refused(
            Text(
                zh="您辦過這個案件，請由其他主管抽查。",
                en="You acted on this case; another head must check it.",
            )
        )
    audit.result, audit.comment, audit.checked_at = result, said or None, now
    audit.checked_by_id, audit.acting_for_id = actor.account_id, head.acting_for_id
    db.session.flush()
    events.record(
        actor,
        case,
        "sample_checked",
        now,
        acting_for_id=head.acting_for_id,
        from_state=case.state,
        payload={"comment": said or RESULTS[result].zh},
    )


def _had_a_part(case: Case, people: set[int | None]) -> bool:
    acted = select(CaseEvent.id).where(
        CaseEvent.case_id == case.id,
        or_(CaseEvent.actor_id.in_(people), CaseEvent.acting_for_id.in_(people)),
    )
    return db.session.scalars(acted.limit(1)).first() is not None


def _require(actor: Actor) -> None:
    if not actor.may("check_samples"):
        raise Forbidden(Text(zh="抽查由單位主管辦理。", en="Heads of units make the sample checks."))
