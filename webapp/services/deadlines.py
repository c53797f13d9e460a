"""The deadline sweep: what is due soon, due, or late, decided by the case_deadlines rules and told once a rung."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select, update

from rules.values import Text, format_day
from webapp.extensions import db
from webapp.models import Account, Case, Clock, CorrectionRequest, Escalation, Task
from webapp.moments import taipei_day
from webapp.queries import definitions
from webapp.queries.org import calendar, chart
from webapp.services import cases, clocks, corrections, evaluation, notices

SUBJECTS: Mapping[str, Text] = {
    "warn": Text(zh="案件即將到期", en="A case is nearly due"),
    "due": Text(zh="案件今日到期", en="A case is due today"),
    "overdue": Text(zh="案件逾期稽催", en="A case is overdue"),
    "review": Text(zh="案件逾期調卷分析", en="An overdue case needs analysis"),
}
_SUBJECT = Text(zh="{what}：{number} {service}", en="{what}: {number} {service}")
_BODY = Text(zh="{left}（{due}）。", en="{left} ({due}).")


def clocks_to_sweep(today: date) -> Iterator[int]:
    """Running clocks not yet looked at today; those of parallel tasks too."""
    yield from db.session.scalars(
        select(Clock.id)
        .where(Clock.state == db.literal("running", literal_execute=True), _unswept(today))
        .order_by(Clock.due_on, Clock.id)
    ).all()


def lapsed_corrections(today: date) -> Iterator[int]:
    yield from db.session.scalars(
        select(CorrectionRequest.id).where(
            CorrectionRequest.closed_at.is_(None), CorrectionRequest.due_on < today
        )
    ).all()


def sweep_clock(clock_id: int, now: datetime) -> list[str]:
    """Evaluates one clock, once a day among all workers. Returns the rungs that were newly reached."""
    today = taipei_day(now)
    won = db.session.execute(
        update(Clock)
        .where(Clock.id == clock_id, Clock.state == "running", _unswept(today))
        .values(swept_on=today)
        .returning(Clock.id)
    ).one_or_none()
    if won is None:
        return []
    clock = db.session.get_one(Clock, clock_id)
    case = db.session.get_one(Case, clock.case_id)
    if case.status == "closed":
        return []
    # counted like the due date itself: a branch by the working days of its own unit
    days_left = calendar(clocks.unit_of(clock, case)).working_days_between(today, clock.due_on)
    facts: dict[str, object] = {
        "service.code": case.service_code,
        "case.channel": case.channel,
        "case.state": case.state,
        "case.days_left": days_left,
        "case.days_total": clock.period,
        "case.paused": clock.state == "paused",
    }
    decision, revision = evaluation.decide("case_deadlines", facts, today)
    known = _known_rungs(clock)
    reached = [
        o.params for o in decision.outcomes if o.action == "escalate" and o.params["rung"] not in known
    ]
    if not reached:
        return []
    firing_id = evaluation.store(case.id, clock.id, decision, revision, now)
    for params in reached:
        db.session.add(
            Escalation(
                clock_id=clock.id,
                period_number=clock.period_number,
                rung=params["rung"],
                firing_id=firing_id,
                at=now,
            )
        )
    _tell(case, clock, reached, days_left, now)
    return [params["rung"] for params in reached]


def lapse_correction(request_id: int, now: datetime) -> None:
    """The days for a correction are over: the review goes on with what was sent (no answer is no consent)."""
    request = db.session.get_one(CorrectionRequest, request_id)
    case = db.session.get_one(Case, request.case_id)
    if corrections.hold(case, request):
        corrections.close(request, "lapsed", now)
        cases.take_as_system(case, "lapse", now)


def _unswept(today: date) -> object:
    return or_(Clock.swept_on.is_(None), Clock.swept_on < today)


def _known_rungs(clock: Clock) -> frozenset[str]:
    """The rungs of the present period that were told before; the database refuses a second one."""
    return frozenset(
        db.session.scalars(
            select(Escalation.rung).where(
                Escalation.clock_id == clock.id, Escalation.period_number == clock.period_number
            )
        )
    )


def _tell(
    case: Case, clock: Clock, reached: Sequence[Mapping[str, Any]], days_left: int, now: datetime
) -> None:
    """One message a person: after a pause of the worker several rungs are reached at once, and the last one counts."""
    last: dict[int, Mapping[str, Any]] = {}
    for params in reached:
        last |= dict.fromkeys(_recipients(case, clock, params["to"], taipei_day(now)), params)
    service = definitions.service(case.service_revision_id)
    for account_id, params in sorted(last.items(), key=lambda item: item[0]):
        account = db.session.get_one(Account, account_id)
        lang = account.language
        notices.post(
            f"escalation:{clock.id}:{clock.period_number}:{params['rung']}:{account_id}",
            "inbox",
            account.email or account.name,
            _SUBJECT.in_(lang).format(
                what=SUBJECTS[params["kind"]].in_(lang), number=case.number, service=service.title.in_(lang)
            ),
            _BODY.in_(lang).format(left=_left(days_left).in_(lang), due=format_day(clock.due_on, lang)),
            now,
            case_id=case.id,
            account_id=account_id,
        )


def _recipients(case: Case, clock: Clock, functions: Sequence[str], today: date) -> set[int]:
    """Who holds what is late, else whoever could; heads are those above the unit whose time it is."""
    tree, people = chart(), set()
    unit_id = clocks.unit_of(clock, case)
    held, own_function = _held(case, clock)
    for function in functions:
        if function == "officer" and held:
            people |= held
            continue
        _, seats = tree.holders(unit_id, own_function if function == "officer" else function, today)
        people |= {seat.account_id for seat in seats}
    deputies = {
        leave.deputy_id for leave in tree.leaves if leave.account_id in people and leave.covers(today)
    } - {None}
    return people | {deputy for deputy in deputies if deputy is not None}


def _held(case: Case, clock: Clock) -> tuple[set[int], str]:
    """The officers of the open tasks that a clock is about, and the function that it takes to hold them."""
    if clock.task_id is not None:
        task = db.session.get_one(Task, clock.task_id)
        return {task.assignee_id} - {None}, task.function
    assigned = select(Task.assignee_id).where(
        Task.case_id == case.id, Task.state == "open", Task.assignee_id.is_not(None)
    )
    return set(db.session.scalars(assigned)), "officer"


def _left(days_left: int) -> Text:
    n = abs(days_left)
    days = f"{n} working day{'' if n == 1 else 's'}"
    if days_left > 0:
        return Text(zh=f"距離期限還有 {n} 個工作天", en=f"{days} left")
    if days_left == 0:
        return Text(zh="今日到期", en="Due today")
    return Text(zh=f"已逾期 {n} 個工作天", en=f"{days} late")
