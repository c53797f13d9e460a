"""Carrying out a step of the workflow engine: state, tasks, clocks, effects and one event, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from forms.model import FormDefinition
from webapp.extensions import db
from webapp.models import Case, Clock, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries import bookings as appointments
from webapp.queries import committees, definitions, submissions
from webapp.queries.org import Seat, chart
from webapp.rows import write_together
from webapp.services import (
    agendas,
    alarms,
    bookings,
    clocks,
    co_review,
    corrections,
    decisions,
    drafting,
    duties,
    evaluation,
    events,
    extension_requests,
    fees,
    invitations,
    invoices,
    notices,
    payouts,
    plan_effects,
    routing,
    task_drafts,
)
from webapp.services.drafting import Wording
from workflows import engine
from workflows.model import Period, Step, WorkflowDefinition
from workflows.service import ServiceDefinition


@dataclass(frozen=True)
class Context:
    """A case with the definitions that it is pinned to."""

    case: Case
    service: ServiceDefinition
    form: FormDefinition
    workflow: WorkflowDefinition


@dataclass(frozen=True)
class Given:
    """What an actor hands in with an action."""

    comment: str = ""
    #: 附款: conditions attached to a favourable decision
    conditions: str = ""
    fields: tuple[str, ...] = ()
    on_date: date | None = None
    raw: Mapping[str, list[str]] = field(default_factory=dict)
    #: what a proposal to grant fixes, by the keys of the service's fees and awards
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    #: the letter's own words, where somebody changed those of its template
    wording: Wording | None = None

    def names(self, has_form: bool) -> frozenset[str]:
        present = {
            "comment": bool(self.comment.strip()),
            "fields": bool(self.fields),
            "date": self.on_date is not None,
            "form": has_form,
        }
        return frozenset(name for name, given in present.items() if given)


def context(case: Case) -> Context:
    return Context(
        case,
        definitions.service(case.service_revision_id),
        definitions.form(case.form_revision_id),
        definitions.workflow_of(case),
    )


def tasks_of_visit(case: Case) -> list[Task]:
    """As they stand now, also where the session has read them before."""
    of_visit = select(Task).where(Task.case_id == case.id, Task.visit == case.visit).order_by(Task.id)
    return list(db.session.scalars(of_visit.execution_options(populate_existing=True)))


def snapshot(ctx: Context, tasks: list[Task], facts: Mapping[str, object]) -> engine.Snapshot:
    return engine.Snapshot(
        state=ctx.case.state,
        tasks=tuple(
            engine.OpenTask(
                id=t.id, key=t.key, branch=t.branch, state=t.state, outcome=t.outcome, function=t.function
            )
            for t in tasks
        ),
        facts=facts,
        params=ctx.service.parameters,
    )


def carry_out(
    actor: Actor,
    ctx: Context,
    step: Step,
    now: datetime,
    *,
    given: Given | None = None,
    acting: tuple[int | None, int | None] = (None, None),
) -> None:
    """Applies one step. `acting` is (task id, whom the actor stands in for)."""
    case, given = ctx.case, given or Given()
    task_id, acting_for_id = acting
    asked = fees.asked(ctx.service, case, step.proposal, step.effects)
    amounts = {each.key: given.amounts[each.key] for each in asked if each.key in given.amounts}
    _close_tasks(actor, case, step, now, acting_for_id)
    previous, case.state = case.state, step.to_state
    if step.proposal:
        _draft(actor, ctx, step.proposal, given, amounts, now, acting_for_id)
        case.proposal = step.proposal
    if step.proposal and decisions.EFFECTS.keys().isdisjoint(step.effects):
        case.proposed_by_id, case.proposed_for_id = actor.account_id, acting_for_id
    elif step.moved and not step.closed:
        if given.wording is not None:
            _pass_on(actor, ctx, step, given.wording, now, acting_for_id)
        if not step.carried and step.to_state not in duties.approval_states(ctx.workflow):
            # sent back: the proposal is no longer before anybody, and whoever made it may act at their own level
            case.proposed_by_id = case.proposed_for_id = None
    if step.proposal or asked or (step.closed and step.outcome != "granted"):
        fees.fix(ctx.service, case, amounts)
    for effect in step.effects:
        _move_clock(actor, ctx, effect, now)
    called = committees.coming(case) if step.moved and _waits_for_committee(ctx, previous) else None
    if step.moved:
        case.visit += 1
    if step.closed:
        case.status, case.outcome, case.closed_at = "closed", step.outcome, now
    db.session.flush()
    people = frozenset(person for person in (actor.account_id, acting_for_id) if person is not None)
    on_date = given.on_date or _slot_day(case, step)
    tasks = new_tasks(ctx, step, now, by=people, on_date=on_date, township=_township(ctx, step))
    clocks.stand_still(actor, case, write_together(task_clocks(step, tasks, write_together(tasks), now)), now)
    events.record(
        actor,
        case,
        step.transition,
        now,
        task_id=task_id,
        acting_for_id=acting_for_id,
        from_state=previous,
        payload={
            "comment": given.comment.strip(),
            "conditions": given.conditions.strip(),
            "fields": list(given.fields),
            "date": given.on_date.isoformat() if given.on_date else "",
            "amounts": fees.lines_of(ctx.service, case, amounts),
        },
    )
    task = db.session.get(Task, task_id) if task_id is not None else None
    by = decisions.Decider(actor, task.function if task is not None else "", acting_for_id)
    for effect in step.effects:
        _effect(by, ctx, effect, previous, given, now)
    if called is not None:
        invitations.call_off(actor, ctx, called, now)
    if step.closed:
        let_go(actor, case, now)


def _waits_for_committee(ctx: Context, state: str) -> bool:
    return any(name.startswith("committee_") for name in ctx.workflow.state(state).transitions)


def let_go(actor: Actor, case: Case, now: datetime) -> None:
    """Nobody need pay for a case that ended, its slot goes to the next in line, who was merged
    into it is told, and what was typed for it and never sent is forgotten."""
    invoices.cancel_invoice(case, now)
    decisions.ended(case, now)
    task_drafts.forget(case)
    if case.outcome != "granted":
        bookings.release(actor, case, now)


def _slot_day(case: Case, step: Step) -> date | None:
    """The day of the appointment that a step confirms: the tasks that it opens are for that day."""
    booking = appointments.current(case.id) if "confirm_slot" in step.effects else None
    return taipei_day(booking.slot.starts_at) if booking is not None else None


def _draft(
    actor: Actor,
    ctx: Context,
    kind: str,
    given: Given,
    amounts: Mapping[str, Decimal],
    now: datetime,
    acting_for_id: int | None,
) -> None:
    """The version of the letter that is proposed, or passed on to the next level."""
    by = decisions.Decider(actor, acting_for_id=acting_for_id)
    decisions.drafted_as(by, ctx, kind, given.comment, given.conditions, amounts, now, given.wording)


def _pass_on(
    actor: Actor, ctx: Context, step: Step, wording: Wording, now: datetime, acting_for_id: int | None
) -> None:
    """A head between the officer and the decider changed the words."""
    kind = decisions.kind_of(ctx, None, step.effects, step.to_state)
    before = drafting.last(ctx.case, kind) if kind else None
    if kind is None or before is None:
        return
    proposed = Given(before.body["reason"], before.body["conditions"], wording=wording)
    _draft(actor, ctx, kind, proposed, fees.fixed(ctx.service, ctx.case), now, acting_for_id)


def _close_tasks(actor: Actor, case: Case, step: Step, now: datetime, acting_for_id: int | None) -> None:
    if step.closed:
        co_review.give_up(case, now)
    finished = dict(step.finish)
    touched = [*finished, *step.cancel]
    if not touched:
        return
    for task in db.session.scalars(select(Task).where(Task.id.in_(touched))):
        if task.id in finished:
            task.state, task.outcome, task.done_at = "done", finished[task.id], now
            task.done_by_id, task.acting_for_id = actor.account_id, acting_for_id
            task.assignee_id = task.assignee_id or actor.account_id
        else:
            task.state = "cancelled"
        clocks.stop_of_task(task.id, taipei_day(now))


def new_tasks(
    ctx: Context,
    step: Step,
    now: datetime,
    *,
    by: frozenset[int] = frozenset(),
    on_date: date | None = None,
    picked: str | None = None,
    township: str | None = None,
) -> list[Task]:
    """The tasks that a step by some people opens, each with its officer or for its unit's pool; not yet written.

    Those of the function `picked` are left to the routing rule. A case that has no number yet has no parties to ask:
    whoever writes it sees to that.
    """
    case, today, tree = ctx.case, taipei_day(now), chart()
    is_level = step.to_state in duties.approval_states(ctx.workflow)
    separation = duties.after(ctx, step, by) if is_level else None
    tasks = []
    for new in step.open:
        unit_id, seats = tree.holders(
            routing.unit_for(new.unit, case, ctx.service, township), new.function, today
        )
        assignee = None
        if new.function != picked:
            assignee = _same_hands(case, new.function, unit_id, seats, today) or _sole(seats)
        if separation is None and assignee is not None and case.number:
            separation = duties.strangers(ctx, step)
        if separation is not None:
            if assignee is not None and separation.bars(assignee, step.to_state):
                assignee = None
            if duties.nobody_left(separation, unit_id, new.function, step.to_state, today):
                alarms.nobody_may_act(case, tree.units[unit_id], new.function, now)
        if not seats:
            alarms.vacant(tree.units[unit_id], new.function, now)
        due = on_date or case.due_on
        if new.period is not None:
            due = clocks.due_on(*_limit(new.period, now), unit_id)
        tasks.append(
            Task(
                case_id=case.id,
                visit=case.visit,
                key=new.key,
                branch=new.branch,
                function=new.function,
                unit_id=unit_id,
                form_key=new.form,
                assignee_id=assignee,
                due_on=due,
                opened_at=now,
            )
        )
    return tasks


def _township(ctx: Context, step: Step) -> str | None:
    """The township that the case is about, read only where a task goes to its office."""
    if all(new.unit != "township" for new in step.open):
        return None
    return evaluation.township_of(ctx.service, ctx.form, submissions.application(ctx.case.id).all_answers)


def _limit(period: Period, now: datetime) -> tuple[str, int, date]:
    return period.kind, period.period, clocks.start_of(period.kind, taipei_day(now), now)


def task_clocks(step: Step, tasks: Sequence[Task], keys: Sequence[int], now: datetime) -> list[Clock]:
    """The clocks of the new tasks that have a period of their own; `keys` are those of the written tasks."""
    return [
        clocks.started(task.case_id, *_limit(new.period, now), task.due_on, task_id=key)
        for new, task, key in zip(step.open, tasks, keys, strict=True)
        if new.period is not None and task.due_on is not None
    ]


def _same_hands(case: Case, function: str, unit_id: int, seats: Sequence[Seat], today: date) -> int | None:
    """A case comes back to whoever worked on it before, best in this function, if they hold it now and are there.

    What somebody proposed goes to somebody else.
    """
    if case.visit <= 1:
        return None
    there = {seat.account_id for seat in seats if not chart().is_absent(seat.account_id, today)}
    there -= {case.proposed_by_id, case.proposed_for_id}
    before = db.session.execute(
        select(Task.assignee_id, Task.function)
        .where(Task.case_id == case.id, Task.unit_id == unit_id, Task.assignee_id.in_(there))
        .order_by(Task.id.desc())
    ).all()
    same = [who for who, did in before if did == function]
    return next(iter(same or [who for who, _ in before]), None)


def _sole(seats: Sequence[Seat]) -> int | None:
    holders = {seat.account_id for seat in seats}
    return holders.pop() if len(holders) == 1 else None


def _effect(
    by: decisions.Decider, ctx: Context, effect: str, state: str, given: Given, now: datetime
) -> None:
    """The other effects of the closed list; `state` is the one in which they were asked for."""
    case = ctx.case
    name, _, argument = effect.partition(":")
    if name == "open_correction":
        corrections.open_request(by.actor, ctx, given.fields, given.comment, now)
    elif name == "close_correction":
        corrections.close_request(case, now)
    elif name in decisions.EFFECTS:
        kind = decisions.EFFECTS[name]
        decisions.issue(by, ctx, kind, state, given.comment, given.conditions, now, given.wording)
    elif name == "put_on_agenda":
        agendas.put_on(case, now)
    elif name in bookings.EFFECTS:
        bookings.carry_out(by.actor, case, name, now, on_date=given.on_date, comment=given.comment)
    elif name == "open_invoice":
        invoices.open_invoice(by.actor, ctx, now)
    elif name == "cancel_invoice":
        invoices.cancel_invoice(case, now)
    elif name == "join_payment_list":
        payouts.join(ctx, now)
    elif name == "notify_applicant":
        notices.notify(case, argument, now, comment=given.comment, on_date=given.on_date)
    elif name in plan_effects.EFFECTS:
        plan_effects.EFFECTS[name](by.actor, case, now, given.on_date)
    elif name not in CLOCK_EFFECTS:
        raise ValueError(f"nobody carries out the effect {effect}")


#: carried out by `_move_clock`
CLOCK_EFFECTS = frozenset(
    {"pause_clock", "resume_clock", "restart_clock", "hold_clock", "release_clock", "stop_clock"}
)


def _move_clock(actor: Actor, ctx: Context, name: str, now: datetime) -> None:
    """The effects on the clock come first: tasks that the step opens are due by the date they leave."""
    case = ctx.case
    if name == "pause_clock":
        if ctx.service.correction != "none":
            clocks.move(actor, case, clocks.of_case(case.id), "pause", now, reason=clocks.CORRECTION.zh)
    elif name == "resume_clock":
        if ctx.service.correction != "none":
            # it counts anew only from an answer; a correction that lapsed merely ends the pause
            anew = ctx.service.correction == "restart" and actor.kind != "system"
            clocks.move(
                actor,
                case,
                clocks.of_case(case.id),
                "restart" if anew else "resume",
                now,
                on=corrections.lapsed_until(case) if actor.kind == "system" else None,
                reason=clocks.CORRECTION.zh,
            )
    elif name == "restart_clock":
        clocks.move(actor, case, clocks.of_case(case.id), "restart", now, reason=clocks.CORRECTION.zh)
    elif name in ("hold_clock", "release_clock"):
        kind = "pause" if name == "hold_clock" else "resume"
        reason = clocks.REVIEWED if ctx.service.internal else clocks.WAITING
        clocks.move(actor, case, clocks.of_case(case.id), kind, now, reason=reason.zh)
    elif name == "stop_clock":
        clocks.end(actor, case, now)
        extension_requests.lapse_of(case, now)
