"""調卷分析: a head's opinion on who is responsible for a delay. It is recorded; nothing follows by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Forbidden, Refused
from webapp.extensions import db
from webapp.models import Case, FileReview
from webapp.permissions import PERMISSIONS, Actor
from webapp.services import duties, events

LONGEST = 4000


def may_write(actor: Actor, case: Case) -> bool:
    return actor.may("judge_delay") and not duties.is_party(case, actor.account_id, _acting_for(actor))


def write(actor: Actor, case: Case, opinion: str, now: datetime) -> None:
    """A further opinion beside the earlier ones. The same one sent twice is one."""
    if not actor.may("judge_delay") or actor.account_id is None:
        raise Forbidden(
            Text(
                zh="只有主管與研考單位可以寫調卷分析意見。",
                en="Only heads and the research office write an opinion on a delay.",
            )
        )
    acting_for_id = _acting_for(actor)
    duties.require_stranger(case, actor.account_id, acting_for_id)
    text = opinion.strip()
    if not text:
        raise Refused(Text(zh="請寫下您的意見。", en="Write your opinion."))
    if len(text) > LONGEST:
        raise Refused(
            Text(zh=f"意見最多 {LONGEST} 個字。", en=f"An opinion has at most {LONGEST} characters.")
        )
    # one at a time: two clicks of one person wait for each other here
    db.session.get_one(Case, case.id, with_for_update={"key_share": True}, populate_existing=True)
    newest = db.session.scalars(
        select(FileReview).where(FileReview.case_id == case.id).order_by(FileReview.id.desc()).limit(1)
    ).first()
    if newest is not None and (newest.written_by_id, newest.opinion) == (actor.account_id, text):
        return
    db.session.add(
        FileReview(
            case_id=case.id,
            opinion=text,
            written_by_id=actor.account_id,
            acting_for_id=acting_for_id,
            at=now,
        )
    )
    db.session.flush()
    events.record(
        actor,
        case,
        "file_reviewed",
        now,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"comment": text},
    )


def _acting_for(actor: Actor) -> int | None:
    """Whom the actor stands in for, when it is only as a deputy that they may judge."""
    heads = [m for m in actor.mandates if f"function:{m.function}" in PERMISSIONS["judge_delay"]]
    return None if any(m.acting_for_id is None for m in heads) else heads[0].acting_for_id
