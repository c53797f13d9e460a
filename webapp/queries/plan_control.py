"""How a register is made up: carried over and new, released, waiting for acceptance, and what goes on next year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select

from webapp.extensions import db
from webapp.models import Case, Plan, ProgressReport, Register, RegisterEntry
from webapp.moments import taipei_day
from webapp.periods import last_day
from webapp.queries.org import chart

#: 跨年度續列管 is no release: the plan stands in the next register
CARRIED = "carried_over"


@dataclass(frozen=True)
class MadeUp:
    """A register at the end of a month."""

    standing: int = 0
    carried_over: int = 0
    released: int = 0
    #: completed, and not accepted yet
    to_be_accepted: int = 0

    @property
    def new(self) -> int:
        return self.standing - self.carried_over


def made_up(of: Register, month: date) -> MadeUp:
    """Counted once, in one statement."""
    end = last_day(month)
    stands = or_(RegisterEntry.released_on.is_(None), RegisterEntry.released_on > end)
    waits = and_(
        stands,
        Plan.completed_on <= end,
        or_(Plan.accepted_on.is_(None), Plan.accepted_on > end),
    )
    gone = and_(RegisterEntry.released_on <= end, RegisterEntry.released_as.is_distinct_from(CARRIED))
    row = db.session.execute(
        select(
            func.count().filter(stands),
            func.count().filter(stands, RegisterEntry.carried_over_from.is_not(None)),
            func.count().filter(gone),
            func.count().filter(waits),
        )
        .select_from(RegisterEntry)
        .join(Plan, Plan.id == RegisterEntry.plan_id)
        .where(RegisterEntry.register_id == of.id, RegisterEntry.since <= end)
    ).one()
    return MadeUp(*row)


def year_ended(of: Register, now: datetime) -> bool:
    return taipei_day(now) > date(of.roc_year + 1911, 12, 31)


def has_live(of: Register) -> bool:
    return db.session.query(exists().where(*_goes_on(of))).scalar()


def live(of: Register) -> Sequence[tuple[RegisterEntry, Plan]]:
    """Entries that stand there now and are kept here, by project and number, with their plans."""
    return [
        (entry, plan)
        for entry, plan in db.session.execute(
            select(RegisterEntry, Plan)
            .join(Plan, Plan.id == RegisterEntry.plan_id)
            .where(*_goes_on(of))
            .order_by(RegisterEntry.project_no.nulls_last(), RegisterEntry.id)
        )
    ]


def works_on(plan: Plan) -> int:
    """The unit that reports of a plan come from: the section to which its head moved the last one, else who leads."""
    last = db.session.scalars(
        select(Case.handling_unit_id)
        .join(ProgressReport, ProgressReport.case_id == Case.id)
        .join(RegisterEntry, RegisterEntry.id == ProgressReport.entry_id)
        .where(RegisterEntry.plan_id == plan.id)
        .order_by(ProgressReport.month.desc(), ProgressReport.id.desc())
        .limit(1)
    ).first()
    return last if last in chart().within(plan.lead_unit_id) else plan.lead_unit_id


def _goes_on(of: Register) -> tuple[ColumnElement[bool], ...]:
    """以公布為準: what the county published stands as it was published."""
    return (
        RegisterEntry.register_id == of.id,
        RegisterEntry.released_on.is_(None),
        RegisterEntry.origin != "published",
    )
