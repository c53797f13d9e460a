"""When the limit of a case passes: the applicant is told unasked, once a period, or the law grants the application.

Sources: 行政程序法 51, 訴願法 2 (inaction), 規費法 19 (fee back), and the law that the service names for silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, or_, select, update

from rules.values import Text, format_day
from webapp.extensions import db
from webapp.models import Case, Clock, Escalation, EscalationNotice
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM
from webapp.queries import holding, ladders, standing
from webapp.queries.org import chart
from webapp.services import cases, events, expected, extensions, notices, steps
from webapp.services.steps import Context
from workflows import engine
from workflows.functions import FUNCTION_LABELS
from workflows.service import DEEMED

_WAITS = Text(zh="目前停在「{step}」（{units}）。", en="It now waits at the step “{step}” ({units}).")
_HELD = Text(
    zh="辦理最久的步驟是「{step}」（{unit}），{days} 個工作天。",
    en="It was held longest at the step “{step}” ({unit}): {days} working days.",
)
_REASON = Text(zh="承辦人說明的原因：{reason}", en="The officer gives this reason: {reason}")
_PRESSED = Text(zh="已催促承辦單位儘速辦理。", en="The office is being pressed to finish it.")
_EXPECTED = Text(zh="承辦單位預計於 {day} 前辦完。", en="The office expects to finish it by {day}.")
_NO_DATE = Text(zh="承辦單位還沒有訂出新的預計完成日。", en="The office has not set a new expected date yet.")
_REVIEW = Text(
    zh="到 {day} 仍未辦完時，系統會再提報{people}檢視。",
    en="If it is not finished by {day}, it is put before the {people} again.",
)


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
        notices.notify(
            case, told, now, comment=_why(ctx, clock, now), on_date=due, occasion=f"period-{period}"
        )


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


def _why(ctx: Context, clock: Clock, now: datetime) -> str:
    """Where it waits, what held it, whether anybody presses, and what day can honestly be named."""
    lang, case = ctx.case.language, ctx.case
    said = [_WAITS.in_(lang).format(step=ctx.workflow.state(case.state).label.in_(lang), units=_units(ctx))]
    held = holding.longest([case.id], now).get(case.id)
    if held is not None and held.days > 0:
        step, unit = held.step.in_(lang), held.unit.in_(lang)
        said.append(_HELD.in_(lang).format(step=step, unit=unit, days=held.days))
    asked = [request.reason for request in extensions.of_case(case.id) if request.state != "refused"]
    if asked:
        said.append(_REASON.in_(lang).format(reason=asked[-1]))
    if _is_pressed(clock):
        said.append(_PRESSED.in_(lang))
    return "\n".join([*said, _new_date(case, clock, now)])


def _units(ctx: Context) -> str:
    lang, tree = ctx.case.language, chart()
    units = [tree.units[t.unit_id].name(lang) for t in steps.tasks_of_visit(ctx.case) if t.state == "open"]
    units = units or [tree.units[ctx.case.handling_unit_id].name(lang)]
    return _joined(units, lang)


def _joined(words: Iterable[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(dict.fromkeys(words))


def _is_pressed(clock: Clock) -> bool:
    """Whether somebody has been told of a rung of this period."""
    told = (
        select(EscalationNotice.id)
        .join(Escalation, Escalation.id == EscalationNotice.escalation_id)
        .where(
            Escalation.clock_id == clock.id,
            Escalation.period_number == clock.period_number,
            EscalationNotice.told_on.is_not(None),
        )
    )
    return db.session.scalars(told.limit(1)).first() is not None


def _new_date(case: Case, clock: Clock, now: datetime) -> str:
    """The day that the office has set; else that none is set, and when the case is looked at again."""
    lang, until = case.language, expected.of_case(case)
    if until is not None and until >= taipei_day(now):
        return _EXPECTED.in_(lang).format(day=format_day(until, lang))
    review = _next_review(clock, now)
    if review is None:
        return _NO_DATE.in_(lang)
    day, functions = review
    people = _joined((FUNCTION_LABELS[f].in_(lang) for f in functions), lang)
    again = _REVIEW.in_(lang).format(day=format_day(day, lang), people=people)
    return f"{_NO_DATE.in_(lang)}{'' if lang == 'zh' else ' '}{again}"


def _next_review(clock: Clock, now: datetime) -> tuple[date, Sequence[str]] | None:
    """The day of the next rung of the ladder that today does not reach, and who then hears of it."""
    today = taipei_day(now)
    coming = ladders.next_rungs(standing.read(Clock.id == clock.id), today)
    return next(
        ((each.day, each.params["to"]) for each in coming.get(clock.id, ()) if each.day > today), None
    )
