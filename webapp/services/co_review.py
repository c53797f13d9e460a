"""加會: the officer asks another unit for its opinion while the case stays where it is; the decision waits for it.

Such a task belongs to the case and not to a visit of a state (visit 0): the workflow knows nothing of it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from rules.values import Text
from webapp.errors import Refused
from webapp.extensions import db
from webapp.models import Case, Task
from webapp.moments import taipei_day
from webapp.permissions import Actor
from webapp.queries.org import chart
from webapp.rows import write
from webapp.services import clocks, events, notices
from workflows.model import Transition

if TYPE_CHECKING:
    from webapp.services.steps import Context

FUNCTION = "co_reviewer"
#: working days for an opinion (交通部公文處理要點: 會辦 within one day for 最速件 and 速件, two for 普通件)
PERIODS = ("1", "2")
ANSWER = Transition(
    name="give_asked_opinion",
    label=Text(zh="回復會辦意見", en="Give the opinion"),
    by="task",
    task="asked_opinion",
    functions=(FUNCTION,),
    requires=("form",),
    style="primary",
)
FORM = "co_review_opinion"


def units(day: date) -> list[int]:
    """Where somebody gives opinions."""
    return sorted({s.unit_id for s in chart().seats if s.function == FUNCTION and s.held_on(day)})


def open_of(case: Case) -> list[Task]:
    """The opinions that are still waited for."""
    waited = select(Task).where(Task.case_id == case.id, Task.visit == 0, Task.state == "open")
    return list(db.session.scalars(waited.order_by(Task.id).execution_options(populate_existing=True)))


def waiting(case: Case) -> Text | None:
    """Why the case cannot be decided yet."""
    asked = [chart().units[task.unit_id] for task in open_of(case)]
    if not asked:
        return None
    return Text(
        zh=f"尚待{'、'.join(unit.zh for unit in asked)}回復會辦意見，回復前不能決行；主管可以敘明理由免待。",
        en=f"The case cannot be decided before {', '.join(unit.en for unit in asked)} answered; "
        "the head may waive the opinion with a reason.",
    )


def ask(
    actor: Actor,
    ctx: Context,
    unit_code: str,
    question: str,
    days: str,
    now: datetime,
    acting_for_id: int | None,
) -> None:
    case, tree, today = ctx.case, chart(), taipei_day(now)
    unit = tree.by_code.get(unit_code)
    if unit is None or unit.id not in units(today) or days not in PERIODS:
        raise Refused(Text(zh="請選擇要會辦的單位與期限。", en="Choose the unit and its time limit."))
    if any(task.unit_id == unit.id for task in open_of(case)):
        raise Refused(
            Text(
                zh=f"已經會辦{unit.zh}，請等候回復。",
                en=f"{unit.en} was already asked; wait for its answer.",
            )
        )
    before = db.session.scalar(
        select(func.count()).select_from(Task).where(Task.case_id == case.id, Task.visit == 0)
    )
    seats = {s.account_id for s in tree.holders(unit.id, FUNCTION, today)[1]}
    due = clocks.due_on("WD", int(days), today, unit.id)
    key = write(
        Task(
            case_id=case.id,
            visit=0,
            key=f"asked_opinion_{before}",
            branch=unit.code,
            function=FUNCTION,
            unit_id=unit.id,
            form_key=FORM,
            question=question,
            assignee_id=seats.pop() if len(seats) == 1 else None,
            due_on=due,
            opened_at=now,
        )
    )
    started = write(clocks.started(case.id, "WD", int(days), today, due, task_id=key))
    clocks.stand_still(actor, case, [started], now)
    events.record(
        actor,
        case,
        "opinion_asked",
        now,
        task_id=key,
        acting_for_id=acting_for_id,
        from_state=case.state,
        payload={
            "comment": question,
            "note": {"zh": f"期限 {days} 個工作天", "en": f"Within {days} working day(s)"},
        },
    )


def given(actor: Actor, ctx: Context, task: Task, acting_for_id: int | None, now: datetime) -> None:
    """The opinion is recorded: the task is done, the officer of the case is told."""
    case, unit = ctx.case, chart().units[task.unit_id]
    task.state, task.outcome, task.done_at = "done", "given", now
    task.done_by_id, task.acting_for_id = actor.account_id, acting_for_id
    task.assignee_id = task.assignee_id or acting_for_id or actor.account_id
    clocks.stop_of_task(task.id, taipei_day(now))
    db.session.flush()
    events.record(
        actor,
        case,
        "opinion_given",
        now,
        task_id=task.id,
        acting_for_id=acting_for_id,
        from_state=case.state,
    )
    notices.tell_staff(
        _officers(case),
        f"opinion_given:{task.public_id}",
        Text(zh=f"{case.number} 已有會辦意見", en=f"{case.number}: an opinion has come back"),
        Text(zh=f"{unit.zh}已回復會辦意見。", en=f"{unit.en} has given its opinion."),
        now,
        case.id,
    )


def waive(
    actor: Actor, ctx: Context, task: Task, reason: str, now: datetime, acting_for_id: int | None
) -> None:
    """免待: the head decides without the opinion."""
    task.state = "cancelled"
    clocks.stop_of_task(task.id, taipei_day(now))
    db.session.flush()
    events.record(
        actor,
        ctx.case,
        "opinion_waived",
        now,
        task_id=task.id,
        acting_for_id=acting_for_id,
        from_state=ctx.case.state,
        payload={"comment": reason},
    )


def give_up(case: Case, now: datetime) -> None:
    """The case is closed: nobody needs the opinions any more."""
    for task in open_of(case):
        task.state = "cancelled"
        clocks.stop_of_task(task.id, taipei_day(now))


def _officers(case: Case) -> set[int]:
    """Who held the newest officer's task."""
    newest = db.session.scalars(
        select(Task.assignee_id)
        .where(Task.case_id == case.id, Task.function == "officer")
        .order_by(Task.id.desc())
        .limit(1)
    ).first()
    return {newest} if newest is not None else set()
