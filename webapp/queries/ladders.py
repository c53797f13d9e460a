"""The ladder of 稽催: which rungs a running clock has reached on a day, and which it will reach when if nothing moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from rules.conditions import coerce, threshold
from rules.decision import Decision
from rules.engine import Compiled, Unreadable
from rules.model import Ruleset
from rules.normal import alternatives
from webapp.queries import definitions, standing
from webapp.queries.org import calendar
from webapp.queries.standing import Standing
from workflows.calendar import WorkingCalendar

RULESET = "case_deadlines"

#: how many days past its limit, or past today, a clock is followed at most
FURTHEST = 400


@dataclass(frozen=True)
class Reached:
    """The rungs that a clock has newly reached, lowest first, with the decision that says so."""

    clock: Standing
    days_left: int
    rungs: tuple[Mapping[str, Any], ...]
    decision: Decision
    revision: int


@dataclass(frozen=True)
class Coming:
    """A rung that a clock will reach on a day, if nothing moves, and the decision of that day."""

    day: date
    days_left: int
    #: of the action: rung, to, kind
    params: Mapping[str, Any]
    #: the rule that will ask for it
    rule: str
    decision: Decision
    #: None where a draft decides
    revision: int | None


class Ladder:
    """The rules of one day. Equal facts are decided once: a thousand clocks have some dozens of different ones."""

    def __init__(self, today: date) -> None:
        self.today = today
        self._decider, self.revision = definitions.deciding(RULESET, today)
        self._decisions = _Decisions(self._decider)
        self._days = _Days()

    @property
    def ruleset(self) -> Ruleset:
        return self._decider.ruleset

    def reached(self, clocks: Sequence[Standing]) -> list[Reached]:
        """Clocks for which nothing could be decided are among them, without a rung."""
        late = [clock.clock_id for clock in clocks if self.days_left(clock) < 0]
        pauses = standing.pauses(late) if late and "case.days_used" in self.ruleset.used else {}
        found = []
        for clock in clocks:
            left = self.days_left(clock)
            used = self._days.used(clock, self.today, pauses.get(clock.clock_id, ())) if left < 0 else None
            decision = self._decisions.of(_facts(clock, left, used))
            new = tuple(params for _, params in _rungs(decision) if params["rung"] not in clock.known)
            if new or decision.trouble:
                found.append(Reached(clock, left, new, decision, self.revision))
        return found

    def days_left(self, clock: Standing) -> int:
        """Counted like the due date itself: a branch by the working days of its own unit."""
        return self._days.between(clock.unit_id, self.today, clock.due_on)


def next_rungs(
    clocks: Sequence[Standing],
    today: date,
    *,
    ruleset: Compiled | None = None,
    since: date | None = None,
    most: int | None = None,
) -> dict[int, list[Coming]]:
    """By clock, the rungs that it reaches from today on, in the order of days, at most so many.

    Each day is decided by the revision in force then, scheduled ones too; a `ruleset` of one's own, such as a draft,
    decides all days, or those from `since` on.
    """
    ladders = _Ladders(ruleset, since)
    pauses = standing.pauses([clock.clock_id for clock in clocks])
    days = _Days()
    return {
        clock.clock_id: _walk(clock, today, ladders, days, pauses.get(clock.clock_id, ()), most)
        for clock in clocks
    }


def _walk(
    clock: Standing,
    today: date,
    ladders: _Ladders,
    days: _Days,
    pauses: Sequence[tuple[date, date]],
    most: int | None,
) -> list[Coming]:
    known, found = set(clock.known), list[Coming]()
    calendar_of = days.of(clock.unit_id)
    day, left = today, days.between(clock.unit_id, today, clock.due_on)
    used = days.used(clock, today, pauses)
    last = max(today, clock.due_on) + timedelta(days=FURTHEST)
    while day <= last:
        decisions, revision = ladders.on(day)
        if left <= decisions.highest:
            decision = decisions.of(_facts(clock, left, used if left < 0 else None))
            for rule, params in _rungs(decision):
                if params["rung"] not in known:
                    known.add(params["rung"])
                    found.append(Coming(day, left, params, rule, decision, revision))
            if ladders.rungs <= known or (most is not None and len(found) >= most):
                break
        day += timedelta(days=1)
        if calendar_of.is_working_day(day):
            left, used = left - 1, used + 1
    return found[:most]


class _Ladders:
    """What decides on which day."""

    def __init__(self, ruleset: Compiled | None, since: date | None) -> None:
        self._own = _Decisions(ruleset) if ruleset is not None else None
        self._since = since
        self._published: dict[int, _Decisions] = {}
        self._days: dict[date, tuple[_Decisions, int | None]] = {}

    def on(self, day: date) -> tuple[_Decisions, int | None]:
        if day not in self._days:
            if self._own is not None and (self._since is None or self._since <= day):
                self._days[day] = self._own, None
            else:
                decider, revision = definitions.deciding(RULESET, day)
                self._days[day] = self._published.setdefault(revision, _Decisions(decider)), revision
        return self._days[day]

    @property
    def rungs(self) -> frozenset[str]:
        """Every rung that those asked so far may name; when all are reached nothing is left to wait for."""
        asked = {id(decisions): decisions for decisions, _ in self._days.values()}
        return frozenset().union(*(decisions.rungs for decisions in asked.values()))


class _Decisions:
    """Of one ruleset, each of equal facts made once."""

    def __init__(self, decider: Compiled | Unreadable) -> None:
        self._decider = decider
        self._reads = sorted(decider.ruleset.used)
        self._made: dict[tuple[object, ...], Decision] = {}
        self.rungs = frozenset(
            outcome.params["rung"]
            for rule in decider.ruleset.rules
            for outcome in rule.then
            if outcome.action == "escalate"
        )
        self.highest = _highest(decider.ruleset)

    def of(self, facts: Mapping[str, object]) -> Decision:
        key = tuple([facts.get(name) for name in self._reads])
        if key not in self._made:
            self._made[key] = self._decider.answer(facts)
        return self._made[key]


def _highest(ruleset: Ruleset) -> float:
    """With more days left than this no rule holds, so far as its thresholds tell."""
    found = [-1.0]
    for rule in ruleset.rules:
        for way in alternatives(rule.when) if rule.when else [()]:
            limits = [
                float(str(limit))
                for literal in way
                if literal.leaf.fact == "case.days_left" and literal.leaf.op in ("le", "lt", "eq")
                for limit in [coerce("number", threshold(literal.leaf, {}, ruleset.params))]
                if limit is not None
            ]
            found.append(min(limits, default=float("inf")))
    return max(found)


class _Days:
    """Working days of units, counted once."""

    def __init__(self) -> None:
        self._calendars: dict[int, WorkingCalendar] = {}
        self._counted: dict[tuple[int, date, date], int] = {}

    def of(self, unit_id: int) -> WorkingCalendar:
        if unit_id not in self._calendars:
            self._calendars[unit_id] = calendar(unit_id)
        return self._calendars[unit_id]

    def between(self, unit_id: int, begin: date, end: date) -> int:
        key = (unit_id, begin, end)
        if key not in self._counted:
            self._counted[key] = self.of(unit_id).working_days_between(begin, end)
        return self._counted[key]

    def used(self, clock: Standing, on: date, pauses: Sequence[tuple[date, date]]) -> int:
        """Working days from its start, without those for which it waited."""
        waited = sum(self.between(clock.unit_id, begin, end) for begin, end in pauses)
        return self.between(clock.unit_id, clock.started_on, on) - waited


def _rungs(decision: Decision) -> list[tuple[str, Mapping[str, Any]]]:
    """The rungs that a decision asks for, each with its rule."""
    return [(o.rule, o.params) for o in decision.outcomes if o.action == "escalate"]


def _facts(clock: Standing, left: int, used: int | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "service.code": clock.service_code,
        "case.channel": clock.channel,
        "case.state": clock.state,
        "case.days_left": left,
        "case.days_total": clock.period,
        "case.paused": False,
    }
    if used is not None:  # how long it took is asked of late files only
        facts["case.days_used"] = used
    return facts
