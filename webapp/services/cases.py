"""Moving a case: who may take which transition, and the race that only one can win."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm.attributes import flag_modified

import forms.answers
from forms.model import FormDefinition
from rules.values import Text
from webapp.errors import AnswersInvalid, Conflict, Forbidden, NotFound, Refused
from webapp.extensions import db
from webapp.models import Account, Case, CaseEvent, Document, Submission, Task
from webapp.moments import taipei_day
from webapp.permissions import SYSTEM, Actor, acts_for, visible_to
from webapp.queries import answering, bookings, definitions, history, plan_requests, submissions
from webapp.queries.org import chart
from webapp.services import co_review, duties, evaluation, fees, steps
from workflows import engine
from workflows.model import INSPECTION, PAID, WITHDRAW, Step, Transition


@dataclass(frozen=True)
class Offer:
    """A transition that an actor may take now, on which task, and in whose place."""

    transition: Transition
    task: Task | None
    acting_for_id: int | None
    task_form: FormDefinition | None


def visible(actor: Actor, public_id: str) -> Case:
    """The case, if the actor may see it; else it does not exist."""
    case = db.session.scalars(
        select(Case).where(Case.public_id == public_id, visible_to(actor))
    ).one_or_none()
    if case is None:
        raise NotFound()
    return case


def answers_of(case: Case) -> dict[str, Any]:
    """The newest answers of the application."""
    return submissions.application(case.id).all_answers


def facts_now(ctx: steps.Context) -> dict[str, object]:
    facts = evaluation.facts_of(ctx.case, ctx.service, ctx.form, answers_of(ctx.case))
    for submission in db.session.scalars(
        select(Submission)
        .where(
            Submission.case_id == ctx.case.id,
            Submission.kind != "application",
            # an opinion that the officer asked for answers no question of the workflow
            func.coalesce(Submission.task_id, 0).not_in(
                select(Task.id).where(Task.case_id == ctx.case.id, Task.visit == 0)
            ),
        )
        .order_by(Submission.id)
    ):
        task_form = definitions.form(submission.form_revision_id)
        for name, value in forms.answers.facts(task_form, submission.all_answers).items():
            facts[name.replace("answers.", "task.", 1)] = value
    booking = bookings.current(ctx.case.id)
    facts["case.booking"] = booking.state if booking is not None else None
    facts["case.inspections"] = _count(ctx.case.id, INSPECTION)
    facts["case.actions"] = history.actions(ctx.case.id)
    if ctx.case.channel == "internal":
        facts |= plan_requests.facts(ctx.case)
    return facts


def offers(actor: Actor, ctx: steps.Context, now: datetime) -> list[Offer]:
    """Every transition that the actor may take now. The page shows exactly these."""
    if ctx.case.status == "closed":
        return []
    tasks = steps.tasks_of_visit(ctx.case)
    present = steps.snapshot(ctx, tasks, facts_now(ctx))
    separation, asked = duties.of(ctx), co_review.open_of(ctx.case)
    found = []
    for task in tasks:
        place = mandate(actor, task, taipei_day(now))
        if task.state != "open" or place is None:
            continue
        functions = frozenset({task.function})
        task_form = definitions.current_form(task.form_key, taipei_day(now)) if task.form_key else None
        found += [
            Offer(transition, task, place[0], task_form)
            for transition in engine.allowed(ctx.workflow, present, "task", functions, task.id)
            if separation.refusal(people_of(actor, place[0]), transition) is None
            and not (asked and duties.decides(transition.effects))
        ]
    for task in asked:
        place = mandate(actor, task, taipei_day(now))
        if place is not None and not separation.is_party(people_of(actor, place[0])):
            task_form = definitions.current_form(co_review.FORM, taipei_day(now))
            found.append(Offer(co_review.ANSWER, task, place[0], task_form))
    return found


def take_transition(
    actor: Actor, case: Case, name: str, now: datetime, *, version: int, task_id: int, given: steps.Given
) -> None:
    """An officer's action on one of their tasks. Raises Conflict if somebody acted since the page was made."""
    hold(case, version)
    ctx = steps.context(case)
    tasks, asked = steps.tasks_of_visit(case), co_review.open_of(case)
    task = next((t for t in [*tasks, *asked] if t.id == task_id), None)
    if task is None or task.state != "open" or (task in asked and name != co_review.ANSWER.name):
        raise overtaken(case)
    acting_for_id = require_mandate(actor, task, now)
    transition = ctx.workflow.states[case.state].transitions.get(name)
    if task in asked:
        transition = co_review.ANSWER
    conflict = transition and duties.of(ctx).refusal(people_of(actor, acting_for_id), transition)
    if conflict:
        raise Refused(conflict)
    if task in asked:
        _record_form(actor, case, task, given, now)
        flag_modified(case, "state")
        co_review.given(actor, ctx, task, acting_for_id, now)
        return
    needs_form = transition is not None and "form" in transition.requires
    facts = facts_now(ctx)
    if needs_form and task.form_key:
        facts |= _record_form(actor, case, task, given, now)
    step = engine.take(
        ctx.workflow,
        steps.snapshot(ctx, tasks, facts),
        engine.Action(
            name=name,
            by="task",
            task_id=task.id,
            functions=frozenset({task.function}),
            given=given.names(has_form=needs_form),
        ),
    )
    waits = co_review.waiting(case) if duties.decides(step.effects) else None
    if waits is not None:
        raise Refused(waits)
    fees.require(fees.asked(ctx.service, case, step.proposal, step.effects), given.amounts)
    if task.claimed_at is None:
        task.claimed_at = now
    task.assignee_id = acting_for_id or actor.account_id
    steps.carry_out(actor, ctx, step, now, given=given, acting=(task.id, acting_for_id))
    db.session.flush()
    _go_on(case, step, now)


