"""為什麼: what rules decided about a case and why, what they did not, and what they will decide next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from rules.values import Text
from webapp.models import Case, Clock
from webapp.moments import taipei_day
from webapp.queries import definitions, ladders, standing, why
from webapp.queries.ladders import Coming
from webapp.security import actor, now
from webapp.services import cases, clocks
from webapp.staff import bp, shown, words


@dataclass(frozen=True)
class Next:
    """A rung to come: on which day, what it is called, who will hear of it, and why on that day."""

    day: date
    label: Text
    to: tuple[Text, ...]
    sentence: Text
    title: Text
    revision: int


@dataclass(frozen=True)
class Waiting:
    """An open clock of the case, and what comes on it."""

    #: of a branch; empty for the case itself
    unit: str
    due_on: date
    paused: bool
    coming: tuple[Next, ...]


@bp.get("/cases/<pid>/why", endpoint="why")
def why_of(pid: str) -> ResponseReturnValue:
    found = cases.visible(actor(), pid)
    return render_template(
        "staff/why.html",
        case=found,
        service=definitions.service(found.service_revision_id),
        rulings=why.rulings(found),
        waiting=_waiting(found, taipei_day(now())),
        unit_name=shown.unit_name,
        words=words,
    )


def _waiting(case: Case, today: date) -> list[Waiting]:
    if case.status == "closed":
        return []
    open_clocks = clocks.open_clocks(case.id)
    coming = ladders.next_rungs(standing.of_case(case.id), today)
    return [_of_clock(clock, case, coming.get(clock.id, ())) for clock in open_clocks]


def _of_clock(clock: Clock, case: Case, coming: Sequence[Coming]) -> Waiting:
    unit = shown.unit_name(clocks.unit_of(clock, case)) if clock.task_id is not None else ""
    return Waiting(unit, clock.due_on, clock.state == "paused", tuple(map(_next, coming)))


def _next(coming: Coming) -> Next:
    assert coming.revision is not None, "only what is published decides here"
    entry: Mapping[str, Any] = next(e for e in coming.decision.explanation if e["rule"] == coming.rule)
    return Next(
        coming.day,
        Text(**entry["label"]),
        tuple(words.function_label(name) for name in coming.params["to"]),
        Text(**entry["sentence"]),
        coming.decision.ruleset.title,
        definitions.name_of(coming.revision)[1],
    )
