"""Everything that the progress page of a case is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from webapp.models import Case, CaseEvent, CorrectionRequest, ExtensionRequest, Letter, Suspension
from webapp.moments import taipei_day
from webapp.queries import moves, tracking
from webapp.queries.org import calendar
from webapp.services import cases, clocks, expected, extensions, steps, suspensions
from workflows import clock as arithmetic
from workflows import engine
from workflows.model import WITHDRAW, Transition


@dataclass(frozen=True)
class Progress:
    ctx: steps.Context
    #: what guards and words may know of the case now
    facts: Mapping[str, object]
    events: Sequence[CaseEvent]
    #: by which the events happened
    then: moves.Workflows
    request: CorrectionRequest | None
    #: the one that stands
    letter: Letter | None
    #: the number of the one that decided
    decided_by: str
    #: the letter could not be printed
    letter_failed: bool
    #: working days to the due date, None when the case is closed
    days_left: int | None
    paused: bool
    #: 不可歸責: why the clock stands still, where a head stopped it
    suspension: Suspension | None
    #: granted, with the reason that was written for the applicant
    extensions: Sequence[ExtensionRequest]
    #: what the office said when it was late
    promised: date | None
    ledger: arithmetic.Ledger
    withdraw: Transition | None
    #: hands a correction in
    answer: Transition | None


def of(case: Case, now: datetime) -> Progress:
    ctx, today, running = steps.context(case), taipei_day(now), case.status == "open"
    clock = clocks.of_case(case.id)
    days_left = None
    if running and case.due_on is not None:
        days_left = calendar(case.handling_unit_id).working_days_between(today, case.due_on)
    facts = cases.facts_now(ctx)
    actions = citizen_actions(ctx, facts)
    letter, decision = tracking.letter(case.id), tracking.decision(case.id)
    return Progress(
        ctx=ctx,
        facts=facts,
        events=tracking.events(case.id),
        then=moves.of_case(case, ctx.workflow),
        request=tracking.open_request(case.id),
        letter=letter,
        decided_by=decision.number if decision is not None else "",
        letter_failed=letter is not None and tracking.given_up(letter),
        days_left=days_left,
        paused=running and clock.state == "paused",
        suspension=suspensions.current(case.id) if running else None,
        extensions=[asked for asked in extensions.of_case(case.id) if asked.state == "approved"],
        promised=expected.of_case(case) if running else None,
        ledger=clocks.ledger(clock, case, today),
        withdraw=next((action for action in actions if action.name == WITHDRAW), None),
        answer=next((action for action in actions if action.name != WITHDRAW), None),
    )


def citizen_actions(ctx: steps.Context, facts: Mapping[str, object] | None = None) -> list[Transition]:
    """What the applicant may do now. The pages show exactly these."""
    if ctx.case.status == "closed":
        return []
    present = steps.snapshot(ctx, steps.tasks_of_visit(ctx.case), facts or cases.facts_now(ctx))
    return engine.allowed(ctx.workflow, present, "citizen", frozenset())