def take_as_citizen(
    actor: Actor, case: Case, name: str, now: datetime, *, version: int, given: steps.Given | None = None
) -> None:
    """The applicant's own action: withdraw, or answer a correction request."""
    hold(case, version)
    _take(actor, case, name, "citizen", now, given)


def answer_correction(actor: Actor, case: Case, now: datetime, *, version: int) -> None:
    """The applicant says that the correction or improvement is done; the case goes back to the officer."""
    ctx = steps.context(case)
    state = ctx.workflow.states[case.state]
    answers = state.transitions.values() if state.kind == "correction" else ()
    way_back = [t for t in answers if t.by == "citizen" and t.name != WITHDRAW]
    if not way_back:
        raise Refused(
            Text(zh="這個案件目前沒有需要補正的事項。", en="Nothing needs correcting in this case now.")
        )
    take_as_citizen(actor, case, way_back[0].name, now, version=version)


def take_as_system(
    case: Case, name: str, now: datetime, given: steps.Given | None = None, *, by: Actor = SYSTEM
) -> None:
    """`by`: whoever decided it elsewhere than at a task of the case."""
    _take(by, case, name, "system", now, given)


def take_if_waited_for(case: Case, name: str, now: datetime, given: steps.Given | None = None) -> bool:
    """The system's transition, where the present state has it and its guard holds."""
    if case.status == "closed":
        return False
    ctx = steps.context(case)
    present = steps.snapshot(ctx, steps.tasks_of_visit(case), facts_now(ctx))
    if all(t.name != name for t in engine.allowed(ctx.workflow, present, "system", frozenset())):
        return False
    take_as_system(case, name, now, given)
    return True


def _go_on(case: Case, step: Step, now: datetime) -> None:
    """A fee of nothing is paid as soon as it is asked for."""
    if "open_invoice" in step.effects and case.paid_at is not None:
        take_if_waited_for(case, PAID, now)


def _take(actor: Actor, case: Case, name: str, by: Any, now: datetime, given: steps.Given | None) -> None:
    if case.status == "closed":
        raise Refused(Text(zh="這個案件已經結案。", en="This case is closed."))
    ctx, given = steps.context(case), given or steps.Given()
    step = engine.take(
        ctx.workflow,
        steps.snapshot(ctx, steps.tasks_of_visit(case), facts_now(ctx)),
        engine.Action(
            name=name, by=by, task_id=None, functions=frozenset(), given=given.names(has_form=False)
        ),
    )
    steps.carry_out(actor, ctx, step, now, given=given)
    db.session.flush()
    _go_on(case, step, now)


def hold(case: Case, version: int) -> None:
    """One action on a case at a time: whoever waited sees what the other did, and stops if the case moved on.

    Without it two branches that finish at the same moment would each wait for the other. What only refers to the
    case (a firing of the sweep, a printed letter) need not wait: who holds a clock must not wait for the case.
    """
    db.session.flush()
    db.session.refresh(case, with_for_update={"key_share": True})
    if case.version != version:
        raise overtaken(case)


