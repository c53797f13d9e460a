"""告知新的預計完成日: of a case that is late its officer or head says until when it will be done, and why.

The legal limit stays what it was: the case remains late, and the applicant keeps every right.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, CaseEvent
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import calendar
from webapp.services import clocks, events, notices

if TYPE_CHECKING:
    from webapp.services.steps import Context

KIND = "date_promised"
#: nobody is put off for longer
LONGEST = timedelta(days=366)


def is_late(case: Case, now: datetime) -> bool:
    return (
        case.due_on is not None
        and case.due_on < taipei_day(now)
        and clocks.of_case(case.id).state == "running"
    )


def of_case(case: Case) -> date | None:
    """The day that was told last; none when nobody has said one."""
    told = db.session.scalars(
        select(CaseEvent)
        .where(CaseEvent.case_id == case.id, CaseEvent.kind == KIND)
        .order_by(CaseEvent.seq.desc())
        .limit(1)
    ).first()
    return (
        date.fromisoformat(told.payload.body["date"])
        if told is not None and told.payload is not None
        else None
    )


def tell(
    actor: Actor, ctx: Context, until: date | None, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    case, today = ctx.case, taipei_day(now)
    if until is None or not today < until <= today + LONGEST:
        raise Refused(
            Text(
                zh="請填寫明天以後、一年以內的日期，例如 115 年 12 月 3 日。",
                en="Give a day after today and within a year, such as 3 December 2026.",
            )
        )
    if not calendar(case.handling_unit_id).is_working_day(until):
        raise Refused(
            Text(zh="這一天不上班，請改填上班日。", en="Nobody works on that day. Choose a working day.")
        )
    events.record(
        actor,
        case,
        KIND,
        now,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={"comment": reason, "date": until.isoformat()},
    )
    occasion = f"{KIND}:{int(now.timestamp())}"
    notices.notify(case, KIND, now, comment=reason, on_date=until, occasion=occasion)
