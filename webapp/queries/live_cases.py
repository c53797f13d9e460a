"""Which open cases a draft would touch: reminders that move, and decisions that would come out otherwise."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date

from rules.values import Text
from webapp.permissions import Actor, open_to_rules
from webapp.queries import ladders, snapshots, standing
from webapp.queries.ladders import Coming
from webapp.queries.trials import MOST_NAMED, SECONDS, Changed, Decider, over_open

_AT_ONCE = 200


@dataclass(frozen=True)
class Step:
    """The next reminder of a clock: its rung as the rules call it, and the day; none is to come."""

    rung: Text | None
    day: date | None


@dataclass(frozen=True)
class Moved:
    """A running clock whose next reminder, or its day, would be another."""

    number: str
    public_id: str
    due_on: date
    before: Step
    after: Step


@dataclass(frozen=True)
class Touched:
    """Those open cases that a draft changes something for. `of`: how many were looked at; `complete`: all of them."""

    of: int
    changes: int
    complete: bool
    moved: tuple[Moved, ...] = ()
    changed: tuple[Changed, ...] = ()
    not_kept: tuple[str, ...] = ()


def touched(
    actor: Actor, current: Decider, draft: Decider, today: date, since: date, seconds: float = SECONDS
) -> Touched:
    """By clocks where the ruleset drives reminders, else by the facts of the last decision of each open case."""
    if draft.compiled.ruleset.key == ladders.RULESET:
        return _reminders(actor, current, draft, today, since, seconds)
    trial = over_open(actor, current, draft, seconds)
    return Touched(
        trial.looked_at,
        trial.changes,
        trial.complete,
        changed=tuple(trial.changed),
        not_kept=trial.not_kept,
    )


def _reminders(
    actor: Actor, current: Decider, draft: Decider, today: date, since: date, seconds: float
) -> Touched:
    end = time.monotonic() + seconds
    clocks = standing.read(open_to_rules(actor))
    moved: list[Moved] = []
    changes = looked_at = 0
    for start in range(0, len(clocks), _AT_ONCE):
        part = clocks[start : start + _AT_ONCE]
        before = ladders.next_rungs(part, today, most=1)
        after = ladders.next_rungs(part, today, ruleset=draft.compiled, since=since, most=1)
        looked_at += len(part)
        for clock in part:
            was, will = _step(current, before[clock.clock_id]), _step(draft, after[clock.clock_id])
            if was == will:
                continue
            changes += 1
            if len(moved) < MOST_NAMED:
                moved.append(Moved(clock.number, clock.public_id, clock.due_on, was, will))
        if time.monotonic() > end:
            break
    pages = snapshots.pages(actor, [each.public_id for each in moved])
    named = [each if each.public_id in pages else replace(each, public_id="") for each in moved]
    return Touched(looked_at, changes, looked_at == len(clocks), moved=tuple(named))


def _step(decider: Decider, coming: list[Coming]) -> Step:
    if not coming:
        return Step(None, None)
    (first, *_) = coming
    return Step(decider.called(str(first.params["rung"])), first.day)
