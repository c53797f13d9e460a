"""The deadline sweep: what is due soon, due, or late, decided by the case_deadlines rules and recorded once a rung.

The sweep writes who is to hear of a rung; services.digests tells them, once a day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, or_, select, text, update

from webapp.extensions import db
from webapp.models import Case, Clock, CorrectionRequest, Task
from webapp.moments import taipei_day
from webapp.permissions import HEADS, Actor, visible_to
from webapp.queries import standing
from webapp.queries.ladders import Ladder, Reached
from webapp.queries.org import calendar, chart
from webapp.queries.standing import RUNNING, Standing
from webapp.rows import among
from webapp.services import cases, corrections, digests, evaluation


def clocks_to_sweep(today: date) -> list[int]:
    """Running clocks not yet looked at today, those of parallel tasks too; one that moved since is looked at again."""
    return list(
        db.session.scalars(select(Clock.id).where(RUNNING, _unswept(today)).order_by(Clock.due_on, Clock.id))
    )


def lapsed_corrections(today: date) -> Iterator[int]:
    yield from db.session.scalars(
        select(CorrectionRequest.id).where(
            CorrectionRequest.closed_at.is_(None), CorrectionRequest.due_on < today
        )
    ).all()


def sweep(clock_ids: Sequence[int], now: datetime, run_id: int | None = None) -> tuple[int, int]:
    """Looks at these clocks, each once a day among all workers. Returns how many, and how many rungs they reached.

    It waits for nobody: a clock that somebody is moving in this moment is left for the next walk.
    """
    today = taipei_day(now)
    free = (
        select(Clock.id)
        .where(among(Clock.id, clock_ids), RUNNING, _unswept(today))
        .with_for_update(skip_locked=True)
        .cte("free")
    )
    won = db.session.scalars(
        update(Clock)
        .where(Clock.id == free.c.id)
        .values(swept_on=today)
        .returning(Clock.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not won:
        return 0, 0
    found = Ladder(today).reached(standing.read(among(Clock.id, won)))
    reached = [each for each in found if each.rungs]
    if reached:
        _record(reached, now, run_id)
    evaluation.keep_undecided(
        [(each.clock.case_id, each.clock.clock_id, each.decision, each.revision) for each in found], now
    )
    evaluation.report([(each.decision, each.revision) for each in found], now)
    return len(won), sum(len(each.rungs) for each in reached)


def forecast(actor: Actor, now: datetime) -> tuple[date, list[Reached]]:
    """The next working day, and what the sweep will find then if nothing moves: of the cases that the actor may see.

    A rung that no day count brings nearer than the largest threshold of the rules is not looked for.
    """
    days = calendar()
    tomorrow = days.add_working_days(taipei_day(now), 1)
    ladder = Ladder(tomorrow)
    thresholds = [
        int(v) for v in ladder.ruleset.params.values() if isinstance(v, int) and not isinstance(v, bool)
    ]
    horizon = days.add_working_days(tomorrow, max([0, *thresholds]) + 1)
    coming = ladder.reached(standing.read(Clock.due_on <= horizon, visible_to(actor)))
    return tomorrow, [each for each in coming if each.rungs]


def lapse_correction(request_id: int, now: datetime) -> None:
    """The days for a correction are over: the review goes on with what was sent (no answer is no consent)."""
    request = db.session.get_one(CorrectionRequest, request_id)
    case = db.session.get_one(Case, request.case_id)
    if corrections.hold(case, request):
        corrections.close(request, "lapsed", now)
        cases.take_as_system(case, "lapse", now)


def look_again(today: date) -> None:
    """Other rules hold from today on: the next walk looks at every running clock once more.

    It waits for nobody: a clock that somebody is moving in this moment is looked at again anyway.
    """
    swept = select(Clock.id).where(RUNNING, Clock.swept_on == today).with_for_update(skip_locked=True)
    db.session.execute(
        update(Clock)
        .where(Clock.id.in_(swept))
        .values(swept_on=None)
        .execution_options(synchronize_session=False)
    )


def _unswept(today: date) -> ColumnElement[bool]:
    return or_(Clock.swept_on.is_(None), Clock.swept_on < today)


def _record(reached: Sequence[Reached], now: datetime, run_id: int | None) -> None:
    """The firings with their explanations, the rungs, and who is to hear of them: three statements."""
    firings = evaluation.store(
        [(each.clock.case_id, each.clock.clock_id, each.decision, each.revision) for each in reached], now
    )
    written = db.session.execute(
        _ESCALATIONS,
        {
            "at": now,
            "run": run_id,
            "clocks": [each.clock.clock_id for each in reached for _ in each.rungs],
            "periods": [each.clock.period_number for each in reached for _ in each.rungs],
            "rungs": [params["rung"] for each in reached for params in each.rungs],
            "firings": [firings[each.clock.clock_id] for each in reached for _ in each.rungs],
        },
    )
    ids = {(clock_id, rung): key for key, clock_id, rung in written}
    hearers = _Hearers(reached, taipei_day(now))
    told: list[tuple[int, int, int | None, date | None]] = []
    for each in reached:
        for params in each.rungs:
            people = hearers.of(each.clock, params["to"])
            at_once = params.get("delivery") == "at_once"
            if at_once:
                digests.at_once(each.clock, params, each.days_left, people, now)
            key = ids[each.clock.clock_id, params["rung"]]
            day = taipei_day(now) if at_once else None
            told += [(key, person, absent, day) for person, absent in people.items()]
    if told:
        escalations, accounts, absent, days = map(list, zip(*told, strict=True))
        db.session.execute(
            _NOTICES, {"escalations": escalations, "people": accounts, "absent": absent, "days": days}
        )


_ESCALATIONS = text(
    """
    insert into escalation (clock_id, period_number, rung, firing_id, sweep_run_id, at)
    select clock_id, period, rung, firing, cast(:run as bigint), :at
    from unnest(cast(:clocks as bigint[]), cast(:periods as int[]), cast(:rungs as text[]),
        cast(:firings as bigint[])) as reached(clock_id, period, rung, firing)
    returning id, clock_id, rung
    """
)
_NOTICES = text(
    """
    insert into escalation_notice (escalation_id, account_id, acting_for_id, told_on, digest)
    select escalation_id, account_id, acting_for_id, told_on, false
    from unnest(cast(:escalations as bigint[]), cast(:people as bigint[]), cast(:absent as bigint[]),
        cast(:days as date[])) as told(escalation_id, account_id, acting_for_id, told_on)
    """
)


class _Hearers:
    """Who holds what is late, or whoever could take it from the pool; heads are those above the unit whose time it is.

    Beside somebody absent their deputy hears, and is told for whom.
    """

    def __init__(self, reached: Sequence[Reached], today: date) -> None:
        self._today, self._tree = today, chart()
        self._seats: dict[tuple[int, str], set[int]] = {}
        self._held: dict[int, set[int]] = defaultdict(set)
        rows = db.session.execute(
            select(Task.case_id, Task.assignee_id, Task.unit_id, Task.function).where(
                among(Task.case_id, [each.clock.case_id for each in reached if each.clock.task_id is None]),
                Task.state == db.literal("open", literal_execute=True),
            )
        )
        for case_id, account_id, unit_id, function in rows:
            self._held[case_id] |= (
                {account_id} if account_id is not None else self._holders(unit_id, function)
            )

    def of(self, clock: Standing, functions: Sequence[str]) -> dict[int, int | None]:
        """Each with whom they stand in for; who hears in their own right hears as nobody's deputy."""
        people: set[int] = set()
        if clock.confidential:
            # others may not even know of it: what would reach them reaches the head of the unit
            functions = [name if name in {"officer", *HEADS} else "department_head" for name in functions]
        for function in functions:
            if function == "officer":
                held = self._held[clock.case_id] if clock.task_id is None else {clock.assignee_id} - {None}
                people |= held or self._holders(clock.unit_id, clock.function or function)
            else:
                people |= self._holders(clock.unit_id, function)
        deputies = {
            deputy: person for person in sorted(people) for deputy in self._tree.deputies(person, self._today)
        }
        return {**deputies, **dict.fromkeys(sorted(people))}

    def _holders(self, unit_id: int, function: str) -> set[int]:
        key = (unit_id, function)
        if key not in self._seats:
            _, seats = self._tree.holders(unit_id, function, self._today)
            self._seats[key] = {seat.account_id for seat in seats}
        return self._seats[key]