def has_moved_on(case: Case, version: int) -> bool:
    """Whether somebody acted since a page was made of this version; asks anew, it may have been a moment ago."""
    db.session.refresh(case)
    return case.version != version


def overtaken(case: Case) -> Conflict:
    """Names whoever acted last, so that the loser of a race knows whom to ask."""
    actor, name = db.session.execute(
        select(CaseEvent.actor_kind, Account.name)
        .outerjoin(Account, Account.id == CaseEvent.actor_id)
        .where(CaseEvent.case_id == case.id)
        .order_by(CaseEvent.seq.desc())
        .limit(1)
    ).one()
    if actor == "staff":
        who_zh = who_en = name
    elif actor == "system":
        who_zh, who_en = "系統", "the system"
    else:
        who_zh, who_en = "申請人", "the applicant"
    return Conflict(
        Text(
            zh=f"這個案件已由{who_zh}處理，畫面已不是最新狀態。您輸入的內容沒有送出，請重新載入後再決定。",
            en=f"This case was already handled by {who_en}. Nothing you entered was sent; reload and decide again.",
        )
    )


def mandate(actor: Actor, task: Task, day: date) -> tuple[int | None] | None:
    """(whom the actor stands in for,) if the actor may act on the task; None if not."""
    matching = [
        m for m in actor.mandates if m.function == task.function and task.unit_id in chart().within(m.unit_id)
    ]
    if task.assignee_id == actor.account_id:
        return (None,) if any(m.acting_for_id is None for m in matching) else None
    # whoever left the function holds nothing any more: the task is the unit's
    if task.assignee_id is not None and chart().holds(task.assignee_id, task.function, task.unit_id, day):
        absent = acts_for(actor, task.assignee_id)
        return (absent,) if absent is not None else None
    if any(m.acting_for_id is None for m in matching):
        return (None,)
    return (matching[0].acting_for_id,) if matching else None


def require_mandate(actor: Actor, task: Task, now: datetime) -> int | None:
    found = mandate(actor, task, taipei_day(now))
    if found is None:
        holder = chart().names.get(task.assignee_id or 0, "")
        raise Forbidden(
            Text(
                zh=f"這件待辦由{holder}承辦，您不能代為處理。" if holder else "這件待辦不在您的職務範圍內。",
                en=f"This task belongs to {holder}." if holder else "This task is outside your functions.",
            )
        )
    return found[0]


def people_of(actor: Actor, acting_for_id: int | None) -> frozenset[int]:
    """Whose duties an action touches: the officer's own, and those of whomever they stand in for."""
    return frozenset(person for person in (actor.account_id, acting_for_id) if person is not None)


def _record_form(
    actor: Actor, case: Case, task: Task, given: steps.Given, now: datetime
) -> dict[str, object]:
    """Stores the task's own form (inspection record, opinion) and returns its answers as task facts."""
    today = taipei_day(now)
    revision = definitions.revision_id("form", task.form_key or "", today)
    form = definitions.form(revision)
    raw = dict(given.raw)
    uploads = db.session.scalars(select(Document).where(Document.draft_key == upload_key(task))).all()
    for field in form.file_fields:
        raw[field.key] = [d.public_id for d in uploads if d.field_key == field.key]
    cleaned = answering.clean_of_task(form, raw, now, case, actor.language)
    if cleaned.errors:
        raise AnswersInvalid(cleaned.errors)
    plain, personal = forms.answers.split_personal(form, cleaned.answers)
    db.session.add(
        Submission(
            case_id=case.id,
            kind=form.key,
            number=_count(case.id, form.key) + 1,
            form_revision_id=revision,
            task_id=task.id,
            answers=plain,
            personal=personal,
            created_by_id=actor.account_id,
            created_at=now,
        )
    )
    for document in uploads:
        document.case_id = case.id
    db.session.flush()
    facts = forms.answers.facts(form, cleaned.answers)
    return {name.replace("answers.", "task.", 1): value for name, value in facts.items()}


def upload_key(task: Task) -> str:
    """Stands in for a draft's key while an officer fills in the form of a task."""
    return f"task-{task.public_id}"[:32]


def _count(case_id: int, kind: str) -> int:
    return db.session.scalars(
        select(func.count())
        .select_from(Submission)
        .where(Submission.case_id == case_id, Submission.kind == kind)
    ).one()
