"""When the limit of a case passes: the applicant is told unasked, once a period, or the law grants the application.

Sources: 行政程序法 51, 訴願法 2 (inaction), 規費法 19 (fee back), and the law that the service names for silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, or_, select, update

from rules.values import Text
from webapp.extensions import db
from webapp.models import Case, Clock
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries.org import chart
from webapp.services import cases, events, notices, steps
from webapp.services.steps import Context
from workflows import engine
from workflows.service import DEEMED

_WAITS = Text(zh="目前停在「{step}」（{units}）", en="It now waits at the step “{step}” ({units})")


def passed(now: datetime) -> Iterator[int]:
    """Running clocks of cases whose limit passed in this period, and whose applicants were not told."""
    yield from db.session.scalars(
        select(Clock.id)
        .join(Case, Case.id == Clock.case_id)
        .where(Case.status == "open", *_late(now))
        .order_by(Clock.due_on, Clock.id)
    ).all()


def limit_passed(clock_id: int, now: datetime) -> None:
    """One of all workers tells it, or takes the transition that the law has taken."""
    case = db.session.scalars(
        select(Case)
        .join(Clock, Clock.case_id == Case.id)
        .where(Clock.id == clock_id)
        .with_for_update(key_share=True, of=Case)
        .execution_options(populate_existing=True)
    ).one()
    period = db.session.scalars(
        update(Clock)
        .where(Clock.id == clock_id, *_late(now))
        .values(told_period=Clock.period_number)
        .returning(Clock.period_number)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if period is None or case.status == "closed":
        return
    clock = db.session.get_one(Clock, clock_id, populate_existing=True)
    ctx, due = steps.context(case), clock.due_on
    events.record(SYSTEM, case, "limit_passed", now, from_state=case.state, payload={"date": due.isoformat()})
    if _is_deemed(ctx):
        _grant(ctx, now)
    else:
        told = "limit_passed_paid" if case.fee_total else "limit_passed"
        notices.notify(case, told, now, comment=_why(ctx, now), on_date=due, occasion=f"period-{period}")


def _late(now: datetime) -> tuple[ColumnElement[bool], ...]:
    today: date = taipei_day(now)
    return (
        Clock.task_id.is_(None),
        Clock.state == db.literal("running", literal_execute=True),
        or_(and_(Clock.kind != "HOUR", Clock.due_on < today), Clock.due_at < now),
        Clock.told_period.is_distinct_from(Clock.period_number),
    )


def _is_deemed(ctx: Context) -> bool:
    if ctx.service.deemed is None:
        return False
    present = steps.snapshot(ctx, steps.tasks_of_visit(ctx.case), cases.facts_now(ctx))
    return any(t.name == DEEMED for t in engine.allowed(ctx.workflow, present, "system", frozenset()))


def _grant(ctx: Context, now: datetime) -> None:
    assert ctx.service.deemed is not None, "asked before"
    cases.take_as_system(ctx.case, DEEMED, now)
    basis = ctx.service.deemed.legal_basis.in_(ctx.case.language)
    notices.notify(ctx.case, DEEMED, now, comment=basis, on_date=ctx.case.due_on, occasion=DEEMED)


def _why(ctx: Context, now: datetime) -> str:
    """The step where it waits, and with whom."""
    lang, tree = ctx.case.language, chart()
    units = [tree.units[t.unit_id].name(lang) for t in steps.tasks_of_visit(ctx.case) if t.state == "open"]
    units = units or [tree.units[ctx.case.handling_unit_id].name(lang)]
    joined = ("、" if lang == "zh" else ", ").join(dict.fromkeys(units))
    return _WAITS.in_(lang).format(step=ctx.workflow.state(ctx.case.state).label.in_(lang), units=joined)
